#include "ot/json/json_parse.h"
#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/json/plain.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the grammar is walked without recursion: value() takes a scalar whole or opens a list or object; walk() closes
 * what ends behind it and goes on in the innermost one that is open. What has been read and not yet found its parent
 * lies in `scratch`, an open container as a placeholder that remembers the one around it; closing it moves its
 * children, side by side, into the arena.
 *
 *     {"a":[1,2      scratch: {  "a"  [  1  2          above the ceiling nothing is kept but one bit for each
 *                             ^-------'  open          level, '[' or '{', to check the grammar by
 *
 * Each of the functions below takes the place where it reads and returns the one behind what it has read: NULL when
 * that is wrong, with p->r. */

int json_bad(struct json_parser *p, const char *what)
{
    return ot_fail(p->error, OT_BAD_JSON, "not JSON: %s at byte %zu", what, (size_t)(p->at - p->text));
}

static const char *fail(struct json_parser *p, int r)
{
    p->r = r;
    return NULL;
}

/* What stands there is wrong; or there is nothing more. */
static const char *bad_or_cut(struct json_parser *p, const char *at, const char *what)
{
    p->at = at;
    return fail(p, at == json_end(p) ? JSON_CUT : json_bad(p, what));
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

/* Where the next value is made: there is always room for one more. */
static inline struct ot_json *place(struct json_parser *p, enum ot_json_kind kind)
{
    struct ot_json *at = p->scratch + p->n_scratch;

    *at = (struct ot_json){ .kind = (uint8_t)kind };
    return at;
}

/* Keeps what was made there. */
static inline const char *push(struct json_parser *p, const char *at)
{
    int r = 0;

    p->n_scratch += p->n_kept;
    if (p->n_scratch == p->scratch_capacity)
        r = scratch_grow(p);
    return r ? fail(p, r) : at;
}

static const char *push_flaw(struct json_parser *p, const char *at, int flaw)
{
    place(p, OT_JSON_FLAW)->flaw = (uint8_t)flaw;
    return push(p, at);
}

static inline const char *skip_white(const char *at)
{
    while ((unsigned char)*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
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

static inline const char *container_open(struct json_parser *p, const char *at, enum ot_json_kind kind)
{
    int r;

    p->is_first = true;
    p->closer = kind == OT_JSON_OBJECT ? '}' : ']';
    if (p->depth++ < p->max_depth) {
        place(p, kind)->at = p->open;
        p->open = (uint32_t)p->n_scratch;
        return push(p, at);
    }
    p->n_kept = 0;
    r = remember_level(p, kind == OT_JSON_OBJECT);
    return r ? fail(p, r) : at;
}

static bool innermost_is_object(const struct json_parser *p)
{
    size_t level = p->depth - p->max_depth - 1;

    if (is_skipping(p))
        return p->levels[level / 8] >> level % 8 & 1;
    return p->scratch[p->open].kind == OT_JSON_OBJECT;
}

static const char *container_close(struct json_parser *p, const char *at)
{
    size_t n_read = (size_t)(at - p->text);
    bool was_skipping = is_skipping(p);
    int r = was_skipping ? 0 : json_container_finish(p);

    p->is_first = false;
    p->depth--;
    if (r)
        return fail(p, r);
    at = p->text + n_read;
    if (was_skipping && !is_skipping(p)) {
        p->n_kept = 1;
        at = push_flaw(p, at, OT_LIMIT);
    }
    if (p->depth)
        p->closer = innermost_is_object(p) ? '}' : ']';
    return at;
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

static inline const char *take_string(struct json_parser *p, const char *at, bool is_key)
{
    struct ot_json *string = place(p, OT_JSON_STRING);
    const char *end = plain_end(at);

    string->at = (uint32_t)(at - json_byte(p->arena, 0));
    string->n = (uint32_t)(end - at);
    if (*end != '"') {
        int r;

        p->at = end;
        r = json_string_rest(p, is_key, string);
        if (r)
            return fail(p, r);
        end = p->at;
    }
    if (is_key && string->n == 9 && memcmp(at, "__proto__", 9) == 0)
        string->flaw = OT_NOT_APPLIED; /* to JavaScript it would be no key, but what the object descends from */
    if (string->flaw)
        string->kind = OT_JSON_FLAW;
    return push(p, end + 1);
}

static const char *take_any_number(struct json_parser *p, const char *at)
{
    struct ot_json *number = place(p, OT_JSON_NUMBER);
    bool is_cut = false;
    size_t n = number_read(at, json_end(p), &number->number, &is_cut);

    p->at = at;
    if (n == NUMBER_READ_BAD)
        return fail(p, is_cut ? JSON_CUT : json_bad(p, "a bad number"));
    if (p->is_prefix && at + n == json_end(p)) {
        p->at += n;
        return fail(p, JSON_CUT); /* more digits may follow */
    }
    return isinf(number->number) ? push_flaw(p, at + n, OT_NOT_APPLIED) : push(p, at + n);
}

/* What numbers mostly are is a few digits, and then something that is no part of a number. */
static inline const char *take_number(struct json_parser *p, const char *at)
{
    const char *from = at;
    uint64_t digits = 0;

    for (; (unsigned char)(*at - '0') < 10; at++)
        digits = digits * 10 + (unsigned char)(*at - '0');
    if (at == from || at - from > 15 || *at == '.' || (*at | 0x20) == 'e' || (*from == '0' && at - from > 1) ||
        p->is_prefix)
        return take_any_number(p, from);
    place(p, OT_JSON_NUMBER)->number = (double)(int64_t)digits;
    return push(p, at);
}

static const char *take_word(struct json_parser *p, const char *at, const char *word, size_t n_bytes,
                             enum ot_json_kind kind)
{
    size_t n_left = (size_t)(json_end(p) - at), n = n_left < n_bytes ? n_left : n_bytes;

    p->at = at;
    if (memcmp(at, word, n) != 0)
        return fail(p, json_bad(p, "an unknown word"));
    if (n < n_bytes)
        return fail(p, JSON_CUT);
    (void)place(p, kind);
    return push(p, at + n);
}

/* ---- the grammar ------------------------------------------------------------------------------------------------- */

static inline const char *value(struct json_parser *p, const char *at)
{
    at = skip_white(at);
    switch (*at) {
    case '{': return container_open(p, at + 1, OT_JSON_OBJECT);
    case '[': return container_open(p, at + 1, OT_JSON_ARRAY);
    case '"': return take_string(p, at + 1, false);
    case 't': return take_word(p, at, "true", 4, OT_JSON_TRUE);
    case 'f': return take_word(p, at, "false", 5, OT_JSON_FALSE);
    case 'n': return take_word(p, at, "null", 4, OT_JSON_NULL);
    default: return take_number(p, at);
    }
}

static inline const char *key_and_colon(struct json_parser *p, const char *at)
{
    at = skip_white(at);
    if (*at != '"')
        return bad_or_cut(p, at, "no key");
    at = take_string(p, at + 1, true);
    if (!at)
        return NULL;
    at = skip_white(at);
    return *at == ':' ? at + 1 : bad_or_cut(p, at, "no colon");
}

/* From behind a value, or from an opening that is not closed at once, to where the next value begins. */
static inline const char *next_place(struct json_parser *p, const char *at)
{
    if (!p->is_first && *at++ != ',')
        return bad_or_cut(p, at - 1, "no comma");
    p->is_first = false;
    return p->closer == '}' ? key_and_colon(p, at) : at;
}

static const char *walk(struct json_parser *p, const char *at)
{
    for (;;) {
        at = value(p, at);
        while (at && p->depth && *(at = skip_white(at)) == p->closer)
            at = container_close(p, at + 1);
        if (at && p->depth)
            at = next_place(p, at);
        if (!at || !p->depth)
            return at;
    }
}

static int whole(struct json_parser *p)
{
    const char *at = walk(p, p->text);

    if (at)
        at = skip_white(at);
    if (at && at != json_end(p)) {
        p->at = at;
        return json_bad(p, "something after the value");
    }
    return at ? 0 : p->r;
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

static int parse(struct json_parser *p, const char *utf8, size_t n_bytes, struct ot_json **out)
{
    int r = json_arena_create(p, utf8, n_bytes);

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

static void parser_init(struct json_parser *p, const struct ot_limits *limits, struct ot_error *error)
{
    p->max_depth = (limits ? limits : &ot_limits_default)->max_depth;
    if (p->max_depth > OT_DEPTH_CEILING)
        p->max_depth = OT_DEPTH_CEILING;
    p->error = error;
    p->is_prefix = p->is_first = false;
    p->arena = NULL;
    p->scratch = p->first_scratch;
    p->scratch_capacity = sizeof(p->first_scratch) / sizeof(p->first_scratch[0]);
    p->n_scratch = p->depth = p->n_levels = 0;
    p->n_kept = 1;
    p->levels = NULL;
    p->open = 0;
}

int ot_json_parse(const char *utf8, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out,
                  struct ot_error *error)
{
    struct json_parser p;

    parser_init(&p, limits, error);
    return parse(&p, utf8, n_bytes, out);
}

int ot_json_parse_prefix(const char *utf8, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out,
                         struct ot_error *error)
{
    struct json_parser p;
    size_t n_white = 0;

    while (n_white < n_bytes && memchr(" \n\r\t", utf8[n_white], 4))
        n_white++;
    if (n_white == n_bytes || utf8[n_white] != '{')
        return ot_fail(error, OT_BAD_JSON, "not JSON: no object at byte %zu", n_white);
    parser_init(&p, limits, error);
    p.is_prefix = true;
    return parse(&p, utf8, n_bytes, out);
}
