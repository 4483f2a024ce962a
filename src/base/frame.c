#include "base/frame.h"

#include <stdlib.h>

struct frame *frame_create(struct bytes content)
{
    return frame_create_of(content, bytes_of(NULL, 0));
}

struct frame *frame_create_of(struct bytes head, struct bytes tail)
{
    struct frame *frame = malloc(sizeof(*frame) + head.n_bytes + tail.n_bytes);

    if (!frame)
        return NULL;
    frame->n_references = 1;
    frame->n_header = 0;
    frame->n_bytes = head.n_bytes + tail.n_bytes;
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

struct frame *frame_ref(struct frame *frame)
{
    frame->n_references++;
    return frame;
}

void frame_unref(struct frame *frame)
{
    if (frame && --frame->n_references == 0)
        free(frame);
}
