#include "base/frame_queue.h"

#include <errno.h>
#include <stdlib.h>

#define RING_FIRST 4

static struct frame **at(const struct frame_queue *queue, size_t i)
{
    return &queue->ring[(queue->first + i) & (queue->capacity - 1)];
}

void frame_queue_finish(struct frame_queue *queue)
{
    for (size_t i = 0; i < queue->n; i++)
        frame_unref(*at(queue, i));
    free(queue->ring);
    *queue = (struct frame_queue){ 0 };
}

static int grow(struct frame_queue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity * 2 : RING_FIRST;
    struct frame **ring = malloc(capacity * sizeof(struct frame *));

    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < queue->n; i++)
        ring[i] = *at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
    return 0;
}

int frame_queue_push(struct frame_queue *queue, struct frame *frame)
{
    int r = queue->n == queue->capacity ? grow(queue) : 0;

    if (r)
        return r;
    *at(queue, queue->n++) = frame_ref(frame);
    queue->n_bytes += frame->n_bytes;
    return 0;
}

static void pop(struct frame_queue *queue)
{
    frame_unref(*at(queue, 0));
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->offset = 0;
    if (--queue->n == 0)
        frame_queue_finish(queue);
}

size_t frame_queue_take(struct frame_queue *queue, char *into, size_t n_room)
{
    size_t n_taken = 0;

    while (queue->n && n_taken < n_room) {
        const struct frame *frame = *at(queue, 0);
        size_t n = frame->n_bytes - queue->offset;

        if (n > n_room - n_taken)
            n = n_room - n_taken;
        memcpy(into + n_taken, frame->content + queue->offset, n);
        n_taken += n;
        queue->offset += n;
        queue->n_bytes -= n;
        if (queue->offset == frame->n_bytes)
            pop(queue);
    }
    return n_taken;
}
