#include <errno.h>

#include "storage/engine.h"

void store_dispatch(struct store *store)
{
    store->engine->dispatch(store);
}

void store_close(struct store *store)
{
    if (store)
        store->engine->close(store);
}

int store_log_open(struct store *store, struct store_name name, store_head_fn *on_head, store_open_fn *done, void *arg)
{
    return store->engine->log_open(store, name, on_head, done, arg);
}

void store_log_close(struct store_log *log)
{
    if (log)
        log->store->engine->log_close(log);
}

/* The last version is one below STORE_NEWEST. */
static bool leads_too_far(uint64_t version, const struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (version == STORE_NEWEST || records[i].n_merged >= UINT64_MAX - 1 - version)
            return true;
        version = record_end(version, &records[i]);
    }
    return false;
}

int store_append(struct store_log *log, uint64_t expected, const struct record *records, size_t n,
                 const struct store_state *after, store_append_fn *done, void *arg)
{
    if (leads_too_far(expected, records, n))
        return -EOVERFLOW;
    return log->store->engine->append(log, expected, records, n, after, done, arg);
}

int store_find(struct store_log *log, struct op_id id, store_find_fn *done, void *arg)
{
    return log->store->engine->find(log, id, done, arg);
}

int store_read(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes, store_read_fn *done, void *arg)
{
    return log->store->engine->read(log, from, to, max_bytes, done, arg);
}

int store_version_at(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg)
{
    return log->store->engine->version_at(log, time_ms, done, arg);
}

int store_snapshot_get(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg)
{
    return log->store->engine->snapshot_get(log, at_most, done, arg);
}

int store_snapshot_put(struct store_log *log, uint64_t version, store_produce_fn *produce, store_done_fn *done,
                       void *arg)
{
    return log->store->engine->snapshot_put(log, version, produce, done, arg);
}

int store_remove(struct store_log *log, store_done_fn *done, void *arg)
{
    return log->store->engine->remove(log, done, arg);
}

int store_list(struct store *store, const struct store_list_query *query, store_list_fn *done, void *arg)
{
    return store->engine->list(store, query, done, arg);
}

int store_collections(struct store *store, store_collections_fn *done, void *arg)
{
    return store->engine->collections(store, done, arg);
}

int store_meta_get(struct store *store, struct bytes key, store_meta_fn *done, void *arg)
{
    return store->engine->meta_get(store, key, done, arg);
}

int store_meta_put(struct store *store, struct bytes key, struct bytes value, store_done_fn *done, void *arg)
{
    return store->engine->meta_put(store, key, value, done, arg);
}

int store_health(const struct store *store)
{
    return store->engine->health(store);
}

/* ---- what an engine may leave to tools of its own ---------------------------------------------------------------- */

int store_begin_at(struct store_log *log, uint64_t version, store_done_fn *done, void *arg)
{
    const struct store_engine *engine = log->store->engine;

    if (version == STORE_NEWEST)
        return -EOVERFLOW;
    return engine->begin_at ? engine->begin_at(log, version, done, arg) : -ENOTSUP;
}

int store_merge(struct store_log *log, uint64_t from, const struct record *records, size_t n, store_done_fn *done,
                void *arg)
{
    const struct store_engine *engine = log->store->engine;
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++)
        n_bytes += records[i].body.n_bytes;
    if (n_bytes > STORE_MERGE_MAX_BYTES)
        return -E2BIG;
    if (leads_too_far(from, records, n))
        return -EOVERFLOW;
    return engine->merge ? engine->merge(log, from, records, n, done, arg) : -ENOTSUP;
}

int store_pack(struct store *store, store_done_fn *done, void *arg)
{
    return store->engine->pack ? store->engine->pack(store, done, arg) : -ENOTSUP;
}

int store_compact(struct store *store, store_progress_fn *progress, store_done_fn *done, void *arg)
{
    return store->engine->compact ? store->engine->compact(store, progress, done, arg) : -ENOTSUP;
}

int store_backup(struct store *store, int fd, store_done_fn *done, void *arg)
{
    return store->engine->backup ? store->engine->backup(store, fd, done, arg) : -ENOTSUP;
}

int store_sizes(struct store *store, store_sizes_fn *done, void *arg)
{
    return store->engine->sizes ? store->engine->sizes(store, done, arg) : -ENOTSUP;
}
