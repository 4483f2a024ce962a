/* Server-Sent Events of one document: what was missed, then what happens, until one side goes.
 *
 *     after N    READING the operations since -> FOLLOWING     not kept any more: `reset`, then as without N
 *     else       READING the value: `snapshot` -> FOLLOWING
 *     ?snapshots=true: no operations; READING the value again for all that have come since the last time
 *
 * A stream outlives its carrier while something is still being read for it. */
#include <errno.h>
#include <stdlib.h>

#include "api/rest_follow.h"
#include "base/frame_queue.h"

#define HEARTBEAT_SECONDS 15
#define RESTS             2 /* of REST_REST_MS, so that the shortest is one whole */
#define MISSED_MAX_BYTES  (256 * 1024)

struct follower {
    struct rest_stream stream; /* first */
    struct list link, resting;
    struct wheel_timer heartbeat;
    struct rest_context *context;
    struct document *document;
    struct subscriber subscriber;
    struct fetch fetch;
    struct frame_queue queue;
    size_t n_asked_bytes; /* at its front: what it came for, which has no ceiling; the others are news */
    uint64_t shown;       /* the version of the newest snapshot that the client has; DOCUMENT_NOW: none */
    uint64_t news;        /* ?snapshots=true: the newest version there is */
    int r;                /* not 0: the line is to be cut */
    uint8_t n_rests;
    bool wants_snapshots;
    bool is_fetching, is_awaited; /* the carrier waits to be told */
    bool is_ending, is_closed;    /* after the queue; by the carrier */
};

struct follower *follower_of_link(struct list *link)
{
    return LIST_ENTRY(link, struct follower, link);
}

