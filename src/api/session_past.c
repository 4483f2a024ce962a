/* Snapshots of the past: nf (by version) and nt (by time). */
#include <errno.h>

#include "api/session_inside.h"

static bool is_by_time(const struct part *part)
{
    return strcmp(part->request->action->name, "nt") == 0;
}

static void on_past(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = LIST_ENTRY(fetch, struct part, fetch);
    struct request *request = part->request;
    struct session *session = request->session;
    struct frame *frame;

    if (!r)
        r = frame_past(request->frame, view, session->context->limits.snapshot_max_bytes, &frame);
    if (!r)
        session_send(session, frame);
    else if (r == -E2BIG)
        session_refuse_limit(session, request->frame, LIMIT_BULK, "The document is too large");
    else if (r < 0)
        session_trouble(session, r);
    else
        session_refuse(session, request->frame, refusal_of_document(r), NULL);
    request->is_answered = true;
    link_has_place(part->at);
    part_done(part);
}

void begin_past(struct part *part)
{
    const struct ot_json *ts = ot_json_get(part->request->frame, "ts", 2);
    uint64_t ms;

    part->fetch = (struct fetch){ .what = FETCH_PAST, .to = part->version, .on_done = on_past };
    if (is_by_time(part)) {
        part->fetch.to = DOCUMENT_NOW;
        if (ts && ot_json_integer(ts, &ms))
            fetch_until(&part->fetch, ms);
    }
    document_fetch(part->at->document, &part->fetch);
}

void past_end(struct session *session)
{
    LIST_FOR_EACH (node, &session->requests) {
        struct request *request = LIST_ENTRY(node, struct request, link);

        if (request->action->begin == begin_past && request->parts[0].has_begun)
            fetch_stop(&request->parts[0].fetch);
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static bool is_time(const struct ot_json *ts)
{
    uint64_t ms;

    return !ts || ot_json_kind(ts) == OT_JSON_NULL || ot_json_integer(ts, &ms);
}

void handle_past(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct store_name name;
    uint64_t version;

    if (!session_names(session, frame, &name, &version))
        return;
    if (is_time(ot_json_get(frame, "ts", 2)))
        request_start_one(session, action, frame, name, version);
    else
        session_refuse(session, frame, &refusal_badly_formed, "Invalid timestamp");
}
