/* Many clients who follow one document, and one who writes it.
 *
 *   followers WAY N PORT PID [OPTION...]     N followers of the server with that process id on 127.0.0.1:PORT, in one
 * of the four ways: polling, long-polling, events, websocket
 *   --quiet S, --writing S                   two stretches that are measured once all have the document: nobody writes,
 *                                            then somebody does (0)
 *   --pause S                                between two writes, on average (1)
 *   --interval S                             between two polls of a follower (5); their moments are spread evenly
 *   --unconditional                          polls without If-None-Match
 *   --patience S                             how long after the last write, and an interval, all must have been told
 * (10)
 *
 * It prints one JSON object, or says what was told wrongly and exits with 1. */
#include "tests/bench/followers.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SECOND       1000000000ull
#define JOIN_AT_ONCE 64
#define JOIN_SECONDS 60
#define N_EVENTS     256

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

/* Poll number k is due at an even distance after number k - 1, and is the one of follower k modulo n. */
static uint64_t poll_due(const struct run *run)
{
    return run->polls_from_ns + (uint64_t)((double)run->n_polls * (double)run->interval_ns / run->n);
}

static bool is_polling(const struct run *run)
{
    return run->way->is_polling && run->polls_from_ns;
}

static void polls_tick(struct run *run)
{
    while (is_polling(run) && poll_due(run) <= now_ns()) {
        struct follower *follower = &run->followers[run->n_polls++ % run->n];

        if (follower->is_asking)
            run->n_late++;
        else
            poll_ask(follower);
    }
}

static void on_event(struct run *run, const struct epoll_event *event)
{
    struct follower *follower = event->data.ptr;
    struct line *line = event->data.ptr == &run->writer ? &run->writer.line : &follower->line;

    if (event->events & EPOLLOUT)
        line_on_room(line);
    if (!(event->events & ~(uint32_t)EPOLLOUT))
        return;
    run->received_ns = now_ns();
    if (line == &run->writer.line)
        writer_on_input(&run->writer);
    else
        run->way->on_input(follower);
}

/* Waits for one of the lines, a poll or a write, until then at most. */
static void turn(struct run *run, uint64_t until_ns)
{
    struct epoll_event events[N_EVENTS];
    uint64_t wake_ns = until_ns, at_ns = now_ns();
    struct timespec patience;
    int n;

    if (!run->writer.is_waiting && run->writer.due_ns < wake_ns)
        wake_ns = run->writer.due_ns;
    if (is_polling(run) && poll_due(run) < wake_ns)
        wake_ns = poll_due(run);
    wake_ns = wake_ns > at_ns ? wake_ns - at_ns : 0;
    patience = (struct timespec){ (time_t)(wake_ns / SECOND), (long)(wake_ns % SECOND) };
    n = epoll_pwait2(run->epoll, events, N_EVENTS, &patience, NULL);
    if (n < 0 && errno != EINTR)
        fail("epoll_pwait2: %s", strerror(errno));
    for (int i = 0; i < n; i++)
        on_event(run, &events[i]);
    polls_tick(run);
    writer_tick(&run->writer, now_ns());
}

static void turn_for(struct run *run, uint64_t ns)
{
    uint64_t until_ns = now_ns() + ns;

    while (now_ns() < until_ns)
        turn(run, until_ns);
}

/* ---- what is measured -------------------------------------------------------------------------------------------- */

struct counts {
    double at, server, own; /* seconds: the time, and processor time of both sides */
    struct traffic traffic;
    uint64_t n_told, n_unchanged, n_late;
    unsigned version;
};

static struct counts counts_now(const struct run *run)
{
    return (struct counts){
        .at = seconds_of(CLOCK_MONOTONIC),
        .server = seconds_of(run->server_clock),
        .own = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
        .traffic = run->traffic,
        .n_told = run->n_told,
        .n_unchanged = run->n_unchanged,
        .n_late = run->n_late,
        .version = run->writer.version,
    };
}

static void print_stretch(const char *name, const struct counts *from, const struct counts *to)
{
    (void)printf(",\"%s\":{\"seconds\":%.3f,\"server_cpu_s\":%.6f,\"own_cpu_s\":%.6f,\"requests\":%llu,"
                 "\"bytes_out\":%llu,\"bytes_in\":%llu,\"unchanged\":%llu,\"late\":%llu,\"writes\":%u}",
                 name, to->at - from->at, to->server - from->server, to->own - from->own,
                 (unsigned long long)(to->traffic.n_requests - from->traffic.n_requests),
                 (unsigned long long)(to->traffic.bytes_out - from->traffic.bytes_out),
                 (unsigned long long)(to->traffic.bytes_in - from->traffic.bytes_in),
                 (unsigned long long)(to->n_unchanged - from->n_unchanged),
                 (unsigned long long)(to->n_late - from->n_late), to->version - from->version);
}

