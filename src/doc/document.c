#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "doc/inside.h"

struct document *document_create(struct hub *hub, struct store_name name, uint32_t hash)
{
    struct document *document = calloc(1, sizeof(*document) + name.collection.n_bytes + name.id.n_bytes);
    char *behind = (char *)(document + 1);

    if (!document)
        return NULL;
    document->hub = hub;
    document->hash = hash;
    memcpy(behind, name.collection.at, name.collection.n_bytes);
    memcpy(behind + name.collection.n_bytes, name.id.at, name.id.n_bytes);
    document->name.collection = bytes_of(behind, name.collection.n_bytes);
    document->name.id = bytes_of(behind + name.collection.n_bytes, name.id.n_bytes);
    document->state = DOCUMENT_BROKEN;
    document->told = NEVER_TOLD;
    list_init(&document->link);
    list_init(&document->waiters);
    list_init(&document->arrivals);
    list_init(&document->subscribers);
    writers_init(&document->writers, hub->config.n_writers_max);
    return document;
}

void document_destroy(struct document *document)
{
    assert(!document->n_calls && list_is_empty(&document->waiters) && list_is_empty(&document->arrivals));
    assert(list_is_empty(&document->subscribers));
    store_log_close(document->log);
    document_part(document);
    ot_snapshot_destroy(document->value);
    recent_finish(&document->recent);
    writers_finish(&document->writers);
    free(document);
}

struct document *document_ref(struct document *document)
{
    if (document->n_references++ == 0)
        hub_in_use(document);
    return document;
}

void document_unref(struct document *document)
{
    if (document && --document->n_references == 0)
        hub_idle(document);
}

struct store_name document_name(const struct document *document)
{
    return document->name;
}

uint64_t document_head(const struct document *document)
{
    return document->head;
}

uint64_t document_first(const struct document *document)
{
    return document->load.first;
}

struct document_companion *document_companion(const struct document *document)
{
    return document->companion;
}

void document_give_companion(struct document *document, struct document_companion *companion)
{
    assert(!document->companion);
    document->companion = companion;
}

void document_part(struct document *document)
{
    struct document_companion *companion = document->companion;

    document->companion = NULL;
    if (companion)
        companion->destroy(companion);
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

void document_release(struct waiter *waiter, int r)
{
    waiter->r = r;
    waiter->release(waiter);
}

/* Whoever is answered may make new requests from inside, which only lengthen the list, or drop the last reference. */
void document_settle(struct document *document)
{
    if (document->is_settling)
        return;
    document->is_settling = true;
    (void)document_ref(document);
    while (!list_is_empty(&document->waiters)) {
        struct waiter *waiter = LIST_ENTRY(document->waiters.next, struct waiter, link);

        if (waiter->version > document->head)
            break;
        list_remove(&waiter->link);
        document_release(waiter, waiter->r);
    }
    document->is_settling = false;
    document_unref(document);
}

void document_place(struct document *document, struct waiter *waiter)
{
    if (document->placing == waiter)
        document->placing = NULL;
    list_append(&document->waiters, &waiter->link);
}

void document_enqueue(struct document *document, struct waiter *waiter)
{
    waiter->version = document->tip;
    document_place(document, waiter);
    document_settle(document);
}

void document_arrive(struct document *document, struct waiter *waiter)
{
    if (document->placing == waiter) { /* it comes back, and was the first of those that wait */
        document->placing = NULL;
        list_prepend(&document->arrivals, &waiter->link);
    } else if (document->state == DOCUMENT_OPEN && !document->placing && list_is_empty(&document->arrivals)) {
        waiter->begin(waiter);
        return;
    } else {
        list_append(&document->arrivals, &waiter->link);
    }
    if (document->state == DOCUMENT_BROKEN)
        document_load(document);
}

/* Beginning one may reload the document; then the others wait for that. What had its place before a conflict is begun
 * one by one, each when the one before has its place again, so that nobody's requests overtake each other. */
void document_begin_arrivals(struct document *document)
{
    struct list *node;

    if (document->is_beginning)
        return;
    document->is_beginning = true;
    (void)document_ref(document);
    while (document->state == DOCUMENT_OPEN && !document->placing && (node = list_pop(&document->arrivals))) {
        struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

        if (waiter->had_place)
            document->placing = waiter;
        waiter->begin(waiter);
    }
    document->is_beginning = false;
    document_unref(document);
}

void document_call_done(struct document *document)
{
    assert(document->n_calls);
    if (--document->n_calls == 0 && document->state == DOCUMENT_LOADING)
        document_load_continue(document);
    else
        document_begin_arrivals(document);
}

/* ---- news -------------------------------------------------------------------------------------------------------- */

/* A subscriber may leave, or make others leave, from inside: base/list.h says why this order is safe. */
static void tell_subscribers(struct document *document, struct committed_op *op)
{
    struct list waiting;
    struct list *node;
    bool was_settling = document->is_settling;

    document->is_settling = true; /* first everybody hears the news, then answers are given */
    list_take(&document->subscribers, &waiting);
    while ((node = list_pop(&waiting))) {
        struct subscriber *subscriber = LIST_ENTRY(node, struct subscriber, link);

        list_append(&document->subscribers, node);
        if (subscriber->next != op->version)
            continue;
        subscriber->next++;
        subscriber->on_op(subscriber, op);
    }
    document->is_settling = was_settling;
}

/* What a pending submission was transformed over is given to its author when it is durable. */
static uint64_t needed_from(const struct document *document)
{
    uint64_t needed = document->head;

    LIST_FOR_EACH (node, &document->waiters) {
        struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

        if (waiter->begin == submission_begin && LIST_ENTRY(waiter, struct submission, waiter)->given < needed)
            needed = LIST_ENTRY(waiter, struct submission, waiter)->given;
    }
    return needed;
}

static void forget_old(struct document *document)
{
    struct recent *recent = &document->recent;
    uint64_t needed;

    if (recent->n_bytes <= document->hub->config.recent_max_bytes)
        return;
    needed = needed_from(document);
    /* A little more than needed, so that the walk above is not repeated for each operation. */
    while (recent->n && recent->first < needed && recent->n_bytes > document->hub->config.recent_max_bytes / 8 * 7)
        recent_drop_first(recent);
}

void document_forget(struct document *document, uint64_t version)
{
    uint64_t needed = needed_from(document);

    while (document->recent.n && document->recent.first < version && document->recent.first < needed)
        recent_drop_first(&document->recent);
}

void document_advance(struct document *document, struct committed_op *op, const struct ot_type *type, struct step *step)
{
    assert(op->version == document->head);
    if (recent_push(&document->recent, op, type, step))
        recent_clear(&document->recent, op->version + 1); /* no memory: it is read from the log when needed */
    document->head++;
    tell_subscribers(document, op);
    forget_old(document);
}

/* ---- subscribers ------------------------------------------------------------------------------------------------- */

void subscriber_init(struct subscriber *subscriber, void (*on_op)(struct subscriber *, struct committed_op *))
{
    *subscriber = (struct subscriber){ .on_op = on_op };
    list_init(&subscriber->link);
}

void document_subscribe(struct document *document, struct subscriber *subscriber, uint64_t from)
{
    document_unsubscribe(subscriber);
    subscriber->document = document_ref(document);
    subscriber->next = from;
    list_append(&document->subscribers, &subscriber->link);
}

void document_unsubscribe(struct subscriber *subscriber)
{
    struct document *document = subscriber->document;

    list_remove(&subscriber->link);
    subscriber->document = NULL;
    document_unref(document);
}
