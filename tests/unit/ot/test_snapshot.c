#include "tests/unit/ot/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Snapshots and operations as values: shared, compared, limited. */

static int apply(struct ot_snapshot *document, const char *op_json, const struct ot_limits *limits)
{
    struct ot_op *op = op_of(op_json);
    int r = ot_snapshot_apply(document, op, limits, NULL);

    ot_op_unref(op);
    return r;
}

static void assert_text(const struct ot_snapshot *document, const char *want)
{
    char *text = written_document(document);

    assert_string_equal(text, want);
    free(text);
}

static void no_content_is_the_empty_text(void **state)
{
    struct ot_snapshot *document = NULL;

    (void)state;
    assert_int_equal(ot_snapshot_create(text_type(), NULL, NULL, &document, NULL), 0);
    assert_text(document, "");
    assert_int_equal(ot_snapshot_size(document), 0);
    assert_ptr_equal(ot_snapshot_type(document), text_type());
    ot_snapshot_destroy(document);
}

static void a_share_keeps_what_it_was(void **state)
{
    struct ot_snapshot *document = document_of("abc"), *share = NULL;

    (void)state;
    assert_int_equal(ot_snapshot_share(document, &share), 0);
    assert_int_equal(apply(document, "[1,\"x\"]", NULL), 0);
    assert_int_equal(apply(share, "[{\"d\":2}]", NULL), 0);
    assert_text(document, "axbc");
    assert_text(share, "c");
    ot_snapshot_destroy(document);
    assert_text(share, "c");
    ot_snapshot_destroy(share);
}

static void a_refused_operation_changes_nothing(void **state)
{
    struct ot_snapshot *document = document_of("abc");

    (void)state;
    assert_int_equal(apply(document, "[\"x\",1,{\"d\":5}]", NULL), OT_NOT_APPLIED);
    assert_int_equal(apply(document, "[\"x\",{\"d\":\"ab\"},{\"d\":\"x\"}]", NULL), OT_NOT_APPLIED);
    assert_text(document, "abc");
    ot_snapshot_destroy(document);
}

static void a_refusal_says_where(void **state)
{
    struct ot_snapshot *document = document_of("abc");
    struct ot_op *op = op_of("[1,{\"d\":\"x\"}]");
    struct ot_error error = { "" };

    (void)state;
    assert_int_equal(ot_snapshot_apply(document, op, NULL, &error), OT_NOT_APPLIED);
    assert_string_equal(error.message, "names another text than it deletes at 1");
    ot_op_unref(op);
    ot_snapshot_destroy(document);
}

static void the_ceiling_of_bytes_is_exact(void **state)
{
    const struct ot_limits limits = { .max_depth = 200, .max_components = 100, .max_document_bytes = 10 };
    struct ot_snapshot *document = document_of("12345678"), *other = NULL;
    struct ot_json *data = json_of("\"12345678901\"");

    (void)state;
    assert_int_equal(ot_snapshot_create(text_type(), data, &limits, &other, NULL), OT_LIMIT);
    assert_int_equal(apply(document, "[\"abc\"]", &limits), OT_LIMIT);
    assert_int_equal(apply(document, "[\"\\u00e9a\"]", &limits), OT_LIMIT);
    assert_text(document, "12345678");
    assert_int_equal(apply(document, "[\"abcd\",{\"d\":2}]", &limits), 0);
    assert_text(document, "abcd345678");
    assert_int_equal(apply(document, "[\"xyz\",{\"d\":\"abc\"}]", &limits), 0);
    assert_text(document, "xyzd345678");
    ot_json_unref(data);
    ot_snapshot_destroy(document);
}

static void a_text_that_is_too_long_may_shrink(void **state)
{
    const struct ot_limits limits = { .max_depth = 200, .max_components = 100, .max_document_bytes = 4 };
    struct ot_snapshot *document = document_of("12345678");

    (void)state;
    assert_int_equal(apply(document, "[\"x\",{\"d\":1}]", &limits), 0);
    assert_int_equal(apply(document, "[\"xy\",{\"d\":1}]", &limits), OT_LIMIT);
    assert_int_equal(apply(document, "[{\"d\":1}]", &limits), 0);
    assert_text(document, "2345678");
    ot_snapshot_destroy(document);
}

static void the_ceiling_of_components_holds_for_results(void **state)
{
    const struct ot_limits limits = { .max_depth = 200, .max_components = 3, .max_document_bytes = 100 };
    struct ot_op *delete = op_of("[{\"d\":4}]"), *inserts = op_of("[1,\"a\",1,\"b\",1,\"c\"]"), *nothing = op_of("[]"),
                 *out = NULL;
    struct ot_json *json = json_of("[1,\"a\",1,\"b\"]");

    (void)state;
    assert_int_equal(ot_op_parse(text_type(), json, &limits, &out, NULL), OT_LIMIT);
    assert_int_equal(ot_op_transform(delete, inserts, OT_LEFT, &limits, &out, NULL), OT_LIMIT);
    assert_int_equal(ot_op_compose(inserts, nothing, &limits, &out, NULL), OT_LIMIT);
    assert_null(out);
    ot_op_unref(delete);
    ot_op_unref(inserts);
    ot_op_unref(nothing);
    ot_json_unref(json);
}

