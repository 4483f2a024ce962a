/* POST {"version":N}: a new version with the content of an old one. The history stays.
 *
 *     begin -> done before? -> the content at N -> the document as it is -> conditions -> there is none: create
 *                                                        ^                             -> equal: nothing to do
 *                                                        |                             -> compared -> the edit that
 *                                                        |                                            leads back
 *                                                        +--- somebody was faster and If-Match is not strict: again
 *
 * What was done before is answered although the content at N may be kept no more.
 *
 * As with PUT only what differs is touched, so that who is writing keeps his caret. */
#include <errno.h>
#include <string.h>

#include "api/comparison.h"
#include "api/history.h"
#include "api/rest_inside.h"

/* So often somebody else may be faster; then it takes its place among what he wrote. */
#define TRIES_MAX 4

#define TAKES "This takes {\"version\":N}."

struct rest_restore {
    struct rest_write write;
    struct comparison comparison; /* from what is there to `wanted` */
    uint64_t version;
    const struct ot_type *type;
    struct ot_snapshot *wanted;
    uint64_t seen, seen_ms; /* the version that the edit is made for */
    unsigned n_tries;
    struct errand errand; /* makes the data of a create */
    int errand_r;
};

static struct rest_restore *restore_of(struct rest_write *write)
{
    return LIST_ENTRY(write, struct rest_restore, write);
}

static void on_present(struct fetch *fetch, int r, const struct document_view *view);

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* What came in between was kept: the content is not what an ETag would say. */
static void on_restored(struct rest_write *write)
{
    const struct rest_restore *restore = restore_of(write);

    if (write->kind == STEP_EDIT && write->version != restore->seen)
        write->time_ms = 0;
    write_reply_operation(write);
}

/* Whether something had come in between is known only where nothing might. */
static void on_repeated(struct rest_write *write)
{
    if (write->kind == STEP_EDIT && !write_is_strict(write))
        write->time_ms = 0;
    write_reply_operation(write);
}

static void reply_unchanged(struct rest_restore *restore)
{
    struct rest_write *write = &restore->write;

    write->version = restore->seen - 1;
    write->time_ms = restore->seen_ms;
    write_reply_operation(write);
}

