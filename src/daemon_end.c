#include <stdlib.h>
#include <unistd.h>

#include "daemon.h"

#define STEP_SECONDS      0.02 /* how often it looks whether it may go on */
#define ANSWERING_SECONDS 10
#define LEAVING_SECONDS   3
#define UNLOADING_SECONDS 5

static void enter(struct daemon *daemon, enum stage stage, double seconds)
{
    daemon->stage = stage;
    daemon->deadline = ev_now(daemon->loop) + seconds;
}

/* What the helper has in hand, the body of a request say, may still come to use one. */
static bool is_unloaded(const struct daemon *daemon, const struct hub_figures *figures)
{
    return figures->n_documents == figures->n_idle && !helper_n_errands(daemon->helper);
}

static bool is_over(const struct daemon *daemon, bool is_done)
{
    return is_done || ev_now(daemon->loop) >= daemon->deadline;
}

static void on_step(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct daemon *daemon = timer->data;
    struct hub_figures figures;

    hub_figures(daemon->hub, &figures);
    if (daemon->stage == ANSWERING && is_over(daemon, figures.n_pending == 0 && server_is_answered(daemon->server))) {
        enter(daemon, LEAVING, LEAVING_SECONDS);
        (void)server_say_goodbye(daemon->server);
    } else if (daemon->stage == LEAVING && is_over(daemon, server_is_left(daemon->server))) {
        server_destroy(daemon->server);
        daemon->server = NULL;
        rest_waits_finish(&daemon->waits);
        enter(daemon, UNLOADING, UNLOADING_SECONDS);
    } else if (daemon->stage == LEAVING && server_say_goodbye(daemon->server)) {
        enter(daemon, LEAVING, LEAVING_SECONDS); /* whoever was told last has as long as the others */
    } else if (daemon->stage == UNLOADING && is_over(daemon, is_unloaded(daemon, &figures))) {
        ev_break(loop, EVBREAK_ALL);
    }
}

void daemon_begin_end(struct daemon *daemon)
{
    ev_timer_init(&daemon->step, on_step, STEP_SECONDS, STEP_SECONDS);
    daemon->step.data = daemon;
}

void daemon_terminate(struct daemon *daemon)
{
    if (daemon->stage > SERVING)
        _exit(EXIT_FAILURE); /* asked twice; what was acknowledged is on the disk */
    if (daemon->stage == STARTING) {
        ev_break(daemon->loop, EVBREAK_ALL);
        return;
    }
    daemon->sessions.is_draining = daemon->rest.is_draining = true;
    retention_end(&daemon->retention);
    server_drain(daemon->server);
    enter(daemon, ANSWERING, ANSWERING_SECONDS);
    ev_timer_start(daemon->loop, &daemon->step);
}
