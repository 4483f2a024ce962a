/* Fetch, subscribe and unsubscribe: f s u, and the same for several documents, bf bs bu. */
#include <errno.h>

#include "api/session_inside.h"
#include "base/name.h"

/* ---- the stream -------------------------------------------------------------------------------------------------- */

/* Nobody hears his own operations; whose they are is told by id, not by connection. */
void link_on_op(struct subscriber *subscriber, struct committed_op *op)
{
    struct session_link *link = LIST_ENTRY(subscriber, struct session_link, subscriber);
    struct session *session = link->session;
    struct frame *frame;

    if (!session->peer || session_is_own(session, op->src))
        return;
    frame = op->frame ? op->frame : frame_of_op(op, document_name(link->document));
    if (frame)
        peer_stream(session->peer, frame);
    else
        session_close(session, PEER_TRY_LATER, "out of memory");
}

/* ---- one document's part ----------------------------------------------------------------------------------------- */

static struct part *part_of(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct part, fetch);
}

static void part_on_op(struct fetch *fetch, struct committed_op *op)
{
    struct part *part = part_of(fetch);
    struct session *session = part->request->session;
    struct frame *frame = session->peer ? frame_of_op(op, document_name(part->at->document)) : NULL;

    if (frame)
        peer_reply(session->peer, frame);
    else
        session_close(session, PEER_TRY_LATER, "out of memory");
    if (!session->peer)
        fetch_stop(fetch);
    else if (part_is_to_wait(part))
        fetch_hold(fetch);
}

void resume_fetch(struct part *part)
{
    if (part->request->session->peer)
        fetch_go_on(&part->fetch);
    else
        fetch_stop(&part->fetch);
}

/* A refusal of one document stands within data where there is an entry for each, else it is that of the request. */
static void part_refuse(struct part *part, int error)
{
    struct request *request = part->request;
    const struct refusal *refusal = refusal_of_document(error);
    int r;

    if (!request->is_list) {
        if (!request->is_answered)
            session_refuse(request->session, request->frame, refusal, NULL);
        request->is_answered = true;
        return;
    }
    (void)buffer_append_string(&part->data, "{\"error\":");
    r = refusal_write(refusal, NULL, &part->data);
    (void)r; /* stays in the buffer */
    (void)buffer_append_string(&part->data, "}");
}

static void link_set_subscribed(struct session_link *link, bool is_subscribed)
{
    struct session *session = link->session;

    if (link->is_subscribed != is_subscribed)
        session->n_subscriptions += is_subscribed ? 1 : (size_t)-1;
    link->is_subscribed = is_subscribed;
    if (is_subscribed)
        link->subscribed_from = link->subscriber.next;
    /* The line may have gone while the subscription was under way. */
    if (!is_subscribed || session->has_ended)
        document_unsubscribe(&link->subscriber);
}

/* The answers to a list come together, and no operation may come before: so a document of a list is first read, and
 * followed from the version it was read at when the answer has gone. Until then its link is busy. */
static bool goes_on(const struct part *part)
{
    return part->request->is_list && part->request->action->go_on;
}

/* Of a list not by an answer for each: the client could not be given what it asked for in one frame anyway. Cutting the
 * line would bring the client back for the same. */
static void refuse_too_large(struct request *request)
{
    if (!request->is_too_large)
        session_refuse_limit(request->session, request->frame, LIMIT_BULK,
                             request->is_list ? "The documents are too large together" : "The document is too large");
    request->is_answered = request->is_too_large = true;
}

static int write_part(struct part *part, const struct document_view *view)
{
    struct request *request = part->request;
    const struct session_limits *limits = &request->session->context->limits;
    int r;

    if (request->is_too_large)
        return 0;
    part->data.max_bytes =
        request->is_list ? limits->bulk_max_bytes - request->n_data_bytes : limits->snapshot_max_bytes;
    r = snapshot_write(view, &part->data);
    request->n_data_bytes += part->data.n_bytes;
    if (r != -E2BIG)
        return r;
    refuse_too_large(request);
    return 0;
}

static void part_on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = part_of(fetch);
    struct session_link *link = part->at;
    bool was_busy = fetch->what == FETCH_OPS; /* reading took time of its own */

    if (!r && fetch->what == FETCH_SNAPSHOT) {
        part->version = view->version;
        r = write_part(part, view);
    }
    if (!r && fetch->subscriber)
        link_set_subscribed(link, !part->request->is_too_large);
    else if (!r && fetch->what == FETCH_BARRIER)
        link_set_subscribed(link, false);

    if (r > 0)
        part_refuse(part, r);
    else if (r < 0)
        session_trouble(part->request->session, r);
    if (r)
        part->version = DOCUMENT_NOW; /* nothing to go on from */
    if (was_busy)
        link_has_place(link);
    part_done(part);
}

static void begin(struct part *part, enum fetch_what what, struct subscriber *subscriber)
{
    struct session_link *link = part->at;

    part->fetch = (struct fetch){ .what = what,
                                  .from = part->version,
                                  .to = DOCUMENT_NOW,
                                  .subscriber = subscriber,
                                  .on_op = part_on_op,
                                  .on_done = part_on_done };
    document_fetch(link->document, &part->fetch);
}

/* The same where the answer's place in the document's queue is certain at once. */
static void begin_in_place(struct part *part, enum fetch_what what, struct subscriber *subscriber)
{
    struct session_link *link = part->at;

    begin(part, what, subscriber);
    link_has_place(link); /* the link is beginning, so it is still there */
}

static void begin_reading(struct part *part, struct subscriber *subscriber)
{
    if (part->version == DOCUMENT_NOW)
        begin_in_place(part, FETCH_SNAPSHOT, subscriber);
    else
        begin(part, FETCH_OPS, subscriber);
}

