/* Patches as operations: what each becomes, in words that a reader can follow, and what is refused. That the content is
 * what the RFCs say is compared over HTTP (tests/http/patch.test.mjs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "api/json_patch.h"
#include "base/buffer.h"
#include "tests/lib/alloc_fault.h"

static struct row {
    patch_fn *apply;
    const char *type, *name, *before, *patch, *want; /* want: the operation; or what the refusal says */
    enum patch_error refused;
} rows[] = {
    { json_patch, "json0", "nothing", "{}", "[]", "[]", 0 },
    { json_patch, "json1", "nothing", "{}", "[]", "null", 0 },
    { json_patch, "json0", "what is so already", "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1.0}]", "[]",
      0 },
    { json_patch, "json0", "the whole", "[1]", "[{\"op\":\"add\",\"path\":\"\",\"value\":{}}]",
      "[{\"p\":[],\"od\":[1],\"oi\":{}}]", 0 },
    { json_patch, "json1", "the whole", "[1]", "[{\"op\":\"add\",\"path\":\"\",\"value\":{}}]",
      "[{\"r\":true,\"i\":{}}]", 0 },
    { json_patch, "json0", "names that are escaped", "{\"a/b\":{\"m~n\":{\"\":1}}}",
      "[{\"op\":\"remove\",\"path\":\"/a~1b/m~0n/\"}]", "[{\"p\":[\"a/b\",\"m~n\",\"\"],\"od\":1}]", 0 },
    { json_patch, "json0", "digits: a position here, a name there", "{\"l\":[1,2],\"1\":3}",
      "[{\"op\":\"remove\",\"path\":\"/l/1\"},{\"op\":\"remove\",\"path\":\"/1\"}]",
      "[{\"p\":[\"l\",1],\"ld\":2},{\"p\":[\"1\"],\"od\":3}]", 0 },
    { json_patch, "json0", "a move within a list", "[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/2\"}]",
      "[{\"p\":[0],\"lm\":2}]", 0 },
    { json_patch, "json0", "a move to the end", "[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/-\"}]",
      "[{\"p\":[0],\"lm\":2}]", 0 },
    { json_patch, "json0", "the last one, moved to the end", "[1,2]",
      "[{\"op\":\"move\",\"from\":\"/1\",\"path\":\"/-\"}]", "[]", 0 },
    { json_patch, "json1", "the last one, moved to the end", "[1]",
      "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/-\"}]", "null", 0 },
    { json_patch, "json0", "a move to where it is", "[1,2]", "[{\"op\":\"move\",\"from\":\"/1\",\"path\":\"/1\"}]",
      "[]", 0 },
    { json_patch, "json0", "a move elsewhere", "{\"a\":[1]}", "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b\"}]",
      "[{\"p\":[\"a\",0],\"ld\":1},{\"p\":[\"b\"],\"oi\":1}]", 0 },
    { json_patch, "json1", "a move elsewhere", "{\"a\":[1]}", "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b\"}]",
      "[[\"a\",0,{\"p\":0}],[\"b\",{\"d\":0}]]", 0 },
    { json_patch, "json1", "a move back in a list", "[1,2,3]", "[{\"op\":\"move\",\"from\":\"/2\",\"path\":\"/0\"}]",
      "[[0,{\"d\":0}],[2,{\"p\":0}]]", 0 },
    { json_patch, "json1", "a move out of what it is put before", "[{\"a\":1}]",
      "[{\"op\":\"move\",\"from\":\"/0/a\",\"path\":\"/0\"}]", "[0,{\"d\":0},\"a\",{\"p\":0}]", 0 },
    { json_patch, "json1", "a move to what has to go for it", "{\"a\":1,\"b\":2}",
      "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", "[[\"a\",{\"r\":true}],[\"b\",{\"r\":true,\"i\":1}]]", 0 },
    { json_patch, "json1", "names in the order of UTF-16", "{\"\xf0\x9f\x98\x80\":1}",
      "[{\"op\":\"move\",\"from\":\"/\xf0\x9f\x98\x80\",\"path\":\"/\xee\x80\x80\"}]",
      "[[\"\xf0\x9f\x98\x80\",{\"p\":0}],[\"\xee\x80\x80\",{\"d\":0}]]", 0 },
    { json_patch, "json1", "one after the other", "[1,2]",
      "[{\"op\":\"remove\",\"path\":\"/0\"},{\"op\":\"add\",\"path\":\"/1\",\"value\":3}]",
      "[[0,{\"r\":true}],[1,{\"i\":3}]]", 0 },

    { json_patch, "json0", "no list", "{}", "{}", "A JSON Patch is a list of operations", PATCH_MALFORMED },
    { json_patch, "json0", "no path", "{}", "[{\"op\":\"remove\",\"path\":1}]",
      "Operation 0 (remove): 'path' is a text", PATCH_MALFORMED },
    { json_patch, "json0", "a test that fails", "{\"a\":1}",
      "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]",
      "Operation 1 (test): it is another value", PATCH_TEST_FAILED },
    { json_patch, "json1", "into itself", "[1,{}]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/0/a\"}]",
      "Operation 0 (move): nothing can be moved into itself", PATCH_NOT_APPLIED },
    { json_patch, "json0", "a name that is refused", "{}", "[{\"op\":\"add\",\"path\":\"/toString\",\"value\":1}]",
      "Operation 0 (add): Invalid path segment", PATCH_NOT_APPLIED },

    { merge_patch, "json0", "members in, out, other", "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}",
      "{\"a\":null,\"b\":{\"c\":4,\"d\":3},\"e\":5,\"f\":null}",
      "[{\"p\":[\"a\"],\"od\":1},{\"p\":[\"b\",\"c\"],\"od\":2,\"oi\":4},{\"p\":[\"e\"],\"oi\":5}]", 0 },
    { merge_patch, "json1", "lists are replaced whole", "{\"l\":[1,2]}", "{\"l\":[1,null]}",
      "[\"l\",{\"r\":true,\"i\":[1,null]}]", 0 },
    { merge_patch, "json0", "null in what is new", "{}", "{\"a\":{\"b\":null,\"c\":{\"d\":null},\"e\":[{\"f\":null}]}}",
      "[{\"p\":[\"a\"],\"oi\":{\"c\":{},\"e\":[{\"f\":null}]}}]", 0 },
    { merge_patch, "json0", "no object", "{\"a\":1}", "null", "[{\"p\":[],\"od\":{\"a\":1},\"oi\":null}]", 0 },
    { merge_patch, "json0", "of no object", "1", "{\"a\":{\"b\":null}}", "[{\"p\":[],\"od\":1,\"oi\":{\"a\":{}}}]", 0 },
};

