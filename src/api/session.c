#include "api/session.h"

#include <errno.h>
#include <stdlib.h>

#include "api/session_inside.h"
#include "base/name.h"

const struct session_limits session_limits_default = {
    .n_unanswered = 1000,
    .unanswered_max_bytes = 32u << 20,
    .n_snapshots = 16,
    .snapshot_max_bytes = FRAME_MAX_BYTES - (32u << 20), /* what its answer repeats of the request has room beside it */
    .n_subscriptions = 10000,
    .n_bulk = 10000,
    .bulk_max_bytes = FRAME_MAX_BYTES / 2,
    .n_presences = 1000,
    .n_queries = 100,
    .n_query_documents = 10000,
    .query_max_bytes = 8u << 20,
    .src_max_bytes = 64,
    .echo_max_bytes = 1024,
    .presence_max_bytes = 16384,
};

/* ---- speaking ---------------------------------------------------------------------------------------------------- */

void session_close(struct session *session, enum peer_close_code code, const char *reason)
{
    struct peer *peer = session->peer;

    session->peer = NULL;
    if (peer)
        peer_close(peer, code, reason);
}

void session_send(struct session *session, struct frame *frame)
{
    if (!frame)
        session_close(session, PEER_TRY_LATER, "out of memory");
    else if (session->peer)
        peer_reply(session->peer, frame);
    frame_unref(frame);
}

void session_refuse(struct session *session, const struct ot_json *frame, const struct refusal *refusal,
                    const char *message)
{
    session->context->n_refusals++;
    session_send(session, frame_refusal(frame, refusal, message, session->context->limits.echo_max_bytes));
}

void session_hits(struct session *session, enum limit limit)
{
    struct session_context *context = session->context;

    limit_hit(&context->limit_counters, hub_world(context->hub), limit, principal_name(&session->principal));
}

void session_refuse_limit(struct session *session, const struct ot_json *frame, enum limit limit, const char *message)
{
    session_hits(session, limit);
    session_refuse(session, frame, &refusal_limit, message);
}

/* A refusal would make the client take its user's work back; so trouble that passes cuts the line instead. */
void session_trouble(struct session *session, int r)
{
    session_close(session, PEER_TRY_LATER, r == -ENOSPC ? "the store is full" : "the store failed, try again");
}

/* ---- the fields of a frame --------------------------------------------------------------------------------------- */

bool string_of(const struct ot_json *value, struct bytes *out)
{
    if (!value || ot_json_kind(value) != OT_JSON_STRING)
        return false;
    out->at = ot_json_string(value, &out->n_bytes);
    return true;
}

bool version_of(const struct ot_json *value, uint64_t *out)
{
    if (!value || ot_json_kind(value) == OT_JSON_NULL) {
        *out = DOCUMENT_NOW;
        return true;
    }
    return ot_json_integer(value, out);
}

bool session_names(struct session *session, const struct ot_json *frame, struct store_name *name, uint64_t *version)
{
    bool has_id = frame_string(frame, "d", &name->id), has_collection = frame_string(frame, "c", &name->collection);
    bool is_known = has_id && has_collection && session_newest_link(session, *name);
    const char *wrong = NULL;

    if (!is_known && (!has_id || !name_is_allowed(name->id, NAME_MAX_BYTES)))
        wrong = "Invalid id";
    else if (!version_of(frame_member(frame, "v"), version))
        wrong = "Invalid version";
    else if (!is_known && (!has_collection || !name_is_allowed(name->collection, NAME_MAX_BYTES)))
        wrong = "Invalid collection";
    if (wrong)
        session_refuse(session, frame, &refusal_badly_formed, wrong);
    return !wrong;
}

/* ---- handshake and ping ------------------------------------------------------------------------------------------ */

static bool is_protocol(const struct ot_json *value)
{
    enum ot_json_kind kind = value ? ot_json_kind(value) : OT_JSON_NULL;

    return kind == OT_JSON_NULL || kind == OT_JSON_NUMBER || kind == OT_JSON_STRING;
}

