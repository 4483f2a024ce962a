/* References to frames, in order, and as much of their bytes as somebody has room for.
 *
 *     [ frame ][ frame ][ frame ] ...       the first may have been taken in part, up to `offset` */
#ifndef BASE_FRAME_QUEUE_H
#define BASE_FRAME_QUEUE_H

#include "base/frame.h"

struct frame_queue {
    struct frame **ring;
    size_t capacity, first, n; /* capacity is 0 or a power of two */
    size_t offset, n_bytes;    /* n_bytes: still to be taken, of all */
};

/* Takes a reference. Returns 0 or -ENOMEM. The ceiling is the caller's. All zeroes is an empty queue. */
__attribute__((warn_unused_result)) int frame_queue_push(struct frame_queue *queue, struct frame *frame);

/* Moves up to n_room bytes to `into`; returns their number. An empty queue holds no memory. */
size_t frame_queue_take(struct frame_queue *queue, char *into, size_t n_room);

void frame_queue_finish(struct frame_queue *queue); /* lets go of everything; usable again */

#endif
