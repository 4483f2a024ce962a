/* The store as a whole, for administrators: where its space is, and compaction. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "api/parameter.h"
#include "api/rest_inside.h"
#include "doc/retain.h"

static const struct size {
    const char *name; /* as in struct store_sizes */
    size_t offset;
} size_rows[] = {
#define ROW(name)                                                                                                      \
    {                                                                                                                  \
#name, offsetof(struct store_sizes, name)                                                                      \
    }
    ROW(file_bytes), ROW(free_bytes),    ROW(n_logs),      ROW(n_documents),    ROW(n_batches),   ROW(inbox_bytes),
    ROW(n_segments), ROW(segment_bytes), ROW(n_snapshots), ROW(snapshot_bytes), ROW(large_bytes), ROW(other_bytes),
#undef ROW
};

static void write_sizes(struct buffer *into, const struct store_sizes *sizes)
{
    for (size_t i = 0; i < sizeof(size_rows) / sizeof(size_rows[0]); i++) {
        const uint64_t *value = (const void *)((const char *)sizes + size_rows[i].offset);

        (void)buffer_printf(into, "%c\"%s\":%" PRIu64, i ? ',' : '{', size_rows[i].name, *value);
    }
    (void)buffer_append_string(into, "}");
}

static void reply_json(struct rest_call *call, struct buffer *body)
{
    struct rest_reply reply;

    (void)buffer_append_string(body, "\n");
    reply_init(&reply, 200);
    reply_body(&reply, MEDIA_JSON, body);
    reply_header(&reply, "cache-control", "no-store");
    buffer_finish(body);
    call_reply(call, &reply);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

static void on_sizes(void *arg, int r, const struct store_sizes *sizes)
{
    struct rest_call *call = arg;
    struct buffer body;

    if (r) {
        call_fail(call, r);
        return;
    }
    buffer_init(&body, 4096);
    write_sizes(&body, sizes);
    reply_json(call, &body);
}

static void sizes_begin(struct rest_call *call, struct bytes body)
{
    int r = store_sizes(hub_store(call->context->hub), on_sizes, call);

    (void)body;
    if (r)
        call_fail(call, r);
}

const struct rest_action rest_sizes = { sizes_begin, sizeof(struct rest_call), NULL };

/* ---- compaction -------------------------------------------------------------------------------------------------- */

struct rest_compact {
    struct rest_call call;
    struct store_sizes before;
    struct retain retain; /* its rules: those of the server, or of the request */
};

static void compact_fail(struct rest_call *call, int r)
{
    if (r == -EBUSY)
        call_refuse(call, 409, "ERR_STORE_IN_USE",
                    "Another program reads the store, or a backup is being written: try again when it has ended. "
                    "Nothing has changed.");
    else if (r == -EALREADY)
        call_refuse(call, 409, "ERR_COMPACTING", "The store is being compacted already.");
    else if (r == -ENOSPC)
        call_refuse(call, 507, "ERR_STORE_FULL",
                    "There is no room for a second copy of the store, which this needs for a while. Nothing has "
                    "changed.");
    else
        call_fail(call, r);
}

static void on_sizes_after(void *arg, int r, const struct store_sizes *sizes)
{
    struct rest_compact *compact = arg;
    struct buffer body;

    if (r) {
        call_fail(&compact->call, r);
        return;
    }
    buffer_init(&body, 4096);
    (void)buffer_append_string(&body, "{\"before\":");
    write_sizes(&body, &compact->before);
    (void)buffer_append_string(&body, ",\"after\":");
    write_sizes(&body, sizes);
    (void)buffer_append_string(&body, "}");
    reply_json(&compact->call, &body);
}

static void on_compacted(void *arg, int r)
{
    struct rest_compact *compact = arg;

    if (!r)
        r = store_sizes(hub_store(compact->call.context->hub), on_sizes_after, compact);
    if (r)
        compact_fail(&compact->call, r);
}

static void on_progress(void *arg, uint64_t n_done, uint64_t n_total)
{
    struct rest_context *context = ((struct rest_compact *)arg)->call.context;

    if (context->on_progress)
        context->on_progress(context, n_done, n_total);
}

static void compact_now(struct rest_compact *compact)
{
    int r = store_compact(hub_store(compact->call.context->hub), on_progress, on_compacted, compact);

    if (r)
        compact_fail(&compact->call, r);
}

static void on_retained(struct retain *retain, int r)
{
    struct rest_compact *compact = LIST_ENTRY(retain, struct rest_compact, retain);

    if (r)
        call_fail(&compact->call, r);
    else
        compact_now(compact);
}

/* What was merged leaves the file with the rest. A run of the server's own that is under way is not waited for. */
static int retain_first(struct rest_compact *compact)
{
    struct retain *retain = &compact->retain;

    if (!retain->rules.n)
        return -EBUSY;
    retain->hub = compact->call.context->hub;
    retain->from_start = true;
    retain->on_done = on_retained;
    return retain_all(retain);
}

static void on_sizes_before(void *arg, int r, const struct store_sizes *sizes)
{
    struct rest_compact *compact = arg;

    if (!r) {
        compact->before = *sizes;
        r = retain_first(compact);
    }
    if (r == -EBUSY)
        compact_now(compact);
    else if (r)
        call_fail(&compact->call, r);
}

/* NULL, or what is wrong with them. */
static const char *read_rules(struct rest_compact *compact)
{
    const struct rest_context *context = compact->call.context;
    char text[RETAIN_LIST_MAX];
    struct bytes list;

    if (parameter_text(compact->call.request.query, "retention", text, sizeof(text), &list))
        return "is too long, or badly encoded";
    if (list.n_bytes)
        return retain_rules_read(&compact->retain.rules, list);
    if (context->retention)
        compact->retain.rules = *context->retention;
    return NULL;
}

static void compact_begin(struct rest_call *call, struct bytes body)
{
    const char *flaw;
    char detail[256];
    int r;

    (void)body;
    if (!call_may_write(call))
        return;
    flaw = read_rules((struct rest_compact *)call);
    if (flaw) {
        (void)snprintf(detail, sizeof(detail), "A rule of the parameter retention %s.", flaw);
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", detail);
        return;
    }
    r = store_sizes(hub_store(call->context->hub), on_sizes_before, call);
    if (r)
        call_fail(call, r);
}

const struct rest_action rest_compact = { compact_begin, sizeof(struct rest_compact), NULL };
