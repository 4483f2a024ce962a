#include "ot/error.h"
#include "ot/json/utf8.h"
#include "ot/json/writer.h"
#include "ot/structures/rope.h"
#include "ot/text/text_op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The type text-unicode: its documents, and its row. */

struct text_snapshot {
    struct ot_snapshot base;
    struct rope rope;
};

static struct rope *rope_of(struct ot_snapshot *snapshot)
{
    return &((struct text_snapshot *)(void *)snapshot)->rope;
}

static const struct rope *rope_in(const struct ot_snapshot *snapshot)
{
    return &((const struct text_snapshot *)(const void *)snapshot)->rope;
}

static void snapshot_destroy(struct ot_snapshot *snapshot)
{
    rope_finish(rope_of(snapshot));
    free(snapshot);
}

static struct text_snapshot *snapshot_empty(void)
{
    struct text_snapshot *snapshot = malloc(sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->base.type = &text_unicode;
    rope_init(&snapshot->rope);
    return snapshot;
}

/* An operation's text is kept below the same half, so what a rope holds in the middle of one stays within its counts.
 */
static size_t max_bytes(const struct ot_limits *limits)
{
    return limits->max_document_bytes < ROPE_MAX_BYTES / 2 ? limits->max_document_bytes : ROPE_MAX_BYTES / 2;
}

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    struct text_snapshot *snapshot;
    const char *text = "";
    size_t n_bytes = 0;
    int r;

    if (data && ot_json_kind(data) != OT_JSON_STRING)
        return ot_fail(error, OT_BAD_OP, "the content of a text must be a string");
    if (data)
        text = ot_json_string(data, &n_bytes);
    if (n_bytes > max_bytes(limits))
        return ot_fail(error, OT_LIMIT, "a text of more than %zu bytes", max_bytes(limits));
    snapshot = snapshot_empty();
    if (!snapshot)
        return -ENOMEM;
    r = rope_insert(&snapshot->rope, 0, text, n_bytes);
    if (r)
        snapshot_destroy(&snapshot->base);
    else
        *out = &snapshot->base;
    return r;
}

static int snapshot_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out)
{
    struct text_snapshot *share = snapshot_empty();

    if (!share)
        return -ENOMEM;
    rope_share(rope_in(snapshot), &share->rope);
    *out = &share->base;
    return 0;
}

static size_t snapshot_size(const struct ot_snapshot *snapshot)
{
    return rope_in(snapshot)->sums.n_bytes;
}

static uint64_t snapshot_length(const struct ot_snapshot *snapshot)
{
    return rope_in(snapshot)->sums.n_cps;
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static bool reads(const struct rope *rope, size_t at_cp, const char *text, size_t n_bytes)
{
    struct rope_cursor cursor;
    const char *at;

    rope_cursor_init(&cursor, rope, at_cp);
    while (n_bytes) {
        size_t n = rope_cursor_read(&cursor, n_bytes, &at);

        if (!n || memcmp(at, text, n) != 0)
            return false;
        text += n;
        n_bytes -= n;
    }
    return true;
}

/* Whether the piece finds its code points, and the text that it names, at at_cp. */
static int check_piece(const struct rope *rope, size_t at_cp, const struct text_piece *piece, struct ot_error *error)
{
    if (piece->kind == TEXT_INSERT)
        return 0;
    if (piece->n_cps > rope->sums.n_cps - at_cp)
        return ot_fail(error, OT_NOT_APPLIED, "%s past the end of the text",
                       piece->kind == TEXT_SKIP ? "skips" : "deletes");
    if (!reads(rope, at_cp, piece->text, piece->n_bytes))
        return ot_fail(error, OT_NOT_APPLIED, "names another text than it deletes at %zu", at_cp);
    return 0;
}

static int check_fits(const struct rope *rope, const struct text_op *op, struct ot_error *error)
{
    struct text_cursor cursor;
    struct text_piece piece;
    size_t at_cp = 0;

    text_cursor_init(&cursor, op);
    while (text_cursor_next(&cursor, &piece)) {
        int r = check_piece(rope, at_cp, &piece, error);

        if (r)
            return r;
        if (piece.kind != TEXT_INSERT)
            at_cp += piece.n_cps;
    }
    return 0;
}

static size_t bytes_between(const struct rope *rope, size_t from_cp, size_t to_cp)
{
    return rope_byte_at(rope, to_cp) - rope_byte_at(rope, from_cp);
}

/* Whoever makes a text that is too long shorter is welcome. */
static int check_size(const struct rope *rope, const struct text_op *op, size_t limit, struct ot_error *error)
{
    size_t at_cp = 0, n_inserted = 0, n_deleted = 0;
    struct text_cursor cursor;
    struct text_piece piece;

    if (rope->sums.n_bytes + op->n_bytes <= limit)
        return 0; /* nearly always; the rest counts exactly */
    text_cursor_init(&cursor, op);
    while (text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_INSERT) {
            n_inserted += piece.n_bytes;
            continue;
        }
        if (piece.kind == TEXT_DELETE)
            n_deleted += bytes_between(rope, at_cp, at_cp + piece.n_cps);
        at_cp += piece.n_cps;
    }
    if (n_inserted > n_deleted && rope->sums.n_bytes + n_inserted - n_deleted > limit)
        return ot_fail(error, OT_LIMIT, "a text of more than %zu bytes", limit);
    return 0;
}

