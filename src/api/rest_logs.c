/* Every log of the store, deleted ones too, in order of names: what an export or a backup begins with. Under its own
 * address, since it tells of what others think is gone. */
#include <inttypes.h>

#include "api/percent.h"
#include "api/rest_inside.h"

#define LIMIT_DEFAULT     1000
#define LIMIT_MAX         1000
#define LISTING_MAX_BYTES (16u << 20)
#define LINK_MAX_BYTES    1000

struct rest_logs {
    struct rest_call call;
    struct store_list_query query;
    char collection[NAME_MAX_BYTES], after[NAME_MAX_BYTES];
};

static void write_log(struct buffer *into, const struct store_entry *entry)
{
    const struct store_info *info = &entry->info;
    const struct ot_type *type = ot_type_find(info->state.type.at, info->state.type.n_bytes);
    char created[TIME_BYTES], modified[TIME_BYTES];

    time_write(info->created_ms, created);
    time_write(info->modified_ms, modified);
    write_member(into, "{\"collection\":", entry->collection);
    write_member(into, ",\"id\":", entry->id);
    if (info->state.exists)
        write_member(into, ",\"type\":", type ? bytes_of_string(ot_type_name(type)) : info->state.type);
    else
        (void)buffer_append_string(into, ",\"type\":null");
    (void)buffer_printf(into,
                        ",\"exists\":%s,\"first\":%" PRIu64 ",\"version\":%" PRIu64 ",\"size\":%" PRIu64
                        ",\"created\":\"%s\",\"modified\":\"%s\"}",
                        info->state.exists ? "true" : "false", info->first, info->head, info->state.n_bytes, created,
                        modified);
}

static void reply_next(struct rest_reply *reply, const struct rest_logs *logs, const struct store_entry *last)
{
    struct buffer link;

    buffer_init(&link, LINK_MAX_BYTES);
    write_base(&link, &logs->call);
    (void)buffer_printf(&link, "/v1/logs?limit=%zu&after_collection=", logs->query.limit);
    percent_encode(last->collection, &link);
    (void)buffer_append_string(&link, "&after=");
    percent_encode(last->id, &link);
    if (!link.error)
        reply_header(reply, "link", "<%.*s>; rel=\"next\"", (int)link.n_bytes, link.at);
    buffer_finish(&link);
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct rest_logs *logs = arg;
    struct rest_reply reply;
    struct buffer body;

    if (r) {
        call_fail(&logs->call, r);
        return;
    }
    reply_init(&reply, 200);
    buffer_init(&body, LISTING_MAX_BYTES);
    (void)buffer_append_string(&body, "{\"logs\":[");
    for (size_t i = 0; i < n; i++) {
        (void)buffer_append_string(&body, i ? ",\n" : "");
        write_log(&body, &entries[i]);
    }
    (void)buffer_append_string(&body, "]}\n");
    reply_body(&reply, MEDIA_JSON, &body);
    reply_header(&reply, "cache-control", "no-cache");
    if (more && n && reply.response.status == 200)
        reply_next(&reply, logs, &entries[n - 1]);
    buffer_finish(&body);
    call_reply(&logs->call, &reply);
}

/* What is wrong; NULL: nothing. */
static const char *query_read(struct rest_logs *logs)
{
    struct bytes from = logs->call.request.query;
    struct store_list_query *query = &logs->query;
    uint64_t limit = LIMIT_DEFAULT;

    *query = (struct store_list_query){ .deleted = true, .all = true };
    if (parameter_text(from, "after_collection", logs->collection, sizeof(logs->collection), &query->collection))
        return "Invalid after_collection";
    if (parameter_text(from, "after", logs->after, sizeof(logs->after), &query->after))
        return "Invalid after";
    if (parameter_number(from, "limit", &limit) || !limit)
        return "Invalid limit";
    query->limit = limit > LIMIT_MAX ? LIMIT_MAX : (size_t)limit;
    return NULL;
}

static void logs_begin(struct rest_call *call, struct bytes body)
{
    struct rest_logs *logs = (struct rest_logs *)call;
    const char *wrong = query_read(logs);
    int r;

    (void)body;
    if (wrong) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", wrong);
        return;
    }
    r = store_list(hub_store(call->context->hub), &logs->query, on_list, logs);
    if (r)
        call_fail(call, r);
}

const struct rest_action rest_logs = { logs_begin, sizeof(struct rest_logs), NULL };
