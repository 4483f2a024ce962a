/* The server's own resources on a store of one's own, without a server: a loop that waits for the store and for nothing
 * else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/rest.h"
#include "cli/transport.h"
#include "cli/waker.h"
#include "storage/lmdb/store_lmdb.h"

#define PIECE_BYTES (64 * 1024)

struct local {
    struct transport base; /* first */
    struct store *store;
    struct hub *hub;
    struct rest_context rest;

    struct waker waker;

    struct exchange *exchange;  /* the one that waits for its answer */
    struct rest_stream *stream; /* what that answer is still coming from */
};

/* Waits for the store or, unless it is -1, for fd. */
static void turn(struct local *local, int fd)
{
    if (waker_wait(&local->waker, fd))
        store_dispatch(local->store);
}

/* Nothing to note: it comes from within store_dispatch, and after each the stream is asked again. */
static void on_ready(void *arg)
{
    (void)arg;
}

static void on_answer(void *arg, const struct rest_response *response)
{
    struct local *local = arg;
    struct exchange *exchange = local->exchange;

    local->exchange = NULL;
    exchange->status = response->status;
    for (size_t i = 0; i < response->n_headers; i++)
        exchange_answer_header(exchange, bytes_of_string(response->headers[i].name), response->headers[i].value);
    if (response->body && !response->omit_body)
        (void)buffer_append(&exchange->answer, response->body->content, response->body->n_bytes);
    if (response->stream && response->omit_body) {
        rest_stream_close(response->stream);
    } else if (response->stream) {
        local->stream = response->stream;
        local->stream->ready = on_ready;
    }
}

/* The rest of the answer. 0 or -errno. */
static int stream_take(struct local *local, struct exchange *exchange)
{
    char *piece = malloc(PIECE_BYTES);
    int r = piece ? 0 : -ENOMEM;
    ssize_t n = -EAGAIN;

    while (!r && n) {
        n = rest_stream_read(local->stream, piece, PIECE_BYTES);
        if (n > 0)
            r = exchange_answer_piece(exchange, bytes_of(piece, (size_t)n));
        else if (n == -EAGAIN)
            turn(local, local->stream->fd);
        else
            r = (int)n;
    }
    rest_stream_close(local->stream);
    local->stream = NULL;
    free(piece);
    return r;
}

static void on_progress(struct rest_context *rest, uint64_t n_done, uint64_t n_total)
{
    const struct exchange *exchange = LIST_ENTRY(rest, struct local, rest)->exchange;

    if (exchange && exchange->on_progress)
        exchange->on_progress(exchange->progress_arg, n_done, n_total);
}

static int local_perform(struct transport *transport, struct exchange *exchange, char *why, size_t n_why)
{
    struct local *local = (struct local *)transport;
    struct bytes target = buffer_bytes(&exchange->target);
    const char *query = target.n_bytes ? memchr(target.at, '?', target.n_bytes) : NULL;
    size_t n_path = query ? (size_t)(query - (const char *)target.at) : target.n_bytes;
    struct rest_header headers[EXCHANGE_HEADERS_MAX];
    struct rest_request request = {
        .method = exchange->method,
        .path = bytes_of(target.at, n_path),
        .query = query ? bytes_of(query + 1, target.n_bytes - n_path - 1) : bytes_of(NULL, 0),
        .headers = headers,
        .n_headers = exchange->n_headers,
        .body = exchange->body,
        .has_body = exchange->has_body,
        .principal = principal_anyone, /* who can open the files may do everything */
    };
    int r;

    for (size_t i = 0; i < exchange->n_headers; i++)
        headers[i] = (struct rest_header){ exchange->headers[i].name, bytes_of_string(exchange->headers[i].value) };
    local->exchange = exchange;
    rest_handle(&local->rest, &request, on_answer, local);
    while (local->exchange)
        turn(local, -1);
    r = local->stream ? stream_take(local, exchange) : 0;
    if (r)
        (void)snprintf(why, n_why, "the store broke off: %s", strerror(-r));
    return r ? r : exchange->answer.error;
}

static bool is_busy(const struct hub *hub)
{
    struct hub_figures figures;

    hub_figures(hub, &figures);
    return figures.n_documents != figures.n_idle;
}

static void local_destroy(struct transport *transport)
{
    struct local *local = (struct local *)transport;

    if (!local)
        return;
    while (local->hub && is_busy(local->hub)) /* a snapshot, say, that is still being written */
        turn(local, -1);
    hub_destroy(local->hub);
    store_close(local->store);
    waker_finish(&local->waker);
    free(local);
}

static int local_open(struct local *local, const char *path, bool writes, char *why, size_t n_why)
{
    const struct store_lmdb_config store_config = {
        .path = path,
        .mode = writes ? STORE_READ_WRITE : STORE_READ_ONLY,
        .wake = waker_wake,
        .arg = &local->waker,
    };
    struct hub_config hub_config = hub_defaults;
    int r = waker_init(&local->waker);

    if (r)
        return r;
    r = store_lmdb_open(&store_config, &local->store, why, n_why);
    if (r)
        return r;
    hub_config.store = local->store;
    hub_config.world = &world_real;
    r = hub_create(&hub_config, &local->hub);
    local->rest = (struct rest_context){ .hub = local->hub,
                                         .body_max_bytes = hub_config.limits.max_document_bytes,
                                         .on_progress = on_progress };
    return r;
}

int transport_store_open(const char *path, bool writes, struct transport **out, char *why, size_t n_why)
{
    struct local *local = calloc(1, sizeof(*local));
    int r;

    if (!local)
        return -ENOMEM;
    local->base = (struct transport){ local_perform, local_destroy };
    r = local_open(local, path, writes, why, n_why);
    if (r) {
        local_destroy(&local->base);
        return r;
    }
    *out = &local->base;
    return 0;
}
