/* What the tests of ot/ share: values out of literals, and back; random documents and operations on them.
 * Whatever is made here and cannot be made fails the test. */
#ifndef UNIT_OT_HARNESS_H
#define UNIT_OT_HARNESS_H

#include "ot/ot.h"
#include "tests/sim/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Checks a law case by case; every case has a seed of its own, so that the one that fails can be run alone.
 * PILCROW_SEED and PILCROW_CASES choose others, and more of them. */
void for_each_case(const char *law, size_t n_cases, void (*check)(struct sim_random *random));

/* The same for cases that take long, as many as are said here. */
void for_each_seed(const char *what, size_t n_cases, void (*check)(struct sim_random *random));

/* Calls attempt with the nth allocation failing, until none is left to fail. attempt answers what the function did. */
void fail_each(int (*attempt)(void *arg), void *arg);

/* Text that grows, always terminated. `struct text text = { 0 };` and text_free. */
struct text {
    char *at;
    size_t n_bytes, capacity;
};

int text_write(void *text, const char *at, size_t n_bytes); /* an ot_write_fn */
void text_add(struct text *text, const char *literal);
void text_free(struct text *text);

const struct ot_type *text_type(void);

/* Parses a copy that is exactly as long, so that reading one byte too many is seen. */
int parse_exactly(const char *json, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out);
struct ot_json *json_of(const char *json);
struct ot_op *op_of(const char *json);
struct ot_op *op_normalized(const char *json);
struct ot_snapshot *document_of(const char *text);
struct ot_snapshot *document_of_bytes(const char *utf8, size_t n_bytes);

/* The caller frees it. */
char *written_json(const struct ot_json *json);
char *written_op(const struct ot_op *op);
char *written_document(const struct ot_snapshot *document);

/* A document that the operation has been applied to. */
struct ot_snapshot *applied(const struct ot_snapshot *document, const struct ot_op *op);
struct ot_op *transformed(const struct ot_op *op, const struct ot_op *other, enum ot_side side);
struct ot_op *composed(const struct ot_op *first, const struct ot_op *second);

void assert_same_document(const struct ot_snapshot *a, const struct ot_snapshot *b);
void assert_same_op(const struct ot_op *a, const struct ot_op *b);

/* Up to n_cps code points of one to four bytes, and those that JSON must escape. */
void random_text(struct sim_random *random, size_t n_cps, struct text *out);
/* An operation on the document, in normal form; about a third of its deletes hold their text. */
struct ot_op *random_op(struct sim_random *random, const struct ot_snapshot *document);

#endif
