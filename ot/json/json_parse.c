#include "ot/json/json_parse.h"
#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/json/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the grammar is walked without recursion: value() takes a scalar whole or opens a list or object; step() goes on
 * in the innermost open one. What has been read and not yet found its parent lies in `scratch`, an open container as a
 * placeholder that remembers the one around it; closing it moves its children, side by side, into the arena.
 *
 *     {"a":[1,2      scratch: {  "a"  [  1  2          above the ceiling nothing is kept but one bit for each
 *                             ^-------'  open          level, '[' or '{', to check the grammar by
 */

static int json_bad(struct json_parser *p, const char *what)
{
    return ot_fail(p->error, OT_BAD_JSON, "not JSON: %s at byte %zu", what, (size_t)(p->at - p->text));
}

static bool is_skipping(const struct json_parser *p)
{
    return p->depth > p->max_depth;
}

static int scratch_grow(struct json_parser *p)
{
    size_t n_bytes = p->n_scratch * sizeof(*p->scratch);
    struct ot_json *grown = realloc(p->scratch == p->first_scratch ? NULL : p->scratch, 2 * n_bytes);

    if (!grown)
        return -ENOMEM;
    if (p->scratch == p->first_scratch)
        memcpy(grown, p->first_scratch, n_bytes);
    p->scratch = grown;
    p->scratch_capacity *= 2;
    return 0;
}

static int push(struct json_parser *p, struct ot_json value)
{
    int r = 0;

    if (is_skipping(p))
        return 0;
    if (p->n_scratch == p->scratch_capacity)
        r = scratch_grow(p);
    if (!r)
        p->scratch[p->n_scratch++] = value;
    return r;
}

static int push_kind(struct json_parser *p, enum ot_json_kind kind, int flaw)
{
    return push(p, (struct ot_json){ .kind = (uint8_t)kind, .flaw = (uint8_t)flaw });
}

static void skip_white(struct json_parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

static int remember_level(struct json_parser *p, bool is_object)
{
    size_t level = p->depth - p->max_depth - 1;

    if (level / 8 >= p->n_levels) {
        size_t n = p->n_levels ? 2 * p->n_levels : 64;
        unsigned char *grown = realloc(p->levels, n);

        if (!grown)
            return -ENOMEM;
        p->levels = grown;
        p->n_levels = n;
    }
    p->levels[level / 8] &= (unsigned char)~(1u << level % 8);
    p->levels[level / 8] |= (unsigned char)((unsigned)is_object << level % 8);
    return 0;
}

static int container_open(struct json_parser *p, enum ot_json_kind kind)
{
    struct ot_json placeholder = { .kind = (uint8_t)kind };
    int r;

    p->at++;
    p->is_first = true;
    if (p->depth++ >= p->max_depth)
        return remember_level(p, kind == OT_JSON_OBJECT);
    placeholder.at = p->open;
    r = push(p, placeholder);
    p->open = (uint32_t)p->n_scratch - 1;
    return r;
}

static bool innermost_is_object(const struct json_parser *p)
{
    size_t level = p->depth - p->max_depth - 1;

    if (is_skipping(p))
        return p->levels[level / 8] >> level % 8 & 1;
    return p->scratch[p->open].kind == OT_JSON_OBJECT;
}

static int container_close(struct json_parser *p)
{
    p->at++;
    if (!is_skipping(p)) {
        p->depth--;
        return json_container_finish(p);
    }
    p->depth--;
    return is_skipping(p) ? 0 : push_kind(p, OT_JSON_FLAW, OT_LIMIT);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

#define ONES 0x0101010101010101ull

/* The bytes up to the first that is a quote, an escape, a control character or no ASCII; eight at a time. */
static size_t plain_run(const char *at, const char *end)
{
    const char *from = at;

    for (; end - at >= 8; at += 8) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        if ((word | (word - ONES * 0x20) | ((word ^ ONES * '"') - ONES) | ((word ^ ONES * '\\') - ONES)) & ONES * 0x80)
            break;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - from);
}

static void copy_text(struct json_parser *p, size_t n_bytes)
{
    memcpy(json_byte(p->arena, p->text_end), p->at, n_bytes);
    p->text_end += n_bytes;
    p->at += n_bytes;
}

/* Four hexadecimal digits at `at` into *out. */
static int take_hex(struct json_parser *p, uint32_t *out)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++, p->at++) {
        unsigned char c = p->at < p->end ? (unsigned char)*p->at : 0;

        if (p->at == p->end)
            return JSON_CUT;
        if (c >= '0' && c <= '9')
            unit = unit * 16 + (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            unit = unit * 16 + ((c | 0x20u) - 'a' + 10);
        else
            return json_bad(p, "a bad \\u escape");
    }
    *out = unit;
    return 0;
}

static bool is_high(uint32_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

static bool is_low(uint32_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

/* Behind \u: one unit, or both of a pair. A lone surrogate marks the string and is left out. */
static int take_unicode(struct json_parser *p, struct ot_json *string, bool is_key)
{
    uint32_t unit = 0, low = 0;
    int r = take_hex(p, &unit);

    if (r)
        return r;
    if (is_high(unit) && p->end - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u') {
        p->at += 2;
        r = take_hex(p, &low); /* if it is not the other half, the string is flawed whatever it is */
        if (r)
            return r;
    }
    if (is_high(unit) && is_low(low))
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
    if ((unit & 0xfffff800) == 0xd800 || (!unit && is_key))
        string->flaw = OT_NOT_APPLIED;
    else
        p->text_end += utf8_put(json_byte(p->arena, p->text_end), unit);
    return 0;
}

static int take_escape(struct json_parser *p, struct ot_json *string, bool is_key)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    p->at++;
    if (p->at == p->end)
        return JSON_CUT;
    if (*p->at == 'u') {
        p->at++;
        return take_unicode(p, string, is_key);
    }
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (letters[i] == *p->at) {
            *json_byte(p->arena, p->text_end++) = letters[i + 1];
            p->at++;
            return 0;
        }
    }
    return json_bad(p, "an unknown escape");
}

static int take_beyond_ascii(struct json_parser *p)
{
    const char *at = p->at;
    bool is_cut = false;

    while (at < p->end && (unsigned char)*at >= 0x80) {
        size_t n = utf8_character(at, p->end, &is_cut);

        if (!n)
            return is_cut ? JSON_CUT : json_bad(p, "invalid UTF-8");
        at += n;
    }
    copy_text(p, (size_t)(at - p->at));
    return 0;
}

static int take_string(struct json_parser *p, bool is_key)
{
    struct ot_json string = { .kind = OT_JSON_STRING };
    int r = 0;

    p->at++;
    string.at = (uint32_t)p->text_end;
    while (!r) {
        copy_text(p, plain_run(p->at, p->end));
        if (p->at == p->end)
            return JSON_CUT;
        if (*p->at == '"')
            break;
        if (*p->at == '\\')
            r = take_escape(p, &string, is_key);
        else if ((unsigned char)*p->at < 0x20)
            r = json_bad(p, "a control character");
        else
            r = take_beyond_ascii(p);
    }
    if (r)
        return r;
    p->at++;
    string.n = (uint32_t)(p->text_end - string.at);
    if (is_key && string.n == 9 && memcmp(json_byte(p->arena, string.at), "__proto__", 9) == 0)
        string.flaw = OT_NOT_APPLIED; /* to JavaScript it would be no key, but what the object descends from */
    if (string.flaw)
        string.kind = OT_JSON_FLAW;
    return push(p, string);
}

/* ---- the grammar ------------------------------------------------------------------------------------------------- */

static int take_number(struct json_parser *p)
{
    struct ot_json number = { .kind = OT_JSON_NUMBER };
    bool is_cut;
    size_t n = number_read(p->at, p->end, &number.number, &is_cut);

    if (n == NUMBER_READ_BAD)
        return is_cut ? JSON_CUT : json_bad(p, "a bad number");
    p->at += n;
    if (p->is_prefix && p->at == p->end)
        return JSON_CUT; /* more digits may follow */
    if (isinf(number.number))
        return push_kind(p, OT_JSON_FLAW, OT_NOT_APPLIED);
    return push(p, number);
}

static int take_word(struct json_parser *p, const char *word, size_t n_bytes, enum ot_json_kind kind)
{
    size_t n_left = (size_t)(p->end - p->at), n = n_left < n_bytes ? n_left : n_bytes;

    if (memcmp(p->at, word, n) != 0)
        return json_bad(p, "an unknown word");
    if (n < n_bytes)
        return JSON_CUT;
    p->at += n;
    return push_kind(p, kind, 0);
}

static int value(struct json_parser *p)
{
    skip_white(p);
    if (p->at == p->end)
        return JSON_CUT;
    switch (*p->at) {
    case '{': return container_open(p, OT_JSON_OBJECT);
    case '[': return container_open(p, OT_JSON_ARRAY);
    case '"': return take_string(p, false);
    case 't': return take_word(p, "true", 4, OT_JSON_TRUE);
    case 'f': return take_word(p, "false", 5, OT_JSON_FALSE);
    case 'n': return take_word(p, "null", 4, OT_JSON_NULL);
    default: return take_number(p);
    }
}

static int key_and_colon(struct json_parser *p)
{
    int r;

    skip_white(p);
    if (p->at == p->end)
        return JSON_CUT;
    if (*p->at != '"')
        return json_bad(p, "no key");
    r = take_string(p, true);
    if (r)
        return r;
    skip_white(p);
    if (p->at == p->end)
        return JSON_CUT;
    if (*p->at != ':')
        return json_bad(p, "no colon");
    p->at++;
    return 0;
}

static int step(struct json_parser *p)
{
    bool is_object = innermost_is_object(p), is_first = p->is_first;
    int r = 0;

    p->is_first = false;
    skip_white(p);
    if (p->at == p->end)
        return JSON_CUT;
    if (*p->at == (is_object ? '}' : ']'))
        return container_close(p);
    if (!is_first && *p->at++ != ',') {
        p->at--;
        return json_bad(p, "no comma");
    }
    if (is_object)
        r = key_and_colon(p);
    return r ? r : value(p);
}

static int whole(struct json_parser *p)
{
    int r = value(p);

    while (!r && p->depth)
        r = step(p);
    if (r)
        return r;
    skip_white(p);
    return p->at == p->end ? 0 : json_bad(p, "something after the value");
}

/* What was complete in the outermost object when the text ended: pairs in scratch up to the container then open in it,
 * whose key, like a key without its value, has no partner and goes. */
static int close_outermost(struct json_parser *p)
{
    size_t n = p->n_scratch;

    if (!n)
        return json_bad(p, "no object within the ceiling of nesting");
    for (; p->open; p->open = p->scratch[p->open].at)
        n = p->open;
    p->n_scratch = n - (n - 1) % 2;
    return json_container_finish(p);
}

static int parse(struct json_parser *p, struct ot_json **out)
{
    int r = json_arena_create(p);

    if (!r)
        r = whole(p);
    if (r == JSON_CUT)
        r = p->is_prefix ? close_outermost(p) : json_bad(p, "the text ends too early");
    if (!r)
        r = json_arena_finish(p, out);
    if (p->scratch != p->first_scratch)
        free(p->scratch);
    free(p->levels);
    free(p->arena);
    return r;
}

static void parser_init(struct json_parser *p, const char *utf8, size_t n_bytes, const struct ot_limits *limits,
                        struct ot_error *error)
{
    p->text = p->at = n_bytes ? utf8 : "";
    p->end = p->text + n_bytes;
    p->max_depth = (limits ? limits : &ot_limits_default)->max_depth;
    if (p->max_depth > OT_DEPTH_CEILING)
        p->max_depth = OT_DEPTH_CEILING;
    p->error = error;
    p->is_prefix = p->is_first = false;
    p->arena = NULL;
    p->scratch = p->first_scratch;
    p->scratch_capacity = sizeof(p->first_scratch) / sizeof(p->first_scratch[0]);
    p->n_scratch = p->depth = p->n_levels = 0;
    p->levels = NULL;
    p->open = 0;
}

int ot_json_parse(const char *utf8, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out,
                  struct ot_error *error)
{
    struct json_parser p;

    parser_init(&p, utf8, n_bytes, limits, error);
    return parse(&p, out);
}

int ot_json_parse_prefix(const char *utf8, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out,
                         struct ot_error *error)
{
    struct json_parser p;

    parser_init(&p, utf8, n_bytes, limits, error);
    p.is_prefix = true;
    skip_white(&p);
    if (p.at == p.end || *p.at != '{')
        return json_bad(&p, "no object");
    return parse(&p, out);
}
