#include "ot/rich/delta.h"

#include "ot/error.h"
#include "ot/json/utf8.h"
#include "ot/structures/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct value delta_none = { .kind_and_zeros = 0 };

/* ---- text -------------------------------------------------------------------------------------------------------- */

#define BLOCK_BYTES 64

/* Character by character, from the start of one. */
static bool offset_in_block(const char *text, size_t n_bytes, uint64_t n_units, size_t *offset)
{
    size_t i = 0;

    for (; i < n_bytes; i++) {
        bool is_astral = (unsigned char)text[i] >= 0xf0;

        if (!utf8_is_start(text[i]))
            continue;
        if (n_units == 0)
            break;
        if (is_astral && n_units == 1)
            return false;
        n_units -= is_astral ? 2 : 1;
    }
    *offset += i;
    return true;
}

bool delta_text_offset(const char *text, size_t n_bytes, uint64_t n_units, size_t *out)
{
    size_t at = 0;

    while (n_bytes - at >= BLOCK_BYTES) {
        size_t n = utf8_count(text + at, BLOCK_BYTES) + utf8_count_astral(text + at, BLOCK_BYTES);

        if (n > n_units)
            break;
        n_units -= n;
        at += BLOCK_BYTES;
    }
    if (!offset_in_block(text + at, n_bytes - at, n_units, &at))
        return false;
    *out = at;
    return true;
}

/* ---- cursor ------------------------------------------------------------------------------------------------------ */

static void cursor_load(struct delta_cursor *cursor)
{
    bool is_at_end = delta_cursor_is_at_end(cursor);

    cursor->n_left = is_at_end ? UINT64_MAX : cursor->component->n_units;
    cursor->n_bytes_left = is_at_end ? 0 : cursor->component->n_bytes;
}

void delta_cursor_init(struct delta_cursor *cursor, const struct delta_op *op)
{
    cursor->component = op->components;
    cursor->end = op->components + op->n_components;
    cursor->text = delta_op_text(op);
    cursor_load(cursor);
}

static struct delta_piece piece_left(const struct delta_cursor *cursor)
{
    return (struct delta_piece){ .kind = cursor->component->kind,
                                 .n_units = cursor->n_left,
                                 .text = cursor->text,
                                 .n_bytes = cursor->n_bytes_left,
                                 .attributes = &cursor->component->attributes,
                                 .embed = &cursor->component->embed };
}

bool delta_cursor_next(struct delta_cursor *cursor, struct delta_piece *out)
{
    if (delta_cursor_is_at_end(cursor))
        return false;
    *out = piece_left(cursor);
    cursor->text += cursor->n_bytes_left;
    cursor->component++;
    cursor_load(cursor);
    return true;
}

bool delta_cursor_take(struct delta_cursor *cursor, uint64_t n_units, struct delta_piece *out)
{
    if (delta_cursor_is_at_end(cursor)) {
        *out = (struct delta_piece){
            .kind = DELTA_RETAIN, .n_units = n_units, .attributes = &delta_none, .embed = &delta_none
        };
        return true;
    }
    if (n_units == cursor->n_left)
        return delta_cursor_next(cursor, out);
    *out = piece_left(cursor);
    out->n_units = n_units;
    if (out->n_bytes && out->n_bytes == cursor->n_left)
        out->n_bytes = n_units; /* ASCII */
    else if (out->n_bytes && !delta_text_offset(cursor->text, cursor->n_bytes_left, n_units, &out->n_bytes))
        return false;
    cursor->text += out->n_bytes;
    cursor->n_bytes_left -= out->n_bytes;
    cursor->n_left -= n_units;
    return true;
}

/* ---- builder ----------------------------------------------------------------------------------------------------- */

void delta_builder_init(struct delta_builder *builder, size_t max_components)
{
    builder->r = 0;
    builder->max_components = max_components;
    builder->components = builder->first_components;
    builder->components_capacity = sizeof(builder->first_components) / sizeof(builder->first_components[0]);
    builder->text = builder->first_text;
    builder->text_capacity = sizeof(builder->first_text);
    builder->n_components = 0;
    builder->n_bytes = 0;
}

static int reserve_component(struct delta_builder *builder)
{
    size_t n_bytes = builder->components_capacity * sizeof(*builder->components);
    struct delta_component *grown;

    if (builder->n_components < builder->components_capacity)
        return 0;
    if (builder->n_components > builder->max_components)
        return OT_LIMIT;
    grown = array_grow(builder->components, builder->first_components, n_bytes, 2 * n_bytes);
    if (!grown)
        return -ENOMEM;
    builder->components = grown;
    builder->components_capacity *= 2;
    return 0;
}

/* The text of the last component that has one ends the builder's text, whatever deletes come behind it. */
static bool add_text(struct delta_builder *builder, const char *text, size_t n_bytes)
{
    if (!n_bytes)
        return true;
    builder->r =
        array_grow_text(&builder->text, builder->first_text, builder->n_bytes, &builder->text_capacity, n_bytes);
    if (builder->r)
        return false;
    memcpy(builder->text + builder->n_bytes, text, n_bytes);
    builder->n_bytes += n_bytes;
    return true;
}

