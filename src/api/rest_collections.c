/* Listings: the collections, and the documents of one, in bytewise order of their ids. */
#include <errno.h>
#include <inttypes.h>

#include "api/percent.h"
#include "api/rest_inside.h"

#define LIMIT_DEFAULT     100
#define LIMIT_MAX         1000
#define LISTING_MAX_BYTES (16u << 20)
#define LINK_MAX_BYTES    3000
#define TYPE_MAX_BYTES    64

static void reply_listing(struct rest_reply *reply, struct buffer *body)
{
    reply_body(reply, MEDIA_JSON, body);
    reply_header(reply, "cache-control", "no-cache");
    buffer_finish(body);
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static void on_collections(void *arg, int r, const struct store_collection *collections, size_t n)
{
    struct rest_call *call = arg;
    struct rest_reply reply;
    struct buffer body;

    if (r) {
        call_fail(call, r);
        return;
    }
    reply_init(&reply, 200);
    buffer_init(&body, LISTING_MAX_BYTES);
    (void)buffer_append_string(&body, "{\"collections\":[");
    for (size_t i = 0; i < n; i++) {
        write_member(&body, i ? ",\n{\"collection\":" : "{\"collection\":", collections[i].name);
        (void)buffer_printf(&body, ",\"count\":%" PRIu64 "}", collections[i].n_documents);
    }
    (void)buffer_append_string(&body, "]}\n");
    reply_listing(&reply, &body);
    call_reply(call, &reply);
}

static void collections_begin(struct rest_call *call, struct bytes body)
{
    int r = store_collections(hub_store(call->context->hub), on_collections, call);

    (void)body;
    if (r)
        call_fail(call, r);
}

const struct rest_action rest_collections = { collections_begin, sizeof(struct rest_call), NULL };

/* ---- the documents of one ---------------------------------------------------------------------------------------- */

struct rest_list {
    struct rest_call call;
    struct store_list_query query;
    char prefix[NAME_MAX_BYTES], after[NAME_MAX_BYTES], type[TYPE_MAX_BYTES];
};

static void write_entry(struct buffer *into, const struct store_entry *entry)
{
    const struct store_info *info = &entry->info;
    const struct ot_type *type = ot_type_find(info->state.type.at, info->state.type.n_bytes);
    char created[TIME_BYTES], modified[TIME_BYTES];

    time_write(info->created_ms, created);
    time_write(info->modified_ms, modified);
    write_member(into, "{\"id\":", entry->id);
    write_member(into, ",\"type\":", type ? bytes_of_string(ot_type_name(type)) : info->state.type);
    (void)buffer_printf(into, ",\"version\":%" PRIu64 ",\"size\":%" PRIu64 ",\"created\":\"%s\",\"modified\":\"%s\"}",
                        info->head, info->state.n_bytes, created, modified);
}

static void link_parameter(struct buffer *into, const char *key, struct bytes value)
{
    if (!value.n_bytes)
        return;
    (void)buffer_printf(into, "&%s=", key);
    percent_encode(value, into);
}

static void reply_next(struct rest_reply *reply, const struct rest_list *list, struct bytes last)
{
    struct buffer link;
    char mark;

    buffer_init(&link, LINK_MAX_BYTES);
    mark = write_collection_address(&link, &list->call, list->query.collection);
    (void)buffer_printf(&link, "%climit=%zu", mark, list->query.limit);
    link_parameter(&link, "after", last);
    link_parameter(&link, "prefix", list->query.prefix);
    link_parameter(&link, "type", list->query.type);
    if (!link.error)
        reply_header(reply, "link", "<%.*s>; rel=\"next\"", (int)link.n_bytes, link.at);
    buffer_finish(&link);
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct rest_list *list = arg;
    struct rest_reply reply;
    struct buffer body;

    if (r) {
        call_fail(&list->call, r);
        return;
    }
    reply_init(&reply, 200);
    buffer_init(&body, LISTING_MAX_BYTES);
    write_member(&body, "{\"collection\":", list->query.collection);
    (void)buffer_append_string(&body, ",\"documents\":[");
    for (size_t i = 0; i < n; i++) {
        (void)buffer_append_string(&body, i ? ",\n" : "");
        write_entry(&body, &entries[i]);
    }
    (void)buffer_append_string(&body, "]}\n");
    reply_listing(&reply, &body);
    if (more && n && reply.response.status == 200)
        reply_next(&reply, list, entries[n - 1].id);
    call_reply(&list->call, &reply);
}

/* What is wrong; NULL: nothing. */
static const char *query_read(struct rest_list *list)
{
    struct bytes from = list->call.request.query;
    struct store_list_query *query = &list->query;
    const struct ot_type *type;
    uint64_t limit = LIMIT_DEFAULT;

    query->collection = list->call.name.collection;
    if (parameter_text(from, "prefix", list->prefix, sizeof(list->prefix), &query->prefix))
        return "Invalid prefix";
    if (parameter_text(from, "after", list->after, sizeof(list->after), &query->after))
        return "Invalid after";
    if (parameter_text(from, "type", list->type, sizeof(list->type), &query->type))
        return "Invalid type";
    if (parameter_number(from, "limit", &limit) || !limit)
        return "Invalid limit";
    query->limit = limit > LIMIT_MAX ? LIMIT_MAX : (size_t)limit;
    type = query->type.n_bytes ? ot_type_find(query->type.at, query->type.n_bytes) : NULL;
    if (type) /* the store knows types by their URI */
        query->type = bytes_of_string(ot_type_uri(type));
    return NULL;
}

static void listing_begin(struct rest_call *call, struct bytes body)
{
    struct rest_list *list = (struct rest_list *)call;
    const char *wrong = query_read(list);
    int r;

    (void)body;
    if (wrong) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", wrong);
        return;
    }
    r = store_list(hub_store(call->context->hub), &list->query, on_list, list);
    if (r)
        call_fail(call, r);
}

const struct rest_action rest_listing = { listing_begin, sizeof(struct rest_list), NULL };
