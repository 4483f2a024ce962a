/* The commit thread: the only writer.
 *
 *     writes queued -> taken over -> checked against their logs' heads -> one value of the inbox -> committed ->
 * answered parcels queued ------------------------------------------------------ ride along ----------> back to the
 * worker
 *
 * While one batch is being synced the next one gathers. When the inbox is full, writes stay where they are and only
 * parcels are committed, until a fold has made room, or has failed: then the writes fail with it. */
#include "storage/lmdb/inside.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"

#define BATCH_MAX_BYTES ((size_t)2 << 30)

/* ---- from other threads ------------------------------------------------------------------------------------------ */

void commit_enqueue(struct lmdb_store *store, struct write *write)
{
    struct commit *commit = &store->commit;

    pthread_mutex_lock(&commit->mutex);
    list_append(&commit->writes, &write->request.link);
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->mutex);
}

void commit_enqueue_parcel(struct lmdb_store *store, struct parcel *parcel)
{
    struct commit *commit = &store->commit;

    pthread_mutex_lock(&commit->mutex);
    list_append(&commit->parcels, &parcel->link);
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->mutex);
}

void commit_fold_ended(struct lmdb_store *store, int r)
{
    struct commit *commit = &store->commit;

    pthread_mutex_lock(&commit->mutex);
    commit->is_folding = false;
    commit->fold_error = r;
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->mutex);
}

/* ---- the inbox's size -------------------------------------------------------------------------------------------- */

static bool inbox_is_full(const struct lmdb_store *store)
{
    return store->commit.inbox_bytes >= store->tuning.inbox_bytes ||
           store->commit.inbox_batches >= store->tuning.inbox_batches;
}

static bool fold_is_due(const struct lmdb_store *store)
{
    const struct commit *commit = &store->commit;

    return commit->inbox_batches > 0 && (commit->wants_fold || commit->inbox_bytes >= store->tuning.fold_bytes ||
                                         commit->inbox_batches >= store->tuning.fold_batches);
}

static void fold_if_due(struct lmdb_store *store)
{
    struct commit *commit = &store->commit;
    bool begins;

    if (!fold_is_due(store))
        return;
    pthread_mutex_lock(&commit->mutex);
    begins = !commit->is_folding && !commit->is_stopping;
    /* One that failed would fail again: not before much has changed, unless there is no other way. */
    if (commit->fold_error && !inbox_is_full(store) && commit->counters.next_batch < commit->fold_retry_batch)
        begins = false;
    if (begins) {
        commit->fold_retry_batch = commit->counters.next_batch + store->tuning.fold_batches / 8 + 1;
        commit->is_folding = true;
        commit->fold_error = 0;
        commit->wants_fold = false;
    }
    pthread_mutex_unlock(&commit->mutex);
    if (begins)
        worker_fold(store);
}

static int inbox_measure(struct lmdb_store *store, MDB_txn *txn)
{
    MDB_stat stat;
    int r = environment_errno(mdb_stat(txn, store->environment.dbs[DB_INBOX], &stat));

    if (r)
        return r;
    store->commit.inbox_bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
    store->commit.inbox_batches = stat.ms_entries;
    return 0;
}

/* ---- building a batch -------------------------------------------------------------------------------------------- */

struct round {
    bool may_write;               /* false: the inbox is full, and is being folded */
    int full;                     /* why that will not help: what appends fail with */
    struct list members, refused; /* writes */
    struct list parcels;
    struct batch_head head;
    uint64_t next_number;
    size_t n_bytes;
};

/* 0: it may be written. */
static int write_check(const struct write *write)
{
    struct lmdb_log *log = write->log;

    if (!log)
        return 0;
    if (!log->failed && write->kind == WRITE_APPEND && write->expected != log->head)
        log->failed = STORE_CONFLICT;
    return log->failed;
}

