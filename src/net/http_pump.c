/* What moves a connection on. Answers leave alone or, where the next request is here already, with the next answer; a
 * connection that has sent many requests has some of them answered in each turn of the loop. */
#include <errno.h>
#include <sys/socket.h>

#include "net/inside.h"

#define LINGER_SECONDS 2
#define TURN_REQUESTS  64 /* of one connection, before others have theirs */

/* Returns 0, everything is out; -EAGAIN; or another -errno, the line is dead. */
static int http_write(struct http *http)
{
    for (;;) {
        struct iovec pieces[2];
        int n_pieces = response_rest(&http->response, pieces);
        struct msghdr message = { .msg_iov = pieces, .msg_iovlen = (size_t)n_pieces };
        ssize_t n;

        if (n_pieces == 0)
            return 0;
        n = sendmsg(http->fd, &message, MSG_NOSIGNAL);
        if (n < 0)
            return -errno;
        http->response.n_sent += (size_t)n;
        http->server->figures.n_http_bytes_out += (size_t)n;
        http_expect(http, PROGRESS_SECONDS);
    }
}

/* The answer is out. What the client may still be sending is read and dropped for a moment, for closing over unread
 * input would reset the line, and the answer with it. */
static void http_end_answer(struct http *http)
{
    response_finish(&http->response);
    if (http->keeps_alive) {
        http->state = HTTP_HEAD;
        http_expect(http,
                    http->input.n_bytes ? http->server->config.handshake_seconds : http->server->config.idle_seconds);
        return;
    }
    http->state = HTTP_LINGERING;
    http_expect(http, LINGER_SECONDS);
    (void)shutdown(http->fd, SHUT_WR);
}

/* The next piece leaves at once, so that news takes one call of the system; what comes behind it in the next turn. */
static int http_write_piece(struct http *http)
{
    int r = http_stream_refill(http);

    if (r != -EAGAIN)
        return r;
    r = http_write(http);
    if (r == 0 && http->response.stream)
        r = http_stream_refill(http);
    else if (r == 0)
        http_end_answer(http);
    return r;
}

/* The answer leaves, or stays to leave with the next one. */
static int http_answered(struct http *http)
{
    bool has_next = http->keeps_alive && request_follows(buffer_bytes(&http->input));
    int r = has_next ? response_hold(&http->response) : -E2BIG;

    if (r == 0)
        http->state = HTTP_HEAD;
    if (r != -E2BIG)
        return r;
    r = http_stream_is_late(http) ? -EPIPE : http_write(http);
    if (r == 0 && http->response.stream)
        r = http_write_piece(http);
    else if (r == 0)
        http_end_answer(http);
    return r;
}

/* There is no next answer yet: those that were held leave. */
static int http_flush(struct http *http)
{
    int r;

    if (http->state == HTTP_WRITING || !http->response.head.n_bytes)
        return 0;
    r = http_write(http);
    if (http->state == HTTP_WAITING)
        wheel_clear(&http->deadline); /* it is not the client who is late */
    if (r == 0 && http->state == HTTP_HEAD)
        http_end_answer(http);
    else if (r == 0)
        response_finish(&http->response);
    return r;
}

void http_pump(struct http *http)
{
    int n_requests = 0, r = 0;

    http->is_pumping = true;
    for (;;) {
        enum http_state before = http->state;

        switch (http->state) {
        case HTTP_HEAD:
            if (http->input.n_bytes && n_requests++ < TURN_REQUESTS && !http_try_head(http))
                return;
            break;
        case HTTP_BODY:
            if (http->body.n_bytes == http->request.n_body_bytes)
                http_serve(http);
            break;
        case HTTP_WRITING: r = http_answered(http); break;
        case HTTP_WAITING:
        case HTTP_LINGERING: break;
        }
        if (http->state == before)
            break;
    }
    http->is_pumping = false;
    if (!r)
        r = http_flush(http);
    if (r && r != -EAGAIN) {
        http_destroy(http);
        return;
    }
    if (r == -EAGAIN || n_requests > TURN_REQUESTS) /* a line that can be written to comes back in the next turn */
        ev_io_start(http->server->config.loop, &http->writer);
    else
        ev_io_stop(http->server->config.loop, &http->writer);
    http_read_or_not(http);
}
