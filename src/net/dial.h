/* A WebSocket to a server, from the client's side, that comes back by itself.
 *
 *     CONNECTING --open--> OPEN --broken, closed, cut--> on_lost --0.2 s, doubling up to 10 s, with chance-->
 * CONNECTING
 *         \--refused, 401, no such host ...---------------^
 *
 * Whole text messages in and out. Pings are answered, and sent, so that a server that is gone without a word is
 * noticed. Each life of the line ends in on_lost, exactly once; what was queued then is dropped, since a client sends
 * again what was not answered (client/client.h). All calls and events on the loop; events never from inside a call.
 * Inside an event everything may be called but dial_destroy. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <ev.h>

#include "base/buffer.h"
#include "base/world.h"

#define DIAL_PING_SECONDS 20

struct dial;

struct dial_loss {
    bool was_open;      /* false: nobody answered, or not as a WebSocket */
    int http_status;    /* what was answered instead, such as 401; 0: nothing */
    int close_code;     /* RFC 6455; 0: without a close frame */
    const char *reason; /* for people; borrowed */
};

struct dial_events {
    void (*on_open)(void *arg); /* may be NULL */
    void (*on_message)(void *arg, const char *text, size_t n_bytes);
    void (*on_lost)(void *arg, const struct dial_loss *loss); /* the next try is due; dial_stop prevents it */
};

struct dial_config {
    struct ev_loop *loop;
    const struct world *world;
    const char *url;    /* dial_address.h */
    const char *token;  /* sent as `Authorization: Bearer`; NULL: none */
    const char *cacert; /* authorities that vouch for servers over TLS, a file in PEM; NULL: those of the machine */
    unsigned ping_seconds;
    const struct dial_events *events;
    void *arg;
};

/* Copies url and token; cacert is borrowed. -EINVAL: url or token is none; -ENOMEM; -EIO: libwebsockets did not start.
 */
__attribute__((warn_unused_result)) int dial_create(const struct dial_config *config, struct dial **out);

void dial_send(struct dial *dial, struct bytes text); /* off line it is dropped */
void dial_cut(struct dial *dial, const char *reason); /* closes, and comes back */
void dial_stop(struct dial *dial);                    /* closes or gives up trying; nothing more is told */
void dial_destroy(struct dial *dial);                 /* NULL is fine */

#endif
