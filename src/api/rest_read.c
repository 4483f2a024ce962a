/* GET and HEAD of a document, as it is or as it was. */
#include "api/rest_read.h"
#include "api/gzip.h"
#include "api/percent.h"
#include "api/refusal.h"

static struct choice choose(const struct rest_request *request, const struct document_view *view)
{
    return (struct choice){ .representation = representation_choose(call_header(request, "accept"), view->type),
                            .takes_gzip = accepts_gzip(call_header(request, "accept-encoding")) &&
                                          !call_header(request, "range").at, /* of the text, not of its coding */
                            .version = view->version,
                            .modified_ms = view->modified_ms };
}

static struct rest_form form_of(const struct choice *choice)
{
    return (struct rest_form){ choice->representation, choice->takes_gzip };
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* Whether he has it already. etag: of the form that he has. */
static bool is_known(const struct rest_request *request, const struct choice *choice, char etag[ETAG_BYTES])
{
    struct bytes list = call_header(request, "if-none-match");

    if (!list.at)
        return false;
    etag_write(choice->version, choice->modified_ms, choice->representation->etag_suffix, etag);
    return etags_are_any(list) || etags_have_form(list, choice->takes_gzip, etag);
}

static void reply_choice(struct rest_reply *reply, const struct rest_request *request, const struct choice *choice,
                         const char *etag)
{
    reply_etag_text(reply, etag);
    reply_version(reply, choice->version);
    reply_header_constant(reply, "vary", "Accept, Accept-Encoding");
    if (choice->representation->policy)
        reply_header_constant(reply, "content-security-policy", choice->representation->policy);
    reply_caching(reply, &request->principal, choice->is_immutable);
}

static void reply_known(struct rest_reply *reply, const struct rest_request *request, const struct choice *choice,
                        const char *etag)
{
    reply_init(reply, 304);
    reply_choice(reply, request, choice, etag);
}

void reply_whole(struct rest_reply *reply, const struct rest_request *request, const struct choice *choice,
                 struct rest_body body)
{
    char etag[ETAG_BYTES];

