/* WebSockets: libwebsockets reads frames and answers pings; what goes out is framed by output.c and sent raw.
 *
 *  a handshake that http.c has checked is handed to libwebsockets in our own words, so that its HTTP parser never sees
 *  a byte that a client wrote
 *
 *  OPEN --close wanted--> CLOSING --queue sent, session ended--> (close frame, its answer or 5 s) --> gone
 *    \--the client closes, the line breaks, pings stay unanswered: session ended ---------------------^ */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/parameter.h"
#include "base/log.h"
#include "base/name.h"
#include "net/websocket.h"

#define OVERSIZED_KEEP     4096 /* of a message over the ceiling: enough to tell what it was about */
#define MISSED_MAX         2    /* pings */
#define CLOSING_SECONDS    2    /* for the client's answer to a close frame */
#define READ_AT_ONCE_BYTES 2048 /* which libwebsockets takes for each connection, for as long as it lives */

struct websocket *websocket_of_link(struct list *link)
{
    return LIST_ENTRY(link, struct websocket, link);
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

/* The session hears nothing more, and is heard no more. Never from inside a call of the session's. */
static void websocket_end_session(struct websocket *websocket)
{
    struct session *session = websocket->session;

    websocket->session = NULL;
    if (!websocket->close_code)
        websocket->close_code = PEER_NORMAL;
    session_end(session);
    websocket_forget_send(websocket);
    output_finish(&websocket->output);
    buffer_finish(&websocket->inbox);
}

static void websocket_close(struct websocket *websocket, enum peer_close_code code, const char *reason)
{
    if (websocket->close_code)
        return;
    websocket_pause_no_more(websocket); /* what still comes is thrown away */
    websocket->close_code = (uint16_t)code;
    websocket->reason = reason;
    websocket_want_writable(websocket);
}

bool websocket_say_goodbye(struct websocket *websocket)
{
    bool is_news = !websocket->close_code;

    websocket_close(websocket, PEER_GOING_AWAY, "the server is going away");
    return is_news;
}

void websocket_recheck(struct websocket *websocket)
{
    if (!gate_holds(websocket->server->config.gate, &websocket->caller))
        websocket_close(websocket, PEER_NOT_ALLOWED, "the token has been withdrawn, or its rights changed");
}

void websocket_stop_reading(struct websocket *websocket)
{
    websocket_pause(websocket, PAUSE_BY_DRAIN, true);
}

static void websocket_free(struct websocket *websocket)
{
    websocket_end_session(websocket);
    wheel_clear(&websocket->pinger);
    list_remove(&websocket->link);
    websocket->server->n_connections--;
    free(websocket);
}

/* ---- the session's peer ------------------------------------------------------------------------------------------ */

static void peer_on_send(struct peer *peer, struct frame *frame, bool is_reply)
{
    struct websocket *websocket = (struct websocket *)peer;
    struct output *output = &websocket->output;

    if (websocket->close_code)
        return;
    if (output_push(output, frame, is_reply)) {
        output_finish(output);
        websocket_close(websocket, PEER_TRY_LATER, "out of memory");
        return;
    }
    if (!is_reply && output->n_streamed_bytes > websocket->server->config.queue_max_bytes) {
        server_limit_hit(websocket->server, LIMIT_QUEUE);
        output_finish(output); /* it would not read that either; when it returns it catches up from the log */
        websocket_close(websocket, PEER_TRY_LATER, "too slow a reader");
        return;
    }
    if (output->n_bytes > WEBSOCKET_REPLIES_PAUSED)
        websocket_pause(websocket, PAUSE_BY_QUEUE, true);
    websocket_want_send(websocket);
}

static void peer_on_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    websocket_close((struct websocket *)peer, code, reason);
}

static void peer_on_pause(struct peer *peer, bool paused)
{
    websocket_pause((struct websocket *)peer, PAUSE_BY_SESSION, paused);
}

static bool peer_says_full(struct peer *peer)
{
    struct websocket *websocket = (struct websocket *)peer;
    bool is_full = websocket->output.n_bytes > WEBSOCKET_REPLIES_PAUSED;

    websocket->is_drain_awaited |= is_full;
    return is_full;
}

static const struct peer_interface peer_interface = { peer_on_send, peer_on_close, peer_on_pause, peer_says_full };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void message_deliver(struct websocket *websocket, const char *at, size_t n_bytes)
{
    if (bytes_are_utf8(bytes_of(at, n_bytes)))
        session_on_frame(websocket->session, at, n_bytes);
    else
        websocket_close(websocket, PEER_NOT_TEXT, "not UTF-8");
}

