/* Merging: records in the place of others, in one transaction.
 *
 *     segments   | a a a a a | b b b b | c c c c c |
 *     replaced         [---------------------)             from, to: where records begin
 *     parcel     | a a   m m       m        c c c |        the rest of the first, what is new, the rest of the last
 *
 * What is replaced must lie in segments: when it does not yet, a fold comes first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/chain.h"
#include "storage/lmdb/inside.h"

struct merge {
    struct request request; /* first */
    struct lmdb_log *log;
    uint64_t from, to;
    const struct record *records;
    size_t n;
    store_done_fn *done;
    void *arg;
};

static struct merging *merging_of(struct lmdb_store *store)
{
    return &store->worker.merging;
}

/* ---- one parcel -------------------------------------------------------------------------------------------------- */

static int collect(struct merging *merging, const struct segment *left, size_t n_left, const struct segment *right,
                   size_t n_skipped)
{
    const struct merge *merge = merging->merge;
    size_t n_right = right->n - n_skipped;
    struct record *records = malloc((n_left + merge->n + n_right) * sizeof(*records));

    if (!records)
        return -ENOMEM;
    memcpy(records, left->records, n_left * sizeof(*records));
    memcpy(records + n_left, merge->records, merge->n * sizeof(*records));
    memcpy(records + n_left + merge->n, right->records + n_skipped, n_right * sizeof(*records));
    free(merging->records);
    merging->records = records;
    merging->n_records = n_left + merge->n + n_right;
    return 0;
}

/* Unpacks what it begins and ends in. STORE_CONFLICT: that is not between records. */
static int unpack(struct merging *merging, struct view *view)
{
    const struct merge *merge = merging->merge;
    uint64_t number = merging->job.parcel.number, from, last;
    size_t n_left, last_index;
    int r = view_unpack_segment(view, number, merge->from, &merging->left, NULL);

    if (!r)
        r = view_unpack_segment(view, number, merge->to - 1, &merging->right, NULL);
    if (r)
        return r;
    n_left = segment_index(&merging->left, merge->from, &from);
    last_index = segment_index(&merging->right, merge->to - 1, &last);
    if (from != merge->from || record_end(last, &merging->right.records[last_index]) != merge->to)
        return STORE_CONFLICT;
    return collect(merging, &merging->left, n_left, &merging->right, last_index + 1);
}

static void delete_versions(struct parcel *parcel, enum db db, uint64_t number, uint64_t from, uint64_t to)
{
    struct log_key first = log_key_of_version(number, from), last = log_key_of_chunk(number, to - 1, UINT32_MAX);

    parcel_delete_range(parcel, db, log_key_bytes(&first), log_key_bytes(&last), SIZE_MAX);
}

static int fill_parcel(struct lmdb_store *store, struct view *view, struct merging *merging)
{
    const struct merge *merge = merging->merge;
    struct parcel *parcel = &merging->job.parcel;
    int r;

    delete_versions(parcel, DB_LOG, parcel->number, merging->left.first, merging->right.end);
    delete_versions(parcel, DB_LARGE, parcel->number, merge->from, merge->to);
    r = snapshot_drop_within(parcel, view, parcel->number, merge->from, merge->records, merge->n);
    if (r)
        return r;
    return packing_put(store, parcel, parcel->number, merging->left.first, merging->records, merging->n_records,
                       PACKING_RATIO);
}

/* STORE_CONFLICT: there is nothing of that. *folded: it lies in segments, all of it. */
static int find_log(struct merging *merging, struct view *view, bool *folded)
{
    const struct merge *merge = merging->merge;
    struct view_log found;
    int r = view_find_log(view, merge->log->name, &found);

    if (r)
        return r;
    if (!found.row.number || merge->from < found.row.base || merge->to > found.row.head || merge->to <= merge->from)
        return STORE_CONFLICT;
    merging->job.parcel.log = merge->log;
    merging->job.parcel.number = found.row.number;
    *folded = merge->to <= found.folded;
    return 0;
}

/* ---- the job ----------------------------------------------------------------------------------------------------- */

static enum job_step merging_step(struct lmdb_store *store, struct view *view, int *r)
{
    struct merging *merging = merging_of(store);
    bool folded = false;

    if (merging->is_written)
        return JOB_FINISHED;
    *r = find_log(merging, view, &folded);
    merging->waits = !*r && !folded;
    if (*r || merging->waits)
        return JOB_FINISHED;
    *r = unpack(merging, view);
    if (!*r)
        *r = fill_parcel(store, view, merging);
    merging->is_written = true;
    return *r ? JOB_FINISHED : JOB_PARCEL;
}

static void merging_shrink(struct merging *merging)
{
    segment_finish(&merging->left);
    segment_finish(&merging->right);
    free(merging->records);
    merging->records = NULL;
}

static void merging_ended(struct lmdb_store *store, int r)
{
    struct merging *merging = merging_of(store);
    struct request *request = &merging->merge->request;

    if (merging->waits) {
        commit_fold_now(store);
        return;
    }
    merging_shrink(merging);
    merging->merge = NULL;
    request->r = r == STORE_NOT_FOUND ? STORE_CONFLICT : r; /* the log was removed meanwhile */
    lmdb_answer_one(request);
}

void merging_fold_ended(struct lmdb_store *store, int r)
{
    struct merging *merging = merging_of(store);

    if (!merging->waits)
        return;
    merging->waits = false;
    if (r)
        merging_ended(store, r);
    else
        worker_start_job(store, &merging->job);
}

static void merging_begin(struct lmdb_store *store, struct request *request)
{
    struct merging *merging = merging_of(store);

    merging->merge = (struct merge *)request;
    merging->is_written = false;
    worker_start_job(store, &merging->job);
}

void merging_init(struct merging *merging)
{
    *merging = (struct merging){ .job = { .step = merging_step, .ended = merging_ended, .takes_turns = true } };
    parcel_init_mapped(&merging->job.parcel);
}

void merging_finish(struct merging *merging)
{
    parcel_finish(&merging->job.parcel);
    merging_shrink(merging);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static void merge_answer(struct request *request)
{
    struct merge *merge = (struct merge *)request;

    merge->done(merge->arg, request->r);
    free(merge);
}

static enum served merge_serve(struct request *request, struct view *view)
{
    (void)view;
    worker_line_up(request->store, request);
    return SERVED_BY_JOB;
}

int lmdb_merge(struct store_log *log, uint64_t from, const struct record *records, size_t n, store_done_fn *done,
               void *arg)
{
    struct lmdb_store *store = lmdb_log_store(log);
    struct merge *merge;
    int r = lmdb_accepts_writes(store);

    if (r)
        return r;
    merge = lmdb_request_create(store, sizeof(*merge), merge_answer);
    if (!merge)
        return -ENOMEM;
    merge->request.begin = merging_begin;
    merge->log = lmdb_log_of(log);
    merge->from = from;
    merge->to = records_end(from, records, n);
    merge->records = records;
    merge->n = n;
    merge->done = done;
    merge->arg = arg;
    lmdb_request_serve(&merge->request, merge_serve);
    return 0;
}