static int edit(struct rope *rope, const struct text_op *op)
{
    struct text_cursor cursor;
    struct text_piece piece;
    size_t at_cp = 0;
    int r = 0;

    text_cursor_init(&cursor, op);
    while (!r && text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_DELETE)
            r = rope_delete(rope, at_cp, at_cp + piece.n_cps);
        if (piece.kind == TEXT_INSERT)
            r = rope_insert(rope, at_cp, piece.text, piece.n_bytes);
        if (piece.kind != TEXT_DELETE)
            at_cp += piece.n_cps;
    }
    return r;
}

/* A rope's edit is all or nothing by itself; several need the way back. */
static int edit_or_restore(struct rope *rope, const struct text_op *op)
{
    struct rope before;
    int r;

    if (op->n_parts == 1 || (op->n_parts == 2 && op->parts[0].kind == TEXT_SKIP))
        return edit(rope, op);
    rope_share(rope, &before);
    r = edit(rope, op);
    if (r) {
        rope_finish(rope);
        *rope = before;
        return r;
    }
    rope_finish(&before);
    return 0;
}

int text_op_apply(const struct text_op *op, struct rope *rope, size_t max_bytes, struct ot_error *error)
{
    int r = check_fits(rope, op, error);

    if (!r)
        r = check_size(rope, op, max_bytes, error);
    return r ? r : edit_or_restore(rope, op);
}

static int snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error)
{
    return text_op_apply(text_op_of(op), rope_of(snapshot), max_bytes(limits), error);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    struct rope_cursor cursor;
    struct writer writer;
    const char *at;
    size_t n;

    writer_init(&writer, write, arg);
    rope_cursor_init(&cursor, rope_in(snapshot), 0);
    writer_byte(&writer, '"');
    while ((n = rope_cursor_read(&cursor, SIZE_MAX, &at)) > 0)
        writer_escaped(&writer, at, n);
    writer_byte(&writer, '"');
    return writer_finish(&writer);
}

static int snapshot_write_text(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    struct rope_cursor cursor;
    const char *at;
    size_t n;
    int r = 0;

    rope_cursor_init(&cursor, rope_in(snapshot), 0);
    while (!r && (n = rope_cursor_read(&cursor, SIZE_MAX, &at)) > 0)
        r = write(arg, at, n);
    return r;
}

/* ---- operations that need the document -----------------------------------------------------------------------------
 */

/* The text that a delete takes away, as deletes that hold it, one for each piece in which the rope has it. */
static void add_deleted(struct text_builder *builder, const struct rope *rope, size_t from_cp, size_t to_cp)
{
    size_t n_bytes = bytes_between(rope, from_cp, to_cp);
    struct text_piece piece = { .kind = TEXT_DELETE };
    struct rope_cursor cursor;

    rope_cursor_init(&cursor, rope, from_cp);
    while ((piece.n_bytes = n_bytes ? rope_cursor_read(&cursor, n_bytes, &piece.text) : 0) > 0) {
        piece.n_cps = utf8_count(piece.text, piece.n_bytes);
        text_builder_add(builder, &piece);
        n_bytes -= piece.n_bytes;
    }
}

int text_op_make_invertible(const struct text_op *op, const struct rope *before, struct ot_op **out,
                            struct ot_error *error)
{
    struct text_builder builder;
    struct text_cursor cursor;
    struct text_piece piece;
    size_t at_cp = 0;
    int r = check_fits(before, op, error);

    if (r)
        return r;
    text_builder_init(&builder, SIZE_MAX);
    text_cursor_init(&cursor, op);
    while (text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_DELETE)
            add_deleted(&builder, before, at_cp, at_cp + piece.n_cps);
        else
            text_builder_add(&builder, &piece);
        if (piece.kind != TEXT_INSERT)
            at_cp += piece.n_cps;
    }
    return text_builder_finish(&builder, out, error);
}

static int op_make_invertible(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                              struct ot_error *error)
{
    return text_op_make_invertible(text_op_of(op), rope_in(before), out, error);
}

static int op_invert_with(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                          struct ot_error *error)
{
    struct ot_op *invertible = NULL;
    int r = op_make_invertible(op, before, &invertible, error);

    if (!r)
        r = text_op_invert(invertible, out, error);
    ot_op_unref(invertible);
    return r;
}

static void op_destroy(struct ot_op *op)
{
    free(op);
}

static bool op_is_noop(const struct ot_op *op)
{
    return text_op_of(op)->n_parts == 0;
}

static size_t op_size(const struct ot_op *op)
{
    const struct text_op *text = text_op_of(op);

    return sizeof(*text) + text->n_parts * sizeof(text->parts[0]) + text->n_bytes;
}

const struct ot_type text_unicode = {
    .name = "text-unicode",
    .uri = "http://sharejs.org/types/text-unicode",
    .op_parse = text_op_parse,
    .op_destroy = op_destroy,
    .op_is_noop = op_is_noop,
    .op_size = op_size,
    .op_amount = text_op_amount,
    .op_write = text_op_write,
    .op_transform = text_op_transform,
    .op_compose = text_op_compose,
    .op_invert = text_op_invert,
    .op_invert_with = op_invert_with,
    .op_make_invertible = op_make_invertible,
    .op_transform_position = text_op_transform_position,
    .op_transform_presence = text_op_transform_presence,
    .snapshot_create = snapshot_create,
    .snapshot_share = snapshot_share,
    .snapshot_destroy = snapshot_destroy,
    .snapshot_size = snapshot_size,
    .snapshot_length = snapshot_length,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = snapshot_write_json,
    .snapshot_write_text = snapshot_write_text,
};
