#include "doc/recent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RECENT_FIRST_ENTRIES 4

#define FRAME_HEAD_BYTES 100 /* of a frame, about: what is not the body */

/* A ring is up to half empty. A frame, and the understood step, are about as large as the body that they come from. */
static size_t entry_size(const struct committed_op *op)
{
    size_t n_frame = op->frame ? 0 : op->body.n_bytes + FRAME_HEAD_BYTES;

    return 2 * sizeof(struct recent_entry) + committed_op_size(op) + n_frame + op->body.n_bytes;
}

void recent_drop_first(struct recent *recent)
{
    struct recent_entry *entry = &recent->ring[recent->start];

    assert(recent->n);
    recent->n_bytes -= entry->n_bytes;
    step_finish(&entry->step);
    committed_op_unref(entry->op);
    recent->start = (recent->start + 1) & (recent->capacity - 1);
    recent->n--;
    recent->first++;
}

void recent_clear(struct recent *recent, uint64_t version)
{
    while (recent->n)
        recent_drop_first(recent);
    recent->first = version;
}

void recent_finish(struct recent *recent)
{
    recent_clear(recent, 0);
    free(recent->ring);
    *recent = (struct recent){ 0 };
}

static int recent_resize(struct recent *recent, size_t capacity)
{
    struct recent_entry *ring = calloc(capacity, sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < recent->n; i++)
        ring[i] = recent->ring[(recent->start + i) & (recent->capacity - 1)];
    free(recent->ring);
    recent->ring = ring;
    recent->capacity = capacity;
    recent->start = 0;
    return 0;
}

void recent_trim(struct recent *recent, size_t max_bytes)
{
    size_t capacity = recent->capacity;

    while (recent->n_bytes > max_bytes)
        recent_drop_first(recent);
    while (capacity > RECENT_FIRST_ENTRIES && capacity / 4 >= recent->n)
        capacity /= 2;
    if (capacity < recent->capacity)
        (void)recent_resize(recent, capacity); /* without memory it stays as it is */
}

int recent_push(struct recent *recent, struct committed_op *op, const struct ot_type *type, struct step *step)
{
    struct recent_entry *entry;

    assert(op->version == recent->first + recent->n);
    if (recent->n == recent->capacity &&
        recent_resize(recent, recent->capacity ? recent->capacity * 2 : RECENT_FIRST_ENTRIES))
        return -ENOMEM;
    entry = &recent->ring[(recent->start + recent->n) & (recent->capacity - 1)];
    *entry = (struct recent_entry){ .op = committed_op_ref(op), .type = type, .n_bytes = entry_size(op) };
    if (step && step->kind == STEP_EDIT) { /* nothing is transformed over any other */
        entry->step = *step;
        entry->is_understood = true;
        *step = (struct step){ .kind = STEP_NOTHING };
    }
    recent->n++;
    recent->n_bytes += entry->n_bytes;
    return 0;
}

struct recent_entry *recent_at(const struct recent *recent, uint64_t version)
{
    assert(version >= recent->first && version - recent->first < recent->n);
    return &recent->ring[(recent->start + (size_t)(version - recent->first)) & (recent->capacity - 1)];
}

int recent_understand(struct recent_entry *entry, const struct ot_limits *limits)
{
    int r;

    if (entry->is_understood)
        return 0;
    r = step_parse(entry->op->body, entry->type, limits, &entry->step);
    if (!r)
        entry->is_understood = true;
    return r;
}
