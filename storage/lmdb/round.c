/* A round of the commit thread: one batch, with what rides along, in one transaction. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "storage/lmdb/directory.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/inside.h"

#define DISK_FULL_BYTES ((uint64_t)1 << 20) /* with less than that, and what was to be written twice, it is */

/* ---- building a batch -------------------------------------------------------------------------------------------- */

/* 0: it may be written. */
static int write_check(const struct write *write)
{
    struct lmdb_log *log = write->log;

    if (!log)
        return 0;
    if (!log->failed && write->kind == WRITE_APPEND && write->expected != log->head)
        log->failed = STORE_CONFLICT;
    if (!log->failed && write->kind == WRITE_BEGIN_AT && (log->number || write->expected < log->head))
        return STORE_CONFLICT; /* which says nothing of what comes later */
    return log->failed;
}

/* As if there had been a log of that head, and it were gone: one number, which comes and goes in one batch. */
static void begin_at_encode(struct lmdb_store *store, struct round *round, struct write *write)
{
    struct lmdb_log *log = write->log;
    struct batch_entry entry = {
        .kind = ENTRY_CREATE, .number = round->next_number, .from = write->expected, .name = log->name
    };

    if (write->expected == log->head)
        return;
    batch_add(&store->commit.batch, store->commit.counters.next_batch, &entry, NULL);
    entry.kind = ENTRY_REMOVE;
    batch_add(&store->commit.batch, store->commit.counters.next_batch, &entry, NULL);
    round->head.n_entries += 2;
    round->next_number++;
    log->head = write->expected;
}

static void write_encode(struct lmdb_store *store, struct round *round, struct write *write)
{
    struct lmdb_log *log = write->log;
    struct batch_entry entry = { .after = write->after };

    if (write->kind == WRITE_META || (write->kind == WRITE_REMOVE && !log->number))
        return; /* not in the inbox; or there is nothing to remove */
    if (write->kind == WRITE_BEGIN_AT) {
        begin_at_encode(store, round, write);
        return;
    }
    if (write->kind == WRITE_REMOVE) {
        entry.kind = ENTRY_REMOVE;
    } else if (!log->number) {
        entry.kind = write->n_versions > write->n ? ENTRY_CREATE_MERGED : ENTRY_CREATE;
        entry.name = log->name;
        log->number = round->next_number++;
    } else {
        entry.kind = write->n_versions > write->n ? ENTRY_MERGED : write->marks ? ENTRY_LARGE : ENTRY_APPEND;
        round->ends_staged |= write->marks != NULL;
    }
    entry.number = log->number;
    entry.from = log->head;
    entry.n = write->n_versions;
    entry.n_records = write->n;
    (void)buffer_room(&store->commit.batch, write->n_bytes); /* a large one grows it once; a failure stays in it */
    batch_add(&store->commit.batch, store->commit.counters.next_batch, &entry, write->records);
    round->head.n_entries++;
    log->head += write->n_versions;
    if (write->kind == WRITE_REMOVE)
        log->number = 0;
}

static void round_gather(struct lmdb_store *store, struct round *round)
{
    struct commit *commit = &store->commit;

    batch_begin(&commit->batch);
    round->next_number = commit->counters.next_number;
    while (round->may_write && !list_is_empty(&commit->current)) {
        struct write *write = LIST_ENTRY(commit->current.next, struct write, request.link);

        if (staging_takes(store, write))
            continue;
        if (!list_is_empty(&round->members) && round->n_bytes + write->n_bytes > store->tuning.batch_bytes)
            break;
        list_remove(&write->request.link);
        round->clears |= write->marks != NULL;
        write->request.r = write_check(write);
        if (!write->request.r && write->log && round->full)
            write->request.r = write->log->failed = round->full;
        if (write->request.r) {
            list_append(&round->refused, &write->request.link);
            continue;
        }
        round->n_bytes += write->n_bytes;
        write_encode(store, round, write);
        list_append(&round->members, &write->request.link);
    }
    round->head.next_number = round->next_number;
    batch_finish(&commit->batch, commit->counters.next_batch, &round->head);
}