static void write_encode(struct lmdb_store *store, struct round *round, struct write *write)
{
    struct lmdb_log *log = write->log;
    struct batch_entry entry = { .kind = ENTRY_APPEND, .after = write->after };

    if (write->kind == WRITE_META || (write->kind == WRITE_REMOVE && !log->number))
        return; /* not in the inbox; or there is nothing to remove */
    if (write->kind == WRITE_REMOVE) {
        entry.kind = ENTRY_REMOVE;
    } else if (!log->number) {
        entry.kind = ENTRY_CREATE;
        entry.name = log->name;
        log->number = round->next_number++;
    }
    entry.number = log->number;
    entry.from = log->head;
    entry.n = write->n;
    (void)buffer_room(&store->commit.batch, write->n_bytes); /* a large one grows it once; a failure stays in it */
    batch_add(&store->commit.batch, store->commit.counters.next_batch, &entry, write->records);
    round->head.n_entries++;
    log->head += write->n;
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

        if (!list_is_empty(&round->members) && round->n_bytes + write->n_bytes > store->tuning.batch_bytes)
            break;
        list_remove(&write->request.link);
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
    if (!r)
        r = inbox_measure(store, txn);
    if (r) {
        mdb_txn_abort(txn);
        return r;
    }
    r = environment_errno(mdb_txn_commit(txn));
    if (!r)
        store->commit.counters = counters;
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
        log->durable += write->n;
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
    LIST_FOR_EACH (member, &round->members)
        write_settle(store, LIST_ENTRY(member, struct write, request.link), r);
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

static void round_run(struct lmdb_store *store, struct round *round)
{
    int r = 0;

    parcels_check(store, &round->parcels);
    round_gather(store, round);
    if (!list_is_empty(&round->members) || !list_is_empty(&round->parcels)) {
        r = transact(store, round);
        if (r && !list_is_empty(&round->parcels)) {
            parcels_return(store, &round->parcels, r); /* nobody's append shall fail for what rode along */
            if (!list_is_empty(&round->members))
                r = transact(store, round);
        }
        health_is(store, r);
        if (r)
            store_recover(store);
    }
    parcels_return(store, &round->parcels, r);
    round_settle(store, round, r);
    batch_shrink(store);
    fold_if_due(store);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* Waits for something to do; false: it is over. */
static bool commit_wait(struct lmdb_store *store, struct round *round)
{
    struct commit *commit = &store->commit;
    bool is_ready;

    pthread_mutex_lock(&commit->mutex);
    for (;;) {
        round->may_write = !(inbox_is_full(store) && commit->is_folding) || commit->is_stopping;
        is_ready = !list_is_empty(&commit->parcels) ||
                   (round->may_write && !(list_is_empty(&commit->writes) && list_is_empty(&commit->current)));
        if (is_ready || commit->is_stopping)
            break;
        pthread_cond_wait(&commit->changed, &commit->mutex);
    }
    round->full = inbox_is_full(store) ? commit->fold_error : 0;
    list_take(&commit->parcels, &round->parcels);
    while (!list_is_empty(&commit->writes))
        list_append(&commit->current, list_pop(&commit->writes));
    pthread_mutex_unlock(&commit->mutex);
    return is_ready;
}

static void *commit_main(void *arg)
{
    struct lmdb_store *store = arg;

    (void)pthread_setname_np(pthread_self(), "commit");
    fold_if_due(store);
    for (;;) {
        struct round round = { 0 };

        list_init(&round.members);
        list_init(&round.refused);
        if (!commit_wait(store, &round))
            return NULL;
        round_run(store, &round);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* What the next batch and the next log are called: the inbox knows best, and what a fold left when it emptied it. */
static int counters_load(struct lmdb_store *store, MDB_txn *txn, MDB_cursor *cursor)
{
    struct counters *counters = &store->commit.counters;
    struct batch_head head;
    MDB_val key, value;
    struct bytes kept;
    uint64_t last;
    int r = environment_get(&store->environment, txn, DB_META, bytes_of_string(COUNTERS_KEY), &kept);

    *counters = (struct counters){ 1, 1 };
    if (!r)
        r = counters_decode(kept, counters);
    if (r && r != -ENOENT)
        return r;
    r = environment_errno(mdb_cursor_get(cursor, &key, &value, MDB_LAST));
    if (r)
        return r == -ENOENT ? 0 : r;
    if (key.mv_size != 8)
        return -EBADMSG;
    last = get_be64(key.mv_data);
    r = batch_read(bytes_of_val(value), last, &head);
    if (r)
        return r;
    if (counters->next_batch <= last)
        counters->next_batch = last + 1;
    if (counters->next_number < head.next_number)
        counters->next_number = head.next_number;
    return 0;
}

void commit_init(struct commit *commit)
{
    pthread_mutex_init(&commit->mutex, NULL);
    pthread_cond_init(&commit->changed, NULL);
    list_init(&commit->writes);
    list_init(&commit->parcels);
    list_init(&commit->current);
    buffer_init(&commit->batch, BATCH_MAX_BYTES);
}

int commit_load(struct lmdb_store *store)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    int r = environment_errno(mdb_txn_begin(store->environment.env, NULL, MDB_RDONLY, &txn));

    if (r)
        return r;
    r = environment_errno(mdb_cursor_open(txn, store->environment.dbs[DB_INBOX], &cursor));
    if (!r) {
        r = counters_load(store, txn, cursor);
        mdb_cursor_close(cursor);
    }
    if (!r)
        r = inbox_measure(store, txn);
    mdb_txn_abort(txn);
    return r;
}

int commit_start(struct lmdb_store *store)
{
    int r = commit_load(store);

    if (!r)
        r = -pthread_create(&store->commit.thread, NULL, commit_main, store);
    store->commit.is_running = !r;
    return r;
}

void commit_finish(struct commit *commit)
{
    if (commit->is_running) {
        pthread_mutex_lock(&commit->mutex);
        commit->is_stopping = true;
        pthread_cond_signal(&commit->changed);
        pthread_mutex_unlock(&commit->mutex);
        pthread_join(commit->thread, NULL);
    }
    assert(list_is_empty(&commit->writes) && list_is_empty(&commit->current));
    buffer_finish(&commit->batch);
    pthread_cond_destroy(&commit->changed);
    pthread_mutex_destroy(&commit->mutex);
}
