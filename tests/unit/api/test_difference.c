/* The edit between two contents: what it is for some that a reader can follow, and that it leads there for any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "api/difference.h"
#include "tests/sim/random.h"

static struct row {
    const char *type, *name, *before, *after, *want;
} rows[] = {
    { "text-unicode", "nothing", "a", "a", "[]" },
    { "text-unicode", "nothing, of nothing", "", "", "[]" },
    { "text-unicode", "a letter in", "abc", "abXc", "[2,\"X\"]" },
    { "text-unicode", "one more of the same", "aaa", "aaaa", "[3,\"a\"]" },
    { "text-unicode", "from nothing", "", "a", "[\"a\"]" },
    { "text-unicode", "to nothing", "a\xc3\xa9", "", "[{\"d\":2}]" },
    { "text-unicode", "one letter", "one two", "one too", "[5,\"o\",{\"d\":1}]" },
    { "text-unicode", "two words far apart", "one two three four five", "1 two three four 5",
      "[\"1\",{\"d\":3},16,\"5\",{\"d\":4}]" },
    { "text-unicode", "a word in, a word out", "a b c d e f", "a x b c e f", "[2,\"x \",3,{\"d\":2}]" },
    { "text-unicode", "lines", "one\ntwo\nthree\nfour\n", "one\n2\nthree\nfour\nfive\n",
      "[4,\"2\",{\"d\":3},11,\"\\nfive\"]" },
    { "text-unicode", "where no spaces are written", "\xe5\xa4\xa9\xe5\x9c\xb0\xe7\x8e\x84\xe9\xbb\x84",
      "\xe5\xa4\xaa\xe5\x9c\xb0\xe7\x8e\x84\xe7\xba\xa2", "[\"\xe5\xa4\xaa\",{\"d\":1},2,\"\xe7\xba\xa2\",{\"d\":1}]" },
    { "text-unicode", "not in the middle of a character", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81",
      "[\"\xf0\x9f\x98\x81\",{\"d\":1}]" },

    { "json0", "nothing", "{\"a\":1}", "{\"a\":1}", "[]" },
    { "json0", "a member", "{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":null}",
      "[{\"p\":[\"a\"],\"od\":1},{\"p\":[\"b\"],\"od\":2,\"oi\":3},{\"p\":[\"c\"],\"oi\":null}]" },
    { "json0", "deep", "{\"a\":[{\"b\":1},{\"c\":2}]}", "{\"a\":[{\"b\":1},{\"c\":3}]}",
      "[{\"p\":[\"a\",1,\"c\"],\"od\":2,\"oi\":3}]" },
    { "json0", "an element out", "[1,2,3]", "[1,3]", "[{\"p\":[1],\"ld\":2}]" },
    { "json0", "elements in", "[1,4]", "[1,2,3,4]", "[{\"p\":[1],\"li\":2},{\"p\":[2],\"li\":3}]" },
    { "json0", "elements out", "[1,2,3,4]", "[0]",
      "[{\"p\":[0],\"ld\":1,\"li\":0},{\"p\":[1],\"ld\":2},{\"p\":[1],\"ld\":3},{\"p\":[1],\"ld\":4}]" },
    { "json0", "all of it", "[1]", "{}", "[{\"p\":[],\"od\":[1],\"oi\":{}}]" },

    { "json1", "nothing", "{\"a\":1}", "{\"a\":1}", "null" },
    { "json1", "a member", "{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":null}",
      "[[\"a\",{\"r\":true}],[\"b\",{\"r\":true,\"i\":3}],[\"c\",{\"i\":null}]]" },
    { "json1", "elements", "{\"l\":[1,2,3,4]}", "{\"l\":[1,4,5]}",
      "[\"l\",[1,{\"r\":true,\"i\":4}],[2,{\"r\":true,\"i\":5}],[3,{\"r\":true}]]" },
    { "json1", "all of it", "[1]", "{}", "[{\"r\":true,\"i\":{}}]" },

    { "rich-text", "nothing", "{\"ops\":[{\"insert\":\"a\"}]}", "{\"ops\":[{\"insert\":\"a\"}]}", "{\"ops\":[]}" },
    { "rich-text", "a word, with its attributes", "{\"ops\":[{\"insert\":\"one three\"}]}",
      "{\"ops\":[{\"insert\":\"one \"},{\"insert\":\"blue \",\"attributes\":{\"b\":true}},{\"insert\":\"three\"}]}",
      "{\"ops\":[{\"retain\":4},{\"insert\":\"blue \",\"attributes\":{\"b\":true}}]}" },
    { "rich-text", "attributes alone", "{\"ops\":[{\"insert\":\"a😀b\",\"attributes\":{\"b\":true,\"i\":1}}]}",
      "{\"ops\":[{\"insert\":\"a😀\",\"attributes\":{\"i\":2}},{\"insert\":\"b\",\"attributes\":{\"b\":true,\"i\":1}}]}",
      "{\"ops\":[{\"retain\":3,\"attributes\":{\"i\":2,\"b\":null}}]}" },
    { "rich-text", "one embed for another",
      "{\"ops\":[{\"insert\":\"a\"},{\"insert\":{\"image\":1}},{\"insert\":\"b\"}]}",
      "{\"ops\":[{\"insert\":\"a\"},{\"insert\":{\"image\":2}},{\"insert\":\"b\"}]}",
      "{\"ops\":[{\"retain\":1},{\"insert\":{\"image\":2}},{\"delete\":1}]}" },
};

static struct ot_json *parse(const char *text, size_t n_bytes)
{
    struct ot_json *json = NULL;

    if (ot_json_parse(text, n_bytes, NULL, &json, NULL))
        fail_msg("no JSON: %.*s", (int)n_bytes, text);
    return json;
}

static const struct ot_type *type_of(const char *name)
{
    return ot_type_find(name, strlen(name));
}

/* A copy of just that size, so that a byte too many is seen. */
static struct bytes exactly(const struct ot_json *text)
{
    size_t n_bytes;
    const char *at = ot_json_string(text, &n_bytes);
    char *copy = malloc(n_bytes ? n_bytes : 1);

