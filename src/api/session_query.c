#include "api/session_query.h"

#include <errno.h>
#include <stdlib.h>

#include "base/name.h"

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void query_free(struct query *query)
{
    watcher_leave(&query->watcher);
    list_remove(&query->link);
    query->session->n_queries--;
    query_list_finish(&query->list);
    ot_json_unref(query->id);
    free(query);
}

static void query_on_news(struct watcher *watcher, struct news *news);

static bool is_given(const struct ot_json *value)
{
    return value && ot_json_kind(value) != OT_JSON_NULL;
}

/* The id is copied: a value of the frame would keep all of it. */
static struct query *query_create(struct session *session, const struct action *action, struct ot_json *frame,
                                  struct bytes collection)
{
    struct query *query = calloc(1, sizeof(*query) + collection.n_bytes);
    const struct ot_json *known = ot_json_get(frame, "r", 1);

    if (!query)
        return NULL;
    if (ot_json_from_number(ot_json_number(ot_json_get(frame, "id", 2)), &query->id)) {
        free(query);
        return NULL;
    }
    query->session = session;
    query->stays = strcmp(action->name, "qs") == 0;
    if (query->stays && is_given(known))
        query->known = known;
    watcher_init(&query->watcher, query_on_news);
    query_list_init(&query->list, session->context->limits.n_query_documents);
    memcpy(query + 1, collection.at, collection.n_bytes);
    query->collection = bytes_of(query + 1, collection.n_bytes);
    list_append(&session->queries, &query->link);
    session->n_queries++;
    return query;
}

static bool is_over(const struct query *query)
{
    return query->reading && query->reading->is_over;
}

static struct query *query_find(const struct session *session, const struct ot_json *id, bool is_live)
{
    LIST_FOR_EACH (node, &session->queries) {
        struct query *query = LIST_ENTRY(node, struct query, link);

        if (ot_json_equal(query->id, id) && !is_over(query) && (!is_live || !query->request))
            return query;
    }
    return NULL;
}

static void begin_next(struct session *session)
{
    struct query *first = NULL;

    LIST_FOR_EACH (node, &session->queries) {
        struct query *query = LIST_ENTRY(node, struct query, link);

        if (query->reading)
            return;
        if (query->request && !first)
            first = query;
    }
    if (first && session->peer && !peer_is_full(session->peer))
        query_read(first);
}

void queries_go_on(struct session *session)
{
    LIST_FOR_EACH (node, &session->queries) {
        struct query *query = LIST_ENTRY(node, struct query, link);

        if (query->reading) {
            query_read_go_on(query);
            return;
        }
    }
    begin_next(session);
}

/* ---- live -------------------------------------------------------------------------------------------------------- */

/* The document that a create made, as everybody has it: read from the operation, like a log. */
static int write_created(const struct committed_op *op, const struct ot_limits *limits, struct buffer *into)
{
    struct past past = { .version = op->version };
    struct step step = { .kind = STEP_NOTHING };
    int r = step_parse(op->body, NULL, limits, &step);

    if (!r)
        r = past_step(&past, &step, op->time_ms, limits);
    if (!r) {
        const struct document_view view = { .version = past.version, .type = past.type, .snapshot = past.value };

        r = snapshot_write(&view, into);
    }
    past_finish(&past);
    step_finish(&step);
    return r;
}

static int snapshot_of(const struct query *query, struct news *news)
{
    struct buffer snapshot;
    int r;

    if (news->snapshot)
        return 0;
    buffer_init(&snapshot, FRAME_MAX_BYTES);
    r = write_created(news->op, hub_limits(query->session->context->hub), &snapshot);
    if (!r)
        news->snapshot = frame_of_buffer(&snapshot);
    if (!r && !news->snapshot)
        r = -ENOMEM;
    buffer_finish(&snapshot);
    return r;
}

static void stream(struct session *session, struct frame *frame)
{
    if (!frame)
        session_trouble(session, -ENOMEM);
    else if (session->peer)
        peer_stream(session->peer, frame);
}

static int send_difference(struct query *query, struct buffer *difference)
{
    struct frame *frame = difference->error ? NULL : frame_query_difference(query->id, buffer_bytes(difference));
    int r = frame ? 0 : -ENOMEM;

    if (frame)
        stream(query->session, frame);
    frame_unref(frame);
    buffer_finish(difference);
    return r;
}

