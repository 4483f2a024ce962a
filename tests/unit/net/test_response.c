/* Answers as bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/response.h"

static char written[4096];

static void answer_add(struct rest_response *answer, const char *name, const char *value)
{
    answer->headers[answer->n_headers++] = (struct rest_header){ name, bytes_of_string(value) };
}

/* The answer, sent n_at_once bytes at a time, as a string. */
static const char *sent(const struct rest_response *answer, enum response_connection connection, size_t n_at_once)
{
    struct response response;
    struct iovec pieces[2];
    size_t n = 0;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, answer, NULL, connection, NULL, bytes_of_string("k-1")), 0);
    while (response_rest(&response, pieces)) {
        size_t n_now = pieces[0].iov_len < n_at_once ? pieces[0].iov_len : n_at_once;

        memcpy(written + n, pieces[0].iov_base, n_now);
        response.n_sent += n_now;
        n += n_now;
    }
    written[n] = '\0';
    response_finish(&response);
    return written;
}

static void has_length_body_and_precautions(void **state)
{
    struct rest_response answer = { .status = 200, .body = frame_create(bytes_of_string("hello")) };
    const char *text;

    answer_add(&answer, "content-type", "text/plain");
    text = sent(&answer, RESPONSE_STAYS, 1000);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(text, "\r\ncontent-type: text/plain\r\n"));
    assert_non_null(strstr(text, "\r\ncontent-length: 5\r\n"));
    assert_non_null(strstr(text, "\r\nx-content-type-options: nosniff\r\n"));
    assert_non_null(strstr(text, "\r\ndate: "));
    assert_null(strstr(text, "connection:"));
    assert_non_null(strstr(text, "\r\nkeep-alive: timeout=60\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\nhello");
    assert_int_equal(answer.body->n_references, 1);
    frame_unref(answer.body);
}

static void any_cut_gives_the_same_bytes(void **state)
{
    struct rest_response answer = { .status = 404, .body = frame_create(bytes_of_string("nothing here")) };
    char whole[sizeof(written)];

    (void)snprintf(whole, sizeof(whole), "%s", sent(&answer, RESPONSE_CLOSES, 10000));
    for (size_t n = 1; n < 40; n++) {
        const char *text = sent(&answer, RESPONSE_CLOSES, n);

        assert_int_equal(strlen(text), strlen(whole));
        assert_string_equal(strstr(text, "content-length"), strstr(whole, "content-length")); /* behind the date */
    }
    frame_unref(answer.body);
}

