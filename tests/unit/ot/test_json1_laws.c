#include "tests/unit/ot/json1_random.h"

#include <stdlib.h>
#include <string.h>

/* The laws of json1 over random documents and operations. PILCROW_SEED and PILCROW_CASES choose others, and more. */

/* NULL: a conflict. */
static struct ot_op *transformed_or_none(const struct ot_op *op, const struct ot_op *other, enum ot_side side)
{
    struct ot_op *result = NULL;
    int r = ot_op_transform(op, other, side, NULL, &result, NULL);

    if (r)
        assert_int_equal(r, OT_CONFLICT);
    return result;
}

/* Both ways round lead to one document. */
static void assert_meets(const struct ot_snapshot *document, const struct ot_op *a, const struct ot_op *a_over_b,
                         const struct ot_op *b, const struct ot_op *b_over_a)
{
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b),
                       *by_a = applied(with_a, b_over_a), *by_b = applied(with_b, a_over_b);

    assert_same_json1(by_a, by_b);
    ot_snapshot_destroy(with_a);
    ot_snapshot_destroy(with_b);
    ot_snapshot_destroy(by_a);
    ot_snapshot_destroy(by_b);
}

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *a = random_json1_op(random, document), *b = random_json1_op(random, document),
                 *a_over_b = transformed_or_none(a, b, OT_LEFT), *b_over_a = transformed_or_none(b, a, OT_RIGHT);

    if (a_over_b && b_over_a)
        assert_meets(document, a, a_over_b, b, b_over_a);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(a_over_b);
    ot_op_unref(b_over_a);
    ot_snapshot_destroy(document);
}

/* Both sides resolve, and meet; or neither does. */
static void check_resolve(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *a = random_json1_op(random, document), *b = random_json1_op(random, document), *a_over_b = NULL,
                 *b_over_a = NULL;
    int r = ot_op_transform_resolving(a, b, OT_LEFT, NULL, &a_over_b, NULL);

    assert_int_equal(ot_op_transform_resolving(b, a, OT_RIGHT, NULL, &b_over_a, NULL), r);
    if (r)
        assert_int_equal(r, OT_CONFLICT);
    else
        assert_meets(document, a, a_over_b, b, b_over_a);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(a_over_b);
    ot_op_unref(b_over_a);
    ot_snapshot_destroy(document);
}

static void check_compose(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *a = random_json1_op(random, document);
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_json1_op(random, after_a), *both = composed(a, b);
    struct ot_snapshot *after_b = applied(after_a, b), *at_once = applied(document, both);

    assert_same_json1(after_b, at_once);
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
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *op = random_json1_op(random, document), *inverse = NULL, *invertible = NULL, *other_inverse = NULL;
    struct ot_snapshot *after = applied(document, op), *back;

    assert_int_equal(ot_op_invert_with(op, document, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_json1(document, back);
    assert_int_equal(ot_op_make_invertible(op, document, &invertible, NULL), 0);
    assert_int_equal(ot_op_invert(invertible, &other_inverse, NULL), 0);
    assert_same_op(inverse, other_inverse);
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_op_unref(invertible);
    ot_op_unref(other_inverse);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

/* What is written parses as itself. */
static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *op = random_json1_op(random, document), *again;
    char *json = written_op(op);

    again = json1_op_from(json);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

/* A shared document does not change with the other, whether the operation applies or not. */
static void check_share(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random), *other = random_json1_document(random), *share = NULL,
                       *again;
    struct ot_op *op = random_json1_op(random, sim_random_chance(random, 500) ? document : other);
    char *before = json1_written(document), *after;
    size_t size = ot_snapshot_size(document);
    int r;

    assert_int_equal(ot_snapshot_share(document, &share), 0);
    r = ot_snapshot_apply(share, op, NULL, NULL);
    after = json1_written(document);
    assert_string_equal(before, after);
    assert_int_equal(size, ot_snapshot_size(document));
    free(after);
    after = json1_written(share);
    if (r)
        assert_string_equal(before, after);
    again = json1_document(after); /* counts its size anew */
    assert_same_json1(share, again);
    ot_snapshot_destroy(again);
    free(before);
    free(after);
    ot_op_unref(op);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(other);
    ot_snapshot_destroy(share);
}

/* A path leads to the same value as before: an edit there, and one carried over the operation. */
static void check_position(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random);
    struct ot_op *op = random_json1_op(random, document), *mark, *marked;
    struct ot_json *path = random_json1_path(random, document), *moved = NULL;
    char *json = written_json(path), *moved_json, *want;
    struct text mark_json = { 0 };

    /* The mark is a move to the same place: what it becomes says where the value is. */
    assert_int_equal(ot_op_transform_position(op, path, &moved, NULL), 0);
    if (ot_json_count(path) && ot_json_kind(moved) == OT_JSON_ARRAY) {
        text_add(&mark_json, json);
        mark_json.at[--mark_json.n_bytes] = 0;
        text_add(&mark_json, ",{\"p\":0,\"d\":0}]");
        mark = json1_op_from(mark_json.at);
        marked = transformed_or_none(mark, op, OT_RIGHT);
        moved_json = written_json(moved);
        moved_json[strlen(moved_json) - 1] = 0;
        want = marked ? written_op(marked) : NULL;
        if (want && strcmp(want, "null") != 0 && !strchr(want + 1, '['))
            assert_memory_equal(want, moved_json, strlen(moved_json));
        free(want);
        free(moved_json);
        ot_op_unref(mark);
        ot_op_unref(marked);
    }
    text_free(&mark_json);
    free(json);
    ot_json_unref(path);
    ot_json_unref(moved);
    ot_op_unref(op);
    ot_snapshot_destroy(document);
}

/* Operations that were not made for each other: whatever comes out, nothing else happens. */
static void check_strangers(struct sim_random *random)
{
    struct ot_snapshot *document = random_json1_document(random), *other = random_json1_document(random);
    struct ot_op *a = random_json1_op(random, document), *b = random_json1_op(random, other), *results[3] = { NULL },
                 *again;

    (void)!ot_op_transform(a, b, OT_LEFT, NULL, &results[0], NULL);
    (void)!ot_op_compose(a, b, NULL, &results[1], NULL);
    (void)!ot_op_transform_resolving(a, b, OT_RIGHT, NULL, &results[2], NULL);
    for (size_t i = 0; i < 3; i++) {
        char *json = results[i] ? written_op(results[i]) : NULL;

        if (json) {
            again = json1_op_from(json);
            assert_same_op(again, results[i]);
            ot_op_unref(again);
        }
        free(json);
        ot_op_unref(results[i]);
    }
    ot_op_unref(a);
    ot_op_unref(b);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(other);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 60000)
LAW(resolve, 60000)
LAW(compose, 60000)
LAW(invert, 60000)
LAW(round_trip, 15000)
LAW(share, 30000)
LAW(position, 30000)
LAW(strangers, 30000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),      cmocka_unit_test(resolve),    cmocka_unit_test(compose),
        cmocka_unit_test(invert),   cmocka_unit_test(round_trip), cmocka_unit_test(share),
        cmocka_unit_test(position), cmocka_unit_test(strangers),
    };

    return cmocka_run_group_tests_name("laws of json1", tests, NULL, NULL);
}
