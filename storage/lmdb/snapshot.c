/* Snapshots: produced on the worker, kept as chunks that ride in the batches of others, whole when the manifest is
 * there; what is older goes in the same transaction.
 *
 *     DB_CHUNKS      log, version, 0 | log, version, 1 | ...
 *     DB_SNAPSHOTS                                       log, version -> manifest */
#include <errno.h>
#include <stdlib.h>

#include "storage/crc32c.h"
#include "storage/lmdb/inside.h"

#define SNAPSHOT_MAX_BYTES ((size_t)1 << 30)
#define DROP_LIMIT         4096 /* chunks of older snapshots a transaction; the rest goes with the next snapshot */

struct snapshot_put {
    struct request request; /* first */
    struct lmdb_log *log;
    uint64_t version;
    store_produce_fn *produce;
    store_done_fn *done;
    void *arg;
};

static struct snapshotting *snapshotting_of(struct lmdb_store *store)
{
    return &store->worker.snapshotting;
}

/* ---- the job ----------------------------------------------------------------------------------------------------- */

static int add_chunk(struct lmdb_store *store, struct snapshotting *job)
{
    size_t at = (size_t)job->next_chunk * store->tuning.chunk_bytes, n = job->content.n_bytes - at;
    struct log_key key = log_key_of_chunk(job->job.parcel.number, job->put->version, job->next_chunk);

    if (n > store->tuning.chunk_bytes)
        n = store->tuning.chunk_bytes;
    parcel_put(&job->job.parcel, DB_CHUNKS, log_key_bytes(&key), bytes_of(job->content.at + at, n));
    job->next_chunk++;
    return job->job.parcel.ops.error;
}

/* It is whole; whatever lies below is not needed any more, also what a crash left half done. */
static int add_manifest(struct snapshotting *job)
{
    uint64_t number = job->job.parcel.number, version = job->put->version;
    struct log_key none = log_key_of_version(number, 0), key = log_key_of_version(number, version);
    struct log_key last = log_key_of_version(number, version - 1), first_chunk = log_key_of_chunk(number, 0, 0);
    struct log_key last_chunk = log_key_of_chunk(number, version - 1, UINT32_MAX);

    buffer_reset(&job->scratch);
    manifest_encode(&job->manifest, &job->scratch);
    parcel_put_encoded(&job->job.parcel, DB_SNAPSHOTS, log_key_bytes(&key), &job->scratch);
    parcel_delete_range(&job->job.parcel, DB_SNAPSHOTS, log_key_bytes(&none), log_key_bytes(&last), DROP_LIMIT);
    parcel_delete_range(&job->job.parcel, DB_CHUNKS, log_key_bytes(&first_chunk), log_key_bytes(&last_chunk),
                        DROP_LIMIT);
    return job->job.parcel.ops.error;
}

static int find_number(struct snapshotting *job, struct view *view)
{
    struct view_log found;
    int r = view_find_log(view, job->put->log->name, &found);

    if (!r && (!found.row.number || job->put->version > found.row.head || job->put->version <= found.row.base))
        r = STORE_NOT_FOUND;
    if (!r)
        r = view_between(view, &found, job->put->version);
    if (r == -ENOENT)
        r = STORE_NOT_FOUND; /* within what was merged: nobody could go on from there */
    if (!r)
        job->job.parcel.number = found.row.number;
    return r;
}

static enum job_step snapshotting_step(struct lmdb_store *store, struct view *view, int *r)
{
    struct snapshotting *job = snapshotting_of(store);

    if (job->next_chunk > job->manifest.n_chunks)
        return JOB_FINISHED;
    if (job->next_chunk == 0)
        *r = find_number(job, view);
    if (!*r && job->next_chunk < job->manifest.n_chunks)
        *r = add_chunk(store, job);
    if (!*r && job->next_chunk == job->manifest.n_chunks) {
        *r = add_manifest(job);
        job->next_chunk++;
    }
    return *r ? JOB_FINISHED : JOB_PARCEL;
}

static void snapshotting_ended(struct lmdb_store *store, int r)
{
    struct snapshotting *job = snapshotting_of(store);

    buffer_finish(&job->content);
    job->put->request.r = r;
    lmdb_answer_one(&job->put->request);
    job->put = NULL;
}

static void snapshotting_begin(struct lmdb_store *store, struct request *request)
{
    struct snapshotting *job = snapshotting_of(store);
    int r;

    job->put = (struct snapshot_put *)request;
    r = job->put->produce(job->put->arg, &job->content);
    if (!r)
        r = job->content.error;
    if (r) {
        snapshotting_ended(store, r);
        return;
    }
    job->manifest.n_bytes = job->content.n_bytes;
    job->manifest.n_chunks =
        (uint32_t)((job->content.n_bytes + store->tuning.chunk_bytes - 1) / store->tuning.chunk_bytes);
    job->manifest.crc = crc32c(0, job->content.at, job->content.n_bytes);
    job->next_chunk = 0;
    job->job.parcel.log = job->put->log;
    worker_start_job(store, &job->job);
}

