#include <errno.h>
#include <stdlib.h>

#include "api/session_query.h"
#include "base/name.h"

static void pump(struct query *query);

/* ---- ends -------------------------------------------------------------------------------------------------------- */

void query_read_stop(struct query *query)
{
    query->reading->is_over = true;
    watcher_leave(&query->watcher);
}

static bool is_over(const struct query *query)
{
    return query->reading->is_over || !query->session->peer;
}

/* r > 0: a document is refused. -E2BIG: a ceiling. */
static void fail(struct query *query, int r)
{
    struct request *request = query->request;

    if (!is_over(query) && r > 0)
        session_refuse(query->session, request->frame, refusal_of_document(r), NULL);
    else if (!is_over(query) && r == -E2BIG)
        session_refuse_limit(query->session, request->frame, LIMIT_QUERY, "The query finds too much");
    else if (!is_over(query))
        session_trouble(query->session, r);
    request->is_answered = true;
    query_read_stop(query);
}

static void free_draft(struct query_entry *entry)
{
    buffer_finish(&entry->draft->snapshot);
    free(entry->draft);
    entry->draft = NULL;
}

/* What was committed before its document was read stands in the answer. */
static bool is_news(const struct query *query, const struct query_held *held)
{
    size_t at;

    return held->op->version >= query_list_find(&query->list, bytes_of(held->id, held->n_id), &at)->next;
}

