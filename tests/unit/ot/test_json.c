#include "tests/unit/ot/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- rows: what comes back when it is read and written
 * --------------------------------------------------------------- */

static const struct row {
    const char *name, *json, *want; /* want NULL: is no JSON */
} rows[] = {
    { "scalars", "[null,true,false,0,\"\"]", "[null,true,false,0,\"\"]" },
    { "white space everywhere", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", "{\"a\":[1,2],\"b\":{}}" },
    { "no white space of other kinds", "\v1", NULL },
    { "a scalar is a whole text", "\"x\"", "\"x\"" },
    { "nothing is none", "", NULL },
    { "white space is none", " ", NULL },
    { "two values are none", "1 2", NULL },
    { "no comma at the end of a list", "[1,]", NULL },
    { "no comma at the end of an object", "{\"a\":1,}", NULL },
    { "no comma at the start", "[,1]", NULL },
    { "no list closed as an object", "[1}", NULL },
    { "no object closed as a list", "{\"a\":1]", NULL },
    { "no key without quotes", "{a:1}", NULL },
    { "no key alone", "{\"a\"}", NULL },
    { "no value alone in an object", "{1}", NULL },
    { "no semicolon", "[1;2]", NULL },
    { "no other words", "[nul]", NULL },
    { "no capital words", "True", NULL },
    { "no NaN", "NaN", NULL },
    { "no closing alone", "]", NULL },

    { "numbers: integers up to 2^53", "[9007199254740991,-9007199254740991,9007199254740993]",
      "[9007199254740991,-9007199254740991,9007199254740992]" },
    { "numbers: the shortest form", "[1.0,1e0,100e-2,0.1,1.50]", "[1,1,1,0.1,1.5]" },
    { "numbers: exponents as JavaScript has them", "[1e21,1e20,1e-6,1e-7,123e-9]",
      "[1e+21,100000000000000000000,0.000001,1e-7,1.23e-7]" },
    { "numbers: -0 becomes 0", "[-0,-0.0,-0e5,-1e-999]", "[0,0,0,0]" },
    { "numbers: the extremes", "[5e-324,1.7976931348623157e308,2.2250738585072014e-308]",
      "[5e-324,1.7976931348623157e+308,2.2250738585072014e-308]" },
    { "numbers: a power of two with uneven neighbours", "5316911983139663491615228241121378304",
      "5.316911983139664e+36" },
    { "numbers: rounding up at the half", "0.1000000000000000055511151231257827021181583404541015625", "0.1" },
    { "numbers: no leading zero", "01", NULL },
    { "numbers: no plus", "+1", NULL },
    { "numbers: no bare point", "1.", NULL },
    { "numbers: no point first", ".1", NULL },
    { "numbers: no bare exponent", "1e", NULL },
    { "numbers: no bare minus", "-", NULL },
    { "numbers: no hexadecimal", "0x1", NULL },

    { "strings: unescaped where JSON allows", "\"\\u00e9\\u65e5\\ud83d\\ude00\\/\"", "\"é日😀/\"" },
    { "strings: escaped where it does not", "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"",
      "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"" },
    { "strings: capital hexadecimal", "\"\\u00E9\\uD83D\\uDE00\"", "\"é😀\"" },
    { "strings: no control character", "\"a\nb\"", NULL },
    { "strings: no unknown escape", "\"\\x41\"", NULL },
    { "strings: no bad \\u", "\"\\u12g4\"", NULL },
    { "strings: not unended", "\"abc", NULL },
    { "strings: no single quotes", "'a'", NULL },
    { "UTF-8: the edges of each length",
      "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
      "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
    { "UTF-8: no overlong of two", "\"\xc1\xbf\"", NULL },
    { "UTF-8: no overlong of three", "\"\xe0\x9f\xbf\"", NULL },
    { "UTF-8: no overlong of four", "\"\xf0\x8f\xbf\xbf\"", NULL },
    { "UTF-8: no surrogate", "\"\xed\xa0\x80\"", NULL },
    { "UTF-8: nothing beyond U+10FFFF", "\"\xf4\x90\x80\x80\"", NULL },
    { "UTF-8: no continuation alone", "\"\x80\"", NULL },
    { "UTF-8: not cut by the quote", "\"\xe6\x97\"", NULL },
    { "UTF-8: no byte order mark", "\xef\xbb\xbf{}", NULL },
    { "UTF-8: not outside of strings", "[\xc2\xa0]", NULL },

    { "keys: the order they came in", "{\"b\":1,\"a\":2,\"1\":3}", "{\"b\":1,\"a\":2,\"1\":3}" },
    { "keys: of two alike the last counts, at the first one's place", "{\"a\":1,\"b\":2,\"a\":3}",
      "{\"a\":3,\"b\":2}" },
    { "keys: alike once escapes are read", "{\"\\u0061\":1,\"a\":2}", "{\"a\":2}" },
    { "keys: three alike, in many",
      "{\"k\":0,\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"k\":1,\"10\":0,"
      "\"11\":0,\"12\":0,\"13\":0,\"14\":0,\"15\":0,\"k\":[2]}",
      "{\"k\":[2],\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0,\"11\":0,"
      "\"12\":0,\"13\":0,\"14\":0,\"15\":0}" },
    { "keys: the empty one", "{\"\":1}", "{\"\":1}" },
    { "nested", "[[],[[]],{\"a\":{\"b\":[{}]}}]", "[[],[[]],{\"a\":{\"b\":[{}]}}]" },
};

static void reads_and_writes(void **state)
{
    const struct row *row = *state;
    struct ot_json *json = NULL;
    char *text;
    int r = parse_exactly(row->json, strlen(row->json), NULL, &json);

    if (!row->want) {
        assert_int_equal(r, OT_BAD_JSON);
        assert_null(json);
        return;
    }
    assert_int_equal(r, 0);
    assert_int_equal(ot_json_flaw(json), 0);
    text = written_json(json);
    assert_string_equal(text, row->want);
    free(text);
    ot_json_unref(json);
}

/* Text is looked at eight bytes at a time; so each byte that matters stands at each place of the eight. */
static void a_special_byte_is_found_wherever_it_stands(void **state)
{
    static const char *const special[] = { "\"", "\\", "\n", "\x01", "/", "\x7f", "é", "日", "😀" };

    for (size_t i = 0; i < N(special) * 20 * 10; i++) {
        size_t n_before = i / N(special) / 10, n_after = i / N(special) % 10, n_bytes;
        char text[64], quoted[OT_JSON_QUOTED_BYTES(sizeof(text))], *written;
        int n = snprintf(text, sizeof(text), "%.*s%s%.*s", (int)n_before, "abcdefghijklmnopqrst",
                         special[i % N(special)], (int)n_after, "uvwxyzuvwx");
        struct ot_json *value = NULL, *again;

        assert_int_equal(ot_json_from_text(text, (size_t)n, &value), 0);
        written = written_json(value);
        assert_int_equal(ot_json_quote(text, (size_t)n, quoted), strlen(written));
        assert_memory_equal(quoted, written, strlen(written));
        again = json_of(written);
        assert_memory_equal(ot_json_string(again, &n_bytes), text, (size_t)n);
        assert_int_equal(n_bytes, n);
        ot_json_unref(again);
        ot_json_unref(value);
        free(written);
    }
}

static void a_zero_byte_is_not_the_end(void **state)
{
    static const char text[] = "{\"a\":[1,-2.5,\"b\\n\",true],\"c\":null}";

    for (size_t i = 0; i < sizeof(text); i++) {
        char with_zero[sizeof(text)];
        struct ot_json *json = NULL;

        memcpy(with_zero, text, i);
        with_zero[i] = '\0';
        memcpy(with_zero + i + 1, text + i, sizeof(text) - 1 - i);
        assert_int_equal(parse_exactly(with_zero, sizeof(with_zero), NULL, &json), OT_BAD_JSON);
        assert_null(json);
    }
}

/* ---- reading values
 * -------------------------------------------------------------------------------------------------- */

static void members_are_found(void **state)
{
    struct ot_json *json = json_of("{\"a\":\"op\",\"v\":12,\"\":null,\"c\":{\"x\":1}}");
    size_t n_bytes;
    uint64_t v;

    (void)state;
    assert_int_equal(ot_json_count(json), 4);
    assert_memory_equal(ot_json_key_at(json, 1, &n_bytes), "v", 1);
    assert_int_equal(n_bytes, 1);
    assert_true(ot_json_integer(ot_json_get(json, "v", 1), &v));
    assert_int_equal(v, 12);
    assert_int_equal(ot_json_kind(ot_json_get(json, "", 0)), OT_JSON_NULL);
    assert_null(ot_json_get(json, "b", 1));
    assert_null(ot_json_get(json, "aa", 2));
    assert_null(ot_json_get(ot_json_get(json, "v", 1), "x", 1));
    assert_null(ot_json_get(NULL, "x", 1));
    assert_int_equal(ot_json_count(ot_json_get(json, "v", 1)), 0);
    ot_json_unref(json);
}

static void many_members_are_found(void **state)
{
    struct text text = { 0 };
    struct ot_json *json;
    char key[32];

    (void)state;
    text_add(&text, "{\"0\":-1");
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), ",\"%d\":%d", i * 7919 % 5000, i);
        text_add(&text, key);
    }
    text_add(&text, "}");
    json = json_of(text.at);
    assert_int_equal(ot_json_count(json), 5000);
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof(key), "%d", i * 7919 % 5000);

        assert_int_equal(ot_json_number(ot_json_get(json, key, (size_t)n)), i);
    }
    assert_null(ot_json_get(json, "5000", 4));
    ot_json_unref(json);
    text_free(&text);
}

