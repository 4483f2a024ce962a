/* Frames on their way out: whatever is queued comes out of the bytes again, whole and in order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/output.h"

/* A reader of WebSocket frames as a client is one: puts messages together from fragments. */
struct client {
    char message[512 * 1024];
    size_t n_bytes;
    bool is_inside; /* a message has begun */
    void (*on_message)(struct client *client);
    size_t n_messages, n_fragments;
    size_t want; /* the size of the next message; they grow by one */
};

static void client_read(struct client *client, const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + n;

    while (at < end) {
        unsigned opcode = at[0] & 0x0f;
        size_t n_length = at[1] == 126 ? 2 : at[1] == 127 ? 8 : 0, length = n_length ? 0 : at[1];

        assert_true(end - at >= (ptrdiff_t)(2 + n_length)); /* a batch ends between frames */
        assert_int_equal(at[0] & 0x70, 0);
        assert_int_equal(opcode, client->is_inside ? 0 : 1);
        for (size_t i = 0; i < n_length; i++)
            length = length << 8 | at[2 + i];
        assert_true(n_length == 0 || length > (n_length == 2 ? 125 : 65535)); /* the shortest form */
        at += 2 + n_length;
        assert_true((size_t)(end - at) >= length);
        memcpy(client->message + client->n_bytes, at, length);
        client->n_bytes += length;
        at += length;
        client->n_fragments++;
        client->is_inside = !(at[-(ptrdiff_t)(length + 2 + n_length)] & 0x80);
        if (client->is_inside)
            continue;
        client->n_messages++;
        client->on_message(client);
        client->n_bytes = 0;
    }
}

static struct frame *frame_of_size(size_t n)
{
    char *text = malloc(n + 1);
    struct frame *frame;

    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + (n + i) % 26);
    frame = frame_create(bytes_of(text, n));
    free(text);
    return frame;
}

static void on_expected_size(struct client *client)
{
    assert_int_equal(client->n_bytes, client->want);
    for (size_t i = 0; i < client->n_bytes; i += 7)
        assert_int_equal(client->message[i], 'a' + (client->n_bytes + i) % 26);
    client->want++;
}

static void drain(struct output *output, struct client *client)
{
    static char batch[OUTPUT_BATCH_BYTES];
    size_t n;

    while ((n = output_fill(output, batch))) {
        assert_true(n <= sizeof(batch));
        client_read(client, batch, n);
    }
    assert_true(output_is_empty(output));
    assert_int_equal(output->n_bytes, 0);
    assert_int_equal(output->n_streamed_bytes, 0);
}

/* Sizes from, from + 1, ... through the queue. */
static void sizes_come_through(size_t from, size_t n)
{
    struct client *client = calloc(1, sizeof(*client));
    struct output output;

    client->on_message = on_expected_size;
    client->want = from;
    output_init(&output);
    for (size_t i = 0; i < n; i++) {
        struct frame *frame = frame_of_size(from + i);

        assert_int_equal(output_push(&output, frame, i % 2), 0);
        frame_unref(frame);
    }
    drain(&output, client);
    assert_int_equal(client->n_messages, n);
    output_finish(&output);
    free(client);
}

static void every_form_of_length_comes_through(void **state)
{
    sizes_come_through(0, 300);
    sizes_come_through(65530, 12);
}

static void sizes_around_a_batch_come_through(void **state)
{
    sizes_come_through(OUTPUT_BATCH_BYTES - 40, 80);
    sizes_come_through(2 * OUTPUT_BATCH_BYTES - 40, 80);
}

static void many_small_frames_share_a_batch(void **state)
{
    char batch[OUTPUT_BATCH_BYTES];
    struct frame *frame = frame_of_size(30);
    struct output output;

    output_init(&output);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(output_push(&output, frame, false), 0);
    assert_int_equal(output_fill(&output, batch), OUTPUT_BATCH_BYTES / 32 * 32);
    output_finish(&output);
    assert_int_equal(frame->n_references, 1);
    frame_unref(frame);
}

static void a_large_frame_leaves_in_fragments(void **state)
{
    struct client *client = calloc(1, sizeof(*client));
    struct frame *frame = frame_of_size(400000);
    struct output output;

    client->on_message = on_expected_size;
    client->want = 400000;
    output_init(&output);
    assert_int_equal(output_push(&output, frame, true), 0);
    assert_int_equal(output.n_bytes, 400000);
    drain(&output, client);
    assert_int_equal(client->n_messages, 1);
    assert_int_equal(client->n_fragments, 400000 / (OUTPUT_BATCH_BYTES - 10) + 1);
    assert_int_equal(frame->n_references, 1);
    frame_unref(frame);
    output_finish(&output);
    free(client);
}

static void a_frame_is_framed_once_for_all(void **state)
{
    char first[OUTPUT_BATCH_BYTES], second[OUTPUT_BATCH_BYTES];
    struct frame *frame = frame_of_size(1000);
    struct output one, other;

    output_init(&one);
    output_init(&other);
    assert_int_equal(output_push(&one, frame, false), 0);
    assert_int_equal(output_push(&other, frame, false), 0);
    assert_int_equal(output_fill(&one, first), 1004);
    assert_int_equal(frame->n_header, 4);
    assert_int_equal(output_fill(&other, second), 1004);
    assert_memory_equal(first, second, 1004);
    output_finish(&one);
    output_finish(&other);
    frame_unref(frame);
}

static void replies_do_not_count_as_streamed(void **state)
{
    struct frame *frame = frame_of_size(100);
    struct output output;

    output_init(&output);
    assert_int_equal(output_push(&output, frame, true), 0);
    assert_int_equal(output_push(&output, frame, false), 0);
    assert_int_equal(output.n_bytes, 200);
    assert_int_equal(output.n_streamed_bytes, 100);
    output_finish(&output);
    assert_int_equal(frame->n_references, 1);
    frame_unref(frame);
}

static void order_survives_growing_while_half_sent(void **state)
{
    struct client *client = calloc(1, sizeof(*client));
    static char batch[OUTPUT_BATCH_BYTES];
    struct output output;
    size_t size = 3000, n;

    client->on_message = on_expected_size;
    client->want = size;
    output_init(&output);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 7; i++) {
            struct frame *frame = frame_of_size(size++);

            assert_int_equal(output_push(&output, frame, false), 0);
            frame_unref(frame);
        }
        n = output_fill(&output, batch); /* takes fewer than are added */
        client_read(client, batch, n);
    }
    drain(&output, client);
    assert_int_equal(client->n_messages, 1400);
    output_finish(&output);
    free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_length_comes_through),     cmocka_unit_test(sizes_around_a_batch_come_through),
        cmocka_unit_test(many_small_frames_share_a_batch),        cmocka_unit_test(a_large_frame_leaves_in_fragments),
        cmocka_unit_test(a_frame_is_framed_once_for_all),         cmocka_unit_test(replies_do_not_count_as_streamed),
        cmocka_unit_test(order_survives_growing_while_half_sent),
    };

    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
