#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/store_sim_inside.h"
#include "tests/sim/violation.h"

/* ---- one log ----------------------------------------------------------------------------------------------------- */

static struct sim_log *log_of(const struct store_sim *sim, const struct call *call)
{
    return sim_disk_find(sim->disk, call->handle ? call->handle->name : call->name);
}

static void decide_open(struct store_sim *sim, struct call *call)
{
    struct sim_handle *handle;

    LIST_FOR_EACH (node, &sim->handles) {
        handle = LIST_ENTRY(node, struct sim_handle, link);
        if (bytes_equal(handle->name.collection, call->name.collection) &&
            bytes_equal(handle->name.id, call->name.id)) {
            call->r = -EBUSY;
            return;
        }
    }
    handle = sim_alloc(sizeof(*handle));
    handle->base.store = &sim->base;
    handle->name = (struct store_name){ sim_copy(call->name.collection), sim_copy(call->name.id) };
    for (size_t i = 0; i < N_LANES; i++) {
        list_init(&handle->lanes[i].waiting);
        list_init(&handle->lanes[i].decided);
    }
    handle->on_head = call->on_head;
    handle->arg = call->arg;
    list_append(&sim->handles, &handle->link);
    call->opened = handle;
    call->info = sim_log_info(log_of(sim, call));
    call->lent_bytes = sim_copy(call->info.state.type);
    call->info.state.type = call->lent_bytes;
}

struct ghost {
    struct list link;
    struct store_name name;
    struct record *records;
    size_t n;
    struct store_state after;
};

static void ghost_destroy(struct ghost *ghost)
{
    list_remove(&ghost->link);
    sim_free(ghost->name.collection);
    sim_free(ghost->name.id);
    sim_free(ghost->after.type);
    records_free(ghost->records, ghost->n);
    free(ghost);
}

static void ghost_create(struct store_sim *sim, const struct call *call)
{
    struct ghost *ghost = sim_alloc(sizeof(*ghost));

    ghost->name = (struct store_name){ sim_copy(call->handle->name.collection), sim_copy(call->handle->name.id) };
    ghost->records = sim_alloc(call->n * sizeof(*ghost->records));
    ghost->n = call->n;
    for (size_t i = 0; i < call->n; i++)
        ghost->records[i] = record_copy(&call->records[i]);
    ghost->after = call->after;
    ghost->after.type = sim_copy(call->after.type);
    list_append(&sim->ghosts, &ghost->link);
}

bool ghost_materialise(struct store_sim *sim)
{
    struct ghost *ghost;

    if (list_is_empty(&sim->ghosts))
        return false;
    ghost = LIST_ENTRY(sim->ghosts.next, struct ghost, link);
    sim_disk_append(sim->disk, ghost->name, ghost->records, ghost->n, &ghost->after);
    ghost_destroy(ghost);
    return true;
}

void ghosts_forget(struct store_sim *sim)
{
    while (!list_is_empty(&sim->ghosts))
        ghost_destroy(LIST_ENTRY(sim->ghosts.next, struct ghost, link));
}

/* The head as the store believes it to be. */
static uint64_t head_of(const struct store_sim *sim, struct store_name name)
{
    uint64_t head = sim_disk_head(sim->disk, name);

    LIST_FOR_EACH (node, &sim->ghosts) {
        const struct ghost *ghost = LIST_ENTRY(node, struct ghost, link);

        if (bytes_equal(ghost->name.collection, name.collection) && bytes_equal(ghost->name.id, name.id))
            head = records_end(head, ghost->records, ghost->n);
    }
    return head;
}

void call_append_now(struct store_sim *sim, const struct call *call)
{
    if (sim->lies)
        ghost_create(sim, call);
    else
        sim_disk_append(sim->disk, call->handle->name, call->records, call->n, &call->after);
}

/* The append was lost sight of, or failed in a way that leaves it there. Those behind it may have made it, too. */
static void append_anyway(struct store_sim *sim, struct call *call)
{
    call_append_now(sim, call);
    LIST_FOR_EACH (node, &call->handle->lanes[LANE_WRITES].waiting) {
        const struct call *next = LIST_ENTRY(node, struct call, link);

        if (next->kind != SIM_APPEND || next->expected != head_of(sim, call->handle->name) ||
            sim_random_chance(&sim->random, 500))
            return;
        call_append_now(sim, next);
    }
}

