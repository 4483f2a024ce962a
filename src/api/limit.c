#include "api/limit.h"

#include "base/log.h"

#define QUIET_MS 1000

static const char *const names[N_LIMITS] = {
    [LIMIT_MESSAGE] = "message", [LIMIT_OPERATION] = "operation", [LIMIT_SUBSCRIPTIONS] = "subscriptions",
    [LIMIT_BULK] = "bulk",       [LIMIT_PRESENCES] = "presences", [LIMIT_PRESENCE] = "presence",
    [LIMIT_QUERIES] = "queries", [LIMIT_QUERY] = "query",         [LIMIT_UNANSWERED] = "unanswered",
    [LIMIT_QUEUE] = "queue",     [LIMIT_HANDSHAKE] = "handshake", [LIMIT_IDLE] = "idle",
    [LIMIT_PING] = "ping",
};

const char *limit_name(enum limit limit)
{
    return names[limit];
}

void limit_hit(struct limit_counters *counters, const struct world *world, enum limit limit, struct bytes who)
{
    uint64_t now_ms = world_now_ms(world), quiet_ms = now_ms - counters->told_ms[limit];

    counters->n_hits[limit]++;
    if (limit == LIMIT_IDLE || (counters->n_hits[limit] > 1 && quiet_ms < QUIET_MS))
        return; /* that a line was idle is no news */
    counters->told_ms[limit] = now_ms;
    log_warning("limit", "%s: hit %llu times by now, the last time by %.*s", names[limit],
                (unsigned long long)counters->n_hits[limit], (int)who.n_bytes, (const char *)who.at);
}