struct follower *follower_of_resting(struct list *link)
{
    return LIST_ENTRY(link, struct follower, resting);
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static void tell_carrier(struct follower *follower)
{
    if (!follower->is_awaited)
        return;
    follower->is_awaited = false;
    follower->stream.ready(follower->stream.arg);
}

/* What it was told of is not worth sending any more. */
static void follower_break(struct follower *follower, int r)
{
    document_unsubscribe(&follower->subscriber);
    frame_queue_finish(&follower->queue);
    follower->r = r;
    tell_carrier(follower);
}

/* The carrier waits for its client, and no longer for this. */
static void follower_cut(struct follower *follower)
{
    follower->stream.is_late = true;
    follower->is_awaited = follower->stream.ready;
    follower_break(follower, -ENOBUFS);
}

static bool is_full(const struct follower *follower, const struct frame *frame)
{
    size_t n_bytes = follower->queue.n_bytes - follower->n_asked_bytes + frame->n_bytes;

    return follower->queue.n && n_bytes > follower->context->queue_max_bytes;
}

enum push { PUSH_ASKED, PUSH_NEWS };

static void follower_push(struct follower *follower, struct frame *frame, enum push what)
{
    if (follower->r || follower->is_ending || follower->is_closed)
        return;
    if (frame && what == PUSH_NEWS && is_full(follower, frame)) {
        follower_cut(follower);
    } else if (!frame || frame_queue_push(&follower->queue, frame)) {
        follower_break(follower, -ENOMEM);
    } else {
        follower->n_asked_bytes += what == PUSH_ASKED ? frame->n_bytes : 0;
        tell_carrier(follower);
    }
}

/* The same for one that nobody else has. */
static void follower_push_own(struct follower *follower, struct frame *frame)
{
    follower_push(follower, frame, PUSH_ASKED);
    frame_unref(frame);
}

static void on_heartbeat(struct wheel_timer *timer)
{
    struct follower *follower = LIST_ENTRY(timer, struct follower, heartbeat);
    struct rest_waits *waits = follower->context->waits;

    wheel_set(&waits->wheel, timer, HEARTBEAT_SECONDS);
    if (!follower->queue.n)
        follower_push(follower, waits_heartbeat(waits), PUSH_NEWS);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void follower_free_unused(struct follower *follower)
{
    if (!follower->is_closed || follower->is_fetching)
        return;
    document_unref(follower->document);
    free(follower);
}

static void on_fetched(struct fetch *fetch, int r, const struct document_view *view);

static void follower_fetch(struct follower *follower, struct fetch what)
{
    follower->is_fetching = true;
    follower->fetch = what;
    follower->fetch.on_done = on_fetched;
    document_fetch(follower->document, &follower->fetch);
}

static void read_snapshot(struct follower *follower)
{
    follower_fetch(follower,
                   (struct fetch){ .what = FETCH_SNAPSHOT,
                                   .subscriber = follower->subscriber.document ? NULL : &follower->subscriber });
}

/* What the client has not read yet of what it missed: more is read when it has. */
static size_t missed_max_bytes(const struct follower *follower)
{
    size_t max_bytes = follower->context->queue_max_bytes / 2;

    return max_bytes < MISSED_MAX_BYTES ? max_bytes : MISSED_MAX_BYTES;
}

static void on_missed(struct fetch *fetch, struct committed_op *op)
{
    struct follower *follower = LIST_ENTRY(fetch, struct follower, fetch);
    struct frame *event = waits_event(follower->context->waits, document_name(follower->document), op);

    follower_push(follower, event, PUSH_ASKED);
    if (follower->r)
        fetch_stop(fetch);
    else if (follower->queue.n_bytes > missed_max_bytes(follower))
        fetch_hold(fetch);
}

static void read_missed(struct follower *follower, uint64_t after)
{
    follower_fetch(follower, (struct fetch){ .what = FETCH_OPS,
                                             .from = after,
                                             .to = DOCUMENT_NOW,
                                             .subscriber = &follower->subscriber,
                                             .on_op = on_missed });
}

/* Reads the value if there is a newer one than the client has; then for a moment not again, and not before the client
 * has read it: a slow one is shown less, and never cut. */
static void renew_snapshot(struct follower *follower)
{
    struct rest_waits *waits = follower->context->waits;
    bool is_first = list_is_empty(&waits->resting);

    if (follower->news <= follower->shown || follower->n_rests || follower->is_fetching || follower->queue.n)
        return;
    follower->n_rests = RESTS;
    list_append(&waits->resting, &follower->resting);
    if (is_first)
        waits->on_resting(waits->arg);
    read_snapshot(follower);
}

static void show_snapshot(struct follower *follower, const struct document_view *view)
{
    if (follower->shown == view->version)
        return;
    follower->shown = view->version;
    follower_push(follower, waits_snapshot(follower->context->waits, follower->document, view), PUSH_ASKED);
}

static void on_fetched(struct fetch *fetch, int r, const struct document_view *view)
{
    struct follower *follower = LIST_ENTRY(fetch, struct follower, fetch);

    follower->is_fetching = false;
    if (follower->is_closed) {
        document_unsubscribe(&follower->subscriber);
        follower_free_unused(follower);
    } else if (follower->is_ending || follower->r) {
        document_unsubscribe(&follower->subscriber);
    } else if (r == DOCUMENT_OPS_GONE || r == DOCUMENT_VERSION_AHEAD) {
        follower_push_own(follower, event_of_reset(fetch->from));
        read_snapshot(follower);
    } else if (r) {
        follower_break(follower, r > 0 ? -EIO : r);
    } else if (fetch->what == FETCH_SNAPSHOT) {
        show_snapshot(follower, view);
        renew_snapshot(follower);
    }
}

void follower_rest(struct follower *follower)
{
    if (--follower->n_rests)
        return;
    list_remove(&follower->resting);
    renew_snapshot(follower);
}

static void on_op(struct subscriber *subscriber, struct committed_op *op)
{
    struct follower *follower = LIST_ENTRY(subscriber, struct follower, subscriber);

    if (follower->wants_snapshots) {
        follower->news = committed_op_end(op);
        renew_snapshot(follower);
    } else {
        follower_push(follower, waits_event(follower->context->waits, document_name(follower->document), op),
                      PUSH_NEWS);
    }
}

/* ---- the carrier's side ------------------------------------------------------------------------------------------ */

static void follower_has_read(struct follower *follower, size_t n)
{
    follower->n_asked_bytes -= n < follower->n_asked_bytes ? n : follower->n_asked_bytes;
    if (!follower->is_fetching)
        renew_snapshot(follower);
    else if (follower->queue.n_bytes <= missed_max_bytes(follower) / 2)
        fetch_go_on(&follower->fetch);
}

static ssize_t follower_read(struct rest_stream *stream, char *into, size_t n_room)
{
    struct follower *follower = (struct follower *)stream;
    size_t n = frame_queue_take(&follower->queue, into, n_room);

    if (n) {
        follower_has_read(follower, n);
        return (ssize_t)n;
    }
    if (follower->r)
        return follower->r;
    if (follower->is_ending)
        return 0;
    follower->is_awaited = true;
    return -EAGAIN;
}

/* Nothing new is taken in. */
static void follower_leave(struct follower *follower)
{
    document_unsubscribe(&follower->subscriber);
    wheel_clear(&follower->heartbeat);
    list_remove(&follower->resting);
    if (!list_is_empty(&follower->link))
        follower->context->waits->n_streams--;
    list_remove(&follower->link);
}

static void follower_close(struct rest_stream *stream)
{
    struct follower *follower = (struct follower *)stream;

    follower_leave(follower);
    frame_queue_finish(&follower->queue);
    follower->is_closed = true;
    if (follower->is_fetching)
        fetch_stop(&follower->fetch); /* may free it */
    else
        follower_free_unused(follower);
}

void follower_dismiss(struct follower *follower)
{
    follower_leave(follower);
    follower_push_own(follower, event_of_goaway());
    follower->is_ending = true;
    if (follower->is_fetching)
        fetch_stop(&follower->fetch);
}

static const struct rest_stream_interface follower_interface = { follower_read, follower_close };

static struct follower *follower_create(struct rest_call *call, bool wants_snapshots)
{
    struct follower *follower = calloc(1, sizeof(*follower));
    struct rest_waits *waits = call->context->waits;

    if (!follower)
        return NULL;
    follower->stream = (struct rest_stream){ .interface = &follower_interface, .fd = -1, .is_live = true };
    follower->context = call->context;
    follower->document = document_ref(call->document);
    follower->wants_snapshots = wants_snapshots;
    follower->shown = DOCUMENT_NOW;
    list_init(&follower->resting);
    list_append(&waits->streams, &follower->link);
    waits->n_streams++;
    subscriber_init(&follower->subscriber, on_op);
    wheel_timer_init(&follower->heartbeat, on_heartbeat);
    wheel_set(&waits->wheel, &follower->heartbeat, HEARTBEAT_SECONDS);
    return follower;
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

/* Where a client goes on: he has the version already. A browser that comes back says so in a header, for its address
 * is that of the first time. -EINVAL: no version. *out stays what it was when nothing is said. */
static int read_after(const struct rest_call *call, uint64_t *out)
{
    struct bytes last = call_header(&call->request, "last-event-id");

    return last.n_bytes ? number_parse(last, out) : parameter_number(call->request.query, "after", out);
}

/* HEAD: no follower. */
static void stream_reply(struct rest_call *call, struct follower *follower)
{
    struct rest_reply reply;

    reply_init(&reply, 200);
    reply_header(&reply, "content-type", "text/event-stream");
    reply_header(&reply, "cache-control", "no-store");
    reply_header(&reply, "x-accel-buffering", "no"); /* nginx would gather what is to be told at once */
    reply.response.stream = follower ? &follower->stream : NULL;
    call_reply(call, &reply);
}

static void stream_follow(struct rest_call *call, bool wants_snapshots, uint64_t after)
{
    struct follower *follower;

    if (!call_open(call))
        return;
    follower = follower_create(call, wants_snapshots);
    if (!follower) {
        call_fail(call, -ENOMEM);
        return;
    }
    follower->shown = after;
    if (wants_snapshots || after == DOCUMENT_NOW)
        read_snapshot(follower);
    else
        read_missed(follower, after);
    stream_reply(call, follower);
}

static void stream_begin(struct rest_call *call, struct bytes body)
{
    uint64_t after = DOCUMENT_NOW;
    bool wants_snapshots;

    (void)body;
    if (read_after(call, &after))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid version");
    else if (parameter_flag(call->request.query, "snapshots", &wants_snapshots))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid snapshots");
    else if (!call->context->waits)
        call_fail(call, -ENOTSUP);
    else if (call->context->is_draining)
        call_fail(call, -ESHUTDOWN);
    else if (call->is_head)
        stream_reply(call, NULL);
    else
        stream_follow(call, wants_snapshots, after);
}

const struct rest_action rest_stream = { .begin = stream_begin, .n_bytes = sizeof(struct rest_call) };
