#include "ot/error.h"
#include "ot/type.h"

#include <assert.h>
#include <string.h>

/* The public functions: each checks what is the same for all types, and asks the type's row. */

static const struct ot_type *const types[] = { &text_unicode, &rich_text, &json0, &json1 };

static bool is_text(const char *text, const char *name, size_t n_bytes)
{
    return strlen(text) == n_bytes && memcmp(text, name, n_bytes) == 0;
}

const struct ot_type *ot_type_find(const char *name, size_t n_bytes)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_text(types[i]->name, name, n_bytes) || is_text(types[i]->uri, name, n_bytes))
            return types[i];
    }
    return NULL;
}

const char *ot_type_name(const struct ot_type *type)
{
    return type->name;
}

const char *ot_type_uri(const struct ot_type *type)
{
    return type->uri;
}

bool ot_type_has_presence(const struct ot_type *type)
{
    return type->op_transform_presence;
}

static const struct ot_limits *limits_or_default(const struct ot_limits *limits)
{
    return limits ? limits : &ot_limits_default;
}

static int unsupported(const struct ot_type *type, struct ot_error *error)
{
    return ot_fail(error, OT_UNSUPPORTED, "%s has no such function", type->name);
}

/* Nothing that is not sound gets into an operation or a document. */
static int check_sound(const struct ot_json *json, struct ot_error *error)
{
    int flaw = ot_json_flaw(json);

    if (flaw == OT_LIMIT)
        return ot_fail(error, flaw, "nested too deeply");
    if (flaw)
        return ot_fail(error, flaw, "holds a lone surrogate, a number out of range, or U+0000 or __proto__ as a key");
    return 0;
}

static int op_parse(const struct ot_type *type, const struct ot_json *json, enum op_form form,
                    const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    int r = json ? check_sound(json, error) : ot_fail(error, OT_BAD_OP, "no operation");

    return r ? r : type->op_parse(json, form, limits_or_default(limits), out, error);
}

int ot_op_parse(const struct ot_type *type, const struct ot_json *json, const struct ot_limits *limits,
                struct ot_op **out, struct ot_error *error)
{
    return op_parse(type, json, OP_STRICT, limits, out, error);
}

int ot_op_normalize(const struct ot_type *type, const struct ot_json *json, const struct ot_limits *limits,
                    struct ot_op **out, struct ot_error *error)
{
    return op_parse(type, json, OP_LENIENT, limits, out, error);
}

struct ot_op *ot_op_ref(struct ot_op *op)
{
    op->n_references++;
    return op;
}

void ot_op_unref(struct ot_op *op)
{
    if (op && --op->n_references == 0)
        op->type->op_destroy(op);
}

const struct ot_type *ot_op_type(const struct ot_op *op)
{
    return op->type;
}

bool ot_op_is_noop(const struct ot_op *op)
{
    return op->type->op_is_noop(op);
}

size_t ot_op_size(const struct ot_op *op)
{
    return op->type->op_size(op);
}

struct ot_amount ot_op_amount(const struct ot_op *op)
{
    return op->type->op_amount(op);
}

int ot_op_write(const struct ot_op *op, ot_write_fn *write, void *arg)
{
    return op->type->op_write(op, write, arg);
}

int ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                    const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    assert(op->type == other->type);
    return op->type->op_transform(op, other, side, limits_or_default(limits), out, error);
}

int ot_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                  struct ot_op **out, struct ot_error *error)
{
    assert(first->type == second->type);
    return first->type->op_compose(first, second, limits_or_default(limits), out, error);
}

int ot_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    return op->type->op_invert ? op->type->op_invert(op, out, error) : unsupported(op->type, error);
}

int ot_op_invert_with(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                      struct ot_error *error)
{
    assert(op->type == before->type);
    return op->type->op_invert_with ? op->type->op_invert_with(op, before, out, error) : unsupported(op->type, error);
}

int ot_op_make_invertible(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                          struct ot_error *error)
{
    assert(op->type == before->type);
    if (!op->type->op_make_invertible)
        return unsupported(op->type, error);
    return op->type->op_make_invertible(op, before, out, error);
}

int ot_op_settle(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out, struct ot_error *error)
{
    assert(op->type == before->type);
    if (op->type->op_settle)
        return op->type->op_settle(op, before, out, error);
    *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
    return 0;
}

int ot_op_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                             struct ot_error *error)
{
    if (!op->type->op_transform_position)
        return unsupported(op->type, error);
    return op->type->op_transform_position(op, position, out, error);
}

int ot_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                             struct ot_error *error)
{
    int r;

    if (!op->type->op_transform_presence)
        return unsupported(op->type, error);
    r = check_sound(range, error);
    return r ? r : op->type->op_transform_presence(op, range, is_own, out, error);
}

int ot_op_transform_resolving(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                              const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    assert(op->type == other->type);
    if (!op->type->op_transform_resolving)
        return unsupported(op->type, error);
    return op->type->op_transform_resolving(op, other, side, limits_or_default(limits), out, error);
}

int ot_snapshot_create(const struct ot_type *type, const struct ot_json *data, const struct ot_limits *limits,
                       struct ot_snapshot **out, struct ot_error *error)
{
    int r = data ? check_sound(data, error) : 0;

    return r ? r : type->snapshot_create(data, limits_or_default(limits), out, error);
}

int ot_snapshot_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out)
{
    return snapshot->type->snapshot_share(snapshot, out);
}

void ot_snapshot_destroy(struct ot_snapshot *snapshot)
{
    if (snapshot)
        snapshot->type->snapshot_destroy(snapshot);
}

const struct ot_type *ot_snapshot_type(const struct ot_snapshot *snapshot)
{
    return snapshot->type;
}

size_t ot_snapshot_size(const struct ot_snapshot *snapshot)
{
    return snapshot->type->snapshot_size(snapshot);
}

uint64_t ot_snapshot_length(const struct ot_snapshot *snapshot)
{
    return snapshot->type->snapshot_length ? snapshot->type->snapshot_length(snapshot) : 1;
}

int ot_snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                      struct ot_error *error)
{
    assert(op->type == snapshot->type);
    return snapshot->type->snapshot_apply(snapshot, op, limits_or_default(limits), error);
}

int ot_snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    return snapshot->type->snapshot_write_json(snapshot, write, arg);
}

int ot_snapshot_write_text(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    if (!snapshot->type->snapshot_write_text)
        return OT_UNSUPPORTED;
    return snapshot->type->snapshot_write_text(snapshot, write, arg);
}
