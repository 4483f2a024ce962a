/* Who changed what when: {"from","to","head","history":[...]}, groups of versions (history.h), the newest first.
 *
 *     begin -> the head, and the document's type there -> (?until=, ?to=: the same of an older version)
 *           -> windows of the log, backwards:    ... [window 2)[window 1) end
 *           -> as many groups as are wanted, or ?from= or ?since= -> answer
 *
 * A window is read forwards, like everything of a log. How much an operation changes is only seen by one who knows the
 * document's type, and that is known at the window's end. So a window begins again at each create and delete in it:
 * below a create there was no document, below a delete one whose type is asked for. Windows grow while nothing of that
 * is met.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "api/history.h"
#include "api/rest_inside.h"

#define LIMIT_DEFAULT     100
#define LIMIT_MAX         1000
#define PAUSE_DEFAULT_S   300
#define PAUSE_MAX_S       (366u * 86400)
#define WINDOW_LEAST      64 /* versions */
#define WINDOW_MOST       4096
#define HISTORY_MAX_BYTES (1u << 20)
#define LINK_MAX_BYTES    2048

struct rest_history {
    struct rest_call call;
    struct fetch fetch;

    uint64_t from, to, since_ms, until_ms, pause_s, limit;
    bool has_from, has_until;
    uint64_t head, top; /* the answer begins below top */

    uint64_t window_from, window_to, n_window;
    const struct ot_type *type; /* of the document at window_to, and then at where the window has been read to */
    enum step_kind first_kind;  /* of the operation at window_from */
    bool is_at_since;           /* what lies below is too old */
    struct history_group groups[WINDOW_MOST]; /* of the window, the oldest first */
    size_t n_groups;
    int window_r;

    struct errand errand;
    struct committed_op
        *aside; /* a large one, which the helper looks at: counted; nothing comes meanwhile but the end */
    struct ot_amount amount;
    bool has_ended;
    int end_r;

    struct history_group oldest; /* so far; what lies below may belong to it */
    bool has_oldest, has_more;
    uint64_t n; /* written */
    struct buffer written;
};

