#include "tests/bench/protocol_load.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#define N_EVENTS        512
#define SETTLE_NS       (SECOND / 5)
#define HISTORY_AT_ONCE 64

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void on_event(struct load *load, const struct epoll_event *event)
{
    struct client *client = event->data.ptr;

    if (event->events & EPOLLOUT)
        line_on_room(&client->line);
    if (!(event->events & ~(uint32_t)EPOLLOUT))
        return;
    load->at_ns = now_ns();
    client_on_input(client);
}

static void clock_tick(struct load *load)
{
    struct client *writer = &load->clients[0];

    if (!load->interval_ns || !load->pump)
        return;
    for (; load->due_ns <= now_ns() && write_has_more(writer); load->due_ns += load->interval_ns) {
        write_op(writer, load->due_ns);
        line_flush(&writer->line);
    }
}

static void turn(struct load *load, uint64_t until_ns)
{
    struct epoll_event events[N_EVENTS];
    uint64_t wake_ns = load->interval_ns && load->pump && load->due_ns < until_ns ? load->due_ns : until_ns;
    uint64_t at_ns = now_ns(), wait_ns = wake_ns > at_ns ? wake_ns - at_ns : 0;
    struct timespec patience = { (time_t)(wait_ns / SECOND), (long)(wait_ns % SECOND) };
    int n = epoll_pwait2(load->epoll, events, N_EVENTS, &patience, NULL);

    if (n < 0 && errno != EINTR)
        fail("epoll_pwait2: %s", strerror(errno));
    for (int i = 0; i < n; i++)
        on_event(load, &events[i]);
    clock_tick(load);
}

void load_turn_for(struct load *load, uint64_t ns)
{
    uint64_t until_ns = now_ns() + ns;

    while (now_ns() < until_ns)
        turn(load, until_ns);
}

/* When it is time to give up: as long ago something came for the last time, or was asked for. */
static uint64_t patience_end(const struct load *load, uint64_t begun_ns)
{
    return (load->at_ns > begun_ns ? load->at_ns : begun_ns) + load->patience_ns;
}

void load_turn_until(struct load *load, bool (*is_done)(const struct client *), const char *what)
{
    uint64_t begun_ns = now_ns();

    for (unsigned i = 0; i < load->n_clients;) {
        if (is_done(&load->clients[i])) {
            i++;
            continue;
        }
        if (now_ns() >= patience_end(load, begun_ns))
            fail("client %u: %s, and nothing comes", i, what);
        turn(load, patience_end(load, begun_ns));
    }
}

/* ---- the stages -------------------------------------------------------------------------------------------------- */

/* Those from and up to these numbers, some at a time. */
static void open_clients(struct load *load, unsigned from, unsigned to)
{
    uint64_t begun_ns = now_ns();

    for (unsigned n = from; load->n_ready < to;) {
        while (n < to && n - load->n_ready < load->at_once)
            client_open(&load->clients[n++]);
        if (now_ns() >= patience_end(load, begun_ns))
            fail("%u of %u clients are there, and nothing comes", load->n_ready, to);
        turn(load, patience_end(load, begun_ns));
    }
    load->joined_at = seconds_of(CLOCK_MONOTONIC);
}

static bool has_nothing_on_its_way(const struct client *client)
{
    return client->n_waiting == 0 && (!client->is_subscribed || client->version == client->document->n_sent);
}

static bool is_through(const struct client *client)
{
    return has_nothing_on_its_way(client) && !write_has_more(client);
}

static bool has_its_answer(const struct client *client)
{
    return !client->is_asking;
}

void load_pump(struct load *load, void (*pump)(struct client *))
{
    load->pump = pump;
    load->at_ns = now_ns();
    load->due_ns = load->at_ns + load->interval_ns;
    for (unsigned i = 0; pump && i < load->n_clients; i++)
        pump(&load->clients[i]);
}

static void write_history(struct load *load)
{
    unsigned outstanding = load->outstanding;

    load->outstanding = load->is_foretelling ? HISTORY_AT_ONCE : 1;
    load->most = load->history;
    load_pump(load, write_pump);
    load_turn_until(load, is_through, "its history is not written");
    load->pump = NULL;
    load->outstanding = outstanding;
    load->most = UINT32_MAX;
}

void load_check(struct load *load)
{
    load_turn_until(load, has_its_answer, "an answer is missing");
    load_turn_until(load, has_nothing_on_its_way, "it was not told of all that was written");
    for (unsigned i = 0; i < load->n_documents && !load->is_bare; i++)
        client_ask(load->documents[i].creator, "f", "null");
    load_turn_until(load, has_its_answer, "its document does not come");
}

/* ---- what is measured -------------------------------------------------------------------------------------------- */

