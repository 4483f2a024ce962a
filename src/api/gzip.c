#include "api/gzip.h"

#define ZLIB_CONST /* it only reads what it is given */
#include <zlib.h>

/* Each byte is looked at once: a document that is being written is compressed again for every version that somebody
 * asks for. The better levels give an eighth fewer bytes for two to four times the time. */
#define LEVEL       Z_BEST_SPEED
#define WINDOW_GZIP (15 + 16) /* the whole window, and a header of gzip */
#define MEMORY      8

static bool deflate_all(struct bytes content, struct buffer *into)
{
    z_stream stream = { .next_in = content.at, .avail_in = (uInt)content.n_bytes };
    bool is_whole;

    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    stream.next_out = (Bytef *)buffer_room(into, content.n_bytes);
    stream.avail_out = stream.next_out ? (uInt)content.n_bytes : 0;
    is_whole = stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    if (is_whole)
        buffer_grew(into, stream.total_out);
    (void)deflateEnd(&stream);
    return is_whole;
}

struct frame *gzip_frame(struct bytes content)
{
    struct frame *frame = NULL;
    struct buffer into;

    if (content.n_bytes < GZIP_WORTH_BYTES || content.n_bytes > GZIP_MAX_BYTES)
        return NULL;
    buffer_init(&into, content.n_bytes); /* more would be no gain */
    if (deflate_all(content, &into))
        frame = frame_of_buffer(&into);
    buffer_finish(&into);
    return frame;
}