static void append_fails(struct store_sim *sim, struct call *call)
{
    call->r = call->handle->failed = call->fault.r;
    if (call->r < 0)
        sim->health = call->r;
    if (call->fault.kind == SIM_DONE_ANYWAY ||
        (call->fault.kind == SIM_MAY_BE_DONE && sim_random_chance(&sim->random, 500)))
        append_anyway(sim, call);
}

static void decide_append(struct store_sim *sim, struct call *call)
{
    uint64_t head = head_of(sim, call->handle->name);

    call->version = head;
    if (call->handle->failed) {
        call->r = call->handle->failed;
        return;
    }
    if (call->expected > head)
        sim_violation("appends continue the log", "one expects version %" PRIu64 ", the head is %" PRIu64,
                      call->expected, head);
    if (call->expected < head) {
        call->r = call->handle->failed = STORE_CONFLICT;
        return;
    }
    if (call->strikes) {
        append_fails(sim, call);
        return;
    }
    call_append_now(sim, call);
    sim->health = 0;
    call->version = records_end(head, call->records, call->n);
}

static void decide_read(struct store_sim *sim, struct call *call)
{
    const struct sim_log *log = log_of(sim, call);
    uint64_t head = sim_log_info(log).head;
    uint64_t to = call->to < head ? call->to : head;
    size_t n_bytes = 0;

    if (call->from >= to)
        return;
    if (!sim_log_record(log, call->from)) {
        call->r = STORE_TOO_OLD;
        return;
    }
    call->lent = sim_alloc((size_t)(to - call->from) * sizeof(*call->lent));
    for (uint64_t v = call->from; v < to && (call->n_lent == 0 || n_bytes < call->max_bytes);) {
        const struct record *record = sim_log_record(log, v);

        call->lent[call->n_lent++] = record_copy(record);
        n_bytes += record->body.n_bytes + record->author.n_bytes + record->id.src.n_bytes;
        v = record_end(v, record);
    }
}

static void decide_snapshot_get(struct store_sim *sim, struct call *call)
{
    const struct sim_snapshot *snapshot = sim_log_snapshot(log_of(sim, call), call->from);

    if (!snapshot)
        return;
    call->version = snapshot->version;
    if (snapshot->is_damaged)
        call->r = -EBADMSG;
    else
        call->lent_bytes = sim_copy(bytes_of(snapshot->at, snapshot->n_bytes));
}

static void decide_snapshot_put(struct store_sim *sim, struct call *call)
{
    struct buffer buffer;

    buffer_init(&buffer, SIZE_MAX / 2);
    call->r = call->produce(call->arg, &buffer);
    if (!call->r && !call->strikes)
        sim_disk_keep_snapshot(sim->disk, call->handle->name, call->from, buffer_bytes(&buffer));
    buffer_finish(&buffer);
    if (call->strikes)
        call->r = call->fault.r;
}

static void decide_meta_get(struct store_sim *sim, struct call *call)
{
    struct bytes value = sim_disk_meta(sim->disk, call->key);

    if (value.at)
        call->lent_bytes = sim_copy(value);
    else
        call->r = STORE_NOT_FOUND;
}

/* ---- all logs ---------------------------------------------------------------------------------------------------- */

static int compare_entries(const void *left, const void *right)
{
    const struct store_entry *a = left, *b = right;
    int order = bytes_compare(a->collection, b->collection);

    return order ? order : bytes_compare(a->id, b->id);
}

static bool is_behind(const struct sim_log *log, const struct store_list_query *query)
{
    int order = bytes_compare(log->name.collection, query->collection);

    if (order && !query->all)
        return false;
    return order ? order > 0 : !query->after.n_bytes || bytes_compare(log->name.id, query->after) > 0;
}

