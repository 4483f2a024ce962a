#include "tests/unit/ot/harness.h"

#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Every allocation failed in turn: each function answers -ENOMEM and leaves everything as it was, or does without. The
 * leak check of the address sanitizer is part of the test. */

/* Text of several leaves, with characters of more than one byte. */
static char *long_text(size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n_bytes; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t i = 100; i + 2 < n_bytes; i += 1000)
        memcpy(text + i, "\xc3\xa9", 2);
    text[n_bytes] = 0;
    return text;
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------------------------ */

static int parse(void *arg)
{
    const char *text = arg;
    struct ot_json *json = NULL;
    int r = ot_json_parse(text, strlen(text), NULL, &json, NULL);

    assert_int_equal(!json, r != 0);
    ot_json_unref(json);
    return r;
}

static int parse_prefix(void *arg)
{
    const char *text = arg;
    struct ot_json *json = NULL;
    int r = ot_json_parse_prefix(text, strlen(text) - 3, NULL, &json, NULL);

    assert_int_equal(!json, r != 0);
    ot_json_unref(json);
    return r;
}

static void json_is_parsed(void **state)
{
    struct text text = { 0 };

    (void)state;
    text_add(&text, "{\"list\":[");
    for (int i = 0; i < 300; i++)
        text_add(&text, "1,[\"a\",{\"b\":null}],");
    text_add(&text, "0],\"0\":0");
    for (char i = 0; i < 26; i++) {
        char member[] = ",\"k?\":[1]";

        member[3] = (char)('A' + i);
        text_add(&text, member);
    }
    text_add(&text, ",\"deep\":");
    for (int i = 0; i < 3000; i++)
        text_add(&text, "[");
    for (int i = 0; i < 3000; i++)
        text_add(&text, "]");
    text_add(&text, "}");
    fail_each(parse, text.at);
    fail_each(parse_prefix, text.at);
    text_free(&text);
}

static int make_scalars(void *arg)
{
    struct ot_json *json = NULL;
    int r = ot_json_from_text("abc", 3, &json);

    (void)arg;
    ot_json_unref(json);
    json = NULL;
    if (r)
        return r;
    r = ot_json_from_number(1, &json);
    ot_json_unref(json);
    return r;
}

static void scalars_are_made(void **state)
{
    (void)state;
    fail_each(make_scalars, NULL);
}

/* ---- operations
 * ------------------------------------------------------------------------------------------------------ */

struct operations {
    struct ot_json *json;
    struct ot_op *a, *b, *invertible;
    struct ot_snapshot *document;
};

static void operations_init(struct operations *operations)
{
    struct text text = { 0 };
    char *document = long_text(6000);

    text_add(&text, "[");
    for (int i = 0; i < 40; i++)
        text_add(&text, "10,\"some text inserted\",{\"d\":20},");
    text.at[text.n_bytes - 1] = ']';
    operations->json = json_of(text.at);
    operations->a = op_of(text.at);
    operations->b = op_of("[700,\"x\",200,{\"d\":1}]");
    operations->document = document_of(document);
    operations->invertible = NULL;
    assert_int_equal(ot_op_make_invertible(operations->a, operations->document, &operations->invertible, NULL), 0);
    text_free(&text);
    free(document);
}

static void operations_finish(struct operations *operations)
{
    ot_json_unref(operations->json);
    ot_op_unref(operations->a);
    ot_op_unref(operations->b);
    ot_op_unref(operations->invertible);
    ot_snapshot_destroy(operations->document);
}

static int keep_nothing(struct ot_op *op, int r)
{
    assert_int_equal(!op, r != 0);
    ot_op_unref(op);
    return r;
}

