/* Heads of requests: each row whole, cut at every length, and with its buffer ending where the input ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/request.h"

#define H "Host: localhost\r\n"

static struct row {
    const char *name, *head;
    int status;               /* 0: complete */
    const char *path, *query; /* when complete */
} rows[] = {
    { "the plainest", "GET / HTTP/1.1\r\n" H "\r\n", 0, "/", "" },
    { "a path stays as it was sent", "GET /v1/docs/n/a%2Fb%3f//../+?q=%20&r HTTP/1.1\r\n" H "\r\n", 0,
      "/v1/docs/n/a%2Fb%3f//../+", "q=%20&r" },
    { "an empty query", "GET /a? HTTP/1.1\r\n" H "\r\n", 0, "/a", "" },
    { "a second question mark", "GET /a?b?c HTTP/1.1\r\n" H "\r\n", 0, "/a", "b?c" },
    { "the absolute form", "GET http://localhost/a?b HTTP/1.1\r\n" H "\r\n", 0, "/a", "b" },
    { "the absolute form over TLS", "GET HTTPS://localhost/a?b HTTP/1.1\r\n" H "\r\n", 0, "/a", "b" },
    { "the absolute form without a path", "GET http://localhost HTTP/1.1\r\n" H "\r\n", 0, "/", "" },
    { "the absolute form with nothing but a query", "GET http://localhost?b HTTP/1.1\r\n" H "\r\n", 0, "/", "b" },
    { "all of the server", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "*", "" },
    { "version 1.0 needs no host", "GET /a HTTP/1.0\r\n\r\n", 0, "/a", "" },
    { "UTF-8 that was not escaped", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 0, "/\xc3\xa4", "" },
    { "an empty value", "GET /a HTTP/1.1\r\n" H "A:\r\nB: \t \r\n\r\n", 0, "/a", "" },
    { "a length", "PUT /a HTTP/1.1\r\n" H "Content-Length: 12\r\n\r\n", 0, "/a", "" },
    { "an encoding alone is the carrier's to refuse", "PUT /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 0,
      "/a", "" },

    { "all of the server, and no OPTIONS", "GET * HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "the absolute form without a host", "GET http:///a HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "the absolute form with a user", "GET http://a@localhost/a HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "another scheme", "GET ftp://localhost/a HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a proxy is asked for", "CONNECT localhost:80 HTTP/1.1\r\n" H "\r\n", 405, NULL, NULL },
    { "an empty encoding and a length", "PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding:\r\n\r\n", 400,
      NULL, NULL },
    { "two media types", "PUT / HTTP/1.1\r\n" H "Content-Type: a/b\r\nX: y\r\ncontent-type: c/d\r\n\r\n", 400, NULL,
      NULL },
    { "a host with a user", "GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n", 400, NULL, NULL },
    { "a host with a path", "GET / HTTP/1.1\r\nHost: localhost/a\r\n\r\n", 400, NULL, NULL },
    { "no host", "GET / HTTP/1.1\r\n\r\n", 400, NULL, NULL },
    { "two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400, NULL, NULL },
    { "two lengths", "PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, NULL, NULL },
    { "a length and an encoding", "PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
      NULL, NULL },
    { "a list of lengths", "PUT / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400, NULL, NULL },
    { "a signed length", "PUT / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400, NULL, NULL },
    { "a negative length", "PUT / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400, NULL, NULL },
    { "an empty length", "PUT / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n", 400, NULL, NULL },
    { "a length beyond 64 bits", "PUT / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400, NULL,
      NULL },
    { "a length in hex", "PUT / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", 400, NULL, NULL },
    { "no path", "GET HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a path without slash", "GET a HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a blank in the path", "GET /a b HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "half an escape", "GET /% HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "an escape of no hex", "GET /%g0 HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a control character in the path", "GET /a\x7f HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "no version", "GET /\r\n" H "\r\n", 400, NULL, NULL },
    { "a version to come", "GET / HTTP/2.0\r\n" H "\r\n", 505, NULL, NULL },
    { "version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505, NULL, NULL },
    { "another protocol", "GET / RTSP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a method of odd characters", "G(T / HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "a line end without return", "GET / HTTP/1.1\n" H "\r\n", 400, NULL, NULL },
    { "a return inside a line", "GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400, NULL, NULL },
    { "a folded line", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400, NULL, NULL },
    { "a blank before the colon", "GET / HTTP/1.1\r\n" H "Content-Length : 1\r\n\r\n", 400, NULL, NULL },
    { "no colon", "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400, NULL, NULL },
    { "no name", "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400, NULL, NULL },
    { "a control character in a value", "GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400, NULL, NULL },
};

/* Parses a copy that ends where its memory ends. */
static enum request_outcome parse_exactly(const char *text, size_t n, char **copy, struct request *out, int *status)
{
    *copy = malloc(n ? n : 1);
    memcpy(*copy, text, n);
    return request_parse(*copy, n, out, status);
}

static void is_read(void **state)
{
    const struct row *row = *state;
    struct request *request = malloc(sizeof(*request));
    int status = 0;
    char *copy;

    if (row->status) {
        assert_int_equal(parse_exactly(row->head, strlen(row->head), &copy, request, &status), REQUEST_REFUSED);
        assert_int_equal(status, row->status);
    } else {
        assert_int_equal(parse_exactly(row->head, strlen(row->head), &copy, request, &status), REQUEST_COMPLETE);
        assert_int_equal(request->n_head_bytes, strlen(row->head));
        assert_true(bytes_equal(request->path, bytes_of_string(row->path)));
        assert_true(bytes_equal(request->query, bytes_of_string(row->query)));
    }
    free(copy);
    for (size_t n = 0; n < strlen(row->head); n++) {
        assert_int_equal(parse_exactly(row->head, n, &copy, request, &status), REQUEST_PARTIAL);
        assert_memory_equal(copy, row->head, n); /* untouched, so that more can be added */
        free(copy);
    }
    free(request);
}

static struct request parsed;
static char text[64 * 1024];

static enum request_outcome parse(const char *head, int *status)
{
    (void)snprintf(text, sizeof(text), "%s", head);
    return request_parse(text, strlen(text), &parsed, status);
}

static void names_are_lower_case_and_values_trimmed(void **state)
{
    int status;

    assert_int_equal(parse("GET / HTTP/1.1\r\nHOST: a\r\nIf-None-Match: \t\"x\" \r\n\r\n", &status), REQUEST_COMPLETE);
    assert_string_equal(parsed.method, "GET");
    assert_string_equal(parsed.headers[0].name, "host");
    assert_true(bytes_equal(request_header(&parsed, "if-none-match"), bytes_of_string("\"x\"")));
    assert_int_equal(request_header(&parsed, "accept").n_bytes, 0);
}

static void a_list_goes_on_in_other_lines(void **state)
{
    int status;

    assert_int_equal(
        parse("GET / HTTP/1.1\r\nAccept: a\r\n" H "accept:\r\nB: c\r\nACCEPT: d,e\r\nB:f\r\n\r\n", &status),
        REQUEST_COMPLETE);
    assert_int_equal(parsed.n_headers, 3);
    assert_true(bytes_equal(request_header(&parsed, "accept"), bytes_of_string("a, , d,e")));
    assert_true(bytes_equal(request_header(&parsed, "host"), bytes_of_string("localhost")));
    assert_true(bytes_equal(request_header(&parsed, "b"), bytes_of_string("c, f")));
    assert_true(bytes_equal(parsed.host, bytes_of_string("localhost")));
    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "Connection: a\r\nConnection: close\r\n\r\n", &status),
                     REQUEST_COMPLETE);
    assert_false(parsed.keep_alive);
}

static void the_host_is_that_of_the_address(void **state)
{
    int status;

    assert_int_equal(parse("GET http://a.example:80/ HTTP/1.1\r\n" H "\r\n", &status), REQUEST_COMPLETE);
    assert_true(bytes_equal(parsed.host, bytes_of_string("a.example:80")));
    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "\r\n", &status), REQUEST_COMPLETE);
    assert_true(bytes_equal(parsed.host, bytes_of_string("localhost")));
    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_null(parsed.host.at);
}

static void what_is_expected_is_continue_or_something_else(void **state)
{
    int status;

    assert_int_equal(parse("PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_true(parsed.expects_continue && !parsed.expects_else);
    assert_int_equal(parse("PUT / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_true(!parsed.expects_continue && parsed.expects_else);
    assert_int_equal(parse("PUT / HTTP/1.0\r\n" H "Expect: 100-continue\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_true(!parsed.expects_continue && !parsed.expects_else);
}

static void an_empty_body_is_not_a_missing_one(void **state)
{
    int status;

    assert_int_equal(parse("PUT / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_true(parsed.has_length);
    assert_int_equal(parse("PUT / HTTP/1.1\r\n" H "\r\n", &status), REQUEST_COMPLETE);
    assert_false(parsed.has_length);
}

static void a_line_stays_open_unless_it_is_said_otherwise(void **state)
{
    int status;

    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "\r\n", &status), REQUEST_COMPLETE);
    assert_true(parsed.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "Connection: te, Close\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_false(parsed.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\n" H "\r\n", &status), REQUEST_COMPLETE);
    assert_false(parsed.keep_alive);
}

static void an_upgrade_needs_both_headers(void **state)
{
    int status;

    assert_int_equal(
        parse("GET / HTTP/1.1\r\n" H "Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\r\n", &status),
        REQUEST_COMPLETE);
    assert_true(parsed.wants_websocket);
    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n\r\n", &status), REQUEST_COMPLETE);
    assert_false(parsed.wants_websocket);
    assert_int_equal(parse("GET / HTTP/1.1\r\n" H "Upgrade: websocketx\r\nConnection: upgrade\r\n\r\n", &status),
                     REQUEST_COMPLETE);
    assert_false(parsed.wants_websocket);
    assert_int_equal(
        parse("GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n", &status),
        REQUEST_COMPLETE);
    assert_false(parsed.wants_websocket);
}

static void what_is_no_http_is_refused_at_its_first_byte(void **state)
{
    char hello[] = { 0x16, 0x03, 0x01 };
    int status = 0;

    assert_int_equal(request_parse(hello, sizeof(hello), &parsed, &status), REQUEST_REFUSED);
    assert_int_equal(status, 400);
}

static void an_endless_first_line_is_414(void **state)
{
    int status = 0;

    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    assert_int_equal(request_parse(text, REQUEST_TARGET_MAX_BYTES, &parsed, &status), REQUEST_PARTIAL);
    assert_int_equal(request_parse(text, REQUEST_TARGET_MAX_BYTES + 1, &parsed, &status), REQUEST_REFUSED);
    assert_int_equal(status, 414);
}

static void endless_headers_are_431(void **state)
{
    static const char line[] = "GET / HTTP/1.1\r\nA: ";
    int status = 0;

    memset(text, 'a', sizeof(text));
    memcpy(text, line, sizeof(line) - 1);
    assert_int_equal(request_parse(text, REQUEST_HEAD_MAX_BYTES - 1, &parsed, &status), REQUEST_PARTIAL);
    assert_int_equal(request_parse(text, REQUEST_HEAD_MAX_BYTES, &parsed, &status), REQUEST_REFUSED);
    assert_int_equal(status, 431);
}

static void too_many_headers_are_431(void **state)
{
    size_t n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" H);
    int status = 0;

    for (int i = 0; i < REQUEST_HEADERS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "A: b\r\n");
    n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
    assert_int_equal(request_parse(text, n, &parsed, &status), REQUEST_REFUSED);
    assert_int_equal(status, 431);
}

static void words_of_a_list_are_whole_words(void **state)
{
    assert_true(header_has_word(bytes_of_string("a, B ,c"), "b"));
    assert_true(header_has_word(bytes_of_string(",,b"), "b"));
    assert_false(header_has_word(bytes_of_string("ab, bc"), "b"));
    assert_false(header_has_word(bytes_of_string(""), "b"));
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void what_follows_is_seen_when_it_is_whole(void **state)
{
    static const struct {
        const char *input;
        bool follows;
    } inputs[] = {
        { "", false },
        { "GET / HTTP/1.1\r\n", false },
        { "GET / HTTP/1.1\r\n" H, false },
        { "GET / HTTP/1.1\r\n" H "\r\n", true },
        { "GET / HTTP/1.1\r\n" H "\r\nUpgrade: later\r\n", true },
        { "\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" H "uPGRADE: websocket\r\n" H "\r\n", false },
        { "GET /upgrade: HTTP/1.1\r\n" H "Upgrade-Insecure-Requests: 1\r\n\r\n", true },
        { "upgrade: \r\n\r\n", false },
    };

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        size_t n = strlen(inputs[i].input);
        char *input = malloc(n + !n);

        memcpy(input, inputs[i].input, n);
        assert_int_equal(request_follows(bytes_of(input, n)), inputs[i].follows);
        free(input);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(names_are_lower_case_and_values_trimmed),
        cmocka_unit_test(a_list_goes_on_in_other_lines),
        cmocka_unit_test(the_host_is_that_of_the_address),
        cmocka_unit_test(what_is_expected_is_continue_or_something_else),
        cmocka_unit_test(an_empty_body_is_not_a_missing_one),
        cmocka_unit_test(a_line_stays_open_unless_it_is_said_otherwise),
        cmocka_unit_test(an_upgrade_needs_both_headers),
        cmocka_unit_test(what_is_no_http_is_refused_at_its_first_byte),
        cmocka_unit_test(an_endless_first_line_is_414),
        cmocka_unit_test(endless_headers_are_431),
        cmocka_unit_test(too_many_headers_are_431),
        cmocka_unit_test(words_of_a_list_are_whole_words),
        cmocka_unit_test(what_follows_is_seen_when_it_is_whole),
    };
    struct CMUnitTest tests[N_ROWS + sizeof(others) / sizeof(others[0])];

    for (size_t i = 0; i < N_ROWS; i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = is_read, .initial_state = &rows[i] };
    memcpy(tests + N_ROWS, others, sizeof(others));
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
