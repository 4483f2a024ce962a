#include "ot/json/json_node.h"

#include "ot/json/number.h"
#include "ot/json/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ot_json *ot_json_ref(struct ot_json *json)
{
    json_arena(json)->n_references++;
    return json;
}

void ot_json_unref(struct ot_json *json)
{
    struct json_arena *arena = json ? json_arena(json) : NULL;

    if (arena && --arena->n_references == 0)
        free(arena);
}

enum ot_json_kind ot_json_kind(const struct ot_json *json)
{
    return (enum ot_json_kind)json->kind;
}

int ot_json_flaw(const struct ot_json *json)
{
    return json->flaw;
}

/* An arena for n_text bytes of text and one value, which is returned: a string of that text. */
static struct ot_json *scalar_create(size_t n_text)
{
    size_t n_units = 1 + json_units_for(n_text);
    struct json_arena *arena = malloc((n_units + 1) * JSON_UNIT_BYTES);
    struct ot_json *json;

    if (!arena)
        return NULL;
    *arena = (struct json_arena){ .n_references = 1, .n_units = (uint32_t)n_units + 1 };
    json = json_unit(arena, n_units);
    *json = (struct ot_json){ .self = (uint32_t)n_units, .kind = OT_JSON_STRING };
    json->at = sizeof(*arena);
    json->n = (uint32_t)n_text;
    return json;
}

int ot_json_from_text(const char *utf8, size_t n_bytes, struct ot_json **out)
{
    struct ot_json *json;

    if (n_bytes > UINT32_MAX / 2)
        return OT_LIMIT;
    if (!utf8_is_valid(utf8, n_bytes))
        return OT_BAD_JSON;
    json = scalar_create(n_bytes);
    if (!json)
        return -ENOMEM;
    if (n_bytes)
        memcpy(json_byte(json_arena(json), json->at), utf8, n_bytes);
    *out = json;
    return 0;
}

int ot_json_from_number(double number, struct ot_json **out)
{
    struct ot_json *json = scalar_create(0);

    if (!json)
        return -ENOMEM;
    json->kind = OT_JSON_NUMBER;
    json->number = number == 0 ? 0 : number;
    *out = json;
    return 0;
}

double ot_json_number(const struct ot_json *json)
{
    return json->kind == OT_JSON_NUMBER ? json->number : 0;
}

bool ot_json_integer(const struct ot_json *json, uint64_t *out)
{
    double number = json->number;

    if (json->kind != OT_JSON_NUMBER || !(number >= 0 && number <= NUMBER_MAX_INTEGER))
        return false;
    if (number != (double)(int64_t)number)
        return false;
    *out = (uint64_t)(int64_t)number;
    return true;
}

const char *ot_json_string(const struct ot_json *json, size_t *n_bytes)
{
    return json_string(json, n_bytes);
}

size_t ot_json_count(const struct ot_json *json)
{
    return json_count(json);
}

struct ot_json *ot_json_at(const struct ot_json *json, size_t i)
{
    return json_at(json, i);
}

const char *ot_json_key_at(const struct ot_json *json, size_t i, size_t *n_bytes)
{
    return json_string(json_unit(json_arena(json), json->at + 2 * i), n_bytes);
}

int json_key_compare(const char *a, size_t n_a, const char *b, size_t n_b)
{
    if (n_a != n_b)
        return n_a < n_b ? -1 : 1;
    return n_a ? memcmp(a, b, n_a) : 0;
}

static struct ot_json *search(const struct ot_json *json, const char *key, size_t n_bytes)
{
    struct json_arena *arena = json_arena(json);
    const uint32_t *order = (const uint32_t *)(const void *)json_unit(arena, json->at + 2 * (size_t)json->n);
    size_t from = 0, to = json->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2, n_key;
        const char *at = ot_json_key_at(json, order[middle], &n_key);
        int c = json_key_compare(key, n_bytes, at, n_key);

        if (c == 0)
            return ot_json_at(json, order[middle]);
        if (c < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

struct ot_json *ot_json_get(const struct ot_json *json, const char *key, size_t n_bytes)
{
    const struct ot_json *member;
    struct json_arena *arena;

    if (!json || json->kind != OT_JSON_OBJECT)
        return NULL;
    if (json->is_sorted)
        return search(json, key, n_bytes);
    arena = json_arena(json);
    member = json_unit(arena, json->at);
    for (const struct ot_json *end = member + 2 * (size_t)json->n; member < end; member += 2) {
        const char *at = json_byte(arena, member->at);

        if (member->n == n_bytes && (!n_bytes || (*at == *key && memcmp(at, key, n_bytes) == 0)))
            return json_unit(arena, member->self + 1);
    }
    return NULL;
}

static bool strings_are_equal(const struct ot_json *a, const struct ot_json *b)
{
    return a->n == b->n && memcmp(json_byte(json_arena(a), a->at), json_byte(json_arena(b), b->at), a->n) == 0;
}

/* Both hold each key once and are equally many, so looking from one side is enough. */
static bool objects_are_equal(const struct ot_json *a, const struct ot_json *b)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t n_key;
        const char *key = ot_json_key_at(a, i, &n_key);
        const struct ot_json *other = ot_json_get(b, key, n_key);

        if (!other || !ot_json_equal(ot_json_at(a, i), other))
            return false;
    }
    return true;
}

static bool arrays_are_equal(const struct ot_json *a, const struct ot_json *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!ot_json_equal(ot_json_at(a, i), ot_json_at(b, i)))
            return false;
    }
    return true;
}

/* Recurses as deep as the value, which the parser keeps under OT_DEPTH_CEILING. */
bool ot_json_equal(const struct ot_json *a, const struct ot_json *b)
{
    if (a == b || a->kind != b->kind)
        return a == b;
    switch ((enum ot_json_kind)a->kind) {
    case OT_JSON_NUMBER: return a->number == b->number;
    case OT_JSON_STRING: return strings_are_equal(a, b);
    case OT_JSON_ARRAY: return a->n == b->n && arrays_are_equal(a, b);
    case OT_JSON_OBJECT: return a->n == b->n && objects_are_equal(a, b);
    default: return true;
    }
}
