/* GET and HEAD of a document, as it is or as it was. */
#include <errno.h>

#include "api/percent.h"
#include "api/refusal.h"
#include "api/rest_inside.h"
#include "base/timestamp.h"

struct rest_read {
    struct rest_call call;
    struct fetch fetch;
    enum { READ_PRESENT, READ_VERSION, READ_TIME } what;
};

/* ---- representations --------------------------------------------------------------------------------------------- */

static int write_text(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    return ot_snapshot_write_text(view->snapshot, buffer_write, into);
}

static int write_json(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    return ot_snapshot_write_json(view->snapshot, buffer_write, into);
}

static int write_snapshot(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    char created[TIME_BYTES], modified[TIME_BYTES];
    int r;

    time_write(view->created_ms, created);
    time_write(view->modified_ms, modified);
    write_member(into, "{\"collection\":", call->name.collection);
    write_member(into, ",\"id\":", call->name.id);
    write_member(into, ",\"type\":", bytes_of_string(ot_type_name(view->type)));
    (void)buffer_append_string(into, ",\"version\":");
    (void)buffer_append_u64(into, view->version);
    (void)buffer_append_string(into, ",\"data\":");
    r = ot_snapshot_write_json(view->snapshot, buffer_write, into);
    return r ? r : buffer_printf(into, ",\"created\":\"%s\",\"modified\":\"%s\"}", created, modified);
}

struct representation {
    const char *media, *content_type, *etag_suffix;
    int (*write)(const struct rest_call *, const struct document_view *, struct buffer *into);
};

static const struct representation of_text[] = {
    { MEDIA_TEXT, MEDIA_TEXT "; charset=utf-8", "", write_text },
    { MEDIA_JSON, MEDIA_JSON, "-json", write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", write_snapshot },
};

static const struct representation of_json[] = {
    { MEDIA_JSON, MEDIA_JSON, "", write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", write_snapshot },
};

#define REPRESENTATIONS_MAX 3

bool type_is_text(const struct ot_type *type)
{
    return strcmp(ot_type_name(type), "text-unicode") == 0;
}

/* NULL: none fits. */
static const struct representation *choose(const struct rest_call *call, const struct ot_type *type)
{
    bool is_text = type_is_text(type);
    const struct representation *all = is_text ? of_text : of_json;
    size_t n = is_text ? sizeof(of_text) / sizeof(of_text[0]) : sizeof(of_json) / sizeof(of_json[0]);
    const char *offers[REPRESENTATIONS_MAX];
    int chosen;

    for (size_t i = 0; i < n; i++)
        offers[i] = all[i].media;
    chosen = accept_choose(call_header(&call->request, "accept"), offers, n);
    return chosen < 0 ? NULL : &all[chosen];
}

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
    const struct representation *representation = view->type ? choose(call, view->type) : NULL;
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
        reply_header(&reply, "etag", "\"%s\"", etag);
        reply_version(&reply, view->version);
        reply_header(&reply, "vary", "Accept, Accept-Encoding");
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
    else if (call_open(call))
        document_fetch(call->document, &read->fetch);
}

const struct rest_action rest_read = { read_begin, sizeof(struct rest_read), NULL };
