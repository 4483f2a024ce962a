/* Long-polling: a request that has nothing to say yet waits for its document's next version, and then goes on as if it
 * had come only now.
 *
 *     READING the value at the tip -> does it still hold what the client has? -no-> goes on at once
 *         -yes-> WAITING --an operation, or the time is over, or nobody is there any more--> goes on */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "api/gzip.h"
#include "api/rest_follow.h"

#define WAIT_MAX_SECONDS 120

struct waiting {
    struct list link;
    struct wheel_timer timer;
    struct rest_call *call;
    struct subscriber subscriber;
    struct fetch fetch;
    wait_holds_fn *holds;
    wait_go_on_fn *go_on;
};

struct waiting *waiting_of_link(struct list *link)
{
    return LIST_ENTRY(link, struct waiting, link);
}

/* ---- how long ---------------------------------------------------------------------------------------------------- */

/* The value of the preference `wait`; at NULL: it is not named. RFC 7240, 2. */
static struct bytes preferred_wait(struct bytes prefer)
{
    while (prefer.n_bytes) {
        struct bytes preference = header_next_part(&prefer, ','), word = header_next_part(&preference, ';');
        struct bytes name = header_next_part(&word, '='), value = header_next_part(&word, '=');

        if (name.n_bytes == 4 && strncasecmp(name.at, "wait", 4) == 0)
            return bytes_of(value.at ? value.at : "", value.n_bytes);
    }
    return bytes_of(NULL, 0);
}

static int seconds_read(struct bytes text, unsigned *out)
{
    uint64_t seconds = 0;
    int r = number_parse(text, &seconds);

    if (!r)
        *out = seconds > WAIT_MAX_SECONDS ? WAIT_MAX_SECONDS : (unsigned)seconds;
    return r;
}

/* False: it is no number; the call has been answered. */
static bool wait_read(struct rest_call *call)
{
    struct bytes asked = parameter_raw(call->request.query, "wait");
    struct bytes preferred = preferred_wait(call_header(&call->request, "prefer"));
    struct bytes text = asked.at ? asked : preferred;

    if (text.at && seconds_read(text, &call->wait_seconds)) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid wait: a number of seconds");
        return false;
    }
    call->is_wait_preferred = preferred.at && !asked.at && call->wait_seconds;
    return true;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void waiting_end(struct waiting *waiting, struct committed_op *news)
{
    struct rest_call *call = waiting->call;

    document_unsubscribe(&waiting->subscriber);
    wheel_clear(&waiting->timer);
    list_remove(&waiting->link);
    call->context->waits->n_waiting--;
    call->request.wait->give_up = NULL;
    waiting->go_on(call, news);
}

void waiting_give_up(struct waiting *waiting)
{
    waiting_end(waiting, NULL);
}

static void on_given_up(struct rest_wait *wait)
{
    waiting_end(wait->action, NULL);
}

static void on_time_over(struct wheel_timer *timer)
{
    waiting_end(LIST_ENTRY(timer, struct waiting, timer), NULL);
}

static void on_op(struct subscriber *subscriber, struct committed_op *op)
{
    waiting_end(LIST_ENTRY(subscriber, struct waiting, subscriber), op);
}

/* Deadlines come up to a second early, and who waits for a second must not come back at once. */
static void waiting_begin(struct waiting *waiting)
{
    struct rest_call *call = waiting->call;
    struct rest_waits *waits = call->context->waits;

    list_append(&waits->waiting, &waiting->link);
    waits->n_waiting++;
    wheel_set(&waits->wheel, &waiting->timer, call->wait_seconds + 1);
    call->request.wait->action = waiting;
    call->request.wait->give_up = on_given_up;
}

static void on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct waiting *waiting = LIST_ENTRY(fetch, struct waiting, fetch);
    struct rest_call *call = waiting->call;

    if (r) {
        call_fail(call, r);
    } else if (!call->request.wait->is_over && !call->context->is_draining && waiting->holds(call, view)) {
        waiting_begin(waiting);
    } else {
        document_unsubscribe(&waiting->subscriber);
        waiting->go_on(call, NULL);
    }
}

void call_wait(struct rest_call *call, wait_holds_fn *holds, wait_go_on_fn *go_on)
{
    struct waiting *waiting;

    if (!wait_read(call) || !call_open(call))
        return;
    if (!call->wait_seconds || !call->request.wait) {
        go_on(call, NULL);
        return;
    }
    waiting = calloc(1, sizeof(*waiting));
    if (!waiting) {
        call_fail(call, -ENOMEM);
        return;
    }
    call->waiting = waiting;
    waiting->call = call;
    waiting->holds = holds;
    waiting->go_on = go_on;
    list_init(&waiting->link);
    wheel_timer_init(&waiting->timer, on_time_over);
    subscriber_init(&waiting->subscriber, on_op);
    waiting->fetch = (struct fetch){ .what = FETCH_SNAPSHOT, .subscriber = &waiting->subscriber, .on_done = on_view };
    document_fetch(call->document, &waiting->fetch);
}

bool wait_for_change(const struct rest_call *call, const struct document_view *now)
{
    struct bytes if_none_match = call_header(&call->request, "if-none-match");
    const struct representation *representation =
        now->type ? representation_choose(call_header(&call->request, "accept"), now->type) : NULL;
    bool takes_gzip = accepts_gzip(call_header(&call->request, "accept-encoding"));
    char etag[ETAG_BYTES];

    if (!representation)
        return !now->type;
    etag_write(now->version, now->modified_ms, representation->etag_suffix, etag);
    return etags_have_form(if_none_match, takes_gzip, etag);
}
