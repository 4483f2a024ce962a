#include "tests/unit/ot/harness.h"

#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* rich-text with every allocation failed in turn: each function answers -ENOMEM and leaves everything as it was. The
 * leak check of the address sanitizer is part of the test. */

static const struct ot_type *rich_type(void)
{
    return ot_type_find("rich-text", 9);
}

struct fixture {
    struct ot_json *data, *op_json, *range;
    struct ot_op *op, *other;
    struct ot_snapshot *document;
    bool is_shared;
    struct text before, after;
};

static struct ot_op *rich_op(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_op *op = NULL;

    assert_int_equal(ot_op_parse(rich_type(), value, NULL, &op, NULL), 0);
    ot_json_unref(value);
    return op;
}

/* Runs and embeds, enough for a tree of several leaves, and text for a rope of several. */
static void add_document(struct text *json, size_t n_runs)
{
    static const char *const runs[] = {
        "{\"insert\":\"some text 😀 without attributes\"},",
        "{\"insert\":{\"image\":\"https://example.org/a/long/one.png\"},\"attributes\":{\"alt\":[1,2]}},",
        "{\"insert\":\"text in bold\",\"attributes\":{\"bold\":true,\"link\":\"https://example.org/a/long/one\"}},",
    };

    text_add(json, "[");
    for (size_t i = 0; i < n_runs; i++)
        text_add(json, runs[i % 3]);
    text_add(json, "{\"insert\":\"\\n\"}]");
}

/* The fixture for an operation on a document of so many runs. */
static void fixture_init(struct fixture *fixture, size_t n_runs, const char *op)
{
    struct text json = { 0 };
    struct ot_snapshot *after;

    *fixture = (struct fixture){ .range = json_of("{\"index\":3,\"length\":5,\"more\":\"than this, and longer\"}") };
    add_document(&json, n_runs);
    fixture->data = json_of(json.at);
    fixture->op_json = json_of(op);
    fixture->op = rich_op(op);
    fixture->other =
        rich_op("[{\"retain\":2},{\"retain\":10,\"attributes\":{\"bold\":null,\"font\":{\"px\":1}}},"
                "{\"insert\":\"x\"},{\"retain\":9,\"attributes\":{\"bold\":1}},{\"insert\":{\"hr\":true}}]");
    assert_int_equal(ot_snapshot_create(rich_type(), fixture->data, NULL, &fixture->document, NULL), 0);
    after = applied(fixture->document, fixture->op);
    assert_int_equal(ot_snapshot_write_json(fixture->document, text_write, &fixture->before), 0);
    assert_int_equal(ot_snapshot_write_json(after, text_write, &fixture->after), 0);
    ot_snapshot_destroy(after);
    text_free(&json);
}

static void fixture_finish(struct fixture *fixture)
{
    ot_json_unref(fixture->data);
    ot_json_unref(fixture->op_json);
    ot_json_unref(fixture->range);
    ot_op_unref(fixture->op);
    ot_op_unref(fixture->other);
    ot_snapshot_destroy(fixture->document);
    text_free(&fixture->before);
    text_free(&fixture->after);
}

/* ---- attempts ---------------------------------------------------------------------------------------------------- */

static int keep_nothing(struct ot_op *op, int r)
{
    assert_int_equal(!op, r != 0);
    ot_op_unref(op);
    return r;
}