static struct rest_history *history_of(struct fetch *fetch)
{
    return LIST_ENTRY(fetch, struct rest_history, fetch);
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

/* The next page ends where this one begins, which lies within what was asked for. */
static void reply_next(struct rest_reply *reply, const struct rest_history *history)
{
    const struct rest_call *call = &history->call;
    struct bytes since = parameter_raw(call->request.query, "since");
    struct buffer link;
    char mark;

    buffer_init(&link, LINK_MAX_BYTES);
    mark = write_address(&link, call, "/history");
    (void)buffer_printf(&link, "%cto=%" PRIu64 "&limit=%" PRIu64 "&pause=%" PRIu64, mark, history->oldest.to,
                        history->limit, history->pause_s);
    if (history->has_from)
        (void)buffer_printf(&link, "&from=%" PRIu64, history->from);
    if (since.n_bytes)
        (void)buffer_printf(&link, "&since=%.*s", (int)since.n_bytes, (const char *)since.at);
    if (!link.error)
        reply_header(reply, "link", "<%.*s>; rel=\"next\"", (int)link.n_bytes, link.at);
    buffer_finish(&link);
}

static void answer(struct rest_history *history)
{
    uint64_t from = history->has_more ? history->oldest.to : history->has_oldest ? history->oldest.from : history->top;
    struct rest_reply reply;
    struct buffer body;

    buffer_init(&body, HISTORY_MAX_BYTES);
    (void)buffer_printf(&body, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"head\":%" PRIu64 ",\"history\":[", from,
                        history->top, history->head);
    (void)buffer_append(&body, history->written.at, history->written.n_bytes);
    (void)buffer_append_string(&body, "]}\n");
    if (history->written.error)
        body.error = history->written.error;
    reply_init(&reply, 200);
    reply_body(&reply, MEDIA_JSON, &body);
    reply_version(&reply, history->head);
    reply_header(&reply, "cache-control", "no-cache");
    if (history->has_more)
        reply_next(&reply, history);
    buffer_finish(&body);
    call_reply(&history->call, &reply);
}

static void emit(struct rest_history *history, const struct history_group *group)
{
    (void)buffer_append_string(&history->written, history->n++ ? ",\n" : "");
    history_write(group, &history->written);
}

/* Groups come from the newest to the oldest. False: there are enough. */
static bool take(struct rest_history *history, const struct history_group *group)
{
    struct history_group joined = *group;

    if (history->has_oldest && history_joins(group, &history->oldest, history->pause_s * 1000)) {
        history_join(&joined, &history->oldest);
    } else if (history->has_oldest) {
        emit(history, &history->oldest);
        history->has_more = history->n == history->limit;
    }
    history->oldest = joined;
    history->has_oldest = true;
    return !history->has_more;
}

/* ---- a window ---------------------------------------------------------------------------------------------------- */

static int measure(struct rest_history *history, const struct committed_op *op, struct ot_amount *out)
{
    const struct ot_limits *limits = hub_limits(history->call.context->hub);
    struct step step = { .kind = STEP_NOTHING };
    struct ot_snapshot *created = NULL;
    int r = step_parse(op->body, history->type, limits, &step);

    *out = (struct ot_amount){ 0, 0 };
    if (!r && step.kind == STEP_EDIT)
        *out = ot_op_amount(step.op);
    if (!r && step.kind == STEP_CREATE) {
        history->type = step.type;
        r = ot_snapshot_create(step.type, step.data, limits, &created, NULL);
    }
    if (created)
        out->n_inserted = ot_snapshot_length(created);
    ot_snapshot_destroy(created);
    step_finish(&step);
    return r > 0 ? -EBADMSG : r;
}

static void begin_at(struct rest_history *history, const struct committed_op *op, enum step_kind kind)
{
    history->window_from = op->version;
    history->first_kind = kind;
    history->n_groups = 0;
    history->window_r = 0;
    history->is_at_since = false;
}

static void note(struct rest_history *history, const struct committed_op *op, struct ot_amount amount)
{
    struct history_group group, *last;

    if (op->time_ms < history->since_ms) {
        history->is_at_since = true;
        return;
    }
    if (history->n_groups == WINDOW_MOST) /* a wide one; what is older comes with the next */
        begin_at(history, op, step_kind_of(op->body));
    history_group_of(op, amount, &group);
    last = history->n_groups ? &history->groups[history->n_groups - 1] : NULL;
    if (last && history_joins(last, &group, history->pause_s * 1000))
        history_join(last, &group);
    else
        history->groups[history->n_groups++] = group;
}

static void window_end(struct rest_history *history);

static void work(struct errand *errand)
{
    struct rest_history *history = LIST_ENTRY(errand, struct rest_history, errand);

    history->window_r = measure(history, history->aside, &history->amount);
}

static void on_measured(struct errand *errand)
{
    struct rest_history *history = LIST_ENTRY(errand, struct rest_history, errand);
    struct committed_op *op = history->aside;

    history->aside = NULL;
    note(history, op, history->amount);
    committed_op_unref(op);
    if (history->has_ended)
        window_end(history);
    else
        fetch_go_on(&history->fetch);
}

static bool is_measured(const struct rest_history *history, enum step_kind kind)
{
    return kind == STEP_CREATE || (kind == STEP_EDIT && history->type);
}

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct rest_history *history = history_of(fetch);
    struct helper *helper = hub_helper(history->call.context->hub);
    enum step_kind kind = step_kind_of(op->body);
    struct ot_amount amount = { 0, 0 };

    if (op->version == history->window_from || kind == STEP_CREATE || kind == STEP_DELETE)
        begin_at(history, op, kind);
    if (committed_op_end(op) > history->window_to)
        history->window_r = DOCUMENT_OPS_GONE;
    if (history->window_r)
        return;
    if (helper && op->body.n_bytes >= HELPER_WORTH_BYTES && is_measured(history, kind)) {
        fetch_hold(fetch);
        history->aside = committed_op_ref(op);
        history->errand = (struct errand){ .work = work, .done = on_measured };
        helper_do(helper, &history->errand);
        return;
    }
    if (is_measured(history, kind))
        history->window_r = measure(history, op, &amount);
    note(history, op, amount);
}

typedef void fetched_fn(struct fetch *fetch, int r, const struct document_view *view);

static void read_past(struct rest_history *history, uint64_t version, fetched_fn *on_done)
{
    history->fetch = (struct fetch){ .what = FETCH_PAST, .to = version, .on_done = on_done };
    document_fetch(history->call.document, &history->fetch);
}

static void read_until(struct rest_history *history, fetched_fn *on_done)
{
    history->fetch = (struct fetch){ .what = FETCH_PAST, .on_done = on_done };
    fetch_until(&history->fetch, history->until_ms);
    document_fetch(history->call.document, &history->fetch);
}

static void walk(struct rest_history *history);

/* The type that the document had at window_to. */
static void on_type(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_history *history = history_of(fetch);

    if (r) {
        call_fail(&history->call, r);
        return;
    }
    history->type = view->type;
    walk(history);
}

