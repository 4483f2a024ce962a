/* Two contents of one document, of the same type, and what leads from one to the other: an operation, or lines for
 * people. What is large is worked out beside the loop (helper.h). */
#ifndef API_COMPARISON_H
#define API_COMPARISON_H

#include "base/buffer.h"
#include "base/helper.h"
#include "ot/ot.h"

enum comparison_as {
    COMPARISON_OPERATION, /* the JSON of an operation of the type */
    COMPARISON_LINES,     /* texts only: unified.h */
};

struct comparison {
    /* In. */
    enum comparison_as as;
    const struct ot_type *type;
    const struct ot_limits *limits;     /* as an operation that is to be submitted: the server's; else NULL */
    struct ot_snapshot *before, *after; /* shares that nobody changes; given back by _finish. NULL, as lines: no text */
    bool after_is_sole;                 /* nobody has a share in `after`: it is given back where it was compared */
    struct bytes names[2];              /* as lines: of the files */
    void (*on_done)(struct comparison *comparison); /* on the loop, exactly once, perhaps from inside the call */

    /* Out: 0, -ENOMEM, -E2BIG, or the enum ot_code of what the type does not allow. */
    int r;
    struct buffer written;
    struct ot_error error;

    /* Its own. */
    struct ot_json *operation; /* with limits: what was written, read where it was */
    int operation_r;
    struct errand errand;
};

/* helper: NULL: there is none. */
void comparison_run(struct comparison *comparison, struct helper *helper);

/* Of an operation that was worked out. A no-op is not to be submitted: who changes nothing is given no version. */
bool comparison_is_noop(const struct comparison *comparison);
/* The operation, where limits were given: the caller's. 0, -errno, or the enum ot_code of the parser. */
OT_MUST_CHECK int comparison_operation(struct comparison *comparison, struct ot_json **out);
/* It is to be submitted as a large one. */
bool comparison_is_large(const struct comparison *comparison);

void comparison_finish(struct comparison *comparison);

#endif
