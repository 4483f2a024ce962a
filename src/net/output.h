/* What waits to be sent on one WebSocket: references to frames, in order, and how they become bytes.
 *
 *     ring    [ frame ][ frame ][ frame ] ...          the first may have been sent in part, up to `offset`
 *     bytes   |hdr content|hdr content|hdr part|       output_fill: as much as fits, always ending between messages
 *                                                      or fragments, so that a control frame may follow
 *
 * A frame that does not fit into a batch leaves as fragments of one message. Server frames are not masked: the header
 * is written into the frame once, whoever sends it first. Pure: no socket. */
#ifndef NET_OUTPUT_H
#define NET_OUTPUT_H

#include "base/frame.h"

#define OUTPUT_BATCH_BYTES (16 * 1024)

struct output_entry {
    struct frame *frame;
    bool is_reply;
};

struct output {
    struct output_entry *ring;
    size_t capacity, first, n; /* capacity is 0 or a power of two */
    size_t offset;             /* of the first frame, sent already */
    size_t n_bytes;            /* of all queued frames */
    size_t n_streamed_bytes;   /* of those that are no replies */
};

void output_init(struct output *output);
void output_finish(struct output *output); /* lets go of everything; usable again */

/* Takes a reference. Returns 0 or -ENOMEM. */
int output_push(struct output *output, struct frame *frame, bool is_reply);

/* Writes up to OUTPUT_BATCH_BYTES and forgets what was written. Returns their number; 0: nothing was queued. */
size_t output_fill(struct output *output, char into[OUTPUT_BATCH_BYTES]);

static inline bool output_is_empty(const struct output *output)
{
    return output->n == 0;
}

#endif
