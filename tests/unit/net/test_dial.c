/* The client's line against a server that says what the test wants, on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"

#define PATIENCE_SECONDS 20.

struct play {
    struct ev_loop *loop;
    int listener, fd; /* fd: -1, nobody is connected */
    ev_io acceptor, reader;
    ev_timer patience;
    const char *refusal; /* the answer to every handshake; NULL: it is accepted */
    struct buffer heard; /* by the server */
    bool is_accepted;
    size_t n_connections;

    struct dial *dial;
    struct buffer message; /* the last that came */
    size_t n_messages, n_opened, n_lost;
    struct dial_loss loss;
    char reason[128];
    size_t *wanted; /* the loop ends when this becomes so large */
    size_t wanted_n;
};

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void say(struct play *play, const void *at, size_t n_bytes)
{
    const char *from = at;

    while (n_bytes) { /* blocking: what is large goes out before the test goes on */
        ssize_t n = write(play->fd, from, n_bytes < 65536 ? n_bytes : 65536);

        assert_true(n > 0);
        from += n;
        n_bytes -= (size_t)n;
    }
}

static void say_frame(struct play *play, unsigned char first, const char *at, size_t n_bytes)
{
    unsigned char head[10] = { first, 127 };
    size_t n_head = 10;

    if (n_bytes < 126) {
        head[1] = (unsigned char)n_bytes;
        n_head = 2;
    }
    for (size_t i = 0; n_head == 10 && i < 8; i++)
        head[9 - i] = (unsigned char)(n_bytes >> (8 * i));
    say(play, head, n_head);
    say(play, at, n_bytes);
}

static void accept_handshake(struct play *play)
{
    const char *key = strcasestr(play->heard.at, "sec-websocket-key: ");
    unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
    char text[128];
    unsigned n_digest = 0;

    assert_non_null(key);
    (void)snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    assert_int_equal(EVP_Digest(text, strlen(text), digest, &n_digest, EVP_sha1(), NULL), 1);
    (void)EVP_EncodeBlock(accept, digest, (int)n_digest);
    (void)snprintf(text, sizeof(text), "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    say(play, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", 57);
    say(play, text, strlen(text));
    play->is_accepted = true;
}

static void check(struct play *play)
{
    if (play->wanted && *play->wanted >= play->wanted_n)
        ev_break(play->loop, EVBREAK_ALL);
}

