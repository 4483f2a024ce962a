#include "ot/error.h"
#include "ot/json/utf8.h"
#include "ot/rich/delta.h"

#include <assert.h>

/* Documents of rich text: a rope and its runs, changed together. */

static const char embed_mark[] = "\xef\xbf\xbc"; /* U+FFFC: object replacement character */
#define EMBED_MARK_BYTES (sizeof(embed_mark) - 1)

void delta_document_share(const struct delta_document *document, struct delta_document *out)
{
    rope_share(&document->rope, &out->rope);
    out->runs = document->runs;
    (void)tree_share(out->runs.root);
}

void delta_document_finish(struct delta_document *document)
{
    rope_finish(&document->rope);
    tree_release(&delta_run_kind, document->runs.root);
}

size_t delta_document_size(const struct delta_document *document)
{
    return sizeof("{\"ops\":[]}") - 1 + document->rope.sums.n_bytes + document->runs.n_bytes;
}

static size_t cp_at(const struct rope *rope, uint64_t at_unit)
{
    size_t at_cp = 0;
    bool is_whole = rope_cp_at_utf16(rope, at_unit, &at_cp);

    assert(is_whole);
    (void)is_whole;
    return at_cp;
}

/* ---- reading by units -------------------------------------------------------------------------------------------- */

void delta_reader_init(struct delta_reader *reader, const struct rope *rope, uint64_t at_unit)
{
    rope_cursor_init(&reader->cursor, rope, cp_at(rope, at_unit));
    reader->n_bytes = 0;
}

size_t delta_reader_read(struct delta_reader *reader, uint64_t *n_units, const char **out)
{
    size_t n_bytes, n_all;

    if (!*n_units)
        return 0;
    if (!reader->n_bytes)
        reader->n_bytes = rope_cursor_read(&reader->cursor, SIZE_MAX, &reader->at);
    n_bytes = reader->n_bytes;
    n_all = utf8_count(reader->at, n_bytes) + utf8_count_astral(reader->at, n_bytes);
    if (n_all > *n_units) {
        (void)delta_text_offset(reader->at, reader->n_bytes, *n_units, &n_bytes);
        n_all = *n_units;
    }
    *out = reader->at;
    *n_units -= n_all;
    reader->at += n_bytes;
    reader->n_bytes -= n_bytes;
    return n_bytes;
}

void delta_reader_skip(struct delta_reader *reader, uint64_t n_units)
{
    const char *at;

    while (n_units)
        (void)delta_reader_read(reader, &n_units, &at);
}

/* ---- does it fit? ------------------------------------------------------------------------------------------------ */

static int past_the_end(const struct delta_component *component, struct ot_error *error)
{
    const char *what = component->kind == DELTA_DELETE              ? "deletes"
                       : component->attributes.kind == VALUE_OBJECT ? "formats"
                                                                    : "retains";

    return ot_fail(error, OT_NOT_APPLIED, "%s past the end of the text", what);
}

/* No component may end past the end or inside a surrogate pair; with that none begins there. */
static int check_fits(const struct rope *rope, const struct delta_op *op, struct ot_error *error)
{
    uint64_t n_units = (uint64_t)rope->sums.n_cps + rope->sums.n_astral, at_unit = 0;
    size_t at_cp;

    for (size_t i = 0; i < op->n_components; i++) {
        const struct delta_component *component = &op->components[i];

        if (delta_is_insert(component->kind))
            continue;
        if (component->n_units > n_units - at_unit)
            return past_the_end(component, error);
        at_unit += component->n_units;
        if (rope->sums.n_astral && !rope_cp_at_utf16(rope, at_unit, &at_cp))
            return ot_fail(error, OT_NOT_APPLIED, "divides a surrogate pair at %llu", (unsigned long long)at_unit);
    }
    return 0;
}

/* Whether what it brings may be in a document: its nesting here, its size once it is applied. */
static int check_limits(const struct rope *rope, const struct delta_op *op, const struct ot_limits *limits,
                        struct ot_error *error)
{
    int r = 0;

    if ((uint64_t)rope->sums.n_bytes + op->n_bytes + op->n_components * EMBED_MARK_BYTES > ROPE_MAX_BYTES)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    for (size_t i = 0; !r && i < op->n_components; i++) {
        const struct delta_component *component = &op->components[i];

        if (component->attributes.kind == VALUE_OBJECT || component->kind == DELTA_EMBED)
            r = delta_check_depth(&component->attributes, &component->embed, limits, error);
    }
    return r;
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static int insert_piece(struct delta_document *document, uint64_t at_unit, const struct delta_piece *piece)
{
    bool is_embed = piece->kind == DELTA_EMBED;
    int r = rope_insert(&document->rope, cp_at(&document->rope, at_unit), is_embed ? embed_mark : piece->text,
                        is_embed ? EMBED_MARK_BYTES : piece->n_bytes);

    return r ? r : delta_runs_insert(&document->runs, at_unit, piece);
}

static int delete_units(struct delta_document *document, uint64_t at_unit, uint64_t n_units)
{
    const struct rope *rope = &document->rope;
    int r = rope_delete(&document->rope, cp_at(rope, at_unit), cp_at(rope, at_unit + n_units));

    return r ? r : delta_runs_delete(&document->runs, at_unit, n_units);
}

static int edit(struct delta_document *document, const struct delta_op *op)
{
    struct delta_cursor cursor;
    struct delta_piece piece;
    uint64_t at_unit = 0;
    int r = 0;

    delta_cursor_init(&cursor, op);
    while (!r && delta_cursor_next(&cursor, &piece)) {
        if (delta_is_insert(piece.kind))
            r = insert_piece(document, at_unit, &piece);
        else if (piece.kind == DELTA_DELETE)
            r = delete_units(document, at_unit, piece.n_units);
        else if (piece.attributes->kind == VALUE_OBJECT)
            r = delta_runs_format(&document->runs, at_unit, piece.n_units, piece.attributes);
        if (piece.kind != DELTA_DELETE)
            at_unit += piece.n_units;
    }
    return r;
}

/* Whoever makes a document that is too large smaller is welcome. */
static int check_size(const struct delta_document *document, const struct delta_document *before,
                      const struct ot_limits *limits, struct ot_error *error)
{
    size_t n_bytes = delta_document_size(document);

    if (n_bytes <= delta_document_size(before))
        return 0;
    if (n_bytes > limits->max_document_bytes || document->rope.sums.n_bytes > ROPE_MAX_BYTES / 2)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    return 0;
}

int delta_document_apply(struct delta_document *document, const struct delta_op *op, const struct ot_limits *limits,
                         struct ot_error *error)
{
    struct delta_document before;
    int r = check_fits(&document->rope, op, error);

