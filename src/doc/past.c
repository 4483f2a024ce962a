#include "doc/past.h"

#include <errno.h>

void past_finish(struct past *past)
{
    ot_snapshot_destroy(past->value);
    *past = (struct past){ 0 };
}

static int create(struct past *past, const struct step *step, uint64_t time_ms, const struct ot_limits *limits)
{
    int r = past->value ? -EBADMSG : ot_snapshot_create(step->type, step->data, limits, &past->value, NULL);

    if (r)
        return r;
    past->type = step->type;
    past->created_ms = time_ms;
    return 0;
}

static void delete (struct past *past)
{
    ot_snapshot_destroy(past->value);
    past->value = NULL;
    past->type = NULL;
}

int past_step(struct past *past, const struct step *step, uint64_t time_ms, const struct ot_limits *limits)
{
    int r = 0;

    switch (step->kind) {
    case STEP_CREATE: r = create(past, step, time_ms, limits); break;
    case STEP_EDIT: r = past->value ? ot_snapshot_apply(past->value, step->op, limits, NULL) : -EBADMSG; break;
    case STEP_DELETE: delete (past); break;
    case STEP_NOTHING: past->version++; return 0;
    }
    if (r)
        return r > 0 ? -EBADMSG : r;
    past->modified_ms = time_ms;
    past->version++;
    return 0;
}

int past_record(struct past *past, const struct record *record, const struct ot_limits *limits)
{
    struct step step = { .kind = STEP_NOTHING };
    int r = step_parse(record->body, past->type, limits, &step);

    if (!r)
        r = past_step(past, &step, record->time_ms, limits);
    if (!r)
        past->version += record->n_merged;
    step_finish(&step);
    return r;
}
