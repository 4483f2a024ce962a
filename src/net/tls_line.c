#include "net/tls_line.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/inside.h"

#define MOVE_BYTES      (16 * 1024) /* a whole record: what is decrypted is taken at once, none waits unseen */
#define MOVES_AT_ONCE   4           /* then others have their turn */
#define LINGER_SECONDS  2
#define STALL_SECONDS   120
#define INNER_BUF_BYTES (64 * 1024)

enum tls_line_state { SHAKING, OPEN, LINGERING, REFUSED };

/* One direction. */
struct flow {
    struct buffer held; /* taken from one side, and not by the other yet */
    size_t n_given;     /* of it */
    bool is_over;       /* nothing more comes, and all is given */
};

struct tls_line {
    struct list link;
    struct server *server;
    struct listener *listener; /* SHAKING */
    SSL *ssl;
    int fd, inner; /* inner: -1 while SHAKING */
    ev_io reader, writer, inner_reader, inner_writer;
    struct wheel_timer deadline;
    enum tls_line_state state;
    bool wants_write; /* OpenSSL has something to send first */
    struct flow inward, outward;
};

/* What a side takes or gives: a number of bytes; 0: the end; -EAGAIN: not now; another -errno: it is broken. */
typedef ssize_t take_fn(struct tls_line *line, char *into, size_t n);
typedef ssize_t give_fn(struct tls_line *line, const char *at, size_t n);

struct tls_line *tls_line_of_link(struct list *link)
{
    return LIST_ENTRY(link, struct tls_line, link);
}

void tls_line_destroy(struct tls_line *line)
{
    struct ev_loop *loop = line->server->config.loop;

    ev_io_stop(loop, &line->reader);
    ev_io_stop(loop, &line->writer);
    ev_io_stop(loop, &line->inner_reader);
    ev_io_stop(loop, &line->inner_writer);
    wheel_clear(&line->deadline);
    list_remove(&line->link);
    buffer_finish(&line->inward.held);
    buffer_finish(&line->outward.held);
    SSL_free(line->ssl);
    (void)close(line->fd);
    if (line->inner >= 0)
        (void)close(line->inner);
    free(line);
}

void tls_line_retire(struct tls_line *line)
{
    if (line->state == SHAKING)
        tls_line_destroy(line);
}

/* ---- the two sides ----------------------------------------------------------------------------------------------- */

static ssize_t ssl_result(struct tls_line *line, int r)
{
    switch (SSL_get_error(line->ssl, r)) {
    case SSL_ERROR_NONE: return r;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ: return -EAGAIN;
    case SSL_ERROR_WANT_WRITE: line->wants_write = true; return -EAGAIN;
    default: return -EPIPE;
    }
}

static ssize_t take_from_client(struct tls_line *line, char *into, size_t n)
{
    ERR_clear_error();
    return ssl_result(line, SSL_read(line->ssl, into, (int)n));
}

static ssize_t give_to_client(struct tls_line *line, const char *at, size_t n)
{
    ERR_clear_error();
    return ssl_result(line, SSL_write(line->ssl, at, (int)n));
}

static ssize_t take_from_server(struct tls_line *line, char *into, size_t n)
{
    ssize_t r = recv(line->inner, into, n, 0);

    if (r < 0 && errno == ECONNRESET)
        return 0; /* it has closed, and not read everything */
    return r < 0 ? -errno : r;
}

