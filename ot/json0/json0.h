/* Operations on JSON documents in the manner of json0, in memory. Internal to ot/json0/.
 *
 *     [{"p":["items",2],"ld":"old","li":"new"}, {"p":["title",5],"si":"añb"}]
 *
 *     components   list: path 2 elements, put "new", taken "old"   | text, legacy: path 1 element, 1 part
 *     paths        "items", 2                                        "title"
 *     parts                                                          insert at 5, 4 units, 5 bytes
 *     text                                                           añb
 *
 * An operation is one block of memory: its components, what their paths are made of, parts of text, and the text; and
 * whatever long values hang on them. Components are done one after the other. `si` and `sd` are held as text parts, the
 * offset out of the path, and written as they came. Offsets in text are UTF-16 units.
 *
 * A list position may be named by a decimal string, ["items","2"], as JavaScript's lists take it. At the end of a path
 * the parser makes a number of it. On the way "2" may be a key as well: what it is only the document says, and
 * json0_op_settle asks it. Beside a number in another operation's path it counts as a position. */
#ifndef OT_JSON0_H
#define OT_JSON0_H

#include "ot/structures/value.h"
#include "ot/type.h"

#include <stdalign.h>

/* Any number of items of one size. `capacity` is 0 where the items are another's, and may not be changed. */
struct json0_list {
    void *items;
    uint32_t n, capacity;
};

struct json0_part {
    uint64_t at;
    const char *text;
    uint32_t n_bytes, n_units;
    uint32_t capacity; /* of the text, while it grows at the end of a list; else 0 */
    bool is_insert;    /* or a delete */
};

enum json0_kind {
    JSON0_TEXT,   /* t, o; si; sd */
    JSON0_ADD,    /* na */
    JSON0_LIST,   /* li, ld */
    JSON0_MOVE,   /* lm */
    JSON0_OBJECT, /* oi, od */
};

struct json0_component {
    uint8_t kind;    /* enum json0_kind */
    bool is_legacy;  /* a text of one part, written as si or sd */
    uint32_t number; /* its place in the operation that it comes from, for people */
    uint32_t n_path; /* more than 0 in LIST and MOVE, whose last element is an index; an OBJECT's is a key */
    const struct value *path;
    union {
        struct json0_list parts;
        double addend;
        double to;
        struct {
            struct value put, taken; /* NONE where absent, never both */
        };
    };
};

struct json0_op {
    struct ot_op base;
    uint32_t n_components, n_path, n_parts; /* path elements, and parts, of all of them */
    bool has_digits;                        /* on the way of a path there is a decimal string */
    size_t n_bytes;                         /* of all text */
    struct json0_component components[];
};

static inline const struct json0_op *json0_op_of(const struct ot_op *op)
{
    return (const struct json0_op *)(const void *)op;
}

static inline struct json0_list json0_components_of(const struct ot_op *op)
{
    const struct json0_op *own = json0_op_of(op);

    return (struct json0_list){ .items = (void *)(uintptr_t)own->components, .n = own->n_components };
}

static inline struct json0_component *json0_components(const struct json0_list *list)
{
    return list->items;
}

static inline struct json0_part *json0_parts(const struct json0_list *list)
{
    return list->items;
}

/* How many elements deep a component works: text and sums happen *inside* what the path names. */
static inline uint32_t json0_depth(const struct json0_component *component)
{
    return component->n_path + (component->kind <= JSON0_ADD);
}

static inline bool json0_has(const struct value *value)
{
    return value->kind != VALUE_NONE;
}

/* No path is longer: nothing is nested deeper. */
#define JSON0_MAX_PATH 1001

/* ---- work: everything that is made on the way to an operation ------------------------------------------------------
 *
 * Components and parts in work borrow freely: from the operations that went in, and from memory of the work, which is
 * freed as a whole. json0_finish copies what has come out. The first failure is kept; after it nothing is done any
 * more, and what was asked for is NULL or unchanged. A ceiling on steps and memory bounds what is quadratic. */