static int query_insert(struct query *query, struct bytes id, size_t at, struct news *news)
{
    struct query_entry *entry;
    struct buffer difference;
    int r = query_list_add(&query->list, id, at, &entry);

    if (r)
        return r;
    entry->next = news->op->version + 1;
    entry->exists = true;
    r = snapshot_of(query, news);
    if (r)
        return r;
    buffer_init(&difference, FRAME_MAX_BYTES);
    (void)buffer_printf(&difference, "[{\"type\":\"insert\",\"index\":%zu,\"values\":[", at);
    query_write_value(id, bytes_of(news->snapshot->content, news->snapshot->n_bytes), &difference);
    (void)buffer_append_string(&difference, "]}]");
    return send_difference(query, &difference);
}

static int query_remove(struct query *query, size_t at)
{
    struct buffer difference;

    query_list_remove(&query->list, at);
    buffer_init(&difference, 128);
    (void)buffer_printf(&difference, "[{\"type\":\"remove\",\"index\":%zu,\"howMany\":1}]", at);
    return send_difference(query, &difference);
}

/* The operation of a document of the list. A deletion is told behind the removal, as the reference does. */
static int query_pass(struct query *query, struct store_name name, struct news *news, bool is_heard)
{
    struct frame *frame = frame_of_op(news->op, name); /* before the entry, which may hold the name, is gone */
    struct query_entry *entry;
    size_t at;
    int r = frame ? 0 : -ENOMEM;

    entry = query_list_find(&query->list, name.id, &at);
    if (!r && entry)
        entry->next = news->op->version + 1;
    if (!r && entry && step_kind_of(news->op->body) == STEP_DELETE)
        r = query_remove(query, at);
    if (!r && !is_heard && !session_is_own(query->session, news->op->src))
        stream(query->session, frame);
    return r;
}

/* -E2BIG: the list is too long now. A gap, which a failed store may leave, is mended by coming again. */
static int query_take(struct query *query, struct bytes id, struct news *news, bool is_heard)
{
    const struct store_name name = { query->collection, id };
    enum step_kind kind = step_kind_of(news->op->body);
    size_t at;
    const struct query_entry *entry = query_list_find(&query->list, id, &at);

    if (entry && news->op->version < entry->next)
        return 0;
    if (entry && news->op->version == entry->next)
        return query_pass(query, name, news, is_heard);
    if (entry || kind == STEP_EDIT)
        return -EIO;
    return kind == STEP_CREATE ? query_insert(query, id, at, news) : 0;
}

/* False: the query is gone. */
static bool query_live(struct query *query, struct bytes id, struct news *news, bool is_heard)
{
    struct session *session = query->session;
    int r = query_take(query, id, news, is_heard);
    struct frame *frame;

    if (r == -E2BIG) {
        session_hits(session, LIMIT_QUERY);
        frame = frame_query_error(query->id, &refusal_limit, "The query finds too many documents now");
        stream(session, frame);
        frame_unref(frame);
        query_free(query);
        return false;
    }
    if (r)
        session_trouble(session, r);
    return true;
}

/* Whether the session follows the document itself, and so has been told already. */
static bool is_followed(const struct session *session, const struct news *news)
{
    const struct session_link *link = session_link_find(session, news->document);

    return link && link->is_subscribed && link->subscriber.document && news->op->version >= link->subscribed_from &&
           news->op->version < link->subscriber.next;
}

static void query_on_news(struct watcher *watcher, struct news *news)
{
    struct query *query = LIST_ENTRY(watcher, struct query, watcher);
    bool is_heard;

    if (!query->session->peer)
        return;
    is_heard = is_followed(query->session, news);
    if (query->reading)
        query_read_news(query, news, is_heard);
    else
        (void)query_live(query, document_name(news->document).id, news, is_heard);
}

/* ---- from reading to live ---------------------------------------------------------------------------------------- */

static void drop_held(struct list *held)
{
    struct list *node;

    while ((node = list_pop(held))) {
        struct query_held *one = LIST_ENTRY(node, struct query_held, link);

        committed_op_unref(one->op);
        free(one);
    }
}

static void query_go_live(struct query *query, struct list *held)
{
    struct query *previous = query_find(query->session, query->id, true);
    bool is_there = true;

    if (previous)
        query_free(previous);
    query->request = NULL;
    query->known = NULL;
    query_list_purge(&query->list);
    while (is_there && query->session->peer && !list_is_empty(held)) {
        struct query_held *one = LIST_ENTRY(list_pop(held), struct query_held, link);
        struct news news = { .op = one->op };

        is_there = query_live(query, bytes_of(one->id, one->n_id), &news, one->is_heard);
        frame_unref(news.snapshot);
        committed_op_unref(one->op);
        free(one);
    }
}

