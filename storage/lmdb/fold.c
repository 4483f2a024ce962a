/* The fold: packs the inbox into segments, in the background.
 *
 *     inbox   | a b a | c a | b a c |            one parcel: the logs' next slices, as much as fits, each whole:
 *     log a   [ segment ][ still open ] <- a a     its segments, its row, what it says of its sources
 *     log b   [ still open ] <- b b
 *     log c   <- c c
 *
 * In order of the logs' numbers, so that a log that was removed goes before a later one of its name comes. The newest
 * segments of a log are written anew with a slice while they are open and hold no more than what comes to them:
 *
 *     closed | closed | 8 | 4 | 1 | <- 1      1 and 1 become 2; then 2 and 2 and 4 and 8 become 16, which is closed
 *
 * So a record is written some times, not once for each fold until its segment is full, and of open ones there are few.
 * The batches go in the transaction that writes the last slice.
 * Between parcels anything may crash: a row says how far its log is folded, and what lies in the inbox below that is
 * not looked at any more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/inside.h"
#include "storage/lmdb/removed.h"

#define SLICE_RECORDS_MAX 16384
#define DELETES_A_PARCEL  1000
#define OP_COST           512 /* about what a put costs a transaction beside its bytes */

static struct fold *fold_of(struct lmdb_store *store)
{
    return &store->worker.fold;
}

/* ---- which logs -------------------------------------------------------------------------------------------------- */

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

int fold_begin(struct lmdb_store *store, struct view *view)
{
    struct fold *fold = fold_of(store);

    free(fold->numbers);
    fold->n_numbers = fold->position = 0;
    fold->last_batch = view->overlay.next_batch > 0 ? view->overlay.next_batch - 1 : 0;
    fold->is_done = false;
    fold->numbers = malloc((view->overlay.n_logs + 1) * sizeof(*fold->numbers));
    if (!fold->numbers)
        return -ENOMEM;
    LIST_FOR_EACH (node, &view->overlay.logs)
        fold->numbers[fold->n_numbers++] = LIST_ENTRY(node, struct overlay_log, link)->row.number;
    qsort(fold->numbers, fold->n_numbers, sizeof(*fold->numbers), compare_u64);
    return 0;
}

/* ---- a log's next slice ------------------------------------------------------------------------------------------ */

struct slice {
    const struct overlay_log *log;
    struct row row;        /* as it will be */
    bool existed, is_new;  /* the row as it is */
    uint64_t first;        /* version of fold->records[0]: may lie below the old head, from open segments */
    size_t n_bytes, n_new; /* records from the inbox */
    double ratio;          /* how well such records pack, as far as is known */
    bool is_whole;         /* nothing is left of the log up to the last batch */
};

static int records_reserve(struct fold *fold, size_t n)
{
    int r = mapped_reserve(&fold->room, n * sizeof(*fold->records));

    fold->records = fold->room.at;
    return r;
}

static int slice_record(struct fold *fold, const struct record *record)
{
    int r = records_reserve(fold, fold->n_records + 1);

    if (!r)
        fold->records[fold->n_records++] = *record;
    return r;
}

static int slice_span(struct fold *fold, struct view *view, struct slice *slice, const struct span *span)
{
    struct record record = { 0 };
    struct batch_entry entry;
    uint64_t version = span->from;
    int r = view_entry(view, span, &entry);

    if (!r && (span->from != slice->row.head || entry.n != span->n))
        r = -EBADMSG;
    for (; !r && version < span->from + span->n; version = record_end(version, &record)) {
        r = batch_read_record(&entry, version, &record);
        if (!r)
            r = slice_record(fold, &record);
        if (!r)
            r = tally_source(&fold->tally, view, slice->row.number, &record, version);
        slice->n_bytes += body_kept_bytes(record.body) + record.author.n_bytes + 16;
        slice->n_new++;
    }
    if (r)
        return r;
    row_advance(&slice->row, span->n, entry.first_ms, entry.last_ms, &entry.after);
    return 0;
}

