#include <errno.h>
#include <stdlib.h>

#include "tests/sim/store_sim_inside.h"
#include "tests/sim/violation.h"

/* ---- answering --------------------------------------------------------------------------------------------------- */

static void call_destroy(struct call *call)
{
    for (size_t i = 0; i < call->n_lent && !call->lent; i++) {
        if (call->entries) {
            sim_free(call->entries[i].collection);
            sim_free(call->entries[i].id);
            sim_free(call->entries[i].info.state.type);
        } else {
            sim_free(call->collections[i].name);
        }
    }
    records_free(call->lent, call->lent ? call->n_lent : 0);
    free(call->entries);
    free(call->collections);
    sim_free(call->lent_bytes);
    sim_free(call->after.type);
    free(call);
}

static void give(struct call *call)
{
    const struct store_source *source = call->has_source ? &call->source : NULL;
    bool ok = call->r == 0;
    size_t n = ok ? call->n_lent : 0;

    switch (call->kind) {
    case SIM_LOG_OPEN:
        call->done.open(call->arg, call->r, ok ? &call->opened->base : NULL, ok ? &call->info : NULL);
        break;
    case SIM_APPEND: call->done.append(call->arg, call->r, call->version); break;
    case SIM_FIND: call->done.find(call->arg, call->r, call->version, source); break;
    case SIM_READ: call->done.read(call->arg, call->r, call->from, call->lent, n); break;
    case SIM_VERSION_AT: call->done.version(call->arg, call->r, call->version); break;
    case SIM_SNAPSHOT_GET: call->done.snapshot(call->arg, call->r, call->version, call->lent_bytes); break;
    case SIM_LIST: call->done.list(call->arg, call->r, call->entries, n, call->more); break;
    case SIM_COLLECTIONS: call->done.collections(call->arg, call->r, call->collections, n); break;
    case SIM_META_GET: call->done.meta(call->arg, call->r, call->lent_bytes); break;
    default: call->done.plain(call->arg, call->r);
    }
}

static void answer(struct store_sim *sim, struct call *call)
{
    if (call_checksum(call) != call->checksum)
        sim_violation("what is borrowed stays", "a call of kind %d was answered over changed memory", (int)call->kind);
    list_remove(&call->link);
    sim->n_outstanding--;
    give(call);
    call_destroy(call);
}

/* ---- stepping ---------------------------------------------------------------------------------------------------- */

/* One thing that may happen next. */
struct choice {
    struct sim_handle *hint;
    struct call *call;
    struct lane *lane;
    bool decides;
    size_t n_seen;
};

static struct call *first_of(struct list *list)
{
    return list_is_empty(list) ? NULL : LIST_ENTRY(list->next, struct call, link);
}

/* By chance, each as likely as any other; or the oldest. */
static void offer(struct store_sim *sim, struct choice *choice, struct call *call, struct lane *lane, bool decides)
{
    bool take;

    choice->n_seen++;
    if (sim->in_order)
        take = !choice->call || call->serial < choice->call->serial;
    else
        take = sim_random_below(&sim->random, choice->n_seen) == 0;
    if (take) {
        choice->hint = NULL;
        choice->call = call;
        choice->lane = lane;
        choice->decides = decides;
    }
}

static void offer_lane(struct store_sim *sim, struct choice *choice, struct lane *lane, uint64_t before)
{
    struct call *waiting = first_of(&lane->waiting), *decided = first_of(&lane->decided);

    if (decided && decided->serial < before)
        offer(sim, choice, decided, lane, false);
    if (waiting && waiting->serial < before && (!(waiting->kind & sim->held) || sim->is_dead))
        offer(sim, choice, waiting, lane, true);
}

/* Calls on the store keep no order among themselves. */
static void offer_loose(struct store_sim *sim, struct choice *choice, uint64_t before)
{
    LIST_FOR_EACH (node, &sim->loose.decided) {
        struct call *call = LIST_ENTRY(node, struct call, link);

        if (call->serial < before)
            offer(sim, choice, call, &sim->loose, false);
    }
    LIST_FOR_EACH (node, &sim->loose.waiting) {
        struct call *call = LIST_ENTRY(node, struct call, link);

        if (call->serial < before && (!(call->kind & sim->held) || sim->is_dead))
            offer(sim, choice, call, &sim->loose, true);
    }
}

/* The answer to an opening hands out the handle: until then its owner knows of no hints. */
static bool is_handed_out(const struct store_sim *sim, const struct sim_handle *handle)
{
    LIST_FOR_EACH (node, &sim->loose.decided)
        if (LIST_ENTRY(node, struct call, link)->opened == handle)
            return false;
    return true;
}

static void offer_hint(struct store_sim *sim, struct choice *choice, struct sim_handle *handle)
{
    choice->n_seen++;
    if (choice->call && (sim->in_order || sim_random_below(&sim->random, choice->n_seen)))
        return;
    choice->call = NULL;
    choice->hint = handle;
}

