#include "storage/lmdb/store_lmdb.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/inside.h"

const struct store_lmdb_tuning store_lmdb_tuning_default = {
    .batch_bytes = 256 * 1024,
    .parcel_bytes = 256 * 1024,
    .chunk_bytes = 256 * 1024,
    .piece_bytes = 256 * 1024,
    .segment_bytes = 16 * 1024,
    .segment_payload_bytes = 512 * 1024,
    .fold_bytes = 4 * 1024 * 1024,
    .fold_batches = 4096,
    .inbox_bytes = 16 * 1024 * 1024,
    .inbox_batches = 32768,
};

/* ---- requests and answers ---------------------------------------------------------------------------------------- */

int lmdb_accepts_reads(const struct lmdb_store *store)
{
    return store->is_closing ? -ESHUTDOWN : 0;
}

int lmdb_accepts_writes(const struct lmdb_store *store)
{
    return store->is_closing ? -ESHUTDOWN : store->is_read_only ? -EROFS : 0;
}

void *lmdb_request_create(struct lmdb_store *store, size_t n_bytes, void (*answer)(struct request *request))
{
    struct request *request = calloc(1, n_bytes);

    if (!request)
        return NULL;
    list_init(&request->link);
    request->store = store;
    request->answer = answer;
    return request;
}

void lmdb_request_serve(struct request *request, enum served (*serve)(struct request *request, struct view *view))
{
    request->serve = serve;
    request->store->n_outstanding++;
    worker_enqueue(request->store, request);
}

static void wake(const struct lmdb_store *store)
{
    if (store->config.wake)
        store->config.wake(store->config.arg);
}

/* One wake for everything that comes until the loop looks. */
void lmdb_answer(struct lmdb_store *store, struct list *requests)
{
    bool wakes;

    if (list_is_empty(requests))
        return;
    pthread_mutex_lock(&store->answers_mutex);
    wakes = list_is_empty(&store->answers);
    list_append_all(&store->answers, requests);
    pthread_cond_signal(&store->answers_changed);
    pthread_mutex_unlock(&store->answers_mutex);
    if (wakes)
        wake(store);
}

void lmdb_answer_one(struct request *request)
{
    struct list list;

    list_init(&list);
    list_append(&list, &request->link);
    lmdb_answer(request->store, &list);
}

static void hand_over(struct lmdb_store *store)
{
    if (store->n_fresh)
        commit_enqueue(store, &store->fresh, store->n_fresh);
    store->n_fresh = 0;
}

static void store_lmdb_dispatch(struct store *base)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct list answers, *node;

    hand_over(store);
    pthread_mutex_lock(&store->answers_mutex);
    list_take(&store->answers, &answers);
    pthread_mutex_unlock(&store->answers_mutex);
    while ((node = list_pop(&answers))) {
        struct request *request = LIST_ENTRY(node, struct request, link);

        store->n_outstanding--;
        request->answer(request);
    }
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

struct opening {
    struct request request; /* first */
    struct lmdb_log *log;
    struct view_log found;
    uint64_t snapshot_version;
    store_open_fn *done;
    void *arg;
};

static int compare_logs(const void *left, const void *right)
{
    const struct lmdb_log *a = left, *b = right;
    int order = bytes_compare(a->name.collection, b->name.collection);

    return order ? order : bytes_compare(a->name.id, b->name.id);
}

static void log_destroy(struct lmdb_log *log)
{
    if (!log)
        return;
    (void)tdelete(log, &lmdb_log_store(&log->base)->logs, compare_logs);
    free(log);
}

static enum served opening_serve(struct request *request, struct view *view)
{
    struct opening *opening = (struct opening *)request;
    int r = view_find_log(view, opening->log->name, &opening->found);

    if (!r && opening->found.row.number)
        r = view_newest_snapshot(view, opening->found.row.number, &opening->snapshot_version);
    request->r = r;
    return SERVED;
}

static void opening_answer(struct request *request)
{
    struct opening *opening = (struct opening *)request;
    struct lmdb_log *log = opening->log;
    struct store_info info = row_info(&opening->found.row, opening->snapshot_version);

    if (request->r) {
        log_destroy(log);
        opening->done(opening->arg, request->r, NULL, NULL);
    } else {
        log->number = opening->found.row.number;
        log->head = log->durable = info.head;
        opening->done(opening->arg, 0, &log->base, &info);
    }
    free(opening);
}

static struct lmdb_log *log_create(struct lmdb_store *store, struct store_name name)
{
    struct lmdb_log *log = calloc(1, sizeof(*log) + name.collection.n_bytes + name.id.n_bytes);
    char *behind = (char *)(log + 1);

