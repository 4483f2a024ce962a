/* /metrics: figures for machines, in the text format of Prometheus, version 0.0.4. */
#include <inttypes.h>

#include "api/rest_inside.h"
#include "api/rest_process.h"
#include "api/rest_waits.h"
#include "api/session.h"
#include "auth/gate.h"

#define METRICS_MAX_BYTES (64u << 10)

/* Names are pilcrow_, what it is, its base unit; counters end in _total. Each comes with a line that says what it is.
 */
static void append_head(struct buffer *into, const char *name, const char *type, const char *help)
{
    (void)buffer_printf(into, "# HELP pilcrow_%s %s\n# TYPE pilcrow_%s %s\n", name, help, name, type);
}

static void append_figure(struct buffer *into, const char *name, uint64_t value, const char *help)
{
    size_t n = strlen(name), n_total = strlen("_total");
    bool is_counter = n > n_total && strcmp(name + n - n_total, "_total") == 0;

    append_head(into, name, is_counter ? "counter" : "gauge", help);
    (void)buffer_printf(into, "pilcrow_%s %" PRIu64 "\n", name, value);
}

static void append_seconds(struct buffer *into, const char *name, const char *type, double value, const char *help)
{
    append_head(into, name, type, help);
    (void)buffer_printf(into, "pilcrow_%s %.3f\n", name, value);
}