static bool is_listed(const struct sim_log *log, const struct store_list_query *query)
{
    struct bytes start = log->name.id;

    if (start.n_bytes > query->prefix.n_bytes)
        start.n_bytes = query->prefix.n_bytes;
    return (log->state.exists || (query->deleted && log->n)) && is_behind(log, query) &&
           bytes_equal(start, query->prefix) && (!query->type.n_bytes || bytes_equal(log->state.type, query->type));
}

static size_t count_logs(const struct sim_disk *disk)
{
    size_t n = 0;

    LIST_FOR_EACH (node, &disk->logs)
        n++;
    return n;
}

static void decide_list(struct store_sim *sim, struct call *call)
{
    call->entries = sim_alloc(count_logs(sim->disk) * sizeof(*call->entries));
    LIST_FOR_EACH (node, &sim->disk->logs) {
        const struct sim_log *log = LIST_ENTRY(node, struct sim_log, link);

        if (is_listed(log, &call->query))
            call->entries[call->n_lent++] =
                (struct store_entry){ log->name.collection, log->name.id, sim_log_info(log) };
    }
    qsort(call->entries, call->n_lent, sizeof(*call->entries), compare_entries);
    call->more = call->n_lent > call->query.limit;
    if (call->more)
        call->n_lent = call->query.limit;
    for (size_t i = 0; i < call->n_lent; i++) {
        call->entries[i].collection = sim_copy(call->entries[i].collection);
        call->entries[i].id = sim_copy(call->entries[i].id);
        call->entries[i].info.state.type = sim_copy(call->entries[i].info.state.type);
    }
}

static int compare_collections(const void *a, const void *b)
{
    return bytes_compare(((const struct store_collection *)a)->name, ((const struct store_collection *)b)->name);
}

static struct store_collection *collection_named(struct call *call, struct bytes name)
{
    for (size_t i = 0; i < call->n_lent; i++)
        if (bytes_equal(call->collections[i].name, name))
            return &call->collections[i];
    call->collections[call->n_lent].name = sim_copy(name);
    return &call->collections[call->n_lent++];
}

static void decide_collections(struct store_sim *sim, struct call *call)
{
    call->collections = sim_alloc(count_logs(sim->disk) * sizeof(*call->collections));
    LIST_FOR_EACH (node, &sim->disk->logs) {
        const struct sim_log *log = LIST_ENTRY(node, struct sim_log, link);

        if (log->state.exists)
            collection_named(call, log->name.collection)->n_documents++;
    }
    qsort(call->collections, call->n_lent, sizeof(*call->collections), compare_collections);
}

void call_decide(struct store_sim *sim, struct call *call)
{
    if (sim->is_dead) {
        call->r = -EIO;
        return;
    }
    if (call->strikes && call->kind != SIM_APPEND && call->kind != SIM_SNAPSHOT_PUT) {
        call->r = call->fault.r;
        return;
    }
    switch (call->kind) {
    case SIM_LOG_OPEN: decide_open(sim, call); break;
    case SIM_APPEND: decide_append(sim, call); break;
    case SIM_FIND:
        call->r = sim_log_find(log_of(sim, call), call->id, &call->version, &call->source, &call->has_source);
        break;
    case SIM_READ: decide_read(sim, call); break;
    case SIM_VERSION_AT: call->version = sim_log_version_at(log_of(sim, call), call->from); break;
    case SIM_SNAPSHOT_GET: decide_snapshot_get(sim, call); break;
    case SIM_SNAPSHOT_PUT: decide_snapshot_put(sim, call); break;
    case SIM_REMOVE: sim_disk_remove(sim->disk, call->handle->name); break;
    case SIM_MERGE: call->r = sim_disk_merge(sim->disk, call->handle->name, call->from, call->records, call->n); break;
    case SIM_BEGIN_AT: call->r = sim_disk_begin_at(sim->disk, call->handle->name, call->from); break;
    case SIM_LIST: decide_list(sim, call); break;
    case SIM_COLLECTIONS: decide_collections(sim, call); break;
    case SIM_META_GET: decide_meta_get(sim, call); break;
    case SIM_META_PUT: sim_disk_put_meta(sim->disk, call->key, call->value); break;
    default: abort();
    }
}
