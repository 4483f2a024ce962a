#include "tests/unit/ot/harness.h"

#include "ot/structures/value.h"
#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct value value_of(const char *json)
{
    struct ot_json *parsed = json_of(json);
    struct value value;

    assert_int_equal(value_from_json(parsed, &value), 0);
    ot_json_unref(parsed);
    return value;
}

static void assert_reads(const struct value *value, const char *json)
{
    struct text text = { 0 };
    struct writer writer;

    writer_init(&writer, text_write, &text);
    value_write(&writer, value);
    assert_int_equal(writer_finish(&writer), 0);
    assert_string_equal(text.at, json);
    text_free(&text);
}

#define LONG "a text of more than fourteen bytes \xf0\x9f\x98\x80"

static void json_comes_back(void **state)
{
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "0",
        "-1.5",
        "1e+21",
        "\"\"",
        "\"fourteen bytes\"",
        "\"fifteen bytes..\"",
        "\"" LONG "\"",
        "[]",
        "{}",
        "[[],{},[1,[2,[3]]]]",
        "{\"a\":1,\"b\":[{\"" LONG "\":\"\\n\"}]}",
        "\"\\u0000\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct value value = value_of(same[i]), share = value_share(&value), again;
        struct ot_json *json;

        assert_reads(&value, same[i]);
        assert_int_equal(value_to_json(&value, &json), 0);
        assert_int_equal(value_from_json(json, &again), 0);
        assert_true(value_equal(&value, &again));
        ot_json_unref(json);
        value_release(&again);
        value_release(&value);
        assert_int_equal(value.kind, VALUE_NONE);
        assert_reads(&share, same[i]);
        value_release(&share);
    }
}

