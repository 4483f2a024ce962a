#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/inside.h"

#define READ_BYTES      (16 * 1024)
#define INPUT_MAX_BYTES (2 * REQUEST_HEAD_MAX_BYTES) /* a head, and what was sent behind it unasked */
#define EXTRA_MAX_BYTES 2048

/* The answer's address while it is awaited; outlives the connection if it must. */
struct exchange {
    struct http *http; /* NULL: the client has gone */
    struct rest_wait wait;
};

/* He who waited has the answer from inside, unless there is nothing that he waits for but the store. */
static void exchange_give_up(struct exchange *exchange)
{
    exchange->wait.is_over = true;
    if (exchange->wait.give_up)
        exchange->wait.give_up(&exchange->wait);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Gives the descriptor back, which stays open. */
static int http_release(struct http *http)
{
    int fd = http->fd;

    ev_io_stop(http->server->config.loop, &http->reader);
    ev_io_stop(http->server->config.loop, &http->writer);
    ev_io_stop(http->server->config.loop, &http->source);
    wheel_clear(&http->deadline);
    if (http->exchange) {
        http->exchange->http = NULL;
        exchange_give_up(http->exchange);
    }
    buffer_finish(&http->input);
    buffer_finish(&http->body);
    response_finish(&http->response);
    list_remove(&http->link);
    http->server->n_connections--;
    free(http);
    return fd;
}

void http_destroy(struct http *http)
{
    (void)close(http_release(http));
}

static void on_deadline(struct wheel_timer *timer)
{
    struct http *http = LIST_ENTRY(timer, struct http, deadline);

    bool is_idle = http->state == HTTP_HEAD && !http->input.n_bytes;

    if (http->state != HTTP_LINGERING)
        server_limit_hit(http->server, is_idle ? LIMIT_IDLE : LIMIT_HANDSHAKE);
    if (!is_idle && (http->state == HTTP_HEAD || http->state == HTTP_BODY))
        http_refuse_and_close(http, 408, "ERR_LIMIT_EXCEEDED", "The request took too long to come.");
    else
        http_destroy(http);
}

void http_expect(struct http *http, unsigned seconds)
{
    wheel_set(&http->server->wheel, &http->deadline, seconds);
}

/* Whoever waits, or is answered bit by bit, is watched, for nothing else would tell that he has gone. */
static bool http_is_watched(const struct http *http)
{
    return http->state == HTTP_WAITING || (http->state == HTTP_WRITING && http->response.stream);
}

static bool http_wants_input(const struct http *http)
{
    if (http_is_watched(http))
        return !http->has_ended && http->input.n_bytes + READ_BYTES <= INPUT_MAX_BYTES;
    return http->state != HTTP_WRITING && !ev_is_active(&http->writer);
}

void http_read_or_not(struct http *http)
{
    if (http_wants_input(http))
        ev_io_start(http->server->config.loop, &http->reader);
    else
        ev_io_stop(http->server->config.loop, &http->reader);
}

bool http_is_answered(const struct http *http)
{
    return (http->state == HTTP_HEAD && !http->response.head.n_bytes) || http->state == HTTP_LINGERING;
}

size_t http_queued_bytes(const struct http *http)
{
    struct iovec pieces[2];
    size_t n_bytes = 0;

    for (int n = response_rest(&http->response, pieces); n > 0; n--)
        n_bytes += pieces[n - 1].iov_len;
    return n_bytes;
}

void http_retire(struct http *http)
{
    http->keeps_alive = false;
    if (http_is_answered(http) || http->state == HTTP_BODY)
        http_destroy(http);
}

void http_recheck_waiting(struct http *http)
{
    struct exchange *exchange = http->exchange;
    bool waits = exchange && exchange->wait.give_up, streams = http->state == HTTP_WRITING && http->response.stream;

    if (!waits && !streams)
        return;
    http_recheck(http);
    if (!http_is_nobodys(http))
        return;
    if (streams) {
        http_destroy(http);
        return;
    }
    http->exchange = NULL;
    exchange->http = NULL;
    exchange_give_up(exchange);
    http_refuse_nobody(http);
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

/* So that what is told in one turn leaves together, and whoever tells it goes first. */
void http_pump_soon(struct http *http)
{
    http_read_or_not(http);
    ev_feed_event(http->server->config.loop, &http->writer, EV_WRITE);
}

/* What the answer carries besides its own headers. */
static void http_write_extra(struct http *http, const struct rest_response *answer, struct buffer *into)
{
    if (http->extra_header)
        (void)buffer_append_string(into, http->extra_header);
    http->extra_header = NULL;
    http_cors_write(http, answer, into);
    if (into->n_bytes)
        (void)buffer_append(into, "", 1);
}

static void http_begin_answer(struct http *http, const struct rest_response *answer, const struct bytes *body)
{
    struct buffer lines;
    int r;

    if (answer->stream && !http_stream_begin(http, answer->stream))
        return;
    if (http->server->is_draining)
        http->keeps_alive = false;
    if (answer->stream && !http->request.is_1_1)
        http->keeps_alive = false;
    buffer_init(&lines, EXTRA_MAX_BYTES);
    http_write_extra(http, answer, &lines);
    r = response_begin(&http->response, answer, body,
                       http->keeps_alive      ? RESPONSE_STAYS
                       : http->request.is_1_1 ? RESPONSE_CLOSES
                                              : RESPONSE_UNFRAMED,
                       lines.n_bytes ? lines.at : NULL, http_note_id(http));
    buffer_finish(&lines);
    http_note_answer(http, answer, http->response.body.n_bytes);
    if (r) { /* no memory: the client sees the line break and may ask again */
        log_warning("net", "an answer could not be put together: %s", strerror(-r));
        response_finish(&http->response);
        http->keeps_alive = false;
    }
    http->state = HTTP_WRITING;
    http_expect(http, PROGRESS_SECONDS);
    if (!http->is_pumping)
        http_pump_soon(http);
}

void http_answer(struct http *http, const struct rest_response *answer, const struct bytes *body)
{
    struct rest_response problem;

    if (!http->note.n_id)
        http_note_unread(http);
    if (!answer->is_problem) {
        http_begin_answer(http, answer, body);
        return;
    }
    problem = *answer;
    http_note_problem(http, &problem);
    http_begin_answer(http, &problem, body);
    if (problem.is_problem)
        frame_unref(problem.body);
}

static void on_answer(void *arg, const struct rest_response *answer)
{
    struct exchange *exchange = arg;
    struct http *http = exchange->http;

    free(exchange);
    if (!http) {
        rest_stream_close(answer->stream);
        return;
    }
    http->exchange = NULL;
    http_answer(http, answer, NULL);
}

static void on_refusal(void *arg, const struct rest_response *answer)
{
    struct http *http = arg;
    struct rest_response refusal = *answer;

    refusal.omit_body = http->is_head;
    http_answer(http, &refusal, NULL);
}

void http_refuse(struct http *http, int status, const char *code, const char *detail)
{
    rest_problem(status, code, detail, on_refusal, http);
}

void http_refuse_nobody(struct http *http)
{
    http->keeps_alive = false;
    rest_refuse_nobody(http->caller.has_token, on_refusal, http);
}

void http_refuse_and_close(struct http *http, int status, const char *code, const char *detail)
{
    http->keeps_alive = false;
    http_refuse(http, status, code, detail);
}

static void http_refuse_head(struct http *http, int status)
{
    const char *detail = status == 405   ? "This server is no proxy."
                         : status == 414 ? "The address is longer than this server takes."
                         : status == 431 ? "The header fields are larger than this server takes."
                         : status == 505 ? "Only HTTP/1.1 and HTTP/1.0 are spoken here."
                                         : "This is no well-formed HTTP request.";

    const char *code = status == 405                    ? "ERR_METHOD_NOT_ALLOWED"
                       : status == 400 || status == 505 ? "ERR_MESSAGE_BADLY_FORMED"
                                                        : "ERR_LIMIT_EXCEEDED";

    if (status == 405)
        http->extra_header = http_allow_header;
    http_refuse_and_close(http, status, code, detail);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* Forgets n bytes at the start of the input. */
static void input_consume(struct http *http, size_t n)
{
    struct buffer *input = &http->input;

    input->n_bytes -= n;
    if (input->n_bytes)
        memmove(input->at, input->at + n, input->n_bytes);
    else
        buffer_finish(input); /* an idle connection holds nothing */
}

void http_serve(struct http *http)
{
    const struct request *request = &http->request;
    struct rest_request rest = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .headers = request->headers,
        .n_headers = request->n_headers,
        .body = buffer_bytes(&http->body),
        .body_in = &http->body,
        .has_body = request->has_length,
        .has_token = http->caller.has_token,
    };

    http_recheck(http);
    rest.principal = http->caller.principal;
    http->state = HTTP_WAITING;
    wheel_clear(&http->deadline);
    if (!static_serve(http)) {
        http->exchange = calloc(1, sizeof(*http->exchange));
        if (http->exchange) {
            http->exchange->http = http;
            http->exchange->wait.is_over = http->has_ended;
            rest.wait = &http->exchange->wait;
            rest_handle(http->server->config.rest, &rest, on_answer, http->exchange);
        } else {
            http_refuse_and_close(http, 503, "ERR_STORE_FAILED", "This server is out of memory; try again soon.");
        }
    }
    input_consume(http, request->n_head_bytes);
    buffer_finish(&http->body);
}

/* Tells a client that asks first that it may send its body, of which n bytes are here. */
static int http_continue(struct http *http, size_t n)
{
    const struct request *request = &http->request;

    if (!request->expects_continue || n == request->n_body_bytes)
        return 0;
    return response_say(&http->response, bytes_of_string("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* Between two moves of a body: whoever gives heads little time, gives bodies little, too. */
static unsigned body_seconds(const struct http *http)
{
    unsigned seconds = 3 * http->server->config.handshake_seconds;

    return seconds < PROGRESS_SECONDS ? seconds : PROGRESS_SECONDS;
}

/* The head is whole and will be served: takes what has come of the body with it. */
static void http_begin_body(struct http *http)
{
    struct request *request = &http->request;
    struct buffer *input = &http->input;
    size_t n_behind = input->n_bytes - request->n_head_bytes;
    size_t n = n_behind < request->n_body_bytes ? n_behind : (size_t)request->n_body_bytes;
    char *behind = input->at + request->n_head_bytes;

    http->state = HTTP_BODY;
    http_expect(http, body_seconds(http));
    buffer_init(&http->body, (size_t)request->n_body_bytes);
    if ((n && buffer_append(&http->body, behind, n)) || http_continue(http, n)) {
        http_refuse_and_close(http, 503, "ERR_STORE_FAILED", "This server is out of memory; try again soon.");
        return;
    }
    memmove(behind, behind + n, n_behind - n);
    input->n_bytes -= n;
}

/* Hands the line over to libwebsockets; http is gone afterwards. */
static void http_upgrade(struct http *http)
{
    struct server *server = http->server;
    struct request request = http->request;
    struct caller caller = http->caller;
    struct buffer input = http->input; /* ours now, for the request points into it */
    struct bytes early = bytes_of(input.at + request.n_head_bytes, input.n_bytes - request.n_head_bytes);

    buffer_init(&http->input, INPUT_MAX_BYTES);
    websocket_open(server, http_release(http), &request, &caller, early);
    buffer_finish(&input);
}

bool http_try_head(struct http *http)
{
    struct request *request = &http->request;
    int status;

    http->is_head = false;
    switch (request_parse(http->input.at, http->input.n_bytes, request, &status)) {
    case REQUEST_PARTIAL: return true;
    case REQUEST_REFUSED: http_refuse_head(http, status); return true;
    case REQUEST_COMPLETE: break;
    }

    http->keeps_alive = request->keep_alive;
    http->is_head = strcmp(request->method, "HEAD") == 0;
    http_note_request(http);
    http_cors_note(http);
    if (!http_admit(http))
        return true;
    if (request->wants_websocket) {
        http_upgrade(http);
        return false;
    }
    if (http_is_nobodys(http) && request->n_body_bytes) { /* nobody would look at it */
        http->keeps_alive = false;
        http_serve(http);
    } else {
        http_begin_body(http);
    }
    return true;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The client sends no more. Returns whether he may still read something. */
static bool http_end_input(struct http *http)
{
    if (!http_is_watched(http) || (http->state == HTTP_WRITING && http->response.stream->is_live))
        return false;
    http->has_ended = true;
    if (http->state == HTTP_WAITING)
        exchange_give_up(http->exchange);
    return true;
}

/* Returns false when the connection is gone. */
static bool http_read(struct http *http)
{
    struct buffer *into = http->state == HTTP_BODY ? &http->body : &http->input;
    size_t n_wanted = READ_BYTES;
    char *room;
    ssize_t n;

    if (http->state == HTTP_BODY)
        n_wanted = (size_t)http->request.n_body_bytes - http->body.n_bytes;
    if (n_wanted > READ_BYTES)
        n_wanted = READ_BYTES;
    if (http->state == HTTP_LINGERING)
        buffer_reset(into);
    room = buffer_room(into, n_wanted);
    n = room ? recv(http->fd, room, n_wanted, 0) : -1;
    if (n < 0 && room && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0) {
        http->server->figures.n_http_bytes_in += (size_t)n;
        if (http->state == HTTP_HEAD && into->n_bytes == 0)
            http_expect(http, http->server->config.handshake_seconds);
        if (http->state == HTTP_BODY)
            http_expect(http, body_seconds(http));
        buffer_grew(into, (size_t)n);
        return true;
    }
    if (n == 0 && http_end_input(http))
        return true;
    http_destroy(http);
    return false;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct http *http = watcher->data;

    if (http_read(http))
        http_pump(http);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    http_pump(watcher->data);
}

void http_open(struct server *server, struct listener *listener, int fd)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http) {
        (void)close(fd);
        return;
    }
    http->server = server;
    http->is_loopback = listener->is_loopback;
    http->is_local = listener->is_loopback || listener->path;
    http->is_tls = listener->speaks_tls;
    http->fd = fd;
    http->state = HTTP_HEAD;
    buffer_init(&http->input, INPUT_MAX_BYTES);
    buffer_init(&http->body, 0);
    response_init(&http->response, server->config.idle_seconds ? server->config.idle_seconds - 1 : 0); /* wheel.h */
    wheel_timer_init(&http->deadline, on_deadline);
    ev_io_init(&http->reader, on_readable, fd, EV_READ);
    ev_io_init(&http->writer, on_writable, fd, EV_WRITE);
    http->reader.data = http->writer.data = http;
    list_append(&server->https, &http->link);
    server->n_connections++;
    http_expect(http, server->config.idle_seconds);
    ev_io_start(server->config.loop, &http->reader);
}