static void print_times(const char *name, const struct histogram *times)
{
    const double ms = 1e6;

    (void)printf(",\"%s\":{\"n\":%llu,\"mean\":%.3f,\"median\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name,
                 (unsigned long long)times->n, histogram_mean(times) / ms, (double)histogram_at(times, 0.5) / ms,
                 (double)histogram_at(times, 0.99) / ms, (double)times->max / ms);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static void wait_for_document(struct run *run)
{
    uint64_t until_ns = now_ns() + JOIN_SECONDS * SECOND;

    writer_open(&run->writer, run);
    while (run->writer.version == 0 || run->writer.is_waiting) {
        if (now_ns() >= until_ns)
            fail("the document is not there after %d s", JOIN_SECONDS);
        turn(run, until_ns);
    }
}

static void join(struct run *run)
{
    uint64_t until_ns = now_ns() + JOIN_SECONDS * SECOND;
    unsigned n_open = 0;

    while (run->n_joined < run->n) {
        for (; n_open < run->n && n_open - run->n_joined < JOIN_AT_ONCE; n_open++) {
            struct follower *follower = &run->followers[n_open];

            *follower = (struct follower){ .run = run, .number = n_open };
            buffer_init(&follower->body, 1 << 20);
            line_open(&follower->line, run->epoll, follower, &run->traffic, run->port);
            run->way->begin(follower);
        }
        if (now_ns() >= until_ns)
            fail("%u of %u have joined after %d s", run->n_joined, run->n, JOIN_SECONDS);
        turn(run, until_ns);
    }
}

/* All must come to know the newest version. */
static void drain(struct run *run)
{
    uint64_t until_ns = now_ns() + run->patience_ns + run->interval_ns;

    writer_stop(&run->writer);
    for (unsigned i = 0; i < run->n;) {
        if (run->followers[i].seen == run->writer.version) {
            i++;
            continue;
        }
        if (now_ns() >= until_ns)
            fail("follower %u was told version %u as the newest, and not %u", i, run->followers[i].seen,
                 run->writer.version);
        turn(run, until_ns);
    }
}

static void measure(struct run *run)
{
    long before = resident_bytes(run->server), after;
    struct counts from, to;

    join(run);
    turn_for(run, SECOND / 2); /* whoever waits has asked by then */
    after = resident_bytes(run->server);
    (void)printf("{\"way\":\"%s\",\"followers\":%u,\"memory\":%ld", run->way->name, run->n, (after - before) / run->n);

    run->polls_from_ns = now_ns();
    from = counts_now(run);
    turn_for(run, run->quiet_ns);
    to = counts_now(run);
    print_stretch("quiet", &from, &to);

    writer_start(&run->writer, now_ns());
    from = counts_now(run);
    turn_for(run, run->writing_ns);
    to = counts_now(run);
    drain(run);
    print_stretch("writing", &from, &to);
    print_times("latency_ms", &run->latency);
    print_times("acknowledged_ms", &run->writer.acknowledged);
    (void)printf(",\"told\":%llu}\n", (unsigned long long)run->n_told);
}

static void prepare(struct run *run, char **arguments)
{
    run->way = way_named(arguments[0]);
    run->n = (unsigned)strtoul(arguments[1], NULL, 10);
    run->port = (int)strtol(arguments[2], NULL, 10);
    run->server = (pid_t)strtol(arguments[3], NULL, 10);
    if (!run->way || run->n == 0)
        fail("followers: no such way, or nobody follows");
    run->server_clock = cpu_clock(run->server);
    raise_descriptors(run->n);
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->followers = calloc(run->n, sizeof(*run->followers));
    if (run->epoll < 0 || !run->followers)
        fail("no memory");
}

static void finish(struct run *run)
{
    for (unsigned i = 0; i < run->n; i++) {
        line_close(&run->followers[i].line);
        buffer_finish(&run->followers[i].body);
    }
    line_close(&run->writer.line);
    free(run->followers);
    (void)close(run->epoll);
}

static uint64_t ns_of(const char *seconds)
{
    return (uint64_t)(strtod(seconds, NULL) * (double)SECOND);
}

static void read_options(struct run *run, int argc, char **argv)
{
    static const struct option options[] = { { "interval", required_argument, NULL, 'i' },
                                             { "quiet", required_argument, NULL, 'q' },
                                             { "writing", required_argument, NULL, 'w' },
                                             { "pause", required_argument, NULL, 'p' },
                                             { "patience", required_argument, NULL, 't' },
                                             { "unconditional", no_argument, NULL, 'u' },
                                             { 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'i': run->interval_ns = ns_of(optarg); break;
        case 'q': run->quiet_ns = ns_of(optarg); break;
        case 'w': run->writing_ns = ns_of(optarg); break;
        case 'p': run->writer.pause_ns = ns_of(optarg); break;
        case 't': run->patience_ns = ns_of(optarg); break;
        case 'u': run->is_unconditional = true; break;
        default: exit(2);
        }
    }
    if (argc - optind != 4)
        fail("followers WAY N PORT PID [OPTION...]");
}

int main(int argc, char **argv)
{
    static struct run run = { .interval_ns = 5 * SECOND, .patience_ns = 10 * SECOND, .writer.pause_ns = SECOND };

    read_options(&run, argc, argv);
    prepare(&run, argv + optind);
    wait_for_document(&run);
    measure(&run);
    finish(&run);
    return 0;
}
