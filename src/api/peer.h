/* What a session speaks to: a WebSocket in the server, an array of strings in a test. */
#ifndef API_PEER_H
#define API_PEER_H

#include "base/frame.h"

/* Close codes of RFC 6455 and its registry. */
enum peer_close_code {
    PEER_NORMAL = 1000,
    PEER_GOING_AWAY = 1001, /* the server drains */
    PEER_UNACCEPTABLE = 1003,
    PEER_NOT_TEXT = 1007, /* no JSON object, or not UTF-8 */
    PEER_NOT_ALLOWED = 1008,
    PEER_TOO_BIG = 1009,
    PEER_OUR_FAULT = 1011,
    PEER_TRY_LATER = 1013, /* passing trouble: come back and send again what was not answered */
};

struct peer;

struct peer_interface {
    /* Takes a reference of its own; never fails for the caller: a peer that can't take it closes by itself.
     * is_reply: a single answer, which may exceed the ceiling for streamed frames. */
    void (*send)(struct peer *peer, struct frame *frame, bool is_reply);
    /* Sends what is queued, then closes. Whoever owns the peer ends the session, later, never from inside this call.
     * After it nothing is sent or received any more. reason: a literal, of at most 123 bytes (RFC 6455, 5.5). */
    void (*close)(struct peer *peer, enum peer_close_code code, const char *reason);
    /* Back-pressure: stop or go on delivering frames. */
    void (*pause)(struct peer *peer, bool paused);
    /* Whether so much waits to be read that who has a long answer to give does well to wait, too. After it has said so
     * whoever owns the peer calls session_on_drained, once there is room again. */
    bool (*is_full)(struct peer *peer);
};

struct peer {
    const struct peer_interface *interface;
};

static inline void peer_stream(struct peer *peer, struct frame *frame)
{
    peer->interface->send(peer, frame, false);
}

static inline void peer_reply(struct peer *peer, struct frame *frame)
{
    peer->interface->send(peer, frame, true);
}

static inline void peer_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    peer->interface->close(peer, code, reason);
}

static inline bool peer_is_full(struct peer *peer)
{
    return peer->interface->is_full(peer);
}

static inline void peer_pause(struct peer *peer, bool paused)
{
    peer->interface->pause(peer, paused);
}

#endif
