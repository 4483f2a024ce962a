#include "ot/text/text_op.h"

#include "ot/error.h"
#include "ot/json/utf8.h"
#include "ot/structures/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct text_piece text_piece_start(const struct text_piece *piece, uint64_t n_cps)
{
    struct text_piece start = { .kind = piece->kind, .n_cps = n_cps, .text = piece->text };

    if (piece->n_bytes)
        start.n_bytes = piece->n_bytes == piece->n_cps ? n_cps : utf8_offset(piece->text, piece->n_bytes, n_cps);
    return start;
}

/* ---- builder ----------------------------------------------------------------------------------------------------- */

void text_builder_init(struct text_builder *builder, size_t max_parts)
{
    builder->r = 0;
    builder->max_parts = max_parts;
    builder->parts = builder->first_parts;
    builder->parts_capacity = sizeof(builder->first_parts) / sizeof(builder->first_parts[0]);
    builder->text = builder->first_text;
    builder->text_capacity = sizeof(builder->first_text);
    builder->n_parts = 0;
    builder->n_bytes = 0;
}

static int reserve_part(struct text_builder *builder)
{
    size_t n_bytes = builder->parts_capacity * sizeof(*builder->parts);
    struct text_part *grown;

    if (builder->n_parts < builder->parts_capacity)
        return 0;
    if (builder->n_parts >= builder->max_parts)
        return OT_LIMIT;
    grown = array_grow(builder->parts, builder->first_parts, n_bytes, 2 * n_bytes);
    if (!grown)
        return -ENOMEM;
    builder->parts = grown;
    builder->parts_capacity *= 2;
    return 0;
}

static void add_text(struct text_builder *builder, const char *text, size_t n_bytes)
{
    if (!builder->r)
        builder->r =
            array_grow_text(&builder->text, builder->first_text, builder->n_bytes, &builder->text_capacity, n_bytes);
    if (builder->r)
        return;
    memcpy(builder->text + builder->n_bytes, text, n_bytes);
    builder->n_bytes += n_bytes;
}

/* Two deletes of which one does not hold its text make one that holds none. */
void text_builder_merge(struct text_builder *builder, const struct text_piece *piece)
{
    struct text_part *last = &builder->parts[builder->n_parts - 1];
    bool drops_text = last->kind == TEXT_DELETE && (!last->n_bytes || !piece->n_bytes);

    last->n_cps += piece->n_cps;
    if (drops_text) {
        builder->n_bytes -= last->n_bytes;
        last->n_bytes = 0;
    } else if (piece->n_bytes) {
        add_text(builder, piece->text, piece->n_bytes);
        last->n_bytes += (uint32_t)piece->n_bytes;
    }
}

void text_builder_push(struct text_builder *builder, const struct text_piece *piece)
{
    builder->r = reserve_part(builder);
    if (builder->r)
        return;
    builder->parts[builder->n_parts++] =
        (struct text_part){ .kind = piece->kind, .n_bytes = (uint32_t)piece->n_bytes, .n_cps = piece->n_cps };
    if (piece->n_bytes)
        add_text(builder, piece->text, piece->n_bytes);
}

static struct text_op *op_create(const struct text_builder *builder)
{
    size_t parts_bytes = builder->n_parts * sizeof(*builder->parts);
    struct text_op *op = malloc(sizeof(*op) + parts_bytes + builder->n_bytes);

    if (!op)
        return NULL;
    op->base = (struct ot_op){ .type = &text_unicode, .n_references = 1 };
    op->n_parts = (uint32_t)builder->n_parts;
    op->n_bytes = builder->n_bytes;
    memcpy(op->parts, builder->parts, parts_bytes);
    memcpy((char *)(op->parts + op->n_parts), builder->text, builder->n_bytes);
    return op;
}

void text_builder_discard(struct text_builder *builder)
{
    if (builder->parts != builder->first_parts)
        free(builder->parts);
    if (builder->text != builder->first_text)
        free(builder->text);
}

int text_builder_finish(struct text_builder *builder, struct ot_op **out, struct ot_error *error)
{
    struct text_op *op = NULL;
    int r = builder->r;

    if (builder->n_parts && builder->parts[builder->n_parts - 1].kind == TEXT_SKIP)
        builder->n_parts--;
    if (!r && builder->n_parts > builder->max_parts)
        r = OT_LIMIT;
    if (!r)
        op = op_create(builder);
    if (!r && !op)
        r = -ENOMEM;
    if (op)
        *out = &op->base;
    if (r == OT_LIMIT)
        (void)ot_fail(error, r, "an operation of too many parts or too much text");
    text_builder_discard(builder);
    return r;
}

struct ot_amount text_op_amount(const struct ot_op *op)
{
    const struct text_op *own = text_op_of(op);
    struct ot_amount amount = { 0, 0 };

    for (size_t i = 0; i < own->n_parts; i++) {
        amount.n_inserted += own->parts[i].kind == TEXT_INSERT ? own->parts[i].n_cps : 0;
        amount.n_deleted += own->parts[i].kind == TEXT_DELETE ? own->parts[i].n_cps : 0;
    }
    return amount;
}
