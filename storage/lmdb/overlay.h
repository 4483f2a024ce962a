/* What lies in the inbox, indexed in memory by log: everything that is durable and not yet folded.
 *
 *     row of a log in DB_DOCS   | folded up to head |
 *     overlay                             | span | span | span |    -> head of the log as it is
 *
 * It is brought up to date within the read transaction that it is then used in, so that segments, rows and overlay
 * always show one moment; the same way in the server and in a process that only reads. Its size is bounded by the
 * inbox. */
#ifndef STORAGE_LMDB_OVERLAY_H
#define STORAGE_LMDB_OVERLAY_H

#include "base/list.h"
#include "storage/lmdb/batch.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/rows.h"

/* An entry of a batch. Those that a fold has finished with may still be here until their batch goes. */
struct span {
    uint64_t batch, from, n;
    size_t offset; /* of the entry in the batch */
};

struct overlay_log {
    struct list link;
    struct row row;     /* as it is now, with everything that is in the inbox */
    bool is_removed;    /* row.head is what a later log of the name continues from */
    bool is_named;      /* the newest of its name: found by it */
    struct list fresh;  /* not yet in by_name; alone afterwards */
    struct span first;  /* most logs have one */
    struct span *spans; /* [first_span, n_spans), in order: &first, until there are more */
    size_t first_span, n_spans, capacity;
    struct bytes key; /* its name as a key, behind this struct */
};

struct overlay {
    uint64_t first_batch, next_batch; /* indexed: [first_batch, next_batch) */
    struct list logs, fresh;          /* by link, in the order of their first entries; by fresh */
    size_t n_logs;
    uint64_t highest_number;   /* that any of them had */
    void *by_number, *by_name; /* search.h; by_name: overlay_order */
};

void overlay_init(struct overlay *overlay);
void overlay_finish(struct overlay *overlay);

/* 0, -EBADMSG (a damaged batch), -ENOMEM, -errno. After a failure it is empty and starts anew the next time. */
STORE_MUST_CHECK int overlay_sync(struct overlay *overlay, const struct environment *environment, MDB_txn *txn);

/* NULL: nothing of it is in the inbox. */
struct overlay_log *overlay_by_number(const struct overlay *overlay, uint64_t number);

/* Before anything is found by its name: puts the logs that have come since into their order, which a start with a full
 * inbox need not wait for. 0, -ENOMEM. */
STORE_MUST_CHECK int overlay_order(struct overlay *overlay);
struct overlay_log *overlay_by_name(const struct overlay *overlay, struct bytes name_key);

/* The first of those that are found by name at or behind the key. NULL: none. */
const struct overlay_log *overlay_at_or_behind(const struct overlay *overlay, struct bytes name_key);
/* The same, strictly behind. */
const struct overlay_log *overlay_behind(const struct overlay *overlay, struct bytes name_key);

#endif