void query_read_finish(struct query *query, struct list *held)
{
    struct query_reading *reading = query->reading;
    struct list *node;

    list_init(held);
    while ((node = list_pop(&reading->held))) {
        struct query_held *one = LIST_ENTRY(node, struct query_held, link);

        if (is_news(query, one)) {
            list_append(held, node);
            continue;
        }
        committed_op_unref(one->op);
        free(one);
    }
    for (size_t i = 0; i < query->list.n; i++)
        free_draft(query->list.entries[i]);
    query->reading = NULL;
    free(reading->known);
    free(reading);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void to_be_read(struct query *query, struct query_entry *entry)
{
    if (!entry->draft->is_begun)
        list_append(&query->reading->unread, &entry->draft->link);
}

static int add_entry(struct query *query, struct bytes id, size_t at, struct query_entry **out)
{
    struct query_draft *draft = calloc(1, sizeof(*draft));
    int r = draft ? query_list_add(&query->list, id, at, out) : -ENOMEM;

    if (r) {
        free(draft);
        return r;
    }
    list_init(&draft->link);
    draft->entry = *out;
    draft->from = DOCUMENT_NOW;
    buffer_init(&draft->snapshot, query->session->context->limits.query_max_bytes);
    (*out)->draft = draft;
    if (query->reading->is_listed)
        to_be_read(query, *out);
    return 0;
}

static int hold(struct query *query, struct news *news, bool is_heard)
{
    struct query_reading *reading = query->reading;
    struct bytes id = document_name(news->document).id;
    struct query_held *held;

    reading->n_held_bytes += committed_op_size(news->op);
    if (reading->n_held_bytes > query->session->context->limits.query_max_bytes)
        return -ENOBUFS;
    held = calloc(1, sizeof(*held) + id.n_bytes);
    if (!held)
        return -ENOMEM;
    held->op = committed_op_ref(news->op);
    held->is_heard = is_heard;
    held->n_id = (uint8_t)id.n_bytes;
    memcpy(held->id, id.at, id.n_bytes);
    list_append(&reading->held, &held->link);
    return 0;
}

void query_read_news(struct query *query, struct news *news, bool is_heard)
{
    struct bytes id = document_name(news->document).id;
    struct query_entry *entry;
    size_t at;
    int r = 0;

    if (is_over(query))
        return;
    entry = query_list_find(&query->list, id, &at);
    if (!entry)
        r = add_entry(query, id, at, &entry);
    if (!r && entry->draft->is_begun)
        r = hold(query, news, is_heard);
    else if (!r)
        entry->draft->heard = news->op->version + 1;
    if (r)
        fail(query, r);
}

/* ---- the client's list ------------------------------------------------------------------------------------------- */

static const char *known_entry(const struct ot_json *known, size_t i, struct bytes *id, uint64_t *version)
{
    const struct ot_json *pair = ot_json_at(known, i), *name;

    if (ot_json_kind(pair) != OT_JSON_ARRAY)
        return "Invalid query results";
    name = ot_json_count(pair) ? ot_json_at(pair, 0) : NULL;
    if (!name || ot_json_kind(name) != OT_JSON_STRING)
        return "Invalid id";
    id->at = ot_json_string(name, &id->n_bytes);
    if (!name_is_allowed(*id, NAME_MAX_BYTES))
        return "Invalid id";
    return version_of(ot_json_count(pair) > 1 ? ot_json_at(pair, 1) : NULL, version) ? NULL : "Invalid version";
}

const char *query_known_check(const struct ot_json *known)
{
    const char *wrong = ot_json_kind(known) == OT_JSON_ARRAY ? NULL : "Invalid query results";
    uint64_t version;
    struct bytes id;

    for (size_t i = 0; !wrong && i < ot_json_count(known); i++)
        wrong = known_entry(known, i, &id, &version);
    return wrong;
}

/* What does not ascend is taken out of the client's list and inserted anew. */
static int take_known(struct query *query, size_t i, struct bytes *last)
{
    struct query_entry *entry;
    struct bytes id;
    uint64_t version;
    size_t at;
    int r = 0;

    if (known_entry(query->known, i, &id, &version))
        return -EINVAL; /* handle_query has checked */
    entry = query_list_find(&query->list, id, &at);
    if (!entry)
        r = add_entry(query, id, at, &entry);
    if (r)
        return r;
    if (version == DOCUMENT_NOW) {
        entry->draft->is_asked = true;
        entry->draft->from = DOCUMENT_NOW; /* also if he has named it before, with a version */
    }
    if (last->n_bytes && bytes_compare(*last, id) >= 0)
        return 0;
    *last = id;
    entry->stays = true;
    entry->draft->from = version;
    query->reading->known[i] = entry;
    return 0;
}

static int take_all_known(struct query *query)
{
    size_t n = query->known ? ot_json_count(query->known) : 0;
    struct bytes last = { 0 };
    int r = 0;

    query->reading->known = calloc(n + 1, sizeof(struct query_entry *));
    if (!query->reading->known)
        return -ENOMEM;
    query->reading->n_known = n;
    for (size_t i = 0; !r && i < n; i++)
        r = take_known(query, i, &last);
    return r;
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

/* Whose version the client has, and nothing was heard of it since the store looked, need not be opened. */
static int take_listed(struct query *query, const struct store_entry *listed)
{
    struct query_entry *entry;
    size_t at;
    int r = 0;

    entry = query_list_find(&query->list, listed->id, &at);
    if (!entry)
        r = add_entry(query, listed->id, at, &entry);
    if (r)
        return r;
    entry->exists = true;
    if (entry->draft->from == listed->info.head && entry->draft->heard <= listed->info.head) {
        entry->draft->is_begun = true;
        entry->next = listed->info.head;
    }
    return 0;
}

static void list_page(struct query *query);

static void on_page(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct query *query = arg;
    struct query_reading *reading = query->reading;

    reading->n_outstanding--;
    for (size_t i = 0; !r && !is_over(query) && i < n; i++)
        r = take_listed(query, &entries[i]);
    if (r) {
        fail(query, r > 0 ? -EIO : r);
    } else if (more && !is_over(query)) {
        reading->page.after = bytes_of(reading->after, entries[n - 1].id.n_bytes);
        memcpy(reading->after, entries[n - 1].id.at, entries[n - 1].id.n_bytes);
        list_page(query);
    } else {
        reading->is_listed = true;
        for (size_t i = 0; i < query->list.n; i++)
            to_be_read(query, query->list.entries[i]);
    }
    pump(query);
}

static void list_page(struct query *query)
{
    int r = store_list(hub_store(query->session->context->hub), &query->reading->page, on_page, query);

    if (r)
        fail(query, r);
    else
        query->reading->n_outstanding++;
}

/* ---- the documents ----------------------------------------------------------------------------------------------- */

static int write_snapshot(struct query *query, struct query_entry *entry, const struct document_view *view)
{
    struct query_reading *reading = query->reading;
    struct buffer *snapshot = &entry->draft->snapshot;
    int r;

    entry->exists = view->type != NULL;
    if (!entry->exists && !entry->draft->is_asked)
        return 0;
    snapshot->max_bytes -= reading->n_bytes < snapshot->max_bytes ? reading->n_bytes : snapshot->max_bytes;
    r = snapshot_write(view, snapshot);
    reading->n_bytes += snapshot->n_bytes;
    return r;
}

/* The operations since the client's version are not kept: it was purged, or merged. He is to have it as it is now. */
static void read_anew(struct query *query, struct query_entry *entry)
{
    struct query_reading *reading = query->reading;

    for (size_t i = 0; i < reading->n_known; i++)
        if (reading->known[i] == entry)
            reading->known[i] = NULL;
    entry->stays = false;
    entry->draft->from = DOCUMENT_NOW;
    entry->draft->is_begun = false;
    to_be_read(query, entry);
}

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct query_fetch *one = LIST_ENTRY(fetch, struct query_fetch, fetch);
    struct query *query = one->query;
    struct query_entry *entry = one->entry;

    one->entry = NULL;
    query->reading->n_outstanding--;
    if (r == DOCUMENT_OPS_GONE && !is_over(query)) {
        read_anew(query, entry);
        pump(query);
        return;
    }
    if (!r)
        entry->next = view->version;
    if (!r && fetch->what == FETCH_SNAPSHOT && !is_over(query))
        r = write_snapshot(query, entry, view);
    if (r)
        fail(query, r);
    pump(query);
}

static bool is_to_wait(struct query *query)
{
    query->reading->is_waiting = peer_is_full(query->session->peer);
    return query->reading->is_waiting;
}

/* The operations that the client lacks go out before the answer; the last create or delete among them tells what is
 * now. */
static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct query_fetch *one = LIST_ENTRY(fetch, struct query_fetch, fetch);
    const struct store_name name = { one->query->collection, query_entry_id(one->entry) };
    enum step_kind kind = step_kind_of(op->body);
    struct frame *frame;

    if (kind == STEP_CREATE || kind == STEP_DELETE)
        one->entry->exists = kind == STEP_CREATE;
    frame = is_over(one->query) ? NULL : frame_of_op(op, name);
    if (frame)
        peer_reply(one->query->session->peer, frame);
    else
        fail(one->query, -ENOMEM);
    if (is_over(one->query))
        fetch_stop(fetch);
    else if (is_to_wait(one->query))
        fetch_hold(fetch);
}

