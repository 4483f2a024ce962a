/* Operations on plain text, in memory. Internal to ot/, which edits texts inside of JSON with them.
 *
 *     [3,"añb",{"d":2},{"d":"xy"}]     parts  skip 3 | insert 3, 4 bytes | delete 2 | delete 2, 2 bytes
 *                                      text          añb                            xy
 *
 * Always in normal form: no empty part, no two neighbours of one kind, no skip at the end. (So the example's two
 * deletes are one in truth.) The texts lie behind one another in the order of their parts. Units are code points. */
#ifndef OT_TEXT_OP_H
#define OT_TEXT_OP_H

#include "ot/structures/rope.h"
#include "ot/type.h"

enum text_kind { TEXT_SKIP, TEXT_INSERT, TEXT_DELETE };

struct text_part {
    enum text_kind kind;
    uint32_t n_bytes; /* of its text. A delete without: 0 */
    uint64_t n_cps;   /* > 0 */
};

struct text_op {
    struct ot_op base;
    uint32_t n_parts;
    size_t n_bytes; /* of the text, which begins behind the last part */
    struct text_part parts[];
};

static inline const char *text_op_text(const struct text_op *op)
{
    return (const char *)(op->parts + op->n_parts);
}

static inline const struct text_op *text_op_of(const struct ot_op *op)
{
    return (const struct text_op *)(const void *)op;
}

/* ---- reading: a cursor hands out an operation piece by piece ------------------------------------------------------
 */

struct text_piece {
    enum text_kind kind;
    uint64_t n_cps;
    const char *text; /* n_bytes of it, borrowed from the operation */
    size_t n_bytes;
};

/* Inline, like the builder's first steps: an operation is a handful of parts, and there are millions of them. */
struct text_cursor {
    const struct text_part *part, *end;
    const char *text; /* of what is left of part */
    uint64_t n_left;  /* of part */
    size_t n_bytes_left;
};

static inline void text_cursor_load(struct text_cursor *cursor)
{
    bool is_at_end = cursor->part == cursor->end;

    cursor->n_left = is_at_end ? 0 : cursor->part->n_cps;
    cursor->n_bytes_left = is_at_end ? 0 : cursor->part->n_bytes;
}

static inline void text_cursor_init(struct text_cursor *cursor, const struct text_op *op)
{
    cursor->part = op->parts;
    cursor->end = op->parts + op->n_parts;
    cursor->text = text_op_text(op);
    text_cursor_load(cursor);
}

static inline bool text_cursor_at(const struct text_cursor *cursor, enum text_kind kind)
{
    return cursor->part < cursor->end && cursor->part->kind == kind;
}

/* What is left of the current part; false at the end. */
static inline bool text_cursor_next(struct text_cursor *cursor, struct text_piece *out)
{
    if (cursor->part == cursor->end)
        return false;
    *out = (struct text_piece){
        .kind = cursor->part->kind, .n_cps = cursor->n_left, .text = cursor->text, .n_bytes = cursor->n_bytes_left
    };
    cursor->text += cursor->n_bytes_left;
    cursor->part++;
    text_cursor_load(cursor);
    return true;
}

/* The first n_cps code points of a piece with text, or without. */
struct text_piece text_piece_start(const struct text_piece *piece, uint64_t n_cps);

/* At most n_cps of it, but a part of the kind `whole` is never divided. Past the end an operation skips for ever. */
static inline void text_cursor_take(struct text_cursor *cursor, uint64_t n_cps, enum text_kind whole,
                                    struct text_piece *out)
{
    struct text_piece left = { .kind = TEXT_SKIP, .n_cps = n_cps };

    if (cursor->part == cursor->end) {
        *out = left;
        return;
    }
    if (cursor->part->kind == whole || cursor->n_left <= n_cps) {
        (void)text_cursor_next(cursor, out);
        return;
    }
    left = (struct text_piece){
        .kind = cursor->part->kind, .n_cps = cursor->n_left, .text = cursor->text, .n_bytes = cursor->n_bytes_left
    };
    *out = text_piece_start(&left, n_cps);
    cursor->text += out->n_bytes;
    cursor->n_left -= n_cps;
    cursor->n_bytes_left -= out->n_bytes;
}

/* ---- writing: a builder takes pieces and merges them into normal form ---------------------------------------------
 */

struct text_builder {
    int r; /* the first failure; after it nothing is taken */
    size_t max_parts;
    struct text_part *parts;
    char *text;
    size_t n_parts, parts_capacity;
    size_t n_bytes, text_capacity;
    struct text_part first_parts[16];
    char first_text[256];
};

void text_builder_init(struct text_builder *builder, size_t max_parts);
void text_builder_merge(struct text_builder *builder, const struct text_piece *piece);
void text_builder_push(struct text_builder *builder, const struct text_piece *piece);

static inline void text_builder_add(struct text_builder *builder, const struct text_piece *piece)
{
    size_t n = builder->n_parts;

    if (builder->r || !piece->n_cps)
        return;
    if (n && builder->parts[n - 1].kind == piece->kind) {
        text_builder_merge(builder, piece);
        return;
    }
    if (piece->n_bytes || n == builder->parts_capacity || n >= builder->max_parts) {
        text_builder_push(builder, piece);
        return;
    }
    builder->parts[n] = (struct text_part){ .kind = piece->kind, .n_cps = piece->n_cps };
    builder->n_parts++;
}

static inline void text_builder_skip(struct text_builder *builder, uint64_t n_cps)
{
    text_builder_add(builder, &(struct text_piece){ .kind = TEXT_SKIP, .n_cps = n_cps });
}

/* Hands the operation over to *out, or answers what went wrong: -ENOMEM or OT_LIMIT. Frees the builder either way. */
int text_builder_finish(struct text_builder *builder, struct ot_op **out, struct ot_error *error);
void text_builder_discard(struct text_builder *builder);

/* ---- the functions of the type, by file ----------------------------------------------------------------------------
 */

int text_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                  struct ot_error *error);
struct ot_amount text_op_amount(const struct ot_op *op);
int text_op_write(const struct ot_op *op, ot_write_fn *write, void *arg);
int text_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                      const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int text_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                    struct ot_op **out, struct ot_error *error);
int text_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error);
int text_op_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                               struct ot_error *error);
int text_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                               struct ot_error *error);
/* is_own: what is inserted at the position carries it along. */
uint64_t text_op_move_position(const struct text_op *op, uint64_t at_cp, bool is_own);

/* On a text that is part of something larger; all or nothing. */
int text_op_apply(const struct text_op *op, struct rope *rope, size_t max_bytes, struct ot_error *error);
int text_op_make_invertible(const struct text_op *op, const struct rope *before, struct ot_op **out,
                            struct ot_error *error);

#endif
