/* What differs between two versions: of texts as lines (unified.h), of the others the operation that leads from one to
 * the other, whichever is older.
 *
 *     begin -> the content at ?from= -> at ?to= -> compared -> answer
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/comparison.h"
#include "api/rest_inside.h"

#define NAME_BYTES (2 * NAME_MAX_BYTES + 32) /* "collection/id@version" */

struct rest_diff {
    struct rest_call call;
    struct fetch fetch;
    struct comparison comparison;
    uint64_t from, to;
    const struct ot_type *before_type; /* NULL: there was no document */
    bool is_present;                   /* to: whatever is the newest */
    char names[2][NAME_BYTES];
};

static void name(struct rest_diff *diff, size_t i, uint64_t version)
{
    struct store_name of = diff->call.name;

    (void)snprintf(diff->names[i], NAME_BYTES, "%.*s/%.*s@%" PRIu64, (int)of.collection.n_bytes,
                   (const char *)of.collection.at, (int)of.id.n_bytes, (const char *)of.id.at, version);
    diff->comparison.names[i] = bytes_of_string(diff->names[i]);
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

static void write_operation(const struct rest_diff *diff, struct buffer *into)
{
    (void)buffer_printf(into, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"v\":%" PRIu64 ",\"op\":", diff->from,
                        diff->to, diff->from);
    (void)buffer_append(into, diff->comparison.written.at, diff->comparison.written.n_bytes);
    (void)buffer_append_string(into, "}\n");
}

static void answer(struct comparison *comparison)
{
    struct rest_diff *diff = LIST_ENTRY(comparison, struct rest_diff, comparison);
    struct rest_reply reply;
    struct buffer operation;

    if (comparison->r) {
        call_fail(&diff->call, comparison->r > 0 ? DOCUMENT_LIMIT : comparison->r);
        return;
    }
    buffer_init(&operation, FRAME_MAX_BYTES);
    reply_init(&reply, 200);
    if (comparison->as == COMPARISON_OPERATION) {
        write_operation(diff, &operation);
        reply_body(&reply, MEDIA_OP, &operation);
    } else {
        reply_body(&reply, "text/x-diff; charset=utf-8", &comparison->written);
    }
    reply_caching(&reply, &diff->call.request.principal, !diff->is_present);
    buffer_finish(&operation);
    call_reply(&diff->call, &reply);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void read_past(struct rest_diff *diff, uint64_t version,
                      void (*on_done)(struct fetch *, int, const struct document_view *))
{
    diff->fetch = (struct fetch){ .what = FETCH_PAST, .to = version, .on_done = on_done };
    document_fetch(diff->call.document, &diff->fetch);
}

/* A version without a document counts as an empty text. */
static bool can_compare(const struct ot_type *before, const struct ot_type *after)
{
    return before == after || (!before && type_is_text(after)) || (!after && type_is_text(before));
}

static void on_after(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_diff *diff = LIST_ENTRY(fetch, struct rest_diff, fetch);
    struct comparison *comparison = &diff->comparison;

    if (!r && view->type)
        r = ot_snapshot_share(view->snapshot, &comparison->after);
    if (r) {
        call_fail_version(&diff->call, r);
    } else if (!view->type && !diff->before_type) {
        call_fail(&diff->call, DOCUMENT_MISSING);
    } else if (!can_compare(diff->before_type, view->type)) {
        call_refuse(&diff->call, 409, "ERR_TYPE_CHANGED", "The two versions are of two types, or one is of none.");
    } else {
        diff->to = view->version;
        name(diff, 0, diff->from);
        name(diff, 1, diff->to);
        comparison->type = view->type ? view->type : diff->before_type;
        comparison->as = type_is_text(comparison->type) ? COMPARISON_LINES : COMPARISON_OPERATION;
        comparison->on_done = answer;
        comparison_run(comparison, hub_helper(diff->call.context->hub));
    }
}

static void on_before(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_diff *diff = LIST_ENTRY(fetch, struct rest_diff, fetch);

    if (!r && view->type)
        r = ot_snapshot_share(view->snapshot, &diff->comparison.before);
    if (r) {
        call_fail_version(&diff->call, r);
        return;
    }
    diff->before_type = view->type;
    read_past(diff, diff->to, on_after);
}

static void diff_begin(struct rest_call *call, struct bytes body)
{
    struct rest_diff *diff = (struct rest_diff *)call;
    struct bytes query = call->request.query;

    (void)body;
    diff->from = diff->to = DOCUMENT_NOW;
    if (parameter_number(query, "from", &diff->from) || parameter_number(query, "to", &diff->to) ||
        diff->from == DOCUMENT_NOW) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid version");
        return;
    }
    diff->is_present = diff->to == DOCUMENT_NOW;
    if (call_open(call))
        read_past(diff, diff->from, on_before);
}

static void diff_finish(struct rest_call *call)
{
    comparison_finish(&((struct rest_diff *)call)->comparison);
}

const struct rest_action rest_diff = { diff_begin, sizeof(struct rest_diff), diff_finish };