void snapshotting_init(struct snapshotting *snapshotting)
{
    *snapshotting = (struct snapshotting){ .job = { .step = snapshotting_step, .ended = snapshotting_ended } };
    parcel_init(&snapshotting->job.parcel);
    buffer_init(&snapshotting->scratch, SIZE_MAX / 2);
    buffer_init(&snapshotting->content, SNAPSHOT_MAX_BYTES);
}

void snapshotting_finish(struct snapshotting *snapshotting)
{
    parcel_finish(&snapshotting->job.parcel);
    buffer_finish(&snapshotting->scratch);
    buffer_finish(&snapshotting->content);
}

void snapshot_drop_within(struct parcel *parcel, uint64_t number, uint64_t from, uint64_t to)
{
    struct log_key first = log_key_of_version(number, from + 1), last = log_key_of_version(number, to - 1);
    struct log_key first_chunk = log_key_of_chunk(number, from + 1, 0);
    struct log_key last_chunk = log_key_of_chunk(number, to - 1, UINT32_MAX);

    parcel_delete_range(parcel, DB_SNAPSHOTS, log_key_bytes(&first), log_key_bytes(&last), SIZE_MAX);
    parcel_delete_range(parcel, DB_CHUNKS, log_key_bytes(&first_chunk), log_key_bytes(&last_chunk), SIZE_MAX);
}

/* ---- put --------------------------------------------------------------------------------------------------------- */

static void put_answer(struct request *request)
{
    struct snapshot_put *put = (struct snapshot_put *)request;

    put->done(put->arg, request->r);
    free(put);
}

static enum served put_serve(struct request *request, struct view *view)
{
    (void)view;
    worker_line_up(request->store, request);
    return SERVED_BY_JOB;
}

int lmdb_snapshot_put(struct store_log *log, uint64_t version, store_produce_fn *produce, store_done_fn *done,
                      void *arg)
{
    struct lmdb_store *store = lmdb_log_store(log);
    struct snapshot_put *put;
    int r = lmdb_accepts_writes(store);

    if (r)
        return r;
    put = lmdb_request_create(store, sizeof(*put), put_answer);
    if (!put)
        return -ENOMEM;
    put->request.begin = snapshotting_begin;
    put->log = lmdb_log_of(log);
    put->version = version;
    put->produce = produce;
    put->done = done;
    put->arg = arg;
    lmdb_request_serve(&put->request, put_serve);
    return 0;
}

/* ---- get --------------------------------------------------------------------------------------------------------- */

struct snapshot_get {
    struct request request; /* first */
    struct lmdb_log *log;
    uint64_t at_most, version;
    struct buffer content;
    store_snapshot_fn *done;
    void *arg;
};

static void get_answer(struct request *request)
{
    struct snapshot_get *get = (struct snapshot_get *)request;

    if (request->r)
        get->version = 0;
    get->done(get->arg, request->r, get->version, request->r ? bytes_of(NULL, 0) : buffer_bytes(&get->content));
    buffer_finish(&get->content);
    free(get);
}

static int get_chunks(struct snapshot_get *get, struct view *view, uint64_t number, const struct manifest *manifest)
{
    int r = 0;

    for (uint32_t i = 0; !r && i < manifest->n_chunks; i++) {
        struct log_key key = log_key_of_chunk(number, get->version, i);
        struct bytes chunk;

        r = environment_get(view->environment, view->txn, DB_CHUNKS, log_key_bytes(&key), &chunk);
        if (!r)
            r = buffer_append(&get->content, chunk.at, chunk.n_bytes);
    }
    if (r)
        return r == -ENOENT ? -EBADMSG : r;
    if (get->content.n_bytes != manifest->n_bytes || crc32c(0, get->content.at, get->content.n_bytes) != manifest->crc)
        return -EBADMSG;
    return 0;
}

static enum served get_serve(struct request *request, struct view *view)
{
    struct snapshot_get *get = (struct snapshot_get *)request;
    struct manifest manifest;
    struct view_log found;
    int r = view_find_log(view, get->log->name, &found);

    if (!r)
        r = found.row.number ? view_manifest(view, found.row.number, get->at_most, &get->version, &manifest) : -ENOENT;
    if (!r)
        r = get_chunks(get, view, found.row.number, &manifest);
    else if (r == -ENOENT)
        r = 0;
    request->r = r;
    return SERVED;
}

int lmdb_snapshot_get(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_log_store(log);
    struct snapshot_get *get;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    get = lmdb_request_create(store, sizeof(*get), get_answer);
    if (!get)
        return -ENOMEM;
    get->log = lmdb_log_of(log);
    get->at_most = at_most;
    get->done = done;
    get->arg = arg;
    buffer_init(&get->content, SNAPSHOT_MAX_BYTES);
    lmdb_request_serve(&get->request, get_serve);
    return 0;
}