static struct choice choose(struct store_sim *sim, uint64_t before)
{
    struct choice choice = { 0 };

    offer_loose(sim, &choice, before);
    LIST_FOR_EACH (node, &sim->handles) {
        struct sim_handle *handle = LIST_ENTRY(node, struct sim_handle, link);

        for (size_t i = 0; i < N_LANES; i++)
            offer_lane(sim, &choice, &handle->lanes[i], before);
        if (handle->has_hint && handle->on_head && !sim->is_dead && is_handed_out(sim, handle))
            offer_hint(sim, &choice, handle);
    }
    return choice;
}

static bool step_before(struct store_sim *sim, uint64_t before)
{
    struct choice choice = choose(sim, before);

    if (choice.hint) {
        choice.hint->has_hint = false;
        choice.hint->on_head(choice.hint->arg, sim_disk_head(sim->disk, choice.hint->name));
        return true;
    }
    if (!choice.call)
        return false;
    if (!choice.decides) {
        answer(sim, choice.call);
        return true;
    }
    list_remove(&choice.call->link);
    call_decide(sim, choice.call);
    list_append(&choice.lane->decided, &choice.call->link);
    return true;
}

bool store_sim_step(struct store *store)
{
    struct store_sim *sim = sim_of(store);

    if (!list_is_empty(&sim->ghosts) && sim_random_chance(&sim->random, 100))
        return ghost_materialise(sim);
    return step_before(sim, UINT64_MAX) || ghost_materialise(sim);
}

void store_sim_settle(struct store *store)
{
    while (store_sim_step(store))
        ;
}

size_t store_sim_n_outstanding(const struct store *store)
{
    return ((const struct store_sim *)store)->n_outstanding;
}

void store_sim_dispatch(struct store *store)
{
    struct store_sim *sim = sim_of(store);
    uint64_t before = sim->next_serial;

    while (step_before(sim, before))
        ;
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

void store_sim_hold(struct store *store, unsigned calls)
{
    sim_of(store)->held = calls;
}

void store_sim_fault(struct store *store, const struct sim_fault *fault)
{
    struct store_sim *sim = sim_of(store);

    sim->fault = *fault;
    sim->n_passed = sim->n_struck = 0;
}

size_t store_sim_fault_end(struct store *store)
{
    struct store_sim *sim = sim_of(store);

    sim->fault = (struct sim_fault){ 0 };
    return sim->n_struck;
}

void store_sim_append_foreign(struct store *store, struct store_name name, const struct record *record,
                              const struct store_state *after, bool hint)
{
    struct store_sim *sim = sim_of(store);

    sim_disk_append(sim->disk, name, record, 1, after);
    LIST_FOR_EACH (node, &sim->handles) {
        struct sim_handle *handle = LIST_ENTRY(node, struct sim_handle, link);

        if (hint && bytes_equal(handle->name.collection, name.collection) && bytes_equal(handle->name.id, name.id))
            handle->has_hint = true;
    }
}

void store_sim_hint(struct store *store)
{
    LIST_FOR_EACH (node, &sim_of(store)->handles)
        LIST_ENTRY(node, struct sim_handle, link)->has_hint = true;
}

/* The first so many appends that wait on a log reach the disk. */
static void keep_some(struct store_sim *sim, struct sim_handle *handle)
{
    LIST_FOR_EACH (node, &handle->lanes[LANE_WRITES].waiting) {
        struct call *call = LIST_ENTRY(node, struct call, link);

        if (call->kind != SIM_APPEND)
            continue;
        if (handle->failed || call->strikes || call->expected != sim_disk_head(sim->disk, handle->name) ||
            sim_random_chance(&sim->random, 500))
            return;
        call_append_now(sim, call);
    }
}

static void fail_decided(struct store_sim *sim, struct lane *lane)
{
    LIST_FOR_EACH (node, &lane->decided) {
        struct call *call = LIST_ENTRY(node, struct call, link);

        if (call->opened)
            handle_destroy(call->opened);
        call->opened = NULL;
        call->has_source = false;
        call->r = -EIO;
    }
}

void store_sim_cut_power(struct store *store)
{
    struct store_sim *sim = sim_of(store);

    ghosts_forget(sim);
    LIST_FOR_EACH (node, &sim->handles) {
        struct sim_handle *handle = LIST_ENTRY(node, struct sim_handle, link);

        keep_some(sim, handle);
        for (size_t i = 0; i < N_LANES; i++)
            fail_decided(sim, &handle->lanes[i]);
    }
    fail_decided(sim, &sim->loose);
    sim->is_dead = true;
    sim->health = -EIO;
}

void store_sim_lie(struct store *store)
{
    sim_of(store)->lies = true;
}
