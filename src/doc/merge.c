#include "doc/merge.h"

#include <errno.h>
#include <stdlib.h>

#define FNV_OFFSET 14695981039346656037u
#define FNV_PRIME  1099511628211u

void merge_init(struct merge *merge, const struct ot_limits *limits, uint64_t pause_ms)
{
    *merge = (struct merge){ .limits = *limits, .pause_ms = pause_ms };
}

static void group_finish(struct merge_group *group)
{
    committed_op_unref(group->last);
    ot_op_unref(group->op);
    ot_snapshot_destroy(group->before);
    *group = (struct merge_group){ 0 };
}

void merge_take(struct merge *merge)
{
    while (merge->n_out)
        committed_op_unref(merge->out[--merge->n_out].op);
}

void merge_finish(struct merge *merge)
{
    group_finish(&merge->group);
    merge_take(merge);
    free(merge->out);
    ot_snapshot_destroy(merge->value);
    *merge = (struct merge){ 0 };
}

void merge_begin(struct merge *merge, const struct ot_type *type, struct ot_snapshot *value)
{
    merge->type = type;
    merge->value = value;
}

/* ---- the trial --------------------------------------------------------------------------------------------------- */

struct digest {
    uint64_t hash, n_bytes;
};

static int digest_write(void *arg, const char *at, size_t n_bytes)
{
    struct digest *digest = arg;

    for (size_t i = 0; i < n_bytes; i++)
        digest->hash = (digest->hash ^ (unsigned char)at[i]) * FNV_PRIME;
    digest->n_bytes += n_bytes;
    return 0;
}

static int digest_of(const struct ot_snapshot *value, struct digest *out)
{
    *out = (struct digest){ .hash = FNV_OFFSET };
    return ot_snapshot_write_json(value, digest_write, out);
}

/* Whether it leads where the single ones led. Only without memory is there no answer. */
static int group_try(struct merge *merge, bool *is_right)
{
    struct merge_group *group = &merge->group;
    struct digest merged, single;
    int r = ot_snapshot_apply(group->before, group->op, &merge->limits, NULL);

    *is_right = false;
    if (!r)
        r = digest_of(group->before, &merged);
    if (!r)
        r = digest_of(merge->value, &single);
    if (!r)
        *is_right = merged.hash == single.hash && merged.n_bytes == single.n_bytes;
    return r == -ENOMEM ? r : 0;
}

/* ---- what comes out ---------------------------------------------------------------------------------------------- */

/* Takes the reference. op NULL: there was no memory. */
static int put_out(struct merge *merge, struct committed_op *op)
{
    size_t capacity = merge->capacity ? merge->capacity * 2 : 64;
    struct merge_out *grown;

    if (op && merge->n_out == merge->capacity) {
        grown = reallocarray(merge->out, capacity, sizeof(*grown));
        if (!grown) {
            committed_op_unref(op);
            return -ENOMEM;
        }
        merge->out = grown;
        merge->capacity = capacity;
    }
    if (!op)
        return -ENOMEM;
    merge->out[merge->n_out++] = (struct merge_out){ op, merge->group.n - 1 };
    return 0;
}

static int put_merged(struct merge *merge)
{
    const struct merge_group *group = &merge->group;
    struct step step = { .kind = STEP_NOTHING };
    struct record record = { .id = { group->last->src, group->last->seq },
                             .time_ms = group->last->time_ms,
                             .author = group->last->author,
                             .n_merged = committed_op_end(group->last) - group->from - 1 };
    struct buffer body;
    int r;

    if (group->op && !ot_op_is_noop(group->op))
        step = (struct step){ .kind = STEP_EDIT, .type = merge->type, .op = group->op };
    buffer_init(&body, STORE_RECORD_MAX_BYTES);
    r = step_write(&step, &body);
    if (!r) {
        record.body = buffer_bytes(&body);
        if (body.n_bytes <= MERGE_BODY_MAX_BYTES)
            r = put_out(merge, committed_op_create(group->from, &record));
    }
    buffer_finish(&body);
    return r == -E2BIG ? 0 : r;
}

