/* Rich text, in memory: operations, and the documents they change. Internal to ot/rich/.
 *
 *     {"ops":[{"retain":2},{"insert":"añ","attributes":{"b":1}},{"insert":{"hr":true}},{"delete":3}]}
 *
 *     components  retain 2 | insert text: 2 units, 3 bytes, {"b":1} | insert embed: 1 unit, {"hr":true} | delete 3
 *     text                   añ
 *
 * No component is empty, no two neighbours are of one kind with equal attributes (embeds may be), no plain retain
 * stands at the end. Whether an insert stands before or behind a delete at the same place is kept as the client sent
 * it, because the client transforms it so; what we compute has inserts first. Units are UTF-16; an embed is one. */
#ifndef OT_DELTA_H
#define OT_DELTA_H

#include "ot/structures/rope.h"
#include "ot/structures/tree.h"
#include "ot/structures/value.h"
#include "ot/type.h"

enum delta_kind { DELTA_RETAIN, DELTA_TEXT, DELTA_EMBED, DELTA_DELETE };

struct delta_component {
    enum delta_kind kind;
    uint32_t n_bytes;        /* of its text */
    uint64_t n_units;        /* > 0 */
    struct value attributes; /* NONE, or an object that is not empty. A delete: NONE */
    struct value embed;      /* of an embed: an object. Else NONE */
};

struct delta_op {
    struct ot_op base;
    uint32_t n_components;
    size_t n_bytes; /* of the text, which begins behind the last component */
    struct delta_component components[];
};

static inline const char *delta_op_text(const struct delta_op *op)
{
    return (const char *)(op->components + op->n_components);
}

static inline const struct delta_op *delta_op_of(const struct ot_op *op)
{
    return (const struct delta_op *)(const void *)op;
}

static inline bool delta_is_insert(enum delta_kind kind)
{
    return kind == DELTA_TEXT || kind == DELTA_EMBED;
}

/* value_share and value_release for what mostly is NONE. */
static inline struct value delta_share(const struct value *value)
{
    return value->kind == VALUE_NONE ? *value : value_share(value);
}

static inline void delta_release(struct value *value)
{
    if (value->kind != VALUE_NONE)
        value_release(value);
}

/* The bytes of the first n_units of a text; false when they end inside a surrogate pair. */
bool delta_text_offset(const char *text, size_t n_bytes, uint64_t n_units, size_t *out);

/* ---- reading: a cursor hands out an operation piece by piece ------------------------------------------------------
 */

struct delta_piece {
    enum delta_kind kind;
    uint64_t n_units;
    const char *text; /* n_bytes of it */
    size_t n_bytes;
    const struct value *attributes, *embed; /* never NULL. All borrowed */
};

extern const struct value delta_none; /* what they point to when there are none */

struct delta_cursor {
    const struct delta_component *component, *end;
    const char *text; /* of what is left of component */
    uint64_t n_left;  /* of component; at the end UINT64_MAX: an operation retains for ever */
    size_t n_bytes_left;
};

void delta_cursor_init(struct delta_cursor *cursor, const struct delta_op *op);

static inline bool delta_cursor_is_at_end(const struct delta_cursor *cursor)
{
    return cursor->component == cursor->end;
}

static inline enum delta_kind delta_cursor_kind(const struct delta_cursor *cursor)
{
    return delta_cursor_is_at_end(cursor) ? DELTA_RETAIN : cursor->component->kind;
}

/* What is left of the current component; false at the end. */
bool delta_cursor_next(struct delta_cursor *cursor, struct delta_piece *out);

/* n_units of the current component, which has as many; false when that would divide a surrogate pair. */
bool delta_cursor_take(struct delta_cursor *cursor, uint64_t n_units, struct delta_piece *out);

/* ---- writing: a builder takes pieces and merges neighbours ---------------------------------------------------------
 */

struct delta_builder {
    int r; /* the first failure; after it nothing is taken */
    size_t max_components;
    struct delta_component *components;
    char *text;
    size_t n_components, components_capacity;
    size_t n_bytes, text_capacity;
    struct delta_component first_components[12];
    char first_text[256];
};

void delta_builder_init(struct delta_builder *builder, size_t max_components);

/* Behind what is there; merged when it can be. True when it became a component of its own. */
bool delta_builder_append(struct delta_builder *builder, const struct delta_piece *piece);

