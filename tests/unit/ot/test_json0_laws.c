#include "tests/unit/ot/json0_random.h"

#include <stdlib.h>

/* The laws of json0 over random documents and operations. PILCROW_SEED and PILCROW_CASES choose others, and more. */

/* ---- laws -------------------------------------------------------------------------------------------------------- */

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_json0_document(random);
    struct ot_op *a = random_json0_op(random, document), *b = random_json0_op(random, document),
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
    struct ot_snapshot *document = random_json0_document(random);
    struct ot_op *a = random_json0_op(random, document);
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_json0_op(random, after_a), *both = composed(a, b);
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
    struct ot_snapshot *document = random_json0_document(random);
    struct ot_op *op = random_json0_op(random, document), *inverse = NULL, *twice = NULL;
    struct ot_snapshot *after = applied(document, op), *back;

    assert_int_equal(ot_op_invert(op, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_document(document, back);
    assert_int_equal(ot_op_invert(inverse, &twice, NULL), 0);
    assert_same_op(twice, op);
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_op_unref(twice);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_json0_document(random);
    struct ot_op *op = random_json0_op(random, document), *again;
    char *json = written_op(op);

    again = json0_op_from(json);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

/* An old version stays what it was, and the running count of bytes is that of a document made anew. */
static void check_versions(struct sim_random *random)
{
    struct ot_snapshot *document = random_json0_document(random), *after, *anew;
    struct ot_op *op = random_json0_op(random, document);
    char *before = json0_written(document), *still, *json;

    after = applied(document, op);
    still = json0_written(document);
    assert_string_equal(before, still);
    json = json0_written(after);
    anew = json0_document(json);
    assert_same_document(after, anew);
    assert_int_equal(ot_snapshot_size(after), ot_snapshot_size(anew));
    free(before);
    free(still);
    free(json);
    ot_op_unref(op);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(anew);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 180000)
LAW(compose, 120000)
LAW(invert, 120000)
LAW(round_trip, 90000)
LAW(versions, 120000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),        cmocka_unit_test(compose),  cmocka_unit_test(invert),
        cmocka_unit_test(round_trip), cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests_name("laws of json0", tests, NULL, NULL);
}
