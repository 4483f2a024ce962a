/* A page of the log: {"from","to","head","ops":[...]}, each operation as it is streamed, with time and author. With
 * ?merged=true also those that stand for several, which say so: "merged" is how many more. With
 * ?wait=N the answer waits for an operation; 204 when none came. */
#include <errno.h>
#include <inttypes.h>

#include "api/gzip.h"
#include "api/rest_follow.h"

#define LIMIT_DEFAULT  1000
#define LIMIT_MAX      10000
#define PAGE_MAX_BYTES (4u << 20) /* of operations, about; at least one */

struct rest_ops {
    struct rest_call call;
    uint64_t from, until, limit; /* asked for */
    bool has_from;               /* else it begins where the log does */

    struct fetch fetch;
    uint64_t n, to;    /* how many, and where the last leads */
    struct buffer ops; /* separated by commas */
};

void op_write(struct store_name name, const struct committed_op *op, struct buffer *into)
{
    char time[TIME_BYTES];

    time_write(op->time_ms, time);
    write_member(into, "{\"a\":\"op\",\"c\":", name.collection);
    write_member(into, ",\"d\":", name.id);
    (void)buffer_append_string(into, ",\"v\":");
    (void)buffer_append_u64(into, op->version);
    write_member(into, ",\"src\":", op->src);
    (void)buffer_append_string(into, ",\"seq\":");
    (void)buffer_append_u64(into, op->seq);
    if (op->body.n_bytes > 2) { /* the body is an object: its members, without its braces */
        (void)buffer_append_string(into, ",");
        (void)buffer_append(into, (const char *)op->body.at + 1, op->body.n_bytes - 2);
    }
    (void)buffer_printf(into, ",\"time\":\"%s\"", time);
    write_member(into, ",\"author\":", op->author);
    if (op->n_merged)
        (void)buffer_printf(into, ",\"merged\":%" PRIu64, op->n_merged);
    (void)buffer_append_string(into, "}");
}

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct rest_ops *ops = LIST_ENTRY(fetch, struct rest_ops, fetch);

    ops->to = committed_op_end(op);
    (void)buffer_append_string(&ops->ops, ops->n++ ? ",\n" : "");
    op_write(ops->call.name, op, &ops->ops);
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static void page_begin(struct buffer *page, uint64_t from, uint64_t to, uint64_t head)
{
    buffer_init(page, FRAME_MAX_BYTES);
    (void)buffer_append_string(page, "{\"from\":");
    (void)buffer_append_u64(page, from);
    (void)buffer_append_string(page, ",\"to\":");
    (void)buffer_append_u64(page, to);
    (void)buffer_append_string(page, ",\"head\":");
    (void)buffer_append_u64(page, head);
    (void)buffer_append_string(page, ",\"ops\":[");
}

static void page_end(struct buffer *page)
{
    (void)buffer_append_string(page, "]}\n");
}

struct frame *page_of_op(struct store_name name, const struct committed_op *op)
{
    struct buffer page;
    struct frame *frame;

    page_begin(&page, op->version, op->version + 1, op->version + 1);
    op_write(name, op, &page);
    page_end(&page);
    frame = frame_of_buffer(&page);
    buffer_finish(&page);
    return frame;
}

static void answer(struct rest_ops *ops, struct rest_reply *reply, uint64_t head)
{
    reply_version(reply, head);
    reply_header(reply, "cache-control", "no-cache");
    call_reply(&ops->call, reply);
}

static void answer_page(struct rest_ops *ops, uint64_t head)
{
    struct rest_reply reply;
    struct buffer page;

    reply_init(&reply, 200);
    page_begin(&page, ops->from, ops->to, head);
    (void)buffer_append(&page, ops->ops.at, ops->ops.n_bytes);
    page_end(&page);
    reply_body(&reply, MEDIA_JSON, &page);
    buffer_finish(&page);
    answer(ops, &reply, head);
}