static void integers_are_those_of_javascript(void **state)
{
    static const struct {
        const char *json;
        bool is_integer;
        uint64_t value;
    } cases[] = {
        { "0", true, 0 },      { "1.0", true, 1 },
        { "1e3", true, 1000 }, { "9007199254740991", true, 9007199254740991 },
        { "1.5", false, 0 },   { "-1", false, 0 },
        { "-0", true, 0 },     { "9007199254740992", false, 0 },
        { "1e300", false, 0 }, { "\"1\"", false, 0 },
        { "true", false, 0 },  { "1e999", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ot_json *json = json_of(cases[i].json);
        uint64_t value = 77;

        assert_int_equal(ot_json_integer(json, &value), cases[i].is_integer);
        assert_int_equal(value, cases[i].is_integer ? cases[i].value : 77);
        ot_json_unref(json);
    }
}

static void a_child_outlives_its_parent(void **state)
{
    struct ot_json *json = json_of("{\"op\":[1,\"abc\"]}"), *child;
    size_t n_bytes;
    const char *text;

    (void)state;
    child = ot_json_ref(ot_json_at(ot_json_get(json, "op", 2), 1));
    ot_json_unref(json);
    text = ot_json_string(child, &n_bytes);
    assert_int_equal(n_bytes, 3);
    assert_memory_equal(text, "abc", 3);
    ot_json_unref(child);
}

static void equality_is_deep(void **state)
{
    static const struct {
        const char *a, *b;
        bool are_equal;
    } cases[] = {
        { "1", "1.0", true },
        { "[1,2]", "[2,1]", false },
        { "{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1}", true },
        { "{\"a\":1}", "{\"a\":1,\"b\":1}", false },
        { "{\"a\":1}", "{\"b\":1}", false },
        { "null", "false", false },
        { "\"a\"", "\"\\u0061\"", true },
        { "\"a\"", "\"b\"", false },
        { "[]", "{}", false },
        { "[]", "[]", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ot_json *a = json_of(cases[i].a), *b = json_of(cases[i].b);

        assert_int_equal(ot_json_equal(a, b), cases[i].are_equal);
        assert_int_equal(ot_json_equal(b, a), cases[i].are_equal);
        assert_true(ot_json_equal(a, a));
        ot_json_unref(a);
        ot_json_unref(b);
    }
}

static void text_becomes_a_value(void **state)
{
    struct ot_json *json = NULL;
    size_t n_bytes;

    (void)state;
    assert_int_equal(ot_json_from_text("a\0\xc3\xa9", 4, &json), 0);
    assert_memory_equal(ot_json_string(json, &n_bytes), "a\0\xc3\xa9", 4);
    assert_int_equal(n_bytes, 4);
    ot_json_unref(json);
    json = NULL;
    assert_int_equal(ot_json_from_text("a\xc3", 2, &json), OT_BAD_JSON);
    assert_int_equal(ot_json_from_text("01234567\xed\xa0\x80", 11, &json), OT_BAD_JSON);
    assert_null(json);
}

/* ---- flaws
 * ----------------------------------------------------------------------------------------------------------- */

/* path: what leads from the root to the value that must have become OT_JSON_FLAW, one letter a step. */
static const struct flawed {
    const char *name, *json, *path;
    int flaw;
} flawed[] = {
    { "flaw: a high surrogate alone", "{\"a\":[\"\\ud83d\"]}", "a0", OT_NOT_APPLIED },
    { "flaw: a low surrogate alone", "{\"a\":[1,\"x\\ude00x\"]}", "a1", OT_NOT_APPLIED },
    { "flaw: two high surrogates", "\"\\ud83d\\ud83d\\ude00\"", "", OT_NOT_APPLIED },
    { "flaw: a high surrogate before another escape", "\"\\ud83d\\u0041\"", "", OT_NOT_APPLIED },
    { "flaw: a high surrogate before a letter", "\"\\ud83dude00\"", "", OT_NOT_APPLIED },
    { "flaw: a surrogate in a key", "{\"a\":{\"\\ud83d\":1,\"b\":2},\"c\":1}", "a", OT_NOT_APPLIED },
    { "flaw: U+0000 in a key", "{\"a\":{\"x\\u0000\":1}}", "a", OT_NOT_APPLIED },
    { "flaw: __proto__ as a key", "{\"a\":{\"__proto__\":1}}", "a", OT_NOT_APPLIED },
    { "flaw: a number beyond double", "{\"a\":{\"b\":1e309}}", "ab", OT_NOT_APPLIED },
    { "flaw: a negative number beyond double", "[-1e999]", "0", OT_NOT_APPLIED },
    { "flaw: nested too deeply", "[[[[[1,{\"a\":[]}]]]],2]", "000", OT_LIMIT },
};

static void flaw_is_marked_where_it_is(void **state)
{
    const struct flawed *row = *state;
    const struct ot_limits limits = { .max_depth = 3, .max_components = 1, .max_document_bytes = 1 };
    struct ot_json *json = NULL;
    const struct ot_json *at;

    assert_int_equal(parse_exactly(row->json, strlen(row->json), &limits, &json), 0);
    at = json;
    for (const char *step = row->path; *step; step++) {
        assert_int_equal(ot_json_flaw(at), row->flaw);
        assert_int_not_equal(ot_json_kind(at), OT_JSON_FLAW);
        at = *step == '0' || *step == '1' ? ot_json_at(at, (size_t)(*step - '0')) : ot_json_get(at, step, 1);
        assert_non_null(at);
    }
    assert_int_equal(ot_json_kind(at), OT_JSON_FLAW);
    assert_int_equal(ot_json_flaw(at), row->flaw);
    ot_json_unref(json);
}

static void what_stands_beside_a_flaw_is_sound(void **state)
{
    struct ot_json *json = json_of("{\"a\":\"op\",\"op\":[\"\\ud83d\"],\"seq\":7}");

    (void)state;
    assert_int_equal(ot_json_flaw(ot_json_get(json, "a", 1)), 0);
    assert_int_equal(ot_json_flaw(ot_json_get(json, "seq", 3)), 0);
    ot_json_unref(json);
}

static void a_surrogate_that_a_later_key_replaces_is_no_flaw(void **state)
{
    struct ot_json *json = json_of("{\"a\":\"\\ud83d\",\"a\":1}");

    (void)state;
    assert_int_equal(ot_json_flaw(json), 0);
    ot_json_unref(json);
}

static char *repeated(const char *what, size_t n, const char *middle, const char *end)
{
    struct text text = { 0 };

    for (size_t i = 0; i < n; i++)
        assert_int_equal(text_write(&text, what, strlen(what)), 0);
    text_add(&text, middle);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(text_write(&text, end, strlen(end)), 0);
    return text.at;
}

static void a_million_levels_are_read_without_recursion(void **state)
{
    char *lists = repeated("[", 1000000, "1", "]"), *objects = repeated("{\"a\":", 1000000, "1", "}"),
         *unended = repeated("[{\"a\":", 1000000, "1", "");
    struct ot_json *json = json_of(lists);

    (void)state;
    assert_int_equal(ot_json_flaw(json), OT_LIMIT);
    ot_json_unref(json);
    json = json_of(objects);
    assert_int_equal(ot_json_flaw(json), OT_LIMIT);
    ot_json_unref(json);
    json = NULL;
    assert_int_equal(parse_exactly(unended, strlen(unended), NULL, &json), OT_BAD_JSON);
    lists[1500000] = '}';
    assert_int_equal(parse_exactly(lists, strlen(lists), NULL, &json), OT_BAD_JSON);
    free(lists);
    free(objects);
    free(unended);
}

static void the_ceiling_of_nesting_is_exact(void **state)
{
    char *allowed = repeated("[", 200, "", "]"), *beyond = repeated("[", 201, "", "]");
    struct ot_json *json = json_of(allowed);

    (void)state;
    assert_int_equal(ot_json_flaw(json), 0);
    ot_json_unref(json);
    json = json_of(beyond);
    assert_int_equal(ot_json_flaw(json), OT_LIMIT);
    ot_json_unref(json);
    free(allowed);
    free(beyond);
}

static void no_caller_can_lift_the_ceiling_of_nesting(void **state)
{
    const struct ot_limits limits = { .max_depth = SIZE_MAX, .max_components = 1, .max_document_bytes = 1 };
    char *allowed = repeated("[", 1000, "", "]"), *beyond = repeated("[", 1001, "", "]");
    struct ot_json *json = NULL;

    (void)state;
    assert_int_equal(parse_exactly(allowed, strlen(allowed), &limits, &json), 0);
    assert_int_equal(ot_json_flaw(json), 0);
    ot_json_unref(json);
    assert_int_equal(parse_exactly(beyond, strlen(beyond), &limits, &json), 0);
    assert_int_equal(ot_json_flaw(json), OT_LIMIT);
    ot_json_unref(json);
    free(allowed);
    free(beyond);
}

/* ---- cut everywhere
 * -------------------------------------------------------------------------------------------------- */

static const char message[] =
    " {\"a\":\"op\",\"c\":\"n\\u00f6t\\ud83d\\ude00s\",\"d\":\"日😀\",\"v\":12.5e1,\"n\":-3,\"seq\":4,"
    "\"big\":[1,[true,false,null],{\"x\":{\"y\":\"\\n\"}}],\"op\":[3,\"añb\",{\"d\":2}],\"last\":true } ";

static void no_beginning_of_a_text_is_a_text(void **state)
{
    size_t n_bytes = strlen(message);

    (void)state;
    for (size_t n = 0; n < n_bytes - 1; n++) {
        struct ot_json *json = NULL;

        assert_int_equal(parse_exactly(message, n, NULL, &json), OT_BAD_JSON);
        assert_null(json);
    }
}

static int parse_prefix_exactly(const char *json, size_t n_bytes, struct ot_json **out)
{
    char *copy = malloc(n_bytes ? n_bytes : 1);
    int r;

    assert_non_null(copy);
    memcpy(copy, json, n_bytes);
    r = ot_json_parse_prefix(copy, n_bytes, NULL, out, NULL);
    free(copy);
    return r;
}

static void a_prefix_holds_what_lies_wholly_in_it(void **state)
{
    struct ot_json *whole = json_of(message), *prefix = NULL;
    size_t n_bytes = strlen(message), n_members = 0;

    (void)state;
    assert_int_equal(parse_prefix_exactly(message, 1, &prefix), OT_BAD_JSON);
    for (size_t n = 2; n <= n_bytes; n++) {
        assert_int_equal(parse_prefix_exactly(message, n, &prefix), 0);
        assert_int_equal(ot_json_kind(prefix), OT_JSON_OBJECT);
        assert_in_range(ot_json_count(prefix), n_members, n_members + 1);
        n_members = ot_json_count(prefix);
        for (size_t i = 0; i < n_members; i++) {
            size_t n_key;
            const char *key = ot_json_key_at(prefix, i, &n_key);

            assert_true(ot_json_equal(ot_json_at(prefix, i), ot_json_get(whole, key, n_key)));
        }
        ot_json_unref(prefix);
        prefix = NULL;
    }
    assert_int_equal(n_members, ot_json_count(whole));
    ot_json_unref(whole);
}

static void a_prefix_of_many_members_is_searched(void **state)
{
    struct text text = { 0 };

    (void)state;
    text_add(&text, "{");
    for (char c = 'a'; c <= 'z'; c++) {
        char member[] = "\"?\":[\"?\"],";

        member[1] = member[6] = c;
        text_add(&text, member);
    }
    for (size_t n = 1; n < text.n_bytes; n++) {
        struct ot_json *json = NULL;

        assert_int_equal(parse_prefix_exactly(text.at, n, &json), 0);
        assert_int_equal(ot_json_count(json), (n - 1) / 10 + ((n - 1) % 10 == 9));
        for (size_t i = 0; i < ot_json_count(json); i++) {
            char key = (char)('a' + i);

            assert_ptr_equal(ot_json_get(json, &key, 1), ot_json_at(json, i));
        }
        ot_json_unref(json);
    }
    text_free(&text);
}

static void a_prefix_does_not_forgive(void **state)
{
    static const char *const bad[] = { "",          "[",  "1",   "\"a\"", "{\"a\":tru3", "{\"a\":1,}", "{\"a\":\"\xff",
                                       "{\"a\":01", "{a", "{} x" };
    struct ot_json *json = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_prefix_exactly(bad[i], strlen(bad[i]), &json), OT_BAD_JSON);
    assert_null(json);
}

static void a_prefix_may_be_cut_deep_down(void **state)
{
    char *deep = repeated("[", 5000, "", "");
    struct text text = { 0 };
    struct ot_json *json = NULL;
    char *written;

    (void)state;
    text_add(&text, "{\"a\":1,\"b\":");
    text_add(&text, deep);
    assert_int_equal(parse_prefix_exactly(text.at, text.n_bytes, &json), 0);
    written = written_json(json);
    assert_string_equal(written, "{\"a\":1}");
    free(written);
    ot_json_unref(json);
    text_free(&text);
    free(deep);
}

/* ---- numbers
 * --------------------------------------------------------------------------------------------------------- */

static void every_double_survives(void **state)
{
    struct sim_random random = { 1 };

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = sim_random_u64(&random), back;
        struct ot_json *json = NULL;
        struct text text = { 0 };
        double number;

        memcpy(&number, &bits, sizeof(number));
        if (number - number != 0)
            continue;
        assert_int_equal(ot_json_from_number(number, &json), 0);
        assert_int_equal(ot_json_write(json, text_write, &text), 0);
        ot_json_unref(json);
        json = json_of(text.at);
        number = ot_json_number(json);
        memcpy(&back, &number, sizeof(back));
        assert_int_equal(back, bits);
        ot_json_unref(json);
        text_free(&text);
    }
}