/* ---- one transaction --------------------------------------------------------------------------------------------- */

static int put_batch(struct lmdb_store *store, MDB_txn *txn)
{
    const struct commit *commit = &store->commit;
    MDB_val key, value = val_of(buffer_bytes(&commit->batch));
    char at[8];

    if (commit->batch.error)
        return commit->batch.error;
    put_be64(at, commit->counters.next_batch);
    key = val_of(bytes_of(at, sizeof(at)));
    return environment_errno(mdb_put(txn, store->environment.dbs[DB_INBOX], &key, &value, MDB_APPEND));
}

static int put_metas(struct lmdb_store *store, struct round *round, MDB_txn *txn)
{
    struct parcel parcel;
    int r;

    parcel_init(&parcel);
    LIST_FOR_EACH (node, &round->members) {
        const struct write *write = LIST_ENTRY(node, struct write, request.link);

        if (write->kind == WRITE_META) {
            struct meta_key key = meta_key_of(write->key);

            parcel_put(&parcel, DB_META, bytes_of(key.at, key.n_bytes), write->value);
        }
    }
    r = parcel_write(&parcel, &store->environment, txn);
    parcel_finish(&parcel);
    return r;
}

/* The counters must not fall back when a fold empties the inbox, from which they are known otherwise. */
static int put_parcels(struct lmdb_store *store, struct round *round, const struct counters *counters, MDB_txn *txn)
{
    struct parcel own;
    struct buffer value;
    int r = 0;

    LIST_FOR_EACH (node, &round->parcels)
        if (!r)
            r = parcel_write(LIST_ENTRY(node, struct parcel, link), &store->environment, txn);
    if (r)
        return r;
    buffer_init(&value, SIZE_MAX / 2);
    counters_encode(counters, &value);
    parcel_init(&own);
    parcel_put_encoded(&own, DB_META, bytes_of_string(COUNTERS_KEY), &value);
    r = parcel_write(&own, &store->environment, txn);
    parcel_finish(&own);
    buffer_finish(&value);
    return r;
}

static int transact(struct lmdb_store *store, struct round *round)
{
    struct counters counters = { round->next_number, store->commit.counters.next_batch };
    MDB_txn *txn;
    int r = store->environment.env ? environment_errno(mdb_txn_begin(store->environment.env, NULL, 0, &txn)) : -EIO;

    if (r)
        return r;
    if (round->head.n_entries > 0) {
        r = put_batch(store, txn);
        counters.next_batch++;
    }
    if (!r)
        r = put_metas(store, round, txn);
    if (!r && !list_is_empty(&round->parcels))
        r = put_parcels(store, round, &counters, txn);
    if (!r && round->ends_staged)
        r = staging_end(store, txn);
    if (!r && round->has_piece)
        r = staging_write(store, txn);
    if (!r)
        r = commit_measure_inbox(store, txn);
    if (r) {
        mdb_txn_abort(txn);
        return r;
    }
    r = environment_errno(mdb_txn_commit(txn));
    if (!r)
        store->commit.counters = counters;
    return r;
}

static int transact_guarded(struct lmdb_store *store, struct round *round)
{
    int r;

    guard_enter("writing");
    r = transact(store, round);
    guard_leave();
    return r;
}

/* ---- what became of it ------------------------------------------------------------------------------------------- */

static void write_settle(struct lmdb_store *store, struct write *write, int r)
{
    struct lmdb_log *log = write->log;

    write->request.r = r;
    if (!log)
        return;
    if (r) {
        log->failed = r;
    } else {
        log->durable = write->kind == WRITE_BEGIN_AT ? write->expected : log->durable + write->n_versions;
        store->commit.wants_fold |= write->kind == WRITE_REMOVE;
    }
    write->head = log->durable;
}

static void parcels_return(struct lmdb_store *store, struct list *parcels, int r)
{
    struct list *node;

    while ((node = list_pop(parcels))) {
        struct parcel *parcel = LIST_ENTRY(node, struct parcel, link);

        parcel->r = r;
        worker_enqueue_parcel(store, parcel);
    }
}