static int op_parse(void *arg)
{
    const struct operations *operations = arg;
    struct ot_op *op = NULL;
    int r = ot_op_parse(text_type(), operations->json, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int op_transform(void *arg)
{
    const struct operations *operations = arg;
    struct ot_op *op = NULL;
    int r = ot_op_transform(operations->a, operations->b, OT_LEFT, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int op_compose(void *arg)
{
    const struct operations *operations = arg;
    struct ot_op *op = NULL;
    int r = ot_op_compose(operations->a, operations->b, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int op_invert(void *arg)
{
    const struct operations *operations = arg;
    struct ot_op *op = NULL;
    int r = ot_op_invert(operations->invertible, &op, NULL);

    return keep_nothing(op, r);
}

static int op_invert_with(void *arg)
{
    const struct operations *operations = arg;
    struct ot_op *op = NULL;
    int r = ot_op_invert_with(operations->a, operations->document, &op, NULL);

    return keep_nothing(op, r);
}

static int op_position(void *arg)
{
    const struct operations *operations = arg;
    struct ot_json *moved = NULL;
    int r = ot_op_transform_position(operations->a, ot_json_at(operations->json, 0), &moved, NULL);

    ot_json_unref(moved);
    return r;
}

static void operations_are_made(void **state)
{
    int (*const attempts[])(void *) = { op_parse, op_transform, op_compose, op_invert, op_invert_with, op_position };
    struct operations operations;

    (void)state;
    operations_init(&operations);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        fail_each(attempts[i], &operations);
    operations_finish(&operations);
}

/* ---- snapshots
 * ------------------------------------------------------------------------------------------------------- */

struct application {
    const char *text;
    struct ot_json *data;
    struct ot_op *op;
    bool is_shared;
    char *want;
};

static void assert_text(const struct ot_snapshot *document, const char *want)
{
    char *text;

    alloc_fault_pause();
    text = written_document(document);
    assert_string_equal(text, want);
    free(text);
    alloc_fault_resume();
}

/* Makes a document, applies to it, and looks whether it is one or the other afterwards; so is a share what it was. */
static int apply(void *arg)
{
    const struct application *application = arg;
    struct ot_snapshot *document = NULL, *share = NULL;
    int r;

    alloc_fault_pause();
    assert_int_equal(ot_snapshot_create(text_type(), application->data, NULL, &document, NULL), 0);
    if (application->is_shared)
        assert_int_equal(ot_snapshot_share(document, &share), 0);
    alloc_fault_resume();
    r = ot_snapshot_apply(document, application->op, NULL, NULL);
    assert_text(document, r ? application->text : application->want);
    if (share)
        assert_text(share, application->text);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(share);
    return r;
}

static int create_and_share(void *arg)
{
    const struct application *application = arg;
    struct ot_snapshot *document = NULL, *share = NULL;
    int r = ot_snapshot_create(text_type(), application->data, NULL, &document, NULL);

    if (!r)
        r = ot_snapshot_share(document, &share);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(share);
    return r;
}

static void apply_each(const char *text, const char *op_json)
{
    struct application application = { .text = text, .op = op_of(op_json) };
    struct ot_snapshot *document = document_of(text), *after = applied(document, application.op);

    assert_int_equal(ot_json_from_text(text, strlen(text), &application.data), 0);
    application.want = written_document(after);
    fail_each(create_and_share, &application);
    fail_each(apply, &application);
    application.is_shared = true;
    fail_each(apply, &application);
    ot_json_unref(application.data);
    ot_op_unref(application.op);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    free(application.want);
}

static void operations_are_applied_whole_or_not(void **state)
{
    static const char *const ops[] = {
        "[\"x\"]",           "[250,\"x\"]",   "[250,{\"d\":1}]",
        "[10,{\"d\":8000}]", "[9000,\"x\"]",  "[1,\"x\",{\"d\":1},4000,\"y\",100,{\"d\":2000}]",
        "[{\"d\":8999}]",    "[511,\"xyz\"]",
    };
    char *text = long_text(9500);
    struct text big = { 0 };

    (void)state;
    apply_each("", "[\"x\"]");
    apply_each("abc", "[1,\"x\",{\"d\":1},\"y\"]");
    apply_each("abc", "[{\"d\":3}]");
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        apply_each(text, ops[i]);
    text_add(&big, "[3000,\"");
    text_add(&big, text);
    text_add(&big, "\"]");
    apply_each(text, big.at);
    text_free(&big);
    free(text);
}

/* ---- the calculator
 * -------------------------------------------------------------------------------------------------- */

static int drop(void *arg, const char *at, size_t n_bytes)
{
    (void)arg;
    (void)at;
    (void)n_bytes;
    return 0;
}

static int calculate(void *arg)
{
    const char *request = arg;

    return ot_calculate_line(request, strlen(request), drop, NULL);
}

static void requests_are_answered(void **state)
{
    char requests[][100] = {
        "{\"type\":\"text-unicode\",\"fn\":\"apply\",\"args\":[\"abc\",[1,\"x\",{\"d\":1}]]}",
        "{\"type\":\"text-unicode\",\"fn\":\"transform\",\"args\":[[1,\"x\"],[{\"d\":1}],\"left\"]}",
        "{\"type\":\"text-unicode\",\"fn\":\"compose\",\"args\":[[1,\"x\"],[{\"d\":1}]]}",
        "{\"type\":\"text-unicode\",\"fn\":\"invertWithDoc\",\"args\":[[{\"d\":1}],\"abc\"]}",
        "{\"type\":\"text-unicode\",\"fn\":\"transformPosition\",\"args\":[1,[\"x\"]]}",
        "{\"type\":\"text-unicode\",\"fn\":\"checkOp\",\"args\":[[\"x\"]]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        fail_each(calculate, requests[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_parsed),        cmocka_unit_test(scalars_are_made),
        cmocka_unit_test(operations_are_made),   cmocka_unit_test(operations_are_applied_whole_or_not),
        cmocka_unit_test(requests_are_answered),
    };

    return cmocka_run_group_tests_name("ot without memory", tests, NULL, NULL);
}
