#include "tests/unit/ot/harness.h"

#include <string.h>

/* rich-text in rows: what an operation does to a document, what becomes of two that meet, what is refused and in which
 * words. A row is a request to the calculator and its whole answer; {"ops":...} is left out of results of that shape.
 */

static const struct row {
    const char *name, *fn, *arguments, *want;
} rows[] = {
    /* create */
    { "create: the empty document", "create", "[]", "[]" },
    { "create: with \"ops\" or without", "create", "{\"ops\":[{\"insert\":\"a\"}]}", "[{\"insert\":\"a\"}]" },
    { "create: neighbours that are alike are one", "create",
      "[{\"insert\":\"a\"},{\"insert\":\"b\"},{\"insert\":\"c\",\"attributes\":{\"b\":1}},"
      "{\"insert\":\"d\",\"attributes\":{\"b\":1.0}}]",
      "[{\"insert\":\"ab\"},{\"insert\":\"cd\",\"attributes\":{\"b\":1}}]" },
    { "create: nulls, empty attributes and empty texts go", "create",
      "[{\"insert\":\"a\",\"attributes\":{\"b\":null}},{\"insert\":\"\"},{\"insert\":\"b\",\"attributes\":{}}]",
      "[{\"insert\":\"ab\"}]" },
    { "create: embeds stay apart", "create", "[{\"insert\":{\"hr\":true}},{\"insert\":{\"hr\":true}}]",
      "[{\"insert\":{\"hr\":true}},{\"insert\":{\"hr\":true}}]" },
    { "create: a text is no delta", "create", "\"a\"",
      "bad_op: a delta must be a list of components, or {\\\"ops\\\":[...]}" },
    { "create: null is no delta", "create", "null",
      "bad_op: a delta must be a list of components, or {\\\"ops\\\":[...]}" },
    { "create: ops must be a list", "create", "{\"ops\":{}}",
      "bad_op: a delta must be a list of components, or {\\\"ops\\\":[...]}" },
    { "create: a retain is no content", "create", "[{\"insert\":\"a\"},{\"retain\":1}]",
      "bad_op: component 1: a document holds inserts only" },
    { "create: nor is a delete", "create", "[{\"delete\":1}]", "bad_op: component 0: a document holds inserts only" },

    /* apply */
    { "apply: what is left over is kept", "apply", "[{\"insert\":\"abc\"}],[{\"retain\":1},{\"insert\":\"x\"}]",
      "[{\"insert\":\"axbc\"}]" },
    { "apply: text among its like joins it, whichever side it stands on", "apply",
      "[{\"insert\":\"a\"},{\"insert\":\"b\",\"attributes\":{\"b\":1}}],"
      "[{\"retain\":1},{\"insert\":\"x\",\"attributes\":{\"b\":1}}]",
      "[{\"insert\":\"a\"},{\"insert\":\"xb\",\"attributes\":{\"b\":1}}]" },
    { "apply: text divides what is not its like", "apply",
      "[{\"insert\":\"ab\",\"attributes\":{\"b\":1}}],[{\"retain\":1},{\"insert\":\"x\"}]",
      "[{\"insert\":\"a\",\"attributes\":{\"b\":1}},{\"insert\":\"x\"},{\"insert\":\"b\",\"attributes\":{\"b\":1}}]" },
    { "apply: an embed divides everything", "apply", "[{\"insert\":\"ab\"}],[{\"retain\":1},{\"insert\":{\"hr\":1}}]",
      "[{\"insert\":\"a\"},{\"insert\":{\"hr\":1}},{\"insert\":\"b\"}]" },
    { "apply: the same embeds are two", "apply", "[{\"insert\":{\"hr\":1}}],[{\"insert\":{\"hr\":1}}]",
      "[{\"insert\":{\"hr\":1}},{\"insert\":{\"hr\":1}}]" },
    { "apply: what a delete leaves meets", "apply",
      "[{\"insert\":\"a\"},{\"insert\":{\"hr\":1}},{\"insert\":\"b\"}],[{\"retain\":1},{\"delete\":1}]",
      "[{\"insert\":\"ab\"}]" },
    { "apply: beyond the BMP counts as two", "apply", "[{\"insert\":\"😀b\"}],[{\"retain\":2},{\"insert\":\"x\"}]",
      "[{\"insert\":\"😀xb\"}]" },
    { "apply: a format adds, changes and takes away", "apply",
      "[{\"insert\":\"ab\",\"attributes\":{\"b\":1,\"c\":1}}],"
      "[{\"retain\":1,\"attributes\":{\"a\":2,\"b\":3,\"c\":null}}]",
      "[{\"insert\":\"a\",\"attributes\":{\"a\":2,\"b\":3}},{\"insert\":\"b\",\"attributes\":{\"b\":1,\"c\":1}}]" },
    { "apply: what is formatted alike is one", "apply",
      "[{\"insert\":\"a\"},{\"insert\":\"b\",\"attributes\":{\"b\":1}},{\"insert\":\"c\"}],"
      "[{\"retain\":3,\"attributes\":{\"b\":null}}]",
      "[{\"insert\":\"abc\"}]" },
    { "apply: attributes are merged by name, not inside", "apply",
      "[{\"insert\":\"a\",\"attributes\":{\"f\":{\"px\":1,\"of\":2}}}],"
      "[{\"retain\":1,\"attributes\":{\"f\":{\"px\":3}}}]",
      "[{\"insert\":\"a\",\"attributes\":{\"f\":{\"px\":3}}}]" },
    { "apply: embeds are formatted, too", "apply",
      "[{\"insert\":{\"hr\":1}}],[{\"retain\":1,\"attributes\":{\"b\":1}}]",
      "[{\"insert\":{\"hr\":1},\"attributes\":{\"b\":1}}]" },
    { "apply: documents hold no nulls", "apply", "[],[{\"insert\":\"a\",\"attributes\":{\"b\":null,\"c\":1}}]",
      "[{\"insert\":\"a\",\"attributes\":{\"c\":1}}]" },
    { "apply: the mark of an embed is a character, too", "apply",
      "[{\"insert\":\"\xef\xbf\xbc\"},{\"insert\":{\"hr\":1}}],[{\"retain\":1},{\"insert\":\"\xef\xbf\xbc\"}]",
      "[{\"insert\":\"\xef\xbf\xbc\xef\xbf\xbc\"},{\"insert\":{\"hr\":1}}]" },
    { "apply: a plain retain at the end may pass the end", "apply",
      "[{\"insert\":\"a\"}],[{\"insert\":\"x\"},{\"retain\":50}]", "[{\"insert\":\"xa\"}]" },
    { "apply: retain past the end", "apply", "[{\"insert\":\"ab\"}],[{\"retain\":3},{\"insert\":\"x\"}]",
      "not_applied: retains past the end of the text" },
    { "apply: an absurd retain is refused at once", "apply",
      "[{\"insert\":\"ab\"}],[{\"retain\":9007199254740990},{\"insert\":\"x\"}]",
      "not_applied: retains past the end of the text" },
    { "apply: format past the end", "apply", "[{\"insert\":\"ab\"}],[{\"retain\":3,\"attributes\":{\"b\":1}}]",
      "not_applied: formats past the end of the text" },
    { "apply: delete past the end", "apply", "[{\"insert\":\"ab\"}],[{\"retain\":1},{\"delete\":2}]",
      "not_applied: deletes past the end of the text" },
    { "apply: inserting into a surrogate pair", "apply", "[{\"insert\":\"a😀\"}],[{\"retain\":2},{\"insert\":\"x\"}]",
      "not_applied: divides a surrogate pair at 2" },
    { "apply: deleting half a surrogate pair", "apply", "[{\"insert\":\"a😀\"}],[{\"retain\":1},{\"delete\":1}]",
      "not_applied: divides a surrogate pair at 2" },
    { "apply: formatting half a surrogate pair", "apply",
      "[{\"insert\":\"a😀\"}],[{\"retain\":2,\"attributes\":{\"b\":1}}]", "not_applied: divides a surrogate pair at 2" },

    /* transform: ties */
    { "two inserts at one place: left goes second", "transform", "[{\"insert\":\"a\"}],[{\"insert\":\"b\"}],\"left\"",
      "[{\"retain\":1},{\"insert\":\"a\"}]" },
    { "two inserts at one place: right goes first", "transform", "[{\"insert\":\"a\"}],[{\"insert\":\"b\"}],\"right\"",
      "[{\"insert\":\"a\"}]" },
    { "an insert behind my delete goes second: right", "transform",
      "[{\"delete\":1},{\"insert\":\"a\"}],[{\"insert\":\"b\"}],\"right\"",
      "[{\"retain\":1},{\"insert\":\"a\"},{\"delete\":1}]" },
    { "an insert before my delete goes first: right", "transform",
      "[{\"insert\":\"a\"},{\"delete\":1}],[{\"insert\":\"b\"}],\"right\"",
      "[{\"insert\":\"a\"},{\"retain\":1},{\"delete\":1}]" },
    { "two attributes of one name: left gives way", "transform",
      "[{\"retain\":1,\"attributes\":{\"b\":1,\"x\":1}}],[{\"retain\":1,\"attributes\":{\"b\":2}}],\"left\"",
      "[{\"retain\":1,\"attributes\":{\"x\":1}}]" },
    { "two attributes of one name: right wins", "transform",
      "[{\"retain\":1,\"attributes\":{\"b\":1,\"x\":1}}],[{\"retain\":1,\"attributes\":{\"b\":2}}],\"right\"",
      "[{\"retain\":1,\"attributes\":{\"b\":1,\"x\":1}}]" },
    { "a null is an attribute like others", "transform",
      "[{\"retain\":1,\"attributes\":{\"b\":null}}],[{\"retain\":1,\"attributes\":{\"b\":2}}],\"left\"", "[]" },
    { "a format spares what was inserted into it", "transform",
      "[{\"retain\":2,\"attributes\":{\"b\":1}}],[{\"retain\":1},{\"insert\":{\"hr\":1}}],\"left\"",
      "[{\"retain\":1,\"attributes\":{\"b\":1}},{\"retain\":1},{\"retain\":1,\"attributes\":{\"b\":1}}]" },
    { "a delete spares what was inserted into it", "transform",
      "[{\"delete\":2}],[{\"retain\":1},{\"insert\":\"xy\"}],\"left\"",
      "[{\"delete\":1},{\"retain\":2},{\"delete\":1}]" },
    { "an insert inside what the other deletes", "transform",
      "[{\"retain\":1},{\"insert\":\"x\"}],[{\"delete\":3}],\"left\"", "[{\"insert\":\"x\"}]" },
    { "what both delete is deleted once", "transform", "[{\"delete\":2}],[{\"retain\":1},{\"delete\":2}],\"right\"",
      "[{\"delete\":1}]" },
    { "huge retains cost nothing", "transform",
      "[{\"retain\":4000000000000000},{\"insert\":\"a\"}],[{\"retain\":4000000000000001},{\"insert\":\"b\"}],\"left\"",
      "[{\"retain\":4000000000000000},{\"insert\":\"a\"}]" },
    { "nulls of an insert are kept, as the client has them", "transform",
      "[{\"insert\":\"a\",\"attributes\":{\"b\":null}}],[],\"left\"",
      "[{\"insert\":\"a\",\"attributes\":{\"b\":null}}]" },

    /* compose */
    { "compose: what was inserted and deleted leaves no trace", "compose",
      "[{\"insert\":\"abc\"}],[{\"retain\":1},{\"delete\":1}]", "[{\"insert\":\"ac\"}]" },
    { "compose: an insert goes before the delete it meets", "compose", "[{\"delete\":1}],[{\"insert\":\"a\"}]",
      "[{\"insert\":\"a\"},{\"delete\":1}]" },
    { "compose: a format of what was inserted has no nulls", "compose",
      "[{\"insert\":\"a\",\"attributes\":{\"b\":1}}],[{\"retain\":1,\"attributes\":{\"b\":null,\"c\":null,\"d\":1}}]",
      "[{\"insert\":\"a\",\"attributes\":{\"d\":1}}]" },
    { "compose: two formats keep them", "compose",
      "[{\"retain\":1,\"attributes\":{\"b\":1}}],[{\"retain\":1,\"attributes\":{\"b\":null}}]",
      "[{\"retain\":1,\"attributes\":{\"b\":null}}]" },
    { "compose: the rest of the first is kept in its order", "compose",
      "[{\"retain\":2},{\"delete\":1},{\"insert\":\"x\"}],[{\"retain\":1,\"attributes\":{\"b\":1}}]",
      "[{\"retain\":1,\"attributes\":{\"b\":1}},{\"retain\":1},{\"delete\":1},{\"insert\":\"x\"}]" },
    { "compose: what is met is brought into order", "compose",
      "[{\"delete\":1},{\"insert\":\"x\"}],[{\"retain\":1,\"attributes\":{\"b\":1}}]",
      "[{\"insert\":\"x\",\"attributes\":{\"b\":1}},{\"delete\":1}]" },
    { "compose: into a surrogate pair", "compose", "[{\"insert\":\"😀\"}],[{\"retain\":1},{\"insert\":\"x\"}]",
      "not_applied: the second operation divides a surrogate pair that the first inserts" },

    /* invertWithDoc */
    { "invert: formats go back, deletes come back", "invertWithDoc",
      "[{\"retain\":1,\"attributes\":{\"b\":true,\"c\":null}},{\"delete\":1},{\"insert\":\"q\"}],"
      "[{\"insert\":\"ab\",\"attributes\":{\"b\":1}}]",
      "[{\"retain\":1,\"attributes\":{\"b\":1,\"c\":null}},{\"insert\":\"b\",\"attributes\":{\"b\":1}},{\"delete\":1}"
      "]" },
    { "invert: what is the same stays, but objects never are", "invertWithDoc",
      "[{\"retain\":2,\"attributes\":{\"b\":1,\"f\":{}}}],"
      "[{\"insert\":\"a\",\"attributes\":{\"b\":1,\"f\":{}}},{\"insert\":{\"hr\":1},\"attributes\":{\"b\":1}}]",
      "[{\"retain\":1,\"attributes\":{\"f\":{}}},{\"retain\":1,\"attributes\":{\"f\":null}}]" },
    { "invert: embeds come back", "invertWithDoc",
      "[{\"delete\":3}],[{\"insert\":\"a\"},{\"insert\":{\"hr\":1},\"attributes\":{\"b\":1}},{\"insert\":\"c\"}]",
      "[{\"insert\":\"a\"},{\"insert\":{\"hr\":1},\"attributes\":{\"b\":1}},{\"insert\":\"c\"}]" },
    { "invert: of what does not fit", "invertWithDoc", "[{\"delete\":3}],[]",
      "not_applied: deletes past the end of the text" },

    /* presence */
    { "presence: one's own operation carries it along", "transformPresence",
      "{\"index\":1,\"length\":2,\"name\":\"é\"},"
      "[{\"retain\":1},{\"insert\":\"xx\"},{\"retain\":1},{\"delete\":1}],true",
      "={\"index\":3,\"length\":1,\"name\":\"é\"}" },
    { "presence: another's goes behind it", "transformPresence",
      "{\"index\":1,\"length\":2},[{\"retain\":1},{\"insert\":\"xx\"},{\"retain\":1},{\"delete\":1}],false",
      "={\"index\":1,\"length\":3}" },
    { "presence: none", "transformPresence", "null,[{\"insert\":\"xx\"}],false", "=null" },
    { "presence: no range", "transformPresence", "7,[{\"insert\":\"xx\"}],false",
      "bad_op: a range must be an object or null" },
    { "presence: without a length", "transformPresence", "{\"index\":1},[],false",
      "bad_op: a range needs an index and a length, integers from 0 to 2^53-1 together" },
    { "presence: before the start", "transformPresence", "{\"index\":-1,\"length\":1},[],false",
      "bad_op: a range needs an index and a length, integers from 0 to 2^53-1 together" },

    /* normalize */
    { "normalize: merges, drops what is empty, and puts inserts first", "normalize",
      "[{\"retain\":1},{\"retain\":1},{\"delete\":1},{\"insert\":\"a\"},{\"insert\":\"\"},{\"delete\":0},{\"insert\":"
      "\"b\"},"
      "{\"delete\":2},{\"retain\":5}]",
      "[{\"retain\":2},{\"insert\":\"ab\"},{\"delete\":3}]" },
    { "normalize: nothing", "normalize", "{\"ops\":[{\"retain\":7}]}", "[]" },

    /* what is no operation */
    { "check: no component", "checkOp", "[1]", "bad_op: component 0: must be an object" },
    { "check: an empty component", "checkOp", "[{}]", "bad_op: component 0: must be one of insert, retain and delete" },
    { "check: two in one", "checkOp", "[{\"insert\":\"a\"},{\"retain\":1,\"delete\":1}]",
      "bad_op: component 1: must be one of insert, retain and delete" },
    { "check: an unknown member", "checkOp", "[{\"insert\":\"a\",\"colour\":1}]",
      "bad_op: component 0: has a member that it can't have" },
    { "check: a delete with attributes", "checkOp", "[{\"delete\":1,\"attributes\":{\"b\":1}}]",
      "bad_op: component 0: has a member that it can't have" },
    { "check: attributes that are no object", "checkOp", "[{\"retain\":1,\"attributes\":null}]",
      "bad_op: component 0: attributes must be an object" },
    { "check: an attribute that every object has", "checkOp", "[{\"retain\":1,\"attributes\":{\"constructor\":1}}]",
      "bad_op: component 0: an attribute has a name that every JavaScript object has" },
    { "check: an embed that is a number", "checkOp", "[{\"insert\":1}]",
      "bad_op: component 0: an insert must be a text or an object" },
    { "check: an embed that is a list", "checkOp", "[{\"insert\":[]}]",
      "bad_op: component 0: an insert must be a text or an object" },
    { "check: an empty text", "checkOp", "[{\"insert\":\"\"}]", "bad_op: component 0: an empty text" },
    { "check: a length of nothing", "checkOp", "[{\"delete\":0}]", "bad_op: component 0: a length of 0" },
    { "check: a fraction", "checkOp", "[{\"retain\":1.5}]",
      "bad_op: component 0: a length must be an integer from 1 to 2^53-1" },
    { "check: lengths beyond what numbers can say", "checkOp",
      "[{\"retain\":9007199254740991},{\"delete\":9007199254740991}]", "limit: lengths add up to more than 2^53-1" },
    { "check: nested too deeply", "checkOp", NULL, "limit: nested too deeply" },

    /* what the type does not have */
    { "no invert without the document", "invert", "[]", "unsupported: rich-text has no such function" },
    { "no makeInvertible", "makeInvertible", "[],[]", "unsupported: rich-text has no such function" },
    { "no positions", "transformPosition", "1,[]", "unsupported: rich-text has no such function" },
};

