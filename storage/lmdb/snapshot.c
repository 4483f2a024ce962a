/* Snapshots: produced and packed on the worker, kept as chunks that ride in the batches of others, whole when the
 * manifest is there. chain.h says how they refer to one another.
 *
 *     DB_CHUNKS      log, version, 0 | log, version, 1 | ...
 *     DB_SNAPSHOTS                                       log, version -> manifest */
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/chain.h"
#include "storage/lmdb/inside.h"

#define CLEAR_LIMIT 256 /* chunks that a crash has left, a transaction */

/* What preparing one may come to, beside an error. */
enum { SNAPSHOT_NOT_NEEDED = 100, SNAPSHOT_CLEARS };

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
    size_t at = (size_t)job->next_chunk * store->tuning.chunk_bytes, n = job->packed.n_bytes - at;
    struct log_key key = log_key_of_chunk(job->job.parcel.number, job->put->version, job->next_chunk);

    if (n > store->tuning.chunk_bytes)
        n = store->tuning.chunk_bytes;
    parcel_put(&job->job.parcel, DB_CHUNKS, log_key_bytes(&key), bytes_of(job->packed.at + at, n));
    job->next_chunk++;
    return job->job.parcel.ops.error;
}

static int add_manifest(struct snapshotting *job)
{
    struct log_key key = log_key_of_version(job->job.parcel.number, job->put->version);

    buffer_reset(&job->scratch);
    manifest_encode(&job->manifest, &job->scratch);
    parcel_put_encoded(&job->job.parcel, DB_SNAPSHOTS, log_key_bytes(&key), &job->scratch);
    job->next_chunk++;
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

/* Nobody needs one below the newest, nor the same again, unless that can't be read. */
static int is_needed(struct snapshotting *job, struct view *view)
{
    const struct chain_source source = chain_source_of(view);
    uint64_t newest = 0;
    struct chain chain;
    struct buffer content;
    int r = view_newest_snapshot(view, job->job.parcel.number, &newest);

    if (r || newest < job->put->version)
        return r;
    if (newest > job->put->version)
        return SNAPSHOT_NOT_NEEDED;
    buffer_init_mapped(&content, SNAPSHOT_MAX_BYTES);
    r = chain_find(&source, job->job.parcel.number, newest, &chain);
    if (!r)
        r = chain_read(&source, &chain, &content);
    buffer_finish(&content);
    return r == -EBADMSG ? 0 : r ? r : SNAPSHOT_NOT_NEEDED;
}

/* The newest one below, hidden or not, or nothing: also where that is damaged. */
static int find_base(struct snapshotting *job, struct view *view, uint64_t *below, struct chain *out)
{
    const struct chain_source source = chain_source_of(view);
    struct manifest manifest;
    int r = view_manifest(view, job->job.parcel.number, job->put->version - 1, below, &manifest);

    out->n = 0;
    if (!r)
        r = chain_find(&source, job->job.parcel.number, *below, out);
    if (r == -EBADMSG)
        out->n = 0;
    return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* Chunks between the one below and this one are without a manifest: something was cut off. SNAPSHOT_CLEARS: they go
 * first. */
static int clear(struct snapshotting *job, struct view *view, uint64_t below)
{
    uint64_t number = job->job.parcel.number;
    struct log_key first = log_key_of_chunk(number, below + 1, 0);
    struct log_key last = log_key_of_chunk(number, job->put->version, UINT32_MAX);
    struct bytes found, value;
    int r = view_at_or_behind(view, DB_CHUNKS, log_key_bytes(&first), 8, &found, &value);

    if (r || bytes_compare(found, log_key_bytes(&last)) > 0)
        return r == -ENOENT ? 0 : r;
    parcel_delete_range(&job->job.parcel, DB_CHUNKS, log_key_bytes(&first), log_key_bytes(&last), CLEAR_LIMIT);
    return job->job.parcel.ops.error ? job->job.parcel.ops.error : SNAPSHOT_CLEARS;
}

static int prepare(struct lmdb_store *store, struct snapshotting *job, struct view *view)
{
    size_t chunk_bytes = store->tuning.chunk_bytes;
    struct chain chain;
    uint64_t below = 0;
    int r = find_number(job, view);

    if (!r)
        r = is_needed(job, view);
    if (!r)
        r = find_base(job, view, &below, &chain);
    if (!r)
        r = clear(job, view, below);
    if (!r)
        r = chain_pack(view, &chain, buffer_bytes(&job->content), &job->packed, &job->manifest);
    if (r)
        return r;
    buffer_finish(&job->content);
    job->manifest.n_chunks = (uint32_t)((job->packed.n_bytes + chunk_bytes - 1) / chunk_bytes);
    job->is_packed = true;
    return 0;
}

static enum job_step snapshotting_step(struct lmdb_store *store, struct view *view, int *r)
{
    struct snapshotting *job = snapshotting_of(store);

    if (!job->is_packed)
        *r = prepare(store, job, view);
    if (*r == SNAPSHOT_CLEARS) {
        *r = 0;
        return JOB_PARCEL;
    }
    if (*r == SNAPSHOT_NOT_NEEDED) {
        *r = 0;
        return JOB_FINISHED;
    }
    if (*r || job->next_chunk > job->manifest.n_chunks)
        return JOB_FINISHED;
    *r = job->next_chunk < job->manifest.n_chunks ? add_chunk(store, job) : 0;
    if (!*r && job->next_chunk == job->manifest.n_chunks)
        *r = add_manifest(job);
    return *r ? JOB_FINISHED : JOB_PARCEL;
}

static void snapshotting_ended(struct lmdb_store *store, int r)
{
    struct snapshotting *job = snapshotting_of(store);

    buffer_finish(&job->content);
    buffer_finish(&job->packed);
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
    job->is_packed = false;
    job->next_chunk = 0;
    job->job.parcel.log = job->put->log;
    worker_start_job(store, &job->job);
}

void snapshotting_init(struct snapshotting *snapshotting)
{
    *snapshotting = (struct snapshotting){ .job = { .step = snapshotting_step, .ended = snapshotting_ended } };
    parcel_init_mapped(&snapshotting->job.parcel);
    buffer_init(&snapshotting->scratch, SIZE_MAX / 2);
    buffer_init_mapped(&snapshotting->content, SNAPSHOT_MAX_BYTES);
    buffer_init_mapped(&snapshotting->packed, SNAPSHOT_MAX_PACKED);
}

void snapshotting_finish(struct snapshotting *snapshotting)
{
    parcel_finish(&snapshotting->job.parcel);
    buffer_finish(&snapshotting->scratch);
    buffer_finish(&snapshotting->content);
    buffer_finish(&snapshotting->packed);
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

    if (request->r && request->r != -EBADMSG)
        get->version = 0;
    get->done(get->arg, request->r, get->version, request->r ? bytes_of(NULL, 0) : buffer_bytes(&get->content));
    buffer_finish(&get->content);
    free(get);
}

static enum served get_serve(struct request *request, struct view *view)
{
    struct snapshot_get *get = (struct snapshot_get *)request;
    const struct chain_source source = chain_source_of(view);
    struct manifest manifest;
    struct view_log found;
    struct chain chain;
    int r = view_find_log(view, get->log->name, &found);

    if (!r)
        r = found.row.number ? view_snapshot(view, found.row.number, get->at_most, &get->version, &manifest) : -ENOENT;
    if (!r) {
        r = chain_find(&source, found.row.number, get->version, &chain);
        if (!r)
            r = chain_read(&source, &chain, &get->content);
        if (r == -ENOENT)
            r = -EBADMSG;
    }
    if (r == -ENOENT)
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
