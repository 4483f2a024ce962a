#include "ot/json1.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>

/* The type json1: its documents, and its row. */

struct json1_snapshot {
    struct ot_snapshot base;
    struct value root;
    size_t n_bytes; /* of its JSON, as value_json_bytes counts */
};

static struct json1_snapshot *own(struct ot_snapshot *snapshot)
{
    return (struct json1_snapshot *)(void *)snapshot;
}

static const struct json1_snapshot *in(const struct ot_snapshot *snapshot)
{
    return (const struct json1_snapshot *)(const void *)snapshot;
}

static struct json1_snapshot *snapshot_empty(void)
{
    struct json1_snapshot *snapshot = malloc(sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->base.type = &json1;
    snapshot->root = value_of_kind(VALUE_NONE);
    snapshot->n_bytes = 0;
    return snapshot;
}

static void snapshot_destroy(struct ot_snapshot *snapshot)
{
    value_release(&own(snapshot)->root);
    free(snapshot);
}

static int check_document(const struct json1_snapshot *snapshot, const struct ot_limits *limits, struct ot_error *error)
{
    if (snapshot->n_bytes > limits->max_document_bytes)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    if (value_depth(&snapshot->root) > limits->max_depth)
        return ot_fail(error, OT_LIMIT, "nested too deeply");
    return 0;
}

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    struct json1_snapshot *snapshot;
    int r;

    if (!data)
        return ot_fail(error, OT_BAD_OP, "json1 has no empty document");
    snapshot = snapshot_empty();
    if (!snapshot)
        return -ENOMEM;
    r = value_from_json(data, &snapshot->root);
    if (!r) {
        snapshot->n_bytes = value_json_bytes(&snapshot->root);
        r = check_document(snapshot, limits, error);
    }
    if (r)
        snapshot_destroy(&snapshot->base);
    else
        *out = &snapshot->base;
    return r;
}

static int snapshot_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out)
{
    struct json1_snapshot *share = snapshot_empty();

    if (!share)
        return -ENOMEM;
    share->root = value_share(&in(snapshot)->root);
    share->n_bytes = in(snapshot)->n_bytes;
    *out = &share->base;
    return 0;
}

static size_t snapshot_size(const struct ot_snapshot *snapshot)
{
    return in(snapshot)->n_bytes;
}

/* Works on a share, so that the way back is to drop it. */
static int snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error)
{
    struct json1_snapshot *mine = own(snapshot);
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

static int snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    value_write(&writer, &in(snapshot)->root);
    return writer_finish(&writer);
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

static int op_make_invertible(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                              struct ot_error *error)
{
    return json1_make_invertible_on(op, &in(before)->root, out, error);
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
    .op_write = json1_write,
    .op_transform = json1_transform,
    .op_compose = json1_compose,
    .op_invert = json1_invert,
    .op_invert_with = op_invert_with,
    .op_make_invertible = op_make_invertible,
    .op_transform_position = json1_transform_position,
    .op_transform_resolving = json1_transform_resolving,
    .snapshot_create = snapshot_create,
    .snapshot_share = snapshot_share,
    .snapshot_destroy = snapshot_destroy,
    .snapshot_size = snapshot_size,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = snapshot_write_json,
};