    if (!r)
        r = check_limits(&document->rope, op, limits, error);
    if (r)
        return r;
    delta_document_share(document, &before);
    r = edit(document, op);
    if (!r)
        r = check_size(document, &before, limits, error);
    if (r) {
        delta_document_finish(document);
        *document = before;
        return r;
    }
    delta_document_finish(&before);
    return 0;
}

/* ---- invert ------------------------------------------------------------------------------------------------------ */

/* A part of a document that lies in one run. */
struct part {
    const struct delta_run *run;
    uint64_t n_units;
};

/* Walks n_units of a document from a position. */
struct parts {
    struct tree_cursor cursor;
    uint64_t offset; /* in the next run */
    uint64_t n_units;
};

static void parts_init(struct parts *parts, const struct delta_document *document, uint64_t at_unit, uint64_t n_units)
{
    size_t offset = at_unit;

    tree_cursor_init(&parts->cursor, &delta_run_kind, document->runs.root, &offset);
    parts->offset = offset;
    parts->n_units = n_units;
}

static bool parts_next(struct parts *parts, struct part *out)
{
    if (!parts->n_units)
        return false;
    out->run = tree_cursor_next(&parts->cursor);
    out->n_units = out->run->n_units - parts->offset;
    if (out->n_units > parts->n_units)
        out->n_units = parts->n_units;
    parts->offset = 0;
    parts->n_units -= out->n_units;
    return true;
}

/* Inserts what was deleted. */
static void invert_delete(struct delta_builder *builder, const struct delta_document *before, uint64_t at_unit,
                          uint64_t n_units)
{
    struct delta_reader reader;
    struct parts parts;
    struct part part;

    delta_reader_init(&reader, &before->rope, at_unit);
    parts_init(&parts, before, at_unit, n_units);
    while (parts_next(&parts, &part)) {
        bool is_embed = part.run->embed.kind != VALUE_NONE;
        struct delta_piece piece = { .kind = is_embed ? DELTA_EMBED : DELTA_TEXT,
                                     .attributes = &part.run->attributes,
                                     .embed = &part.run->embed };
        uint64_t n_left = part.n_units;

        while ((piece.n_bytes = delta_reader_read(&reader, &n_left, &piece.text)) > 0) {
            piece.n_units = part.n_units - n_left;
            part.n_units = n_left;
            if (is_embed)
                piece.n_bytes = 0;
            (void)delta_builder_push(builder, &piece);
        }
    }
}

/* Formats every run back to what it was. */
static void invert_format(struct delta_builder *builder, const struct delta_document *before, uint64_t at_unit,
                          const struct delta_piece *piece)
{
    struct parts parts;
    struct part part;

    parts_init(&parts, before, at_unit, piece->n_units);
    while (!builder->r && parts_next(&parts, &part)) {
        struct value attributes = delta_none;

        builder->r = delta_attributes_invert(piece->attributes, &part.run->attributes, &attributes);
        delta_builder_retain(builder, part.n_units, &attributes);
        delta_release(&attributes);
    }
}

int delta_document_invert(const struct delta_document *before, const struct delta_op *op, struct ot_op **out,
                          struct ot_error *error)
{
    struct delta_builder builder;
    struct delta_cursor cursor;
    struct delta_piece piece;
    uint64_t at_unit = 0;
    int r = check_fits(&before->rope, op, error);

    if (r)
        return r;
    delta_builder_init(&builder, SIZE_MAX);
    delta_cursor_init(&cursor, op);
    for (; delta_cursor_next(&cursor, &piece); at_unit += delta_is_insert(piece.kind) ? 0 : piece.n_units) {
        if (delta_is_insert(piece.kind))
            delta_builder_delete(&builder, piece.n_units);
        else if (piece.kind == DELTA_DELETE)
            invert_delete(&builder, before, at_unit, piece.n_units);
        else if (piece.attributes->kind == VALUE_OBJECT)
            invert_format(&builder, before, at_unit, &piece);
        else
            delta_builder_retain(&builder, piece.n_units, &delta_none);
    }
    return delta_builder_finish(&builder, out, error);
}
