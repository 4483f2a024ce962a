/* The commit thread: the only writer.
 *
 *     writes queued --> taken over --> checked against heads --> one value of the inbox --> committed --> answered
 *     parcels queued ------------------------- ride along ------------------------------> back to the worker
 *
 * While one batch is being synced the next one gathers. When the inbox is full, writes stay where they are and only
 * parcels are committed, until a fold has made room, or has failed: then the writes fail with it. */
#include "storage/lmdb/inside.h"

#include <assert.h>
#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#define BATCH_MAX_BYTES ((size_t)2 << 30)

/* ---- from other threads ------------------------------------------------------------------------------------------ */

void commit_enqueue(struct lmdb_store *store, struct list *writes, size_t n)
{
    struct commit *commit = &store->commit;
    bool tells;

    pthread_mutex_lock(&commit->mutex);
    list_append_all(&commit->writes, writes);
    commit->n_writes += n;
    tells = commit->n_writes >= commit->n_told_at;
    pthread_mutex_unlock(&commit->mutex);
    if (tells)
        pthread_cond_signal(&commit->changed); /* behind it: who wakes can have the mutex */
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
    commit->has_news = true;
    commit->fold_error = r;
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->mutex);
}

void commit_fold_now(struct lmdb_store *store)
{
    struct commit *commit = &store->commit;
    bool begins;

    pthread_mutex_lock(&commit->mutex);
    begins = !commit->is_folding;
    commit->is_folding = true;
    pthread_mutex_unlock(&commit->mutex);
    if (begins)
        worker_fold(store);
}

void commit_enqueue_pack(struct lmdb_store *store, struct pack *pack)
{
    struct commit *commit = &store->commit;

    pthread_mutex_lock(&commit->mutex);
    list_append(&commit->packs, &pack->request.link);
    commit->has_news = true;
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
                                         commit->inbox_batches >= store->tuning.fold_batches || packs_want_fold(store));
}

static void fold_if_due(struct lmdb_store *store)
{
    struct commit *commit = &store->commit;
    bool begins;

    if (!fold_is_due(store))
        return;
    pthread_mutex_lock(&commit->mutex);
    begins = !commit->is_folding && !commit->is_stopping;
    /* One that failed would fail again: not before much has changed, unless somebody asks, or there is no other way. */
    if (commit->fold_error && !inbox_is_full(store) && commit->counters.next_batch < commit->fold_retry_batch &&
        !packs_want_fold(store))
        begins = false;
    if (begins) {
        commit->fold_retry_batch = commit->counters.next_batch + store->tuning.fold_batches / 8 + 1;
        commit->is_folding = true;
        commit->fold_error = 0;
        commit->wants_fold = false;
        commit->n_folds++;
    }
    pthread_mutex_unlock(&commit->mutex);
    if (begins)
        worker_fold(store);
}

int commit_measure_inbox(struct lmdb_store *store, MDB_txn *txn)
{
    MDB_stat stat;
    int r = environment_errno(mdb_stat(txn, store->environment.dbs[DB_INBOX], &stat));

    if (r)
        return r;
    store->commit.inbox_bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
    store->commit.inbox_batches = stat.ms_entries;
    return 0;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whether there is something to do that waits for nothing more. */
static bool round_is_due(const struct lmdb_store *store, struct round *round, uint64_t now_ns)
{
    const struct commit *commit = &store->commit;

    round->may_write = !(inbox_is_full(store) && commit->is_folding) && (!commit->holds_writes || commit->is_stopping);
    if (!list_is_empty(&commit->parcels) || commit->has_news)
        return true;
    if (!round->may_write)
        return false;
    if (!list_is_empty(&commit->current) || !list_is_empty(&commit->staging.waiting))
        return true;
    return commit->n_writes > 0 && !gather_goes_on(&commit->gather, commit->n_writes, now_ns);
}

/* Until somebody tells, or no more is waited for. now_ns: the moment at which nothing was due. At a later one the
 * gathering may be over, and a write that nobody will tell of again would be slept over. */
static void commit_sleep(struct commit *commit, uint64_t now_ns)
{
    const struct gather *gather = &commit->gather;
    struct timespec until = { .tv_sec = (time_t)(gather->until_ns / 1000000000u),
                              .tv_nsec = (long)(gather->until_ns % 1000000000u) };

    if (gather_goes_on(gather, commit->n_writes, now_ns)) {
        commit->n_told_at = gather->n_wanted;
        (void)pthread_cond_timedwait(&commit->changed, &commit->mutex, &until);
    } else {
        pthread_cond_wait(&commit->changed, &commit->mutex);
    }
    commit->n_told_at = 1;
}

/* Waits for something to do; false: it is over. */
static bool commit_wait(struct lmdb_store *store, struct round *round)
{
    struct commit *commit = &store->commit;
    uint64_t now_ns = monotonic_ns();
    bool is_ready;

    pthread_mutex_lock(&commit->mutex);
    gather_begin(&commit->gather, commit->n_settled, commit->n_writes, commit->took_ns, now_ns);
    for (; !(is_ready = round_is_due(store, round, now_ns)) && !commit->is_stopping; now_ns = monotonic_ns())
        commit_sleep(commit, now_ns);
    round->full = inbox_is_full(store) ? commit->fold_error : 0;
    commit->has_news = false;
    list_take(&commit->parcels, &round->parcels);
    gather_end(&commit->gather, commit->n_writes, now_ns);
    list_append_all(&commit->current, &commit->writes);
    commit->n_writes = 0;
    while (!list_is_empty(&commit->packs))
        pack_wait(store, LIST_ENTRY(list_pop(&commit->packs), struct pack, request.link));
    pthread_mutex_unlock(&commit->mutex);
    return is_ready;
}

static void *commit_main(void *arg)
{
    struct lmdb_store *store = arg;

    (void)pthread_setname_np(pthread_self(), "commit");
    (void)prctl(PR_SET_TIMERSLACK, 1ul); /* a gathering's deadline is some 100 us away, the usual slack half of that */
    staging_clear(store);
    fold_if_due(store);
    for (;;) {
        struct round round = { 0 };
        uint64_t begin_ns;

        list_init(&round.members);
        list_init(&round.refused);
        if (!commit_wait(store, &round))
            return NULL;
        begin_ns = monotonic_ns();
        round_run(store, &round);
        store->commit.took_ns = monotonic_ns() - begin_ns;
        packs_serve(store);
        fold_if_due(store);
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
    pthread_condattr_t monotonic;

    pthread_mutex_init(&commit->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&commit->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    list_init(&commit->writes);
    list_init(&commit->parcels);
    list_init(&commit->packs);
    list_init(&commit->unpacked);
    list_init(&commit->current);
    staging_init(&commit->staging);
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
        r = commit_measure_inbox(store, txn);
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
    staging_finish(&commit->staging);
    buffer_finish(&commit->batch);
    pthread_cond_destroy(&commit->changed);
    pthread_mutex_destroy(&commit->mutex);
}
