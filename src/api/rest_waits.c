#include "api/rest_waits.h"

#include "api/gzip.h"
#include "api/rest_follow.h"

void rest_waits_init(struct rest_waits *waits)
{
    *waits = (struct rest_waits){ 0 };
    wheel_init(&waits->wheel);
    list_init(&waits->waiting);
    list_init(&waits->streams);
    list_init(&waits->resting);
}

/* What was written is kept for a burst only: it holds a document. */
static void written_forget(struct rest_waits *waits)
{
    committed_op_unref(waits->written.op);
    frame_unref(waits->written.page);
    frame_unref(waits->written.page_gzip);
    frame_unref(waits->written.event);
    document_unref(waits->written.document);
    frame_unref(waits->written.snapshot);
    memset(&waits->written, 0, sizeof(waits->written));
}

void rest_waits_second(struct rest_waits *waits)
{
    written_forget(waits);
    wheel_tick(&waits->wheel);
}

bool rest_waits_rest(struct rest_waits *waits)
{
    struct list all, *link;

    list_take(&waits->resting, &all);
    while ((link = list_pop(&all))) {
        list_append(&waits->resting, link);
        follower_rest(follower_of_resting(link));
    }
    return !list_is_empty(&waits->resting);
}

void rest_waits_drain(struct rest_waits *waits)
{
    while (!list_is_empty(&waits->waiting))
        waiting_give_up(waiting_of_link(waits->waiting.next));
    while (!list_is_empty(&waits->streams))
        follower_dismiss(follower_of_link(waits->streams.next));
    written_forget(waits);
}

void rest_waits_finish(struct rest_waits *waits)
{
    written_forget(waits);
    frame_unref(waits->heartbeat);
    waits->heartbeat = NULL;
}

/* ---- what many are sent ------------------------------------------------------------------------------------------ */

static void written_take_op(struct rest_waits *waits, struct committed_op *op)
{
    if (waits->written.op == op)
        return;
    committed_op_unref(waits->written.op);
    frame_unref(waits->written.page);
    frame_unref(waits->written.page_gzip);
    frame_unref(waits->written.event);
    waits->written.op = committed_op_ref(op);
    waits->written.page = waits->written.page_gzip = waits->written.event = NULL;
    waits->written.is_compressed = false;
}

struct frame *waits_page(struct rest_waits *waits, struct store_name name, struct committed_op *op)
{
    written_take_op(waits, op);
    if (!waits->written.page)
        waits->written.page = page_of_op(name, op);
    return waits->written.page;
}

struct frame *waits_page_gzip(struct rest_waits *waits)
{
    const struct frame *page = waits->written.page;

    if (!waits->written.is_compressed)
        waits->written.page_gzip = gzip_frame(bytes_of(page->content, page->n_bytes));
    waits->written.is_compressed = true;
    return waits->written.page_gzip;
}

struct frame *waits_event(struct rest_waits *waits, struct store_name name, struct committed_op *op)
{
    written_take_op(waits, op);
    if (!waits->written.event)
        waits->written.event = event_of_op(name, op);
    return waits->written.event;
}

struct frame *waits_snapshot(struct rest_waits *waits, struct document *document, const struct document_view *view)
{
    if (waits->written.snapshot && waits->written.document == document && waits->written.version == view->version)
        return waits->written.snapshot;
    document_unref(waits->written.document);
    frame_unref(waits->written.snapshot);
    waits->written.document = document_ref(document);
    waits->written.version = view->version;
    waits->written.snapshot = event_of_snapshot(document_name(document), view);
    return waits->written.snapshot;
}

struct frame *waits_heartbeat(struct rest_waits *waits)
{
    if (!waits->heartbeat)
        waits->heartbeat = frame_create(bytes_of_string(":\n\n"));
    return waits->heartbeat;
}
