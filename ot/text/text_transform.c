#include "ot/error.h"
#include "ot/text/text_op.h"

#include <string.h>

/* Each function walks one operation and takes from the other what lies under each of its parts; docs/ot.md has the
 * cases as a table. What is not taken stays as it is. */

static void add_rest(struct text_builder *builder, struct text_cursor *cursor)
{
    struct text_piece piece;

    while (text_cursor_next(cursor, &piece))
        text_builder_add(builder, &piece);
}

/* ---- transform --------------------------------------------------------------------------------------------------- */

/* The other keeps these n_cps: so does the operation's plan for them. */
static void over_skip(struct text_builder *builder, struct text_cursor *mine, uint64_t n_cps)
{
    struct text_piece piece;

    while (n_cps) {
        text_cursor_take(mine, n_cps, TEXT_INSERT, &piece);
        text_builder_add(builder, &piece);
        if (piece.kind != TEXT_INSERT)
            n_cps -= piece.n_cps;
    }
}

/* The other has inserted here: left stands before it, and only with an insert that comes next. */
static void over_insert(struct text_builder *builder, struct text_cursor *mine, uint64_t n_cps, enum ot_side side)
{
    struct text_piece piece;

    if (side == OT_LEFT && text_cursor_at(mine, TEXT_INSERT) && text_cursor_next(mine, &piece))
        text_builder_add(builder, &piece);
    text_builder_skip(builder, n_cps);
}

/* The other has deleted these: nothing is left to skip or to delete, but inserts among them stay. */
static void over_delete(struct text_builder *builder, struct text_cursor *mine, uint64_t n_cps)
{
    struct text_piece piece;

    while (n_cps) {
        text_cursor_take(mine, n_cps, TEXT_INSERT, &piece);
        if (piece.kind == TEXT_INSERT)
            text_builder_add(builder, &piece);
        else
            n_cps -= piece.n_cps;
    }
}

int text_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                      const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct text_builder builder;
    struct text_cursor mine, theirs;
    struct text_piece piece;

    text_builder_init(&builder, limits->max_components);
    text_cursor_init(&mine, text_op_of(op));
    text_cursor_init(&theirs, text_op_of(other));
    while (text_cursor_next(&theirs, &piece)) {
        switch (piece.kind) {
        case TEXT_SKIP: over_skip(&builder, &mine, piece.n_cps); break;
        case TEXT_INSERT: over_insert(&builder, &mine, piece.n_cps, side); break;
        case TEXT_DELETE: over_delete(&builder, &mine, piece.n_cps); break;
        }
    }
    add_rest(&builder, &mine);
    return text_builder_finish(&builder, out, error);
}

/* ---- compose ----------------------------------------------------------------------------------------------------- */

/* The second keeps these n_cps of what the first leaves behind. */
static void keep(struct text_builder *builder, struct text_cursor *first, uint64_t n_cps)
{
    struct text_piece piece;

    while (n_cps) {
        text_cursor_take(first, n_cps, TEXT_DELETE, &piece);
        text_builder_add(builder, &piece);
        if (piece.kind != TEXT_DELETE)
            n_cps -= piece.n_cps;
    }
}

/* The start of a deletion, as long as what it meets; the deletion becomes the rest. */
static struct text_piece split_start(struct text_piece *deletion, uint64_t n_cps)
{
    struct text_piece start = text_piece_start(deletion, n_cps);

    deletion->n_cps -= start.n_cps;
    deletion->text += start.n_bytes;
    deletion->n_bytes -= start.n_bytes;
    return start;
}

static bool names_other_text(const struct text_piece *deleted, const struct text_piece *inserted)
{
    return deleted->n_bytes &&
           (deleted->n_bytes != inserted->n_bytes || memcmp(deleted->text, inserted->text, deleted->n_bytes) != 0);
}

/* The second deletes these: what the first inserted is gone, what it skipped is deleted now. */
static int compose_delete(struct text_builder *builder, struct text_cursor *first, struct text_piece deletion)
{
    struct text_piece piece, deleted;

    while (deletion.n_cps) {
        text_cursor_take(first, deletion.n_cps, TEXT_DELETE, &piece);
        if (piece.kind == TEXT_DELETE) {
            text_builder_add(builder, &piece);
            continue;
        }
        deleted = split_start(&deletion, piece.n_cps);
        if (piece.kind == TEXT_SKIP)
            text_builder_add(builder, &deleted);
        else if (names_other_text(&deleted, &piece))
            return OT_NOT_APPLIED;
    }
    return 0;
}

int text_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                    struct ot_op **out, struct ot_error *error)
{
    struct text_builder builder;
    struct text_cursor mine, theirs;
    struct text_piece piece;
    int r = 0;

    text_builder_init(&builder, limits->max_components);
    text_cursor_init(&mine, text_op_of(first));
    text_cursor_init(&theirs, text_op_of(second));
    while (!r && text_cursor_next(&theirs, &piece)) {
        switch (piece.kind) {
        case TEXT_SKIP: keep(&builder, &mine, piece.n_cps); break;
        case TEXT_INSERT: text_builder_add(&builder, &piece); break;
        case TEXT_DELETE: r = compose_delete(&builder, &mine, piece); break;
        }
    }
    if (r) {
        text_builder_discard(&builder);
        return ot_fail(error, r, "the second operation deletes another text than the first inserts");
    }
    add_rest(&builder, &mine);
    return text_builder_finish(&builder, out, error);
}

/* ---- invert, positions ------------------------------------------------------------------------------------------- */

int text_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    struct text_builder builder;
    struct text_cursor cursor;
    struct text_piece piece;

    text_builder_init(&builder, SIZE_MAX);
    text_cursor_init(&cursor, text_op_of(op));
    while (text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_DELETE && !piece.n_bytes) {
            text_builder_discard(&builder);
            return ot_fail(error, OT_BAD_OP, "the operation does not hold the text that it deletes");
        }
        if (piece.kind != TEXT_SKIP)
            piece.kind = piece.kind == TEXT_DELETE ? TEXT_INSERT : TEXT_DELETE;
        text_builder_add(&builder, &piece);
    }
    return text_builder_finish(&builder, out, error);
}

uint64_t text_op_move_position(const struct text_op *op, uint64_t at_cp, bool is_own)
{
    struct text_cursor cursor;
    struct text_piece piece;
    uint64_t at = 0;

    text_cursor_init(&cursor, op);
    while ((at_cp > at || (is_own && at_cp == at)) && text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_DELETE) {
            at_cp -= piece.n_cps < at_cp - at ? piece.n_cps : at_cp - at;
            continue;
        }
        at += piece.n_cps;
        if (piece.kind == TEXT_INSERT)
            at_cp += piece.n_cps;
    }
    return at_cp;
}

int text_op_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                               struct ot_error *error)
{
    uint64_t at_cp;

    if (!ot_json_integer(position, &at_cp))
        return ot_fail(error, OT_BAD_OP, "a position must be an integer from 0 to 2^53-1");
    return ot_json_from_number((double)text_op_move_position(text_op_of(op), at_cp, false), out);
}