    assert_non_null(copy);
    memcpy(copy, at, n_bytes);
    return bytes_of(copy, n_bytes);
}

static struct ot_op *difference_of_exact_texts(const struct ot_json *before, const struct ot_json *after,
                                               struct buffer *text)
{
    struct bytes x = exactly(before), y = exactly(after);
    struct ot_op *op = NULL;
    struct ot_json *json;

    difference_of_texts(x, y, text);
    assert_int_equal(text->error, 0);
    json = parse(text->at, text->n_bytes);
    assert_int_equal(ot_op_parse(type_of("text-unicode"), json, NULL, &op, NULL), 0);
    ot_json_unref(json);
    free((char *)(uintptr_t)x.at);
    free((char *)(uintptr_t)y.at);
    return op;
}

static struct ot_op *difference_of_rich(const struct ot_json *before, const struct ot_json *after, struct buffer *text)
{
    struct ot_op *op = NULL;
    struct ot_json *json;

    assert_int_equal(difference_of_deltas(before, after, text), 0);
    json = parse(text->at, text->n_bytes);
    assert_int_equal(ot_op_parse(type_of("rich-text"), json, NULL, &op, NULL), 0);
    ot_json_unref(json);
    return op;
}

/* The difference, checked by applying it. text: terminated, empty before. */
static void difference(const struct ot_type *type, const struct ot_json *before, const struct ot_json *after,
                       struct buffer *text)
{
    struct ot_snapshot *snapshot = NULL;
    struct ot_op *op = NULL;
    struct ot_json *json;
    struct buffer end;

    if (strcmp(ot_type_name(type), "text-unicode") == 0) {
        op = difference_of_exact_texts(before, after, text);
    } else if (strcmp(ot_type_name(type), "rich-text") == 0) {
        op = difference_of_rich(before, after, text);
    } else {
        assert_int_equal(difference_of_values(type, before, after, &op, NULL), 0);
        assert_int_equal(ot_op_write(op, buffer_write, text), 0);
    }
    assert_int_equal(ot_snapshot_create(type, before, NULL, &snapshot, NULL), 0);
    assert_int_equal(ot_snapshot_apply(snapshot, op, NULL, NULL), 0);
    buffer_init(&end, 1 << 26);
    assert_int_equal(ot_snapshot_write_json(snapshot, buffer_write, &end), 0);
    json = parse(end.at, end.n_bytes);
    if (!ot_json_equal(json, after))
        fail_msg("%.*s leads to %.*s", (int)text->n_bytes, text->at, (int)end.n_bytes, end.at);
    assert_int_equal(buffer_append(text, "", 1), 0);
    ot_json_unref(json);
    buffer_finish(&end);
    ot_snapshot_destroy(snapshot);
    ot_op_unref(op);
}