static void append_histogram(struct buffer *into, const char *name, const struct histogram *histogram, const char *help)
{
    uint64_t n = 0;

    append_head(into, name, "histogram", help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        n += histogram->n[i];
        (void)buffer_printf(into, "pilcrow_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, histogram_bounds_us[i] / 1e6, n);
    }
    n += histogram->n[HISTOGRAM_BOUNDS];
    (void)buffer_printf(into, "pilcrow_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
    (void)buffer_printf(into, "pilcrow_%s_sum %.6f\npilcrow_%s_count %" PRIu64 "\n", name,
                        (double)histogram->sum_us / 1e6, name, n);
}

/* One figure of both kinds of connections. */
static void append_kinds(struct buffer *into, const char *name, const char *type, uint64_t http, uint64_t websocket,
                         const char *help)
{
    append_head(into, name, type, help);
    (void)buffer_printf(into, "pilcrow_%s{kind=\"http\"} %" PRIu64 "\npilcrow_%s{kind=\"websocket\"} %" PRIu64 "\n",
                        name, http, name, websocket);
}

static void append_hub(struct buffer *into, const struct hub *hub)
{
    struct hub_figures figures;

    hub_figures(hub, &figures);
    append_figure(into, "documents_open", figures.n_documents, "Documents in memory.");
    append_figure(into, "documents_idle", figures.n_idle, "Of them, kept for whoever comes back.");
    append_figure(into, "operations_pending", figures.n_pending, "Operations accepted and not durable yet.");
    append_figure(into, "operations_committed_total", figures.n_committed, "Operations made durable.");
    append_figure(into, "operations_repeated_total", figures.n_duplicates, "Operations recognised as sent before.");
    append_figure(into, "operations_refused_total", figures.n_refused, "Operations that were refused.");
    append_figure(into, "reloads_total", figures.n_reloads, "Documents read again after a commit had failed.");
    append_figure(into, "snapshots_total", figures.n_snapshots, "Snapshots written.");
    append_figure(into, "merged_operations_total", figures.n_merged, "Old operations that went into others.");
    append_figure(into, "helper_errands", helper_n_errands(hub_helper(hub)), "Large work that waits for its thread.");
    append_histogram(into, "commit_duration_seconds", &figures.commit_time,
                     "Operations, by the time from being accepted to being durable.");
}

static void append_waits(struct buffer *into, const struct rest_waits *waits)
{
    append_figure(into, "http_waiting", waits->n_waiting, "Long-polls that wait.");
    append_figure(into, "http_streams", waits->n_streams, "Streams of events.");
}

static void append_answers(struct buffer *into, const struct rest_figures *figures)
{
    append_head(into, "http_requests_total", "counter",
                "Requests answered, by method and the first digit of the status.");
    for (unsigned method = 0; method < REST_METHODS; method++) {
        for (unsigned i = 0; i < 5; i++) {
            if (figures->n_answers[method][i] || (method == REST_GET && i == 1))
                (void)buffer_printf(into, "pilcrow_http_requests_total{method=\"%s\",status=\"%uxx\"} %" PRIu64 "\n",
                                    rest_method_names[method], i + 1, figures->n_answers[method][i]);
        }
    }
    append_histogram(into, "http_request_duration_seconds", &figures->answer_time,
                     "Requests, by the time from their head to their answer; long-polls with what they wait.");
}

static void append_carrier(struct buffer *into, const struct rest_context *context)
{
    struct rest_figures figures;

    context->carrier_figures(context->carrier, &figures);
    append_answers(into, &figures);
    append_kinds(into, "connections", "gauge", figures.n_https, figures.n_websockets, "Connections.");
    append_kinds(into, "queued_bytes", "gauge", figures.n_http_queued_bytes, figures.n_websocket_queued_bytes,
                 "Bytes on their way to clients who have not read them yet.");
    append_kinds(into, "received_bytes_total", "counter", figures.n_http_bytes_in, figures.n_websocket_bytes_in,
                 "Bytes that came, of a WebSocket's messages without their frames.");
    append_kinds(into, "sent_bytes_total", "counter", figures.n_http_bytes_out, figures.n_websocket_bytes_out,
                 "Bytes that left.");
}

static void append_sessions(struct buffer *into, const struct session_context *sessions)
{
    append_figure(into, "sessions", sessions->n_sessions, "Clients of the WebSocket protocol.");
    append_figure(into, "presences", sessions->n_presences, "Carets and the like that are shown.");
    append_figure(into, "messages_received_total", sessions->n_frames_in, "Messages that came by WebSocket.");
    append_figure(into, "messages_refused_total", sessions->n_refusals, "Of them, answered with an error.");
    append_head(into, "limit_hits_total", "counter", "How often somebody was over a limit, by the limit.");
    for (unsigned i = 0; i < N_LIMITS; i++)
        (void)buffer_printf(into, "pilcrow_limit_hits_total{limit=\"%s\"} %" PRIu64 "\n", limit_name(i),
                            sessions->limit_counters.n_hits[i]);
}

static void append_store(struct buffer *into, const struct store_sizes *sizes)
{
    append_figure(into, "store_bytes", sizes->file_bytes, "The data file.");
    append_figure(into, "store_free_bytes", sizes->free_bytes, "Of it, pages that will be used again.");
    append_figure(into, "store_max_bytes", sizes->max_bytes, "How large it may become.");
    append_figure(into, "store_unpacked_bytes", sizes->inbox_bytes, "Committed and not packed yet.");
    append_figure(into, "store_documents", sizes->n_documents, "Documents in the store.");
}

static void append_process(struct buffer *into, const struct rest_context *context)
{
    double now = (double)world_now_ms(hub_world(context->hub)) / 1e3;
    struct process_figures figures;

    process_figures(&figures);
    append_head(into, "build_info", "gauge", "1, with the version.");
    (void)buffer_append_string(into, "pilcrow_build_info{version=\"" PILCROW_VERSION "\"} 1\n");
    append_seconds(into, "process_start_time_seconds", "gauge", (double)context->started_ms / 1e3,
                   "When the server began, since 1970.");
    append_seconds(into, "uptime_seconds", "gauge", now - (double)context->started_ms / 1e3,
                   "For how long it has run.");
    append_seconds(into, "process_cpu_seconds_total", "counter", figures.cpu_seconds,
                   "Processor time, of all threads.");
    append_figure(into, "process_resident_memory_bytes", figures.resident_bytes,
                  "Memory, with what is mapped of the store.");
    append_figure(into, "process_open_fds", figures.n_descriptors, "Open descriptors.");
    append_figure(into, "process_max_fds", figures.n_descriptors_max, "Descriptors that may be open.");
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
    append_figure(&text, "http_problems_total", context->n_problems, "Requests answered with a problem.");
    if (context->carrier_figures)
        append_carrier(&text, context);
    if (context->waits)
        append_waits(&text, context->waits);
    if (context->sessions)
        append_sessions(&text, context->sessions);
    if (context->gate)
        append_figure(&text, "tokens_refused_total", context->gate->n_refused, "Tokens that were nobody's.");
    if (!r)
        append_store(&text, sizes);
    append_process(&text, context);
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
