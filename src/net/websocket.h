/* What the two halves of a WebSocket know of each other. websocket.c: what comes in, and its life; websocket_send.c:
 * what goes out. */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include "net/inside.h"

#define WEBSOCKET_AUTHOR_BYTES 64
#define WEBSOCKET_REPLIES_PAUSED                                                                                       \
    (1024 * 1024) /* a client that asks on without reading what it got is not read either */

enum websocket_pause { PAUSE_BY_SESSION = 1, PAUSE_BY_QUEUE = 2, PAUSE_BY_DRAIN = 4 };

struct websocket {
    struct peer peer;              /* first */
    struct list link, unsent_link; /* the latter while is_unsent */
    struct server *server;
    struct lws *wsi;
    struct session *session; /* NULL before it began and after it ended */
    struct caller caller;
    struct wheel_timer pinger;
    struct output output;
    struct buffer inbox; /* a message that has not come whole yet */
    const char *reason;
    uint16_t close_code; /* not 0: CLOSING */
    uint8_t n_author;
    uint8_t pauses;   /* enum websocket_pause */
    uint8_t n_missed; /* rounds without a sign of life */
    bool is_alive, is_stuck, is_unsent, is_writable_awaited, wants_ping, is_oversized;
    bool is_drain_awaited; /* the session was told that there is no room */
    char author[];         /* n_author */
};

/* Sends before the loop sleeps, with what else comes until then in one call and without asking the kernel first whether
 * there is room. */
void websocket_want_send(struct websocket *websocket);
void websocket_forget_send(struct websocket *websocket);
/* Once the socket has room, which is asked for in any case. */
void websocket_want_writable(struct websocket *websocket);

/* Sends what the socket takes. Returns 0, or -EPIPE: the line is dead. */
STORE_MUST_CHECK int websocket_flush(struct websocket *websocket);

/* Whether it is read: not while any of the reasons holds. */
void websocket_pause(struct websocket *websocket, enum websocket_pause by, bool paused);
void websocket_pause_no_more(struct websocket *websocket);

#endif