static void walk_below(struct rest_history *history)
{
    bool is_cut = history->first_kind == STEP_CREATE || history->first_kind == STEP_DELETE;

    history->window_to = history->window_from;
    history->n_window = is_cut ? WINDOW_LEAST : history->n_window < WINDOW_MOST ? 2 * history->n_window : WINDOW_MOST;
    if (history->is_at_since || history->window_to <= history->from) {
        if (history->has_oldest)
            emit(history, &history->oldest);
        answer(history);
    } else if (history->first_kind == STEP_DELETE) {
        read_past(history, history->window_to, on_type);
    } else {
        if (history->first_kind == STEP_CREATE)
            history->type = NULL;
        walk(history);
    }
}

static void window_end(struct rest_history *history)
{
    int r = history->end_r;

    if (r == DOCUMENT_OPS_GONE && history->window_from > history->from && !history->n_groups) {
        history->n_window *= 2; /* it would begin within a record that stands for several */
        walk(history);
        return;
    }
    if (!r)
        r = history->window_r;
    if (r) {
        call_fail(&history->call, r);
        return;
    }
    while (history->n_groups)
        if (!take(history, &history->groups[--history->n_groups])) {
            answer(history);
            return;
        }
    walk_below(history);
}

static void on_window(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_history *history = history_of(fetch);

    (void)view;
    history->has_ended = true;
    history->end_r = r;
    if (!history->aside)
        window_end(history);
}

static void walk(struct rest_history *history)
{
    uint64_t to = history->window_to;

    history->window_from = to - history->from > history->n_window ? to - history->n_window : history->from;
    history->n_groups = 0;
    history->window_r = 0;
    history->is_at_since = history->has_ended = false;
    history->first_kind = STEP_NOTHING;
    history->fetch = (struct fetch){ .what = FETCH_OPS,
                                     .from = history->window_from,
                                     .to = to,
                                     .takes_merged = true,
                                     .on_op = on_op,
                                     .on_done = on_window };
    document_fetch(history->call.document, &history->fetch);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static void start(struct rest_history *history, uint64_t top, const struct ot_type *type)
{
    history->top = history->window_to = top;
    history->type = type;
    if (!history->has_from)
        history->from = document_first(history->call.document);
    if (history->from >= top)
        answer(history);
    else
        walk(history);
}

static void on_top(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_history *history = history_of(fetch);

    if (r)
        call_fail(&history->call, r);
    else if (view->version > history->to) /* until= is later */
        read_past(history, history->to, on_top);
    else
        start(history, view->version, view->type);
}

static void on_head(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_history *history = history_of(fetch);
    struct rest_call *call = &history->call;

    history->head = r ? 0 : view->version;
    if (r)
        call_fail(call, r);
    else if (!history->head)
        call_fail(call, DOCUMENT_MISSING);
    else if ((history->to != DOCUMENT_NOW && history->to > history->head) || history->from > history->head)
        call_fail_version(call, DOCUMENT_VERSION_AHEAD);
    else if ((history->to == DOCUMENT_NOW || history->to == history->head) && !history->has_until)
        start(history, history->head, view->type);
    else if (!history->has_until)
        read_past(history, history->to, on_top);
    else
        read_until(history, on_top);
}

/* What is wrong; NULL: nothing. */
static const char *query_read(struct rest_history *history)
{
    struct bytes query = history->call.request.query;

    history->has_from = parameter_raw(query, "from").at;
    history->to = DOCUMENT_NOW;
    history->has_until = parameter_raw(query, "until").at;
    history->pause_s = PAUSE_DEFAULT_S;
    history->limit = LIMIT_DEFAULT;
    if (parameter_number(query, "from", &history->from) || parameter_number(query, "to", &history->to) ||
        history->from > history->to)
        return "Invalid version";
    if (parameter_time(query, "since", &history->since_ms) || parameter_time(query, "until", &history->until_ms))
        return "Invalid time: RFC 3339, such as 2026-11-01T12:00:00Z";
    if (parameter_number(query, "pause", &history->pause_s) || history->pause_s > PAUSE_MAX_S)
        return "Invalid pause";
    if (parameter_number(query, "limit", &history->limit) || !history->limit)
        return "Invalid limit";
    if (history->limit > LIMIT_MAX)
        history->limit = LIMIT_MAX;
    return NULL;
}

static void history_begin(struct rest_call *call, struct bytes body)
{
    struct rest_history *history = (struct rest_history *)call;
    const char *wrong = query_read(history);

    (void)body;
    buffer_init(&history->written, HISTORY_MAX_BYTES);
    history->n_window = WINDOW_LEAST;
    if (wrong) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", wrong);
    } else if (call_open(call)) {
        history->fetch = (struct fetch){ .what = FETCH_BARRIER, .on_done = on_head };
        document_fetch(call->document, &history->fetch);
    }
}

static void history_finish(struct rest_call *call)
{
    buffer_finish(&((struct rest_history *)call)->written);
}

const struct rest_action rest_history = { history_begin, sizeof(struct rest_history), history_finish };
