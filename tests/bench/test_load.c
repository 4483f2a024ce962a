/* What loads a server reads it right, however the bytes arrive, and its times are what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#undef fail /* a word of load.h, too */
#include "tests/bench/histogram.h"
#include "tests/bench/http_reader.h"
#include "tests/bench/load.h"
#include "tests/bench/protocol_message.h"
#include "tests/bench/ws_frame.h"

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* Feeds the answer in two pieces, the second with what was left of the first, as a line does. What follows the answer
 * must stay. */
static void read_cut(const char *input, size_t cut, struct http_reader *reader, struct buffer *body)
{
    size_t n = strlen(input);
    char *first = malloc(cut ? cut : 1); /* exactly as large, so that the sanitizer sees one byte too many */
    ssize_t taken;

    *reader = (struct http_reader){ 0 };
    buffer_init(body, 1024);
    memcpy(first, input, cut);
    taken = http_reader_feed(reader, bytes_of(first, cut), body);
    free(first);
    assert_true(taken >= 0 && (size_t)taken <= cut);
    taken += http_reader_feed(reader, bytes_of(input + taken, n - (size_t)taken), body);
    assert_string_equal(input + taken, reader->state == HTTP_READER_DONE ? "HTTP/1.1 next" : "");
}

static struct row {
    const char *name, *input, *body;
    int status;
    enum http_reader_state state;
} rows[] = {
    { "an answer with a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"7\"\r\nPilcrow-Version: 7\r\n\r\nhelloHTTP/1.1 next", "hello",
      200, HTTP_READER_DONE },
    { "an empty body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nEtag: \"7\"\r\npilcrow-version: 7\r\n\r\nHTTP/1.1 next",
      "", 200, HTTP_READER_DONE },
    { "a 304 has no body, whatever its length says",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"7\"\r\nPilcrow-Version: 7\r\n\r\nHTTP/1.1 next", "",
      304, HTTP_READER_DONE },
    { "chunks, and a trailer",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"7\"\r\nPilcrow-Version: 7\r\n\r\n"
      "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 next",
      "hello", 200, HTTP_READER_DONE },
    { "a stream without an end", "HTTP/1.1 200 OK\r\nETag: \"7\"\r\nPilcrow-Version: 7\r\n\r\nhello", "hello", 200,
      HTTP_READER_ENDLESS },
};

static void is_read_wherever_it_is_cut(void **state)
{
    const struct row *row = *state;
    struct http_reader reader;
    struct buffer body;

    for (size_t cut = 0; cut <= strlen(row->input); cut++) {
        read_cut(row->input, cut, &reader, &body);
        assert_int_equal(reader.state, row->state);
        assert_int_equal(reader.status, row->status);
        assert_int_equal(reader.version, 7);
        assert_string_equal(reader.etag, "\"7\"");
        assert_int_equal(body.n_bytes, strlen(row->body));
        assert_memory_equal(body.n_bytes ? body.at : "", row->body, body.n_bytes);
        buffer_finish(&body);
    }
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const inputs[] = { "HTTP/2 200\r\n", "HTTP/1.1 20\r\n", "hello\n",
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" };

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        struct http_reader reader = { 0 };
        struct buffer body;

        buffer_init(&body, 1024);
        assert_int_equal(http_reader_feed(&reader, bytes_of_string(inputs[i]), &body), -EPROTO);
        buffer_finish(&body);
    }
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* Takes the mask off, as a server does: what is left is a frame as a server sends it. */
static void unmask(struct buffer *frame, size_t n_head)
{
    char *mask = frame->at + n_head, *payload = mask + 4;

    for (size_t i = 0; i < frame->n_bytes - n_head - 4; i++)
        payload[i] = (char)(payload[i] ^ mask[i & 3]);
    frame->at[1] &= 0x7f;
    memmove(mask, payload, frame->n_bytes - n_head - 4);
    frame->n_bytes -= 4;
}

static void a_frame_comes_back_from_its_bytes(void **state)
{
    static const size_t lengths[] = { 0, 1, 125, 126, 65535, 65536 };
    char *payload = calloc(1, 65536);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t n = lengths[i], n_head = n < 126 ? 2 : n < 65536 ? 4 : 10;
        struct ws_frame frame;
        struct buffer bytes;

        memset(payload, 'a' + (int)i, n);
        buffer_init(&bytes, 1 << 20);
        ws_append_frame(&bytes, WS_TEXT, bytes_of(payload, n));
        assert_int_equal(bytes.n_bytes, n_head + 4 + n);
        unmask(&bytes, n_head);
        for (size_t cut = 0; cut < (n < 200 ? bytes.n_bytes : 16); cut++)
            assert_false(ws_next_frame(bytes_of(bytes.at, cut), &frame));
        assert_true(ws_next_frame(buffer_bytes(&bytes), &frame));
        assert_int_equal(frame.opcode, WS_TEXT);
        assert_int_equal(frame.n_bytes, bytes.n_bytes);
        assert_true(bytes_equal(frame.payload, bytes_of(payload, n)));
        buffer_finish(&bytes);
    }
    free(payload);
}

