#include "tests/unit/ot/harness.h"

#include <string.h>

/* How much an operation puts in and takes out, in the units of its type. */

static const struct row {
    const char *name, *type, *op;
    uint64_t n_inserted, n_deleted;
} rows[] = {
    { "text: code points, whatever their bytes", "text-unicode", "[3,\"a😀ñ\",{\"d\":2},1,{\"d\":\"x\"}]", 3, 3 },
    { "text: nothing", "text-unicode", "[]", 0, 0 },
    { "rich text: UTF-16 units, an embed is one", "rich-text",
      "{\"ops\":[{\"insert\":\"a😀\"},{\"insert\":{\"image\":\"x\"}},{\"delete\":4}]}", 4, 4 },
    { "rich text: what is formatted counts nothing", "rich-text",
      "{\"ops\":[{\"retain\":9,\"attributes\":{\"bold\":true}}]}", 0, 0 },
    { "json0: a value is one, whatever it holds", "json0", "[{\"p\":[\"a\"],\"oi\":{\"b\":[1,2,3]}}]", 1, 0 },
    { "json0: one value for another", "json0", "[{\"p\":[0],\"ld\":1,\"li\":2},{\"p\":[\"a\"],\"od\":1}]", 1, 2 },
    { "json0: characters where a string is edited", "json0",
      "[{\"p\":[\"t\"],\"t\":\"text0\",\"o\":[{\"p\":0,\"i\":\"ab\"},{\"p\":2,\"d\":\"xyz\"}]}]", 2, 3 },
    { "json0: a sum is one out and one in", "json0", "[{\"p\":[\"n\"],\"na\":5}]", 1, 1 },
    { "json0: what moves counts nothing", "json0", "[{\"p\":[\"a\",1],\"lm\":0}]", 0, 0 },
    { "json1: values and the characters of a string", "json1",
      "[[\"a\",{\"i\":{\"b\":1}}],[\"t\",{\"es\":[\"xy\",{\"d\":1}]}]]", 3, 1 },
    { "json1: a removed value is one", "json1", "[\"a\",{\"r\":true}]", 0, 1 },
    { "json1: what moves counts nothing", "json1", "[[\"x\",{\"p\":0}],[\"y\",{\"d\":0}]]", 0, 0 },
    { "json1: a sum is one out and one in", "json1", "[\"n\",{\"ena\":1}]", 1, 1 },
};

static const struct ot_type *type_of(const char *name)
{
    return ot_type_find(name, strlen(name));
}

static void an_operation(void **state)
{
    const struct row *row = *state;
    struct ot_json *json = json_of(row->op);
    struct ot_op *op = NULL;
    struct ot_amount amount;

    assert_int_equal(ot_op_parse(type_of(row->type), json, NULL, &op, NULL), 0);
    amount = ot_op_amount(op);
    assert_int_equal(amount.n_inserted, row->n_inserted);
    assert_int_equal(amount.n_deleted, row->n_deleted);
    ot_op_unref(op);
    ot_json_unref(json);
}

static void assert_length(const char *type, const char *content, uint64_t want)
{
    struct ot_json *json = json_of(content);
    struct ot_snapshot *snapshot = NULL;

    assert_int_equal(ot_snapshot_create(type_of(type), json, NULL, &snapshot, NULL), 0);
    assert_int_equal(ot_snapshot_length(snapshot), want);
    ot_snapshot_destroy(snapshot);
    ot_json_unref(json);
}

static void a_document_is_as_long_as_what_made_it(void **state)
{
    (void)state;
    assert_length("text-unicode", "\"a😀\"", 2);
    assert_length("rich-text", "{\"ops\":[{\"insert\":\"a😀\"},{\"insert\":{\"image\":\"x\"}}]}", 4);
    assert_length("json0", "{\"a\":[1,2]}", 1);
    assert_length("json1", "[1,2]", 1);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
    size_t n = sizeof(rows) / sizeof(rows[0]);

    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name,
                                        .test_func = an_operation,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    tests[n] = (struct CMUnitTest)cmocka_unit_test(a_document_is_as_long_as_what_made_it);
    return cmocka_run_group_tests_name("amounts", tests, NULL, NULL);
}
