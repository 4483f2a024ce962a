#include "tests/sim/store_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/sim/store_sim_inside.h"
#include "tests/sim/violation.h"

/* ---- accepting --------------------------------------------------------------------------------------------------- */

static bool fault_strikes(struct store_sim *sim, enum sim_call kind)
{
    const struct sim_fault *fault = &sim->fault;

    if (!(fault->calls & kind))
        return false;
    if (sim->n_passed < fault->n_pass) {
        sim->n_passed++;
        return false;
    }
    if (fault->n_strikes != SIZE_MAX && sim->n_struck >= fault->n_strikes)
        return false;
    sim->n_struck++;
    return true;
}

/* *out is NULL when the call is refused with what is returned. */
static int call_create(struct store_sim *sim, enum sim_call kind, void *arg, struct call **out)
{
    bool strikes;
    struct call *call;

    *out = NULL;
    if (sim->is_closing)
        return -ESHUTDOWN;
    strikes = fault_strikes(sim, kind);
    if (strikes && sim->fault.kind == SIM_REFUSED)
        return sim->fault.r;
    call = sim_alloc(sizeof(*call));
    list_init(&call->link);
    call->kind = kind;
    call->arg = arg;
    call->strikes = strikes;
    call->fault = sim->fault;
    call->serial = sim->next_serial++;
    *out = call;
    return 0;
}

static int accept_call(struct store_sim *sim, struct call *call, struct lane *lane)
{
    list_append(&lane->waiting, &call->link);
    sim->n_outstanding++;
    if (sim->wake)
        sim->wake(sim->arg);
    return 0;
}

static int accept_on_log(struct call *call, struct sim_handle *handle, enum lane_name lane)
{
    call->handle = handle;
    return accept_call(sim_of(handle->base.store), call, &handle->lanes[lane]);
}

/* FNV-1a over everything that a call borrows. */
static uint64_t checksum_add(uint64_t sum, struct bytes bytes)
{
    const unsigned char *at = bytes.at;

    for (size_t i = 0; i < bytes.n_bytes; i++)
        sum = (sum ^ at[i]) * 0x100000001b3ull;
    return (sum ^ bytes.n_bytes) * 0x100000001b3ull;
}

uint64_t call_checksum(const struct call *call)
{
    uint64_t sum = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < call->n; i++) {
        const struct record *record = &call->records[i];

        sum = checksum_add(sum, bytes_of(&record->id.seq, sizeof(record->id.seq)));
        sum = checksum_add(sum, bytes_of(&record->time_ms, sizeof(record->time_ms)));
        sum = checksum_add(sum, bytes_of(&record->n_merged, sizeof(record->n_merged)));
        sum = checksum_add(sum, record->id.src);
        sum = checksum_add(sum, record->author);
        sum = checksum_add(sum, record->body);
    }
    sum = checksum_add(checksum_add(sum, call->name.collection), call->name.id);
    sum = checksum_add(checksum_add(sum, call->query.collection), call->query.prefix);
    sum = checksum_add(checksum_add(sum, call->query.after), call->query.type);
    sum = checksum_add(checksum_add(sum, call->key), call->value);
    return checksum_add(sum, call->id.src);
}

static int sim_log_open(struct store *store, struct store_name name, store_head_fn *on_head, store_open_fn *done,
                        void *arg)
{
    struct store_sim *sim = sim_of(store);
    struct call *call;
    int r = call_create(sim, SIM_LOG_OPEN, arg, &call);

    if (!call)
        return r;
    call->done.open = done;
    call->name = name;
    call->on_head = on_head;
    call->checksum = call_checksum(call);
    return accept_call(sim, call, &sim->loose);
}

void handle_destroy(struct sim_handle *handle)
{
    list_remove(&handle->link);
    sim_free(handle->name.collection);
    sim_free(handle->name.id);
    free(handle);
}

static void sim_log_close(struct store_log *log)
{
    struct sim_handle *handle = handle_of(log);

    for (size_t i = 0; i < N_LANES; i++)
        if (!list_is_empty(&handle->lanes[i].waiting) || !list_is_empty(&handle->lanes[i].decided))
            sim_violation("logs are closed idle", "%.*s has answers outstanding", (int)handle->name.id.n_bytes,
                          (const char *)handle->name.id.at);
    handle_destroy(handle);
}

static int sim_append(struct store_log *log, uint64_t expected, const struct record *records, size_t n,
                      const struct store_state *after, store_append_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_APPEND, arg, &call);

    assert(n > 0);
    if (!call)
        return r;
    call->done.append = done;
    call->expected = expected;
    call->records = records;
    call->n = n;
    call->after = *after;
    call->after.type = sim_copy(after->type);
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_WRITES);
}

static int sim_find(struct store_log *log, struct op_id id, store_find_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_FIND, arg, &call);

    if (!call)
        return r;
    call->done.find = done;
    call->id = id;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_READS);
}

static int sim_read(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes, store_read_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_READ, arg, &call);

    if (!call)
        return r;
    call->done.read = done;
    call->from = from;
    call->to = to;
    call->max_bytes = max_bytes;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_READS);
}