static void hang_up(struct play *play)
{
    if (play->fd < 0)
        return;
    ev_io_stop(play->loop, &play->reader);
    (void)close(play->fd);
    play->fd = -1;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct play *play = io->data;
    char *room = buffer_room(&play->heard, 65536);
    ssize_t n = recv(play->fd, room, 65535, MSG_DONTWAIT);

    (void)loop;
    (void)events;
    if (n <= 0) {
        hang_up(play);
        return;
    }
    buffer_grew(&play->heard, (size_t)n);
    play->heard.at[play->heard.n_bytes] = '\0';
    if (!play->is_accepted && strstr(play->heard.at, "\r\n\r\n") && play->refusal) {
        say(play, play->refusal, strlen(play->refusal));
        hang_up(play);
    } else if (!play->is_accepted && strstr(play->heard.at, "\r\n\r\n")) {
        accept_handshake(play);
    }
    check(play);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
    struct play *play = io->data;

    (void)events;
    hang_up(play);
    play->fd = accept4(play->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(play->fd >= 0);
    play->n_connections++;
    play->is_accepted = false;
    buffer_reset(&play->heard);
    ev_io_set(&play->reader, play->fd, EV_READ);
    ev_io_start(loop, &play->reader);
}

/* ---- the client -------------------------------------------------------------------------------------------------- */

static void on_open(void *arg)
{
    struct play *play = arg;

    play->n_opened++;
    check(play);
}

static void on_message(void *arg, const char *text, size_t n_bytes)
{
    struct play *play = arg;

    play->n_messages++;
    buffer_reset(&play->message);
    assert_int_equal(buffer_append(&play->message, text, n_bytes), 0);
    check(play);
}

static void on_lost(void *arg, const struct dial_loss *loss)
{
    struct play *play = arg;

    play->n_lost++;
    play->loss = *loss;
    (void)snprintf(play->reason, sizeof(play->reason), "%s", loss->reason);
    check(play);
}

static const struct dial_events events = { on_open, on_message, on_lost };

static void on_impatient(struct ev_loop *loop, ev_timer *timer, int fired)
{
    (void)timer;
    (void)fired;
    ev_break(loop, EVBREAK_ALL);
}

/* Runs until *what is n at least. */
static void until(struct play *play, size_t *what, size_t n)
{
    play->wanted = what;
    play->wanted_n = n;
    if (*what < n)
        (void)ev_run(play->loop, 0);
    play->wanted = NULL;
    assert_true(*what >= n);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int setup(void **state)
{
    struct play *play = calloc(1, sizeof(*play));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(address);

    assert_non_null(play);
    play->fd = -1;
    play->loop = ev_loop_new(EVFLAG_AUTO);
    buffer_init(&play->heard, 1 << 26);
    buffer_init(&play->message, 1 << 26);
    play->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(play->listener, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(play->listener, 16), 0);
    ev_io_init(&play->acceptor, on_connection, play->listener, EV_READ);
    ev_init(&play->reader, on_readable);
    ev_timer_init(&play->patience, on_impatient, PATIENCE_SECONDS, 0.);
    play->acceptor.data = play->reader.data = play;
    ev_io_start(play->loop, &play->acceptor);
    ev_timer_start(play->loop, &play->patience);
    *state = play;
    return 0;
}

static void dial(struct play *play, const char *token, unsigned ping_seconds)
{
    struct sockaddr_in address;
    socklen_t n = sizeof(address);
    char url[64];
    struct dial_config config = { .loop = play->loop,
                                  .world = &world_real,
                                  .url = url,
                                  .token = token,
                                  .ping_seconds = ping_seconds,
                                  .events = &events,
                                  .arg = play };

    assert_int_equal(getsockname(play->listener, (struct sockaddr *)&address, &n), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(dial_create(&config, &play->dial), 0);
}

static void dial_and_open(struct play *play)
{
    dial(play, NULL, DIAL_PING_SECONDS);
    until(play, &play->n_opened, 1);
    buffer_reset(&play->heard);
}

static int teardown(void **state)
{
    struct play *play = *state;

    dial_destroy(play->dial);
    hang_up(play);
    ev_io_stop(play->loop, &play->acceptor);
    ev_timer_stop(play->loop, &play->patience);
    (void)close(play->listener);
    ev_loop_destroy(play->loop);
    buffer_finish(&play->heard);
    buffer_finish(&play->message);
    free(play);
    return 0;
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static void the_token_goes_along(void **state)
{
    struct play *play = *state;

    dial(play, "secret", DIAL_PING_SECONDS);
    until(play, &play->n_opened, 1);
    assert_non_null(strcasestr(play->heard.at, "\r\nauthorization: Bearer secret\r\n"));
    assert_non_null(strcasestr(play->heard.at, "GET /v1/ws HTTP/1.1\r\n"));
    assert_null(strcasestr(play->heard.at, "\r\norigin:"));
}

static void what_is_answered_instead_is_told(void **state)
{
    struct play *play = *state;

    play->refusal = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
    dial(play, NULL, DIAL_PING_SECONDS);
    until(play, &play->n_lost, 2);
    assert_int_equal(play->loss.http_status, 401);
    assert_false(play->loss.was_open);
    play->refusal = NULL;
    until(play, &play->n_opened, 1);
    assert_int_equal(play->n_connections, 3);
}

static void a_line_that_was_stopped_stays_so(void **state)
{
    struct play *play = *state;
    size_t never = 0;

    dial_and_open(play);
    dial_stop(play->dial);
    /* The next try would be due after 0.2 s. */
    ev_timer_stop(play->loop, &play->patience);
    ev_timer_set(&play->patience, 0.5, 0.);
    ev_timer_start(play->loop, &play->patience);
    play->wanted = &never;
    play->wanted_n = 1;
    (void)ev_run(play->loop, 0);
    assert_int_equal(play->n_lost, 0);
    assert_int_equal(play->n_connections, 1);
}

static void a_message_in_fragments_comes_whole(void **state)
{
    struct play *play = *state;

    dial_and_open(play);
    say_frame(play, 0x01, "on", 2);
    say_frame(play, 0x89, "ping", 4);
    say_frame(play, 0x00, "", 0);
    say_frame(play, 0x80, "e", 1);
    say_frame(play, 0x81, "two", 3);
    until(play, &play->n_messages, 2);
    assert_memory_equal(play->message.at, "two", 3);
    until(play, &play->heard.n_bytes, 10); /* the pong */
    assert_int_equal((unsigned char)play->heard.at[0], 0x8a);
}

static void a_message_of_mebibytes_comes_whole(void **state)
{
    struct play *play = *state;
    size_t n = (size_t)8 << 20;
    char *large = malloc(n);
    pid_t child;

    assert_non_null(large);
    for (size_t i = 0; i < n; i++)
        large[i] = (char)('a' + i % 23);
    dial_and_open(play);
    child = fork(); /* the one who writes must not be the one who reads */
    if (child == 0) {
        say_frame(play, 0x81, large, n);
        _exit(0);
    }
    until(play, &play->n_messages, 1);
    assert_int_equal(play->message.n_bytes, n);
    assert_memory_equal(play->message.at, large, n);
    free(large);
}

/* The text of a short client's frame, unmasked in place. */
static const char *unmask(char *frame, size_t n)
{
    assert_int_equal((unsigned char)frame[0], 0x81);
    assert_int_equal((unsigned char)frame[1], 0x80 | n);
    for (size_t i = 0; i < n; i++)
        frame[6 + i] = (char)(frame[6 + i] ^ frame[2 + i % 4]);
    return frame + 6;
}

static void what_is_sent_arrives_in_order(void **state)
{
    struct play *play = *state;

    dial(play, NULL, DIAL_PING_SECONDS);
    dial_send(play->dial, bytes_of_string("too early"));
    until(play, &play->n_opened, 1);
    buffer_reset(&play->heard);
    dial_send(play->dial, bytes_of_string("one"));
    dial_send(play->dial, bytes_of_string("two"));
    until(play, &play->heard.n_bytes, 18);
    assert_memory_equal(unmask(play->heard.at, 3), "one", 3);
    assert_memory_equal(unmask(play->heard.at + 9, 3), "two", 3);
}

static void a_close_is_told_with_code_and_reason(void **state)
{
    struct play *play = *state;

    dial_and_open(play);
    say_frame(play, 0x88, "\x03\xe9going\x07home", 12);
    until(play, &play->n_lost, 1);
    assert_true(play->loss.was_open);
    assert_int_equal(play->loss.close_code, 1001);
    assert_string_equal(play->reason, "going?home");
    until(play, &play->n_opened, 2);
}

static void a_broken_line_comes_back(void **state)
{
    struct play *play = *state;

    dial_and_open(play);
    dial_send(play->dial, bytes_of_string("lost"));
    hang_up(play);
    until(play, &play->n_lost, 1);
    assert_true(play->loss.was_open);
    assert_int_equal(play->loss.close_code, 0);
    until(play, &play->n_opened, 2);
    buffer_reset(&play->heard);
    dial_send(play->dial, bytes_of_string("one"));
    until(play, &play->heard.n_bytes, 9);
    assert_memory_equal(unmask(play->heard.at, 3), "one", 3);
}

static void what_is_no_text_ends_the_line(void **state)
{
    struct play *play = *state;

    dial_and_open(play);
    say_frame(play, 0x82, "binary", 6);
    until(play, &play->heard.n_bytes, 8);
    assert_int_equal((unsigned char)play->heard.at[0], 0x88);
    hang_up(play);
    until(play, &play->n_lost, 1);
    assert_string_equal(play->reason, "the server sends what is no text");
    assert_int_equal(play->n_messages, 0);
}

static void a_server_that_says_nothing_any_more_is_noticed(void **state)
{
    struct play *play = *state;

    dial(play, NULL, 1);
    until(play, &play->n_opened, 1);
    ev_io_stop(play->loop, &play->reader); /* it reads no pings */
    until(play, &play->n_lost, 1);
    assert_true(play->loss.was_open);
}

static void addresses_and_tokens_that_are_none_are_refused(void **state)
{
    struct play *play = *state;
    char token[2000];
    struct dial_config config = { .loop = play->loop, .world = &world_real, .url = "ftp://a", .events = &events };

    assert_int_equal(dial_create(&config, &play->dial), -EINVAL);
    memset(token, 'a', sizeof(token));
    token[sizeof(token) - 1] = '\0';
    config.url = "http://a";
    config.token = token;
    assert_int_equal(dial_create(&config, &play->dial), -EINVAL);
    config.token = "two\r\nlines";
    assert_int_equal(dial_create(&config, &play->dial), -EINVAL);
    assert_null(play->dial);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_token_goes_along),
        TEST(what_is_answered_instead_is_told),
        TEST(a_line_that_was_stopped_stays_so),
        TEST(a_message_in_fragments_comes_whole),
        TEST(a_message_of_mebibytes_comes_whole),
        TEST(what_is_sent_arrives_in_order),
        TEST(a_close_is_told_with_code_and_reason),
        TEST(a_broken_line_comes_back),
        TEST(what_is_no_text_ends_the_line),
        TEST(a_server_that_says_nothing_any_more_is_noticed),
        TEST(addresses_and_tokens_that_are_none_are_refused),
    };

    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