/* Adds a piece of a message; beyond the ceiling only its start is kept. */
static void message_add(struct websocket *websocket, const char *at, size_t n_bytes)
{
    struct buffer *inbox = &websocket->inbox;

    if (websocket->is_oversized)
        return;
    if (n_bytes > websocket->server->config.message_max_bytes - inbox->n_bytes) {
        char start[OVERSIZED_KEEP];
        size_t n = inbox->n_bytes < sizeof(start) ? inbox->n_bytes : sizeof(start);
        size_t n_more = n_bytes < sizeof(start) - n ? n_bytes : sizeof(start) - n;

        if (n)
            memcpy(start, inbox->at, n);
        memcpy(start + n, at, n_more);
        buffer_finish(inbox);
        websocket->is_oversized = true;
        n_bytes = n + n_more;
        at = start;
        if (!buffer_append(inbox, at, n_bytes))
            return;
    } else if (!buffer_append(inbox, at, n_bytes)) {
        return;
    }
    websocket_close(websocket, PEER_TRY_LATER, "out of memory");
}

static void message_end(struct websocket *websocket)
{
    struct buffer inbox = websocket->inbox; /* the session may close, and closing empties the inbox */
    bool is_oversized = websocket->is_oversized;

    buffer_init(&websocket->inbox, websocket->server->config.message_max_bytes);
    websocket->is_oversized = false;
    if (is_oversized)
        session_on_oversized(websocket->session, inbox.at, inbox.n_bytes);
    else if (inbox.n_bytes >= HELPER_WORTH_BYTES)
        session_on_large(websocket->session, &inbox);
    else
        message_deliver(websocket, inbox.at, inbox.n_bytes);
    buffer_finish(&inbox);
}

static void websocket_on_receive(struct websocket *websocket, const char *at, size_t n_bytes)
{
    bool is_last = lws_is_final_fragment(websocket->wsi) && lws_remaining_packet_payload(websocket->wsi) == 0;
    bool is_whole = is_last && lws_is_first_fragment(websocket->wsi) && websocket->inbox.n_bytes == 0;

    websocket->is_alive = true;
    if (websocket->close_code)
        return;
    if (lws_frame_is_binary(websocket->wsi)) {
        websocket_close(websocket, PEER_UNACCEPTABLE, "text only");
        return;
    }
    if (is_whole && n_bytes <= websocket->server->config.message_max_bytes) {
        message_deliver(websocket, at, n_bytes);
        return;
    }
    message_add(websocket, at, n_bytes);
    if (is_last && !websocket->close_code)
        message_end(websocket);
}

/* ---- signs of life ----------------------------------------------------------------------------------------------- */

static void on_ping_due(struct wheel_timer *timer)
{
    struct websocket *websocket = LIST_ENTRY(timer, struct websocket, pinger);
    bool is_closing = !websocket->session;
    bool is_deaf = websocket->pauses && output_is_empty(&websocket->output); /* it may answer; nobody would read it */

    wheel_set(&websocket->server->wheel, timer, websocket->server->config.ping_seconds);
    websocket->n_missed = (uint8_t)(websocket->is_alive || is_deaf ? 0 : websocket->n_missed + 1);
    websocket->is_alive = false;
    if (!is_closing && websocket->n_missed >= MISSED_MAX)
        server_limit_hit(websocket->server, LIMIT_PING);
    if (is_closing || websocket->n_missed >= MISSED_MAX) {
        websocket_end_session(websocket);
        /* Or libwebsockets would wait for the client to read what it holds for him. */
        (void)shutdown(lws_get_socket_fd(websocket->wsi), SHUT_RDWR);
        lws_set_timeout(websocket->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
        return; /* websocket is gone, or soon will be */
    }
    if (!websocket->close_code) {
        websocket->wants_ping = true;
        websocket_want_send(websocket);
    }
}

/* ---- libwebsockets calls ----------------------------------------------------------------------------------------- */

/* Returns 0, or -1: libwebsockets closes. */
static int websocket_on_established(struct websocket *websocket)
{
    struct server *server = websocket->server;
    int r;

    wheel_set(&server->wheel, &websocket->pinger, server->config.ping_seconds);
    websocket->is_alive = true;
    r = session_create(server->config.sessions, &websocket->peer, &websocket->caller.principal,
                       bytes_of(websocket->author, websocket->n_author), &websocket->session);
    if (r)
        log_warning("net", "a session could not begin: %s", strerror(-r));
    return r ? -1 : 0;
}

/* Returns 0, or -1: libwebsockets sends the close frame and closes. */
static int websocket_on_writable(struct websocket *websocket)
{
    websocket->is_writable_awaited = false;
    if (!websocket->session)
        return 0; /* closing already: the close frame is out, its answer awaited */
    if (websocket->is_stuck)
        websocket->is_alive = true; /* the socket was full and is not any more: somebody reads */
    if (websocket_flush(websocket))
        return -1;
    if (!websocket->close_code || !output_is_empty(&websocket->output) || lws_partial_buffered(websocket->wsi))
        return 0;
    lws_close_reason(websocket->wsi, (enum lws_close_status)websocket->close_code,
                     (unsigned char *)(uintptr_t)websocket->reason, /* which it copies */
                     strlen(websocket->reason));
    websocket_end_session(websocket);
    return -1;
}

/* The line begins to close, whoever wanted it; also when libwebsockets found something that is no WebSocket frame. */
static void websocket_on_closing(struct websocket *websocket)
{
    websocket_end_session(websocket);
    wheel_set(&websocket->server->wheel, &websocket->pinger, CLOSING_SECONDS);
}

static struct server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static void on_destroyed(struct lws *wsi, struct websocket *websocket)
{
    if (server_of(wsi)->adopting == websocket)
        server_of(wsi)->adopting = NULL;
    lws_set_opaque_user_data(wsi, NULL);
    websocket_free(websocket);
}

static int on_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n_in)
{
    struct websocket *websocket = wsi ? lws_get_opaque_user_data(wsi) : NULL;

    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED) {
        websocket = server_of(wsi)->adopting;
        websocket->wsi = wsi;
        lws_set_opaque_user_data(wsi, websocket);
        return 0;
    }
    if (!websocket)
        return reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE ? -1 : 0;

    switch (reason) {
    case LWS_CALLBACK_HTTP: return -1; /* our own handshake is always an upgrade */
    case LWS_CALLBACK_ESTABLISHED: return websocket_on_established(websocket);
    case LWS_CALLBACK_RECEIVE:
        websocket->server->figures.n_websocket_bytes_in += n_in;
        websocket_on_receive(websocket, in, n_in);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG: websocket->is_alive = true; return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return websocket_on_writable(websocket);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: websocket_on_closing(websocket); return 0;
    case LWS_CALLBACK_WSI_DESTROY: on_destroyed(wsi, websocket); return 0;
    default: return 0;
    }
}