static struct ot_json *content(const struct row *row, const char *text)
{
    struct ot_json *json = NULL;

    if (strcmp(row->type, "text-unicode") != 0)
        return parse(text, strlen(text));
    assert_int_equal(ot_json_from_text(text, strlen(text), &json), 0);
    return json;
}

static void differs(void **state)
{
    const struct row *row = *state;
    struct ot_json *before = content(row, row->before), *after = content(row, row->after), *got, *want;
    struct buffer text;

    buffer_init(&text, 1 << 20);
    difference(type_of(row->type), before, after, &text);
    got = parse(text.at, text.n_bytes - 1);
    want = parse(row->want, strlen(row->want));
    if (!ot_json_equal(got, want))
        assert_string_equal(text.at, row->want);
    buffer_finish(&text);
    ot_json_unref(got);
    ot_json_unref(want);
    ot_json_unref(before);
    ot_json_unref(after);
}

/* ---- any --------------------------------------------------------------------------------------------------------- */

static void random_text(struct sim_random *random, struct buffer *into)
{
    static const char *const words[] = { "one ", "two ", "three\n", "\xc3\xa9 ", "\xe5\xa4\xa9", "\xf0\x9f\x98\x80",
                                         " ",    "\n" };

    for (size_t n = sim_random_below(random, 40); n; n--)
        (void)buffer_append_string(into, words[sim_random_below(random, 8)]);
}

/* Deep enough to be walked into, small enough that much is equal. */
static void random_value(struct sim_random *random, size_t depth, struct buffer *into)
{
    static const char *const scalars[] = { "1", "2", "null", "\"x\"", "[]", "{}" };
    static const char *const keys[] = { "\"a\":", "\"b\":", "\"\":", "\"0\":" };
    size_t kind = sim_random_below(random, 3), n = sim_random_below(random, 5);

    if (depth == 0 || kind == 0) {
        (void)buffer_append_string(into, scalars[sim_random_below(random, 6)]);
        return;
    }
    (void)buffer_append_string(into, kind == 1 ? "[" : "{");
    for (size_t i = 0; i < n && (kind == 1 || i < 4); i++) {
        (void)buffer_append_string(into, i ? "," : "");
        (void)buffer_append_string(into, kind == 1 ? "" : keys[(i + n) % 4]);
        random_value(random, depth - 1, into);
    }
    (void)buffer_append_string(into, kind == 1 ? "]" : "}");
}

/* Runs that differ in text, attributes or embeds; among the texts one that an embed could be taken for. */
static void random_delta(struct sim_random *random, struct buffer *into)
{
    static const char *const inserts[] = { "\"one two \"", "\"\xf0\x9f\x98\x80\\n\"", "\"\xef\xbf\xbc\"",
                                           "{\"image\":1}", "{\"image\":2}" };
    static const char *const attributes[] = { "", ",\"attributes\":{\"b\":true}",
                                              ",\"attributes\":{\"b\":1,\"i\":{\"x\":[1]}}",
                                              ",\"attributes\":{\"i\":true}" };

    (void)buffer_append_string(into, "{\"ops\":[");
    for (size_t i = 0, n = sim_random_below(random, 8); i < n; i++)
        (void)buffer_printf(into, "%s{\"insert\":%s%s}", i ? "," : "", inserts[sim_random_below(random, 5)],
                            attributes[sim_random_below(random, 4)]);
    (void)buffer_append_string(into, "]}");
}

/* As a document of the type has it: runs as long as they can be. */
static struct ot_json *in_normal_form(const struct ot_type *type, struct ot_json *json)
{
    struct ot_snapshot *snapshot = NULL;
    struct buffer text;

    buffer_init(&text, 1 << 20);
    assert_int_equal(ot_snapshot_create(type, json, NULL, &snapshot, NULL), 0);
    assert_int_equal(ot_snapshot_write_json(snapshot, buffer_write, &text), 0);
    ot_json_unref(json);
    json = parse(text.at, text.n_bytes);
    ot_snapshot_destroy(snapshot);
    buffer_finish(&text);
    return json;
}

static struct ot_json *random_content(struct sim_random *random, const struct ot_type *type)
{
    bool is_text = strcmp(ot_type_name(type), "text-unicode") == 0;
    struct ot_json *json = NULL;
    struct buffer text;