static bool merges(const struct delta_builder *builder, size_t i, const struct delta_piece *piece)
{
    const struct delta_component *component = &builder->components[i];

    return component->kind == piece->kind && piece->kind != DELTA_EMBED &&
           delta_attributes_equal(&component->attributes, piece->attributes);
}

/* As component i; the one that is there, a delete, moves on. True when it is the last. */
static bool put(struct delta_builder *builder, size_t i, const struct delta_piece *piece)
{
    struct delta_component *components;

    builder->r = reserve_component(builder);
    if (builder->r || !add_text(builder, piece->text, piece->n_bytes))
        return false;
    components = builder->components;
    if (i < builder->n_components)
        components[i + 1] = components[i];
    components[i] = (struct delta_component){ .kind = piece->kind,
                                              .n_bytes = (uint32_t)piece->n_bytes,
                                              .n_units = piece->n_units,
                                              .attributes = delta_share(piece->attributes),
                                              .embed = delta_share(piece->embed) };
    builder->n_components++;
    return i + 1 == builder->n_components;
}

/* Into component i, which it merges with. */
static void merge(struct delta_builder *builder, size_t i, const struct delta_piece *piece)
{
    if (!add_text(builder, piece->text, piece->n_bytes))
        return;
    builder->components[i].n_units += piece->n_units;
    builder->components[i].n_bytes += (uint32_t)piece->n_bytes;
}

/* Merged with component i - 1, or between it and the next, which is none or a delete. */
static bool add_at(struct delta_builder *builder, size_t i, const struct delta_piece *piece)
{
    if (!i || !merges(builder, i - 1, piece))
        return put(builder, i, piece);
    merge(builder, i - 1, piece);
    return false;
}

bool delta_builder_append(struct delta_builder *builder, const struct delta_piece *piece)
{
    return !builder->r && piece->n_units && add_at(builder, builder->n_components, piece);
}

bool delta_builder_push(struct delta_builder *builder, const struct delta_piece *piece)
{
    size_t n = builder->n_components;

    if (n && delta_is_insert(piece->kind) && builder->components[n - 1].kind == DELTA_DELETE)
        n--;
    return !builder->r && piece->n_units && add_at(builder, n, piece);
}

void delta_builder_retain(struct delta_builder *builder, uint64_t n_units, const struct value *attributes)
{
    const struct delta_piece piece = {
        .kind = DELTA_RETAIN, .n_units = n_units, .attributes = attributes, .embed = &delta_none
    };

    (void)delta_builder_push(builder, &piece);
}

void delta_builder_delete(struct delta_builder *builder, uint64_t n_units)
{
    const struct delta_piece piece = {
        .kind = DELTA_DELETE, .n_units = n_units, .attributes = &delta_none, .embed = &delta_none
    };

    (void)delta_builder_push(builder, &piece);
}

/* What the components hold moves into the operation. */
static struct delta_op *op_create(struct delta_builder *builder)
{
    size_t components_bytes = builder->n_components * sizeof(*builder->components);
    struct delta_op *op = malloc(sizeof(*op) + components_bytes + builder->n_bytes);

    if (!op)
        return NULL;
    op->base = (struct ot_op){ .type = &rich_text, .n_references = 1 };
    op->n_components = (uint32_t)builder->n_components;
    op->n_bytes = builder->n_bytes;
    memcpy(op->components, builder->components, components_bytes);
    memcpy((char *)(op->components + op->n_components), builder->text, builder->n_bytes);
    builder->n_components = 0;
    return op;
}

void delta_builder_discard(struct delta_builder *builder)
{
    for (size_t i = 0; i < builder->n_components; i++) {
        delta_release(&builder->components[i].attributes);
        delta_release(&builder->components[i].embed);
    }
    if (builder->components != builder->first_components)
        free(builder->components);
    if (builder->text != builder->first_text)
        free(builder->text);
}

static bool ends_in_plain_retain(const struct delta_builder *builder)
{
    const struct delta_component *last = builder->components + builder->n_components - 1;

    return builder->n_components && last->kind == DELTA_RETAIN && last->attributes.kind == VALUE_NONE;
}

int delta_builder_finish(struct delta_builder *builder, struct ot_op **out, struct ot_error *error)
{
    struct delta_op *op = NULL;
    int r = builder->r;

    if (ends_in_plain_retain(builder))
        builder->n_components--;
    if (!r && builder->n_components > builder->max_components)
        r = OT_LIMIT;
    if (!r)
        op = op_create(builder);
    if (!r && !op)
        r = -ENOMEM;
    if (op)
        *out = &op->base;
    if (r == OT_LIMIT)
        (void)ot_fail(error, r, "an operation of too many components or too much text");
    delta_builder_discard(builder);
    return r;
}