/* A client that comes back names the id it had. Any other id, and none, is answered with the one of init. */
static void handle_handshake(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct bytes id;

    if (!is_protocol(ot_json_get(frame, "protocol", 8)) || !is_protocol(ot_json_get(frame, "protocolMinor", 13))) {
        session_refuse(session, frame, &refusal_badly_formed, "Invalid protocol");
        return;
    }
    if (frame_string(frame, "id", &id) &&
        client_id_belongs(&session->context->key, id, principal_name(&session->principal)))
        memcpy(session->id.text, id.at, CLIENT_ID_CHARS);
    session_send(session, frame_handshake(action->name, &session->id));
}

/* Answered behind everything that came before it. */
static void handle_ping(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct request *request = request_create(session, action, frame, 0);

    if (!request) {
        session_trouble(session, -ENOMEM);
        return;
    }
    request->is_barrier = true;
    request_start(request);
}

/* ---- frames come in ---------------------------------------------------------------------------------------------- */

static const struct action actions[] = {
    { .name = "op", .needs = RIGHT_WRITE, .handle = handle_op, .begin = begin_op, .resume = resume_op },
    { .name = "f",
      .needs = RIGHT_READ,
      .handle = handle_one,
      .begin = begin_fetch,
      .answer = answer_snapshot,
      .resume = resume_fetch },
    { .name = "s",
      .needs = RIGHT_READ,
      .handle = handle_one,
      .begin = begin_subscribe,
      .answer = answer_snapshot,
      .resume = resume_fetch },
    { .name = "u", .needs = RIGHT_READ, .handle = handle_one, .begin = begin_unsubscribe },
    { .name = "bf",
      .needs = RIGHT_READ,
      .handle = handle_bulk,
      .begin = begin_fetch,
      .answer = answer_bulk,
      .resume = resume_fetch },
    { .name = "bs",
      .needs = RIGHT_READ,
      .handle = handle_bulk,
      .begin = begin_subscribe,
      .answer = answer_bulk,
      .go_on = go_on_following,
      .resume = resume_fetch },
    { .name = "bu", .needs = RIGHT_READ, .handle = handle_bulk, .begin = begin_unsubscribe },
    { .name = "nf", .needs = RIGHT_READ, .handle = handle_past, .begin = begin_past },
    { .name = "nt", .needs = RIGHT_READ, .handle = handle_past, .begin = begin_past },
    { .name = "ps", .needs = RIGHT_READ, .handle = handle_listen },
    { .name = "pu", .needs = RIGHT_READ, .handle = handle_unlisten },
    { .name = "p", .needs = RIGHT_READ, .handle = handle_presence, .begin = begin_presence },
    { .name = "pr", .needs = RIGHT_READ, .handle = handle_presence_request },
    { .name = "qf", .needs = RIGHT_READ, .handle = handle_query },
    { .name = "qs", .needs = RIGHT_READ, .handle = handle_query },
    { .name = "qu", .needs = RIGHT_READ, .handle = handle_unquery },
    { .name = "hs", .handle = handle_handshake },
    { .name = "pp", .handle = handle_ping },
};

static const struct action *action_of(const struct ot_json *frame)
{
    struct bytes name;

    if (!frame_string(frame, "a", &name))
        return NULL;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (bytes_equal(name, bytes_of_string(actions[i].name)))
            return &actions[i];
    return NULL;
}

/* Whoever sends this is broken, and nothing can be matched with it. */
static void session_reject(struct session *session, const char *why)
{
    session_send(session, frame_error(&refusal_badly_formed, why));
    session_close(session, PEER_NOT_TEXT, why);
}

static void session_on_request(struct session *session, struct ot_json *frame)
{
    const struct action *action = action_of(frame);

    if (!action)
        session_refuse(session, frame, &refusal_badly_formed, "Invalid or unknown message");
    else if (!principal_may(&session->principal, action->needs))
        session_refuse(session, frame, &refusal_not_allowed, NULL);
    else if (ot_json_flaw(frame) == OT_LIMIT)
        session_refuse_limit(session, frame, LIMIT_OPERATION, "The message is nested too deeply");
    else
        action->handle(session, action, frame);
}