    assert(name.collection.n_bytes > 0 && name.id.n_bytes > 0);
    if (!log)
        return NULL;
    log->base.store = &store->base;
    memcpy(behind, name.collection.at, name.collection.n_bytes);
    memcpy(behind + name.collection.n_bytes, name.id.at, name.id.n_bytes);
    log->name.collection = bytes_of(behind, name.collection.n_bytes);
    log->name.id = bytes_of(behind + name.collection.n_bytes, name.id.n_bytes);
    return log;
}

/* on_head stays uncalled: here nobody else writes. */
static int lmdb_log_open(struct store *base, struct store_name name, store_head_fn *on_head, store_open_fn *done,
                         void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct lmdb_log *log, **node;
    struct opening *opening;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    opening = lmdb_request_create(store, sizeof(*opening), opening_answer);
    log = log_create(store, name);
    node = opening && log ? tsearch(log, &store->logs, compare_logs) : NULL;
    if (!node) {
        free(log);
        free(opening);
        return -ENOMEM;
    }
    opening->done = done;
    opening->arg = arg;
    if (*node != log) {
        free(log);
        opening->request.r = -EBUSY;
        store->n_outstanding++;
        lmdb_answer_one(&opening->request);
        return 0;
    }
    opening->log = log;
    lmdb_request_serve(&opening->request, opening_serve);
    return 0;
}

static void lmdb_log_close(struct store_log *log)
{
    log_destroy(lmdb_log_of(log));
}

/* ---- writes ------------------------------------------------------------------------------------------------------ */

static void append_answer(struct request *request)
{
    struct write *write = (struct write *)request;

    write->done.append(write->arg, request->r, write->head);
    free(write->marks);
    free(write);
}

static void plain_answer(struct request *request)
{
    struct write *write = (struct write *)request;

    write->done.plain(write->arg, request->r);
    free(write);
}

static int write_create(struct lmdb_store *store, enum write_kind kind, void (*answer)(struct request *request),
                        struct write **out)
{
    int r = lmdb_accepts_writes(store);
    struct write *write;

    if (r)
        return r;
    write = lmdb_request_create(store, sizeof(*write), answer);
    if (!write)
        return -ENOMEM;
    write->kind = kind;
    *out = write;
    return 0;
}

/* All that a turn of the loop begins goes to the commit thread at once: it is not woken by the first of them to find
 * the mutex taken for the next. */
static void write_enqueue(struct write *write)
{
    struct lmdb_store *store = write->request.store;

    store->n_outstanding++;
    list_append(&store->fresh, &write->request.link);
    if (store->n_fresh++ == 0)
        wake(store);
}

static int lmdb_append(struct store_log *base, uint64_t expected, const struct record *records, size_t n,
                       const struct store_state *after, store_append_fn *done, void *arg)
{
    struct write *write;
    int r = write_create(lmdb_log_store(base), WRITE_APPEND, append_answer, &write);

    assert(n > 0 && after->type.n_bytes <= TYPE_BYTES_MAX);
    if (r)
        return r;
    write->log = lmdb_log_of(base);
    write->expected = expected;
    write->records = records;
    write->n = n;
    write->n_versions = records_end(expected, records, n) - expected;
    write->after = *after;
    if (after->type.n_bytes)
        memcpy(write->type, after->type.at, after->type.n_bytes);
    write->after.type.at = write->type;
    write->done.append = done;
    write->arg = arg;
    for (size_t i = 0; i < n; i++) {
        assert(records[i].id.src.n_bytes <= SRC_BYTES_MAX && records[i].body.n_bytes <= STORE_RECORD_MAX_BYTES);
        write->n_bytes += records[i].body.n_bytes + records[i].author.n_bytes + records[i].id.src.n_bytes + 16;
        write->is_large |= records[i].body.n_bytes > lmdb_log_store(base)->tuning.piece_bytes;
    }
    write_enqueue(write);
    return 0;
}

static int lmdb_remove(struct store_log *base, store_done_fn *done, void *arg)
{
    struct write *write;
    int r = write_create(lmdb_log_store(base), WRITE_REMOVE, plain_answer, &write);

    if (r)
        return r;
    write->log = lmdb_log_of(base);
    write->done.plain = done;
    write->arg = arg;
    write_enqueue(write);
    return 0;
}

static int lmdb_begin_at(struct store_log *base, uint64_t version, store_done_fn *done, void *arg)
{
    struct write *write;
    int r = write_create(lmdb_log_store(base), WRITE_BEGIN_AT, plain_answer, &write);

    if (r)
        return r;
    write->log = lmdb_log_of(base);
    write->expected = version;
    write->done.plain = done;
    write->arg = arg;
    write_enqueue(write);
    return 0;
}

