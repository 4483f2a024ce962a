#include "base/frame.h"

#include <stdlib.h>

struct frame *frame_create(struct bytes content)
{
    struct frame *frame = malloc(sizeof(*frame) + content.n_bytes);

    if (!frame)
        return NULL;
    frame->n_references = 1;
    frame->n_header = 0;
    frame->n_bytes = content.n_bytes;
    if (content.n_bytes)
        memcpy(frame->content, content.at, content.n_bytes);
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