static void long_numbers_are_rounded_once(void **state)
{
    /* 2^53 + 1 lies half-way between two doubles; the last of a thousand digits decides. */
    static const char half[] = "9007199254740993.";
    char text[1100];
    struct ot_json *json;

    (void)state;
    memset(text, '0', sizeof(text));
    memcpy(text, half, strlen(half));
    text[sizeof(text) - 1] = 0;
    json = json_of(text);
    assert_true(ot_json_number(json) == 9007199254740992.0);
    ot_json_unref(json);
    text[sizeof(text) - 2] = '1';
    json = json_of(text);
    assert_true(ot_json_number(json) == 9007199254740994.0);
    ot_json_unref(json);
}

static int refuse(void *arg, const char *at, size_t n_bytes)
{
    (void)arg;
    (void)at;
    (void)n_bytes;
    return -ENOSPC;
}

static void what_the_writer_answers_is_passed_up(void **state)
{
    struct ot_json *json = json_of("[1]");

    (void)state;
    assert_int_equal(ot_json_write(json, refuse, NULL), -ENOSPC);
    assert_int_equal(ot_json_write_string("a", 1, refuse, NULL), -ENOSPC);
    ot_json_unref(json);
}

static struct CMUnitTest row_test(const char *name, void (*test)(void **), const void *row)
{
    union {
        const void *row;
        void *state;
    } state = { .row = row };

