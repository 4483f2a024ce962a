/* Snapshots, so that opening costs the same however long the history, and any version of it, too.
 *
 * One is due when the operations since the last are a good part of the document, or a smaller one when it is unloaded.
 * Its value is shared at the tip, waits like everybody until that is durable, and is written by the store's worker
 * while the document goes on.
 *
 *     kept    <uri of the type, empty: no document> " " <created ms> " " <modified ms> "\n" <content as JSON> */
#include <errno.h>
#include <stdlib.h>

#include "doc/inside.h"
#include "doc/kept.h"

#define LAST_TIMES 4 /* who is unloaded leaves one when so much less has come: the next to open it waits for less */

struct keeping {
    struct waiter waiter;
    struct document *document;
    uint64_t version;
    size_t tail_bytes; /* of the document then */
    const struct ot_type *type;
    struct ot_snapshot *value;
    uint64_t created_ms, modified_ms;
};

static void keeping_finish(struct keeping *keeping, int r)
{
    struct document *document = keeping->document;

    /* After a failure the next one is tried when as much again has come. */
    document->is_keeping = false;
    document->tail_bytes -= keeping->tail_bytes < document->tail_bytes ? keeping->tail_bytes : document->tail_bytes;
    if (!r)
        document->hub->figures.n_snapshots++;
    ot_snapshot_destroy(keeping->value);
    free(keeping);
    document_unref(document);
}

/* On the worker's thread. */
static int keeping_produce(void *arg, struct buffer *into)
{
    const struct keeping *keeping = arg;

    const struct past kept = { .type = keeping->type,
                               .value = keeping->value,
                               .created_ms = keeping->created_ms,
                               .modified_ms = keeping->modified_ms };

    return kept_write(&kept, into);
}

static void keeping_on_put(void *arg, int r)
{
    struct keeping *keeping = arg;
    struct document *document = keeping->document;

    (void)document_ref(document);
    keeping_finish(keeping, r);
    document_call_done(document);
    document_unref(document);
}

static void keeping_release(struct waiter *waiter)
{
    struct keeping *keeping = LIST_ENTRY(waiter, struct keeping, waiter);
    struct document *document = keeping->document;
    int r = waiter->r;

    if (!r) {
        document->n_calls++;
        r = store_snapshot_put(document->log, keeping->version, keeping_produce, keeping_on_put, keeping);
        if (!r)
            return;
        document->n_calls--;
    }
    keeping_finish(keeping, r);
}

/* What was the tip is not any more. */
static bool keeping_retreat(struct waiter *waiter)
{
    return false;
}

/* False: not due, or there is no memory, and it stays due. */
static bool keep_if_due(struct document *document, size_t tail_bytes)
{
    struct keeping *keeping;

    if (document->state != DOCUMENT_OPEN || document->is_keeping ||
        !kept_is_due(tail_bytes, document->value, document->hub->config.snapshot_min_bytes))
        return false;
    keeping = calloc(1, sizeof(*keeping));
    if (!keeping)
        return false;
    if (document->value && ot_snapshot_share(document->value, &keeping->value)) {
        free(keeping);
        return false;
    }
    keeping->waiter = (struct waiter){ .retreat = keeping_retreat, .release = keeping_release };
    keeping->document = document_ref(document);
    keeping->version = document->tip;
    keeping->tail_bytes = document->tail_bytes;
    keeping->type = document->type;
    keeping->created_ms = document->created_ms;
    keeping->modified_ms = document->modified_ms;
    document->is_keeping = true;
    document_enqueue(document, &keeping->waiter);
    return true;
}

void document_keep_if_due(struct document *document)
{
    (void)keep_if_due(document, document->tail_bytes);
}

bool document_keep_at_last(struct document *document)
{
    return keep_if_due(document, LAST_TIMES * document->tail_bytes);
}
