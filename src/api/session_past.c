/* Snapshots of the past: nf (by version) and nt (by time). The log is replayed from its beginning.
 *
 *     begin -> the head -> no more than that? -> the operations below, one by one -> answer
 */
#include <errno.h>

#include "api/session_inside.h"

static struct part *part_of(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct part, fetch);
}

static bool is_by_time(const struct part *part)
{
    return strcmp(part->request->action->name, "nt") == 0;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void finish(struct part *part, int r)
{
    struct request *request = part->request;
    struct session *session = request->session;
    const struct document_view view = { .version = part->past.version,
                                        .type = part->past.type,
                                        .snapshot = part->past.value };

    if (r < 0)
        session_trouble(session, r);
    else if (r > 0)
        session_refuse(session, request->frame, refusal_of_document(r), NULL);
    else
        session_send(session, frame_past(request->frame, &view));
    request->is_answered = true;
    past_finish(&part->past);
    link_has_place(part->at);
    part_done(part);
}

static void answer_present(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = part_of(fetch);

    if (!r) {
        part->past.version = view->version;
        part->past.type = view->type;
        if (view->type)
            r = ot_snapshot_share(view->snapshot, &part->past.value);
    }
    finish(part, r);
}

/* ---- replay ------------------------------------------------------------------------------------------------------ */

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct part *part = part_of(fetch);
    const struct ot_limits *limits = hub_limits(part->request->session->context->hub);
    struct step step = { .kind = STEP_NOTHING };

    if (!part->request->session->peer || part->past_r || part->past_is_over) {
        fetch_stop(fetch);
        return;
    }
    if (op->time_ms > part->until_ms) {
        part->past_is_over = true; /* times never run backwards, so all that follow are later, too */
        return;
    }
    part->past_r = step_parse(op->body, part->past.type, limits, &step);
    if (!part->past_r)
        part->past_r = past_step(&part->past, &step, op->time_ms, limits);
    step_finish(&step);
}

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = part_of(fetch);

    (void)view;
    if (r == -ECANCELED && part->past_is_over)
        r = 0;
    finish(part, part->past_r ? part->past_r : r);
}

static void on_head(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = part_of(fetch);
    uint64_t to = is_by_time(part) ? DOCUMENT_NOW : part->version;

    if (!r && to != DOCUMENT_NOW && to > view->version)
        r = DOCUMENT_VERSION_AHEAD;
    if (r || to == 0) {
        finish(part, r);
        return;
    }
    part->fetch = (struct fetch){ .what = FETCH_OPS, .to = to, .on_op = on_op, .on_done = on_done };
    document_fetch(part->at->document, &part->fetch);
}

void begin_past(struct part *part)
{
    const struct ot_json *ts = ot_json_get(part->request->frame, "ts", 2);
    bool is_now = is_by_time(part) ? !ts || ot_json_kind(ts) == OT_JSON_NULL : part->version == DOCUMENT_NOW;

    part->until_ms = UINT64_MAX;
    if (is_by_time(part) && !is_now)
        (void)ot_json_integer(ts, &part->until_ms);
    part->fetch =
        (struct fetch){ .what = is_now ? FETCH_SNAPSHOT : FETCH_BARRIER, .on_done = is_now ? answer_present : on_head };
    document_fetch(part->at->document, &part->fetch);
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
