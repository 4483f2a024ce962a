#include "ot/error.h"
#include "ot/json/json_parse.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_UNITS (256 * 1024 / JSON_UNIT_BYTES)

int json_arena_create(struct json_parser *p, const char *utf8, size_t n_bytes)
{
    size_t n_guess = n_bytes / 4 + 4, n_units = 1 + json_units_for(n_bytes + JSON_END_BYTES);
    struct json_arena *arena;

    if (n_bytes > UINT32_MAX / 2)
        return ot_fail(p->error, OT_LIMIT, "text of more than 2 GiB");
    p->capacity = n_units + (n_guess < 256 ? n_guess : 256);
    arena = malloc(p->capacity * JSON_UNIT_BYTES);
    if (!arena)
        return -ENOMEM;
    *arena = (struct json_arena){ .n_references = 1, .n_units = (uint32_t)n_units };
    p->arena = arena;
    p->text = json_byte(arena, sizeof(*arena));
    p->n_text = n_bytes;
    if (n_bytes)
        memcpy(p->text, utf8, n_bytes);
    memset(p->text + n_bytes, 0, JSON_END_BYTES);
    return 0;
}

/* realloc copies while it holds a lock of the allocator, for tens of milliseconds where the pages are new; other
 * threads would wait for that. */
static void *arena_moved(struct json_arena *from, size_t n_units, size_t capacity)
{
    void *grown = malloc(capacity * JSON_UNIT_BYTES);

    if (!grown)
        return NULL;
    memcpy(grown, from, n_units * JSON_UNIT_BYTES);
    free(from);
    return grown;
}

static int arena_grow(struct json_parser *p, size_t needed)
{
    size_t capacity = p->capacity + p->capacity / 2;
    struct json_arena *grown;

    if (needed > UINT32_MAX)
        return ot_fail(p->error, OT_LIMIT, "more than 2^32 values");
    if (capacity < needed)
        capacity = needed;
    grown = p->capacity < LARGE_UNITS ? realloc(p->arena, capacity * JSON_UNIT_BYTES)
                                      : arena_moved(p->arena, p->arena->n_units, capacity);
    if (!grown)
        return -ENOMEM;
    p->arena = grown;
    p->text = json_byte(grown, sizeof(*grown));
    p->capacity = capacity;
    return 0;
}

static inline int arena_reserve(struct json_parser *p, size_t n_units)
{
    size_t needed = p->arena->n_units + n_units;

    return needed <= p->capacity ? 0 : arena_grow(p, needed);
}

/* Moves values behind what the arena holds, which has room for them; returns the first flaw among them. */
static inline uint8_t arena_append(struct json_arena *arena, const struct ot_json *values, size_t n)
{
    uint32_t self = arena->n_units;
    struct ot_json *at = json_unit(arena, self);
    uint8_t flaws = 0;

    for (size_t i = 0; i < n; i++) {
        flaws |= values[i].flaw;
        at[i] = values[i];
        at[i].self = self + (uint32_t)i;
    }
    arena->n_units = self + (uint32_t)n;
    while (flaws && !at->flaw)
        at++;
    return flaws ? at->flaw : 0;
}

/* ---- members: keys and values in turn ---------------------------------------------------------------------------- */

struct members {
    struct json_arena *arena;
    struct ot_json *at;
};

static int compare(const struct members *members, size_t i, size_t j)
{
    const struct ot_json *a = &members->at[2 * i], *b = &members->at[2 * j];

    return json_key_compare(json_byte(members->arena, a->at), a->n, json_byte(members->arena, b->at), b->n);
}

static int compare_in_order(const void *a, const void *b, void *arg)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int c = compare(arg, i, j);

    return c ? c : (i > j) - (i < j);
}

static bool same_key(const struct members *members, size_t i, size_t j)
{
    const struct ot_json *a = &members->at[2 * i], *b = &members->at[2 * j];
    const char *key_a = json_byte(members->arena, a->at), *key_b = json_byte(members->arena, b->at);

    return a->n == b->n && (!a->n || (*key_a == *key_b && memcmp(key_a, key_b, a->n) == 0));
}

/* Of two members with one key the first keeps the place, as in JavaScript, and takes the value of the last. */
static size_t unite_few(const struct members *members, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j < kept && !same_key(members, i, j))
            j++;
        if (i != j)
            members->at[2 * j + 1] = members->at[2 * i + 1];
        if (i != j && j == kept)
            members->at[2 * j] = members->at[2 * i];
        kept += j == kept;
    }
    return kept;
}