static void on_refused(struct rest_write *write, int r)
{
    bool is_other = r == DOCUMENT_CHANGED || r == DOCUMENT_WAS_DELETED || r == DOCUMENT_MISSING || r == DOCUMENT_EXISTS;
    struct rest_restore *restore = restore_of(write);

    if (!is_other || restore->n_tries > TRIES_MAX) {
        write_refuse(write, r);
    } else if (write_is_strict(write)) {
        write_refuse_precondition(write);
    } else {
        ot_json_unref(write->data);
        write->data = NULL;
        write_look(write, on_present);
    }
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void submit(struct rest_restore *restore, const struct submission *what)
{
    restore->n_tries++;
    write_submit(&restore->write, what);
}

static void on_compared(struct comparison *comparison)
{
    struct rest_restore *restore = LIST_ENTRY(comparison, struct rest_restore, comparison);
    struct rest_write *write = &restore->write;
    bool has_nothing = !comparison->r && comparison_is_noop(comparison), is_large = comparison_is_large(comparison);
    int r = comparison->r ? comparison->r : comparison_operation(comparison, &write->data);

    ot_snapshot_destroy(comparison->before);
    comparison->before = comparison->after = NULL; /* the second is ours */
    comparison_finish(comparison);
    if (r)
        call_fail(&write->call, r > 0 ? DOCUMENT_LIMIT : r);
    else if (has_nothing)
        reply_unchanged(restore);
    else
        submit(restore, &(struct submission){ .kind = STEP_EDIT,
                                              .version = restore->seen,
                                              .only_now = write_is_strict(write) || restore->n_tries < TRIES_MAX,
                                              .data = write->data,
                                              .is_large = is_large });
}

static void compare(struct rest_restore *restore, const struct document_view *view)
{
    struct rest_write *write = &restore->write;
    struct ot_snapshot *now;
    int r = ot_snapshot_share(view->snapshot, &now);

    if (r) {
        call_fail(&write->call, r);
        return;
    }
    restore->seen = view->version;
    restore->seen_ms = view->modified_ms;
    restore->comparison = (struct comparison){ .as = COMPARISON_OPERATION,
                                               .type = restore->type,
                                               .limits = hub_limits(write->call.context->hub),
                                               .before = now,
                                               .after = restore->wanted,
                                               .on_done = on_compared };
    comparison_run(&restore->comparison, hub_helper(write->call.context->hub));
}

static bool is_large(const struct rest_restore *restore)
{
    return ot_snapshot_size(restore->wanted) >= HELPER_WORTH_BYTES;
}

static void make_data(struct errand *errand)
{
    struct rest_restore *restore = LIST_ENTRY(errand, struct rest_restore, errand);
    struct buffer text;
    int r;

    buffer_init(&text, FRAME_MAX_BYTES);
    r = ot_snapshot_write_json(restore->wanted, buffer_write, &text);
    if (!r)
        r = text.error ? text.error
                       : ot_json_parse(text.at, text.n_bytes, hub_limits(restore->write.call.context->hub),
                                       &restore->write.data, NULL);
    buffer_finish(&text);
    restore->errand_r = r;
}

static void on_data(struct errand *errand)
{
    struct rest_restore *restore = LIST_ENTRY(errand, struct rest_restore, errand);
    int r = restore->errand_r;

    if (r)
        call_fail(&restore->write.call, r > 0 ? DOCUMENT_LIMIT : r);
    else
        submit(restore, &(struct submission){ .kind = STEP_CREATE,
                                              .version = DOCUMENT_NOW,
                                              .type = bytes_of_string(ot_type_uri(restore->type)),
                                              .data = restore->write.data,
                                              .is_large = is_large(restore) });
}

static void create(struct rest_restore *restore)
{
    struct helper *helper = hub_helper(restore->write.call.context->hub);

    restore->errand = (struct errand){ .work = make_data, .done = on_data };
    helper_do(is_large(restore) ? helper : NULL, &restore->errand);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void on_present(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);
    struct rest_restore *restore = restore_of(write);

    if (r)
        call_fail(&write->call, r);
    else if (!write_conditions(write, view))
        return;
    else if (!view->type)
        create(restore);
    else if (view->type == restore->type)
        compare(restore, view);
    else
        call_refuse(&write->call, 409, "ERR_TYPE_CHANGED",
                    "The document is of another type now. Delete it first, then restore.");
}

static void on_past(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_restore *restore = restore_of(write_of_fetch(fetch));
    struct rest_call *call = &restore->write.call;

    if (!r && view->type)
        r = ot_snapshot_share(view->snapshot, &restore->wanted);
    if (r) {
        call_fail_version(call, r);
    } else if (!view->type && !document_head(call->document)) {
        call_fail(call, DOCUMENT_MISSING);
    } else if (!view->type) {
        call_refuse(call, 422, "ERR_NOTHING_TO_RESTORE", "There was no document at that version.");
    } else {
        restore->type = view->type;
        write_look(&restore->write, on_present);
    }
}

static void read_past(struct rest_write *write)
{
    write->fetch = (struct fetch){ .what = FETCH_PAST, .to = restore_of(write)->version, .on_done = on_past };
    document_fetch(write->call.document, &write->fetch);
}

static void on_parsed(struct rest_write *write)
{
    struct rest_restore *restore = restore_of(write);
    struct rest_call *call = &write->call;
    const struct ot_json *body = write->parse.json, *version = ot_json_get(body, "version", 7);

    if (!version || !ot_json_integer(version, &restore->version)) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", TAKES);
        return;
    }
    if (!write_read_who(write, body))
        return;
    write->on_written = on_restored;
    write->on_repeated = on_repeated;
    write->on_refused = on_refused;
    if (!write->src[0])
        who_src_random(hub_world(call->context->hub), write->src);
    history_restore_src(write->src, sizeof(write->src), restore->version);
    if (!call_open(call))
        return;
    if (write->is_identified)
        write_ask(write, read_past);
    else
        read_past(write);
}

static void restore_begin(struct rest_call *call, struct bytes body)
{
    struct rest_write *write = (struct rest_write *)call;

    if (call_may_write(call) && call_may_take(call, body) && write_read_key(write, body))
        write_parse(write, &(struct rest_parse){ .body = body, .refusal = TAKES, .on_parsed = on_parsed });
}

static void restore_finish(struct rest_call *call)
{
    struct rest_restore *restore = (struct rest_restore *)call;

    ot_snapshot_destroy(restore->wanted);
    write_finish(call);
}

const struct rest_action rest_restore = { restore_begin, sizeof(struct rest_restore), restore_finish };