/* Snapshots of logs that were removed meanwhile. */
static void parcels_check(struct lmdb_store *store, struct list *parcels)
{
    struct list taken, *node;

    list_take(parcels, &taken);
    while ((node = list_pop(&taken))) {
        struct parcel *parcel = LIST_ENTRY(node, struct parcel, link);

        if (!parcel->log || parcel->log->number == parcel->number) {
            list_append(parcels, node);
        } else {
            parcel->r = STORE_NOT_FOUND;
            worker_enqueue_parcel(store, parcel);
        }
    }
}

static void round_settle(struct lmdb_store *store, struct round *round, int r)
{
    struct list answers, *node;

    list_init(&answers);
    store->commit.n_settled = 0;
    LIST_FOR_EACH (member, &round->members) {
        write_settle(store, LIST_ENTRY(member, struct write, request.link), r);
        store->commit.n_settled++;
    }
    LIST_FOR_EACH (member, &round->refused) {
        struct write *write = LIST_ENTRY(member, struct write, request.link);

        write->head = write->log ? write->log->durable : 0;
    }
    /* A refused write's log had failed before this round's gathering, or by this write: its members come first. */
    while ((node = list_pop(&round->members)) || (node = list_pop(&round->refused)))
        list_append(&answers, node);
    lmdb_answer(store, &answers);
}

static void health_is(struct lmdb_store *store, int r)
{
    int before = atomic_exchange(&store->health, r);

    if (r && r != before)
        log_error("store", "a commit failed: %s", strerror(-r));
    else if (!r && before)
        log_info("store", "commits succeed again");
}

/* A batch of one large operation must not be kept in memory for ever. */
static void batch_shrink(struct lmdb_store *store)
{
    if (store->commit.batch.capacity > 4 * store->tuning.batch_bytes)
        buffer_finish(&store->commit.batch);
}

/* One at a time: not before it is known what became of the former. */
static void round_add_piece(struct lmdb_store *store, struct round *round)
{
    int r;

    if (!round->may_write || round->clears || list_is_empty(&store->commit.staging.waiting))
        return;
    r = staging_prepare(store);
    round->has_piece = !r;
    if (r) {
        staging_fail(store, r);
        round->clears = true;
    }
}

static bool round_is_empty(const struct round *round)
{
    return list_is_empty(&round->members) && list_is_empty(&round->parcels) && !round->has_piece;
}

/* Nobody's append shall fail for what rode along. */
static int round_transact(struct lmdb_store *store, struct round *round)
{
    int r = transact_guarded(store, round);

    if (r && !list_is_empty(&round->parcels)) {
        parcels_return(store, &round->parcels, r);
        if (!round_is_empty(round))
            r = transact_guarded(store, round);
    }
    if (r && round->has_piece) {
        staging_fail(store, r);
        round->has_piece = false;
        round->clears = true;
        if (!round_is_empty(round))
            r = transact_guarded(store, round);
    }
    return r;
}

/* A disk takes what still fits and no more, and LMDB calls a write that was cut short an I/O error. */
static bool disk_is_full(const struct lmdb_store *store)
{
    uint64_t n_bytes;

    return directory_free_bytes(store->config.path, &n_bytes) == 0 &&
           n_bytes < DISK_FULL_BYTES + 2 * store->commit.batch.n_bytes;
}

void round_run(struct lmdb_store *store, struct round *round)
{
    int r = 0;

    parcels_check(store, &round->parcels);
    round_gather(store, round);
    round_add_piece(store, round);
    if (!round_is_empty(round)) {
        if (!store->environment.env)
            store_recover(store); /* what kept it from being opened again may have passed */
        r = round_transact(store, round);
        if (r == -EIO && disk_is_full(store))
            r = -ENOSPC;
        health_is(store, r);
        if (r)
            store_recover(store);
    }
    if (round->has_piece)
        staging_advance(store);
    parcels_return(store, &round->parcels, r);
    round_settle(store, round, r);
    if (round->clears)
        staging_clear(store);
    batch_shrink(store);
}
