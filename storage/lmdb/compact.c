/* Compaction: everything is packed, and segments are made tight, while others write; then appends wait, what has come
 * meanwhile is packed, too, and the commit thread writes the store anew beside itself and puts that in its place.
 *
 *     pack -> tighten -> hold the writes -> pack the rest -> compact.mdb, synced -> renamed -> opened -> they go on
 *
 * Reads go on in the former file until the swap, which keeps the worker out for a moment. Wherever it is cut off,
 * data.mdb is one whole file or the other, with the same contents. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/lmdb/directory.h"
#include "storage/lmdb/inside.h"

#define PATIENCE_SECONDS 2
#define PARTS_TIGHTENING 900 /* of the progress; copying is the rest */
#define PARTS            1000

struct compaction {
    struct pack pack; /* first */
    struct request tightening;
    store_progress_fn *progress;
    struct request telling; /* of the progress, on its way to the loop */
    atomic_bool is_telling;
    _Atomic uint64_t n_done;
};

static struct compaction *compaction_of(struct pack *pack)
{
    return (struct compaction *)pack;
}

/* ---- how far it is ----------------------------------------------------------------------------------------------- */

/* Not a call that somebody counts on, so what dispatch took off is given back. */
static void telling_answer(struct request *request)
{
    struct compaction *compaction = LIST_ENTRY(request, struct compaction, telling);

    request->store->n_outstanding++;
    atomic_store(&compaction->is_telling, false);
    compaction->progress(compaction->pack.arg, atomic_load(&compaction->n_done), PARTS);
}

/* From the thread that is at work for it. The answer stands behind whatever is told here. How much there is to do is
 * an estimate, so it may seem less than before: nobody is told that. */
static void tell(struct compaction *compaction, uint64_t n_done)
{
    if (n_done > atomic_load(&compaction->n_done))
        atomic_store(&compaction->n_done, n_done);
    if (compaction->progress && !atomic_exchange(&compaction->is_telling, true))
        lmdb_answer_one(&compaction->telling);
}

static uint64_t parts(uint64_t n_parts, uint64_t n_done, uint64_t n_total)
{
    return n_done < n_total ? n_parts * n_done / n_total : n_parts;
}

static void tell_copied(void *arg, uint64_t n_done, uint64_t n_total)
{
    tell(arg, PARTS_TIGHTENING + parts(PARTS - PARTS_TIGHTENING, n_done, n_total));
}

static void tell_tightened(struct request *request, uint64_t n_done, uint64_t n_total)
{
    tell(LIST_ENTRY(request, struct compaction, tightening), parts(PARTS_TIGHTENING, n_done, n_total));
}

/* ---- on the commit thread ---------------------------------------------------------------------------------------- */

/* The worker is never inside for long; a backup is for as long as its receiver likes, and appends would wait with us.
 */
static int enter_alone(struct lmdb_store *store)
{
    struct timespec until;

    if (backup_goes_on(store))
        return -EBUSY;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    return pthread_rwlock_timedwrlock(&store->environment_in_use, &until) ? -EBUSY : 0;
}

/* Early, before much is done for nothing. */
static int check_nobody_reads(struct lmdb_store *store)
{
    int alone, r = directory_lock_alone(store->config.path, &alone);

    if (r)
        return r;
    (void)close(alone);
    r = enter_alone(store);
    if (!r)
        pthread_rwlock_unlock(&store->environment_in_use);
    return r;
}

static int swap(struct lmdb_store *store)
{
    int r = enter_alone(store);

    if (r)
        return r;
    view_leave(&store->worker.view);
    r = environment_replace(&store->config, &store->environment);
    if (!r)
        r = commit_load(store);
    pthread_rwlock_unlock(&store->environment_in_use);
    return r;
}

static int write_anew(struct lmdb_store *store, struct compaction *compaction)
{
    int r = environment_rewrite(&store->config, &store->environment, tell_copied, compaction);

    if (!r)
        r = swap(store);
    if (r)
        (void)environment_forget_rewritten(&store->config); /* a leftover does no harm */
    return r;
}

static void end(struct compaction *compaction, int r)
{
    struct lmdb_store *store = compaction->pack.request.store;

    store->commit.holds_writes = false;
    compaction->pack.request.r = r;
    if (r) {
        log_error("store", "compaction failed: %s", strerror(-r));
        store_recover(store); /* the files may be closed: readers shall not wait for the next write */
    }
    lmdb_answer_one(&compaction->pack.request);
}

static void rest_is_packed(struct pack *pack, int r)
{
    struct compaction *compaction = compaction_of(pack);

    end(compaction, r ? r : write_anew(pack->request.store, compaction));
}

static void all_is_tight(struct pack *pack, int r)
{
    struct lmdb_store *store = pack->request.store;

    if (r) {
        end(compaction_of(pack), r);
        return;
    }
    store->commit.holds_writes = true;
    pack->packed = rest_is_packed;
    pack_wait(store, pack);
}

static void most_is_packed(struct pack *pack, int r)
{
    struct lmdb_store *store = pack->request.store;

    if (!r)
        r = check_nobody_reads(store);
    if (r)
        end(compaction_of(pack), r);
    else
        worker_enqueue(store, &compaction_of(pack)->tightening);
}

/* ---- on the worker ----------------------------------------------------------------------------------------------- */

/* Back to the commit thread, with what has been written since. */
static void tightened(struct request *request, int r)
{
    struct compaction *compaction = LIST_ENTRY(request, struct compaction, tightening);

    request->r = r;
    if (r) {
        lmdb_answer_one(request);
        return;
    }
    compaction->pack.packed = all_is_tight;
    commit_enqueue_pack(request->store, &compaction->pack);
}

static enum served tighten(struct request *request, struct view *view)
{
    static const struct repack_hooks hooks = { tell_tightened, tightened };

    (void)view;
    request->r = repack_begin(request->store, &hooks, request);
    return request->r ? SERVED : SERVED_BY_JOB;
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static void compact_answer(struct request *request)
{
    struct compaction *compaction = (struct compaction *)request;

    request->store->is_compacting = false;
    compaction->pack.done(compaction->pack.arg, request->r);
    free(compaction);
}

/* It has failed while it was made tight. */
static void tightening_answer(struct request *request)
{
    struct compaction *compaction = LIST_ENTRY(request, struct compaction, tightening);

    log_error("store", "compaction failed: %s", strerror(-request->r));
    compaction->pack.request.r = request->r;
    compact_answer(&compaction->pack.request);
}

int lmdb_compact(struct store *base, store_progress_fn *progress, store_done_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct compaction *compaction;
    int r = lmdb_accepts_writes(store);

    if (r)
        return r;
    if (store->is_compacting)
        return -EALREADY;
    compaction = lmdb_request_create(store, sizeof(*compaction), compact_answer);
    if (!compaction)
        return -ENOMEM;
    list_init(&compaction->telling.link);
    compaction->telling.store = store;
    compaction->telling.answer = telling_answer;
    list_init(&compaction->tightening.link);
    compaction->tightening.store = store;
    compaction->tightening.serve = tighten;
    compaction->tightening.answer = tightening_answer;
    compaction->progress = progress;
    compaction->pack.packed = most_is_packed;
    compaction->pack.done = done;
    compaction->pack.arg = arg;
    store->is_compacting = true;
    store->n_outstanding++;
    commit_enqueue_pack(store, &compaction->pack);
    return 0;
}
