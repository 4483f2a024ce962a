#include "base/wheel.h"

#include <assert.h>

void wheel_init(struct wheel *wheel)
{
    wheel->at = 0;
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&wheel->slots[i]);
}

void wheel_tick(struct wheel *wheel)
{
    struct list due, *link;

    wheel->at = (wheel->at + 1) % WHEEL_SLOTS;
    list_take(&wheel->slots[wheel->at], &due);
    while ((link = list_pop(&due))) {
        struct wheel_timer *timer = LIST_ENTRY(link, struct wheel_timer, link);

        timer->due(timer);
    }
}

void wheel_timer_init(struct wheel_timer *timer, void (*due)(struct wheel_timer *timer))
{
    list_init(&timer->link);
    timer->due = due;
}

void wheel_set(struct wheel *wheel, struct wheel_timer *timer, unsigned seconds)
{
    assert(seconds > 0 && seconds < WHEEL_SLOTS);
    list_remove(&timer->link);
    list_append(&wheel->slots[(wheel->at + seconds) % WHEEL_SLOTS], &timer->link);
}

void wheel_clear(struct wheel_timer *timer)
{
    list_remove(&timer->link);
}
