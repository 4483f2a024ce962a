/* Random rich-text: documents and operations on them. */
#ifndef UNIT_OT_RICH_RANDOM_H
#define UNIT_OT_RICH_RANDOM_H

#include "tests/unit/ot/harness.h"

const struct ot_type *rich_type(void);
struct ot_op *rich_op(const char *json, bool is_strict);
struct ot_snapshot *rich_document(const char *json);
char *rich_written(const struct ot_snapshot *document); /* the caller frees it */

/* How many units each of a document's characters and embeds has: what an operation must not divide. */
struct rich_lengths {
    unsigned char *at;
    size_t n;
};

struct rich_lengths rich_lengths(const struct ot_snapshot *document); /* the caller frees `at` */

struct ot_snapshot *random_rich_document(struct sim_random *random);
/* Inserts before deletes or behind them, as it comes; or in normal form. */
struct ot_op *random_rich_op(struct sim_random *random, const struct ot_snapshot *document, bool is_normal);

#endif