static int lmdb_meta_put(struct store *base, struct bytes key, struct bytes value, store_done_fn *done, void *arg)
{
    struct write *write;
    int r = write_create(lmdb_store_of(base), WRITE_META, plain_answer, &write);

    assert(key.n_bytes <= META_KEY_MAX && value.n_bytes <= META_VALUE_MAX);
    if (r)
        return r;
    write->key = key;
    write->value = value;
    write->n_bytes = key.n_bytes + value.n_bytes;
    write->done.plain = done;
    write->arg = arg;
    write_enqueue(write);
    return 0;
}

static int lmdb_health(const struct store *base)
{
    return atomic_load(&((const struct lmdb_store *)base)->health);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void store_destroy(struct lmdb_store *store)
{
    worker_stop(store);
    commit_finish(&store->commit);
    worker_finish(&store->worker); /* last: parcels come back to it */
    environment_close(&store->environment);
    pthread_cond_destroy(&store->answers_changed);
    pthread_mutex_destroy(&store->answers_mutex);
    pthread_rwlock_destroy(&store->environment_in_use);
    free((char *)(uintptr_t)store->config.path); /* our copy */
    free(store);
}

static void store_lmdb_close(struct store *base)
{
    struct lmdb_store *store = lmdb_store_of(base);

    store->is_closing = true;
    backup_cut(store);
    hand_over(store);
    while (store->n_outstanding > 0) {
        pthread_mutex_lock(&store->answers_mutex);
        while (list_is_empty(&store->answers))
            pthread_cond_wait(&store->answers_changed, &store->answers_mutex);
        pthread_mutex_unlock(&store->answers_mutex);
        store_lmdb_dispatch(base);
    }
    assert(!store->logs);
    store_destroy(store);
}

static const struct store_engine lmdb_engine = {
    .dispatch = store_lmdb_dispatch,
    .close = store_lmdb_close,
    .log_open = lmdb_log_open,
    .log_close = lmdb_log_close,
    .append = lmdb_append,
    .find = lmdb_find,
    .read = lmdb_read,
    .version_at = lmdb_version_at,
    .snapshot_get = lmdb_snapshot_get,
    .snapshot_put = lmdb_snapshot_put,
    .remove = lmdb_remove,
    .merge = lmdb_merge,
    .list = lmdb_list,
    .collections = lmdb_collections,
    .meta_get = lmdb_meta_get,
    .meta_put = lmdb_meta_put,
    .health = lmdb_health,
    .pack = lmdb_pack,
    .compact = lmdb_compact,
    .sizes = lmdb_sizes,
    .backup = lmdb_backup,
    .begin_at = lmdb_begin_at,
};

/* Signals are the loop's. */
static int threads_start(struct lmdb_store *store)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = worker_start(store);
    if (!r && !store->is_read_only)
        r = commit_start(store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static struct lmdb_store *store_create(const struct store_lmdb_config *config, const struct store_lmdb_tuning *tuning)
{
    struct lmdb_store *store = calloc(1, sizeof(*store));
    char *path = strdup(config->path);

    if (!store || !path) {
        free(store);
        free(path);
        return NULL;
    }
    store->base.engine = &lmdb_engine;
    store->tuning = *tuning;
    store->is_read_only = config->mode == STORE_READ_ONLY;
    store->config = *config;
    store->config.path = path;
    pthread_rwlock_init(&store->environment_in_use, NULL);
    pthread_mutex_init(&store->answers_mutex, NULL);
    pthread_cond_init(&store->answers_changed, NULL);
    list_init(&store->answers);
    list_init(&store->fresh);
    commit_init(&store->commit);
    worker_init(&store->worker);
    return store;
}

int store_lmdb_open_tuned(const struct store_lmdb_config *config, const struct store_lmdb_tuning *tuning,
                          struct store **out, char *why, size_t n_why)
{
    struct environment environment;
    struct lmdb_store *store;
    int r = environment_open(config, &environment, why, n_why);

    if (r)
        return r;
    store = store_create(config, tuning);
    if (!store) {
        environment_close(&environment);
        r = -ENOMEM;
        goto out;
    }
    store->environment = environment;
    r = threads_start(store);
    if (r) {
        store_destroy(store);
        goto out;
    }
    *out = &store->base;
out:
    if (r)
        (void)snprintf(why, n_why, "can't open the store in %s: %s", config->path, strerror(-r));
    return r;
}

int store_lmdb_open(const struct store_lmdb_config *config, struct store **out, char *why, size_t n_why)
{
    return store_lmdb_open_tuned(config, &store_lmdb_tuning_default, out, why, n_why);
}