void query_done(struct query *query)
{
    struct session *session = query->session;
    struct request *request = query->request;
    bool goes_on = query->stays && !query->reading->is_over && session->peer;
    struct list held;

    query_read_finish(query, &held);
    if (goes_on)
        query_go_live(query, &held);
    else
        query_free(query);
    drop_held(&held);
    request->is_answered = true;
    begin_next(session);
    request_let_go(request);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static bool is_query_id(const struct ot_json *frame)
{
    const struct ot_json *id = ot_json_get(frame, "id", 2);

    return id && ot_json_kind(id) == OT_JSON_NUMBER && !ot_json_flaw(id);
}

/* Of the queries that databases know, the one that all know. */
static bool is_for_all(const struct ot_json *q)
{
    return !is_given(q) || (ot_json_kind(q) == OT_JSON_OBJECT && !ot_json_count(q));
}

static bool is_well_formed(struct session *session, const struct ot_json *frame, struct bytes *collection)
{
    const struct ot_json *known = ot_json_get(frame, "r", 1);
    const char *wrong = is_query_id(frame) ? NULL : "Missing query ID";

    if (!wrong && is_given(known))
        wrong = query_known_check(known);
    if (!wrong && (!frame_string(frame, "c", collection) || !name_is_allowed(*collection, NAME_MAX_BYTES)))
        wrong = "Invalid collection";
    if (wrong)
        session_refuse(session, frame, &refusal_badly_formed, wrong);
    return !wrong;
}

static bool is_possible(struct session *session, const struct ot_json *frame)
{
    const struct session_limits *limits = &session->context->limits;
    const struct ot_json *options = ot_json_get(frame, "o", 1), *known = ot_json_get(frame, "r", 1);

    if (options && ot_json_kind(options) == OT_JSON_OBJECT && is_given(ot_json_get(options, "db", 2)))
        session_refuse(session, frame, &refusal_no_adapter, NULL);
    else if (!is_for_all(ot_json_get(frame, "q", 1)))
        session_refuse(session, frame, &refusal_query, NULL);
    else if (session->n_queries >= limits->n_queries)
        session_refuse_limit(session, frame, LIMIT_QUERIES, "Too many queries");
    else if (is_given(known) && ot_json_count(known) > limits->n_query_documents)
        session_refuse_limit(session, frame, LIMIT_QUERY, "Too many documents");
    else
        return true;
    return false;
}

void handle_query(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct bytes collection;
    struct request *request;
    struct query *query;

    if (!is_well_formed(session, frame, &collection) || !is_possible(session, frame))
        return;
    request = request_create(session, action, frame, 0);
    query = request ? query_create(session, action, frame, collection) : NULL;
    if (!query) {
        if (request)
            request_drop(request);
        session_trouble(session, -ENOMEM);
        return;
    }
    query->request = request;
    request_hold(request);
    request_start(request);
    begin_next(session);
}

/* Without an answer yet, it gets one now. Returns what is to be let go; NULL: nothing. */
static struct request *query_end(struct query *query)
{
    struct request *request = query->request;

    if (request && !request->is_answered) {
        session_send(query->session, frame_reply(request->frame, bytes_of(NULL, 0)));
        request->is_answered = true;
    }
    if (query->reading) {
        query_read_stop(query);
        return NULL;
    }
    query_free(query);
    return request;
}

void handle_unquery(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct query *query;

    (void)action;
    if (!is_query_id(frame)) {
        session_refuse(session, frame, &refusal_badly_formed, "Missing query ID");
        return;
    }
    while ((query = query_find(session, ot_json_get(frame, "id", 2), false))) {
        struct request *request = query_end(query);

        if (request)
            request_let_go(request);
    }
    session_send(session, frame_reply(frame, bytes_of(NULL, 0)));
}

void queries_end(struct session *session)
{
    struct list *node, *next;

    for (node = session->queries.next; node != &session->queries; node = next) {
        struct request *request;

        next = node->next;
        request = query_end(LIST_ENTRY(node, struct query, link));
        if (request)
            request_let_go(request);
    }
}