/* The same by their order; dead members are marked by their key's kind, then the others close ranks. */
static size_t unite_many(const struct members *members, const uint32_t *order, size_t n)
{
    size_t kept = 0;

    for (size_t i = 1, first = 0; i < n; i++) {
        if (compare(members, order[first], order[i]) != 0) {
            first = i;
            continue;
        }
        members->at[2 * (size_t)order[first] + 1] = members->at[2 * (size_t)order[i] + 1];
        members->at[2 * (size_t)order[i]].kind = OT_JSON_NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (members->at[2 * i].kind == OT_JSON_NULL)
            continue;
        members->at[2 * kept] = members->at[2 * i];
        members->at[2 * kept + 1] = members->at[2 * i + 1];
        kept++;
    }
    return kept;
}

static void sort(const struct members *members, uint32_t *order, size_t n)
{
    struct members arg = *members;

    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, n, sizeof(*order), compare_in_order, &arg);
}

/* Whether two members may have one key: by a bit for each key, of its length, first and last byte. *flaw: 0, or of the
 * first key that has one. */
static bool look_through(const struct members *members, size_t n, uint8_t *flaw)
{
    uint64_t seen = 0, seen_again = 0;
    uint8_t flaws = 0;

    for (const struct ot_json *key = members->at, *end = key + 2 * n; key < end; key += 2) {
        const unsigned char *at = (const unsigned char *)json_byte(members->arena, key->at);
        uint64_t bit = 1;

        flaws |= key->flaw;
        if (key->n)
            bit <<= (at[0] ^ at[key->n - 1] << 1 ^ key->n << 3) % 64;
        seen_again |= seen & bit;
        seen |= bit;
    }
    *flaw = 0;
    for (size_t i = 0; flaws && !*flaw; i++)
        *flaw = members->at[2 * i].flaw;
    return seen_again;
}

static size_t unite_sorted(struct json_parser *p, const struct members *members, size_t n)
{
    uint32_t *order = (uint32_t *)(void *)json_unit(p->arena, p->arena->n_units + 2 * n);
    size_t kept;

    sort(members, order, n);
    kept = unite_many(members, order, n);
    order = (uint32_t *)(void *)json_unit(p->arena, p->arena->n_units + 2 * kept);
    if (kept < n)
        sort(members, order, kept);
    return kept;
}

/* Moves the members into the arena, and behind them, when they are many, the order to search them by. */
static int finish_object(struct json_parser *p, struct ot_json *object, size_t n_values)
{
    struct members members = { p->arena, object + 1 };
    size_t n = n_values / 2, n_order;
    uint8_t flaw;
    bool may_repeat = look_through(&members, n, &flaw);
    int r;

    if (flaw) {
        *object = (struct ot_json){ .kind = OT_JSON_FLAW, .flaw = flaw };
        return 0;
    }
    object->is_sorted = n > JSON_SORTED_FROM;
    n_order = object->is_sorted ? json_units_for(n * sizeof(uint32_t)) : 0;
    r = arena_reserve(p, n_values + n_order);
    if (r)
        return r;
    members.arena = p->arena;
    if (object->is_sorted)
        n = unite_sorted(p, &members, n);
    else if (may_repeat)
        n = unite_few(&members, n);
    object->at = p->arena->n_units;
    object->n = (uint32_t)n;
    object->flaw = arena_append(p->arena, members.at, 2 * n);
    p->arena->n_units += object->is_sorted ? (uint32_t)json_units_for(n * sizeof(uint32_t)) : 0;
    return 0;
}

static int finish_array(struct json_parser *p, struct ot_json *array, size_t n_values)
{
    int r = arena_reserve(p, n_values);

    if (r)
        return r;
    array->at = p->arena->n_units;
    array->n = (uint32_t)n_values;
    array->flaw = arena_append(p->arena, array + 1, n_values);
    return 0;
}

int json_container_finish(struct json_parser *p)
{
    struct ot_json *container = p->scratch + p->open;
    size_t n_values = p->n_scratch - p->open - 1;

    p->n_scratch = (size_t)p->open + 1;
    p->open = container->at;
    if (container->kind == OT_JSON_OBJECT)
        return finish_object(p, container, n_values);
    return finish_array(p, container, n_values);
}

/* Gives back what the guess was too high by, where that is worth a call. */
static struct json_arena *trim(struct json_arena *arena, size_t capacity)
{
    size_t n_units = arena->n_units;
    struct json_arena *trimmed;

    assert(n_units > 1);
    if (capacity <= n_units + n_units / 8 + 64)
        return arena;
    trimmed = realloc(arena, n_units * JSON_UNIT_BYTES);
    return trimmed ? trimmed : arena;
}

int json_arena_finish(struct json_parser *p, struct ot_json **out)
{
    int r = arena_reserve(p, 1);

    if (r)
        return r;
    (void)arena_append(p->arena, p->scratch, 1);
    p->arena = trim(p->arena, p->capacity);
    *out = json_unit(p->arena, p->arena->n_units - 1);
    p->arena = NULL;
    return 0;
}
