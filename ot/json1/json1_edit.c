#include "ot/error.h"
#include "ot/json1/json1.h"
#include "ot/text/text_op.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Edits inside a JSON document: of text, of numbers, and of what is a document of another type itself. */

static bool is_text_edit(const struct json1_edit *edit)
{
    return edit->op && ot_op_type(edit->op) == &text_unicode;
}

bool json1_edit_is_empty(const struct json1_edit *edit)
{
    return is_text_edit(edit) && ot_op_is_noop(edit->op);
}

void json1_edit_release(struct json1_edit *edit)
{
    ot_op_unref(edit->op);
    edit->op = NULL;
}

static int check_same_type(const struct json1_edit *a, const struct json1_edit *b, struct ot_error *error)
{
    if (!a->op == !b->op && (!a->op || ot_op_type(a->op) == ot_op_type(b->op)))
        return 0;
    return ot_fail(error, OT_NOT_APPLIED, "one value is edited as two types");
}

static struct json1_edit same_edit(const struct json1_edit *edit)
{
    if (edit->op)
        (void)ot_op_ref(edit->op);
    return *edit;
}

int json1_edit_transform(const struct json1_edit *edit, const struct json1_edit *other, enum ot_side side,
                         const struct ot_limits *limits, struct json1_edit *out, struct ot_error *error)
{
    struct json1_edit result = { .op = NULL };
    int r = check_same_type(edit, other, error);

    if (!r && edit->op)
        r = ot_op_transform(edit->op, other->op, side, limits, &result.op, error);
    if (!r)
        *out = edit->op ? result : same_edit(edit);
    return r;
}

int json1_edit_compose(const struct json1_edit *first, const struct json1_edit *second, const struct ot_limits *limits,
                       struct json1_edit *out, struct ot_error *error)
{
    struct json1_edit result = { .op = NULL };
    int r = check_same_type(first, second, error);

    if (!r && first->op) {
        r = ot_op_compose(first->op, second->op, limits, &result.op, error);
    } else if (!r) {
        result.added = first->added + second->added;
        if (!isfinite(result.added))
            r = ot_fail(error, OT_NOT_APPLIED, "what is added to a number is out of range");
    }
    if (!r)
        *out = result;
    return r;
}

int json1_edit_invert(const struct json1_edit *edit, struct json1_edit *out, struct ot_error *error)
{
    struct json1_edit result = { .added = edit->added == 0 ? 0 : -edit->added };
    int r = 0;

    if (edit->op)
        r = ot_op_invert(edit->op, &result.op, error);
    if (!r)
        *out = result;
    return r;
}

/* ---- edits of other types: by way of a snapshot ------------------------------------------------------------------ */

static int snapshot_of(const struct ot_op *op, const struct value *value, const struct ot_limits *limits,
                       struct ot_snapshot **out, struct ot_error *error)
{
    struct ot_json *json = NULL;
    int r = value_to_json(value, &json);

    if (!r)
        r = ot_snapshot_create(ot_op_type(op), json, limits, out, error);
    ot_json_unref(json);
    return r == OT_BAD_OP ? OT_NOT_APPLIED : r;
}

struct bytes {
    char *at;
    size_t n_bytes, capacity;
};

static int gather(void *arg, const char *at, size_t n_bytes)
{
    struct bytes *bytes = arg;
    size_t capacity = bytes->capacity;

    if (n_bytes > capacity - bytes->n_bytes) {
        char *grown;

        capacity = 2 * (bytes->n_bytes + n_bytes);
        grown = realloc(bytes->at, capacity);
        if (!grown)
            return -ENOMEM;
        bytes->at = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->at + bytes->n_bytes, at, n_bytes);
    bytes->n_bytes += n_bytes;
    return 0;
}

static int value_of_snapshot(const struct ot_snapshot *snapshot, const struct ot_limits *limits, struct value *out,
                             struct ot_error *error)
{
    struct bytes bytes = { .at = NULL };
    struct ot_json *json = NULL;
    int r = ot_snapshot_write_json(snapshot, gather, &bytes);

