/* From the log into memory: the newest snapshot that can be read, then the operations since.
 *
 *     open the log -> (snapshot) -> read a slice, apply it -> ... -> OPEN, begin what has arrived
 *
 * The same way leads back when memory can't be trusted any more: an append failed, or somebody else was first. Before
 * the log can be closed and opened again, every outstanding answer must have come. Then, after a failure, the waiting
 * requests are failed; after a conflict or an unknown outcome they become arrivals again, in their order, and begin
 * from what they were when they were received: what had been committed after all is recognised by its (src, seq). */
#include <assert.h>
#include <errno.h>

#include "doc/inside.h"

static void load_fail(struct document *document, int r)
{
    struct list failed;
    struct list *node;

    document->state = DOCUMENT_BROKEN;
    list_take(&document->arrivals, &failed);
    (void)document_ref(document);
    while ((node = list_pop(&failed)))
        document_release(LIST_ENTRY(node, struct waiter, link), r);
    document_unref(document);
}

/* With appends of our own under way, they will meet the conflict; or they were first, and are answered soon. */
void document_follow_news(struct document *document)
{
    if (document->state == DOCUMENT_OPEN && document->news > document->tip && document->tip == document->head)
        document_reload(document, STORE_CONFLICT);
}

static void load_done(struct document *document)
{
    document->state = DOCUMENT_OPEN;
    document->tip = document->head;
    document->created_ms = document->load.created_ms;
    document->modified_ms = document->load.modified_ms;
    (void)document_ref(document);
    document_begin_arrivals(document);
    document_keep_if_due(document);
    document_follow_news(document);
    document_unref(document);
}

/* ---- the operations since the snapshot --------------------------------------------------------------------------- */

/* A record that stands for several says nothing of each: nobody could be told of them one by one. It is older than any
 * news; somebody who waits for it all the same has to ask anew. */
static int load_merged(struct document *document, uint64_t end)
{
    if (!list_is_empty(&document->subscribers))
        return -EIO;
    document->head = end;
    recent_clear(&document->recent, end);
    return 0;
}

static int load_news(struct document *document, struct committed_op *op, const struct ot_type *type, struct step *step)
{
    if (op->n_merged)
        return load_merged(document, committed_op_end(op));
    document_advance(document, op, type, step);
    document_tell_watchers(document, op);
    return 0;
}

/* Steps below value_at are in the value already; subscribers may still wait for them. */
static int load_record(struct document *document, uint64_t version, const struct record *record)
{
    const struct ot_type *type = document->type;
    struct committed_op *op = committed_op_create(version, record);
    struct step step = { .kind = STEP_NOTHING };
    int r = op ? 0 : -ENOMEM;

    if (!r && version >= document->load.value_at) {
        r = step_parse(record->body, type, document_limits(document), &step);
        if (!r)
            r = document_apply(document, &step, record->time_ms, NULL);
        if (r > 0)
            r = -EBADMSG;
    }
    if (!r) {
        document->last_ms = record->time_ms;
        if (version >= document->load.value_at)
            document->tail_bytes += record->body.n_bytes;
        if (version == document->head)
            r = load_news(document, op, type, version >= document->load.value_at ? &step : NULL);
    }
    step_finish(&step);
    committed_op_unref(op);
    return r;
}

static void load_slice(struct document *document);

static void load_on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct document *document = arg;

    if (!r && (!n || from != document->load.at))
        r = -EBADMSG;
    for (size_t i = 0; !r && i < n; i++) {
        r = load_record(document, document->load.at, &records[i]);
        document->load.at = record_end(document->load.at, &records[i]);
    }
    document->n_calls--;
    if (r)
        load_fail(document, r > 0 ? -EIO : r);
    else
        load_slice(document);
    document_unref(document);
}

static void load_slice(struct document *document)
{
    int r;

    if (document->load.at >= document->load.end) {
        load_done(document);
        return;
    }
    document->n_calls++;
    r = store_read(document->log, document->load.at, document->load.end, document->hub->config.slice_bytes,
                   load_on_records, document_ref(document));
    if (r) {
        document->n_calls--;
        load_fail(document, r);
        document_unref(document);
    }
}

