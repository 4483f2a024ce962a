/* The news of a collection: every operation committed to any of its documents, open before or not.
 *
 *     committed -> the document's subscribers -> answers that waited for it -> the collection's watchers
 *
 * So an author has his acknowledgement before his own document is told to him as new.
 *
 * A watcher holds no document: an unused one is unloaded as ever. It hears what is committed from the moment it was
 * registered, each operation once, those of one document ascending and without gap. Only what passes through this hub
 * is news; and a document whose log could not be read again after a failed commit may have taken an operation that
 * nobody was told of: whoever keeps versions sees the gap with the next one. */
#ifndef DOC_COLLECTION_H
#define DOC_COLLECTION_H

#include "doc/hub.h"

struct news {
    struct document *document; /* its head lies behind op already */
    struct committed_op *op;
    struct frame *snapshot; /* for the watcher who writes it first, if op is a create; kept while the others are told */
};

struct watcher {
    /* It may leave, or make others leave, from inside. */
    void (*on_op)(struct watcher *watcher, struct news *news);

    /* The collection's own. */
    struct list link;
    struct collection *collection; /* NULL: watches nothing */
};

void watcher_init(struct watcher *watcher, void (*on_op)(struct watcher *, struct news *));

/* The watcher stays where it is until it leaves. -ENOMEM. */
STORE_MUST_CHECK int hub_watch(struct hub *hub, struct bytes collection, struct watcher *watcher);
void watcher_leave(struct watcher *watcher); /* nothing when it watches nothing */

#endif