static struct ot_json *parse(const char *text)
{
    struct ot_json *json = NULL;

    if (ot_json_parse(text, strlen(text), NULL, &json, NULL))
        fail_msg("no JSON: %s", text);
    return json;
}

static int apply(const struct row *row, struct ot_op **op, struct ot_error *error)
{
    struct ot_json *before, *patch;
    struct ot_snapshot *snapshot = NULL;
    int r;

    alloc_fault_pause();
    before = parse(row->before);
    patch = parse(row->patch);
    assert_int_equal(ot_snapshot_create(ot_type_find(row->type, 5), before, NULL, &snapshot, NULL), 0);
    alloc_fault_resume();
    r = row->apply(snapshot, patch, strlen(row->patch), &ot_limits_default, op, error);
    ot_snapshot_destroy(snapshot);
    ot_json_unref(before);
    ot_json_unref(patch);
    return r;
}

static void becomes(void **state)
{
    const struct row *row = *state;
    struct ot_error error = { "" };
    struct ot_op *op = NULL;
    struct buffer text;

    buffer_init(&text, 1000);
    assert_int_equal(apply(row, &op, &error), row->refused);
    if (op)
        assert_int_equal(ot_op_write(op, buffer_write, &text), 0);
    assert_int_equal(buffer_append(&text, "", 1), 0);
    assert_string_equal(row->refused ? error.message : text.at, row->want);
    ot_op_unref(op);
    buffer_finish(&text);
}

static void without_memory_nothing_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool met = true;

        for (size_t n = 0; met; n++) {
            struct ot_error error = { "" };
            struct ot_op *op = NULL;
            int r;

            alloc_fault_arm(n, ALLOC_FAULT_ONCE);
            r = apply(&rows[i], &op, &error);
            met = alloc_fault_disarm();
            if (r != (int)rows[i].refused && !(met && r == -ENOMEM)) /* some can be done without */
                fail_msg("%s: %s: %d when allocation %zu fails", rows[i].type, rows[i].name, r, n);
            ot_op_unref(op);
        }
    }
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
    char names[sizeof(rows) / sizeof(rows[0])][80];
    size_t n = 0;

    for (; n < sizeof(rows) / sizeof(rows[0]); n++) {
        (void)snprintf(names[n], sizeof(names[n]), "%s: %s", rows[n].type, rows[n].name);
        tests[n] = (struct CMUnitTest){ .name = names[n], .test_func = becomes, .initial_state = &rows[n] };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_memory_nothing_is_made);
    return _cmocka_run_group_tests("json patch", tests, n, NULL, NULL);
}
