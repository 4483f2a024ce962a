/* GET and HEAD of a document, as it is or as it was. */
#include <errno.h>

#include "api/percent.h"
#include "api/refusal.h"
#include "api/rest_inside.h"

struct rest_read {
    struct rest_call call;
    struct fetch fetch;
    enum { READ_PRESENT, READ_VERSION, READ_TIME } what;
};

/* ---- answering --------------------------------------------------------------------------------------------------- */

static void refuse_missing(struct rest_call *call, const struct document_view *view)
{
    struct rest_reply reply;

    reply_trouble(&reply, DOCUMENT_MISSING, NULL);
    if (view->version)
        reply_version(&reply, view->version);
    call_reply(call, &reply);
}

static void reply_content(struct rest_reply *reply, const struct rest_call *call, const struct document_view *view,
                          const struct representation *representation)
{
    struct buffer body;
    int r;

    buffer_init(&body, FRAME_MAX_BYTES);
    r = representation->write(call, view, &body);
    if (r)
        reply_trouble(reply, r > 0 ? -EBADMSG : r, NULL);
    else
        reply_body(reply, representation->content_type, &body);
    buffer_finish(&body);
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
    struct bytes if_none_match = call_header(&call->request, "if-none-match");
    const struct representation *representation = view->type ? representation_choose(call, view->type) : NULL;
    char etag[ETAG_BYTES];
    struct rest_reply reply;

    if (!view->type) {
        refuse_missing(call, view);
        return;
    }
    if (!representation) {
        call_refuse(call, 406, "ERR_NOT_ACCEPTABLE", "The document has no such representation.");
        return;
    }
    etag_write(view->version, view->modified_ms, representation->etag_suffix, etag);
    reply_init(&reply, 200);
    if (etags_are_any(if_none_match) || etags_have(if_none_match, etag))
        reply_init(&reply, 304);
    else
        reply_content(&reply, call, view, representation);
    if (reply.response.status < 400) {
        reply_etag_text(&reply, etag);
        reply_version(&reply, view->version);
        reply_header_constant(&reply, "vary", "Accept, Accept-Encoding");
        reply_caching(&reply, call, is_immutable(read, view));
    }
    call_reply(call, &reply);
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
        call_wait(call, wait_for_change, go_on);
    else if (call_open(call))
        document_fetch(call->document, &read->fetch);
}

const struct rest_action rest_read = { read_begin, sizeof(struct rest_read), NULL };
