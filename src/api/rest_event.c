/* Server-Sent Events as bytes. Source: HTML, 9.2.5 (parsing an event stream).
 *
 *     event: op            what it is
 *     id: 13               the version that it leads to: where a client that comes back goes on
 *     data: {...}          one line of JSON
 *                          an empty line ends it */
#include "api/rest_follow.h"

static void event_begin(struct buffer *into, const char *kind)
{
    buffer_init(into, FRAME_MAX_BYTES);
    (void)buffer_printf(into, "event: %s\n", kind);
}

static void event_id(struct buffer *into, uint64_t version)
{
    (void)buffer_append_string(into, "id: ");
    (void)buffer_append_u64(into, version);
    (void)buffer_append_string(into, "\n");
}

/* Between the tokens of JSON a line may end, within them it can't: a blank does as well. */
static void line_up(struct buffer *buffer, size_t from)
{
    for (size_t i = from; i < buffer->n_bytes; i++) {
        if (buffer->at[i] == '\n' || buffer->at[i] == '\r')
            buffer->at[i] = ' ';
    }
}

static size_t data_begin(struct buffer *into)
{
    (void)buffer_append_string(into, "data: ");
    return into->n_bytes;
}

static struct frame *event_end(struct buffer *buffer, size_t data_from)
{
    struct frame *frame;

    line_up(buffer, data_from);
    (void)buffer_append_string(buffer, "\n\n");
    frame = frame_of_buffer(buffer);
    buffer_finish(buffer);
    return frame;
}

struct frame *event_of_op(struct store_name name, const struct committed_op *op)
{
    struct buffer buffer;
    size_t from;

    event_begin(&buffer, "op");
    event_id(&buffer, committed_op_end(op));
    from = data_begin(&buffer);
    op_write(name, op, &buffer);
    return event_end(&buffer, from);
}

struct frame *event_of_snapshot(struct store_name name, const struct document_view *view)
{
    struct buffer buffer;
    size_t from;
    int r;

    event_begin(&buffer, "snapshot");
    event_id(&buffer, view->version);
    from = data_begin(&buffer);
    r = envelope_write(name, view, &buffer);
    if (r && !buffer.error) {
        buffer_finish(&buffer);
        return NULL;
    }
    return event_end(&buffer, from);
}

/* A browser passes on no event without data. */
struct frame *event_of_reset(uint64_t after)
{
    struct buffer buffer;
    size_t from;

    event_begin(&buffer, "reset");
    from = data_begin(&buffer);
    (void)buffer_append_string(&buffer, "{\"after\":");
    (void)buffer_append_u64(&buffer, after);
    (void)buffer_append_string(&buffer, "}");
    return event_end(&buffer, from);
}

struct frame *event_of_goaway(void)
{
    return frame_create(bytes_of_string("event: goaway\nretry: 1000\ndata: {}\n\n"));
}
