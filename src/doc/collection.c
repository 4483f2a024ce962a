#include "doc/collection.h"

#include <errno.h>
#include <stdlib.h>

#include "doc/inside.h"

struct collection {
    struct hub *hub;
    struct collection *next; /* in the hub's bucket */
    struct list watchers;
    size_t n_references; /* watchers, and while they are told something, one more */
    struct bytes name;   /* points behind this struct */
};

static struct collection **slot_of(struct hub *hub, struct bytes name)
{
    struct collection **slot = &hub->watched[hub_hash(name) & (HUB_WATCHED_BUCKETS - 1)];

    while (*slot && !bytes_equal((*slot)->name, name))
        slot = &(*slot)->next;
    return slot;
}

static struct collection *collection_create(struct hub *hub, struct bytes name)
{
    struct collection *collection = calloc(1, sizeof(*collection) + name.n_bytes);

    if (!collection)
        return NULL;
    collection->hub = hub;
    list_init(&collection->watchers);
    memcpy(collection + 1, name.at, name.n_bytes);
    collection->name = bytes_of(collection + 1, name.n_bytes);
    hub->n_watched++;
    return collection;
}

static void collection_unref(struct collection *collection)
{
    struct collection **slot;

    if (--collection->n_references)
        return;
    slot = slot_of(collection->hub, collection->name);
    *slot = collection->next;
    collection->hub->n_watched--;
    free(collection);
}

void watcher_init(struct watcher *watcher, void (*on_op)(struct watcher *, struct news *))
{
    *watcher = (struct watcher){ .on_op = on_op };
    list_init(&watcher->link);
}

int hub_watch(struct hub *hub, struct bytes collection, struct watcher *watcher)
{
    struct collection **slot = slot_of(hub, collection);

    if (!*slot)
        *slot = collection_create(hub, collection);
    if (!*slot)
        return -ENOMEM;
    (*slot)->n_references++;
    watcher->collection = *slot;
    list_append(&(*slot)->watchers, &watcher->link);
    return 0;
}

void watcher_leave(struct watcher *watcher)
{
    struct collection *collection = watcher->collection;

    list_remove(&watcher->link);
    watcher->collection = NULL;
    if (collection)
        collection_unref(collection);
}

/* ---- news -------------------------------------------------------------------------------------------------------- */

bool document_is_watched(const struct document *document)
{
    return document->hub->n_watched && *slot_of(document->hub, document->name.collection);
}

void document_tell_watchers(struct document *document, struct committed_op *op)
{
    struct collection *collection =
        document->hub->n_watched ? *slot_of(document->hub, document->name.collection) : NULL;
    struct news news = { .document = document, .op = op };
    struct list waiting;
    struct list *node;

    if (op->version < document->told) /* the log is read again */
        return;
    document->told = op->version + 1;
    if (!collection)
        return;
    collection->n_references++;
    list_take(&collection->watchers, &waiting);
    while ((node = list_pop(&waiting))) {
        struct watcher *watcher = LIST_ENTRY(node, struct watcher, link);

        list_append(&collection->watchers, node);
        watcher->on_op(watcher, &news);
    }
    frame_unref(news.snapshot);
    collection_unref(collection);
}
