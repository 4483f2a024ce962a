#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

/* Small bounds, so that a run of some hundred operations meets all of them. */
void server_init(struct run *run)
{
    struct server *server = &run->server;

    server->disk = sim_disk_create();
    server->disk->may_repeat_ids = sim_sabotage == SABOTAGE_FORGET || sim_sabotage == SABOTAGE_TWICE;
    server->config = hub_defaults;
    server->config.world = &run->world;
    server->config.recent_max_bytes = run_chance(run, 500) ? 1000 : 1 << 20;
    server->config.n_idle_max = run_below(run, 2);
    server->config.n_writers_max = 1 + run_below(run, 4);
    server->config.slice_bytes = 50 + run_below(run, 1000);
    server->config.snapshot_min_bytes = 100 + run_below(run, 1000);
    memset(&server->context.key, 'k', sizeof(server->context.key));
    server->context.limits = session_limits_default;
    server->context.limits.n_unanswered = 1 + run_below(run, 8);
}

void server_start(struct run *run)
{
    struct server *server = &run->server;

    server->store = store_sim_open(server->disk, sim_random_u64(&run->random) | 1, NULL, NULL);
    if (sim_sabotage == SABOTAGE_EARLY_ACK)
        store_sim_lie(server->store);
    if (sim_sabotage == SABOTAGE_FORGET)
        store_sim_fault(server->store,
                        &(struct sim_fault){ .calls = SIM_FIND, .n_strikes = SIZE_MAX, .r = STORE_NOT_FOUND });
    server->config.store = server->store;
    if (hub_create(&server->config, &server->hub))
        abort();
    server->context.hub = server->hub;
    run->n_starts++;
    run_trace(run, "the server starts");
}

static void close_all(struct run *run)
{
    struct server *server = &run->server;
    struct hub_figures figures;

    store_sim_settle(server->store);
    hub_figures(server->hub, &figures);
    if (figures.n_pending)
        sim_violation("nothing stays behind", "%d operations are pending after the drain", (int)figures.n_pending);
    if (figures.n_documents != figures.n_idle)
        sim_violation("nothing stays behind", "%d documents are in use after the drain",
                      (int)(figures.n_documents - figures.n_idle));
    if (server->context.channels.by_name)
        sim_violation("nothing stays behind", "somebody listens to a channel after the drain");
    hub_destroy(server->hub);
    store_close(server->store);
    server->store = NULL;
}

void server_stop(struct run *run)
{
    run_trace(run, "the server stops");
    network_end_sessions(run);
    close_all(run);
}

void server_cut_power(struct run *run)
{
    run_trace(run, "the power goes");
    store_sim_cut_power(run->server.store);
    network_end_sessions(run);
    close_all(run);
}

void server_finish(struct run *run)
{
    if (run->server.store)
        server_stop(run);
    sim_disk_destroy(run->server.disk);
}

/* ---- trouble ----------------------------------------------------------------------------------------------------- */

void server_fail_appends(struct run *run)
{
    static const struct sim_fault faults[] = {
        { .kind = SIM_FAILS, .r = -EIO },          { .kind = SIM_MAY_BE_DONE, .r = -EIO },
        { .kind = SIM_FAILS, .r = -ENOSPC },       { .kind = SIM_REFUSED, .r = -ENOMEM },
        { .kind = SIM_FAILS, .r = STORE_UNKNOWN }, { .kind = SIM_DONE_ANYWAY, .r = STORE_UNKNOWN },
        { .kind = SIM_DONE_ANYWAY, .r = -EIO },    { .kind = SIM_MAY_BE_DONE, .r = STORE_UNKNOWN },
    };
    struct sim_fault fault = faults[run_below(run, sizeof(faults) / sizeof(faults[0]))];

    fault.calls = SIM_APPEND;
    fault.n_pass = run_below(run, 2);
    fault.n_strikes = 1 + run_below(run, 3);
    run_trace(run, "%zu commits will fail with %d", fault.n_strikes, fault.r);
    store_sim_fault(run->server.store, &fault);
}

void server_fail_reads(struct run *run)
{
    static const unsigned calls[] = { SIM_LOG_OPEN,     SIM_FIND,         SIM_READ,
                                      SIM_SNAPSHOT_GET, SIM_SNAPSHOT_PUT, SIM_EVERY_READ };
    struct sim_fault fault = { .n_pass = run_below(run, 3), .n_strikes = 1 + run_below(run, 2) };

    fault.calls = calls[run_below(run, sizeof(calls) / sizeof(calls[0]))];
    fault.kind = run_chance(run, 500) ? SIM_REFUSED : SIM_FAILS;
    fault.r = fault.kind == SIM_REFUSED ? -ENOMEM : -EIO;
    store_sim_fault(run->server.store, &fault);
}

static struct buffer random_body(struct run *run, const struct ot_snapshot *value)
{
    struct ot_op *op = edit_random(run, value);
    struct buffer body;

    buffer_init(&body, 1 << 17);
    (void)buffer_append_string(&body, "{\"op\":");
    client_must(ot_op_write(op, buffer_write, &body), "writing an operation");
    (void)buffer_append_string(&body, "}");
    ot_op_unref(op);
    return body;
}

void server_append_foreign(struct run *run, size_t document)
{
    struct server *server = &run->server;
    const struct sim_log *log = sim_disk_find(server->disk, run_name(document));
    struct ot_snapshot *value = judge_value(run, document);
    struct store_state after;
    struct record record = { .id = { bytes_of_string("elsewhere"), ++server->n_foreign } };
    struct buffer body;

    if (!value)
        return;
    body = random_body(run, value);
    record.time_ms = log->records[log->n - 1].time_ms;
    record.body = buffer_bytes(&body);
    after = log->state;
    after.n_bytes += 4;
    store_sim_append_foreign(server->store, run_name(document), &record, &after,
                             run->hints_are_reliable || run_chance(run, 500));
    run_trace(run, "somebody else writes d%zu at %d: %.*s", document, (int)(log->head - 1), (int)body.n_bytes, body.at);
    buffer_finish(&body);
    ot_snapshot_destroy(value);
}
