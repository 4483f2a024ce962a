/* What all writing has in common: conditions, submitting, and learning when it was committed, for the ETag. */
#include "api/percent.h"
#include "api/rest_inside.h"

struct rest_write *write_of_fetch(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct rest_write, fetch);
}

void write_finish(struct rest_call *call)
{
    ot_json_unref(((struct rest_write *)call)->data);
}

void write_look(struct rest_write *write, void (*on_done)(struct fetch *, int, const struct document_view *))
{
    write->fetch = (struct fetch){ .what = FETCH_SNAPSHOT, .on_done = on_done };
    document_fetch(write->call.document, &write->fetch);
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

void write_refuse_precondition(struct rest_write *write)
{
    call_refuse(&write->call, 412, "ERR_PRECONDITION_FAILED", "The document is not as the request wants it.");
}

bool write_is_strict(const struct rest_write *write)
{
    struct bytes if_match = call_header(&write->call.request, "if-match");

    return if_match.n_bytes && !etags_are_any(if_match);
}

bool write_conditions(struct rest_write *write, const struct document_view *view)
{
    struct bytes if_match = call_header(&write->call.request, "if-match");
    struct bytes if_none_match = call_header(&write->call.request, "if-none-match");
    bool holds = true;

    if (if_match.n_bytes)
        holds = view->type && (etags_are_any(if_match) || etags_name(if_match, view->version, view->modified_ms));
    if (if_none_match.n_bytes && view->type)
        holds = holds && !etags_are_any(if_none_match) && !etags_name(if_none_match, view->version, view->modified_ms);
    if (!holds)
        write_refuse_precondition(write);
    return holds;
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

static void on_time(struct fetch *fetch, struct committed_op *op)
{
    write_of_fetch(fetch)->time_ms = op->time_ms;
}

/* It is committed, whatever comes of this. */
static void on_timed(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    write->on_written(write);
}

void write_refuse(struct rest_write *write, int r)
{
    struct rest_reply reply;

    reply_trouble(&reply, r, r > 0 ? write->submission.error.message : NULL);
    call_reply(&write->call, &reply);
}

static void on_submitted(struct submission *submission, int r, uint64_t version)
{
    struct rest_write *write = LIST_ENTRY(submission, struct rest_write, submission);

    if (r && write->on_refused) {
        write->on_refused(write, r);
    } else if (r) {
        write_refuse(write, r);
    } else {
        write->version = version;
        write->fetch = (struct fetch){
            .what = FETCH_OPS, .from = version, .to = version + 1, .on_op = on_time, .on_done = on_timed
        };
        document_fetch(write->call.document, &write->fetch);
    }
}

void write_submit(struct rest_write *write, const struct submission *what)
{
    struct rest_call *call = &write->call;

    if (!write->src[0])
        who_src_random(hub_world(call->context->hub), write->src);
    write->submission = *what;
    write->submission.id = (struct op_id){ bytes_of_string(write->src), write->seq };
    write->submission.author = bytes_of(write->author, who_author(&call->request, write->author));
    write->submission.on_done = on_submitted;
    document_submit(call->document, &write->submission);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void write_reply_version(struct rest_reply *reply, const struct rest_write *write)
{
    if (write->time_ms)
        reply_etag(reply, write->version + 1, write->time_ms, "");
    reply_version(reply, write->version + 1);
}

void write_reply_place(struct rest_write *write, int status)
{
    struct rest_call *call = &write->call;
    struct rest_reply reply;
    struct buffer body;

    buffer_init(&body, 4096);
    write_member(&body, "{\"collection\":", call->name.collection);
    write_member(&body, ",\"id\":", call->name.id);
    (void)buffer_append_string(&body, ",\"version\":");
    (void)buffer_append_u64(&body, write->version + 1);
    (void)buffer_append_string(&body, "}\n");

    reply_init(&reply, status);
    reply_body(&reply, MEDIA_JSON, &body);
    buffer_reset(&body);
    if (status == 201) {
        write_address(&body, call);
        reply_header(&reply, "location", "%.*s", (int)body.n_bytes, body.n_bytes ? body.at : "");
    }
    buffer_finish(&body);
    write_reply_version(&reply, write);
    call_reply(call, &reply);
}