static int slice_collect(struct lmdb_store *store, struct view *view, struct slice *slice)
{
    struct fold *fold = fold_of(store);
    const struct overlay_log *log = slice->log;
    int r = 0;

    slice->is_whole = true;
    for (size_t i = log->first_span; !r && i < log->n_spans && log->spans[i].batch <= fold->last_batch; i++) {
        if (log->spans[i].from + log->spans[i].n <= slice->row.head)
            continue;
        if (slice->n_new > 0 && (slice->n_bytes >= store->tuning.parcel_bytes || slice->n_new >= SLICE_RECORDS_MAX)) {
            slice->is_whole = false;
            break;
        }
        r = slice_span(fold, view, slice, &log->spans[i]);
    }
    return r;
}

/* ---- the open segments in front of it ---------------------------------------------------------------------------- */

/* n_bytes: of what is to be written behind it, before packing. */
static bool is_open(const struct lmdb_store *store, struct bytes value, size_t n_bytes)
{
    size_t n_payload = segment_payload_bytes(value);

    if (value.n_bytes >= store->tuning.segment_bytes || segment_state(value) == SEGMENT_TIGHT ||
        n_payload >= store->tuning.segment_payload_bytes)
        return false;
    return n_payload <= n_bytes || value.n_bytes < store->tuning.segment_bytes / 16;
}

/* One more, which ends where the slice begins; false: it stays as it is. A damaged one is left alone: reading it will
 * tell. */
static int reopen_one(struct lmdb_store *store, struct view *view, struct slice *slice, size_t *n_bytes, bool *reopened)
{
    struct fold *fold = fold_of(store);
    struct segment *segment = &fold->open[fold->n_open];
    struct log_key key = log_key_of_version(slice->row.number, slice->first - 1);
    struct bytes found, value;
    int r = view_at_or_before(view, DB_LOG, log_key_bytes(&key), 8, &found, &value);

    *reopened = false;
    if (r || found.n_bytes != 16 || !is_open(store, value, *n_bytes))
        return r == -ENOENT ? 0 : r;
    r = segment_decode(segment, slice->row.number, get_be64((const char *)found.at + 8), value);
    if (r)
        return r == -EBADMSG ? 0 : r;
    *reopened = segment->end == slice->first && segment->n < SEGMENT_RECORDS_MAX;
    if (!*reopened)
        return 0;
    fold->n_open++;
    slice->ratio = (double)packing_raw_bytes(segment->records, segment->n) / (double)value.n_bytes;
    slice->first = segment->first;
    *n_bytes += segment_payload_bytes(value);
    return 0;
}

/* Puts the records of those that are written anew in front of the slice's. */
static int slice_reopen(struct lmdb_store *store, struct view *view, struct slice *slice)
{
    struct fold *fold = fold_of(store);
    size_t n_bytes = packing_raw_bytes(fold->records, fold->n_records), n_new = fold->n_records, n = 0;
    bool reopened = true;
    int r = 0;

    fold->n_open = 0;
    while (!r && reopened && fold->n_open < FOLD_OPEN_MAX && slice->first > 0)
        r = reopen_one(store, view, slice, &n_bytes, &reopened);
    for (size_t i = 0; i < fold->n_open; i++)
        n += fold->open[i].n;
    if (!r)
        r = records_reserve(fold, n + n_new);
    if (r || n == 0)
        return r;
    memmove(fold->records + n, fold->records, n_new * sizeof(*fold->records));
    fold->n_records += n;
    for (size_t i = 0; i < fold->n_open; i++) {
        n -= fold->open[i].n;
        memcpy(fold->records + n, fold->open[i].records, fold->open[i].n * sizeof(*fold->records));
    }
    return 0;
}

static void delete_open(struct fold *fold, const struct slice *slice)
{
    struct log_key first = log_key_of_version(slice->row.number, fold->open[fold->n_open - 1].first),
                   last = log_key_of_version(slice->row.number, fold->open[0].first);

    parcel_delete_range(&fold->job.parcel, DB_LOG, log_key_bytes(&first), log_key_bytes(&last), FOLD_OPEN_MAX);
}

