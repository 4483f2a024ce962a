/* Reading: the value, or operations.
 *
 *     begin -> wait for the tip of now -> (operations: from memory, or a slice from the log, again and again) -> done
 */
#include <errno.h>

#include "doc/inside.h"

struct fetch *fetch_of(struct waiter *waiter)
{
    return LIST_ENTRY(waiter, struct fetch, waiter);
}

static bool fetch_retreat(struct waiter *waiter)
{
    struct fetch *fetch = fetch_of(waiter);

    if (fetch->what == FETCH_SNAPSHOT && fetch->subscriber)
        document_unsubscribe(fetch->subscriber);
    ot_snapshot_destroy(fetch->snapshot);
    fetch->snapshot = NULL;
    past_finish(&fetch->past);
    fetch->has_value = fetch->is_dated = fetch->is_based = false;
    return true;
}

void fetch_finish(struct fetch *fetch, int r)
{
    struct document *document = fetch->document;
    struct ot_snapshot *snapshot = fetch->snapshot;

    if (r)
        (void)fetch_retreat(&fetch->waiter);
    fetch->snapshot = NULL;
    fetch->on_done(fetch, r, r ? NULL : &fetch->view);
    if (!r)
        ot_snapshot_destroy(snapshot);
    document_unref(document);
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void fetch_operations(struct fetch *fetch);

static void give(struct fetch *fetch, struct committed_op *op)
{
    fetch->at = committed_op_end(op);
    fetch->n_bytes += op->body.n_bytes;
    fetch->on_op(fetch, op);
}

static bool is_enough(const struct fetch *fetch)
{
    return fetch->max_bytes && fetch->n_bytes >= fetch->max_bytes;
}

static bool may_go_on(const struct fetch *fetch)
{
    return !is_enough(fetch) && !fetch->is_held && !fetch->is_stopped;
}

/* Its document may have been reloaded while it stood still, or while the store was reading. */
static void fetch_move(struct fetch *fetch)
{
    if (fetch->document->state == DOCUMENT_OPEN)
        fetch_operations(fetch);
    else
        document_arrive(fetch->document, &fetch->waiter);
}

static void fetch_on_slice(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct fetch *fetch = arg;
    struct document *document = fetch->document;

    (void)document_ref(document);
    if (r == STORE_TOO_OLD)
        r = DOCUMENT_OPS_GONE;
    else if (!r && (!n || from != fetch->at))
        r = -EBADMSG;
    for (size_t i = 0; !r && i < n && may_go_on(fetch); i++) {
        bool is_gone = records[i].n_merged && !fetch->takes_merged;
        struct committed_op *op = is_gone ? NULL : committed_op_create(fetch->at, &records[i]);

        if (op)
            give(fetch, op);
        else
            r = is_gone ? DOCUMENT_OPS_GONE : -ENOMEM;
        committed_op_unref(op);
    }
    if (r)
        fetch_finish(fetch, r);
    else
        fetch_move(fetch);
    document_call_done(document);
    document_unref(document);
}

static void read_slice(struct fetch *fetch, uint64_t end)
{
    struct document *document = fetch->document;
    int r;

    document->n_calls++;
    r = store_read(document->log, fetch->at, end, document->hub->config.slice_bytes, fetch_on_slice, fetch);
    if (r) {
        document->n_calls--;
        fetch_finish(fetch, r);
    }
}

static void operations_end(struct fetch *fetch)
{
    if (fetch->subscriber)
        document_subscribe(fetch->document, fetch->subscriber, fetch->at);
    fetch->view = (struct document_view){ .version = fetch->document->head };
    fetch_finish(fetch, 0);
}

static bool is_too_much(const struct fetch *fetch, uint64_t end)
{
    return fetch->n_max && fetch->at < end && end - fetch->at > fetch->n_max;
}

static void fetch_operations(struct fetch *fetch)
{
    struct document *document = fetch->document;
    const struct recent *recent = &document->recent;
    uint64_t end = fetch->to < document->head ? fetch->to : document->head;

    /* Nothing is committed while this runs, so memory stands still. */
    while (fetch->at < end && fetch->at >= recent->first && may_go_on(fetch) && !is_too_much(fetch, end))
        give(fetch, recent_at(recent, fetch->at)->op);

    if (fetch->is_stopped)
        fetch_finish(fetch, -ECANCELED);
    else if (is_too_much(fetch, end))
        fetch_finish(fetch, DOCUMENT_LIMIT);
    else if (fetch->at > document->head)
        fetch_finish(fetch, DOCUMENT_VERSION_AHEAD);
    else if (fetch->at >= end || is_enough(fetch))
        operations_end(fetch);
    else if (fetch->is_held)
        fetch->is_standing = true;
    else
        read_slice(fetch, end < recent->first ? end : recent->first);
}

void fetch_hold(struct fetch *fetch)
{
    fetch->is_held = true;
}

static void fetch_stand_no_more(struct fetch *fetch)
{
    if (!fetch->is_standing)
        return;
    fetch->is_standing = false;
    fetch_move(fetch);
}

void fetch_go_on(struct fetch *fetch)
{
    fetch->is_held = false;
    fetch_stand_no_more(fetch);
}

void fetch_stop(struct fetch *fetch)
{
    fetch->is_stopped = true;
    fetch_stand_no_more(fetch);
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static void fetch_release(struct waiter *waiter)
{
    struct fetch *fetch = fetch_of(waiter);

    if (!waiter->r && fetch->what == FETCH_OPS)
        fetch_operations(fetch);
    else if (!waiter->r && fetch->what == FETCH_PAST)
        past_go_on(fetch);
    else
        fetch_finish(fetch, waiter->r);
}

/* The value can only be had at the tip; it is shown when that is durable. */
int fetch_take_value(struct fetch *fetch)
{
    struct document *document = fetch->document;
    int r = document->value ? ot_snapshot_share(document->value, &fetch->snapshot) : 0;

    if (r)
        return r;
    fetch->view = (struct document_view){ .version = document->tip,
                                          .type = document->type,
                                          .snapshot = fetch->snapshot,
                                          .created_ms = document->created_ms,
                                          .modified_ms = document->modified_ms };
    if (fetch->subscriber)
        document_subscribe(document, fetch->subscriber, document->tip);
    return 0;
}

void fetch_begin(struct waiter *waiter)
{
    struct fetch *fetch = fetch_of(waiter);
    struct document *document = fetch->document;

    if (fetch->what == FETCH_SNAPSHOT)
        waiter->r = fetch_take_value(fetch);
    else if (fetch->what == FETCH_PAST)
        waiter->r = past_begin(fetch);
    else if (fetch->what == FETCH_BARRIER)
        fetch->view = (struct document_view){ .version = document->tip, .type = document->type };
    document_enqueue(document, waiter);
}

bool document_glance(const struct document *document, struct document_view *out)
{
    if (document->state != DOCUMENT_OPEN || document->tip != document->head || document->placing ||
        !list_is_empty(&document->arrivals) || !list_is_empty(&document->waiters))
        return false;
    *out = (struct document_view){ .version = document->head,
                                   .type = document->type,
                                   .created_ms = document->created_ms,
                                   .modified_ms = document->modified_ms };
    return true;
}

void document_fetch(struct document *document, struct fetch *fetch)
{
    fetch->document = document_ref(document);
    fetch->waiter = (struct waiter){ .begin = fetch_begin, .retreat = fetch_retreat, .release = fetch_release };
    list_init(&fetch->waiter.link);
    fetch->at = fetch->from;
    fetch->n_bytes = 0;
    fetch->is_held = fetch->is_standing = fetch->is_stopped = false;
    fetch->snapshot = NULL;
    fetch->past = (struct past){ 0 };
    fetch->has_value = fetch->is_dated = fetch->is_based = fetch->is_based_anew = false;
    document_arrive(document, &fetch->waiter);
}