static void what_is_held_leaves_in_front_of_the_next(void **state)
{
    struct rest_response first = { .status = 404, .body = frame_create(bytes_of_string("one")) };
    struct rest_response second = { .status = 200, .body = frame_create(bytes_of_string("two")) };
    struct response response;
    struct iovec pieces[2];
    const char *text;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &first, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(response_hold(&response), 0);
    assert_int_equal(first.body->n_references, 1);
    assert_int_equal(response_say(&response, bytes_of_string("between\r\n")), 0);
    assert_int_equal(response_begin(&response, &second, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(response_rest(&response, pieces), 2);
    (void)snprintf(written, sizeof(written), "%.*s%.*s", (int)pieces[0].iov_len, (const char *)pieces[0].iov_base,
                   (int)pieces[1].iov_len, (const char *)pieces[1].iov_base);
    assert_int_equal(strncmp(written, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    text = strstr(written, "\r\n\r\none");
    assert_non_null(text);
    assert_int_equal(strncmp(text + 7, "between\r\nHTTP/1.1 200 OK\r\n", 26), 0);
    assert_string_equal(strstr(text + 7, "\r\n\r\n"), "\r\n\r\ntwo");
    response_finish(&response);
    frame_unref(first.body);
    frame_unref(second.body);
}

static void what_is_large_is_not_held(void **state)
{
    static char large[RESPONSE_HOLD_BYTES];
    struct rest_response answer = { .status = 200, .body = frame_create(bytes_of(large, sizeof(large))) };
    struct response response;
    struct iovec pieces[2];

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &answer, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(response_hold(&response), -E2BIG);
    assert_int_equal(response_rest(&response, pieces), 2);
    assert_ptr_equal(pieces[1].iov_base, answer.body->content);
    response_finish(&response);
    frame_unref(answer.body);
}

static void head_has_the_length_but_not_the_bytes(void **state)
{
    struct rest_response answer = { .status = 200, .body = frame_create(bytes_of_string("hello")), .omit_body = true };
    const char *text = sent(&answer, RESPONSE_STAYS, 1000);

    assert_non_null(strstr(text, "\r\ncontent-length: 5\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    frame_unref(answer.body);
}

static void answers_without_content_have_no_length(void **state)
{
    const struct rest_response gone = { .status = 204 }, same = { .status = 304 };

    assert_null(strstr(sent(&gone, RESPONSE_STAYS, 1000), "content-length"));
    assert_null(strstr(sent(&same, RESPONSE_STAYS, 1000), "content-length"));
}

static void what_the_answer_says_is_said_once(void **state)
{
    struct rest_response answer = { .status = 200 };
    const char *text, *policy;

    answer_add(&answer, "content-security-policy", "default-src 'self'");
    text = sent(&answer, RESPONSE_STAYS, 1000);
    policy = strstr(text, "content-security-policy");
    assert_non_null(policy);
    assert_null(strstr(policy + 1, "content-security-policy"));
    assert_non_null(strstr(text, "\r\ncontent-length: 0\r\n"));
}

static void a_value_cannot_begin_another_line(void **state)
{
    struct rest_response answer = { .status = 201 };

    answer_add(&answer, "location", "/a\r\nset-cookie: b");
    assert_non_null(strstr(sent(&answer, RESPONSE_STAYS, 1000), "\r\nlocation: /a\r\n"));
    assert_null(strstr(written, "set-cookie"));
}

static void closing_is_announced(void **state)
{
    const struct rest_response answer = { .status = 413 };

    assert_non_null(strstr(sent(&answer, RESPONSE_CLOSES, 1000), "\r\nconnection: close\r\n"));
    assert_null(strstr(written, "keep-alive"));
}

static void a_body_of_its_own_needs_no_frame(void **state)
{
    const struct rest_response answer = { .status = 200 };
    const struct bytes body = bytes_of_string("page");
    struct response response;
    struct iovec pieces[2];

    response_init(&response, 60);
    assert_int_equal(
        response_begin(&response, &answer, &body, RESPONSE_STAYS, "allow: GET\r\n", bytes_of_string("k-1")), 0);
    assert_int_equal(response_rest(&response, pieces), 2);
    assert_ptr_equal(pieces[1].iov_base, body.at);
    assert_non_null(memmem(pieces[0].iov_base, pieces[0].iov_len, "\r\nallow: GET\r\n", 14));
    response_finish(&response);
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

struct source {
    struct rest_stream stream; /* first */
    const char *const *said;   /* what each reading gives; "": nothing yet; NULL: `end` */
    int end;
    size_t n_closed;
};

static ssize_t source_read(struct rest_stream *stream, char *into, size_t n_room)
{
    struct source *source = (struct source *)stream;
    const char *now = *source->said;
    size_t n;

    if (!now)
        return source->end;
    source->said++;
    n = strlen(now);
    assert_true(n <= n_room);
    memcpy(into, now, n);
    return n ? (ssize_t)n : -EAGAIN;
}

static void source_close(struct rest_stream *stream)
{
    ((struct source *)stream)->n_closed++;
}

static const struct rest_stream_interface source_interface = { source_read, source_close };

/* Sends what there is, and returns what refilling says then; written: the body so far. */
static int send_and_refill(struct response *response, size_t *n)
{
    struct iovec pieces[2];

    while (response_rest(response, pieces)) {
        memcpy(written + *n, pieces[0].iov_base, pieces[0].iov_len);
        response->n_sent += pieces[0].iov_len;
        *n += pieces[0].iov_len;
    }
    written[*n] = '\0';
    return response->stream ? response_refill(response) : -ENODATA;
}

static const char *body_of(const char *text)
{
    return strstr(text, "\r\n\r\n") + 4;
}

static void a_stream_is_chunked(void **state)
{
    static const char *const said[] = { "hello", "", "sixteen and more..", NULL };
    struct source source = { { &source_interface, -1 }, said };
    const struct rest_response answer = { .status = 200, .stream = &source.stream };
    struct response response;
    size_t n = 0;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &answer, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(send_and_refill(&response, &n), 0);
    assert_non_null(strstr(written, "\r\ntransfer-encoding: chunked\r\n"));
    assert_null(strstr(written, "content-length"));
    assert_int_equal(send_and_refill(&response, &n), -EAGAIN);
    assert_string_equal(body_of(written), "5\r\nhello\r\n");
    assert_int_equal(send_and_refill(&response, &n), 0);
    assert_int_equal(send_and_refill(&response, &n), 0);
    assert_int_equal(source.n_closed, 1);
    assert_int_equal(send_and_refill(&response, &n), -ENODATA);
    assert_string_equal(body_of(written), "5\r\nhello\r\n12\r\nsixteen and more..\r\n0\r\n\r\n");
    response_finish(&response);
    assert_int_equal(source.n_closed, 1);
}

static void without_chunks_a_stream_is_its_bytes_and_the_line_closes(void **state)
{
    static const char *const said[] = { "hello", "", " and more", NULL };
    struct source source = { { &source_interface, -1 }, said };
    const struct rest_response answer = { .status = 200, .stream = &source.stream };
    struct response response;
    size_t n = 0;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &answer, NULL, RESPONSE_UNFRAMED, NULL, bytes_of_string("k-1")), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(send_and_refill(&response, &n), i == 1 ? -EAGAIN : 0);
    assert_int_equal(source.n_closed, 1);
    assert_int_equal(send_and_refill(&response, &n), -ENODATA);
    assert_string_equal(body_of(written), "hello and more");
    assert_null(strstr(written, "chunked"));
    assert_null(strstr(written, "content-length"));
    assert_non_null(strstr(written, "\r\nconnection: close\r\n"));
    response_finish(&response);
}

static void a_stream_that_breaks_has_no_end(void **state)
{
    static const char *const said[] = { "hello", NULL };
    struct source source = { { &source_interface, -1 }, said, .end = -EIO };
    const struct rest_response answer = { .status = 200, .stream = &source.stream };
    struct response response;
    size_t n = 0;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &answer, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(send_and_refill(&response, &n), 0);
    assert_int_equal(send_and_refill(&response, &n), -EIO);
    assert_string_equal(body_of(written), "5\r\nhello\r\n");
    assert_int_equal(source.n_closed, 0);
    response_finish(&response);
    assert_int_equal(source.n_closed, 1);
}

static void a_head_request_closes_the_stream_unread(void **state)
{
    struct source source = { { &source_interface, -1 }, NULL };
    const struct rest_response answer = { .status = 200, .stream = &source.stream, .omit_body = true };
    struct response response;
    size_t n = 0;

    response_init(&response, 60);
    assert_int_equal(response_begin(&response, &answer, NULL, RESPONSE_STAYS, NULL, bytes_of_string("k-1")), 0);
    assert_int_equal(source.n_closed, 1);
    assert_int_equal(send_and_refill(&response, &n), -ENODATA);
    assert_string_equal(body_of(written), "");
    response_finish(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_length_body_and_precautions),
        cmocka_unit_test(any_cut_gives_the_same_bytes),
        cmocka_unit_test(head_has_the_length_but_not_the_bytes),
        cmocka_unit_test(what_is_held_leaves_in_front_of_the_next),
        cmocka_unit_test(what_is_large_is_not_held),
        cmocka_unit_test(answers_without_content_have_no_length),
        cmocka_unit_test(what_the_answer_says_is_said_once),
        cmocka_unit_test(a_value_cannot_begin_another_line),
        cmocka_unit_test(closing_is_announced),
        cmocka_unit_test(a_body_of_its_own_needs_no_frame),
        cmocka_unit_test(a_stream_is_chunked),
        cmocka_unit_test(without_chunks_a_stream_is_its_bytes_and_the_line_closes),
        cmocka_unit_test(a_stream_that_breaks_has_no_end),
        cmocka_unit_test(a_head_request_closes_the_stream_unread),
    };

    return cmocka_run_group_tests_name("response", tests, NULL, NULL);
}
