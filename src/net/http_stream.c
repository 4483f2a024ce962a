/* Answers that come bit by bit. */
#include <errno.h>

#include "net/inside.h"

static void on_source(struct ev_loop *loop, ev_io *watcher, int events)
{
    http_pump(watcher->data);
}

static void on_ready(void *arg)
{
    http_pump_soon(arg);
}

bool http_stream_is_late(struct http *http)
{
    if (!http->response.stream || !http->response.stream->is_late)
        return false;
    server_limit_hit(http->server, LIMIT_QUEUE);
    return true;
}

/* Without chunks the client could not tell the end from a line that broke; of news there is no end. */
bool http_stream_begin(struct http *http, struct rest_stream *stream)
{
    if (!http->request.is_1_1 && !stream->is_live) {
        rest_stream_close(stream);
        http_refuse_and_close(http, 505, "ERR_MESSAGE_BADLY_FORMED", "This answer needs HTTP/1.1.");
        return false;
    }
    stream->ready = on_ready;
    stream->arg = http;
    ev_io_init(&http->source, on_source, stream->fd, EV_READ);
    http->source.data = http;
    return true;
}

int http_stream_refill(struct http *http)
{
    struct ev_loop *loop = http->server->config.loop;
    int r;

    if (http->has_ended && http->response.stream->is_live)
        return -EPIPE;               /* its turn came when the client had gone */
    ev_io_stop(loop, &http->source); /* first: the end of the stream closes what is watched */
    r = response_refill(&http->response);
    if (r == 0) {
        http_expect(http, PROGRESS_SECONDS);
        return -EAGAIN;
    }
    if (r != -EAGAIN)
        return r;
    wheel_clear(&http->deadline); /* it is not the client who is late */
    ev_io_stop(loop, &http->writer);
    if (http->response.stream->fd >= 0)
        ev_io_start(loop, &http->source);
    return 0;
}