/* As reply_compress, once for all. */
static void reply_page(struct rest_reply *reply, struct rest_ops *ops, struct frame *page)
{
    bool is_worth = page->n_bytes >= GZIP_WORTH_BYTES && page->n_bytes <= HELPER_WORTH_BYTES;
    struct frame *compressed = NULL;

    reply_header(reply, "content-type", MEDIA_JSON);
    if (is_worth)
        reply_header(reply, "vary", "Accept-Encoding");
    if (is_worth && accepts_gzip(call_header(&ops->call.request, "accept-encoding")))
        compressed = waits_page_gzip(ops->call.context->waits);
    if (compressed)
        reply_header(reply, "content-encoding", "gzip");
    reply->response.body = frame_ref(compressed ? compressed : page);
}

/* To all who have waited for it the same bytes. */
static void answer_news(struct rest_ops *ops, struct committed_op *op)
{
    struct frame *page = waits_page(ops->call.context->waits, ops->call.name, op);
    struct rest_reply reply;

    if (!page) {
        call_fail(&ops->call, -ENOMEM);
        return;
    }
    reply_init(&reply, 200);
    reply_page(&reply, ops, page);
    answer(ops, &reply, op->version + 1);
}

static void answer_nothing(struct rest_ops *ops, uint64_t head)
{
    struct rest_reply reply;

    reply_init(&reply, 204);
    answer(ops, &reply, head);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_ops *ops = LIST_ENTRY(fetch, struct rest_ops, fetch);

    if (!r)
        r = ops->ops.error;
    if (!r && view->version == 0)
        r = DOCUMENT_MISSING;
    if (r)
        call_fail_version(&ops->call, r);
    else if (!ops->n && ops->call.wait_seconds)
        answer_nothing(ops, view->version);
    else
        answer_page(ops, view->version);
}

static void read_page(struct rest_ops *ops)
{
    ops->to = ops->from;
    ops->fetch.what = FETCH_OPS;
    ops->fetch.from = ops->from;
    ops->fetch.to = ops->until - ops->from > ops->limit ? ops->from + ops->limit : ops->until;
    ops->fetch.on_done = on_done;
    document_fetch(ops->call.document, &ops->fetch);
}

static void on_open(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_ops *ops = LIST_ENTRY(fetch, struct rest_ops, fetch);

    (void)view;
    ops->from = document_first(ops->call.document);
    if (!r && ops->from > ops->until)
        r = DOCUMENT_OPS_GONE;
    if (r)
        call_fail_version(&ops->call, r);
    else
        read_page(ops);
}

/* Where the log begins is known when the document is loaded. */
static void read_from_first(struct rest_ops *ops)
{
    ops->fetch.what = FETCH_BARRIER;
    ops->fetch.on_done = on_open;
    document_fetch(ops->call.document, &ops->fetch);
}

static bool is_awaited(const struct rest_call *call, const struct document_view *now)
{
    const struct rest_ops *ops = (const struct rest_ops *)call;
    uint64_t from = ops->has_from ? ops->from : document_first(call->document);

    return from == now->version && ops->until > now->version;
}

static void go_on(struct rest_call *call, struct committed_op *news)
{
    struct rest_ops *ops = (struct rest_ops *)call;

    if (news)
        answer_news(ops, news);
    else if (ops->has_from)
        read_page(ops);
    else
        read_from_first(ops);
}

static void ops_begin(struct rest_call *call, struct bytes body)
{
    struct rest_ops *ops = (struct rest_ops *)call;
    struct bytes query = call->request.query;
    bool takes_merged;

    (void)body;
    buffer_init(&ops->ops, FRAME_MAX_BYTES);
    ops->has_from = parameter_raw(query, "from").at;
    ops->until = DOCUMENT_NOW;
    ops->limit = LIMIT_DEFAULT;
    if (parameter_number(query, "from", &ops->from) || parameter_number(query, "to", &ops->until) ||
        ops->from > ops->until)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid version");
    else if (parameter_number(query, "limit", &ops->limit) || !ops->limit)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid limit");
    else if (parameter_flag(query, "merged", &takes_merged))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid merged");
    else {
        ops->limit = ops->limit > LIMIT_MAX ? LIMIT_MAX : ops->limit;
        ops->fetch = (struct fetch){ .max_bytes = PAGE_MAX_BYTES, .takes_merged = takes_merged, .on_op = on_op };
        call_wait(call, is_awaited, go_on);
    }
}

static void ops_finish(struct rest_call *call)
{
    buffer_finish(&((struct rest_ops *)call)->ops);
}

const struct rest_action rest_ops = { ops_begin, sizeof(struct rest_ops), ops_finish };
