/* The server's own runs of src/doc/retain.h: soon after its start or after new rules, then once a day. Never a burst:
 * after each document, or slice of a long one, it waits a moment, longer while operations wait for the disk. */
#ifndef RETENTION_H
#define RETENTION_H

#include <ev.h>

#include "doc/hub.h"
#include "doc/retain.h"

struct retention {
    struct ev_loop *loop;
    struct retain_rules rules;
    struct retain run;
    bool is_running;
    unsigned n_waits;
    ev_timer next, moment;
};

/* The rules are copied. A run that obeys others than the new ones ends soon. */
void retention_begin(struct retention *retention, struct ev_loop *loop, struct hub *hub,
                     const struct retain_rules *rules);
void retention_set_rules(struct retention *retention, const struct retain_rules *rules);

/* No run begins any more, and one that is under way ends soon, on whose behalf ever. Nothing when it was never begun.
 */
void retention_end(struct retention *retention);

#endif
