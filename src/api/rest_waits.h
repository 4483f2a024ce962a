/* All requests that wait for news, and what they have in common: deadlines, heartbeats, and bytes that many of them are
 * sent.
 *
 *     waiting   long-polls: ?wait=N               a wheel gives each its deadline
 *     streams   Server-Sent Events                and its heartbeat
 *     resting   those of them that were given a snapshot just now, and are given no other for a moment
 *     written   what was written last, for everybody who is told of the same
 *
 * The owner is the one with a clock. */
#ifndef API_REST_WAITS_H
#define API_REST_WAITS_H

#include "api/rest.h"
#include "base/wheel.h"

#define REST_REST_MS 25 /* between two calls of rest_waits_rest */

struct rest_waits {
    struct wheel wheel;
    struct list waiting, streams, resting;
    size_t n_waiting, n_streams; /* figures */

    /* The owner's: rest_waits_rest is to be called every REST_REST_MS from now on. */
    void (*on_resting)(void *arg);
    void *arg;

    struct {
        struct committed_op *op; /* of these, */
        struct frame *page, *page_gzip, *event;
        bool is_compressed;        /* the page has been, though nothing may have come of it */
        struct document *document; /* and of this one */
        uint64_t version;
        struct frame *snapshot;
    } written;
    struct frame *heartbeat;
};

void rest_waits_init(struct rest_waits *waits);

void rest_waits_second(struct rest_waits *waits); /* once a second */
bool rest_waits_rest(struct rest_waits *waits);   /* false: not again before on_resting */

/* Who waits is answered as when his time is over, streams end with `goaway`. The context is draining already. */
void rest_waits_drain(struct rest_waits *waits);

/* Lets go of what was written; nobody waits any more. */
void rest_waits_finish(struct rest_waits *waits);

#endif
