/* Operations: what the frame must hold, what the author is sent. */
#include <errno.h>

#include "api/session_inside.h"
#include "base/name.h"

#define SEQ_TOO_LARGE 9007199254740991.0 /* 2^53-1 */

static struct part *part_of(struct submission *submission)
{
    return LIST_ENTRY(submission, struct part, submission);
}

/* Operations that the author needs before the acknowledgement; what his subscription has brought he has. */
static void on_missed(struct submission *submission, struct committed_op *op)
{
    struct session_link *link = part_of(submission)->at;
    struct session *session = link->session;
    struct frame *frame;

    if (!session->peer)
        return;
    if (link->is_subscribed && op->version >= link->subscribed_from && !session_is_own(session, op->src))
        return;
    frame = frame_of_op(op, document_name(link->document));
    if (frame)
        peer_reply(session->peer, frame);
    else
        session_close(session, PEER_TRY_LATER, "out of memory");
    if (!submission->was_accepted && part_is_to_wait(part_of(submission)))
        submission_hold(submission);
}

static void on_far_behind(struct submission *submission)
{
    part_is_behind(part_of(submission));
}

/* Also for who has gone: what was received is committed. */
void resume_op(struct part *part)
{
    submission_go_on(&part->submission);
}

static void has_place(struct part *part)
{
    part_is_behind_no_more(part);
    link_has_place(part->at);
}

static void on_accepted(struct submission *submission)
{
    has_place(part_of(submission));
}

static void on_done(struct submission *submission, int r, uint64_t version)
{
    struct part *part = part_of(submission);
    struct request *request = part->request;
    struct session *session = request->session;

    request->is_answered = true;
    if (r < 0)
        session_trouble(session, r);
    else if (r == DOCUMENT_LIMIT)
        session_refuse_limit(session, request->frame, LIMIT_OPERATION, submission->error.message);
    else if (r > 0)
        session_refuse(session, request->frame, refusal_of_document(r), submission->error.message);
    else
        session_send(session, frame_acknowledgement(document_name(part->at->document), version, &submission->id));
    if (!submission->was_accepted)
        has_place(part); /* it failed before it had one */
    part_done(part);
}

/* ---- the frame --------------------------------------------------------------------------------------------------- */

static inline const struct ot_json *present(const struct ot_json *frame, const char *key)
{
    const struct ot_json *value = frame_member(frame, key);

    return value && ot_json_kind(value) != OT_JSON_NULL ? value : NULL;
}

struct problem {
    const struct refusal *refusal; /* NULL: none */
    const char *message;
};

static struct problem read_seq(const struct ot_json *frame, uint64_t *seq)
{
    const struct ot_json *value = present(frame, "seq");

    if (!value)
        return (struct problem){ &refusal_op_badly_formed, "The operation has no seq" };
    if (ot_json_kind(value) == OT_JSON_NUMBER && ot_json_number(value) >= SEQ_TOO_LARGE)
        return (struct problem){ &refusal_seq_overflow, NULL };
    if (!ot_json_integer(value, seq))
        return (struct problem){ &refusal_badly_formed, "Invalid seq" };
    return (struct problem){ NULL, NULL };
}

/* The connection's own id, or another that was given to the same principal: a client may come back under one. */
static struct problem read_src(const struct session *session, const struct ot_json *frame, struct part *part)
{
    struct bytes *src = &part->submission.id.src;

    if (!present(frame, "src")) {
        part->src = session->id;
        *src = bytes_of(part->src.text, CLIENT_ID_CHARS);
        return (struct problem){ NULL, NULL };
    }
    if (!frame_string(frame, "src", src))
        return (struct problem){ &refusal_op_badly_formed, "The src is no string" };
    if (!session_is_own(session, *src) &&
        !client_id_belongs(&session->context->key, *src, principal_name(&session->principal)))
        return (struct problem){ &refusal_src_not_owned, NULL };
    return (struct problem){ NULL, NULL };
}

static struct problem read_create(const struct ot_json *create, struct submission *submission)
{
    submission->kind = STEP_CREATE;
    if (ot_json_kind(create) != OT_JSON_OBJECT || !frame_string(create, "type", &submission->type))
        return (struct problem){ &refusal_op_badly_formed, "create must be an object with a type" };
    submission->data = ot_json_get(create, "data", 4);
    return (struct problem){ NULL, NULL };
}

/* Exactly one of op, create and del. An op that is null is an op. */
static struct problem read_kind(const struct ot_json *frame, struct submission *submission)
{
    struct ot_json *op = ot_json_get(frame, "op", 2);
    const struct ot_json *create = present(frame, "create"), *del = present(frame, "del");

    if ((op != NULL) + (create != NULL) + (del != NULL) != 1)
        return (struct problem){ &refusal_badly_formed, "There must be exactly one of op, create and del" };
    if (create)
        return read_create(create, submission);
    if (del && ot_json_kind(del) != OT_JSON_TRUE)
        return (struct problem){ &refusal_op_badly_formed, "del must be true" };
    submission->kind = op ? STEP_EDIT : STEP_DELETE;
    submission->data = op;
    return (struct problem){ NULL, NULL };
}

static struct problem read_op(const struct session *session, struct part *part)
{
    const struct ot_json *frame = part->request->frame;
    struct submission *submission = &part->submission;
    struct problem problem = read_seq(frame, &submission->id.seq);

    if (!problem.refusal)
        problem = read_src(session, frame, part);
    if (!problem.refusal)
        problem = read_kind(frame, submission);
    return problem;
}

void begin_op(struct part *part)
{
    document_submit(part->at->document, &part->submission);
}

void handle_op(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct store_name name;
    struct request *request;
    struct part *part;
    struct problem problem;
    uint64_t version;

    if (!session_names(session, frame, &name, &version))
        return;
    request = request_create(session, action, frame, 1);
    if (!request || !request_add(request, name, version)) {
        if (request)
            request_drop(request);
        session_trouble(session, -ENOMEM);
        return;
    }
    part = &request->parts[0];
    part->submission = (struct submission){ .author = session->author,
                                            .version = version,
                                            .is_large = session->is_large,
                                            .on_missed = on_missed,
                                            .on_far_behind = on_far_behind,
                                            .on_accepted = on_accepted,
                                            .on_done = on_done };
    problem = read_op(session, part);
    if (!problem.refusal) {
        request_start(request);
        return;
    }
    session_refuse(session, frame, problem.refusal, problem.message);
    request_drop(request);
}
