/* DELETE of a document, and with ?purge=true the forgetting of it. */
#include "api/rest_inside.h"

static void reply_gone(struct rest_call *call, uint64_t version)
{
    struct rest_reply reply;

    reply_init(&reply, 204);
    reply_version(&reply, version);
    call_reply(call, &reply);
}

/* ---- deleting ---------------------------------------------------------------------------------------------------- */

static void on_deleted(struct rest_write *write)
{
    reply_gone(&write->call, write->version + 1);
}

static void on_not_deleted(struct rest_write *write, int r)
{
    if (r == DOCUMENT_CHANGED)
        write_refuse_precondition(write);
    else
        write_refuse(write, r);
}

static void delete_on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    if (r) {
        call_fail(&write->call, r);
    } else if (!write_conditions(write, view)) {
        return;
    } else if (!view->type) {
        call_fail(&write->call, DOCUMENT_MISSING);
    } else {
        write->on_refused = on_not_deleted;
        write_submit(write, &(struct submission){
                                .kind = STEP_DELETE, .version = view->version, .only_now = write_is_strict(write) });
    }
}

/* ---- purging ----------------------------------------------------------------------------------------------------- */

struct rest_removal {
    struct rest_write write;
    struct purge purge;
};

static void on_purged(struct purge *purge, int r, uint64_t version)
{
    struct rest_write *write = &LIST_ENTRY(purge, struct rest_removal, purge)->write;

    if (r == DOCUMENT_CHANGED)
        write_refuse_precondition(write);
    else if (r)
        call_fail(&write->call, r);
    else
        reply_gone(&write->call, version);
}

static void purge_on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);
    struct purge *purge = &((struct rest_removal *)write)->purge;

    if (r) {
        call_fail(&write->call, r);
    } else if (write_conditions(write, view)) {
        who_src_random(hub_world(write->call.context->hub), write->src);
        purge->id = (struct op_id){ bytes_of_string(write->src), 1 };
        purge->author = bytes_of(write->author, who_author(&write->call.request, write->author));
        purge->version = view->version;
        purge->only_now = write_is_strict(write);
        purge->on_done = on_purged;
        document_purge(write->call.document, purge);
    }
}

static bool may_purge(struct rest_call *call)
{
    struct rest_reply reply;

    if (principal_may(&call->request.principal, RIGHT_ADMIN))
        return true;
    reply_not_allowed(&reply, RIGHT_ADMIN);
    call_reply(call, &reply);
    return false;
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

static void delete_begin(struct rest_call *call, struct bytes body)
{
    struct bytes purge = parameter_raw(call->request.query, "purge");
    bool purges = bytes_equal(purge, bytes_of_string("true"));
    struct rest_write *write = (struct rest_write *)call;

    write->on_written = on_deleted;
    if (purge.at && !purges && !bytes_equal(purge, bytes_of_string("false")))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid purge");
    else if ((!purges || may_purge(call)) && call_may_write(call) && (purges || write_read_key(write, body)) &&
             call_open(call))
        write_look(write, purges ? purge_on_view : delete_on_view);
}

const struct rest_action rest_delete = { delete_begin, sizeof(struct rest_removal), write_finish };
