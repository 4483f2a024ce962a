/* /metrics: figures for machines, in the text format of Prometheus, version 0.0.4. */
#include <inttypes.h>

#include "api/rest_inside.h"
#include "api/rest_waits.h"
#include "api/session.h"
#include "auth/gate.h"

#define METRICS_MAX_BYTES (64u << 10)

static void append_figure(struct buffer *into, const char *name, const char *type, uint64_t value)
{
    (void)buffer_printf(into, "# TYPE pilcrow_%s %s\npilcrow_%s %" PRIu64 "\n", name, type, name, value);
}

static void append_hub(struct buffer *into, const struct hub *hub)
{
    struct hub_figures figures;

    hub_figures(hub, &figures);
    append_figure(into, "documents_open", "gauge", figures.n_documents);
    append_figure(into, "documents_idle", "gauge", figures.n_idle);
    append_figure(into, "operations_pending", "gauge", figures.n_pending);
    append_figure(into, "operations_committed_total", "counter", figures.n_committed);
    append_figure(into, "operations_repeated_total", "counter", figures.n_duplicates);
    append_figure(into, "operations_refused_total", "counter", figures.n_refused);
    append_figure(into, "reloads_total", "counter", figures.n_reloads);
    append_figure(into, "snapshots_total", "counter", figures.n_snapshots);
    append_figure(into, "merged_operations_total", "counter", figures.n_merged);
}

static void append_waits(struct buffer *into, const struct rest_waits *waits)
{
    append_figure(into, "http_waiting", "gauge", waits->n_waiting);
    append_figure(into, "http_streams", "gauge", waits->n_streams);
}

static void append_sessions(struct buffer *into, const struct session_context *sessions)
{
    append_figure(into, "sessions", "gauge", sessions->n_sessions);
    append_figure(into, "messages_received_total", "counter", sessions->n_frames_in);
    append_figure(into, "messages_refused_total", "counter", sessions->n_refusals);
    (void)buffer_append_string(into, "# TYPE pilcrow_limit_hits_total counter\n");
    for (unsigned i = 0; i < N_LIMITS; i++)
        (void)buffer_printf(into, "pilcrow_limit_hits_total{limit=\"%s\"} %" PRIu64 "\n", limit_name(i),
                            sessions->limit_counters.n_hits[i]);
}

static void append_store(struct buffer *into, const struct store_sizes *sizes)
{
    append_figure(into, "store_bytes", "gauge", sizes->file_bytes);
    append_figure(into, "store_free_bytes", "gauge", sizes->free_bytes);
    append_figure(into, "store_unpacked_bytes", "gauge", sizes->inbox_bytes);
    append_figure(into, "store_documents", "gauge", sizes->n_documents);
}

/* Without those of the store, when it can't say. */
static void on_sizes(void *arg, int r, const struct store_sizes *sizes)
{
    struct rest_call *call = arg;
    const struct rest_context *context = call->context;
    struct rest_reply reply;
    struct buffer text;

    reply_init(&reply, 200);
    buffer_init(&text, METRICS_MAX_BYTES);
    append_hub(&text, context->hub);
    append_figure(&text, "http_requests_total", "counter", context->n_requests);
    append_figure(&text, "http_problems_total", "counter", context->n_problems);
    if (context->waits)
        append_waits(&text, context->waits);
    if (context->sessions)
        append_sessions(&text, context->sessions);
    if (context->gate)
        append_figure(&text, "tokens_refused_total", "counter", context->gate->n_refused);
    if (!r)
        append_store(&text, sizes);
    reply_body(&reply, "text/plain; version=0.0.4; charset=utf-8", &text);
    reply_header(&reply, "cache-control", "no-store");
    buffer_finish(&text);
    call_reply(call, &reply);
}

static void metrics_begin(struct rest_call *call, struct bytes body)
{
    int r = store_sizes(hub_store(call->context->hub), on_sizes, call);

    (void)body;
    if (r)
        on_sizes(call, r, NULL);
}

const struct rest_action rest_metrics = { metrics_begin, sizeof(struct rest_call), NULL };
