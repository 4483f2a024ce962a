#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "api/session_inside.h"
#include "base/pool.h"

#define LINKS_FIRST_BUCKETS 4

/* Of all sessions. Most requests are about one document. */
static struct pool links = { .n_block_bytes = sizeof(struct session_link), .n_max = 512 };
static struct pool requests = { .n_block_bytes = sizeof(struct request) + sizeof(struct part), .n_max = 512 };

/* ---- links ------------------------------------------------------------------------------------------------------- */

static size_t bucket_of(const struct document *document, size_t n_buckets)
{
    return (size_t)(((uintptr_t)document >> 4) * 0x9e3779b97f4a7c15u >> 32) & (n_buckets - 1);
}

static int grow(struct session *session)
{
    size_t n_buckets = session->n_buckets ? session->n_buckets * 2 : LINKS_FIRST_BUCKETS;
    struct session_link **buckets = calloc(n_buckets, sizeof(*buckets));

    if (!buckets)
        return -ENOMEM;
    for (size_t i = 0; i < session->n_buckets; i++) {
        while (session->buckets[i]) {
            struct session_link *link = session->buckets[i];
            struct session_link **bucket = &buckets[bucket_of(link->document, n_buckets)];

            session->buckets[i] = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    }
    free(session->buckets);
    session->buckets = buckets;
    session->n_buckets = n_buckets;
    return 0;
}

static struct session_link *link_create(struct session *session, struct document *document)
{
    struct session_link *link, **bucket;

    if (session->n_links >= session->n_buckets && grow(session))
        return NULL;
    link = pool_take(&links);
    if (!link)
        return NULL;
    *link = (struct session_link){ .session = session, .document = document_ref(document) };
    subscriber_init(&link->subscriber, link_on_op);
    list_init(&link->parts);
    bucket = &session->buckets[bucket_of(document, session->n_buckets)];
    link->next = *bucket;
    *bucket = link;
    list_append(&session->links, &link->link);
    session->n_links++;
    return link;
}

struct session_link *session_link_find(const struct session *session, const struct document *document)
{
    struct session_link *link = NULL;

    if (session->n_buckets)
        link = session->buckets[bucket_of(document, session->n_buckets)];
    while (link && link->document != document)
        link = link->next;
    return link;
}

struct session_link *session_newest_link(const struct session *session, struct store_name name)
{
    struct session_link *link = LIST_ENTRY(session->links.previous, struct session_link, link);
    struct store_name its_name;

    if (list_is_empty(&session->links))
        return NULL;
    its_name = document_name(link->document);
    return bytes_equal(its_name.id, name.id) && bytes_equal(its_name.collection, name.collection) ? link : NULL;
}

struct session_link *session_link_of(struct session *session, struct store_name name)
{
    struct session_link *link = session_newest_link(session, name);
    struct document *document;

    if (link)
        return link;
    if (hub_document(session->context->hub, name, &document))
        return NULL;
    link = session_link_find(session, document);
    if (!link)
        link = link_create(session, document);
    document_unref(document);
    return link;
}

void link_free_if_idle(struct session_link *link)
{
    struct session *session = link->session;
    struct session_link **slot = &session->buckets[bucket_of(link->document, session->n_buckets)];

    if (link->n_parts || link->is_beginning || link->subscriber.document)
        return;
    while (*slot != link)
        slot = &(*slot)->next;
    *slot = link->next;
    list_remove(&link->link);
    session->n_links--;
    document_unref(link->document);
    pool_give(&links, link);
}

/* Answers may come from inside, and with them the turn of the next part: then the loop further up the stack goes on. */
static void link_begin_next(struct session_link *link)
{
    struct session *session = link->session;
    struct list *node;

    if (link->is_beginning)
        return;
    link->is_beginning = true;
    while (!link->is_busy && (node = list_pop(&link->parts))) {
        struct part *part = LIST_ENTRY(node, struct part, link);

        link->is_busy = part->has_begun = true;
        part->request->action->begin(part);
    }
    link->is_beginning = false;
    link_free_if_idle(link);
    session_free_if_over(session);
}

void link_has_place(struct session_link *link)
{
    link->is_busy = false;
    link_begin_next(link);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

struct request *request_create(struct session *session, const struct action *action, struct ot_json *frame,
                               size_t n_parts)
{
    bool is_small = n_parts <= 1;
    struct request *request =
        is_small ? pool_take(&requests) : malloc(sizeof(*request) + n_parts * sizeof(struct part));

    if (!request)
        return NULL;
    *request = (struct request){ .session = session,
                                 .action = action,
                                 .frame = ot_json_ref(frame),
                                 .is_small = is_small,
                                 .n_bytes = session->n_message_bytes };
    list_init(&request->link);
    return request;
}

bool request_add(struct request *request, struct store_name name, uint64_t version)
{
    struct session_link *link = session_link_of(request->session, name);
    struct part *part = &request->parts[request->n_parts];

    if (!link)
        return false;
    if (link->seen_by == request) /* named twice, counts once */
        return true;
    link->seen_by = request;
    link->n_parts++;
    part->request = request;
    part->at = link;
    part->version = version;
    part->has_begun = false;
    list_init(&part->link);
    buffer_init(&part->data, FRAME_MAX_BYTES);
    request->n_parts++;
    return true;
}

void request_drop(struct request *request)
{
    for (size_t i = 0; i < request->n_parts; i++) {
        struct session_link *link = request->parts[i].at;

        buffer_finish(&request->parts[i].data);
        if (!link)
            continue;
        link->n_parts--;
        link->seen_by = NULL;
        link_free_if_idle(link);
    }
    ot_json_unref(request->frame);
    if (request->is_small)
        pool_give(&requests, request);
    else
        free(request);
}

/* Whoever is paused goes on when half of it is answered. */
static bool has_too_many(const struct session *session)
{
    const struct session_limits *limits = &session->context->limits;

    if (session->is_paused)
        return session->n_requests > limits->n_unanswered / 2 ||
               session->n_unanswered_bytes > limits->unanswered_max_bytes / 2;
    return session->n_requests >= limits->n_unanswered || session->n_unanswered_bytes >= limits->unanswered_max_bytes;
}

/* Answers that come together, when a document is loaded or the disk goes on, are in memory together. */
static bool waits_for_documents(const struct session *session)
{
    size_t n_max = session->context->limits.n_snapshots;

    return session->is_paused ? session->n_documents > n_max / 2 : session->n_documents >= n_max;
}

void session_pause_if_due(struct session *session)
{
    bool has_too_many_now = has_too_many(session);
    bool paused = session->is_reading || has_too_many_now || waits_for_documents(session);

    if (has_too_many_now && !session->is_paused && session->peer)
        session_hits(session, LIMIT_UNANSWERED);
    if (paused == session->is_paused)
        return;
    session->is_paused = paused;
    if (session->peer)
        peer_pause(session->peer, paused);
}

/* Documents that it is about to subscribe to. */
static size_t n_subscribing(const struct request *request)
{
    return request->action->begin == begin_subscribe ? request->n_parts : 0;
}

void request_unlist(struct request *request)
{
    list_remove(&request->link);
    request->session->n_requests--;
    request->session->n_documents -= request->n_documents;
    request->session->n_unanswered_bytes -= request->n_bytes;
    request->session->n_subscribing -= n_subscribing(request);
}

/* A ping that has become the oldest request is answered. */
static void answer_pings(struct session *session)
{
    while (!list_is_empty(&session->requests)) {
        struct request *request = LIST_ENTRY(session->requests.next, struct request, link);

        if (!request->is_barrier)
            break;
        request_unlist(request);
        session_send(session, frame_reply(request->frame, bytes_of(NULL, 0)));
        request_drop(request);
    }
}

static void request_done(struct request *request)
{
    struct session *session = request->session;

    request_unlist(request);
    request_drop(request);
    answer_pings(session);
    session_pause_if_due(session);
    session_free_if_over(session);
}

static void request_finish(struct request *request);

static void request_go_on(struct request *request)
{
    request->has_gone_on = true;
    request->n_left = request->n_parts + 1; /* as in request_start */
    request->action->go_on(request);
    if (--request->n_left == 0)
        request_finish(request);
}

static void request_finish(struct request *request)
{
    const struct action *action = request->action;

    if (!request->is_answered && action->answer)
        action->answer(request);
    else if (!request->is_answered)
        session_send(request->session, frame_reply(request->frame, bytes_of(NULL, 0)));
    request->is_answered = true;
    if (action->go_on && !request->has_gone_on)
        request_go_on(request);
    else
        request_done(request);
}

void request_hold(struct request *request)
{
    request->n_left++;
}

void request_let_go(struct request *request)
{
    if (--request->n_left == 0)
        request_finish(request);
}

void part_done(struct part *part)
{
    list_remove(&part->link); /* it was to wait, and had nothing more to give */
    request_let_go(part->request);
}

static size_t n_documents(const struct request *request)
{
    const struct action *action = request->action;

    if (action->answer == answer_bulk)
        return request->is_list ? request->n_parts : 0;
    return action->begin == begin_past ||
           (action->answer == answer_snapshot && request->parts[0].version == DOCUMENT_NOW);
}

void request_start(struct request *request)
{
    struct session *session = request->session;

    request->n_documents = n_documents(request);
    if (request->n_parts > 1)
        request->n_bytes += request->n_parts * sizeof(struct part); /* a part is far larger than its name was */
    list_append(&session->requests, &request->link);
    session->n_requests++;
    session->n_documents += request->n_documents;
    session->n_unanswered_bytes += request->n_bytes;
    session->n_subscribing += n_subscribing(request);
    session_pause_if_due(session);
    if (request->is_barrier) {
        answer_pings(session);
        return;
    }
    /* One more than there are, so that a request whose parts are answered at once outlives this loop. */
    request->n_left += request->n_parts + 1;
    for (size_t i = 0; i < request->n_parts; i++) {
        struct part *part = &request->parts[i];

        list_append(&part->at->parts, &part->link);
        link_begin_next(part->at);
    }
    if (--request->n_left == 0)
        request_finish(request);
}

void request_start_one(struct session *session, const struct action *action, struct ot_json *frame,
                       struct store_name name, uint64_t version)
{
    struct request *request = request_create(session, action, frame, 1);

    if (request && request_add(request, name, version)) {
        request_start(request);
        return;
    }
    if (request)
        request_drop(request);
    session_trouble(session, -ENOMEM);
}