/* The same, but an insert goes before a delete that ends what is there. True only when it became the last component. */
bool delta_builder_push(struct delta_builder *builder, const struct delta_piece *piece);
void delta_builder_retain(struct delta_builder *builder, uint64_t n_units, const struct value *attributes);
void delta_builder_delete(struct delta_builder *builder, uint64_t n_units);

/* Hands the operation over to *out, or answers what went wrong: -ENOMEM or OT_LIMIT. Frees the builder either way. */
int delta_builder_finish(struct delta_builder *builder, struct ot_op **out, struct ot_error *error);
void delta_builder_discard(struct delta_builder *builder);

/* ---- attributes ----------------------------------------------------------------------------------------------------
 *
 * Objects that are not empty, or NONE. They are merged by name, never inside a value. 0 or -ENOMEM; *out is the
 * caller's. */

bool delta_attributes_equal(const struct value *a, const struct value *b);

/* first, then second: a null of second takes the name away, and stays itself when keeps_null. */
int delta_attributes_compose(const struct value *first, const struct value *second, bool keeps_null, struct value *out);

/* mine after theirs. Where both name something mine wins, unless theirs_wins. */
int delta_attributes_transform(const struct value *mine, const struct value *theirs, bool theirs_wins,
                               struct value *out);

/* What gives back `before` once `applied` was composed onto it. */
int delta_attributes_invert(const struct value *applied, const struct value *before, struct value *out);
int delta_attributes_without_nulls(const struct value *attributes, struct value *out);

/* ---- documents -----------------------------------------------------------------------------------------------------
 *
 *     runs  | 6, {"b":1} | 1, embed | 21 |     as long as they can be: no two neighbours of text have equal attributes
 *     rope    Notes\n       U+FFFC    ...      each embed has a character in it, so that one position fits both */

struct delta_run {
    uint64_t n_units;
    struct value attributes; /* NONE, or an object that is neither empty nor holds a null at its top */
    struct value embed;      /* NONE: a run of text. Else an object, and the run 1 long */
    size_t n_bytes;          /* about what its JSON has beside the text */
};

extern const struct tree_kind delta_run_kind;

struct delta_runs {
    struct tree_node *root; /* of struct delta_run, by units */
    size_t n_bytes;         /* of all */
};

/* Changes answer 0 or -ENOMEM, and after that the runs are to be thrown away: they may be half changed. */
int delta_runs_insert(struct delta_runs *runs, uint64_t at_unit, const struct delta_piece *piece);
int delta_runs_delete(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units);
int delta_runs_format(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units, const struct value *attributes);

struct delta_document {
    struct rope rope;
    struct delta_runs runs;
};

/* Reads a document's text by units. The caller vouches for what it asks for. */
struct delta_reader {
    struct rope_cursor cursor;
    const char *at; /* what is left of a piece */
    size_t n_bytes;
};

void delta_reader_init(struct delta_reader *reader, const struct rope *rope, uint64_t at_unit);
/* The next bytes, of *n_units at most, which becomes less by what they are. 0: it is 0. */
size_t delta_reader_read(struct delta_reader *reader, uint64_t *n_units, const char **out);
void delta_reader_skip(struct delta_reader *reader, uint64_t n_units);

void delta_document_share(const struct delta_document *document, struct delta_document *out);
void delta_document_finish(struct delta_document *document);
size_t delta_document_size(const struct delta_document *document); /* about the bytes of its JSON */
int delta_document_apply(struct delta_document *document, const struct delta_op *op, const struct ot_limits *limits,
                         struct ot_error *error); /* all or nothing */
int delta_document_invert(const struct delta_document *before, const struct delta_op *op, struct ot_op **out,
                          struct ot_error *error);
int delta_document_write(const struct delta_document *document, ot_write_fn *write, void *arg);

/* ---- the functions of the type, by file ----------------------------------------------------------------------------
 */

int delta_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                   struct ot_error *error);
/* What a document is made of: an operation that inserts it. */
int delta_op_parse_content(const struct ot_json *json, const struct ot_limits *limits, struct ot_op **out,
                           struct ot_error *error);
int delta_op_write(const struct ot_op *op, ot_write_fn *write, void *arg);
/* OT_LIMIT: a component or a run with these would be nested too deeply. */
int delta_check_depth(const struct value *attributes, const struct value *embed, const struct ot_limits *limits,
                      struct ot_error *error);
int delta_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                       const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int delta_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                     struct ot_op **out, struct ot_error *error);
int delta_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                                struct ot_error *error);

#endif