    return (struct CMUnitTest){ .name = name, .test_func = test, .initial_state = state.state };
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_special_byte_is_found_wherever_it_stands),
        cmocka_unit_test(a_zero_byte_is_not_the_end),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(many_members_are_found),
        cmocka_unit_test(integers_are_those_of_javascript),
        cmocka_unit_test(a_child_outlives_its_parent),
        cmocka_unit_test(equality_is_deep),
        cmocka_unit_test(text_becomes_a_value),
        cmocka_unit_test(what_stands_beside_a_flaw_is_sound),
        cmocka_unit_test(a_surrogate_that_a_later_key_replaces_is_no_flaw),
        cmocka_unit_test(a_million_levels_are_read_without_recursion),
        cmocka_unit_test(the_ceiling_of_nesting_is_exact),
        cmocka_unit_test(no_caller_can_lift_the_ceiling_of_nesting),
        cmocka_unit_test(no_beginning_of_a_text_is_a_text),
        cmocka_unit_test(a_prefix_holds_what_lies_wholly_in_it),
        cmocka_unit_test(a_prefix_of_many_members_is_searched),
        cmocka_unit_test(a_prefix_does_not_forgive),
        cmocka_unit_test(a_prefix_may_be_cut_deep_down),
        cmocka_unit_test(every_double_survives),
        cmocka_unit_test(long_numbers_are_rounded_once),
        cmocka_unit_test(what_the_writer_answers_is_passed_up),
    };
    static struct CMUnitTest tests[N(rows) + N(flawed) + N(others)];
    size_t n = 0;

    for (size_t i = 0; i < N(rows); i++)
        tests[n++] = row_test(rows[i].name, reads_and_writes, &rows[i]);
    for (size_t i = 0; i < N(flawed); i++)
        tests[n++] = row_test(flawed[i].name, flaw_is_marked_where_it_is, &flawed[i]);
    for (size_t i = 0; i < N(others); i++)
        tests[n++] = others[i];
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