static void begin_fetch_of(struct query_fetch *one, struct query *query, struct query_entry *entry)
{
    struct document *document;
    uint64_t from = entry->draft->from;
    int r = hub_document(query->session->context->hub, (struct store_name){ query->collection, query_entry_id(entry) },
                         &document);

    if (r) {
        fail(query, r);
        return;
    }
    entry->draft->is_begun = true;
    one->query = query;
    one->entry = entry;
    one->fetch = (struct fetch){ .what = from == DOCUMENT_NOW ? FETCH_SNAPSHOT : FETCH_OPS,
                                 .from = from,
                                 .to = DOCUMENT_NOW,
                                 .on_op = on_op,
                                 .on_done = on_done };
    query->reading->n_outstanding++;
    document_fetch(document, &one->fetch);
    document_unref(document);
}

static struct query_fetch *free_fetch(struct query_reading *reading)
{
    for (size_t i = 0; i < QUERY_N_FETCHES; i++)
        if (!reading->fetches[i].entry)
            return &reading->fetches[i];
    return NULL;
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

static bool goes_on(const struct query *query)
{
    return !query->reading->is_waiting && !is_over(query);
}

/* Documents that are loaded answer from inside. */
static void pump(struct query *query)
{
    struct query_reading *reading = query->reading;
    struct query_fetch *one;
    struct list *node;

    if (reading->is_pumping)
        return;
    reading->is_pumping = true;
    while (goes_on(query) && (one = free_fetch(reading)) && (node = list_pop(&reading->unread))) {
        const struct query_draft *draft = LIST_ENTRY(node, struct query_draft, link);

        begin_fetch_of(one, query, draft->entry);
    }
    reading->is_pumping = false;
    if (reading->n_outstanding || (reading->is_waiting && !is_over(query) && !list_is_empty(&reading->unread)))
        return;
    if (!is_over(query))
        query_answer(query);
    query_done(query);
}

void query_read(struct query *query)
{
    struct query_reading *reading = calloc(1, sizeof(*reading));
    int r;

    if (!reading) {
        session_trouble(query->session, -ENOMEM);
        return;
    }
    query->reading = reading;
    list_init(&reading->unread);
    list_init(&reading->held);
    reading->page = (struct store_list_query){ .collection = query->collection, .limit = QUERY_PAGE };
    r = hub_watch(query->session->context->hub, query->collection, &query->watcher);
    if (!r)
        r = take_all_known(query);
    if (r)
        fail(query, r);
    else
        list_page(query);
    pump(query);
}

/* The first of them may fill the line again. */
void query_read_go_on(struct query *query)
{
    struct query_reading *reading = query->reading;

    reading->is_waiting = false;
    reading->is_pumping = true; /* it must outlive this loop */
    for (size_t i = 0; i < QUERY_N_FETCHES && (!reading->is_waiting || is_over(query)); i++) {
        if (reading->fetches[i].entry)
            fetch_go_on(&reading->fetches[i].fetch);
    }
    reading->is_pumping = false;
    pump(query);
}
