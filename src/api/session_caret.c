/* Presence on a document: brought up to date over the operations it does not know yet, and then shown. */
#include <errno.h>

#include "api/session_inside.h"

static struct part *part_of(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct part, fetch);
}

static int move_over_edit(struct part *part, const struct ot_op *op, bool is_own)
{
    struct ot_json *moved = NULL;
    int r = ot_op_transform_presence(op, part->presence, is_own, &moved, NULL);

    if (r)
        return r;
    ot_json_unref(part->presence);
    part->presence = moved;
    if (ot_json_kind(moved) == OT_JSON_NULL) {
        ot_json_unref(moved);
        part->presence = NULL;
    }
    return 0;
}

/* What is shown of a document that is gone, or is another by now, is nothing. */
static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct part *part = part_of(fetch);
    struct session *session = part->request->session;
    struct step step = { .kind = STEP_NOTHING };

    if (!session->peer)
        fetch_stop(fetch);
    if (!session->peer || !part->presence || part->presence_r)
        return;
    part->presence_r =
        step_parse(op->body, presence_type(part->request->frame), hub_limits(session->context->hub), &step);
    if (!part->presence_r && step.kind == STEP_EDIT)
        part->presence_r = move_over_edit(part, step.op, session_is_own(session, op->src));
    if (!part->presence_r && (step.kind == STEP_CREATE || step.kind == STEP_DELETE)) {
        ot_json_unref(part->presence);
        part->presence = NULL;
    }
    step_finish(&step);
}

static void finish(struct part *part, int r, uint64_t version)
{
    struct session *session = part->request->session;
    const struct ot_json *frame = part->request->frame;
    struct presence_update update;

    if (r == -ENOMEM || part->presence_r == -ENOMEM || (r < 0 && r != -EBADMSG)) {
        session_trouble(session, r ? r : part->presence_r);
        return;
    }
    if (r > 0 || part->presence_r) {
        session_refuse(session, frame, r > 0 ? refusal_of_document(r) : &refusal_presence_transform, NULL);
        return;
    }
    (void)presence_read(frame, &update);
    update.value = part->request->is_left ? NULL : part->presence;
    update.document = part->at->document;
    update.version = version;
    update.type = presence_type(frame);
    presence_show(session, frame, &update);
}

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct part *part = part_of(fetch);

    finish(part, r, view ? view->version : 0);
    ot_json_unref(part->presence);
    part->presence = NULL;
    part->request->is_answered = true;
    link_has_place(part->at);
    part_done(part);
}

/* Until it is up to date nothing else about this document is begun: the next update must not overtake it. */
void begin_presence(struct part *part)
{
    struct ot_json *value = ot_json_get(part->request->frame, "p", 1);

    part->presence = value && ot_json_kind(value) != OT_JSON_NULL ? ot_json_ref(value) : NULL;
    part->presence_r = 0;
    part->fetch = (struct fetch){ .what = part->version == DOCUMENT_NOW ? FETCH_BARRIER : FETCH_OPS,
                                  .from = part->version,
                                  .to = DOCUMENT_NOW,
                                  .on_op = on_op,
                                  .on_done = on_done };
    document_fetch(part->at->document, &part->fetch);
}