void begin_fetch(struct part *part)
{
    begin_reading(part, NULL);
}

void begin_subscribe(struct part *part)
{
    if (goes_on(part))
        begin(part, FETCH_SNAPSHOT, NULL);
    else
        begin_reading(part, &part->at->subscriber);
}

void begin_unsubscribe(struct part *part)
{
    begin_in_place(part, FETCH_BARRIER, NULL);
}

void go_on_following(struct request *request)
{
    for (size_t i = 0; i < request->n_parts; i++) {
        struct part *part = &request->parts[i];

        if (goes_on(part) && part->version != DOCUMENT_NOW && !request->is_too_large) {
            begin(part, FETCH_OPS, &part->at->subscriber);
            continue;
        }
        if (goes_on(part))
            link_has_place(part->at);
        part_done(part);
    }
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void answer_snapshot(struct request *request)
{
    struct buffer *data = &request->parts[0].data;

    session_send(request->session, data->error ? NULL : frame_reply(request->frame, buffer_bytes(data)));
}

void answer_bulk(struct request *request)
{
    struct buffer data;

    buffer_init(&data, FRAME_MAX_BYTES);
    if (request->is_list)
        (void)buffer_append_string(&data, "{");
    for (size_t i = 0; request->is_list && i < request->n_parts; i++) {
        struct part *part = &request->parts[i];
        struct bytes id = document_name(part->at->document).id;
        int r;

        (void)buffer_append_string(&data, i ? "," : "");
        r = ot_json_write_string(id.at, id.n_bytes, buffer_write, &data);
        (void)r; /* stays in the buffer */
        (void)buffer_append_string(&data, ":");
        (void)buffer_append(&data, part->data.at, part->data.n_bytes);
    }
    if (request->is_list)
        (void)buffer_append_string(&data, "}");
    session_send(request->session, data.error ? NULL : frame_reply(request->frame, buffer_bytes(&data)));
    buffer_finish(&data);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static bool is_room_for(struct session *session, const struct action *action, const struct ot_json *frame, size_t n)
{
    const struct session_limits *limits = &session->context->limits;

    if (n > limits->n_bulk)
        session_refuse_limit(session, frame, LIMIT_BULK, "Too many documents");
    else if (action->begin == begin_subscribe &&
             session->n_subscriptions + session->n_subscribing + n > limits->n_subscriptions)
        session_refuse_limit(session, frame, LIMIT_SUBSCRIPTIONS, "Too many documents");
    else
        return true;
    return false;
}

void handle_one(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct store_name name;
    uint64_t version;

    if (session_names(session, frame, &name, &version) && is_room_for(session, action, frame, 1))
        request_start_one(session, action, frame, name, version);
}

/* The i-th document of a bulk request: an element of a list, or a member that maps the id to a version. */
static const char *bulk_entry(const struct ot_json *bulk, size_t i, struct bytes *id, uint64_t *version)
{
    const struct ot_json *value = ot_json_at(bulk, i);

    *version = DOCUMENT_NOW;
    if (ot_json_kind(bulk) == OT_JSON_OBJECT) {
        id->at = ot_json_key_at(bulk, i, &id->n_bytes);
        if (!version_of(value, version))
            return "Invalid version";
        if (*version == DOCUMENT_NOW)
            *version = 0; /* known to the client, but not at which version */
    } else if (ot_json_kind(value) == OT_JSON_STRING) {
        id->at = ot_json_string(value, &id->n_bytes);
    } else {
        return "Invalid id";
    }
    return name_is_allowed(*id, NAME_MAX_BYTES) ? NULL : "Invalid id";
}

/* What is wrong with it; NULL: nothing. */
static const char *bulk_check(const struct ot_json *frame, const struct ot_json *bulk, struct bytes *collection)
{
    enum ot_json_kind kind = bulk ? ot_json_kind(bulk) : OT_JSON_NULL;
    const char *wrong = kind == OT_JSON_ARRAY || kind == OT_JSON_OBJECT ? NULL
                        : kind == OT_JSON_FLAW                          ? "Invalid id" /* a key that can be no name */
                                                                        : "Invalid bulk subscribe data";
    uint64_t version;
    struct bytes id;

    for (size_t i = 0; !wrong && i < ot_json_count(bulk); i++)
        wrong = bulk_entry(bulk, i, &id, &version);
    if (!wrong && (!frame_string(frame, "c", collection) || !name_is_allowed(*collection, NAME_MAX_BYTES)))
        wrong = "Invalid collection";
    return wrong;
}

void handle_bulk(struct session *session, const struct action *action, struct ot_json *frame)
{
    const struct ot_json *bulk = ot_json_get(frame, "b", 1);
    struct store_name name;
    struct request *request;
    const char *wrong = bulk_check(frame, bulk, &name.collection);
    bool is_added = true;
    uint64_t version;

    if (wrong) {
        session_refuse(session, frame, &refusal_badly_formed, wrong);
        return;
    }
    if (!is_room_for(session, action, frame, ot_json_count(bulk)))
        return;
    request = request_create(session, action, frame, ot_json_count(bulk));
    for (size_t i = 0; request && is_added && i < ot_json_count(bulk); i++) {
        (void)bulk_entry(bulk, i, &name.id, &version);
        is_added = request_add(request, name, version);
    }
    if (request && is_added) {
        request->is_list = ot_json_kind(bulk) == OT_JSON_ARRAY;
        request_start(request);
        return;
    }
    if (request)
        request_drop(request);
    session_trouble(session, -ENOMEM);
}
