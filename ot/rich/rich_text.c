#include "ot/rich/delta.h"

#include <errno.h>
#include <stdlib.h>

/* The type rich-text: its row, and what stands between it and delta_*.c. */

struct rich_snapshot {
    struct ot_snapshot base;
    struct delta_document document;
};

static struct delta_document *document_of(struct ot_snapshot *snapshot)
{
    return &((struct rich_snapshot *)(void *)snapshot)->document;
}

static const struct delta_document *document_in(const struct ot_snapshot *snapshot)
{
    return &((const struct rich_snapshot *)(const void *)snapshot)->document;
}

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

static void snapshot_destroy(struct ot_snapshot *snapshot)
{
    delta_document_finish(document_of(snapshot));
    free(snapshot);
}

static struct rich_snapshot *snapshot_empty(void)
{
    struct rich_snapshot *snapshot = malloc(sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->base.type = &rich_text;
    rope_init(&snapshot->document.rope);
    snapshot->document.runs = (struct delta_runs){ .root = NULL };
    return snapshot;
}

static int snapshot_fill(struct ot_snapshot *snapshot, const struct ot_json *data, const struct ot_limits *limits,
                         struct ot_error *error)
{
    struct ot_op *content = NULL;
    int r = delta_op_parse_content(data, limits, &content, error);

    if (!r)
        r = delta_document_apply(document_of(snapshot), delta_op_of(content), limits, error);
    ot_op_unref(content);
    return r;
}

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    struct rich_snapshot *snapshot = snapshot_empty();
    int r = 0;

    if (!snapshot)
        return -ENOMEM;
    if (data)
        r = snapshot_fill(&snapshot->base, data, limits, error);
    if (r)
        snapshot_destroy(&snapshot->base);
    else
        *out = &snapshot->base;
    return r;
}

static int snapshot_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out)
{
    struct rich_snapshot *share = snapshot_empty();

    if (!share)
        return -ENOMEM;
    delta_document_share(document_in(snapshot), &share->document);
    *out = &share->base;
    return 0;
}

static size_t snapshot_size(const struct ot_snapshot *snapshot)
{
    return delta_document_size(document_in(snapshot));
}

static uint64_t snapshot_length(const struct ot_snapshot *snapshot)
{
    const struct rope_sums *sums = &document_in(snapshot)->rope.sums;

    return (uint64_t)sums->n_cps + sums->n_astral;
}

static int snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error)
{
    return delta_document_apply(document_of(snapshot), delta_op_of(op), limits, error);
}

static int snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    return delta_document_write(document_in(snapshot), write, arg);
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void op_destroy(struct ot_op *op)
{
    struct delta_op *delta = (struct delta_op *)(void *)op;

    for (size_t i = 0; i < delta->n_components; i++) {
        delta_release(&delta->components[i].attributes);
        delta_release(&delta->components[i].embed);
    }
    free(delta);
}

static bool op_is_noop(const struct ot_op *op)
{
    return delta_op_of(op)->n_components == 0;
}

static size_t op_size(const struct ot_op *op)
{
    const struct delta_op *delta = delta_op_of(op);
    size_t n_bytes = sizeof(*delta) + delta->n_components * sizeof(delta->components[0]) + delta->n_bytes;

    for (size_t i = 0; i < delta->n_components; i++)
        n_bytes += value_json_bytes(&delta->components[i].attributes) + value_json_bytes(&delta->components[i].embed);
    return n_bytes;
}

static struct ot_amount op_amount(const struct ot_op *op)
{
    const struct delta_op *delta = delta_op_of(op);
    struct ot_amount amount = { 0, 0 };

    for (size_t i = 0; i < delta->n_components; i++) {
        const struct delta_component *component = &delta->components[i];

        amount.n_inserted += delta_is_insert(component->kind) ? component->n_units : 0;
        amount.n_deleted += component->kind == DELTA_DELETE ? component->n_units : 0;
    }
    return amount;
}

static int op_invert_with(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                          struct ot_error *error)
{
    return delta_document_invert(document_in(before), delta_op_of(op), out, error);
}

const struct ot_type rich_text = {
    .name = "rich-text",
    .uri = "http://sharejs.org/types/rich-text/v1",
    .op_parse = delta_op_parse,
    .op_destroy = op_destroy,
    .op_is_noop = op_is_noop,
    .op_size = op_size,
    .op_amount = op_amount,
    .op_write = delta_op_write,
    .op_transform = delta_op_transform,
    .op_compose = delta_op_compose,
    .op_invert_with = op_invert_with,
    .op_transform_presence = delta_op_transform_presence,
    .snapshot_create = snapshot_create,
    .snapshot_share = snapshot_share,
    .snapshot_destroy = snapshot_destroy,
    .snapshot_size = snapshot_size,
    .snapshot_length = snapshot_length,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = snapshot_write_json,
};
