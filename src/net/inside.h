/* What the parts of src/net/ share with each other and with nobody else. */
#ifndef NET_INSIDE_H
#define NET_INSIDE_H

#include <libwebsockets.h>

#include "api/rest_waits.h"
#include "net/http.h"
#include "net/output.h"
#include "net/server.h"
#include "net/tls.h"

struct websocket;

#define PROGRESS_SECONDS 30 /* between two moves of a body, in or out */

/* http_note.c */
struct http_notes {
    char prefix[8];      /* of the names of requests: the server's, since its start */
    uint64_t n_requests; /* that were named so */
};
void http_note_init(struct http_notes *notes, const struct world *world);

struct server {
    struct server_config config;
    struct http_notes notes;
    struct rest_figures figures;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct wheel wheel;
    ev_timer second, rest;
    struct tls *tls; /* owned; NULL: TCP is plain */
    struct list listeners, https, websockets, tls_lines;
    size_t n_connections;
    bool is_draining;

    struct list unsent; /* of WebSockets that have something to send: before the loop sleeps */
    ev_prepare sender;
    bool is_sending;
    struct websocket *adopting; /* on its way into libwebsockets, which has not called back about it yet */
    char batch[LWS_PRE + OUTPUT_BATCH_BYTES]; /* scratch of whoever writes */
};

/* A limit was hit by somebody who has no session. */
static inline void server_limit_hit(struct server *server, enum limit limit)
{
    limit_hit(&server->config.sessions->limit_counters, server->config.world, limit, bytes_of_string("a connection"));
}

/* listener.c */
struct listener {
    struct list link;
    struct server *server;
    int fd;
    ev_io acceptor;
    struct wheel_timer pause; /* after a failed accept */
    bool is_loopback;         /* TCP, and only for this machine */
    bool speaks_tls;
    char *path; /* of a unix socket */
    char url[512];
};

STORE_MUST_CHECK int listener_open(struct server *server, const char *address, char *why, size_t n_why);
void listener_close(struct listener *listener); /* frees */
/* Something that a connection needs has run out: for a moment none is taken. error: an errno. */
void listener_pause(struct listener *listener, int error);

/* websocket.c */

/* Hands the connection over to libwebsockets: fd is no longer the caller's, whatever happens. request: a checked
 * upgrade; who: has sent it; early: what the client has sent behind it already. */
void websocket_open(struct server *server, int fd, const struct request *request, const struct caller *who,
                    struct bytes early);
/* Sends what has gathered since the loop woke, for every WebSocket that has something. */
void websockets_send(struct server *server);
void websocket_recheck(struct websocket *websocket);
bool websocket_say_goodbye(struct websocket *websocket); /* false: it is closing already */
void websocket_stop_reading(struct websocket *websocket);
size_t websocket_queued_bytes(const struct websocket *websocket);
struct websocket *websocket_of_link(struct list *link);
extern const struct lws_protocols websocket_protocols[];

#endif