/* ---- the log and its snapshot ------------------------------------------------------------------------------------ */

/* Whether operations below the snapshot may be news to somebody. */
static bool has_listeners(const struct document *document)
{
    return !list_is_empty(&document->subscribers) ||
           (document->told < document->load.end && document_is_watched(document));
}

/* Where reading begins: at the snapshot, or further back where listeners have not been yet. */
static void load_operations(struct document *document, uint64_t value_at)
{
    struct load *load = &document->load;

    if (value_at < load->first)
        value_at = load->first; /* the log was removed: nothing is left but its version */
    load->value_at = value_at;
    load->at = value_at;
    document->tail_bytes = 0;
    if (!has_listeners(document) || document->head < load->first) {
        document->head = value_at;
        recent_clear(&document->recent, value_at);
    } else if (document->head < value_at) {
        load->at = document->head;
    }
    load_slice(document);
}

static void load_on_kept(void *arg, int r, const struct past *found)
{
    struct document *document = arg;

    document->n_calls--;
    if (r) {
        load_fail(document, r > 0 ? -EIO : r);
        return;
    }
    document->type = found->type;
    document->value = found->value;
    load_operations(document, found->version);
}

static void load_on_news(void *arg, uint64_t head)
{
    struct document *document = arg;

    if (head > document->news)
        document->news = head;
    document_follow_news(document);
}

static void load_on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct document *document = arg;

    document->n_calls--;
    if (!r) {
        document->log = log;
        document->load = (struct load){
            .first = info->first, .end = info->head, .created_ms = info->created_ms, .modified_ms = info->modified_ms
        };
        document->last_ms = info->modified_ms;
        if (document->told == NEVER_TOLD)
            document->told = info->head;
        r = info->head ? kept_find(document, STORE_NEWEST, load_on_kept, document) : 0;
        if (!r && !info->head)
            load_operations(document, 0);
    }
    if (r)
        load_fail(document, r > 0 ? -EIO : r);
    document_unref(document);
}

/* ---- back to the log --------------------------------------------------------------------------------------------- */

static void forget_value(struct document *document)
{
    ot_snapshot_destroy(document->value);
    document->value = NULL;
    document->type = NULL;
    document->tip = document->head;
    writers_clear(&document->writers);
    store_log_close(document->log);
    document->log = NULL;
}

/* After a conflict the waiting requests stand in front of those that arrived later. */
static void begin_again(struct document *document, struct list *waiting)
{
    struct list later;
    struct list *node;

    list_take(&document->arrivals, &later);
    while ((node = list_pop(waiting))) {
        struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

        waiter->had_place = true;
        if (waiter->retreat(waiter))
            list_append(&document->arrivals, node);
        else
            document_release(waiter, -EAGAIN);
    }
    while ((node = list_pop(&later)))
        list_append(&document->arrivals, node);
}

static void settle_what_waits(struct document *document, int why)
{
    struct list waiting;
    struct list *node;

    list_take(&document->waiters, &waiting);
    if (why > 0) {
        begin_again(document, &waiting);
        return;
    }
    while ((node = list_pop(&waiting)))
        document_release(LIST_ENTRY(node, struct waiter, link), why);
}

void document_load_continue(struct document *document)
{
    int why = document->why, r;

    (void)document_ref(document);
    document->why = 0;
    forget_value(document);
    if (why)
        settle_what_waits(document, why);

    document->news = 0; /* whoever opens the log now reads them */
    document->n_calls++;
    r = store_log_open(document->hub->config.store, document->name, load_on_news, load_on_open, document);
    if (r) {
        document->n_calls--;
        load_fail(document, r);
        document_unref(document);
    }
}

void document_load(struct document *document)
{
    assert(document->state == DOCUMENT_BROKEN);
    document->state = DOCUMENT_LOADING;
    if (!document->n_calls)
        document_load_continue(document);
}

void document_reload(struct document *document, int why)
{
    if (document->state != DOCUMENT_OPEN)
        return;
    document->state = DOCUMENT_LOADING;
    document->why = why;
    document->hub->figures.n_reloads++;
    if (!document->n_calls)
        document_load_continue(document);
}
