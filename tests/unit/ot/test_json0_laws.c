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

static void add_spelled_path(struct text *json, const struct ot_json *path, size_t n_spelled)
{
    text_add(json, "[");
    for (size_t i = 0; i < ot_json_count(path); i++) {
        const struct ot_json *element = ot_json_at(path, i);
        const char *quote = i < n_spelled && ot_json_kind(element) == OT_JSON_NUMBER ? "\"" : "";

        text_add(json, i ? "," : "");
        text_add(json, quote);
        assert_int_equal(ot_json_write(element, text_write, json), 0);
        text_add(json, quote);
    }
    text_add(json, "]");
}

static void add_spelled_component(struct text *json, const struct ot_json *component)
{
    bool is_legacy = ot_json_get(component, "si", 2) || ot_json_get(component, "sd", 2);

    text_add(json, "{");
    for (size_t i = 0; i < ot_json_count(component); i++) {
        const struct ot_json *value = ot_json_at(component, i);
        size_t n_bytes;
        const char *key = ot_json_key_at(component, i, &n_bytes);

        text_add(json, i ? "," : "");
        assert_int_equal(ot_json_write_string(key, n_bytes, text_write, json), 0);
        text_add(json, ":");
        if (n_bytes == 1 && *key == 'p')
            add_spelled_path(json, value, ot_json_count(value) - is_legacy);
        else
            assert_int_equal(ot_json_write(value, text_write, json), 0);
    }
    text_add(json, "}");
}

/* The operation with every list position named by its digits. */
static struct ot_op *spelled(const struct ot_op *op)
{
    char *written = written_op(op);
    struct ot_json *json = json_of(written);
    struct text text = { 0 };
    struct ot_op *out;

    text_add(&text, "[");
    for (size_t i = 0; i < ot_json_count(json); i++) {
        text_add(&text, i ? "," : "");
        add_spelled_component(&text, ot_json_at(json, i));
    }
    text_add(&text, "]");
    out = json0_op_from(text.at);
    text_free(&text);
    ot_json_unref(json);
    free(written);
    return out;
}

static void assert_settles_to(const struct ot_op *op, const struct ot_snapshot *before, const struct ot_op *want)
{
    struct ot_op *settled = NULL;
    struct ot_snapshot *after = applied(before, op), *wanted = applied(before, want);

    assert_int_equal(ot_op_settle(op, before, &settled, NULL), 0);
    assert_same_op(settled, want);
    assert_same_document(after, wanted);
    ot_op_unref(settled);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(wanted);
}

/* Digits mean what the number means, wherever operations meet. */
static void check_digits(struct sim_random *random)
{
    struct ot_snapshot *document = random_json0_document(random);
    struct ot_op *a = random_json0_op(random, document), *b = random_json0_op(random, document),
                 *spelled_a = spelled(a), *spelled_b = spelled(b), *a_over_b = transformed(a, b, OT_LEFT),
                 *by_number = transformed(spelled_a, b, OT_LEFT),
                 *by_digits = transformed(spelled_a, spelled_b, OT_LEFT);
    struct ot_snapshot *after = applied(document, b);

    assert_settles_to(spelled_a, document, a);
    assert_settles_to(by_number, after, a_over_b);
    assert_settles_to(by_digits, after, a_over_b);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(spelled_a);
    ot_op_unref(spelled_b);
    ot_op_unref(a_over_b);
    ot_op_unref(by_number);
    ot_op_unref(by_digits);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
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
LAW(digits, 40000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),        cmocka_unit_test(compose),  cmocka_unit_test(invert),
        cmocka_unit_test(round_trip), cmocka_unit_test(versions), cmocka_unit_test(digits),
    };

    return cmocka_run_group_tests_name("laws of json0", tests, NULL, NULL);
}