static ssize_t give_to_server(struct tls_line *line, const char *at, size_t n)
{
    ssize_t r = send(line->inner, at, n, MSG_NOSIGNAL);

    if (r < 0 && (errno == EPIPE || errno == ECONNRESET))
        return (ssize_t)n; /* nobody is interested any more */
    return r < 0 ? -errno : r;
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

/* Gives what is held. 0: nothing is held any more. */
static int flow_give(struct tls_line *line, struct flow *flow, give_fn *give)
{
    while (flow->n_given < flow->held.n_bytes) {
        ssize_t n = give(line, flow->held.at + flow->n_given, flow->held.n_bytes - flow->n_given);

        if (n <= 0)
            return n ? (int)n : -EPIPE;
        flow->n_given += (size_t)n;
    }
    buffer_finish(&flow->held);
    flow->n_given = 0;
    return 0;
}

/* Moves what can be moved. Returns 0, it is over; -EAGAIN; or another -errno. */
static int flow_move(struct tls_line *line, struct flow *flow, take_fn *take, give_fn *give)
{
    char *scratch = line->server->batch;

    for (int i = 0; i < MOVES_AT_ONCE && !flow->is_over; i++) {
        int r = flow_give(line, flow, give);
        ssize_t n, n_given;

        if (r)
            return r;
        n = take(line, scratch, MOVE_BYTES);
        if (n < 0)
            return (int)n;
        flow->is_over = n == 0;
        if (n == 0)
            break;
        n_given = give(line, scratch, (size_t)n);
        if (n_given == -EAGAIN)
            n_given = 0;
        if (n_given < 0)
            return (int)n_given;
        if (n_given < n && buffer_append(&flow->held, scratch + n_given, (size_t)(n - n_given)))
            return -ENOMEM;
    }
    return flow->is_over ? 0 : -EAGAIN;
}

static void watch(struct tls_line *line, ev_io *watcher, bool is_wanted)
{
    if (is_wanted)
        ev_io_start(line->server->config.loop, watcher);
    else
        ev_io_stop(line->server->config.loop, watcher);
}

/* What it waits for is what could not be done just now; a side whose bytes nobody takes is not read. */
static void watch_all(struct tls_line *line)
{
    const struct flow *in = &line->inward, *out = &line->outward;
    bool is_open = line->inner >= 0;

    watch(line, &line->reader, line->state != SHAKING ? !in->is_over && !in->held.n_bytes : !line->wants_write);
    watch(line, &line->writer, line->wants_write);
    watch(line, &line->inner_reader, is_open && !out->is_over && !out->held.n_bytes);
    watch(line, &line->inner_writer, is_open && in->held.n_bytes);
}

static void set_deadline(struct tls_line *line, bool has_moved)
{
    bool is_stalled = line->outward.held.n_bytes > 0;

    if (line->state == OPEN && !is_stalled)
        wheel_clear(&line->deadline);
    else if (line->state == OPEN && has_moved)
        wheel_set(&line->server->wheel, &line->deadline, STALL_SECONDS);
}

/* The server has said everything, and it is out. What the client may still be sending is dropped for a moment, for
 * closing over unread input would reset the line, and what is on its way with it. */
static void line_linger(struct tls_line *line, enum tls_line_state state)
{
    line->state = state;
    (void)shutdown(line->fd, SHUT_WR);
    wheel_set(&line->server->wheel, &line->deadline, LINGER_SECONDS);
}

/* Returns -EAGAIN, or what ended the line. */
static int line_move(struct tls_line *line)
{
    bool was_over = line->inward.is_over;
    size_t n_stalled = line->outward.held.n_bytes - line->outward.n_given;
    int r = flow_move(line, &line->inward, take_from_client, give_to_server);

    if (r == 0 && !was_over)
        (void)shutdown(line->inner, SHUT_WR);
    if (r && r != -EAGAIN)
        return r;
    r = flow_move(line, &line->outward, take_from_server, give_to_client);
    if (r == 0 && line->state == OPEN) {
        ERR_clear_error();
        (void)SSL_shutdown(line->ssl); /* says close_notify, if there is room for so little */
        line_linger(line, LINGERING);
    }
    set_deadline(line, n_stalled != line->outward.held.n_bytes - line->outward.n_given);
    return line->inward.is_over && line->outward.is_over ? 0 : r == 0 ? -EAGAIN : r;
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

/* Makes the connection that HTTP sees. 0 or -errno. */
static int line_enter(struct tls_line *line)
{
    const int n_bytes = INNER_BUF_BYTES;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) {
        int error = errno;

        listener_pause(line->listener, error);
        return -error;
    }
    for (int i = 0; i < 2; i++)
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof(n_bytes)); /* more is held without */
    line->inner = pair[0];
    ev_io_set(&line->inner_reader, pair[0], EV_READ);
    ev_io_set(&line->inner_writer, pair[0], EV_WRITE);
    wheel_clear(&line->deadline);
    line->state = OPEN;
    http_open(line->server, line->listener, pair[1]);
    return -EAGAIN;
}

