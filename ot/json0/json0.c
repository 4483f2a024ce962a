#include "ot/json0/json0.h"

#include "ot/error.h"
#include "ot/structures/value_document.h"

/* The type json0: its documents, and its row. */

static int snapshot_create(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error)
{
    return value_document_create(&json0, data, limits, out, error);
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static int check_end(const struct value_document *snapshot, size_t n_bytes_before, const struct ot_limits *limits,
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
static int apply_or_restore(struct value_document *snapshot, const struct json0_op *op, const struct ot_limits *limits,
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
    struct value_document *own = value_document_of(snapshot);
    const struct json0_op *components = json0_op_of(op);

    if (components->n_components != 1 || takes_all(&components->components[0]))
        return apply_or_restore(own, components, limits, error);
    return json0_apply(&own->root, &components->components[0], &bounds, &own->n_bytes, error);
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
    .op_amount = json0_op_amount,
    .op_write = json0_op_write,
    .op_transform = json0_op_transform,
    .op_compose = json0_op_compose,
    .op_invert = json0_op_invert,
    .op_settle = json0_op_settle,
    .snapshot_create = snapshot_create,
    .snapshot_share = value_document_share,
    .snapshot_destroy = value_document_destroy,
    .snapshot_size = value_document_size,
    .snapshot_apply = snapshot_apply,
    .snapshot_write_json = value_document_write_json,
};
