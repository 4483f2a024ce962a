#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/violation.h"

#define STEPS_TO_REST 1000000

struct store_name run_name(size_t document)
{
    static const char *const ids[RUN_DOCUMENTS_MAX] = { "d0", "d1" };

    return (struct store_name){ bytes_of_string(RUN_COLLECTION), bytes_of_string(ids[document]) };
}

bool run_document_of(const struct ot_json *frame, size_t *out)
{
    const struct ot_json *id = ot_json_get(frame, "d", 1);
    size_t n_bytes;
    const char *at;

    if (!id)
        return false;
    at = ot_json_string(id, &n_bytes);
    *out = (size_t)(at[1] - '0');
    return n_bytes == 2 && *out < RUN_DOCUMENTS_MAX;
}

void run_trace(const struct run *run, const char *format, ...)
{
    va_list arguments;

    if (!run->is_traced)
        return;
    (void)printf("# %4zu ", run->step);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
    (void)fflush(stdout);
}

/* ---- the world --------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(void *arg)
{
    struct run *run = arg;

    run->now_ms += run_below(run, 3);
    if (run_chance(run, 5))
        run->now_ms -= run_below(run, 1000); /* somebody sets the clock */
    return run->now_ms;
}

static void chance(void *arg, void *into, size_t n_bytes)
{
    struct run *run = arg;
    unsigned char *at = into;

    while (n_bytes--)
        *at++ = (unsigned char)sim_random_u64(&run->random);
}

/* ---- what happens next ------------------------------------------------------------------------------------------- */

static struct client *any_client(struct run *run)
{
    return &run->clients[run_below(run, run->n_clients)];
}

static void somebody_edits(struct run *run)
{
    struct client *client = any_client(run);
    struct replica *replica = &client->replicas[run_below(run, run->n_documents)];

    if (run_chance(run, run->scenario->deletes))
        client_delete(client, replica);
    else
        client_edit(client, replica);
}

static void somebody_moves(struct run *run)
{
    struct client *client = any_client(run);

    presence_move(&client->presences[run_below(run, run->n_documents + 1)]);
}

static void somebody_comes(struct run *run)
{
    struct client *client = any_client(run);

    if (!client->line && run->server.store)
        network_connect(run, client);
}

static void trouble(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    struct client *client = any_client(run);
    struct replica *replica = &client->replicas[run_below(run, run->n_documents)];

    if (run_chance(run, scenario->cut) && client->line) {
        run_trace(run, "%c's line is cut", (char)('A' + client->number));
        network_cut(client->line);
        run->n_cuts++;
    }
    if (run_chance(run, scenario->leave))
        client_toggle_stream(client, replica);
    if (run_chance(run, scenario->leave))
        presence_toggle(&client->presences[run_below(run, run->n_documents + 1)]);
    if (run_chance(run, scenario->leave) && replica->value)
        client_fetch(client, replica);
    if (run_chance(run, scenario->replaced))
        client_replace(client);
    if (!run->server.store)
        return;
    if (run_chance(run, scenario->append_fails))
        server_fail_appends(run);
    if (run_chance(run, scenario->read_fails))
        server_fail_reads(run);
    if (run_chance(run, scenario->foreign))
        server_append_foreign(run, run_below(run, run->n_documents));
    if (run_chance(run, scenario->restart))
        server_stop(run);
    else if (run_chance(run, scenario->power))
        server_cut_power(run);
}

static void step(struct run *run)
{
    size_t what = run_below(run, 100);

    trouble(run);
    if (!run->server.store && run_chance(run, 200))
        server_start(run);
    if (what < run->edits_of_100)
        somebody_edits(run);
    else if (what < run->edits_of_100 + 3)
        somebody_moves(run);
    else if (what < run->edits_of_100 + 9)
        somebody_comes(run);
    else if (what < 62 || !run->server.store)
        (void)network_step(run);
    else
        (void)store_sim_step(run->server.store);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void everybody_comes(struct run *run)
{
    for (size_t i = 0; i < run->n_clients; i++) {
        struct client *client = &run->clients[i];

        if (!client->line)
            network_connect(run, client);
        for (size_t d = 0; client->is_connected && d < run->n_documents; d++)
            if (!client->replicas[d].wants_stream)
                client_toggle_stream(client, &client->replicas[d]);
        for (size_t c = 0; client->is_connected && c <= run->n_documents; c++)
            if (!client->presences[c].is_wanted)
                presence_toggle(&client->presences[c]);
    }
}

static bool everybody_rests(const struct run *run)
{
    for (size_t i = 0; i < run->n_clients; i++)
        if (!client_is_at_rest(&run->clients[i]))
            return false;
    return true;
}

static void come_to_rest(struct run *run)
{
    if (!run->server.store)
        server_start(run);
    if (sim_sabotage != SABOTAGE_FORGET)
        (void)store_sim_fault_end(run->server.store);
    for (size_t n = 0; n < STEPS_TO_REST; n++) {
        bool moved;

        everybody_comes(run);
        moved = run_chance(run, 500) ? network_step(run) || store_sim_step(run->server.store)
                                     : store_sim_step(run->server.store) || network_step(run);
        if (!moved && everybody_rests(run))
            return;
        if (!moved && !run_chance(run, 999))
            break;
    }
    sim_violation("comes to rest", "somebody still waits for an answer");
}

/* Carets have moved along with operations that met in another order here and there: they are said again. */
static void everybody_shows_again(struct run *run)
{
    for (size_t i = 0; i < run->n_clients; i++)
        for (size_t c = 0; c <= run->n_documents; c++)
            presence_show_again(&run->clients[i].presences[c]);
    come_to_rest(run);
}

static void judge_rest(struct run *run)
{
    judge_at_rest(run);
    judge_presence(run, false);
    everybody_shows_again(run);
    judge_presence(run, true);
}

static void setup(struct run *run)
{
    run->random.state = run->seed;
    run->now_ms = 1000000;
    run->world = (struct world){ now_ms, chance, run };
    list_init(&run->lines);
    run->n_clients = 2 + run_below(run, RUN_CLIENTS_MAX - 1);
    run->n_documents = 1 + run_below(run, RUN_DOCUMENTS_MAX);
    run->hints_are_reliable = run_chance(run, 500);
    run->edits_of_100 = 3 + run_below(run, 12); /* few: nobody comes upon what was forgotten */
    server_init(run);
    server_start(run);
    for (size_t i = 0; i < run->n_documents; i++)
        run->types[i] = edit_any_type(run);
    for (size_t i = 0; i < run->n_clients; i++)
        client_init(&run->clients[i], run, i, 0);
}

void run_all(struct run *run, volatile size_t *at)
{
    setup(run);
    for (run->step = 0; run->step < run->n_steps; run->step++) {
        *at = run->step;
        step(run);
    }
    *at = run->n_steps;
    come_to_rest(run);
    if (!run->hints_are_reliable) { /* then nobody can know yet what somebody else wrote last */
        store_sim_hint(run->server.store);
        come_to_rest(run);
    }
    judge_rest(run);

    /* And once more from the disk: what was at rest is what is read after a restart. */
    server_stop(run);
    server_start(run);
    come_to_rest(run);
    judge_rest(run);

    network_finish(run);
    server_finish(run);
    for (size_t i = 0; i < run->n_clients; i++)
        client_finish(&run->clients[i]);
    judge_finish(run);
}