static int sim_version_at(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_VERSION_AT, arg, &call);

    if (!call)
        return r;
    call->done.version = done;
    call->from = time_ms;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_READS);
}

static int sim_snapshot_get(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_SNAPSHOT_GET, arg, &call);

    if (!call)
        return r;
    call->done.snapshot = done;
    call->from = at_most;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_READS);
}

static int sim_snapshot_put(struct store_log *log, uint64_t version, store_produce_fn *produce, store_done_fn *done,
                            void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_SNAPSHOT_PUT, arg, &call);

    if (!call)
        return r;
    call->done.plain = done;
    call->from = version;
    call->produce = produce;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_SNAPSHOTS);
}

static int sim_remove(struct store_log *log, store_done_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_REMOVE, arg, &call);

    if (!call)
        return r;
    call->done.plain = done;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_WRITES);
}

static int sim_merge(struct store_log *log, uint64_t from, const struct record *records, size_t n, store_done_fn *done,
                     void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_MERGE, arg, &call);

    assert(n > 0);
    if (!call)
        return r;
    call->done.plain = done;
    call->from = from;
    call->records = records;
    call->n = n;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_SNAPSHOTS);
}

static int sim_begin_at(struct store_log *log, uint64_t version, store_done_fn *done, void *arg)
{
    struct call *call;
    int r = call_create(sim_of(log->store), SIM_BEGIN_AT, arg, &call);

    if (!call)
        return r;
    call->done.plain = done;
    call->from = version;
    call->checksum = call_checksum(call);
    return accept_on_log(call, handle_of(log), LANE_WRITES);
}

static int sim_list(struct store *store, const struct store_list_query *query, store_list_fn *done, void *arg)
{
    struct store_sim *sim = sim_of(store);
    struct call *call;
    int r = call_create(sim, SIM_LIST, arg, &call);

    assert(query->limit > 0);
    if (!call)
        return r;
    call->done.list = done;
    call->query = *query;
    call->checksum = call_checksum(call);
    return accept_call(sim, call, &sim->loose);
}

static int sim_collections(struct store *store, store_collections_fn *done, void *arg)
{
    struct store_sim *sim = sim_of(store);
    struct call *call;
    int r = call_create(sim, SIM_COLLECTIONS, arg, &call);

    if (!call)
        return r;
    call->done.collections = done;
    call->checksum = call_checksum(call);
    return accept_call(sim, call, &sim->loose);
}

static int sim_meta_get(struct store *store, struct bytes key, store_meta_fn *done, void *arg)
{
    struct store_sim *sim = sim_of(store);
    struct call *call;
    int r = call_create(sim, SIM_META_GET, arg, &call);

    if (!call)
        return r;
    call->done.meta = done;
    call->key = key;
    call->checksum = call_checksum(call);
    return accept_call(sim, call, &sim->loose);
}

static int sim_meta_put(struct store *store, struct bytes key, struct bytes value, store_done_fn *done, void *arg)
{
    struct store_sim *sim = sim_of(store);
    struct call *call;
    int r = call_create(sim, SIM_META_PUT, arg, &call);

    if (!call)
        return r;
    call->done.plain = done;
    call->key = key;
    call->value = value;
    call->checksum = call_checksum(call);
    return accept_call(sim, call, &sim->loose);
}

static int sim_health(const struct store *store)
{
    return ((const struct store_sim *)store)->health;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void sim_close(struct store *store)
{
    struct store_sim *sim = sim_of(store);

    sim->is_closing = true;
    sim->held = 0;
    store_sim_settle(store);
    if (!list_is_empty(&sim->handles))
        sim_violation("logs are closed before their store", "%.*s is open",
                      (int)LIST_ENTRY(sim->handles.next, struct sim_handle, link)->name.id.n_bytes,
                      (const char *)LIST_ENTRY(sim->handles.next, struct sim_handle, link)->name.id.at);
    free(sim);
}

static const struct store_engine engine = {
    .dispatch = store_sim_dispatch,
    .close = sim_close,
    .log_open = sim_log_open,
    .log_close = sim_log_close,
    .append = sim_append,
    .find = sim_find,
    .read = sim_read,
    .version_at = sim_version_at,
    .snapshot_get = sim_snapshot_get,
    .snapshot_put = sim_snapshot_put,
    .remove = sim_remove,
    .merge = sim_merge,
    .begin_at = sim_begin_at,
    .list = sim_list,
    .collections = sim_collections,
    .meta_get = sim_meta_get,
    .meta_put = sim_meta_put,
    .health = sim_health,
};

struct store *store_sim_open(struct sim_disk *disk, uint64_t seed, void (*wake)(void *arg), void *arg)
{
    struct store_sim *sim = sim_alloc(sizeof(*sim));

    sim->base.engine = &engine;
    sim->disk = disk;
    sim->random.state = seed;
    sim->in_order = seed == 0;
    sim->wake = wake;
    sim->arg = arg;
    list_init(&sim->handles);
    list_init(&sim->ghosts);
    list_init(&sim->loose.waiting);
    list_init(&sim->loose.decided);
    return &sim->base;
}
