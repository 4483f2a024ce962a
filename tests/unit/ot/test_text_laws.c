#include "tests/unit/ot/harness.h"

#include "ot/json/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The laws over random operations. PILCROW_SEED and PILCROW_CASES choose others, and more of them. */

static struct ot_snapshot *random_document(struct sim_random *random)
{
    struct text text = { 0 };
    struct ot_snapshot *document;

    random_text(random, sim_random_chance(random, 20) ? 1500 : 20, &text);
    document = document_of_bytes(text.at, text.n_bytes);
    text_free(&text);
    return document;
}

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *a = random_op(random, document), *b = random_op(random, document),
                 *a_over_b = transformed(a, b, OT_LEFT), *b_over_a = transformed(b, a, OT_RIGHT);
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b),
                       *by_a = applied(with_a, b_over_a), *by_b = applied(with_b, a_over_b);

    assert_same_document(by_a, by_b);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(a_over_b);
    ot_op_unref(b_over_a);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(with_a);
    ot_snapshot_destroy(with_b);
    ot_snapshot_destroy(by_a);
    ot_snapshot_destroy(by_b);
}

static void check_compose(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *a = random_op(random, document);
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_op(random, after_a), *both = composed(a, b);
    struct ot_snapshot *after_b = applied(after_a, b), *at_once = applied(document, both);

    assert_same_document(after_b, at_once);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(both);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after_a);
    ot_snapshot_destroy(after_b);
    ot_snapshot_destroy(at_once);
}

/* What comes after an operation can be transformed over it, one by one or composed: the same. */
static void check_transform_over_composed(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *mine = random_op(random, document), *a = random_op(random, document);
    struct ot_snapshot *after_a = applied(document, a), *after_b, *end_one, *end_both;
    struct ot_op *b = random_op(random, after_a), *both = composed(a, b), *over_a = transformed(mine, a, OT_LEFT),
                 *over_b = transformed(over_a, b, OT_LEFT), *over_both = transformed(mine, both, OT_LEFT);

    /* Ties may fall differently, lengths may not: both fit the document after a and b and leave as many bytes. */
    after_b = applied(after_a, b);
    end_one = applied(after_b, over_b);
    end_both = applied(after_b, over_both);
    assert_int_equal(ot_snapshot_size(end_one), ot_snapshot_size(end_both));
    ot_op_unref(mine);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(both);
    ot_op_unref(over_a);
    ot_op_unref(over_b);
    ot_op_unref(over_both);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after_a);
    ot_snapshot_destroy(after_b);
    ot_snapshot_destroy(end_one);
    ot_snapshot_destroy(end_both);
}

static void check_invert(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_op(random, document), *inverse = NULL, *invertible = NULL, *other_inverse = NULL,
                 *twice = NULL;
    struct ot_snapshot *after = applied(document, op), *back;

    assert_int_equal(ot_op_invert_with(op, document, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_document(document, back);
    assert_int_equal(ot_op_make_invertible(op, document, &invertible, NULL), 0);
    assert_int_equal(ot_op_invert(invertible, &other_inverse, NULL), 0);
    assert_same_op(inverse, other_inverse);
    assert_int_equal(ot_op_invert(inverse, &twice, NULL), 0);
    assert_same_op(twice, invertible);
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_op_unref(invertible);
    ot_op_unref(other_inverse);
    ot_op_unref(twice);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

/* What is written parses as itself, and is in normal form already. */
static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_op(random, document), *again;
    char *json = written_op(op);

    again = op_of(json);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

/* A caret stands before the same character afterwards, if that is still there. */
static void check_position(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random), *marked, *after_marked;
    char *text = written_document(document), *after;
    size_t n_cps = utf8_count(text, strlen(text)), at = sim_random_below(random, n_cps + 1), want;
    struct ot_op *op = random_op(random, document), *mark, *op_marked;
    struct ot_json *position = NULL, *moved = NULL;
    char mark_json[64];

    /* The caret as a character that nobody else uses, inserted by an operation that lets the other go second. */
    (void)snprintf(mark_json, sizeof(mark_json), at ? "[%zu,\"|\"]" : "[\"|\"]", at);
    mark = op_of(mark_json);
    op_marked = transformed(op, mark, OT_RIGHT);
    marked = applied(document, mark);
    after_marked = applied(marked, op_marked);
    after = written_document(after_marked);
    want = utf8_count(after, (size_t)(strchr(after, '|') - after));
    assert_int_equal(ot_json_from_number((double)at, &position), 0);
    assert_int_equal(ot_op_transform_position(op, position, &moved, NULL), 0);
    assert_int_equal(ot_json_number(moved), want);
    ot_json_unref(position);
    ot_json_unref(moved);
    ot_op_unref(op);
    ot_op_unref(mark);
    ot_op_unref(op_marked);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(marked);
    ot_snapshot_destroy(after_marked);
    free(text);
    free(after);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 180000)
LAW(compose, 120000)
LAW(transform_over_composed, 60000)
LAW(invert, 90000)
LAW(round_trip, 90000)
LAW(position, 60000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),    cmocka_unit_test(compose),    cmocka_unit_test(transform_over_composed),
        cmocka_unit_test(invert), cmocka_unit_test(round_trip), cmocka_unit_test(position),
    };

    return cmocka_run_group_tests_name("laws of text-unicode", tests, NULL, NULL);
}
