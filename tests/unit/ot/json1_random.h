/* Random json1: documents and operations on them. */
#ifndef UNIT_OT_JSON1_RANDOM_H
#define UNIT_OT_JSON1_RANDOM_H

#include "tests/unit/ot/harness.h"

const struct ot_type *json1_type(void);
struct ot_op *json1_op_from(const char *json);
struct ot_snapshot *json1_document(const char *json);

char *json1_written(const struct ot_snapshot *document);                          /* the caller frees it */
void assert_same_json1(const struct ot_snapshot *a, const struct ot_snapshot *b); /* and of one size */

struct ot_snapshot *random_json1_document(struct sim_random *random);
/* Numbers are whole, so that sums do not depend on their order. */
struct ot_op *random_json1_op(struct sim_random *random, const struct ot_snapshot *document);
/* The path of something in the document. */
struct ot_json *random_json1_path(struct sim_random *random, const struct ot_snapshot *document);

#endif
