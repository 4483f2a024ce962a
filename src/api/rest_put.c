/* PUT: creates a document, or replaces its content by the smallest edit that does.
 *
 *     begin -> the document as it is -> conditions -> there is none: create
 *                                                  -> compared -> edit; somebody was faster and If-Match is "*": again
 *                                                  -> ?base=N: as it was at N -> compared -> edit, made for N: merged
 *
 * What the body says depends on the type that the document has, so it is kept, and parsed before each of these. */
#include <errno.h>

#include "api/comparison.h"
#include "api/rest_inside.h"

/* So often somebody else may be faster; then "*" takes its place among what he wrote. */
#define TRIES_MAX 4

#define NO_BASE UINT64_MAX

struct rest_put {
    struct rest_write write;
    struct buffer body;
    struct comparison comparison; /* from what is there to what was sent */
    unsigned n_tries;
    uint64_t base;                      /* NO_BASE: what is there is replaced, whatever it is */
    uint64_t seen;                      /* the version that the edit is made for */
    uint64_t present, present_ms;       /* as it was found, */
    const struct ot_type *present_type; /* and which life of the document that was */
    uint64_t present_created_ms;
};

static struct rest_put *put_of(struct rest_write *write)
{
    return LIST_ENTRY(write, struct rest_put, write);
}

static void put_on_view(struct fetch *fetch, int r, const struct document_view *view);

/* ---- creating ---------------------------------------------------------------------------------------------------- */

static void refuse_unconditional(struct rest_write *write)
{
    call_refuse(&write->call, 428, "ERR_PRECONDITION_REQUIRED",
                "The document exists. Say which version this replaces: If-Match with its ETag, or \"*\"; or ?base=.");
}

/* Somebody else has created it in between. */
static void on_not_created(struct rest_write *write, int r)
{
    if (r != DOCUMENT_EXISTS || put_of(write)->base != NO_BASE)
        write_refuse(write, r);
    else if (call_header(&write->call.request, "if-none-match").n_bytes)
        write_refuse_precondition(write);
    else
        refuse_unconditional(write);
}

static void on_created(struct rest_write *write)
{
    write_reply_place(write, 201);
}

static void on_create_parsed(struct rest_write *write)
{
    write->on_refused = on_not_created;
    write->on_written = on_created;
    content_create(write);
}

static void create(struct rest_put *put)
{
    const struct ot_type *type = content_type_of(&put->write.call);

    if (type)
        content_parse(
            &put->write, type,
            &(struct rest_parse){ .body = buffer_bytes(&put->body), .is_kept = true, .on_parsed = on_create_parsed });
}

/* ---- replacing --------------------------------------------------------------------------------------------------- */

/* What came in between was kept: the content is not what was sent, and its ETag must not say so. */
static void on_replaced(struct rest_write *write)
{
    if (write->version != put_of(write)->seen)
        write->time_ms = 0;
    write_reply_place(write, 200);
}

static void on_not_replaced(struct rest_write *write, int r)
{
    const struct rest_put *put = put_of(write);
    bool is_other = r == DOCUMENT_CHANGED || r == DOCUMENT_WAS_DELETED || r == DOCUMENT_MISSING;

    if (is_other && (write_is_strict(write) || (put->base == NO_BASE && r != DOCUMENT_CHANGED))) {
        write_refuse_precondition(write);
    } else if (r == DOCUMENT_CHANGED) {
        ot_json_unref(write->data);
        write->data = NULL;
        write_look(write, put_on_view);
    } else {
        write_refuse(write, r);
    }
}

/* Nothing to do: it is as wanted, or what others have made of it. */
static void reply_unchanged(struct rest_put *put)
{
    put->write.version = put->present - 1;
    put->write.time_ms = put->present == put->seen ? put->present_ms : 0;
    write_reply_place(&put->write, 200);
}

/* The type has no operation that leads there: a name that it does not allow on the way, say. */
static void refuse_difference(struct rest_write *write, int r, const char *message)
{
    struct rest_reply reply;

    if (r < 0 || r == OT_LIMIT)
        reply_trouble(&reply, r < 0 ? r : DOCUMENT_LIMIT, NULL);
    else
        reply_trouble(&reply, DOCUMENT_NOT_APPLIED, message);
    call_reply(&write->call, &reply);
}

static void on_compared(struct comparison *comparison)
{
    struct rest_put *put = LIST_ENTRY(comparison, struct rest_put, comparison);
    struct rest_write *write = &put->write;
    bool has_nothing = !comparison->r && comparison_is_noop(comparison), merges = put->base != NO_BASE;
    bool is_large = comparison_is_large(comparison);
    int r = comparison->r ? comparison->r : comparison_operation(comparison, &write->data);

    comparison_finish(comparison);
    if (r)
        refuse_difference(write, comparison->r ? r : r > 0 ? OT_LIMIT : r, comparison->error.message);
    else if (has_nothing)
        reply_unchanged(put);
    else
        write_submit(
            write, &(struct submission){ .kind = STEP_EDIT,
                                         .version = put->seen,
                                         .only_now = write_is_strict(write) || (!merges && ++put->n_tries < TRIES_MAX),
                                         .data = write->data,
                                         .is_large = is_large });
}

