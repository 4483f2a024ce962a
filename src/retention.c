#include "retention.h"

#include <errno.h>

#define SOON_SECONDS   5.0
#define DAY_SECONDS    (24 * 3600.0)
#define MOMENT_SECONDS 0.01
#define WAITS_MAX      100 /* a server that is always busy has its old operations merged all the same */

static void set_next(struct retention *retention, double seconds)
{
    ev_timer_stop(retention->loop, &retention->next);
    if (!retention->rules.n)
        return;
    ev_timer_set(&retention->next, seconds, 0.);
    ev_timer_start(retention->loop, &retention->next);
}

/* Stopped: new rules have come, or the server ends. */
static void on_done(struct retain *run, int r)
{
    struct retention *retention = LIST_ENTRY(run, struct retention, run);

    retention->is_running = false;
    ev_timer_stop(retention->loop, &retention->moment);
    set_next(retention, r == -ECANCELED ? SOON_SECONDS : DAY_SECONDS);
}

static void on_pause(struct retain *run)
{
    struct retention *retention = LIST_ENTRY(run, struct retention, run);

    retention->n_waits = 0;
    ev_timer_start(retention->loop, &retention->moment);
}

static void on_moment(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct retention *retention = timer->data;
    struct hub_figures figures;

    hub_figures(retention->run.hub, &figures);
    if (figures.n_pending && retention->n_waits++ < WAITS_MAX)
        return;
    ev_timer_stop(loop, timer);
    retain_go_on(&retention->run);
}

/* Another run may be under way on demand; that one does the work. */
static void on_next(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct retention *retention = timer->data;

    retention->run.rules = retention->rules;
    retention->is_running = true;
    if (retain_all(&retention->run)) {
        retention->is_running = false;
        set_next(retention, DAY_SECONDS);
    }
}

void retention_begin(struct retention *retention, struct ev_loop *loop, struct hub *hub,
                     const struct retain_rules *rules)
{
    *retention = (struct retention){ .loop = loop, .run = { .hub = hub, .on_pause = on_pause, .on_done = on_done } };
    ev_timer_init(&retention->next, on_next, SOON_SECONDS, 0.);
    ev_timer_init(&retention->moment, on_moment, MOMENT_SECONDS, MOMENT_SECONDS);
    retention->next.data = retention->moment.data = retention;
    retention_set_rules(retention, rules);
}

void retention_set_rules(struct retention *retention, const struct retain_rules *rules)
{
    if (retain_rules_equal(&retention->rules, rules))
        return;
    retention->rules = *rules;
    if (retention->is_running)
        retain_stop(retention->run.hub);
    else
        set_next(retention, SOON_SECONDS);
}

void retention_end(struct retention *retention)
{
    if (!retention->loop)
        return;
    retention->rules.n = 0;
    ev_timer_stop(retention->loop, &retention->next);
    retain_stop(retention->run.hub);
}