static void many_components_are_kept(void **state)
{
    struct text json = { 0 };
    struct ot_op *op, *back;
    char *written;

    (void)state;
    text_add(&json, "[");
    for (int i = 0; i < 20000; i++)
        text_add(&json, "1,\"ab\",{\"d\":\"\xc3\xa9\"},");
    json.at[json.n_bytes - 1] = ']';
    op = op_of(json.at);
    written = written_op(op);
    assert_string_equal(written, json.at);
    back = NULL;
    assert_int_equal(ot_op_invert(op, &back, NULL), 0);
    assert_in_range(ot_op_size(back), json.n_bytes / 4, 100 * json.n_bytes);
    ot_op_unref(op);
    ot_op_unref(back);
    free(written);
    text_free(&json);
}

static void an_operation_is_counted(void **state)
{
    struct ot_op *op = op_of("[1,\"a\"]"), *nothing = op_of("[]");

    (void)state;
    assert_ptr_equal(ot_op_ref(op), op);
    ot_op_unref(op);
    assert_false(ot_op_is_noop(op));
    assert_true(ot_op_is_noop(nothing));
    assert_ptr_equal(ot_op_type(op), text_type());
    ot_op_unref(op);
    ot_op_unref(nothing);
    ot_op_unref(NULL);
    ot_json_unref(NULL);
    ot_snapshot_destroy(NULL);
}

static void an_operation_outlives_its_json(void **state)
{
    struct ot_op *op = op_of("[\"abc\",{\"d\":\"def\"}]");
    char *written = written_op(op);

    (void)state;
    assert_string_equal(written, "[\"abc\",{\"d\":\"def\"}]");
    free(written);
    ot_op_unref(op);
}

static void what_is_not_sound_is_refused(void **state)
{
    struct ot_json *surrogate = json_of("[\"\\ud800\"]"), *huge = json_of("[1e999]");
    const struct ot_limits limits = { .max_depth = 1, .max_components = 3, .max_document_bytes = 100 };
    struct ot_snapshot *document = NULL;
    struct ot_json *deep = NULL;
    struct ot_op *op = NULL;

    (void)state;
    assert_int_equal(ot_op_parse(text_type(), surrogate, NULL, &op, NULL), OT_NOT_APPLIED);
    assert_int_equal(ot_op_parse(text_type(), huge, NULL, &op, NULL), OT_NOT_APPLIED);
    assert_int_equal(ot_op_parse(text_type(), NULL, NULL, &op, NULL), OT_BAD_OP);
    assert_int_equal(ot_snapshot_create(text_type(), ot_json_at(surrogate, 0), NULL, &document, NULL), OT_NOT_APPLIED);
    assert_int_equal(ot_json_parse("[{\"d\":1}]", 9, &limits, &deep, NULL), 0);
    assert_int_equal(ot_op_parse(text_type(), deep, &limits, &op, NULL), OT_LIMIT);
    assert_null(op);
    assert_null(document);
    ot_json_unref(surrogate);
    ot_json_unref(huge);
    ot_json_unref(deep);
}

static void types_are_found_by_name_and_uri(void **state)
{
    const struct ot_type *type = ot_type_find("http://sharejs.org/types/text-unicode", 37);

    (void)state;
    assert_non_null(type);
    assert_ptr_equal(type, text_type());
    assert_string_equal(ot_type_name(type), "text-unicode");
    assert_string_equal(ot_type_uri(type), "http://sharejs.org/types/text-unicode");
    assert_null(ot_type_find("text-unicod", 11));
    assert_null(ot_type_find("", 0));
}

static void codes_have_names(void **state)
{
    static const char *const names[] = { "unknown",  "bad_json", "bad_op",     "not_applied",
                                         "conflict", "limit",    "unsupported" };

    (void)state;
    for (int code = 0; code < 7; code++)
        assert_string_equal(ot_code_name(code), names[code]);
}

static int refuse_second(void *arg, const char *at, size_t n_bytes)
{
    int *n_calls = arg;

    (void)at;
    (void)n_bytes;
    return ++*n_calls == 2 ? -EIO : 0;
}

static void writing_stops_where_it_fails(void **state)
{
    char text[5000];
    struct ot_snapshot *document;
    int n_calls = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    document = document_of_bytes(text, sizeof(text));
    assert_int_equal(ot_snapshot_write_json(document, refuse_second, &n_calls), -EIO);
    assert_int_equal(n_calls, 2);
    n_calls = 0;
    assert_int_equal(ot_snapshot_write_text(document, refuse_second, &n_calls), -EIO);
    assert_int_equal(n_calls, 2);
    ot_snapshot_destroy(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_content_is_the_empty_text),
        cmocka_unit_test(a_share_keeps_what_it_was),
        cmocka_unit_test(a_refused_operation_changes_nothing),
        cmocka_unit_test(a_refusal_says_where),
        cmocka_unit_test(the_ceiling_of_bytes_is_exact),
        cmocka_unit_test(a_text_that_is_too_long_may_shrink),
        cmocka_unit_test(the_ceiling_of_components_holds_for_results),
        cmocka_unit_test(many_components_are_kept),
        cmocka_unit_test(an_operation_is_counted),
        cmocka_unit_test(an_operation_outlives_its_json),
        cmocka_unit_test(what_is_not_sound_is_refused),
        cmocka_unit_test(types_are_found_by_name_and_uri),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(writing_stops_where_it_fails),
    };

    return cmocka_run_group_tests_name("snapshots and operations", tests, NULL, NULL);
}
