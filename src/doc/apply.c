#include <errno.h>

#include "doc/inside.h"

int document_error_of(int ot_code)
{
    switch (ot_code) {
    case OT_BAD_JSON:
    case OT_BAD_OP: return DOCUMENT_BAD_OP;
    case OT_CONFLICT: return DOCUMENT_OP_CONFLICT;
    case OT_LIMIT: return DOCUMENT_LIMIT;
    case OT_NOT_APPLIED:
    case OT_UNSUPPORTED: return DOCUMENT_NOT_APPLIED;
    default: return ot_code; /* 0 or -errno */
    }
}

int document_clarify(const struct document *document, struct step *step, struct ot_error *error)
{
    struct ot_op *settled;
    int r;

    if (step->kind != STEP_EDIT || !document->type)
        return 0;
    r = ot_op_settle(step->op, document->value, &settled, error);
    if (r)
        return document_error_of(r);
    ot_op_unref(step->op);
    step->op = settled;
    return 0;
}

static int apply_create(struct document *document, const struct step *step, struct ot_error *error)
{
    struct ot_snapshot *value;
    int r;

    if (document->type)
        return DOCUMENT_EXISTS;
    r = step->value ? ot_snapshot_share(step->value, &value)
                    : ot_snapshot_create(step->type, step->data, document_limits(document), &value, error);
    if (r)
        return document_error_of(r);
    document->type = step->type;
    document->value = value;
    return 0;
}

static int apply_edit(struct document *document, const struct step *step, struct ot_error *error)
{
    if (!document->type)
        return DOCUMENT_MISSING;
    return document_error_of(ot_snapshot_apply(document->value, step->op, document_limits(document), error));
}

/* Also of what somebody else has just deleted. */
static void apply_delete(struct document *document)
{
    ot_snapshot_destroy(document->value);
    document->value = NULL;
    document->type = NULL;
}

int document_apply(struct document *document, const struct step *step, uint64_t time_ms, struct ot_error *error)
{
    int r = 0;

    switch (step->kind) {
    case STEP_EDIT: r = apply_edit(document, step, error); break;
    case STEP_CREATE: r = apply_create(document, step, error); break;
    case STEP_DELETE: apply_delete(document); break;
    case STEP_NOTHING: return 0;
    }
    if (r)
        return r;
    if (step->kind == STEP_CREATE)
        document->created_ms = time_ms;
    document->modified_ms = time_ms;
    return 0;
}
