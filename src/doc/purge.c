/* Forgetting a document for good.
 *
 *     begin -> there is a document: delete it, begin again
 *           -> nothing is kept: pack, so that what a removal before left has gone, too; MISSING
 *           -> wait for the head, with nobody let in behind -> remove the log -> pack -> read what is left, as after a
 *              failure (load.c)
 *
 * With only_now each beginning looks whether the tip is what it knows: the version it was asked with, then what its own
 * deletion made of that. If it is not, a deletion for what it knows is refused as any other would be.
 *
 * Whoever was far behind when it began to wait may have been placed meanwhile; then it begins again. What is asked for
 * while the log goes waits for the loading. */
#include <errno.h>

#include "doc/inside.h"

static struct purge *purge_of(struct waiter *waiter)
{
    return LIST_ENTRY(waiter, struct purge, waiter);
}

static void let_in(struct document *document, const struct waiter *waiter)
{
    if (document->placing == waiter)
        document->placing = NULL;
}

static void purge_finish(struct purge *purge, int r)
{
    struct document *document = purge->document;

    purge->on_done(purge, r, document->head);
    document_unref(document);
}

/* ---- what is done in the store ----------------------------------------------------------------------------------- */

static void on_packed(void *arg, int r)
{
    struct purge *purge = arg;
    struct document *document = document_ref(purge->document);

    purge_finish(purge, r ? r : purge->is_removed ? 0 : DOCUMENT_MISSING);
    document_call_done(document);
    document_unref(document);
}

/* The call is counted already. */
static void pack(struct purge *purge)
{
    struct document *document = purge->document;
    int r;

    document_part(document);
    r = store_pack(document->hub->config.store, on_packed, purge);
    if (r)
        on_packed(purge, r == -ENOTSUP ? 0 : r); /* such an engine keeps no bytes of what it has removed */
}

static void on_removed(void *arg, int r)
{
    struct purge *purge = arg;
    struct document *document = document_ref(purge->document);

    if (!r) {
        purge->is_removed = true;
        recent_clear(&document->recent, document->head);
        pack(purge);
    } else if (r > 0) { /* conflict, unknown: what is there now tells */
        purge->may_be_removed |= r == STORE_UNKNOWN;
        document_arrive(document, &purge->waiter);
        document_call_done(document);
    } else {
        purge_finish(purge, r);
        document_call_done(document);
    }
    document_unref(document);
}

static void remove_log(struct purge *purge)
{
    struct document *document = purge->document;
    int r;

    document->state = DOCUMENT_LOADING;
    document->n_calls++;
    r = store_remove(document->log, on_removed, purge);
    if (r)
        on_removed(purge, r);
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static void on_deleted(struct submission *submission, int r, uint64_t version)
{
    struct purge *purge = LIST_ENTRY(submission, struct purge, deletion);

    if (r) {
        purge_finish(purge, r);
        return;
    }
    purge->version = version + 1;
    document_arrive(purge->document, &purge->waiter);
}

/* Each time another operation: somebody may have created the document again. */
static void delete_first(struct purge *purge)
{
    purge->deletion = (struct submission){ .id = purge->id,
                                           .author = purge->author,
                                           .version = purge->only_now ? purge->version : DOCUMENT_NOW,
                                           .only_now = purge->only_now,
                                           .kind = STEP_DELETE,
                                           .on_done = on_deleted };
    purge->id.seq++;
    document_submit(purge->document, &purge->deletion);
}

static bool is_empty(const struct document *document)
{
    return document->tip == document->load.first;
}

static bool is_changed(const struct purge *purge)
{
    return purge->only_now && purge->document->tip != purge->version;
}

static void purge_begin(struct waiter *waiter)
{
    struct purge *purge = purge_of(waiter);
    struct document *document = purge->document;

    let_in(document, waiter);
    if (document->type || is_changed(purge)) {
        delete_first(purge);
    } else if (is_empty(document)) {
        purge->is_removed = purge->may_be_removed;
        document->n_calls++;
        pack(purge);
    } else {
        waiter->version = document->tip;
        document_place(document, waiter);
        document->placing = waiter; /* until it is released */
        document_settle(document);
    }
}

static bool purge_retreat(struct waiter *waiter)
{
    let_in(purge_of(waiter)->document, waiter);
    return true;
}

static void purge_release(struct waiter *waiter)
{
    struct purge *purge = purge_of(waiter);
    struct document *document = document_ref(purge->document);

    let_in(document, waiter);
    if (waiter->r) {
        purge_finish(purge, waiter->r);
    } else if (document->type || document->tip != document->head || is_changed(purge)) {
        document_arrive(document, waiter);
        document_begin_arrivals(document);
    } else {
        remove_log(purge);
    }
    document_unref(document);
}

void document_purge(struct document *document, struct purge *purge)
{
    purge->document = document_ref(document);
    purge->waiter = (struct waiter){ .begin = purge_begin, .retreat = purge_retreat, .release = purge_release };
    list_init(&purge->waiter.link);
    purge->is_removed = purge->may_be_removed = false;
    document_arrive(document, &purge->waiter);
}
