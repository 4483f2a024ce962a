/* The server's outside: listeners, HTTP/1.1, WebSockets, the embedded pages. Everything happens on one libev loop.
 *
 *     accept -> [tls_line: TLS made plain] -> http (reads requests) --rest_handle--> api/rest           answers once
 *                     |            \--> static: the embedded application
 *                     +--Upgrade: websocket--> libwebsockets <-> ws <-> api/session
 *
 * Life: create, listen (any number of times), the loop runs, drain, say goodbye, destroy. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <ev.h>

#include "api/rest.h"
#include "api/session.h"
#include "auth/gate.h"
#include "net/origin.h"
#include "net/tls.h"

struct server_config {
    struct ev_loop *loop;
    struct session_context *sessions;
    struct rest_context *rest; /* with its waits */
    struct gate *gate;         /* asked once for each request and each WebSocket */
    const struct world *world;
    struct origin_policy origins; /* borrowed for the server's life */
    bool open_to_everyone;        /* may listen on more than loopback and unix sockets */
    bool has_demos;               /* serves /demos/ */
    size_t message_max_bytes;     /* of a WebSocket message */
    size_t queue_max_bytes;       /* of streamed frames that a client has not read yet */
    unsigned ping_seconds;        /* between two pings of one connection; these three: 1 to 120 */
    unsigned handshake_seconds;   /* for the whole head of a request, from its first byte on; a body may stand still for
                                   * three times as long, but not longer than 30 s */
    unsigned idle_seconds;        /* until a connection without a request is cut */
};

struct server;

/* -ENOMEM, or -EIO: libwebsockets did not start. */
STORE_MUST_CHECK int server_create(const struct server_config *config, struct server **out);

/* address: "ADDR:PORT", "[ADDR]:PORT" or "unix:PATH"; port 0 takes a free one. Returns 0, or -errno with a sentence for
 * people in why[0..n_why). -EPERM: nothing but this machine may listen. */
STORE_MUST_CHECK int server_listen(struct server *server, const char *address, char *why, size_t n_why);

/* From now on new TCP connections speak TLS, and are met with this, which is taken over. Before server_listen, or
 * instead of another one. */
void server_set_tls(struct server *server, struct tls *tls);

/* The URLs that it listens on, the real ports, separated by blanks. */
void server_urls(const struct server *server, char *out, size_t n_out);

/* After the gate's tokens have been replaced: closes with 1008 every WebSocket whose token is gone or means something
 * else by now, and ends so what waits or streams over HTTP. */
void server_recheck(struct server *server);

/* Nothing new is taken: no connection, no request, no message. What was taken goes on being answered; who waits for
 * news is answered that there are none. */
void server_drain(struct server *server);

/* After server_drain: whether every HTTP request has been answered. */
bool server_is_answered(const struct server *server);

/* Closes WebSockets with 1001 behind what is queued for them, and HTTP connections behind their answer: some hundreds
 * each time, so again and again until server_is_left. False: all have been told. */
bool server_say_goodbye(struct server *server);

/* Nobody is connected any more. */
bool server_is_left(const struct server *server);

/* Cuts what is still connected. NULL is fine. */
void server_destroy(struct server *server);

#endif