struct json0_chunk;
struct json0_owned;

struct json0_work {
    int r;
    struct ot_error *error;
    size_t n_steps_left, n_bytes_left;
    char *at, *end; /* what is free */
    struct json0_chunk *chunks;
    struct json0_owned *owned;
    uint32_t number; /* of the component at hand */
    alignas(16) char first[1600];
};

void json0_work_init(struct json0_work *work, struct ot_error *error);
void json0_work_end(struct json0_work *work);

/* Uninitialised. */
void *json0_take(struct json0_work *work, size_t n_bytes);
void json0_spend(struct json0_work *work, size_t n_steps);
void json0_fail(struct json0_work *work, int code, const char *what); /* "component <number>: <what>" */
/* Lets the work release the value in the end; it may be borrowed until then. */
void json0_own(struct json0_work *work, struct value *value);

/* A place for one more item; the others may move. */
void *json0_list_add(struct json0_work *work, struct json0_list *list, size_t item_bytes);

/* 2 and "2" lead to one place. */
bool json0_is_same_path(struct json0_work *work, const struct value *a, const struct value *b, size_t n);

/* An operation of those components. OT_LIMIT. Ends the work either way. */
int json0_finish(struct json0_work *work, const struct json0_list *components, const struct ot_limits *limits,
                 struct ot_op **out);

/* ---- gathering and transforming lists ------------------------------------------------------------------------------
 */

/* How items of a list are gathered, and transformed one over another; both put what comes out at the end of a list. */
struct json0_scheme {
    size_t item_bytes;
    void (*append)(struct json0_work *work, struct json0_list *list, const void *item);
    void (*transform)(struct json0_work *work, struct json0_list *list, const void *item, const void *over,
                      enum ot_side side);
};

extern const struct json0_scheme json0_component_scheme, json0_part_scheme;

/* All of op over all of other, into an empty list. What comes out may be borrowed from op. */
void json0_transform_lists(struct json0_work *work, const struct json0_scheme *scheme, const struct json0_list *op,
                           const struct json0_list *other, enum ot_side side, struct json0_list *out);

/* Puts a component, or a part, behind the others, and merges it with the last where the two are one. */
void json0_append(struct json0_work *work, struct json0_list *list, const struct json0_component *component);
void json0_append_part(struct json0_work *work, struct json0_list *list, const struct json0_part *part);

/* ---- elements of paths --------------------------------------------------------------------------------------------
 */

/* The list position that an element names: a number, or digits as a number is printed ("0", "12"; not "01"). */
bool json0_index(const struct value *element, double *out);
bool json0_index_of_text(const char *utf8, size_t n_bytes, double *out);

/* Elements that lead to where the component works; its last one may name something there. */
static inline uint32_t json0_n_way(const struct json0_component *component)
{
    return component->n_path - (component->kind > JSON0_ADD && component->n_path);
}

/* Where the element lies in the list or object. False: nowhere, or that is neither. */
bool json0_find(const struct value *container, const struct value *element, size_t *out);

/* ---- changing a document -------------------------------------------------------------------------------------------
 */

struct json0_bounds {
    size_t n_skipped; /* elements at the start of the path that lead to the root */
    size_t max_depth, max_bytes;
};

/* All or nothing. *n_bytes: of the document's JSON, kept up. The root may be left NONE. */
int json0_apply(struct value *root, const struct json0_component *component, const struct json0_bounds *bounds,
                size_t *n_bytes, struct ot_error *error);

/* ---- the functions of the type, by file ----------------------------------------------------------------------------
 */

int json0_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                   struct ot_error *error);
int json0_op_write(const struct ot_op *op, ot_write_fn *write, void *arg);
int json0_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                       const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int json0_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                     struct ot_op **out, struct ot_error *error);
int json0_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error);
int json0_op_settle(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                    struct ot_error *error);
void json0_op_destroy(struct ot_op *op);
size_t json0_op_size(const struct ot_op *op);
struct ot_amount json0_op_amount(const struct ot_op *op);

#endif