    if (!r)
        r = ot_json_parse(bytes.at, bytes.n_bytes, limits, &json, error);
    if (!r)
        r = value_from_json(json, out);
    ot_json_unref(json);
    free(bytes.at);
    return r;
}

static int apply_other(const struct ot_op *op, struct value *value, const struct ot_limits *limits,
                       struct ot_error *error)
{
    struct ot_snapshot *snapshot = NULL;
    struct value after;
    int r = snapshot_of(op, value, limits, &snapshot, error);

    if (!r)
        r = ot_snapshot_apply(snapshot, op, limits, error);
    if (!r)
        r = value_of_snapshot(snapshot, limits, &after, error);
    ot_snapshot_destroy(snapshot);
    if (!r) {
        value_release(value);
        *value = after;
    }
    return r;
}

static int make_other_invertible(const struct ot_op *op, const struct value *before, struct ot_op **out,
                                 struct ot_error *error)
{
    struct ot_snapshot *snapshot = NULL;
    int r = snapshot_of(op, before, &ot_limits_default, &snapshot, error);

    if (!r)
        r = ot_op_make_invertible(op, snapshot, out, error);
    ot_snapshot_destroy(snapshot);
    return r;
}

/* ---- on values --------------------------------------------------------------------------------------------------- */

static int apply_text(const struct ot_op *op, struct value *value, const struct ot_limits *limits,
                      struct ot_error *error)
{
    struct rope rope;
    int r;

    if (!value_is_text(value))
        return ot_fail(error, OT_NOT_APPLIED, "a text edit of something else");
    r = value_take_rope(value, &rope);
    if (r)
        return r;
    r = text_op_apply(text_op_of(op), &rope, limits->max_document_bytes, error);
    value_put_rope(value, &rope);
    return r;
}

static int apply_number(double added, struct value *value, struct ot_error *error)
{
    if (value->kind != VALUE_NUMBER)
        return ot_fail(error, OT_NOT_APPLIED, "a number is added to something else");
    if (!isfinite(value->number + added))
        return ot_fail(error, OT_NOT_APPLIED, "a sum is out of range");
    *value = value_number(value->number + added);
    return 0;
}

int json1_edit_apply(const struct json1_edit *edit, struct value *value, const struct ot_limits *limits,
                     struct ot_error *error)
{
    if (!edit->op)
        return apply_number(edit->added, value, error);
    if (is_text_edit(edit))
        return apply_text(edit->op, value, limits, error);
    return apply_other(edit->op, value, limits, error);
}

static int make_text_invertible(const struct ot_op *op, const struct value *before, struct ot_op **out,
                                struct ot_error *error)
{
    struct value text = value_share(before);
    struct rope rope;
    int r;

    if (!value_is_text(before)) {
        value_release(&text);
        return ot_fail(error, OT_NOT_APPLIED, "a text edit of something else");
    }
    r = value_take_rope(&text, &rope);
    if (r) {
        value_release(&text);
        return r;
    }
    r = text_op_make_invertible(text_op_of(op), &rope, out, error);
    rope_finish(&rope);
    return r;
}

int json1_edit_make_invertible(const struct json1_edit *edit, const struct value *before, struct json1_edit *out,
                               struct ot_error *error)
{
    struct json1_edit result = { .op = NULL };
    int r;

    if (!edit->op) {
        *out = *edit;
        return 0;
    }
    if (!before)
        return ot_fail(error, OT_NOT_APPLIED, "an edit of what is not there");
    if (is_text_edit(edit))
        r = make_text_invertible(edit->op, before, &result.op, error);
    else
        r = make_other_invertible(edit->op, before, &result.op, error);
    if (r == OT_UNSUPPORTED) {
        *out = same_edit(edit);
        return 0;
    }
    if (!r)
        *out = result;
    return r;
}