static int put_single(struct merge *merge)
{
    struct committed_op *last = merge->group.last;

    return last->body.n_bytes > MERGE_BODY_MAX_BYTES ? 0 : put_out(merge, committed_op_ref(last));
}

int merge_cut(struct merge *merge)
{
    struct merge_group *group = &merge->group;
    bool is_right = !group->is_wrong;
    int r = 0;

    if (group->n == 1)
        r = put_single(merge);
    if (group->n > 1 && group->op && is_right)
        r = group_try(merge, &is_right);
    if (!r && group->n > 1 && is_right)
        r = put_merged(merge);
    merge->n_wrong += !r && !is_right;
    group_finish(group);
    return r;
}

/* ---- what goes in ------------------------------------------------------------------------------------------------ */

static bool joins(const struct merge *merge, const struct committed_op *op, enum step_kind kind)
{
    const struct merge_group *group = &merge->group;

    return group->n && !group->is_single && (kind == STEP_EDIT || kind == STEP_NOTHING) &&
           bytes_equal(op->author, group->last->author) && op->time_ms <= group->last->time_ms + merge->pause_ms &&
           committed_op_end(op) - group->from <= MERGE_VERSIONS_MAX &&
           (group->op ? ot_op_size(group->op) : 0) + op->body.n_bytes <= MERGE_GROW_BYTES;
}

static int group_open(struct merge *merge, const struct committed_op *op, enum step_kind kind)
{
    struct merge_group *group = &merge->group;
    int r = merge_cut(merge);

    if (!r && merge->value)
        r = ot_snapshot_share(merge->value, &group->before);
    group->from = op->version;
    group->is_single = kind == STEP_CREATE || kind == STEP_DELETE;
    return r;
}

/* The group is what it was, and complete, when the operation would not go into it. */
static int compose(struct merge *merge, const struct committed_op *op, const struct step *step)
{
    struct merge_group *group = &merge->group;
    struct ot_op *composed = NULL;
    int r = group->op ? ot_op_compose(group->op, step->op, &merge->limits, &composed, NULL) : 0;

    if (r == OT_LIMIT) {
        r = group_open(merge, op, step->kind);
        composed = NULL;
    } else if (r > 0) {
        group->is_wrong = true;
        return 0;
    }
    if (r)
        return r;
    if (!composed)
        composed = ot_op_ref(step->op);
    ot_op_unref(group->op);
    group->op = composed;
    return 0;
}

static int apply(struct merge *merge, const struct step *step)
{
    int r = 0;

    if (step->kind == STEP_EDIT) {
        r = merge->value ? ot_snapshot_apply(merge->value, step->op, &merge->limits, NULL) : -EBADMSG;
    } else if (step->kind == STEP_CREATE) {
        r = merge->value ? -EBADMSG : ot_snapshot_create(step->type, step->data, &merge->limits, &merge->value, NULL);
        merge->type = step->type;
    } else if (step->kind == STEP_DELETE) {
        ot_snapshot_destroy(merge->value);
        merge->value = NULL;
        merge->type = NULL;
    }
    return r > 0 ? -EBADMSG : r;
}

static int note_last(struct merge_group *group, const struct committed_op *op)
{
    struct record record = { .id = { op->src, op->seq },
                             .time_ms = op->time_ms,
                             .author = op->author,
                             .body = op->body,
                             .n_merged = op->n_merged };
    struct committed_op *copy = committed_op_create(op->version, &record);

    if (!copy)
        return -ENOMEM;
    committed_op_unref(group->last);
    group->last = copy;
    group->n++;
    return 0;
}

int merge_add(struct merge *merge, const struct committed_op *op)
{
    enum step_kind kind = step_kind_of(op->body);
    struct step step = { .kind = STEP_NOTHING };
    int r = step_parse(op->body, merge->type, &merge->limits, &step);

    if (!r && !joins(merge, op, kind))
        r = group_open(merge, op, kind);
    if (!r && kind == STEP_EDIT)
        r = compose(merge, op, &step);
    if (!r)
        r = apply(merge, &step);
    if (!r)
        r = note_last(&merge->group, op);
    step_finish(&step);
    return r;
}