static void on_wanted(struct rest_write *write)
{
    struct rest_put *put = put_of(write);

    put->comparison.after = write->parse.content;
    put->comparison.after_is_sole = true;
    write->parse.content = NULL;
    comparison_run(&put->comparison, hub_helper(write->call.context->hub));
}

/* From the content of the view to what was sent. limits: of the operation; NULL: none is wanted. */
static void compare(struct rest_put *put, const struct document_view *view, const struct ot_limits *limits,
                    void (*on_done)(struct comparison *))
{
    struct comparison *comparison = &put->comparison;
    int r;

    *comparison =
        (struct comparison){ .as = COMPARISON_OPERATION, .type = view->type, .limits = limits, .on_done = on_done };
    r = ot_snapshot_share(view->snapshot, &comparison->before);
    if (r) {
        call_fail(&put->write.call, r);
        return;
    }
    content_parse(
        &put->write, view->type,
        &(struct rest_parse){
            .body = buffer_bytes(&put->body), .is_kept = true, .makes_content = true, .on_parsed = on_wanted });
}

static void replace(struct rest_put *put, const struct document_view *view)
{
    struct rest_write *write = &put->write;

    put->seen = view->version;
    write->on_refused = on_not_replaced;
    write->on_written = on_replaced;
    compare(put, view, hub_limits(write->call.context->hub), on_compared);
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

/* The submission would find out, too, that the base is of another life; but perhaps there is nothing to submit. */
static void on_base(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_put *put = put_of(write_of_fetch(fetch));
    struct rest_call *call = &put->write.call;

    if (r)
        call_fail_version(call, r);
    else if (!view->type)
        call_refuse(call, 409, "ERR_DOC_ALREADY_CREATED", "At that version there was no document; now there is one.");
    else if (view->type != put->present_type || view->created_ms != put->present_created_ms)
        call_fail(call, DOCUMENT_WAS_DELETED);
    else
        replace(put, view);
}

static void merge(struct rest_put *put, const struct document_view *view)
{
    struct rest_write *write = &put->write;

    put->present_type = view->type;
    put->present_created_ms = view->created_ms;
    write->fetch = (struct fetch){ .what = FETCH_PAST, .to = put->base, .on_done = on_base };
    document_fetch(write->call.document, &write->fetch);
}

/* ---- repeating --------------------------------------------------------------------------------------------------- */

static void on_compared_again(struct comparison *comparison)
{
    struct rest_write *write = &LIST_ENTRY(comparison, struct rest_put, comparison)->write;

    if (comparison->r || !comparison_is_noop(comparison))
        write->time_ms = 0;
    comparison_finish(comparison);
    write_reply_place(write, 200);
}

static void on_replacement(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);

    if (!r && view->type) {
        compare(put_of(write), view, NULL, on_compared_again);
    } else {
        write->time_ms = 0;
        write_reply_place(write, 200);
    }
}

/* Whether something had come in between, and there is no ETag, is seen from the content. */
static void on_repeated(struct rest_write *write)
{
    if (write->kind == STEP_CREATE) {
        on_created(write);
    } else if (write_is_strict(write)) {
        write_reply_place(write, 200);
    } else {
        write->fetch = (struct fetch){ .what = FETCH_PAST, .to = write->version + 1, .on_done = on_replacement };
        document_fetch(write->call.document, &write->fetch);
    }
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* What it was made from has gone, or never was. */
static void refuse_missing(struct rest_put *put)
{
    struct rest_call *call = &put->write.call;

    if (put->base > put->present)
        call_fail_version(call, DOCUMENT_VERSION_AHEAD);
    else
        call_fail(call, DOCUMENT_WAS_DELETED);
}

static void put_on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);
    struct rest_put *put = put_of(write);
    bool merges = put->base != NO_BASE;

    if (r) {
        call_fail(&write->call, r);
        return;
    }
    if (!write_conditions(write, view))
        return;
    put->present = view->version;
    put->present_ms = view->modified_ms;
    if (!view->type && (!merges || put->base == view->version))
        create(put);
    else if (!view->type)
        refuse_missing(put);
    else if (merges)
        merge(put, view);
    else if (!call_header(&write->call.request, "if-match").at)
        refuse_unconditional(write);
    else
        replace(put, view);
}

static bool read_base(struct rest_put *put)
{
    struct rest_call *call = &put->write.call;

    put->base = NO_BASE;
    if (!parameter_number(call->request.query, "base", &put->base))
        return true;
    call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid base");
    return false;
}

static void put_begin(struct rest_call *call, struct bytes body)
{
    struct rest_put *put = (struct rest_put *)call;

    put->write.on_written = on_replaced;
    put->write.on_repeated = on_repeated;
    if (!call_may_write(call) || !call_may_take(call, body) || !read_base(put) || !write_read_key(&put->write, body))
        return;
    if (call_keep_body(call, body, &put->body))
        call_fail(call, -ENOMEM);
    else if (call_open(call))
        write_look(&put->write, put_on_view);
}

static void put_finish(struct rest_call *call)
{
    struct rest_put *put = (struct rest_put *)call;

    comparison_finish(&put->comparison); /* if it has come to one, and what was sent was no content */
    buffer_finish(&put->body);
    write_finish(call);
}

const struct rest_action rest_put = { put_begin, sizeof(struct rest_put), put_finish };
