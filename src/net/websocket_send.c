/* What goes out on a WebSocket: framed by output.c, sent raw, as much in one call as there is.
 *
 *     send wanted --> the loop is about to sleep: written --> all gone
 *                          \--the socket is full--> libwebsockets tells when it has room --> written --> ... */
#include <errno.h>

#include "net/websocket.h"

#define BATCHES_AT_ONCE 16 /* then others have their turn */

/* With a byte in it: of an answer to an empty ping libwebsockets does not tell. */
static const char ping_frame[] = { '\x89', 1, 'p' };

void websocket_want_writable(struct websocket *websocket)
{
    if (!websocket->wsi || websocket->is_writable_awaited)
        return;
    websocket->is_writable_awaited = true;
    (void)lws_callback_on_writable(websocket->wsi); /* fails on a line that is going down anyway */
}

/* What comes while others are sending waits for a turn of its own. */
void websocket_want_send(struct websocket *websocket)
{
    struct server *server = websocket->server;

    if (!websocket->wsi || websocket->is_unsent || websocket->is_writable_awaited)
        return;
    if (server->is_sending || websocket->close_code) {
        websocket_want_writable(websocket);
        return;
    }
    websocket->is_unsent = true;
    list_append(&server->unsent, &websocket->unsent_link);
}

void websocket_forget_send(struct websocket *websocket)
{
    if (websocket->is_unsent)
        list_remove(&websocket->unsent_link);
    websocket->is_unsent = false;
}

/* Bytes that are whole WebSocket frames already. The write type is the one that libwebsockets sends untouched on a
 * WebSocket, too (docs/engineering.md); what the socket does not take, it keeps, and sends before anything else. */
static int raw_write(struct websocket *websocket, size_t n)
{
    unsigned char *at = (unsigned char *)websocket->server->batch + LWS_PRE;

    return lws_write(websocket->wsi, at, n, LWS_WRITE_HTTP) < 0 ? -EPIPE : 0;
}

static void apply_pauses(struct websocket *websocket, uint8_t pauses)
{
    bool was_paused = websocket->pauses != 0, is_paused = pauses != 0;

    websocket->pauses = pauses;
    if (websocket->wsi && was_paused != is_paused)
        (void)lws_rx_flow_control(websocket->wsi, !is_paused);
}

void websocket_pause(struct websocket *websocket, enum websocket_pause by, bool paused)
{
    if (websocket->close_code)
        return; /* the answer to our close frame must be read */
    apply_pauses(websocket, (uint8_t)(paused ? websocket->pauses | by : websocket->pauses & ~by));
}

void websocket_pause_no_more(struct websocket *websocket)
{
    apply_pauses(websocket, 0);
}

static void websocket_has_room(struct websocket *websocket)
{
    bool is_drain_awaited = websocket->is_drain_awaited;

    websocket_pause(websocket, PAUSE_BY_QUEUE, false);
    websocket->is_drain_awaited = false;
    if (is_drain_awaited && !websocket->close_code)
        session_on_drained(websocket->session);
}

int websocket_flush(struct websocket *websocket)
{
    char *batch = websocket->server->batch + LWS_PRE;
    int r = 0;

    for (int i = 0; i < BATCHES_AT_ONCE && !lws_partial_buffered(websocket->wsi); i++) {
        size_t n;

        if (websocket->wants_ping) { /* between messages or fragments, where control frames may stand */
            memcpy(batch, ping_frame, sizeof(ping_frame));
            n = sizeof(ping_frame);
            websocket->wants_ping = false;
        } else {
            n = output_fill(&websocket->output, batch);
        }
        if (n == 0)
            break;
        websocket->server->figures.n_websocket_bytes_out += n;
        r = raw_write(websocket, n);
        if (r)
            return r;
    }
    if (websocket->output.n_bytes < WEBSOCKET_REPLIES_PAUSED / 2)
        websocket_has_room(websocket);
    websocket->is_stuck = lws_partial_buffered(websocket->wsi);
    if (!output_is_empty(&websocket->output) || websocket->is_stuck)
        websocket_want_writable(websocket);
    return 0;
}

/* A line that is closing, full or dead is libwebsockets' to tell us of. */
void websockets_send(struct server *server)
{
    struct list *node;

    server->is_sending = true;
    while ((node = list_pop(&server->unsent))) {
        struct websocket *websocket = LIST_ENTRY(node, struct websocket, unsent_link);

        websocket->is_unsent = false;
        if (websocket->close_code || lws_partial_buffered(websocket->wsi) || websocket_flush(websocket))
            websocket_want_writable(websocket);
    }
    server->is_sending = false;
}

size_t websocket_queued_bytes(const struct websocket *websocket)
{
    return websocket->output.n_bytes;
}