static void equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool is_equal;
    } rows[] = {
        { "1", "1.0", true },
        { "0", "-0", true },
        { "0", "null", false },
        { "false", "null", false },
        { "[]", "{}", false },
        { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
        { "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
        { "{\"a\":1}", "{\"b\":1}", false },
        { "[1,2]", "[1,2,3]", false },
        { "[1,2]", "[2,1]", false },
        { "\"" LONG "\"", "\"" LONG "\"", true },
        { "\"" LONG "\"", "\"" LONG "!\"", false },
        { "\"fourteen bytes\"", "\"fourteen bytes!\"", false },
        { "[{\"a\":[1]}]", "[{\"a\":[1]}]", true },
        { "[{\"a\":[1]}]", "[{\"a\":[2]}]", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value a = value_of(rows[i].a), b = value_of(rows[i].b);

        assert_int_equal(value_equal(&a, &b), rows[i].is_equal);
        assert_int_equal(value_equal(&b, &a), rows[i].is_equal);
        value_release(&a);
        value_release(&b);
    }
}

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

static void texts_are_ordered(void **state)
{
    static const struct {
        const char *a, *b;
        int by_bytes, by_utf16;
    } rows[] = {
        { "\"a\"", "\"b\"", -1, -1 },
        { "\"a\"", "\"ab\"", -1, -1 },
        { "\"\"", "\"\\u0000\"", -1, -1 },
        { "\"\xef\xbf\xbf\"", "\"\xf0\x90\x80\x80\"", -1, 1 },
        { "\"\xee\x80\x80\"", "\"\xf0\x90\x80\x80\"", -1, 1 },
        { "\"\xed\x9f\xbf\"", "\"\xf0\x90\x80\x80\"", -1, -1 },
        { "\"" LONG "\xef\xbf\xbf\"", "\"" LONG "\xf0\x90\x80\x80\"", -1, 1 },
        { "\"" LONG "\"", "\"" LONG "\"", 0, 0 },
        { "\"" LONG "\"", "\"a\"", 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value a = value_of(rows[i].a), b = value_of(rows[i].b);

        assert_int_equal(sign(value_text_compare(&a, &b)), rows[i].by_bytes);
        assert_int_equal(sign(value_text_compare(&b, &a)), -rows[i].by_bytes);
        assert_int_equal(sign(value_text_compare_utf16(&a, &b)), rows[i].by_utf16);
        assert_int_equal(sign(value_text_compare_utf16(&b, &a)), -rows[i].by_utf16);
        value_release(&a);
        value_release(&b);
    }
}

static void texts_are_read_in_pieces(void **state)
{
    static const char *const texts[] = { "", "short\xc3\xa9", LONG };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t n_bytes = strlen(texts[i]), at_cp = n_bytes ? 4 : 0;
        struct value_reader reader;
        struct value text;
        const char *at;

        assert_int_equal(value_text(texts[i], n_bytes, &text), 0);
        assert_int_equal(value_text_sums(&text).n_bytes, n_bytes);
        assert_true(value_text_is(&text, texts[i], n_bytes));
        assert_false(value_text_is(&text, LONG "!", strlen(LONG) + 1));
        value_reader_init(&reader, &text, at_cp);
        while (value_reader_read(&reader, 1, &at) > 0)
            assert_int_equal(*at, texts[i][at_cp++]);
        assert_int_equal(at_cp, n_bytes);
        value_release(&text);
    }
}

/* A text grows beyond what lies in the value, and shrinks below it; a share keeps the old one. */
static void texts_are_edited(void **state)
{
    struct value text = value_of("\"short\""), share;
    struct rope rope;

    (void)state;
    assert_int_equal(value_take_rope(&text, &rope), 0);
    assert_int_equal(text.kind, VALUE_NONE);
    assert_int_equal(rope_insert(&rope, 5, ", and then long", 15), 0);
    value_put_rope(&text, &rope);
    assert_int_equal(text.kind, VALUE_TEXT);
    share = value_share(&text);
    assert_int_equal(value_take_rope(&text, &rope), 0);
    assert_int_equal(rope_delete(&rope, 0, 16), 0);
    value_put_rope(&text, &rope);
    assert_reads(&text, "\"long\"");
    assert_reads(&share, "\"short, and then long\"");
    assert_int_equal(text.kind, VALUE_SHORT);
    assert_int_equal(value_take_rope(&text, &rope), 0);
    assert_int_equal(rope_delete(&rope, 0, 4), 0);
    value_put_rope(&text, &rope);
    assert_reads(&text, "\"\"");
    value_release(&share);
}

static void objects_are_edited(void **state)
{
    struct value object = value_of("{\"b\":1,\"a\":2}"), share = value_share(&object), key, old;
    size_t i;

    (void)state;
    assert_int_equal(value_text("c", 1, &key), 0);
    assert_null(value_get(&object, &key));
    assert_int_equal(value_set(&object, key, value_number(3)), 0);
    assert_int_equal(value_get(&object, &key)->number, 3);
    assert_int_equal(value_set(&object, key, value_number(4)), 0);
    assert_reads(&object, "{\"a\":2,\"b\":1,\"c\":4}");
    assert_int_equal(value_text("b", 1, &key), 0);
    assert_true(value_find(&object, &key, &i));
    assert_int_equal(value_remove(&object, i, &old), 0);
    assert_int_equal(old.number, 1);
    assert_false(value_find(&object, &key, &i));
    assert_int_equal(i, 1);
    assert_reads(&object, "{\"a\":2,\"c\":4}");
    assert_reads(&share, "{\"a\":2,\"b\":1}");
    value_release(&object);
    value_release(&share);
}

/* Changing what lies deep in one copy leaves the other alone. */
static void the_way_down_is_owned(void **state)
{
    struct value document = value_of("{\"list\":[[1],[2]],\"text\":\"" LONG "\"}"), share = value_share(&document), key;
    struct value *list, *inner;
    size_t i;

    (void)state;
    assert_int_equal(value_text("list", 4, &key), 0);
    assert_true(value_find(&document, &key, &i));
    list = value_own(&document, i);
    assert_non_null(list);
    inner = value_own(list, 1);
    assert_non_null(inner);
    assert_int_equal(value_append(inner, value_number(3)), 0);
    assert_reads(&document, "{\"list\":[[1],[2,3]],\"text\":\"" LONG "\"}");
    assert_reads(&share, "{\"list\":[[1],[2]],\"text\":\"" LONG "\"}");
    value_release(&document);
    value_release(&share);
}

static void sizes(void **state)
{
    static const struct {
        const char *json;
        size_t n_bytes, depth;
    } rows[] = {
        { "null", 4, 0 },       { "\"abc\"", 5, 0 },       { "[]", 2, 1 },
        { "[[],[[]]]", 11, 3 }, { "{\"a\":true}", 11, 1 }, { "{\"a\":{\"b\":false}}", 19, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value value = value_of(rows[i].json);

        assert_int_equal(value_json_bytes(&value), rows[i].n_bytes);
        assert_int_equal(value_depth(&value), rows[i].depth);
        value_release(&value);
    }
}

/* Many members, with names of all lengths, in any order. */
static void many_members(void **state)
{
    struct sim_random random = { 11 };
    struct value object = value_of_kind(VALUE_OBJECT);
    size_t n = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char name[64];
        size_t n_bytes = (size_t)snprintf(name, sizeof(name), "%zu", sim_random_below(&random, 3000)), i;
        struct value key, old;
        bool is_there;

        memset(name + n_bytes, 'x', n_bytes * 6);
        assert_int_equal(value_text(name, n_bytes + (n_bytes % 2) * n_bytes * 6, &key), 0);
        is_there = value_find(&object, &key, &i);
        assert_int_equal(is_there, value_get(&object, &key) != NULL);
        if (is_there && sim_random_chance(&random, 500)) {
            assert_int_equal(value_remove(&object, i, &old), 0);
            value_release(&key);
            n--;
        } else {
            n += !is_there;
            assert_int_equal(value_set(&object, key, value_number(round)), 0);
        }
        assert_int_equal(value_count(&object), n);
    }
    for (size_t i = 1; i < n; i++)
        assert_true(value_text_compare(value_key_at(&object, i - 1), value_key_at(&object, i)) < 0);
    value_release(&object);
}

/* Every allocation of making a value out of JSON fails in turn. */
static void memory_fails(void **state)
{
    struct ot_json *json = json_of("{\"" LONG "\":[1,[2,\"" LONG "\"],{}],\"b\":{\"c\":\"" LONG "\"},\"d\":\"short\"}");
    bool met = true;

    (void)state;
    for (size_t n = 0; met; n++) {
        struct value value = value_of_kind(VALUE_NONE);
        int r;

        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        r = value_from_json(json, &value);
        met = alloc_fault_disarm();
        assert_int_equal(r, met ? -ENOMEM : 0);
        assert_int_equal(value.kind, met ? VALUE_NONE : VALUE_OBJECT);
        value_release(&value);
    }
    ot_json_unref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_comes_back),       cmocka_unit_test(equality),
        cmocka_unit_test(texts_are_ordered),     cmocka_unit_test(texts_are_read_in_pieces),
        cmocka_unit_test(texts_are_edited),      cmocka_unit_test(objects_are_edited),
        cmocka_unit_test(the_way_down_is_owned), cmocka_unit_test(sizes),
        cmocka_unit_test(many_members),          cmocka_unit_test(memory_fails),
    };

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
