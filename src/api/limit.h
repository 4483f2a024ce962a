/* Ceilings that were hit: counted for /metrics, and told to the person on call, each kind at most once a second. */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include "base/bytes.h"
#include "base/world.h"

enum limit {
    LIMIT_MESSAGE,       /* a message larger than max-message: refused, or 1009 */
    LIMIT_OPERATION,     /* max-depth, max-components, max-document, max-transform: refused */
    LIMIT_SUBSCRIPTIONS, /* refused, like the three that follow */
    LIMIT_BULK,
    LIMIT_PRESENCES,
    LIMIT_PRESENCE,
    LIMIT_QUERIES,
    LIMIT_QUERY,      /* what one finds: refused, or the live query ended */
    LIMIT_UNANSWERED, /* requests, or bytes of them: the connection is not read for a while */
    LIMIT_QUEUE,      /* of streamed frames: 1013; of events: cut */
    LIMIT_HANDSHAKE,  /* no whole request in time: cut, like the two that follow */
    LIMIT_IDLE,
    LIMIT_PING,
    N_LIMITS,
};

struct limit_counters {
    uint64_t n_hits[N_LIMITS];
    uint64_t told_ms[N_LIMITS];
};

const char *limit_name(enum limit limit); /* "unanswered", as /metrics has it */

/* who: the principal, or an empty name. */
void limit_hit(struct limit_counters *counters, const struct world *world, enum limit limit, struct bytes who);

#endif
