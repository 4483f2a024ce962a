#include "ot/json0.h"
#include "ot/error.h"
#include "ot/writer.h"

#include <errno.h>
#include <stdlib.h>

/* The type json0: its documents, and its row. */

struct json0_snapshot {
    struct ot_snapshot base;
    struct value root; /* not NONE */
    size_t n_bytes;    /* of its JSON, about */
};

static struct json0_snapshot *snapshot_of(struct ot_snapshot *snapshot)
{
    return (struct json0_snapshot *)(void *)snapshot;
}

static const struct json0_snapshot *snapshot_in(const struct ot_snapshot *snapshot)
{
    return (const struct json0_snapshot *)(const void *)snapshot;
}

static void snapshot_destroy(struct ot_snapshot *snapshot)
{
    value_release(&snapshot_of(snapshot)->root);
    free(snapshot);
}

static struct json0_snapshot *snapshot_null(void)
{
    struct json0_snapshot *snapshot = malloc(sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->base.type = &json0;
    snapshot->root = value_of_kind(VALUE_NULL);
    snapshot->n_bytes = value_json_bytes(&snapshot->root);
    return snapshot;
}

static int check_document(const struct json0_snapshot *snapshot, const struct ot_limits *limits, struct ot_error *error)
{
    if (snapshot->n_bytes > limits->max_document_bytes)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    if (value_depth(&snapshot->root) > limits->max_depth)
        return ot_fail(error, OT_LIMIT, "a document that is nested too deeply");
    return 0;
}

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    struct json0_snapshot *snapshot = snapshot_null();
    int r = 0;

    if (!snapshot)
        return -ENOMEM;
    if (data)
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
    struct json0_snapshot *share = snapshot_null();

    if (!share)
        return -ENOMEM;
    share->root = value_share(&snapshot_in(snapshot)->root);
    share->n_bytes = snapshot_in(snapshot)->n_bytes;
    *out = &share->base;
    return 0;
}

static size_t snapshot_size(const struct ot_snapshot *snapshot)
{
    return snapshot_in(snapshot)->n_bytes;
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static int check_end(const struct json0_snapshot *snapshot, size_t n_bytes_before, const struct ot_limits *limits,
                     struct ot_error *error)
{
    if (!json0_has(&snapshot->root))
        return ot_fail(error, OT_NOT_APPLIED, "the last component takes the whole document away");
    if (snapshot->n_bytes > limits->max_document_bytes && snapshot->n_bytes > n_bytes_before)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    return 0;
}

/* A component is all or nothing by itself; several need the way back. Only what they leave in the end has to be a
 * document, and small enough. */
static int apply_or_restore(struct json0_snapshot *snapshot, const struct json0_op *op, const struct ot_limits *limits,
                            struct ot_error *error)
{
    const struct json0_bounds bounds = { .max_depth = limits->max_depth, .max_bytes = SIZE_MAX };
    struct value before = value_share(&snapshot->root);
    size_t n_bytes = snapshot->n_bytes;
    int r = 0;

    for (uint32_t i = 0; !r && i < op->n_components; i++)
        r = json0_apply(&snapshot->root, &op->components[i], &bounds, &snapshot->n_bytes, error);
    if (!r)
        r = check_end(snapshot, n_bytes, limits, error);
    if (r) {
        value_release(&snapshot->root);
        snapshot->root = before;
        snapshot->n_bytes = n_bytes;
        return r;
    }
    value_release(&before);
    return 0;
}

static bool takes_all(const struct json0_component *component)
{
    return component->kind == JSON0_OBJECT && !component->n_path && !json0_has(&component->put);
}

static int snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error)
{
    const struct json0_bounds bounds = { .max_depth = limits->max_depth, .max_bytes = limits->max_document_bytes };
    struct json0_snapshot *own = snapshot_of(snapshot);
    const struct json0_op *components = json0_op_of(op);

    if (components->n_components != 1 || takes_all(&components->components[0]))
        return apply_or_restore(own, components, limits, error);
    return json0_apply(&own->root, &components->components[0], &bounds, &own->n_bytes, error);
}

static int snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    value_write(&writer, &snapshot_in(snapshot)->root);
    return writer_finish(&writer);
}

static bool op_is_noop(const struct ot_op *op)
{
    return json0_op_of(op)->n_components == 0;
}

const struct ot_type json0 = {
    .name = "json0",
    .uri = "http://sharejs.org/types/JSONv0",
    .op_parse = json0_op_parse,
    .op_destroy = json0_op_destroy,
    .op_is_noop = op_is_noop,
    .op_size = json0_op_size,
    .op_write = json0_op_write,
    .op_transform = json0_op_transform,
    .op_compose = json0_op_compose,
    .op_invert = json0_op_invert,
    .snapshot_create = snapshot_create,
    .snapshot_share = snapshot_share,
    .snapshot_destroy = snapshot_destroy,
    .snapshot_size = snapshot_size,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = snapshot_write_json,
};
