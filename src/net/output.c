#include "net/output.h"

#include <errno.h>
#include <stdlib.h>

#define RING_FIRST      4
#define RING_KEEP       64 /* a ring that grew beyond is given back once it is empty */
#define HEADER_MAX      10
#define FRAGMENT_BYTES  (OUTPUT_BATCH_BYTES - HEADER_MAX)
#define OPCODE_CONTINUE 0x00
#define OPCODE_TEXT     0x01
#define FINAL           0x80

void output_init(struct output *output)
{
    *output = (struct output){ 0 };
}

static struct output_entry *entry_at(const struct output *output, size_t i)
{
    return &output->ring[(output->first + i) & (output->capacity - 1)];
}

static void output_pop(struct output *output)
{
    struct output_entry *entry = entry_at(output, 0);

    output->n_bytes -= entry->frame->n_bytes;
    if (!entry->is_reply)
        output->n_streamed_bytes -= entry->frame->n_bytes;
    frame_unref(entry->frame);
    output->first = (output->first + 1) & (output->capacity - 1);
    output->n--;
    output->offset = 0;
    if (output->n == 0 && output->capacity > RING_KEEP)
        output_finish(output);
}

void output_finish(struct output *output)
{
    for (size_t i = 0; i < output->n; i++)
        frame_unref(entry_at(output, i)->frame);
    free(output->ring);
    output_init(output);
}

static int output_grow(struct output *output)
{
    size_t capacity = output->capacity ? output->capacity * 2 : RING_FIRST;
    struct output_entry *ring = malloc(capacity * sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < output->n; i++)
        ring[i] = *entry_at(output, i);
    free(output->ring);
    output->ring = ring;
    output->capacity = capacity;
    output->first = 0;
    return 0;
}

int output_push(struct output *output, struct frame *frame, bool is_reply)
{
    if (output->n == output->capacity) {
        int r = output_grow(output);

        if (r)
            return r;
    }
    *entry_at(output, output->n++) = (struct output_entry){ frame_ref(frame), is_reply };
    output->n_bytes += frame->n_bytes;
    if (!is_reply)
        output->n_streamed_bytes += frame->n_bytes;
    return 0;
}

/* Writes a header that ends at `end`; returns its length. RFC 6455, 5.2. */
static size_t header_write(char *end, unsigned first_byte, size_t n_payload)
{
    size_t n_length = n_payload < 126 ? 0 : n_payload < 65536 ? 2 : 8;
    unsigned char *at = (unsigned char *)end - n_length - 2;

    at[0] = (unsigned char)first_byte;
    at[1] = (unsigned char)(n_length == 0 ? n_payload : n_length == 2 ? 126 : 127);
    for (size_t i = 0; i < n_length; i++)
        at[2 + i] = (unsigned char)(n_payload >> (8 * (n_length - 1 - i)));
    return n_length + 2;
}

/* The whole frame, if there is room for it. */
static size_t fill_whole(struct output *output, char *into, size_t room)
{
    struct frame *frame = entry_at(output, 0)->frame;
    size_t n;

    if (!frame->n_header)
        frame->n_header = (uint8_t)header_write(frame->content, FINAL | OPCODE_TEXT, frame->n_bytes);
    n = frame->n_header + frame->n_bytes;
    if (n > room)
        return 0;
    memcpy(into, frame->content - frame->n_header, n);
    output_pop(output);
    return n;
}

/* The next fragment of a large frame; only at the start of a batch, so that all but the last are of one size. */
static size_t fill_fragment(struct output *output, char *into)
{
    const struct frame *frame = entry_at(output, 0)->frame;
    size_t n_left = frame->n_bytes - output->offset;
    size_t n_payload = n_left < FRAGMENT_BYTES ? n_left : FRAGMENT_BYTES;
    unsigned first_byte = (output->offset ? OPCODE_CONTINUE : OPCODE_TEXT) | (n_payload == n_left ? FINAL : 0);
    char header[HEADER_MAX];
    size_t n_header = header_write(header + HEADER_MAX, first_byte, n_payload);

    memcpy(into, header + HEADER_MAX - n_header, n_header);
    memcpy(into + n_header, frame->content + output->offset, n_payload);
    output->offset += n_payload;
    if (n_payload == n_left)
        output_pop(output);
    return n_header + n_payload;
}

size_t output_fill(struct output *output, char into[OUTPUT_BATCH_BYTES])
{
    size_t n_filled = 0;

    while (output->n) {
        bool is_large = entry_at(output, 0)->frame->n_bytes > FRAGMENT_BYTES;
        size_t n;

        if (is_large && n_filled)
            break;
        if (is_large)
            return fill_fragment(output, into);
        n = fill_whole(output, into + n_filled, OUTPUT_BATCH_BYTES - n_filled);
        if (n == 0)
            break;
        n_filled += n;
    }
    return n_filled;
}