    buffer_init(&text, 1 << 20);
    if (is_text)
        random_text(random, &text);
    else if (strcmp(ot_type_name(type), "rich-text") == 0)
        random_delta(random, &text);
    else
        random_value(random, 4, &text);
    if (is_text)
        assert_int_equal(ot_json_from_text(text.at ? text.at : "", text.n_bytes, &json), 0);
    else
        json = parse(text.at, text.n_bytes);
    buffer_finish(&text);
    return in_normal_form(type, json);
}

static void it_leads_there_for_any(void **state)
{
    static const char *const types[] = { "text-unicode", "json0", "json1", "rich-text" };
    struct sim_random random = { 1 };

    (void)state;
    for (size_t i = 0; i < 12000; i++) {
        const struct ot_type *type = type_of(types[i % 4]);
        struct ot_json *before = random_content(&random, type), *after = random_content(&random, type);
        struct buffer text;

        buffer_init(&text, 1 << 20);
        difference(type, before, after, &text);
        buffer_finish(&text);
        ot_json_unref(before);
        ot_json_unref(after);
    }
}

/* A text of which all, or every line, or every word is another: what can't be found in time is one piece, or lines. */
static void large_texts_are_compared_in_time(void **state)
{
    static const size_t every[] = { 1, 10, 2000, 100000 };

    (void)state;
    for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
        struct ot_json *x = NULL, *y = NULL;
        struct buffer before, after, text;

        buffer_init(&before, 1 << 26);
        buffer_init(&after, 1 << 26);
        buffer_init(&text, 1 << 26);
        for (size_t n = 0; n < 150000; n++) {
            (void)buffer_printf(&before, "w%zu ", n % 997);
            (void)buffer_printf(&after, n % every[i] ? "w%zu " : "x%zu\n", n % 997);
        }
        assert_int_equal(ot_json_from_text(before.at, before.n_bytes, &x), 0);
        assert_int_equal(ot_json_from_text(after.at, after.n_bytes, &y), 0);
        difference(type_of("text-unicode"), x, y, &text);
        if (every[i] >= 2000)
            assert_true(text.n_bytes < 4000); /* what did not change is not in it */
        ot_json_unref(x);
        ot_json_unref(y);
        buffer_finish(&before);
        buffer_finish(&after);
        buffer_finish(&text);
    }
}

/* 20,000 elements, each another: in json1 every one is an operation that is composed with the others. */
static void large_lists_are_compared_in_time(void **state)
{
    struct ot_json *x, *y;
    struct buffer before, after, text;

    (void)state;
    buffer_init(&before, 1 << 26);
    buffer_init(&after, 1 << 26);
    buffer_init(&text, 1 << 26);
    for (size_t n = 0; n < 20000; n++) {
        (void)buffer_printf(&before, "%s{\"a\":%zu}", n ? "," : "[", n);
        (void)buffer_printf(&after, "%s{\"a\":%zu}", n ? "," : "[", n + 1);
    }
    (void)buffer_append_string(&before, "]");
    (void)buffer_append_string(&after, ",7]");
    x = parse(before.at, before.n_bytes);
    y = parse(after.at, after.n_bytes);
    difference(type_of("json1"), x, y, &text);
    ot_json_unref(x);
    ot_json_unref(y);
    buffer_finish(&before);
    buffer_finish(&after);
    buffer_finish(&text);
}

static void a_name_that_is_refused_is_told(void **state)
{
    struct ot_json *before = parse("{}", 2), *after = parse("{\"toString\":1}", 14);
    struct ot_error error = { "" };
    struct ot_op *op = NULL;

    (void)state;
    assert_true(difference_of_values(type_of("json0"), before, after, &op, &error) > 0);
    assert_string_not_equal(error.message, "");
    assert_null(op);
    ot_json_unref(before);
    ot_json_unref(after);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 4];
    char names[sizeof(rows) / sizeof(rows[0])][80];
    size_t n = 0;

    for (; n < sizeof(rows) / sizeof(rows[0]); n++) {
        (void)snprintf(names[n], sizeof(names[n]), "%s: %s", rows[n].type, rows[n].name);
        tests[n] = (struct CMUnitTest){ .name = names[n], .test_func = differs, .initial_state = &rows[n] };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(it_leads_there_for_any);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(large_texts_are_compared_in_time);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(large_lists_are_compared_in_time);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_name_that_is_refused_is_told);
    return _cmocka_run_group_tests("difference", tests, n, NULL, NULL);
}
