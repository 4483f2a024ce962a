/* Presence on a document: brought up to date over the operations it does not know yet, and then shown. */
#include <errno.h>

#include "api/session_inside.h"

/* Whoever follows a document is never so far behind, and reading much more would be work without a bound for each of
 * very many updates. */
#define N_BEHIND_MAX 1000

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

/* What is shown of a document that is gone, or is another by now, is nothing. Then, or when it can't be moved, the
 * operations that follow change nothing any more. */
static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct part *part = part_of(fetch);
    struct session *session = part->request->session;
    struct step step = { .kind = STEP_NOTHING };

    if (!session->peer) {
        fetch_stop(fetch);
        return;
    }
    part->presence_r =
        step_parse(op->body, presence_type(part->request->frame), hub_limits(session->context->hub), &step);
    if (!part->presence_r && step.kind == STEP_EDIT)
        part->presence_r = move_over_edit(part, step.op, session_is_own(session, op->src));
    if (!part->presence_r && (step.kind == STEP_CREATE || step.kind == STEP_DELETE)) {
        ot_json_unref(part->presence);
        part->presence = NULL;
    }
    step_finish(&step);
    if (!part->presence || part->presence_r)
        fetch_stop(fetch);
}

static void finish(struct part *part, int r, uint64_t version)
{
    struct session *session = part->request->session;
    const struct ot_json *frame = part->request->frame;
    struct presence_update update;

    if (r < 0 || part->presence_r == -ENOMEM) {
        session_trouble(session, r ? r : part->presence_r);
        return;
    }
    if (r > 0 || part->presence_r) {
        bool is_of_document = r > 0 && r != DOCUMENT_LIMIT;

        session_refuse(session, frame, is_of_document ? refusal_of_document(r) : &refusal_presence_transform, NULL);
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
    uint64_t version = view ? view->version : document_head(part->at->document);

    if (r == -ECANCELED && part->request->session->peer)
        r = 0; /* what comes of it was certain before the end */
    else if (!r && part->version != DOCUMENT_NOW && part->version > version)
        r = DOCUMENT_VERSION_AHEAD;
    finish(part, r, version);
    ot_json_unref(part->presence);
    part->presence = NULL;
    part->request->is_answered = true;
    link_has_place(part->at);
    part_done(part);
}

/* Until it is up to date nothing else about this document is begun: the next update must not overtake it. Nothing need
 * be moved for what is taken back, which is never refused for being late. */
void begin_presence(struct part *part)
{
    struct ot_json *value = ot_json_get(part->request->frame, "p", 1);
    bool is_moved;

    part->presence = value && ot_json_kind(value) != OT_JSON_NULL ? ot_json_ref(value) : NULL;
    part->presence_r = 0;
    is_moved = part->presence && part->version != DOCUMENT_NOW;
    part->fetch = (struct fetch){ .what = is_moved ? FETCH_OPS : FETCH_BARRIER,
                                  .from = part->version,
                                  .to = DOCUMENT_NOW,
                                  .n_max = N_BEHIND_MAX,
                                  .on_op = on_op,
                                  .on_done = on_done };
    document_fetch(part->at->document, &part->fetch);
}