const struct lws_protocols websocket_protocols[] = {
    { .name = "pilcrow",
      .callback = on_callback,
      .per_session_data_size = 1, /* without any, nothing tells when a line begins to close */
      .rx_buffer_size = READ_AT_ONCE_BYTES,
      .tx_packet_size = OUTPUT_BATCH_BYTES },
    { .name = NULL },
};

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* NULL without memory. */
static struct websocket *websocket_create(struct server *server, const struct caller *who, struct bytes query)
{
    char name[WEBSOCKET_AUTHOR_BYTES];
    struct bytes author;
    bool is_named = parameter_text(query, "name", name, sizeof(name), &author) == 0 &&
                    name_is_allowed(author, WEBSOCKET_AUTHOR_BYTES);
    size_t n_author = is_named ? author.n_bytes : 0;
    struct websocket *websocket = calloc(1, sizeof(*websocket) + n_author);

    if (!websocket)
        return NULL;
    websocket->peer.interface = &peer_interface;
    websocket->server = server;
    websocket->caller = *who;
    output_init(&websocket->output);
    buffer_init(&websocket->inbox, server->config.message_max_bytes);
    wheel_timer_init(&websocket->pinger, on_ping_due);
    memcpy(websocket->author, name, n_author);
    websocket->n_author = (uint8_t)n_author;
    return websocket;
}

static int handshake_write(struct buffer *into, const struct request *request, struct bytes early)
{
    struct bytes key = request_header(request, "sec-websocket-key");

    (void)buffer_append_string(into, "GET / HTTP/1.1\r\nHost: pilcrow\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    (void)buffer_append(into, key.at, key.n_bytes);
    (void)buffer_append_string(into, "\r\n\r\n");
    return buffer_append(into, early.at, early.n_bytes);
}

void websocket_open(struct server *server, int fd, const struct request *request, const struct caller *who,
                    struct bytes early)
{
    struct websocket *websocket = websocket_create(server, who, request->query);
    struct buffer handshake;

    buffer_init(&handshake, 4 * REQUEST_HEAD_MAX_BYTES);
    if (!websocket || handshake_write(&handshake, request, early)) {
        free(websocket);
        (void)close(fd);
        goto out;
    }
    list_append(&server->websockets, &websocket->link);
    server->n_connections++;

    server->adopting = websocket;
    (void)lws_adopt_socket_vhost_readbuf(server->vhost, fd, handshake.at, handshake.n_bytes);
    if (server->adopting && !server->adopting->wsi) /* refused before it had a name there; fd is closed */
        websocket_free(server->adopting);
    server->adopting = NULL;
out:
    buffer_finish(&handshake);
}
