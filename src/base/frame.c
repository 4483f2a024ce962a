#include "base/frame.h"

#include <stdlib.h>

#include "base/pool.h"

#define SMALL_BYTES 152 /* an acknowledgement, or an operation of a few characters */

/* One for each thread: the helper makes frames, too, and hands them to the loop. */
static _Thread_local struct pool small = { .n_block_bytes = sizeof(struct frame) + SMALL_BYTES, .n_max = 1024 };

struct frame *frame_create(struct bytes content)
{
    return frame_create_of(content, bytes_of(NULL, 0));
}

struct frame *frame_create_of(struct bytes head, struct bytes tail)
{
    size_t n_bytes = head.n_bytes + tail.n_bytes;
    struct frame *frame = n_bytes <= SMALL_BYTES ? pool_take(&small) : malloc(sizeof(*frame) + n_bytes);

    if (!frame)
        return NULL;
    frame->n_references = 1;
    frame->n_header = 0;
    frame->n_bytes = n_bytes;
    if (head.n_bytes)
        memcpy(frame->content, head.at, head.n_bytes);
    if (tail.n_bytes)
        memcpy(frame->content + head.n_bytes, tail.at, tail.n_bytes);
    return frame;
}

struct frame *frame_of_buffer(const struct buffer *buffer)
{
    return buffer->error ? NULL : frame_create(buffer_bytes(buffer));
}

void frame_destroy(struct frame *frame)
{
    if (frame->n_bytes <= SMALL_BYTES)
        pool_give(&small, frame);
    else
        free(frame);
}
