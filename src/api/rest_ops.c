/* A page of the log: {"from","to","head","ops":[...]}, each operation as it is streamed, with time and author. With
 * ?merged=true also those that stand for several, which say so: "merged" is how many more. */
#include <inttypes.h>

#include "api/rest_inside.h"

#define LIMIT_DEFAULT  1000
#define LIMIT_MAX      10000
#define PAGE_MAX_BYTES (4u << 20) /* of operations, about; at least one */

struct rest_ops {
    struct rest_call call;
    struct fetch fetch;
    uint64_t n, to;    /* how many, and where the last leads */
    struct buffer ops; /* separated by commas */
};

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct rest_ops *ops = LIST_ENTRY(fetch, struct rest_ops, fetch);
    struct buffer *into = &ops->ops;
    char time[TIME_BYTES];

    ops->to = committed_op_end(op);
    time_write(op->time_ms, time);
    (void)buffer_append_string(into, ops->n++ ? ",\n" : "");
    write_member(into, "{\"a\":\"op\",\"c\":", ops->call.name.collection);
    write_member(into, ",\"d\":", ops->call.name.id);
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

static void answer(struct rest_ops *ops, uint64_t head)
{
    uint64_t from = ops->fetch.from;
    struct rest_reply reply;
    struct buffer body;

    reply_init(&reply, 200);
    buffer_init(&body, FRAME_MAX_BYTES);
    (void)buffer_append_string(&body, "{\"from\":");
    (void)buffer_append_u64(&body, from);
    (void)buffer_append_string(&body, ",\"to\":");
    (void)buffer_append_u64(&body, ops->to);
    (void)buffer_append_string(&body, ",\"head\":");
    (void)buffer_append_u64(&body, head);
    (void)buffer_append_string(&body, ",\"ops\":[");
    (void)buffer_append(&body, ops->ops.at, ops->ops.n_bytes);
    (void)buffer_append_string(&body, "]}\n");
    reply_body(&reply, MEDIA_JSON, &body);
    reply_version(&reply, head);
    reply_header(&reply, "cache-control", "no-cache");
    buffer_finish(&body);
    call_reply(&ops->call, &reply);
}

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_ops *ops = LIST_ENTRY(fetch, struct rest_ops, fetch);

    if (!r)
        r = ops->ops.error;
    if (!r && view->version == 0)
        r = DOCUMENT_MISSING;
    if (r)
        call_fail_version(&ops->call, r);
    else
        answer(ops, view->version);
}

/* False: it is neither true nor false. */
static bool read_merged(struct bytes query, bool *out)
{
    char text[8];
    struct bytes said = { "", 0 };

    if (parameter_text(query, "merged", text, sizeof(text), &said))
        return false;
    *out = bytes_equal(said, bytes_of_string("true"));
    return *out || !said.n_bytes || bytes_equal(said, bytes_of_string("false"));
}

static void ops_begin(struct rest_call *call, struct bytes body)
{
    struct rest_ops *ops = (struct rest_ops *)call;
    struct bytes query = call->request.query;
    uint64_t from = 0, to = DOCUMENT_NOW, limit = LIMIT_DEFAULT;
    bool takes_merged;

    (void)body;
    buffer_init(&ops->ops, FRAME_MAX_BYTES);
    if (parameter_number(query, "from", &from) || parameter_number(query, "to", &to) || from > to)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid version");
    else if (parameter_number(query, "limit", &limit) || !limit)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid limit");
    else if (!read_merged(query, &takes_merged))
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid merged");
    else if (call_open(call)) {
        limit = limit > LIMIT_MAX ? LIMIT_MAX : limit;
        ops->to = from;
        ops->fetch = (struct fetch){ .what = FETCH_OPS,
                                     .from = from,
                                     .to = to - from > limit ? from + limit : to,
                                     .max_bytes = PAGE_MAX_BYTES,
                                     .takes_merged = takes_merged,
                                     .on_op = on_op,
                                     .on_done = on_done };
        document_fetch(call->document, &ops->fetch);
    }
}

static void ops_finish(struct rest_call *call)
{
    buffer_finish(&((struct rest_ops *)call)->ops);
}

const struct rest_action rest_ops = { ops_begin, sizeof(struct rest_ops), ops_finish };
