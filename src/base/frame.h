/* A frame: immutable bytes for many receivers, serialised once and held by reference.
 *
 *     | FRAME_HEADROOM bytes for whoever sends it | n_bytes of content |
 *
 * The headroom is scratch for the network floor, which writes a WebSocket header there once; the same header serves
 * every receiver, since server frames are not masked. References are counted without atomics: frames live on the loop
 * thread. */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include <stdint.h>

#include "base/buffer.h"

#define FRAME_HEADROOM 16

struct frame {
    uint32_t n_references;
    uint8_t n_header; /* bytes of the headroom in use, directly before content; 0: no header written yet */
    size_t n_bytes;
    char headroom[FRAME_HEADROOM];
    char content[];
};

/* A frame with a copy of the bytes and one reference, the caller's; NULL without memory. */
struct frame *frame_create(struct bytes content);

/* The same of two parts. */
struct frame *frame_create_of(struct bytes head, struct bytes tail);

/* The same from a buffer, whose error, if it has one, gives NULL. */
struct frame *frame_of_buffer(const struct buffer *buffer);

void frame_destroy(struct frame *frame); /* nobody refers to it any more */

static inline struct frame *frame_ref(struct frame *frame)
{
    frame->n_references++;
    return frame;
}

/* NULL is fine. */
static inline void frame_unref(struct frame *frame)
{
    if (frame && --frame->n_references == 0)
        frame_destroy(frame);
}

#endif
