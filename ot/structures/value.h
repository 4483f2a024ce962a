/* JSON values that can be edited: documents of json0 and json1, and what operations insert into them.
 *
 * A value is 16 bytes that are copied about. Numbers, short texts and the constants lie in them; longer texts are
 * ropes, lists are trees of values, objects trees of members in the order of value_text_compare. Those are shared
 * copy-on-write: value_share is O(1), and changing one copies the way to the change, so that an old document costs what
 * has changed since.
 *
 *     { "title": "Notes", "items": [1, "a text longer than fourteen bytes"] }
 *
 *     | object | * |  -->  | title | "Notes" | items | list * |
 *                                                           `-->  | 1 | text * |
 *                                                                           `--> a rope
 *
 * Whoever holds a struct value owns it, unless it is `const struct value *`: then it is borrowed, until the container
 * it lies in changes. What is passed in by `struct value` is moved: on success the callee's. Functions return 0 or
 * -ENOMEM, with everything as it was, unless they say more. The caller vouches for kinds and positions. What recurses
 * goes as deep as the value, which its maker keeps under the ceiling of nesting. Internal to ot/. */
#ifndef OT_VALUE_H
#define OT_VALUE_H

#include "ot/json/writer.h"
#include "ot/ot.h"
#include "ot/structures/rope.h"
#include "ot/structures/tree.h"

enum value_kind {
    VALUE_NONE, /* nothing at all: not a value of a document */
    VALUE_NULL,
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_NUMBER,
    VALUE_SHORT, /* a text of VALUE_SHORT_BYTES at most */
    VALUE_TEXT,  /* a longer one, always longer */
    VALUE_LIST,
    VALUE_OBJECT,
};

#define VALUE_SHORT_BYTES 14

struct value {
    union {
        struct {
            uint8_t kind;
            uint8_t n_short;
            char short_text[VALUE_SHORT_BYTES];
        };
        struct {
            uint64_t kind_and_zeros; /* but for VALUE_SHORT the rest of the first half is 0 */
            union {
                double number;
                struct rope_node *text;  /* not NULL */
                struct tree_node *items; /* list: of values. object: of members. NULL: empty */
            };
        };
    };
};

_Static_assert(sizeof(struct value) == 16, "a value is 16 bytes");

struct value_member {
    struct value key, value;
};

/* ---- making and letting go --------------------------------------------------------------------------------------- */

static inline struct value value_of_kind(enum value_kind kind) /* NONE, the constants, an empty list or object */
{
    struct value value = { .kind_and_zeros = 0 };

    value.kind = (uint8_t)kind;
    return value;
}

static inline struct value value_number(double number) /* -0 becomes 0 */
{
    struct value value = value_of_kind(VALUE_NUMBER);

    value.number = number == 0 ? 0 : number;
    return value;
}

__attribute__((warn_unused_result)) int value_text(const char *utf8, size_t n_bytes, struct value *out);
__attribute__((warn_unused_result)) int value_from_json(const struct ot_json *json, struct value *out); /* sound */

void value_hold(const struct value *value); /* what is counted is counted once more, or once less */
void value_let_go(struct value *value);

static inline bool value_is_counted(const struct value *value)
{
    return value->kind >= VALUE_TEXT;
}

static inline struct value value_share(const struct value *value)
{
    if (value_is_counted(value))
        value_hold(value);
    return *value;
}

static inline void value_release(struct value *value) /* and makes it NONE */
{
    if (value_is_counted(value))
        value_let_go(value);
    *value = value_of_kind(VALUE_NONE);
}

static inline struct value value_move(struct value *value)
{
    struct value moved = *value;

    *value = value_of_kind(VALUE_NONE);
    return moved;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static inline bool value_is_text(const struct value *value)
{
    return value->kind == VALUE_SHORT || value->kind == VALUE_TEXT;
}

static inline bool value_is_container(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_OBJECT;
}

bool value_equal(const struct value *a, const struct value *b);       /* deeply */
int value_text_compare(const struct value *a, const struct value *b); /* two texts, by bytes (and so by code points) */
int value_text_compare_utf16(const struct value *a, const struct value *b); /* by UTF-16 units, as JavaScript sorts */

struct rope_sums value_text_sums(const struct value *text); /* its bytes, code points, characters beyond the BMP */
/* Hands out a text in pieces; see rope_cursor_read. A short one is read from the value itself, which must stay. */
struct value_reader {
    const char *at;
    size_t n_bytes;
    bool is_rope;
    struct rope_cursor cursor;
};
void value_reader_init(struct value_reader *reader, const struct value *text, size_t at_cp);
size_t value_reader_read(struct value_reader *reader, size_t max_bytes, const char **out);
bool value_text_is(const struct value *value, const char *utf8, size_t n_bytes); /* false for what is no text */

size_t value_count(const struct value *container);
const struct value *value_at(const struct value *container, size_t i);              /* element, or member's value */
const struct value *value_key_at(const struct value *object, size_t i);             /* in order of value_text_compare */
bool value_find(const struct value *object, const struct value *key, size_t *i);    /* false: where it would be */
const struct value *value_get(const struct value *object, const struct value *key); /* NULL: no such member */

/* Goes through a container in order; *key, when asked for, is NULL in a list. NULL at the end. */
struct value_walk {
    bool is_object;
    struct tree_cursor cursor;
};
void value_walk_init(struct value_walk *walk, const struct value *container);
const struct value *value_walk_next(struct value_walk *walk, const struct value **key);

/* About the bytes of its JSON; O(its size). A container's are 2, for each element its own and 1, for each member its
 * value's, its name's and 4: so whoever changes one can keep count. */
size_t value_json_bytes(const struct value *value);
size_t value_depth(const struct value *value); /* of containers: a scalar 0, [] 1, [[]] 2; O(its size) */

void value_write(struct writer *writer, const struct value *value);
/* As a JSON value of the public kind, for answers such as positions. */
__attribute__((warn_unused_result)) int value_to_json(const struct value *value, struct ot_json **out);

/* ---- changing: a container in a variable, or one that was reached by value_own -------------------------------------
 */

/* Element or member's value i, to change it in place: nobody else holds it or its container afterwards. Until the
 * container changes. NULL: no memory. */
__attribute__((warn_unused_result)) struct value *value_own(struct value *container, size_t i);

/* Makes n insertions into an empty container cheaper. Until the first it can only be released. */
__attribute__((warn_unused_result)) int value_reserve(struct value *container, size_t n);
__attribute__((warn_unused_result)) int value_insert(struct value *list, size_t i, struct value element);
__attribute__((warn_unused_result)) int value_append(struct value *list, struct value element);
__attribute__((warn_unused_result)) int value_remove(struct value *container, size_t i, struct value *out);
/* Sets a member, new or not; both are moved. */
__attribute__((warn_unused_result)) int value_set(struct value *object, struct value key, struct value value);

/* A text's rope, taken out (the value becomes NONE) and put back: for text edits. Neither copies a long text. Without
 * memory value_take_rope leaves the value. value_put_rope can't fail: a text that became short leaves its rope. */
__attribute__((warn_unused_result)) int value_take_rope(struct value *text, struct rope *out);
void value_put_rope(struct value *text, struct rope *rope);

#endif