/* Somebody forgot the s. */
static int line_refuse_plain(struct tls_line *line)
{
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n"
        "{\"type\":\"about:blank\",\"status\":400,\"title\":\"Bad request\",\"code\":\"ERR_MESSAGE_BADLY_FORMED\","
        "\"detail\":\"TLS is spoken here: the address begins with https://\"}\n";

    (void)!send(line->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    line_linger(line, REFUSED);
    return -EAGAIN;
}

/* Returns -EAGAIN, or what ended the line. */
static int line_shake(struct tls_line *line)
{
    int r;

    ERR_clear_error();
    r = SSL_do_handshake(line->ssl);
    if (r == 1)
        return line_enter(line);
    r = (int)ssl_result(line, r);
    if (r == -EAGAIN)
        return r;
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
        return line_refuse_plain(line);
    log_debug("net", "no handshake over TLS: %s", ERR_reason_error_string(ERR_peek_error()));
    return -EPIPE;
}

/* Throws away what comes. */
static int line_drop(struct tls_line *line)
{
    ssize_t n = recv(line->fd, line->server->batch, MOVE_BYTES, 0);

    return n > 0 || (n < 0 && errno == EAGAIN) ? -EAGAIN : -EPIPE;
}

static void line_pump(struct tls_line *line)
{
    int r = -EAGAIN;

    line->wants_write = false;
    if (line->state == SHAKING)
        r = line_shake(line);
    if (line->state == OPEN || line->state == LINGERING)
        r = line_move(line);
    else if (line->state == REFUSED)
        r = line_drop(line);
    if (r == -EAGAIN)
        watch_all(line);
    else
        tls_line_destroy(line);
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    line_pump(watcher->data);
}

static void on_deadline(struct wheel_timer *timer)
{
    struct tls_line *line = LIST_ENTRY(timer, struct tls_line, deadline);

    if (line->state == SHAKING)
        server_limit_hit(line->server, LIMIT_HANDSHAKE);
    tls_line_destroy(line);
}

static void watcher_init(struct tls_line *line, ev_io *watcher, int events)
{
    ev_io_init(watcher, on_ready, line->fd, events);
    watcher->data = line;
}

void tls_line_open(struct server *server, struct listener *listener, int fd)
{
    struct tls_line *line = calloc(1, sizeof(*line));

    if (line)
        line->ssl = tls_meet(server->tls, fd);
    if (!line || !line->ssl) {
        free(line);
        (void)close(fd);
        return;
    }
    line->server = server;
    line->listener = listener;
    line->fd = fd;
    line->inner = -1;
    buffer_init(&line->inward.held, MOVE_BYTES);
    buffer_init(&line->outward.held, MOVE_BYTES);
    wheel_timer_init(&line->deadline, on_deadline);
    watcher_init(line, &line->reader, EV_READ);
    watcher_init(line, &line->writer, EV_WRITE);
    watcher_init(line, &line->inner_reader, EV_READ);
    watcher_init(line, &line->inner_writer, EV_WRITE);
    list_append(&server->tls_lines, &line->link);
    wheel_set(&server->wheel, &line->deadline, server->config.handshake_seconds);
    ev_io_start(server->config.loop, &line->reader);
}