void session_on_frame(struct session *session, const char *text, size_t n_bytes)
{
    struct ot_json *frame = NULL;
    int r;

    if (!session->peer)
        return;
    if (session->is_reading) {
        session_keep_for_later(session, text, n_bytes);
        return;
    }
    session->context->n_frames_in++;
    session->n_message_bytes = n_bytes;
    r = ot_json_parse(text, n_bytes, hub_limits(session->context->hub), &frame, NULL);
    session_on_parsed(session, r, frame);
}

void session_on_parsed(struct session *session, int r, struct ot_json *frame)
{
    if (r < 0)
        session_trouble(session, r);
    else if (r)
        session_reject(session, "The message is not JSON");
    else if (!session->peer)
        ; /* gone meanwhile */
    else if (ot_json_kind(frame) == OT_JSON_OBJECT)
        session_on_request(session, frame);
    else
        session_reject(session, "The message is no object");
    ot_json_unref(frame);
}

void session_on_oversized(struct session *session, const char *start, size_t n_bytes)
{
    struct ot_json *frame = NULL;

    if (!session->peer)
        return;
    session_hits(session, LIMIT_MESSAGE);
    /* Closing would make the client send it again for ever; so it is answered if that is possible at all. */
    if (ot_json_parse_prefix(start, n_bytes, hub_limits(session->context->hub), &frame, NULL) == 0 && action_of(frame))
        session_refuse(session, frame, &refusal_limit, "The message is too large");
    else
        session_close(session, PEER_TOO_BIG, "The message is too large");
    ot_json_unref(frame);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int session_create(struct session_context *context, struct peer *peer, const struct principal *principal,
                   struct bytes author, struct session **out)
{
    struct session *session = calloc(1, sizeof(*session) + author.n_bytes);
    char *behind = (char *)(session + 1);

    if (!session)
        return -ENOMEM;
    session->context = context;
    session->peer = peer;
    list_init(&session->held);
    list_init(&session->later);
    list_init(&session->behind_it);
    list_init(&session->requests);
    list_init(&session->links);
    list_init(&session->listeners);
    list_init(&session->presences);
    list_init(&session->queries);
    session->principal = *principal;
    session->author = principal_name(&session->principal);
    if (author.n_bytes && !principal->is_account) {
        memcpy(behind, author.at, author.n_bytes);
        session->author = bytes_of(behind, author.n_bytes);
    }
    client_id_make(&context->key, hub_world(context->hub), principal_name(principal), &session->id);
    context->n_sessions++;
    *out = session;
    session_send(session, frame_handshake("init", &session->id));
    return 0;
}

void session_free_if_over(struct session *session)
{
    if (!session->has_ended || session->n_requests || session->n_links || session->is_reading)
        return;
    free(session->buckets);
    free(session);
}

/* Not by buckets, whose order is an accident of addresses: the simulation replays what happens here. */
static void end_links(struct session *session)
{
    struct list *node, *next;

    for (node = session->links.next; node != &session->links; node = next) {
        struct session_link *link = LIST_ENTRY(node, struct session_link, link);

        next = node->next;
        document_unsubscribe(&link->subscriber);
        link_free_if_idle(link);
    }
    session->n_subscriptions = 0;
}

/* Pings have nothing outstanding; every other request is ended by the answer of its document. */
static void end_pings(struct session *session)
{
    struct list *node, *next;

    for (node = session->requests.next; node != &session->requests; node = next) {
        struct request *request = LIST_ENTRY(node, struct request, link);

        next = node->next;
        if (request->is_barrier) {
            request_unlist(request);
            request_drop(request);
        }
    }
}

void session_end(struct session *session)
{
    if (!session)
        return;
    session->peer = NULL;
    session->context->n_sessions--;
    queries_end(session);
    presence_end(session);
    past_end(session);
    session_go_on(session);
    session->has_ended = true;
    end_links(session);
    end_pings(session);
    session_free_if_over(session);
}
