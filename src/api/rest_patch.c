/* PATCH: an operation as it is (rest_submit.c), or a patch of a JSON document (json_patch.h).
 *
 *     begin -> (conditions) -> submit: when it gets its place, the patch is made an operation for what is there then
 *
 * So whatever the patch tests is so at that moment, and nobody has to try again. */
#include <errno.h>

#include "api/json_patch.h"
#include "api/rest_inside.h"

struct rest_patch {
    struct rest_submit submit; /* first: it may be an operation as it is */
    patch_fn *apply;
    enum patch_error refused; /* 0: not by the patch */
    struct ot_error error;
    uint64_t seen, seen_ms; /* the version that is as it is wanted already */
};

static struct rest_patch *patch_of(struct rest_write *write)
{
    return (struct rest_patch *)write;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void refuse_media(struct rest_call *call, const char *accepted)
{
    struct rest_reply reply;

    reply_problem(&reply, 415, "ERR_MEDIA_TYPE_NOT_SUPPORTED", "Accept-Patch says what this document takes.");
    reply_header(&reply, "accept-patch", "%s", accepted);
    call_reply(call, &reply);
}

static void refuse_patch(struct rest_call *call, const struct rest_patch *patch)
{
    static const struct answer {
        int status;
        const char *code;
    } answers[] = {
        [PATCH_MALFORMED] = { 400, "ERR_MESSAGE_BADLY_FORMED" },
        [PATCH_NOT_APPLIED] = { 422, "ERR_OT_OP_NOT_APPLIED" },
        [PATCH_TEST_FAILED] = { 409, "ERR_PATCH_TEST_FAILED" },
        [PATCH_LIMIT] = { 413, "ERR_LIMIT_EXCEEDED" },
    };
    const struct answer *answer = &answers[patch->refused];
    struct rest_reply reply;

    reply_problem(&reply, answer->status, answer->code, patch->error.message);
    call_reply(call, &reply);
}

static void on_not_patched(struct rest_write *write, int r)
{
    struct rest_patch *patch = patch_of(write);

    if (r == DOCUMENT_AS_WANTED) {
        write->version = patch->seen - 1;
        write->time_ms = patch->seen_ms;
        write_reply_operation(write);
    } else if (r == DOCUMENT_NOT_APPLIED && patch->refused) {
        refuse_patch(&write->call, patch);
    } else if (r == DOCUMENT_TYPE_UNKNOWN) {
        refuse_media(&write->call, MEDIA_OP);
    } else if (r == DOCUMENT_CHANGED) {
        write_refuse_precondition(write);
    } else {
        write_refuse(write, r);
    }
}

/* ---- making the operation ---------------------------------------------------------------------------------------- */

static int read_operation(struct rest_write *write, const struct ot_op *op)
{
    struct ot_limits deeper = *hub_limits(write->call.context->hub);
    struct buffer text;
    int r;

    deeper.max_depth += 10; /* a value of the greatest depth lies a few levels deep in an operation */
    buffer_init(&text, FRAME_MAX_BYTES);
    r = ot_op_write(op, buffer_write, &text);
    if (!r)
        r = ot_json_parse(text.at, text.n_bytes, &deeper, &write->data, NULL);
    buffer_finish(&text);
    return r > 0 ? DOCUMENT_LIMIT : r;
}

static int make(struct submission *submission, const struct document_view *tip)
{
    struct rest_write *write = LIST_ENTRY(submission, struct rest_write, submission);
    const struct rest_parse *sent = &write->parse;
    struct rest_patch *patch = patch_of(write);
    struct ot_op *op = NULL;
    int r;

    ot_json_unref(write->data);
    write->data = submission->data = NULL;
    patch->seen = tip->version;
    patch->seen_ms = tip->modified_ms;
    if (!tip->type)
        return DOCUMENT_MISSING;
    if (!ot_snapshot_part(tip->snapshot))
        return DOCUMENT_TYPE_UNKNOWN;
    r = patch->apply(tip->snapshot, sent->json, sent->body.n_bytes, sent->limits, &op, &patch->error);
    patch->refused = r > 0 ? (enum patch_error)r : 0;
    if (r)
        return r > 0 ? DOCUMENT_NOT_APPLIED : r;
    r = ot_op_is_noop(op) ? DOCUMENT_AS_WANTED : read_operation(write, op);
    submission->data = write->data;
    ot_op_unref(op);
    return r;
}

static void submit(struct rest_write *write, uint64_t version)
{
    write_submit(write, &(struct submission){
                            .kind = STEP_EDIT, .version = version, .only_now = version != DOCUMENT_NOW, .make = make });
}

static void patch_on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    if (r)
        call_fail(&write->call, r);
    else if (write_conditions(write, view))
        submit(write, write_is_strict(write) ? view->version : DOCUMENT_NOW);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static patch_fn *form_of(struct bytes content_type)
{
    if (media_is(content_type, MEDIA_JSON_PATCH))
        return json_patch;
    return media_is(content_type, MEDIA_MERGE_PATCH) ? merge_patch : NULL;
}

static void on_parsed(struct rest_write *write)
{
    struct rest_call *call = &write->call;

    if (ot_json_flaw(write->parse.json)) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "The patch holds what no document may hold.");
        return;
    }
    if (!call_open(call))
        return;
    write->on_written = write_reply_operation;
    write->on_refused = on_not_patched;
    if (call_has_conditions(call))
        write_look(write, patch_on_view);
    else
        submit(write, DOCUMENT_NOW);
}

static void patch_begin(struct rest_call *call, struct bytes body)
{
    struct bytes content_type = call_header(&call->request, "content-type");
    struct rest_patch *patch = (struct rest_patch *)call;
    struct rest_write *write = &patch->submit.write;

    patch->apply = form_of(content_type);
    if (media_is(content_type, MEDIA_OP))
        rest_submit.begin(call, body);
    else if (!patch->apply)
        refuse_media(call, ACCEPT_PATCH);
    else if (call_may_write(call) && call_may_take(call, body) && write_read_key(write, body))
        write_parse(write, &(struct rest_parse){ .body = body, .on_parsed = on_parsed });
}

const struct rest_action rest_patch = { patch_begin, sizeof(struct rest_patch), write_finish };