static int slice_segments(struct lmdb_store *store, const struct slice *slice)
{
    struct fold *fold = fold_of(store);

    if (fold->n_open > 1)
        delete_open(fold, slice);
    return packing_put(store, &fold->job.parcel, slice->row.number, slice->first, fold->records, fold->n_records,
                       slice->ratio);
}

static int slice_put(struct lmdb_store *store, struct slice *slice)
{
    struct fold *fold = fold_of(store);
    struct parcel *parcel = &fold->job.parcel;
    struct bytes name = slice->log->key;
    struct log_key number = log_key_of(slice->row.number);
    int r = slice_segments(store, slice);

    if (r)
        return r;
    if (slice->is_new)
        parcel_put(parcel, DB_NAMES, log_key_bytes(&number), name);
    buffer_reset(&fold->scratch);
    row_encode(&slice->row, &fold->scratch);
    parcel_put_encoded(parcel, DB_DOCS, name, &fold->scratch);
    r = tally_put_sources(&fold->tally, parcel);
    if (!r)
        r = tally_collection(&fold->tally, slice->log->key, slice->existed, slice->row.exists);
    return r;
}

/* *whole: the log is done with. */
static int fold_slice(struct lmdb_store *store, struct view *view, const struct overlay_log *log, bool *whole)
{
    struct fold *fold = fold_of(store);
    struct slice slice = { .log = log, .ratio = PACKING_RATIO };
    int r = view_folded_row(view, log->key, log->row.number, &slice.row);

    if (r && r != -ENOENT)
        return r;
    slice.is_new = r == -ENOENT;
    if (slice.is_new)
        slice.row = (struct row){ .number = log->row.number, .base = log->row.base, .head = log->row.base };
    slice.existed = slice.row.exists;
    slice.first = slice.row.head;
    fold->n_records = 0;
    r = slice_collect(store, view, &slice);
    if (!r && slice.n_new > 0)
        r = slice_reopen(store, view, &slice);
    if (!r && slice.n_new > 0)
        r = slice_put(store, &slice);
    *whole = slice.is_whole;
    return r;
}

/* ---- a removed log ----------------------------------------------------------------------------------------------- */

/* Whether anything of the log is left in the database. */
static int any_left(struct view *view, enum db db, uint64_t number, bool *out)
{
    struct log_key last = log_key_of_chunk(number, UINT64_MAX, UINT32_MAX);
    struct bytes key, value;
    int r;

    memset(last.at + 8, 0xff, sizeof(last.at) - 8);
    last.n_bytes = sizeof(last.at);
    r = view_at_or_before(view, db, log_key_bytes(&last), 8, &key, &value);
    *out |= !r;
    return r == -ENOENT ? 0 : r;
}

static void delete_all(struct parcel *parcel, enum db db, uint64_t number)
{
    struct log_key first = log_key_of(number), last = log_key_of(number);

    memset(last.at + 8, 0xff, sizeof(last.at) - 8);
    last.n_bytes = sizeof(last.at);
    parcel_delete_range(parcel, db, log_key_bytes(&first), log_key_bytes(&last), DELETES_A_PARCEL);
}

/* Last of all the name goes, by which the rest is found. */
static int forget_name(struct fold *fold, struct view *view, const struct overlay_log *log)
{
    struct parcel *parcel = &fold->job.parcel;
    struct removed_key key = removed_key_of(log->key);
    struct log_key number = log_key_of(log->row.number);
    struct row row = { 0 };
    int r = view_folded_row(view, log->key, log->row.number, &row);

    if (r && r != -ENOENT)
        return r;
    if (!r)
        parcel_delete(parcel, DB_DOCS, log->key);
    parcel_delete(parcel, DB_NAMES, log_key_bytes(&number));
    buffer_reset(&fold->scratch);
    append_varint(&fold->scratch, log->row.head);
    parcel_put_encoded(parcel, DB_REMOVED, bytes_of(key.at, sizeof(key.at)), &fold->scratch);
    r = parcel->ops.error;
    return r ? r : tally_collection(&fold->tally, log->key, row.exists, false);
}

