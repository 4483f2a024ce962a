#include "tests/unit/ot/rich_random.h"

#include <stdio.h>
#include <stdlib.h>

/* The laws of rich-text over random documents and operations. PILCROW_SEED and PILCROW_CASES choose others, and more of
 * them. */

/* ---- laws -------------------------------------------------------------------------------------------------------- */

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_rich_document(random);
    bool is_normal = sim_random_chance(random, 700);
    struct ot_op *a = random_rich_op(random, document, is_normal), *b = random_rich_op(random, document, is_normal),
                 *a_over_b = transformed(a, b, OT_LEFT), *b_over_a = transformed(b, a, OT_RIGHT);
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b),
                       *by_a = applied(with_a, b_over_a), *by_b = applied(with_b, a_over_b);

    assert_same_document(by_a, by_b);
    assert_int_equal(ot_snapshot_size(by_a), ot_snapshot_size(by_b));
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
    struct ot_snapshot *document = random_rich_document(random);
    struct ot_op *a = random_rich_op(random, document, sim_random_chance(random, 700));
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_rich_op(random, after_a, sim_random_chance(random, 700)), *both = composed(a, b);
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

static void check_invert(struct sim_random *random)
{
    struct ot_snapshot *document = random_rich_document(random), *after, *back;
    struct ot_op *op = random_rich_op(random, document, sim_random_chance(random, 700)), *inverse = NULL;

    after = applied(document, op);
    assert_int_equal(ot_op_invert_with(op, document, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_document(document, back);
    assert_int_equal(ot_snapshot_size(document), ot_snapshot_size(back));
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

/* A document is an operation that inserts it: edited many times in place, it is what composing says, and is written as
 * what parses as itself. Every state before is what it was. */
static void check_apply_is_compose(struct sim_random *random)
{
    struct ot_snapshot *document = random_rich_document(random), *again, *before = NULL;
    char *text = rich_written(document), *now = NULL;
    struct ot_op *content = rich_op(text, true), *op, *longer;

    for (size_t i = 0; i < 12; i++) {
        free(text);
        text = rich_written(document);
        if (sim_random_chance(random, 500))
            assert_int_equal(ot_snapshot_share(document, &before), 0);
        op = random_rich_op(random, document, true);
        assert_int_equal(ot_snapshot_apply(document, op, NULL, NULL), 0);
        longer = composed(content, op);
        ot_op_unref(content);
        ot_op_unref(op);
        content = longer;
        if (before) {
            now = rich_written(before);
            assert_string_equal(now, text);
            free(now);
            ot_snapshot_destroy(before);
            before = NULL;
        }
    }
    free(text);
    text = rich_written(document);
    now = written_op(content);
    assert_string_equal(text, now);
    again = rich_document(text);
    assert_same_document(document, again);
    assert_int_equal(ot_snapshot_size(document), ot_snapshot_size(again));
    free(text);
    free(now);
    ot_op_unref(content);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(again);
}

/* What is written parses as itself. */
static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_rich_document(random);
    struct ot_op *op = random_rich_op(random, document, sim_random_chance(random, 500)), *again;
    char *json = written_op(op);

    again = rich_op(json, true);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

static size_t presence_index(const struct ot_op *op, size_t at, bool is_own)
{
    struct ot_json *range, *moved = NULL;
    char json[64];
    double index;

    (void)snprintf(json, sizeof(json), "{\"index\":%zu,\"length\":0}", at);
    range = json_of(json);
    assert_int_equal(ot_op_transform_presence(op, range, is_own, &moved, NULL), 0);
    index = ot_json_number(ot_json_get(moved, "index", 5));
    assert_true(ot_json_number(ot_json_get(moved, "length", 6)) == 0);
    ot_json_unref(range);
    ot_json_unref(moved);
    return (size_t)index;
}

/* Where an operation's only insert goes. */
static size_t place_of_insert(const struct ot_op *op)
{
    char *text = written_op(op);
    struct ot_json *json = json_of(text), *first = ot_json_at(ot_json_get(json, "ops", 3), 0);
    const struct ot_json *retain = ot_json_get(first, "retain", 6);
    size_t at = retain ? (size_t)ot_json_number(retain) : 0;

    ot_json_unref(json);
    free(text);
    return at;
}

/* A caret moves like a character inserted there: one that stays before another's inserts, and behind one's own. */
static void check_presence(struct sim_random *random)
{
    struct ot_snapshot *document = random_rich_document(random);
    struct ot_op *op = random_rich_op(random, document, true), *mark, *moved;
    struct rich_lengths lengths = rich_lengths(document);
    size_t n = sim_random_below(random, lengths.n + 1), at = 0;
    bool is_own = sim_random_chance(random, 500);
    char json[64];

    for (size_t i = 0; i < n; i++)
        at += lengths.at[i];
    (void)snprintf(json, sizeof(json), "[{\"retain\":%zu},{\"insert\":\"|\"}]", at);
    mark = rich_op(json, !!at);
    moved = transformed(mark, op, is_own ? OT_LEFT : OT_RIGHT);
    assert_int_equal(presence_index(op, at, is_own), place_of_insert(moved));
    free(lengths.at);
    ot_op_unref(op);
    ot_op_unref(mark);
    ot_op_unref(moved);
    ot_snapshot_destroy(document);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 60000)
LAW(compose, 45000)
LAW(invert, 45000)
LAW(apply_is_compose, 9000)
LAW(round_trip, 45000)
LAW(presence, 45000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),        cmocka_unit_test(compose),
        cmocka_unit_test(invert),     cmocka_unit_test(apply_is_compose),
        cmocka_unit_test(round_trip), cmocka_unit_test(presence),
    };

    return cmocka_run_group_tests_name("laws of rich-text", tests, NULL, NULL);
}