    etag_write(choice->version, choice->modified_ms, choice->representation->etag_suffix, etag);
    if (body.is_gzip)
        etag_add_gzip(etag);
    reply_init(reply, 200);
    reply->response.body = frame_ref(body.frame);
    reply_header_constant(reply, "content-type", choice->representation->content_type);
    if (body.is_gzip)
        reply_header_constant(reply, "content-encoding", "gzip");
    reply_choice(reply, request, choice, etag);
    reply_range(reply, request, etag);
}

/* ---- at once ----------------------------------------------------------------------------------------------------- */

/* Nothing but the document as it is now. */
static bool is_simple(const struct rest_request *request)
{
    return !request->query.n_bytes && !call_header(request, "prefer").at && !call_header(request, "range").at;
}

/* False: the document has to be fetched for it. */
static bool reply_from_head(struct rest_reply *reply, const struct rest_client *client, const struct document *document)
{
    struct document_view view;
    struct choice choice;
    struct rest_body body;
    char etag[ETAG_BYTES];

    if (!document_glance(document, &view) || !view.type)
        return false;
    choice = choose(client->request, &view);
    if (!choice.representation)
        return false;
    if (is_known(client->request, &choice, etag)) {
        reply_known(reply, client->request, &choice, etag);
        return true;
    }
    body = rest_cache_find(client->context->cache, document, choice.version, form_of(&choice));
    if (body.frame)
        reply_whole(reply, client->request, &choice, body);
    return body.frame;
}

static bool read_at_once(const struct rest_client *client, struct store_name name)
{
    struct document *document = is_simple(client->request) ? hub_find(client->context->hub, name) : NULL;
    struct rest_reply reply;
    bool is_done = document && reply_from_head(&reply, client, document);

    document_unref(document);
    if (is_done)
        client_reply(client, &reply);
    return is_done;
}

/* ---- from the value ---------------------------------------------------------------------------------------------- */

static void refuse_missing(struct rest_call *call, const struct document_view *view)
{
    struct rest_reply reply;

    reply_trouble(&reply, DOCUMENT_MISSING, NULL);
    if (view->version)
        reply_version(&reply, view->version);
    call_reply(call, &reply);
}

/* What is newest at a time is not settled before there is something newer. */
static bool is_immutable(const struct rest_read *read, const struct document_view *view)
{
    return read->what == READ_VERSION ||
           (read->what == READ_TIME && view->version < document_head(read->call.document));
}

static void answer(struct rest_read *read, const struct document_view *view)
{
    struct rest_call *call = &read->call;
    char etag[ETAG_BYTES];
    struct rest_reply reply;

    if (!view->type) {
        refuse_missing(call, view);
        return;
    }
    read->choice = choose(&call->request, view);
    read->choice.is_immutable = is_immutable(read, view);
    if (!read->choice.representation) {
        call_refuse(call, 406, "ERR_NOT_ACCEPTABLE", "The document has no such representation.");
    } else if (is_known(&call->request, &read->choice, etag)) {
        reply_known(&reply, &call->request, &read->choice, etag);
        call_reply(call, &reply);
    } else {
        read_give(read, view);
    }
}

static void read_finish(struct rest_call *call)
{
    struct rest_read *read = (struct rest_read *)call;

    frame_unref(read->plain);
    frame_unref(read->compressed);
    ot_snapshot_destroy(read->snapshot);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_read *read = LIST_ENTRY(fetch, struct rest_read, fetch);

    if (r == DOCUMENT_OPS_GONE)
        call_refuse(&read->call, 410, refusal_of_document(r)->code,
                    "That version is not kept any more: its operations were merged, or removed.");
    else if (r)
        call_fail_version(&read->call, r);
    else
        answer(read, view);
}

/* False: it is neither one nor missing. */
static bool read_time(struct bytes query, struct rest_read *read)
{
    uint64_t ms;

    if (!parameter_raw(query, "at").at)
        return true;
    if (parameter_time(query, "at", &ms))
        return false;
    read->what = READ_TIME;
    read->fetch.what = FETCH_PAST;
    fetch_until(&read->fetch, ms);
    return true;
}

static bool read_version(struct bytes query, struct rest_read *read)
{
    uint64_t version = DOCUMENT_NOW;

    if (parameter_number(query, "version", &version))
        return false;
    if (version == DOCUMENT_NOW)
        return true;
    read->what = READ_VERSION;
    read->fetch.what = FETCH_PAST;
    read->fetch.to = version;
    return true;
}

static void go_on(struct rest_call *call, struct committed_op *news)
{
    (void)news;
    document_fetch(call->document, &((struct rest_read *)call)->fetch);
}

static bool entry_is_known(struct rest_read *read, const struct store_entry *entry, char etag[ETAG_BYTES])
{
    const struct rest_request *request = &read->call.request;
    const struct store_info *info = &entry->info;
    const struct document_view view = { .version = info->head,
                                        .type = ot_type_find(info->state.type.at, info->state.type.n_bytes),
                                        .modified_ms = info->modified_ms };

    if (!bytes_equal(entry->id, read->call.name.id) || !info->state.exists || !view.type)
        return false;
    read->choice = choose(request, &view);
    return read->choice.representation && is_known(request, &read->choice, etag);
}

static void on_entry(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct rest_read *read = arg;
    char etag[ETAG_BYTES];
    struct rest_reply reply;

    (void)more;
    if (r || !n || !entry_is_known(read, &entries[0], etag)) {
        call_wait(&read->call, wait_for_change, go_on);
        return;
    }
    reply_known(&reply, &read->call.request, &read->choice, etag);
    call_reply(&read->call, &reply);
}

/* Who only wants to know whether there is something new is answered from the listing, where the head is, rather than
 * that a document is loaded for it, and another unloaded. False: it has not been asked. */
static bool read_entry(struct rest_read *read)
{
    struct rest_call *call = &read->call;
    struct document *loaded;

    if (!is_simple(&call->request) || !call_header(&call->request, "if-none-match").at)
        return false;
    loaded = hub_find(call->context->hub, call->name);
    document_unref(loaded);
    read->query = (struct store_list_query){
        .collection = call->name.collection, .prefix = call->name.id, .limit = 1, .deleted = true
    };
    return !loaded && !store_list(hub_store(call->context->hub), &read->query, on_entry, read);
}

static void read_present(struct rest_read *read)
{
    if (!read_entry(read))
        call_wait(&read->call, wait_for_change, go_on);
}

static void read_begin(struct rest_call *call, struct bytes body)
{
    struct rest_read *read = (struct rest_read *)call;
    struct bytes query = call->request.query;

    (void)body;
    read->fetch = (struct fetch){ .what = FETCH_SNAPSHOT, .on_done = on_view };
    if (!read_version(query, read))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid version");
    else if (!read_time(query, read))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED",
                    "Invalid time: at is RFC 3339, as in 2026-11-01T12:00:00Z or 2026-11-01T13:00:00+01:00");
    else if (read->what == READ_TIME && parameter_raw(query, "version").at)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Either a version or a time");
    else if (read->what == READ_PRESENT)
        read_present(read);
    else if (call_open(call))
        document_fetch(call->document, &read->fetch);
}

const struct rest_action rest_read = { read_begin, sizeof(struct rest_read), read_finish, read_at_once };
