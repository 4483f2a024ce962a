/* How a JSON value lies in memory. Internal to ot/json/, and to what reads operations by the million.
 *
 * Everything that one parse makes is one block, an arena: its head, a copy of the text, then the values. Strings point
 * into the text, where escapes have been decoded in place; lists and objects point at their children, which lie side by
 * side. A reference to any value holds the arena, so nothing is counted or freed one by one, and nothing recurses.
 *
 *     | head | the text ..... | "op" | list | 1 | "x" | root |      units of 16 bytes; every value knows how many
 *     ^ 0                       key    ^ value of the member        units lie before it, which is how it finds the head
 */
#ifndef OT_JSON_NODE_H
#define OT_JSON_NODE_H

#include "ot/ot.h"

struct ot_json {
    uint32_t self; /* units from the arena's head */
    uint8_t kind;
    uint8_t flaw;   /* of it or anything in it: 0 or an ot_code */
    bool is_sorted; /* object: behind the members lie their numbers (uint32_t), ordered as json_key_compare has it */
    union {
        double number;
        struct {
            uint32_t at; /* string: bytes from the head. list, object: units from the head to the first child */
            uint32_t n;  /* bytes, elements or members; a member is two values, key and value */
        };
    };
};

struct json_arena {
    uint32_t n_references;
    uint32_t n_units; /* in use, this head included */
    uint64_t unused;
};

#define JSON_UNIT_BYTES 16
_Static_assert(sizeof(struct ot_json) == JSON_UNIT_BYTES, "a value is a unit");
_Static_assert(sizeof(struct json_arena) == JSON_UNIT_BYTES, "an arena's head is a unit");

/* Objects with more members than this keep an order to search by; fewer are looked through. */
#define JSON_SORTED_FROM 16

/* From a value to its arena: like everything that is borrowed from a constant value, as open to change as it was made.
 */
static inline struct json_arena *json_arena(const struct ot_json *json)
{
    union {
        const struct ot_json *unit;
        struct json_arena *arena;
    } at = { .unit = json - json->self };

    return at.arena;
}

static inline struct ot_json *json_unit(struct json_arena *arena, size_t unit)
{
    return (struct ot_json *)(void *)arena + unit;
}

static inline char *json_byte(struct json_arena *arena, size_t byte)
{
    return (char *)arena + byte;
}

static inline size_t json_units_for(size_t n_bytes)
{
    return (n_bytes + JSON_UNIT_BYTES - 1) / JSON_UNIT_BYTES;
}

/* ---- ot_json_count, _at and _string without a call -----------------------------------------------------------------
 */

static inline size_t json_count(const struct ot_json *json)
{
    return json->kind >= OT_JSON_ARRAY ? json->n : 0;
}

static inline struct ot_json *json_at(const struct ot_json *json, size_t i)
{
    size_t unit = json->kind == OT_JSON_OBJECT ? 2 * i + 1 : i;

    return json_unit(json_arena(json), json->at + unit);
}

static inline const char *json_string(const struct ot_json *json, size_t *n_bytes)
{
    bool is_string = json->kind == OT_JSON_STRING;

    *n_bytes = is_string ? json->n : 0;
    return is_string ? json_byte(json_arena(json), json->at) : "";
}

/* By length, then by bytes: any total order will do, and this one seldom looks at the bytes. */
int json_key_compare(const char *a, size_t n_a, const char *b, size_t n_b);

#endif
