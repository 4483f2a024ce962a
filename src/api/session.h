/* One client that speaks the ShareDB protocol: text in, frames out through its peer; no socket in sight.
 * Source: protocol 1.2 as docs/protocol.md describes it.
 *
 *     frame -> request -> document (submit, fetch, subscribe) -> reply, in order for each document
 *
 * A request lives until it is answered, also when its session ends first; then its answer goes nowhere. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/channel.h"
#include "api/limit.h"
#include "api/peer.h"
#include "auth/client_id.h"
#include "auth/principal.h"
#include "doc/hub.h"

/* All ceilings of a session. */
struct session_limits {
    size_t n_unanswered;                       /* requests; beyond it reading pauses, */
    size_t unanswered_max_bytes;               /* and beyond so many bytes of them */
    size_t n_snapshots;                        /* that it has asked for and not been answered; beyond it the same */
    size_t snapshot_max_bytes;                 /* of one, in an answer of its own */
    size_t n_subscriptions;                    /* documents */
    size_t n_bulk, bulk_max_bytes;             /* ids in one bulk request; of their snapshots together */
    size_t n_presences;                        /* shown at a time */
    size_t n_queries;                          /* live, or not answered yet */
    size_t n_query_documents, query_max_bytes; /* that one of them finds; of their snapshots together */
    size_t src_max_bytes, echo_max_bytes, presence_max_bytes;
};

extern const struct session_limits session_limits_default;

/* What all sessions of a server have in common; outlives them. */
struct session_context {
    struct hub *hub;
    struct client_id_key key;
    struct session_limits limits;
    bool is_draining;
    struct channels channels;

    struct limit_counters limit_counters;
    uint64_t n_sessions, n_presences, n_frames_in, n_refusals; /* figures for /metrics */
};

struct session;

/* Sends `init`. principal: who is asking; author: the unverified name that labels his operations, may be empty, and is
 * not looked at when he has an account (then his own is taken); both copied. The peer must live until session_end. */
STORE_MUST_CHECK int session_create(struct session_context *context, struct peer *peer,
                                    const struct principal *principal, struct bytes author, struct session **out);

/* One whole text message. It need not be valid UTF-8 or JSON. */
void session_on_frame(struct session *session, const char *text, size_t n_bytes);

/* The same for one that is worth the helper's while (HELPER_WORTH_BYTES). Takes its bytes over. */
void session_on_large(struct session *session, struct buffer *message);

/* A message beyond the ceiling, of which only the start was kept: answered with ERR_LIMIT_EXCEEDED, or closed when it
 * can't be told what it was about. */
void session_on_oversized(struct session *session, const char *start, size_t n_bytes);

/* The client has read most of what its peer was full of. */
void session_on_drained(struct session *session);

/* The line is gone, however it went. The session must not be used any more. NULL is fine. */
void session_end(struct session *session);

#endif
