/* Deadlines in whole seconds for very many things at no cost while they wait: a ring of lists, one for each second.
 *
 *     slots   [ . ][a b][ . ][ c ] ...    at moves on by one a second; what lies in the slot it reaches is due
 *
 * Setting, clearing and moving are O(1); a tick costs what is due. Deadlines come up to one second early. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include "base/list.h"

#define WHEEL_SLOTS 128

struct wheel_timer {
    struct list link;
    void (*due)(struct wheel_timer *timer); /* no longer set when called; may set itself again, or free itself */
};

struct wheel {
    struct list slots[WHEEL_SLOTS];
    unsigned at;
};

void wheel_init(struct wheel *wheel);
void wheel_tick(struct wheel *wheel); /* once a second */

void wheel_timer_init(struct wheel_timer *timer, void (*due)(struct wheel_timer *timer));

/* seconds: 1 to WHEEL_SLOTS - 1. A timer that was set already is moved. */
void wheel_set(struct wheel *wheel, struct wheel_timer *timer, unsigned seconds);
void wheel_clear(struct wheel_timer *timer);

#endif
