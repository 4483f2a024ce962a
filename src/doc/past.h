/* A document as it was at one version: steps, one after the other, from nothing or from what was kept. */
#ifndef DOC_PAST_H
#define DOC_PAST_H

#include "doc/op.h"

struct past {
    uint64_t version;           /* so many steps are in it */
    const struct ot_type *type; /* NULL: there is no document */
    struct ot_snapshot *value;
    uint64_t created_ms, modified_ms;
};

void past_finish(struct past *past); /* empties; a zeroed struct past is the beginning */

/* One step more. Returns 0; -ENOMEM; -EBADMSG: the log holds a step that does not follow what was before it. */
STORE_MUST_CHECK int past_step(struct past *past, const struct step *step, uint64_t time_ms,
                               const struct ot_limits *limits);

/* The same of a record of the log, which leads from the version. */
STORE_MUST_CHECK int past_record(struct past *past, const struct record *record, const struct ot_limits *limits);

#endif