struct counts {
    double at, server, own; /* seconds: the time, and processor time of both sides */
    struct traffic traffic;
    uint64_t n[N_COUNTED];
};

static struct counts counts_now(const struct load *load)
{
    struct counts counts = {
        .at = seconds_of(CLOCK_MONOTONIC),
        .server = family_seconds(load->server),
        .own = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
        .traffic = load->traffic,
    };

    memcpy(counts.n, load->n_counted, sizeof(counts.n));
    return counts;
}

static void print_times(const char *name, const struct histogram *times)
{
    const double ms = 1e6;

    (void)printf(",\"%s\":{\"n\":%llu,\"mean\":%.4f,\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f}", name,
                 (unsigned long long)times->n, histogram_mean(times) / ms, (double)histogram_at(times, 0.5) / ms,
                 (double)histogram_at(times, 0.99) / ms, (double)times->max / ms);
}

static void print_counts(const struct load *load, const struct counts *from, const struct counts *to)
{
    static const char *const names[N_COUNTED] = { "acknowledged", "told", "answered" };
    double seconds = to->at - from->at, own = to->own - from->own;
    unsigned counted = load->mode->counted;

    (void)printf(
        ",\"seconds\":%.4f,\"per_second\":%.1f,\"server_cpu_s\":%.6f,\"own_cpu_s\":%.6f,\"own_cpu_share\":%.3f",
        seconds, (double)(to->n[counted] - from->n[counted]) / seconds, to->server - from->server, own, own / seconds);
    for (int i = 0; i < N_COUNTED; i++)
        (void)printf(",\"%s\":%llu", names[i], (unsigned long long)(to->n[i] - from->n[i]));
    (void)printf(",\"bytes_out\":%llu,\"bytes_in\":%llu",
                 (unsigned long long)(to->traffic.bytes_out - from->traffic.bytes_out),
                 (unsigned long long)(to->traffic.bytes_in - from->traffic.bytes_in));
    print_times("acknowledged_ms", &load->acknowledged);
    print_times("told_ms", &load->told);
}

static void measure(struct load *load)
{
    struct counts from, to;

    load_pump(load, load->mode->pump);
    load_turn_for(load, load->warm_ns);
    load->is_measuring = true;
    from = counts_now(load);
    load_turn_for(load, load->measured_ns);
    to = counts_now(load);
    load->is_measuring = false;
    load->pump = NULL;
    load_check(load);
    print_counts(load, &from, &to);
}

/* So many operations, however long it takes. */
static void measure_through(struct load *load)
{
    struct counts from = counts_now(load), to;

    load->is_measuring = true;
    load_pump(load, write_pump);
    load_turn_until(load, is_through, "it is not through with its operations");
    to = counts_now(load);
    load->is_measuring = false;
    load->pump = NULL;
    load_check(load);
    print_counts(load, &from, &to);
}

/* Opens those from and up to these numbers; what each of them costs the server. */
static long open_measured(struct load *load, unsigned from, unsigned to)
{
    long before = resident_bytes(load->server);
    uint64_t settle_ns = load->mode->pump ? 0 : SETTLE_NS;

    open_clients(load, from, to);
    load_turn_for(load, settle_ns);
    return to > from ? (resident_bytes(load->server) - before) / (long)(to - from) : 0;
}

/* What it costs the server that a client follows a document more; the first one's making room for it is not counted. */
static long follow_measured(struct load *load)
{
    unsigned first = load->n_documents, n = load->n_clients - first - 1;
    long before = 0;

    for (unsigned i = first; i < load->n_clients; i++) {
        client_follow_all(&load->clients[i]);
        load_turn_until(load, has_its_answer, "it does not follow all documents");
        if (i == first)
            before = resident_bytes(load->server);
    }
    return (resident_bytes(load->server) - before) / (long)(n * (load->n_documents - 1));
}

void load_run(struct load *load)
{
    unsigned n_others = load->n_clients - load->n_documents;
    double at;

    (void)printf("{\"mode\":\"%s\",\"n\":%u,\"memory_with_document\":%ld", load->mode->name, load->n,
                 open_measured(load, 0, load->n_documents));
    at = seconds_of(CLOCK_MONOTONIC);
    if (n_others) {
        long memory = open_measured(load, load->n_documents, load->n_clients);
        double took = load->joined_at - at;

        (void)printf(",\"joins_per_second\":%.1f,\"memory\":%ld", n_others / took, memory);
    }
    if (load->follows_all)
        (void)printf(",\"memory_of_subscription\":%ld", follow_measured(load));
    if (load->history)
        write_history(load);
    if (load->mode->drains)
        load_drain(load);
    else if (load->most != UINT32_MAX)
        measure_through(load);
    else
        measure(load);
    (void)printf("}\n");
}