static int parse(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_op *op = NULL;
    int r = ot_op_parse(rich_type(), fixture->op_json, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int transform(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_op *op = NULL;
    int r = ot_op_transform(fixture->op, fixture->other, OT_LEFT, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int transform_back(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_op *op = NULL;
    int r = ot_op_transform(fixture->other, fixture->op, OT_RIGHT, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int compose(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_op *op = NULL;
    int r = ot_op_compose(fixture->op, fixture->other, NULL, &op, NULL);

    return keep_nothing(op, r);
}

static int invert(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_op *op = NULL;
    int r = ot_op_invert_with(fixture->op, fixture->document, &op, NULL);

    return keep_nothing(op, r);
}

static int move_presence(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_json *moved = NULL;
    int r = ot_op_transform_presence(fixture->op, fixture->range, true, &moved, NULL);

    assert_int_equal(!moved, r != 0);
    ot_json_unref(moved);
    return r;
}

static int create(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_snapshot *document = NULL, *share = NULL;
    int r = ot_snapshot_create(rich_type(), fixture->data, NULL, &document, NULL);

    if (!r)
        r = ot_snapshot_share(document, &share);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(share);
    return r;
}

static void assert_reads(const struct ot_snapshot *document, const struct text *want)
{
    struct text text = { 0 };

    alloc_fault_pause();
    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    assert_string_equal(text.at, want->at);
    text_free(&text);
    alloc_fault_resume();
}

static struct ot_snapshot *new_document(const struct fixture *fixture)
{
    struct ot_snapshot *document = NULL;

    alloc_fault_pause();
    assert_int_equal(ot_snapshot_create(rich_type(), fixture->data, NULL, &document, NULL), 0);
    alloc_fault_resume();
    return document;
}

/* On a document of its own, and on one that somebody else holds: it is one or the other afterwards. */
static int apply(void *arg)
{
    const struct fixture *fixture = arg;
    struct ot_snapshot *document = new_document(fixture), *share = NULL;
    int r = fixture->is_shared ? ot_snapshot_share(document, &share) : 0;

    if (!r) {
        r = ot_snapshot_apply(document, fixture->op, NULL, NULL);
        assert_reads(document, r ? &fixture->before : &fixture->after);
    }
    if (share)
        assert_reads(share, &fixture->before);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(share);
    return r;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void everything(size_t n_runs, const char *op)
{
    int (*const attempts[])(void *) = { parse, transform, transform_back, compose, invert, move_presence, apply };
    struct fixture fixture;

    fixture_init(&fixture, n_runs, op);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        fail_each(attempts[i], &fixture);
    fixture.is_shared = true;
    fail_each(apply, &fixture);
    fixture_finish(&fixture);
}

static const char *const ops[] = {
    "[{\"insert\":\"x\"}]",
    "[{\"retain\":5},{\"insert\":\"x\"}]",
    "[{\"retain\":5},{\"insert\":\"x\",\"attributes\":{\"bold\":null,\"link\":\"https://example.org/a/long/one\"}}]",
    "[{\"retain\":5},{\"insert\":{\"hr\":true},\"attributes\":{\"bold\":1}}]",
    "[{\"retain\":3},{\"delete\":50}]",
    "[{\"retain\":3,\"attributes\":{\"bold\":true}},{\"retain\":60,\"attributes\":{\"link\":null,\"bold\":[true]}}]",
    ("[{\"delete\":2},{\"insert\":\"x\"},{\"retain\":6},{\"retain\":30,\"attributes\":{\"bold\":true,\"link\":null}},"
     "{\"insert\":{\"hr\":{\"of\":\"a text longer than "
     "fourteen\"}}},{\"delete\":1},{\"insert\":\"y\"},{\"delete\":9}]"),
};

static void on_a_short_document(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        everything(5, ops[i]);
}

static void on_a_long_document(void **state)
{
    char op[200];

    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        everything(150, ops[i]);
    (void)snprintf(op, sizeof(op), "[{\"retain\":%d},{\"delete\":%d},{\"retain\":%d,\"attributes\":{\"bold\":1}}]", 46,
                   690, 460);
    everything(150, op);
}

static void long_operations(void **state)
{
    struct fixture fixture;
    struct text op = { 0 };

    (void)state;
    add_document(&op, 60);
    fixture_init(&fixture, 60, op.at);
    fail_each(parse, &fixture);
    fail_each(transform_back, &fixture);
    fail_each(compose, &fixture);
    fail_each(create, &fixture);
    fail_each(apply, &fixture);
    fixture_finish(&fixture);
    text_free(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_short_document),
        cmocka_unit_test(on_a_long_document),
        cmocka_unit_test(long_operations),
    };

    return cmocka_run_group_tests_name("rich-text without memory", tests, NULL, NULL);
}
