/* What an engine implements to stand behind store.h: one function a call, with the same contract. store.c only
 * forwards. */
#ifndef STORAGE_ENGINE_H
#define STORAGE_ENGINE_H

#include "storage/store.h"

struct store_engine {
    void (*dispatch)(struct store *store);
    void (*close)(struct store *store);
    int (*log_open)(struct store *store, struct store_name name, store_head_fn *on_head, store_open_fn *done,
                    void *arg);
    void (*log_close)(struct store_log *log);
    int (*append)(struct store_log *log, uint64_t expected, const struct record *records, size_t n,
                  const struct store_state *after, store_append_fn *done, void *arg);
    int (*find)(struct store_log *log, struct op_id id, store_find_fn *done, void *arg);
    int (*read)(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes, store_read_fn *done, void *arg);
    int (*version_at)(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg);
    int (*snapshot_get)(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg);
    int (*snapshot_put)(struct store_log *log, uint64_t version, store_produce_fn *produce, store_done_fn *done,
                        void *arg);
    int (*remove)(struct store_log *log, store_done_fn *done, void *arg);
    int (*list)(struct store *store, const struct store_list_query *query, store_list_fn *done, void *arg);
    int (*collections)(struct store *store, store_collections_fn *done, void *arg);
    int (*meta_get)(struct store *store, struct bytes key, store_meta_fn *done, void *arg);
    int (*meta_put)(struct store *store, struct bytes key, struct bytes value, store_done_fn *done, void *arg);
    int (*health)(const struct store *store);

    /* NULL: -ENOTSUP. */
    int (*begin_at)(struct store_log *log, uint64_t version, store_done_fn *done, void *arg);
    int (*merge)(struct store_log *log, uint64_t from, const struct record *records, size_t n, store_done_fn *done,
                 void *arg);
    int (*pack)(struct store *store, store_done_fn *done, void *arg);
    int (*compact)(struct store *store, store_progress_fn *progress, store_done_fn *done, void *arg);
    int (*backup)(struct store *store, int fd, store_done_fn *done, void *arg);
    int (*sizes)(struct store *store, store_sizes_fn *done, void *arg);
};

/* The version that records[0..n), the first of `version`, lead to. */
static inline uint64_t records_end(uint64_t version, const struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        version = record_end(version, &records[i]);
    return version;
}

/* The first member of an engine's own store and log. */
struct store {
    const struct store_engine *engine;
};

struct store_log {
    struct store *store;
};

#endif
