/* What all writing has in common: conditions, submitting, being recognised, and learning when it was committed, for the
 * ETag. */
#include "api/percent.h"
#include "api/rest_inside.h"

struct rest_write *write_of_fetch(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct rest_write, fetch);
}

void write_finish(struct rest_call *call)
{
    struct rest_write *write = (struct rest_write *)call;

    parse_finish(&write->parse);
    ot_json_unref(write->data);
    ot_snapshot_destroy(write->snapshot);
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

void write_refuse_precondition(struct rest_write *write)
{
    call_refuse(&write->call, 412, "ERR_PRECONDITION_FAILED", "The document is not as the request wants it.");
}

/* An empty If-Match is one: it names nothing, so nothing matches. */
bool call_has_conditions(const struct rest_call *call)
{
    return call_header(&call->request, "if-match").at || call_header(&call->request, "if-none-match").at;
}

bool write_is_strict(const struct rest_write *write)
{
    struct bytes if_match = call_header(&write->call.request, "if-match");

    return if_match.at && !etags_are_any(if_match);
}

bool write_conditions(struct rest_write *write, const struct document_view *view)
{
    struct bytes if_match = call_header(&write->call.request, "if-match");
    struct bytes if_none_match = call_header(&write->call.request, "if-none-match");
    bool holds = true;

    if (if_match.at)
        holds = view->type && (etags_are_any(if_match) || etags_name(if_match, view->version, view->modified_ms));
    if (if_none_match.at && view->type)
        holds = holds && !etags_are_any(if_none_match) && !etags_name(if_none_match, view->version, view->modified_ms);
    if (!holds)
        write_refuse_precondition(write);
    return holds;
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct rest_write *write = write_of_fetch(fetch);

    write->time_ms = op->time_ms;
    write->kind = step_kind_of(op->body);
}

/* It is committed, whatever comes of this. */
static void on_known(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    if (write->submission.was_repeated && write->on_repeated)
        write->on_repeated(write);
    else
        write->on_written(write);
}

static void written(struct rest_write *write, uint64_t version)
{
    write->version = version;
    write->fetch =
        (struct fetch){ .what = FETCH_OPS, .from = version, .to = version + 1, .on_op = on_op, .on_done = on_known };
    document_fetch(write->call.document, &write->fetch);
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

    if (r && write->on_refused)
        write->on_refused(write, r);
    else if (r)
        write_refuse(write, r);
    else
        written(write, version);
}

void write_submit(struct rest_write *write, const struct submission *what)
{
    struct rest_call *call = &write->call;

    if (!write->src[0])
        who_src_random(hub_world(call->context->hub), write->src);
    write->submission = *what;
    write->submission.id = (struct op_id){ bytes_of_string(write->src), write->seq };
    write->submission.is_sole = write->is_sole;
    write->submission.author = bytes_of(write->author, who_author(&call->request, write->author));
    write->submission.on_done = on_submitted;
    document_submit(call->document, &write->submission);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void on_asked(struct submission *submission, int r, uint64_t version)
{
    struct rest_write *write = LIST_ENTRY(submission, struct rest_write, submission);

    if (!r)
        written(write, version);
    else if (r == DOCUMENT_IS_NEW)
        write->on_new(write);
    else
        write_refuse(write, r);
}

void write_ask(struct rest_write *write, void (*on_new)(struct rest_write *))
{
    write->on_new = on_new;
    write->submission = (struct submission){ .id = { bytes_of_string(write->src), write->seq },
                                             .kind = STEP_NOTHING,
                                             .version = DOCUMENT_NOW,
                                             .is_sole = write->is_sole,
                                             .only_repeated = true,
                                             .on_done = on_asked };
    document_submit(write->call.document, &write->submission);
}

static void go_on_from_view(struct rest_write *write)
{
    write->on_view(&write->fetch, 0, &write->view);
}

static void on_looked(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    if (!r && write->is_identified) {
        ot_snapshot_destroy(write->snapshot);
        write->snapshot = NULL;
        write->view = *view;
        r = view->snapshot ? ot_snapshot_share(view->snapshot, &write->snapshot) : 0;
        write->view.snapshot = write->snapshot;
    }
    if (r || !write->is_identified)
        write->on_view(fetch, r, view);
    else
        write_ask(write, go_on_from_view);
}

void write_look(struct rest_write *write, void (*on_view)(struct fetch *, int, const struct document_view *))
{
    write->on_view = on_view;
    write->fetch = (struct fetch){ .what = FETCH_SNAPSHOT, .on_done = on_looked };
    document_fetch(write->call.document, &write->fetch);
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
        (void)write_address(&body, call, "");
        reply_header(&reply, "location", "%.*s", (int)body.n_bytes, body.n_bytes ? body.at : "");
    }
    buffer_finish(&body);
    write_reply_version(&reply, write);
    call_reply(call, &reply);
}