/* An attribute of 198 lists: with {"ops":[{"attributes":{ around it more than the 200 that are allowed. */
static void add_deep(struct text *request)
{
    text_add(request, "[{\"retain\":1,\"attributes\":{\"b\":");
    for (int i = 0; i < 197; i++)
        text_add(request, "[");
    for (int i = 0; i < 197; i++)
        text_add(request, "]");
    text_add(request, "}}]");
}

static void add_want(struct text *text, const char *want)
{
    const char *colon = strchr(want, ':');

    if (want[0] == '=' || want[0] == '[') {
        text_add(text, want[0] == '=' ? "{\"ok\":" : "{\"ok\":{\"ops\":");
        text_add(text, want[0] == '=' ? want + 1 : want);
        text_add(text, want[0] == '=' ? "}\n" : "}}\n");
        return;
    }
    text_add(text, "{\"error\":\"");
    text_add(text, colon + 2);
    text_add(text, "\",\"code\":\"");
    assert_int_equal(text_write(text, want, (size_t)(colon - want)), 0);
    text_add(text, "\"}\n");
}

static void answers(void **state)
{
    const struct row *row = *state;
    struct text request = { 0 }, answer = { 0 }, want = { 0 };

    text_add(&request, "{\"type\":\"rich-text\",\"fn\":\"");
    text_add(&request, row->fn);
    text_add(&request, "\",\"args\":[");
    if (row->arguments)
        text_add(&request, row->arguments);
    else
        add_deep(&request);
    text_add(&request, "]}");
    add_want(&want, row->want);
    assert_int_equal(ot_calculate_line(request.at, request.n_bytes, text_write, &answer), 0);
    assert_string_equal(answer.at, want.at);
    text_free(&request);
    text_free(&answer);
    text_free(&want);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static int apply_within(const struct ot_limits *limits, const char *document, const char *op, char **out)
{
    struct ot_json *data = json_of(document), *json = json_of(op);
    const struct ot_type *type = ot_type_find("rich-text", 9);
    struct ot_snapshot *snapshot = NULL;
    struct text text = { 0 };
    struct ot_op *parsed = NULL;
    int r;

    assert_int_equal(ot_snapshot_create(type, data, NULL, &snapshot, NULL), 0);
    assert_int_equal(ot_op_parse(type, json, NULL, &parsed, NULL), 0);
    r = ot_snapshot_apply(snapshot, parsed, limits, NULL);
    assert_int_equal(ot_snapshot_write_json(snapshot, text_write, &text), 0);
    *out = text.at;
    ot_json_unref(data);
    ot_json_unref(json);
    ot_op_unref(parsed);
    ot_snapshot_destroy(snapshot);
    return r;
}

static void assert_applied(const struct ot_limits *limits, const char *document, const char *op, int code,
                           const char *want)
{
    char *text = NULL;

    assert_int_equal(apply_within(limits, document, op, &text), code);
    assert_string_equal(text, want);
    text_free(&(struct text){ .at = text });
}

static void documents_have_limits(void **state)
{
    const struct ot_limits small = { .max_depth = 5, .max_components = 10, .max_document_bytes = 60 };
    const char *large =
        "{\"ops\":[{\"insert\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}]}";

    (void)state;
    assert_applied(&small, "[]", "[{\"insert\":\"a\"}]", 0, "{\"ops\":[{\"insert\":\"a\"}]}");
    assert_applied(&small, "[]", "[{\"insert\":\"01234567890123456789012345678901234567890\"}]", OT_LIMIT,
                   "{\"ops\":[]}");
    assert_applied(&small, "[]", "[{\"insert\":{\"a\":\"0123456789012345678901234567890123456789\"}}]", OT_LIMIT,
                   "{\"ops\":[]}");
    assert_applied(&small, large, "[{\"insert\":\"a\"}]", OT_LIMIT, large);
    assert_applied(&small, large, "[{\"insert\":\"a\"},{\"delete\":69}]", 0, "{\"ops\":[{\"insert\":\"a9\"}]}");
    assert_applied(&small, "[]", "[{\"insert\":{\"a\":[1]}}]", 0, "{\"ops\":[{\"insert\":{\"a\":[1]}}]}");
    assert_applied(&small, "[]", "[{\"insert\":{\"a\":[[1]]}}]", OT_LIMIT, "{\"ops\":[]}");
}

static void operations_have_limits(void **state)
{
    const struct ot_limits three = { .max_depth = 100, .max_components = 3, .max_document_bytes = 1000 };
    struct ot_json *json = json_of("[{\"insert\":\"a\"},{\"insert\":{}},{\"insert\":\"b\"},{\"insert\":{}}]"),
                   *short_json = json_of("[{\"retain\":1},{\"insert\":{}},{\"retain\":1},{\"insert\":{}}]");
    const struct ot_type *type = ot_type_find("rich-text", 9);
    struct ot_op *op = NULL, *other = NULL, *out = NULL;

    (void)state;
    assert_int_equal(ot_op_parse(type, json, &three, &op, NULL), OT_LIMIT);
    assert_null(op);
    assert_int_equal(ot_op_parse(type, json, NULL, &op, NULL), 0);
    assert_int_equal(ot_op_parse(type, short_json, NULL, &other, NULL), 0);
    assert_int_equal(ot_op_transform(op, other, OT_LEFT, &three, &out, NULL), OT_LIMIT);
    assert_int_equal(ot_op_compose(op, other, &three, &out, NULL), OT_LIMIT);
    assert_null(out);
    assert_true(ot_op_size(op) > 100);
    assert_false(ot_op_is_noop(op));
    ot_json_unref(json);
    ot_json_unref(short_json);
    ot_op_unref(op);
    ot_op_unref(other);
}

/* Nothing that is given back is deeper than what is parsed by default. */
static void presences_have_limits(void **state)
{
    const struct ot_limits deep = { .max_depth = 900, .max_components = 3, .max_document_bytes = 1000 };
    struct text json = { 0 };
    struct ot_json *range = NULL, *moved = NULL;
    struct ot_op *op = NULL;
    struct ot_json *none = json_of("[]");

    (void)state;
    text_add(&json, "{\"index\":0,\"length\":0,\"more\":");
    for (int i = 0; i < 500; i++)
        text_add(&json, "[");
    for (int i = 0; i < 500; i++)
        text_add(&json, "]");
    text_add(&json, "}");
    assert_int_equal(parse_exactly(json.at, json.n_bytes, &deep, &range), 0);
    assert_int_equal(ot_op_parse(ot_type_find("rich-text", 9), none, NULL, &op, NULL), 0);
    assert_int_equal(ot_op_transform_presence(op, range, false, &moved, NULL), OT_LIMIT);
    assert_null(moved);
    text_free(&json);
    ot_json_unref(none);
    ot_json_unref(range);
    ot_op_unref(op);
}

static void there_is_an_empty_document(void **state)
{
    struct ot_snapshot *snapshot = NULL;
    struct text text = { 0 };

    (void)state;
    assert_int_equal(
        ot_snapshot_create(ot_type_find("http://sharejs.org/types/rich-text/v1", 37), NULL, NULL, &snapshot, NULL), 0);
    assert_int_equal(ot_snapshot_write_json(snapshot, text_write, &text), 0);
    assert_string_equal(text.at, "{\"ops\":[]}");
    assert_int_equal(ot_snapshot_size(snapshot), text.n_bytes);
    assert_int_equal(ot_snapshot_write_text(snapshot, text_write, &text), OT_UNSUPPORTED);
    text_free(&text);
    ot_snapshot_destroy(snapshot);
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    static struct CMUnitTest tests[N_ROWS + 4] = {
        [N_ROWS] = cmocka_unit_test(documents_have_limits),
        [N_ROWS + 1] = cmocka_unit_test(operations_have_limits),
        [N_ROWS + 2] = cmocka_unit_test(presences_have_limits),
        [N_ROWS + 3] = cmocka_unit_test(there_is_an_empty_document),
    };

    for (size_t i = 0; i < N_ROWS; i++) {
        union {
            const struct row *row;
            void *state;
        } row = { .row = &rows[i] };

        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = answers, .initial_state = row.state };
    }
    return cmocka_run_group_tests_name("rich-text in rows", tests, NULL, NULL);
}