static int fold_removed(struct fold *fold, struct view *view, const struct overlay_log *log, bool *whole)
{
    static const enum db dbs[] = { DB_LOG, DB_SOURCES, DB_SNAPSHOTS, DB_CHUNKS, DB_LARGE };
    uint64_t number = log->row.number;
    bool left = false;
    int r = 0;

    for (size_t i = 0; !r && i < sizeof(dbs) / sizeof(dbs[0]); i++)
        r = any_left(view, dbs[i], number, &left);
    if (r)
        return r;
    *whole = !left;
    if (!left)
        return forget_name(fold, view, log);
    for (size_t i = 0; i < sizeof(dbs) / sizeof(dbs[0]); i++)
        delete_all(&fold->job.parcel, dbs[i], number);
    return 0;
}

/* ---- the job ----------------------------------------------------------------------------------------------------- */

static bool parcel_is_full(const struct lmdb_store *store, size_t n_logs)
{
    return store->worker.fold.job.parcel.ops.n_bytes + n_logs * OP_COST * 3 >= store->tuning.parcel_bytes;
}

/* A parcel of slices. Each log's comes from what the last parcel left, so one log is in a parcel only once. */
static int fold_logs(struct lmdb_store *store, struct view *view)
{
    struct fold *fold = fold_of(store);
    bool whole = true;
    int r = 0;

    for (size_t n_logs = 0; !r && whole && fold->position < fold->n_numbers && !parcel_is_full(store, n_logs);
         n_logs++) {
        const struct overlay_log *log = overlay_by_number(&view->overlay, fold->numbers[fold->position]);

        if (log)
            r = log->is_removed ? fold_removed(fold, view, log, &whole) : fold_slice(store, view, log, &whole);
        if (!r && whole)
            fold->position++;
    }
    return r;
}

static void delete_batches(struct fold *fold)
{
    char first[8], last[8];

    put_be64(first, 0);
    put_be64(last, fold->last_batch);
    parcel_delete_range(&fold->job.parcel, DB_INBOX, bytes_of(first, 8), bytes_of(last, 8), SIZE_MAX);
}

static enum job_step fold_step(struct lmdb_store *store, struct view *view, int *r)
{
    struct fold *fold = fold_of(store);

    if (fold->is_done)
        return JOB_FINISHED;
    guard_enter("packing the inbox");
    *r = fold_logs(store, view);
    if (!*r)
        *r = tally_put_collections(&fold->tally, view, &fold->job.parcel);
    if (!*r && fold->position == fold->n_numbers) {
        delete_batches(fold);
        fold->is_done = true;
    }
    tally_reset(&fold->tally);
    return *r ? JOB_FINISHED : JOB_PARCEL;
}

/* They have become larger with use. */
static void fold_shrink(struct fold *fold)
{
    for (size_t i = 0; i < FOLD_OPEN_MAX; i++)
        segment_finish(&fold->open[i]);
    mapped_finish(&fold->room);
}

static void fold_ended(struct lmdb_store *store, int r)
{
    fold_shrink(fold_of(store));
    if (r)
        log_error("store", "packing the inbox failed: %s", strerror(-r));
    commit_fold_ended(store, r);
    merging_fold_ended(store, r);
}

void fold_init(struct fold *fold)
{
    *fold = (struct fold){ .job = { .step = fold_step, .ended = fold_ended, .takes_turns = true } };
    parcel_init_mapped(&fold->job.parcel);
    tally_init(&fold->tally);
    buffer_init(&fold->scratch, SIZE_MAX / 2);
}

void fold_finish(struct fold *fold)
{
    parcel_finish(&fold->job.parcel);
    tally_finish(&fold->tally);
    buffer_finish(&fold->scratch);
    fold_shrink(fold);
    free(fold->numbers);
}