static void a_message_in_parts_says_so(void **state)
{
    struct ws_frame frame;

    assert_true(ws_next_part(bytes_of_string("\x01\x02he"), &frame));
    assert_int_equal(frame.opcode, WS_TEXT);
    assert_false(frame.is_last);
    assert_true(ws_next_part(bytes_of_string("\x80\x03llo"), &frame));
    assert_int_equal(frame.opcode, WS_CONTINUATION);
    assert_true(frame.is_last && bytes_equal(frame.payload, bytes_of_string("llo")));
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static void a_message_is_read_whatever_its_order(void **state)
{
    static const char *const inputs[] = {
        "{\"a\":\"op\",\"c\":\"v\",\"d\":\"1\",\"v\":12,\"src\":\"seq\",\"seq\":345,\"op\":[3,\"a\\\"]}v\",{\"d\":1}]}",
        "{ \"op\" : [3,\"a\\\"]}v\",{\"d\":1}] , \"x\":{\"v\":9}, \"seq\" :345,\"v\":12 ,\"a\":\"op\" }",
    };

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        struct message message;

        assert_true(message_read(bytes_of_string(inputs[i]), &message));
        assert_true(message_is(&message, "op"));
        assert_false(message_is(&message, "o"));
        assert_int_equal(message.version, 12);
        assert_int_equal(message.seq, 345);
        assert_true(bytes_equal(message.op, bytes_of_string("[3,\"a\\\"]}v\",{\"d\":1}]")));
        assert_null(message.error.at);
    }
}

static void half_a_message_is_none(void **state)
{
    static const char input[] = "{\"a\":\"op\",\"v\":null,\"op\":[\"\\\\\",{\"d\":1}]}";
    struct message message;

    assert_true(message_read(bytes_of_string(input), &message));
    assert_int_equal(message.version, -1);
    for (size_t n = 0; n < sizeof(input) - 1; n++) {
        char *cut = malloc(n ? n : 1); /* exactly as large, so that the sanitizer sees one byte too many */

        memcpy(cut, input, n);
        assert_false(message_read(bytes_of(cut, n), &message));
        free(cut);
    }
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void shares_are_within_a_hundredth(void **state)
{
    static struct histogram histogram;
    const uint64_t n = 100000, step = 977;

    assert_int_equal(histogram_at(&histogram, 0.5), 0);
    for (uint64_t i = 1; i <= n; i++)
        histogram_add(&histogram, i * step);
    for (double share = 0.01; share < 1; share += 0.01) {
        double value = (double)histogram_at(&histogram, share), wanted = share * (double)(n * step);

        assert_true(value >= wanted * 0.999 && value <= wanted * 1.01);
    }
    assert_int_equal(histogram_at(&histogram, 1), n * step);
    assert_true(histogram_mean(&histogram) == (double)((n + 1) * step) / 2);
}

static void the_ends_have_room(void **state)
{
    static struct histogram histogram;

    histogram_add(&histogram, 0);
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram_at(&histogram, 0.5), 0);
    assert_true(histogram_at(&histogram, 1) == UINT64_MAX);
}

/* ---- processor time ---------------------------------------------------------------------------------------------- */

static void use_cpu(double seconds)
{
    double until = seconds_of(CLOCK_PROCESS_CPUTIME_ID) + seconds;

    while (seconds_of(CLOCK_PROCESS_CPUTIME_ID) < until)
        ;
}

/* Says so, and waits for its end. */
static void stay(int to)
{
    (void)!write(to, "!", 1);
    for (;;)
        (void)pause();
}

static void a_family_is_the_living_and_the_dead(void **state)
{
    const double each = 0.05;
    int ready[2];
    pid_t child, grandchild;
    char said;
    double seconds;

    assert_int_equal(pipe(ready), 0);
    if ((child = fork()) == 0) {
        if ((grandchild = fork()) == 0) {
            use_cpu(each);
            _exit(0);
        }
        (void)waitpid(grandchild, NULL, 0);
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            use_cpu(each);
            stay(ready[1]);
        }
        stay(-1);
    }
    assert_int_equal(read(ready[0], &said, 1), 1);
    seconds = family_seconds(child);
    assert_true(seconds_of(cpu_clock(child)) < each);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ready[0]);
    (void)close(ready[1]);
    /* The dead one's time is told in hundredths. */
    assert_true(seconds >= 2 * each - 0.021);
}

int main(void)
{
    enum { N_ROWS = sizeof(rows) / sizeof(rows[0]), N_OTHERS = 8 };
    struct CMUnitTest tests[N_ROWS + N_OTHERS] = {
        cmocka_unit_test(what_is_no_answer_is_refused), cmocka_unit_test(a_frame_comes_back_from_its_bytes),
        cmocka_unit_test(a_message_in_parts_says_so),   cmocka_unit_test(a_message_is_read_whatever_its_order),
        cmocka_unit_test(half_a_message_is_none),       cmocka_unit_test(shares_are_within_a_hundredth),
        cmocka_unit_test(the_ends_have_room),           cmocka_unit_test(a_family_is_the_living_and_the_dead),
    };

    for (size_t i = 0; i < N_ROWS; i++)
        tests[N_OTHERS + i] = (struct CMUnitTest){ .name = rows[i].name,
                                                   .test_func = is_read_wherever_it_is_cut,
                                                   .initial_state = &rows[i] };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
