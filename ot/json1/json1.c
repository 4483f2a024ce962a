#include "ot/json1/json1.h"

#include "ot/error.h"
#include "ot/structures/value_document.h"

#include <stdlib.h>

/* The type json1: its documents, and its row. */

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    return value_document_create(&json1, data, limits, out, error);
}

/* Works on a share, so that the way back is to drop it. */
static int snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error)
{
    struct value_document *mine = value_document_of(snapshot);
    struct value before = value_share(&mine->root);
    int r = json1_apply(json1_op_of(op), &mine->root, &mine->n_bytes, limits, error);

    if (r) {
        value_release(&mine->root);
        mine->root = before;
    } else {
        value_release(&before);
    }
    return r;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void op_destroy(struct ot_op *op)
{
    struct json1_op *mine = (struct json1_op *)(void *)op;

    for (size_t i = 0; i < mine->n_nodes; i++)
        json1_node_release(&mine->nodes[i]);
    free(mine);
}

static bool op_is_noop(const struct ot_op *op)
{
    return json1_op_of(op)->n_nodes == 0;
}

static size_t op_size(const struct ot_op *op)
{
    const struct json1_op *mine = json1_op_of(op);
    size_t n_bytes = sizeof(*mine);

    for (size_t i = 0; i < mine->n_nodes; i++) {
        const struct json1_node *node = &mine->nodes[i];

        n_bytes += sizeof(*node) + value_json_bytes(&node->removed) + value_json_bytes(&node->inserted);
        n_bytes += node->edit.op ? ot_op_size(node->edit.op) : 0;
    }
    return n_bytes;
}

static struct ot_amount op_amount(const struct ot_op *op)
{
    const struct json1_op *own = json1_op_of(op);
    struct ot_amount amount = { 0, 0 };

    for (uint32_t i = 0; i < own->n_nodes; i++) {
        const struct json1_node *node = &own->nodes[i];
        struct ot_amount edited = { 0, 0 };

        if (json1_has(node, JSON1_EDIT)) /* a number that is added to, or what is inside */
            edited = node->edit.op ? ot_op_amount(node->edit.op) : (struct ot_amount){ 1, 1 };
        amount.n_inserted += json1_has(node, JSON1_INSERT) + edited.n_inserted;
        amount.n_deleted += json1_has(node, JSON1_REMOVE) + edited.n_deleted;
    }
    return amount;
}

static int op_make_invertible(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                              struct ot_error *error)
{
    return json1_make_invertible_on(op, value_document_root(before), out, error);
}

static int op_invert_with(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                          struct ot_error *error)
{
    struct ot_op *invertible = NULL;
    int r = op_make_invertible(op, before, &invertible, error);

    if (!r)
        r = json1_invert(invertible, out, error);
    ot_op_unref(invertible);
    return r;
}

const struct ot_type json1 = {
    .name = "json1",
    .uri = "http://sharejs.org/types/JSONv1",
    .op_parse = json1_parse,
    .op_destroy = op_destroy,
    .op_is_noop = op_is_noop,
    .op_size = op_size,
    .op_amount = op_amount,
    .op_write = json1_write,
    .op_transform = json1_transform,
    .op_compose = json1_compose,
    .op_invert = json1_invert,
    .op_invert_with = op_invert_with,
    .op_make_invertible = op_make_invertible,
    .op_transform_position = json1_transform_position,
    .op_transform_resolving = json1_transform_resolving,
    .snapshot_create = snapshot_create,
    .snapshot_share = value_document_share,
    .snapshot_destroy = value_document_destroy,
    .snapshot_size = value_document_size,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = value_document_write_json,
};
