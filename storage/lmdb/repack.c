/* Repacking: segments that were packed in passing are made tight.
 *
 *     before   | loose | loose | loose | loose |          each a page or two longer than it must be
 *     a step   | tight     |  loose    | loose |          as many records as its pages hold exactly; the rest stays as
 *     a step   | tight     | tight   | l       |          loose as it was, in the same transaction
 *     after    | tight     | tight   | tight   | last |
 *
 * LMDB keeps a value of more than about half a page on pages of its own, of which it uses the first 16 bytes: a segment
 * that fills them but for a few bytes wastes nothing. What is tight is passed over, so that a second run costs little.
 * Each step looks at the store afresh; between steps folds and merges may change it. */
#include "storage/lmdb/repack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "storage/lmdb/inside.h"

#define PAGE_HEAD_BYTES 16
#define LOOKS_A_STEP    2000 /* at segments that are tight */
#define TRIES           6
#define RAW_A_STEP      ((size_t)256 * 1024) /* records of several small logs share a parcel */
#define TIGHT_RATIO     8.0                  /* to begin with */

static struct repacking *repacking_of(struct lmdb_store *store)
{
    return &store->worker.repacking;
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

struct found {
    uint64_t number, first;
    struct bytes value;
};

/* The first segment at or behind that place. -ENOENT: none. */
static int segment_at_or_behind(struct view *view, uint64_t number, uint64_t version, struct found *out)
{
    struct log_key at = log_key_of_version(number, version);
    MDB_val key = val_of(log_key_bytes(&at)), value;
    MDB_cursor *cursor;
    int r = environment_errno(mdb_cursor_open(view->txn, view->environment->dbs[DB_LOG], &cursor));

    if (r)
        return r;
    r = environment_errno(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    mdb_cursor_close(cursor);
    if (r)
        return r;
    if (key.mv_size != 16)
        return -EBADMSG;
    *out = (struct found){ get_be64(key.mv_data), get_be64((const char *)key.mv_data + 8), bytes_of_val(value) };
    return 0;
}

/* The one behind it, of the same log. -ENOENT: none. */
static int segment_behind(struct view *view, const struct found *found, struct found *out)
{
    int r = segment_at_or_behind(view, found->number, found->first + 1, out);

    return r ? r : out->number == found->number ? 0 : -ENOENT;
}

/* *out: nothing would be gained. Of a small log's only segment that is too little to write it again. */
static int is_tight(const struct lmdb_store *store, struct view *view, const struct found *found, bool *out)
{
    enum segment_state state = segment_state(found->value);
    struct found next, other;
    int r;

    *out = state == SEGMENT_TIGHT;
    if (*out)
        return 0;
    r = segment_behind(view, found, &next);
    if (r != -ENOENT)
        return r;
    if (state == SEGMENT_TIGHT_LAST) {
        *out = true;
    } else if (found->value.n_bytes < store->tuning.segment_bytes / 16) {
        r = segment_at_or_behind(view, found->number, 0, &other);
        *out = !r && other.first == found->first;
        return r;
    }
    return 0;
}

/* The next one that is not tight. -ENOENT: there is none. -EAGAIN: that was enough for one step. */
static int find_loose(struct lmdb_store *store, struct view *view, struct found *found)
{
    struct repacking *repacking = repacking_of(store);
    bool tight = true;
    int r = 0;

    for (size_t i = 0; !r && tight; i++) {
        if (i == LOOKS_A_STEP)
            return -EAGAIN;
        r = segment_at_or_behind(view, repacking->number, repacking->version, found);
        if (!r)
            r = is_tight(store, view, found, &tight);
        if (!r && tight) {
            repacking->number = found->number;
            repacking->version = found->first + 1;
            repacking->n_looked++;
        }
    }
    return r;
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

static int keep_record(struct repacking *repacking, const struct record *record)
{
    if (repacking->n_records == repacking->capacity) {
        size_t capacity = repacking->capacity ? repacking->capacity * 2 : 1024;
        struct record *grown = realloc(repacking->records, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        repacking->records = grown;
        repacking->capacity = capacity;
    }
    repacking->records[repacking->n_records++] = *record;
    (void)buffer_append(&repacking->bytes, record->id.src.at, record->id.src.n_bytes);
    (void)buffer_append(&repacking->bytes, record->author.at, record->author.n_bytes);
    return buffer_append(&repacking->bytes, record->body.at, body_kept_bytes(record->body));
}

/* The records borrow from our bytes from here on. */
static void settle_records(struct repacking *repacking)
{
    const char *at = repacking->bytes.at ? repacking->bytes.at : "";

    for (size_t i = 0; i < repacking->n_records; i++) {
        struct record *record = &repacking->records[i];
        size_t n_kept = body_kept_bytes(record->body);

        record->id.src.at = at;
        at += record->id.src.n_bytes;
        record->author.at = at;
        at += record->author.n_bytes;
        if (!body_is_mark(record->body))
            record->body.at = at;
        at += n_kept;
    }
}

/* A run of segments, one behind the other. */
struct run {
    uint64_t number, first, last_first, end;
    size_t n_packed, n_raw;
    bool is_last, is_over; /* the log ends with it; nothing more that is loose follows */
};

/* The run's next segment. What can't be read ends the run, and stays. */
static int run_add(struct repacking *repacking, struct view *view, struct run *run, const struct found *found)
{
    const struct segment *segment = &view->segment;
    int r = view_decode_segment(view, found->number, found->first, found->value);
    if (r == -EBADMSG || (!r && run->n_packed > 0 && found->first != run->end)) {
        run->is_over = true;
        return 0;
    }
    for (size_t i = 0; !r && i < segment->n; i++)
        r = keep_record(repacking, &segment->records[i]);
    run->n_packed += found->value.n_bytes;
    run->n_raw += packing_raw_bytes(segment->records, segment->n);
    run->last_first = found->first;
    run->end = segment->end;
    return r;
}

static bool run_is_full(const struct lmdb_store *store, const struct run *run)
{
    return store->worker.repacking.n_records >= SEGMENT_RECORDS_MAX ||
           run->n_raw >= store->tuning.segment_payload_bytes;
}

/* At least so many packed bytes, unless the run is over. */
static int run_extend(struct lmdb_store *store, struct view *view, struct run *run, size_t n_packed)
{
    struct repacking *repacking = repacking_of(store);
    struct found at = { .number = run->number, .first = run->last_first }, next;
    int r = 0;

    while (!r && !run->is_over && run->n_packed < n_packed && !run_is_full(store, run)) {
        r = segment_behind(view, &at, &next);
        if (r == -ENOENT) {
            run->is_last = run->is_over = true;
            r = 0;
        } else if (!r && segment_state(next.value) == SEGMENT_TIGHT) {
            run->is_over = true;
        } else if (!r) {
            r = run_add(repacking, view, run, &next);
            at = next;
        }
    }
    settle_records(repacking);
    return r;
}

/* ---- as many as fit ---------------------------------------------------------------------------------------------- */

/* What a segment may take: whole pages, when it takes any of its own. */
static int room_of(const struct lmdb_store *store, struct view *view, size_t *out)
{
    size_t n_bytes = store->tuning.segment_bytes;
    MDB_stat stat;
    int r = environment_errno(mdb_stat(view->txn, view->environment->dbs[DB_LOG], &stat));

    *out = !r && n_bytes >= stat.ms_psize ? n_bytes / stat.ms_psize * stat.ms_psize - PAGE_HEAD_BYTES : n_bytes;
    return r;
}

static int pack(struct lmdb_store *store, const struct run *run, size_t n)
{
    const struct repacking *repacking = repacking_of(store);
    bool is_last = run->is_last && n == repacking->n_records;

    return segment_write(&store->worker.writer, run->number, run->first, repacking->records, n, SEGMENT_LEVEL_TIGHT,
                         is_last ? SEGMENT_TIGHT_LAST : SEGMENT_TIGHT);
}

static size_t first_guess(const struct repacking *repacking, size_t room)
{
    double budget = (double)room * (repacking->ratio > 0 ? repacking->ratio : TIGHT_RATIO);
    size_t n = 0;

    for (double n_raw = 0; n < repacking->n_records && n < SEGMENT_RECORDS_MAX && n_raw < budget; n++)
        n_raw += (double)packing_raw_bytes(&repacking->records[n], 1);
    return n;
}

/* Another number than those that are known to fit or not, as near as can be told from how large n were. */
static size_t next_guess(size_t n, size_t n_packed, size_t room, size_t fits, size_t exceeds)
{
    double guess = (double)n * (double)room / (double)n_packed * (n_packed > room ? 0.996 : 0.999);

    if (guess <= (double)fits || guess >= (double)exceeds)
        return fits + (exceeds - fits) / 2;
    return (size_t)guess > fits ? (size_t)guess : fits + 1;
}

/* The writer holds the segment then. A record that is too large by itself has one of its own. */
static int fit(struct lmdb_store *store, const struct run *run, size_t room, size_t *out)
{
    struct repacking *repacking = repacking_of(store);
    const struct buffer *value = &store->worker.writer.value;
    size_t n = first_guess(repacking, room), fits = 0, exceeds = repacking->n_records + 1, last = 0;
    int r = 0;

    if (exceeds > SEGMENT_RECORDS_MAX + 1)
        exceeds = SEGMENT_RECORDS_MAX + 1;
    for (int i = 0; !r && i < TRIES && fits + 1 < exceeds;
         i++, last = n, n = next_guess(n, value->n_bytes, room, fits, exceeds)) {
        r = pack(store, run, n);
        if (value->n_bytes > room)
            exceeds = n;
        else
            fits = n;
        if (fits == n && value->n_bytes > room - room / 64) {
            last = n;
            break;
        }
    }
    *out = fits > 0 ? fits : 1;
    if (!r && last != *out)
        r = pack(store, run, *out);
    if (!r)
        repacking->ratio = (double)packing_raw_bytes(repacking->records, *out) / (double)value->n_bytes;
    return r;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

static int put_run(struct lmdb_store *store, const struct run *run, size_t n)
{
    struct repacking *repacking = repacking_of(store);
    struct parcel *parcel = &repacking->job.parcel;
    struct log_key first = log_key_of_version(run->number, run->first);
    struct log_key last = log_key_of_version(run->number, run->last_first);
    uint64_t version = records_end(run->first, repacking->records, n);
    int r = 0;

    parcel_delete_range(parcel, DB_LOG, log_key_bytes(&first), log_key_bytes(&last), SIZE_MAX);
    parcel_put_sealed(parcel, DB_LOG, log_key_bytes(&first), buffer_bytes(&store->worker.writer.value));
    repacking->version = version;
    if (n < repacking->n_records)
        r = packing_put(store, parcel, run->number, version, repacking->records + n, repacking->n_records - n,
                        repacking->ratio);
    return r ? r : parcel->ops.error;
}

/* One tight segment in the place of those that begin at `found`. *raw: what was read for it; *rest: some of that
 * remains loose, so that this log must wait for the parcel. */
static int repack_one(struct lmdb_store *store, struct view *view, const struct found *found, size_t *raw, bool *rest)
{
    struct repacking *repacking = repacking_of(store);
    struct run run = { .number = found->number, .first = found->first };
    size_t room, n = 0;
    int r = room_of(store, view, &room);

    repacking->n_records = 0;
    buffer_reset(&repacking->bytes);
    repacking->number = found->number;
    repacking->version = found->first + 1;
    repacking->n_looked++;
    if (!r)
        r = run_add(repacking, view, &run, found);
    if (r || run.n_packed == 0)
        return r; /* it can't be read */
    for (size_t wanted = 2 * room; !r; wanted = run.n_packed + room) {
        r = run_extend(store, view, &run, wanted);
        if (!r)
            r = fit(store, &run, room, &n);
        if (n < repacking->n_records || run.is_over || run_is_full(store, &run))
            break;
    }
    *raw += run.n_raw;
    *rest = n < repacking->n_records;
    return r ? r : put_run(store, &run, n);
}

static int tell_looked(const struct repacking *repacking, struct view *view)
{
    MDB_stat stat;
    int r = environment_errno(mdb_stat(view->txn, view->environment->dbs[DB_LOG], &stat));

    if (!r && repacking->hooks->looked)
        repacking->hooks->looked(repacking->request, repacking->n_looked, stat.ms_entries);
    return r;
}

static enum job_step repacking_step(struct lmdb_store *store, struct view *view, int *r)
{
    struct repacking *repacking = repacking_of(store);
    size_t n_raw = 0;
    bool rest = false;

    if (!repacking->is_done && store->is_closing)
        *r = -ESHUTDOWN; /* it goes on another time */
    if (repacking->is_done || *r)
        return JOB_FINISHED;
    while (!*r && !rest && n_raw < RAW_A_STEP) {
        struct found found;

        *r = find_loose(store, view, &found);
        if (!*r)
            *r = repack_one(store, view, &found, &n_raw, &rest);
    }
    repacking->is_done = *r == -ENOENT;
    if (*r == -ENOENT || *r == -EAGAIN)
        *r = 0;
    if (!*r)
        *r = tell_looked(repacking, view);
    return *r ? JOB_FINISHED : JOB_PARCEL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void repacking_ended(struct lmdb_store *store, int r)
{
    struct repacking *repacking = repacking_of(store);
    const struct repack_hooks *hooks = repacking->hooks;

    if (r && r != -ESHUTDOWN)
        log_error("store", "packing segments again failed: %s", strerror(-r));
    buffer_finish(&repacking->bytes);
    free(repacking->records);
    repacking->records = NULL;
    repacking->capacity = 0;
    repacking->hooks = NULL;
    hooks->ended(repacking->request, r);
}

int repack_begin(struct lmdb_store *store, const struct repack_hooks *hooks, struct request *request)
{
    struct repacking *repacking = repacking_of(store);

    if (repacking->hooks)
        return -EBUSY;
    repacking->hooks = hooks;
    repacking->request = request;
    repacking->is_done = false;
    repacking->number = repacking->version = repacking->n_looked = 0;
    worker_queue_job(store, &repacking->job);
    return 0;
}

void repacking_init(struct repacking *repacking)
{
    *repacking = (struct repacking){ .job = { .step = repacking_step, .ended = repacking_ended, .takes_turns = true } };
    parcel_init_mapped(&repacking->job.parcel);
    buffer_init(&repacking->bytes, SIZE_MAX / 2);
}

void repacking_finish(struct repacking *repacking)
{
    parcel_finish(&repacking->job.parcel);
    buffer_finish(&repacking->bytes);
    free(repacking->records);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

struct repack {
    struct request request; /* first */
    store_done_fn *done;
    void *arg;
};

static void repack_answer(struct request *request)
{
    struct repack *repack = (struct repack *)request;

    repack->done(repack->arg, request->r);
    free(repack);
}

static void repack_ended(struct request *request, int r)
{
    request->r = r;
    lmdb_answer_one(request);
}

static enum served repack_serve(struct request *request, struct view *view)
{
    static const struct repack_hooks hooks = { NULL, repack_ended };

    (void)view;
    request->r = repack_begin(request->store, &hooks, request);
    return request->r ? SERVED : SERVED_BY_JOB;
}

int lmdb_repack(struct store *base, store_done_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct repack *repack;
    int r = lmdb_accepts_writes(store);

    if (r)
        return r;
    repack = lmdb_request_create(store, sizeof(*repack), repack_answer);
    if (!repack)
        return -ENOMEM;
    repack->done = done;
    repack->arg = arg;
    lmdb_request_serve(&repack->request, repack_serve);
    return 0;
}
