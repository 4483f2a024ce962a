/* Random json0: documents and operations on them. */
#ifndef UNIT_OT_JSON0_RANDOM_H
#define UNIT_OT_JSON0_RANDOM_H

#include "tests/unit/ot/harness.h"

const struct ot_type *json0_type(void);
struct ot_op *json0_op_from(const char *json);
struct ot_snapshot *json0_document(const char *json);
char *json0_written(const struct ot_snapshot *document); /* the caller frees it */

struct ot_snapshot *random_json0_document(struct sim_random *random);
/* One component, often; else several, each for what the ones before it leave. */
struct ot_op *random_json0_op(struct sim_random *random, const struct ot_snapshot *document);

#endif
