#include "storage/lmdb/view.h"

#include <errno.h>

#include "storage/lmdb/context.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/removed.h"

static int txn_begin(struct view *view)
{
    if (!view->environment->env)
        return -EIO;
    if (view->txn)
        return environment_errno(mdb_txn_renew(view->txn));
    return environment_errno(mdb_txn_begin(view->environment->env, NULL, MDB_RDONLY, &view->txn));
}

int view_init(struct view *view, const struct environment *environment, pthread_rwlock_t *in_use)
{
    int r;

    *view = (struct view){ .environment = environment, .in_use = in_use };
    overlay_init(&view->overlay);
    buffer_init(&view->packed, SIZE_MAX / 2);
    r = txn_begin(view);
    if (!r)
        mdb_txn_reset(view->txn);
    return r;
}

void view_leave(struct view *view)
{
    mdb_txn_abort(view->txn);
    view->txn = NULL;
}

void view_finish(struct view *view)
{
    view_leave(view);
    overlay_finish(&view->overlay);
    segment_finish(&view->segment);
    buffer_finish(&view->packed);
    ZSTD_freeDCtx(view->unpacker);
    ZSTD_freeCCtx(view->packer);
    view->unpacker = NULL;
    view->packer = NULL;
}

int view_begin(struct view *view)
{
    int r;

    view->has_segment = false;
    view->batch = 0;
    pthread_rwlock_rdlock(view->in_use);
    guard_enter("reading the inbox");
    r = txn_begin(view);
    if (!r) {
        r = overlay_sync(&view->overlay, view->environment, view->txn);
        if (r)
            mdb_txn_reset(view->txn);
    }
    if (r) {
        guard_leave();
        pthread_rwlock_unlock(view->in_use);
    } else {
        guard_enter("reading");
    }
    return r;
}

void view_end(struct view *view)
{
    mdb_txn_reset(view->txn);
    guard_leave();
    pthread_rwlock_unlock(view->in_use);
}

/* ---- one log ----------------------------------------------------------------------------------------------------- */

int view_folded_row(struct view *view, struct bytes name_key, uint64_t number, struct row *out)
{
    struct bytes value;
    struct row row;
    int r = environment_get(view->environment, view->txn, DB_DOCS, name_key, &value);

    if (!r)
        r = row_decode(value, &row);
    if (!r && number && row.number != number)
        r = -ENOENT;
    if (!r)
        *out = row;
    return r;
}

/* Nothing but the head is left of a removed log. */
static int find_removed(struct view *view, struct view_log *log)
{
    struct removed_key key = removed_key_of(name_key_bytes(&log->key));
    struct bytes value;
    uint64_t head;
    int r = environment_get(view->environment, view->txn, DB_REMOVED, bytes_of(key.at, sizeof(key.at)), &value);

    if (!r)
        r = number_decode(value, &head);
    if (!r)
        log->row.base = log->row.head = log->folded = head;
    return r == -ENOENT ? 0 : r;
}

int view_find_log(struct view *view, struct store_name name, struct view_log *out)
{
    struct view_log log = { .key = name_key_of(name) };
    struct overlay_log *overlaid;
    struct row row;
    int r = overlay_order(&view->overlay);

    if (r)
        return r;
    guard_reading(name);
    overlaid = overlay_by_name(&view->overlay, name_key_bytes(&log.key));
    if (overlaid && overlaid->is_removed) {
        log.row.base = log.row.head = log.folded = overlaid->row.head;
        *out = log;
        return 0;
    }
    r = view_folded_row(view, name_key_bytes(&log.key), overlaid ? overlaid->row.number : 0, &row);
    if (r && r != -ENOENT)
        return r;
    if (overlaid) {
        log.row = overlaid->row;
        log.folded = r ? log.row.base : row.head;
        r = 0;
    } else if (!r) {
        log.row = row;
        log.folded = row.head;
    } else {
        r = find_removed(view, &log);
    }
    if (!r)
        *out = log;
    return r;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

int view_at_or_before(struct view *view, enum db db, struct bytes key, size_t n_shared, struct bytes *found,
                      struct bytes *value)
{
    MDB_val k = val_of(key), v;
    MDB_cursor *cursor;
    int r = environment_errno(mdb_cursor_open(view->txn, view->environment->dbs[db], &cursor)), code;

    if (r)
        return r;
    code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    else if (!code && !bytes_equal(bytes_of_val(k), key))
        code = bytes_compare(bytes_of_val(k), key) < 0 ? MDB_CORRUPTED : mdb_cursor_get(cursor, &k, &v, MDB_PREV);
    mdb_cursor_close(cursor);
    if (code)
        return environment_errno(code);
    if (bytes_compare(bytes_of_val(k), key) > 0)
        return -EBADMSG; /* the look-up was led astray */
    if (k.mv_size < n_shared || memcmp(k.mv_data, key.at, n_shared) != 0)
        return -ENOENT;
    *found = bytes_of_val(k);
    *value = bytes_of_val(v);
    return 0;
}

int view_at_or_behind(struct view *view, enum db db, struct bytes key, size_t n_shared, struct bytes *found,
                      struct bytes *value)
{
    MDB_val k = val_of(key), v;
    MDB_cursor *cursor;
    int r = environment_errno(mdb_cursor_open(view->txn, view->environment->dbs[db], &cursor));

    if (r)
        return r;
    r = environment_errno(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE));
    mdb_cursor_close(cursor);
    if (!r && (k.mv_size < n_shared || memcmp(k.mv_data, key.at, n_shared) != 0))
        r = -ENOENT;
    if (r)
        return r;
    *found = bytes_of_val(k);
    *value = bytes_of_val(v);
    return 0;
}

static int find_segment(struct view *view, uint64_t number, uint64_t version, uint64_t *first, struct bytes *value)
{
    struct log_key key = log_key_of_version(number, version);
    struct bytes found = { 0 };
    int r = view_at_or_before(view, DB_LOG, log_key_bytes(&key), 8, &found, value);

    if (r == -ENOENT || (!r && found.n_bytes != 16))
        return -EBADMSG;
    if (!r)
        *first = get_be64((const char *)found.at + 8);
    return r;
}

int view_unpack_segment(struct view *view, uint64_t number, uint64_t version, struct segment *segment,
                        struct bytes *value)
{
    struct bytes packed = { 0 };
    uint64_t first = 0;
    int r = find_segment(view, number, version, &first, &packed);

    if (!r)
        r = segment_decode(segment, number, first, packed);
    if (!r && version >= segment->end)
        r = -EBADMSG;
    if (value)
        *value = packed;
    return r;
}

static bool segment_holds(const struct segment *segment, uint64_t number, uint64_t version)
{
    return segment->number == number && version >= segment->first && version < segment->end;
}

/* The very bytes: whoever has written since may have put others there. */
static bool segment_is(const struct view *view, uint64_t number, uint64_t first, struct bytes value)
{
    const struct segment *segment = &view->segment;

    return segment->n > 0 && segment->number == number && segment->first == first &&
           bytes_equal(buffer_bytes(&view->packed), value);
}

int view_decode_segment(struct view *view, uint64_t number, uint64_t first, struct bytes value)
{
    int r;

    view->has_segment = segment_is(view, number, first, value);
    if (view->has_segment)
        return 0;
    view->segment.n = 0;
    buffer_reset(&view->packed);
    r = buffer_append(&view->packed, value.at, value.n_bytes);
    if (!r)
        r = segment_decode(&view->segment, number, first, buffer_bytes(&view->packed));
    view->has_segment = !r;
    return r;
}

int view_segment(struct view *view, uint64_t number, uint64_t version)
{
    struct bytes value = { 0 };
    uint64_t first = 0;
    int r;

    if (view->has_segment && segment_holds(&view->segment, number, version))
        return 0;
    r = find_segment(view, number, version, &first, &value);
    if (!r)
        r = view_decode_segment(view, number, first, value);
    return r ? r : version < view->segment.end ? 0 : -EBADMSG;
}

int view_entry(struct view *view, const struct span *span, struct batch_entry *out)
{
    size_t next;

    if (view->batch != span->batch) {
        char at[8];
        MDB_val key = { sizeof(at), at }, value;
        int r;

        put_be64(at, span->batch);
        r = environment_errno(mdb_get(view->txn, view->environment->dbs[DB_INBOX], &key, &value));
        if (r)
            return r == -ENOENT ? -EBADMSG : r;
        view->batch = span->batch;
        view->batch_value = bytes_of_val(value);
    }
    return batch_read_entry(view->batch_value, span->batch, span->offset, &next, out);
}

static int walk_segments(struct view *view, const struct view_log *log, uint64_t *at, uint64_t to, view_record_fn *fn,
                         void *arg)
{
    const struct segment *segment = &view->segment;
    int r = 0;

    while (!r && *at < to) {
        r = view_segment(view, log->row.number, *at);
        for (size_t i = r ? 0 : segment_index(segment, *at, at); !r && i < segment->n && *at < to; i++) {
            const struct record *record = &segment->records[i];

            r = fn(arg, *at, record);
            *at = record_end(*at, record);
        }
    }
    return r;
}

static int walk_span(struct view *view, const struct span *span, uint64_t *at, uint64_t to, view_record_fn *fn,
                     void *arg)
{
    struct record record = { 0 };
    struct batch_entry entry;
    uint64_t version = span->from;
    int r = view_entry(view, span, &entry);

    if (!r && (entry.from != span->from || entry.n != span->n || entry.from > *at))
        r = -EBADMSG;
    for (; !r && version < span->from + span->n && *at < to; version = record_end(version, &record)) {
        r = batch_read_record(&entry, version, &record);
        if (!r && record_end(version, &record) > *at) {
            r = fn(arg, version, &record);
            *at = record_end(version, &record);
        }
    }
    return r;
}

static size_t first_span_of(const struct overlay_log *log, uint64_t version)
{
    size_t low = log->first_span, high = log->n_spans;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (log->spans[middle].from + log->spans[middle].n <= version)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int walk_spans(struct view *view, const struct view_log *log, uint64_t at, uint64_t to, view_record_fn *fn,
                      void *arg)
{
    struct overlay_log *overlaid = overlay_by_number(&view->overlay, log->row.number);
    int r = 0;

    if (at < to && !overlaid)
        return -EBADMSG;
    for (size_t i = at < to ? first_span_of(overlaid, at) : 0; !r && at < to; i++)
        r = i < overlaid->n_spans ? walk_span(view, &overlaid->spans[i], &at, to, fn, arg) : -EBADMSG;
    return r;
}

int view_walk(struct view *view, const struct view_log *log, uint64_t from, uint64_t to, view_record_fn *fn, void *arg)
{
    uint64_t at = from;
    int r = walk_segments(view, log, &at, to < log->folded ? to : log->folded, fn, arg);

    return r ? r : walk_spans(view, log, at, to, fn, arg);
}

static int begins_at(void *arg, uint64_t version, const struct record *record)
{
    (void)record;
    return version == *(uint64_t *)arg ? 0 : -ENOENT;
}

int view_between(struct view *view, const struct view_log *log, uint64_t version)
{
    return version < log->row.head ? view_walk(view, log, version, version + 1, begins_at, &version) : 0;
}

ZSTD_DCtx *view_unpacker(struct view *view)
{
    if (!view->unpacker)
        view->unpacker = ZSTD_createDCtx();
    return view->unpacker;
}

ZSTD_CCtx *view_packer(struct view *view)
{
    if (!view->packer)
        view->packer = context_create();
    return view->packer;
}

int view_body(struct view *view, uint64_t number, uint64_t version, struct bytes body, struct buffer *into)
{
    size_t left = body.n_bytes;
    int r = 0;

    if (!body_is_mark(body))
        return buffer_append(into, body.at, body.n_bytes);
    if (!view->environment->has_large)
        return -EBADMSG;
    if (!view_unpacker(view))
        return -ENOMEM;
    if (!buffer_room(into, left))
        return into->error;
    for (uint32_t piece = 0; !r && left > 0; piece++) {
        struct log_key key = log_key_of_chunk(number, version, piece);
        size_t before = into->n_bytes;
        struct bytes packed;

        r = environment_get(view->environment, view->txn, DB_LARGE, log_key_bytes(&key), &packed);
        if (!r)
            r = piece_unpack(view->unpacker, packed, left, into);
        left -= into->n_bytes - before;
    }
    return r == -ENOENT ? -EBADMSG : r;
}

/* ---- beside the records ------------------------------------------------------------------------------------------ */

int view_manifest(struct view *view, uint64_t number, uint64_t at_most, uint64_t *version, struct manifest *out)
{
    struct log_key key = log_key_of_version(number, at_most);
    struct bytes found = { 0 }, sealed = { 0 }, value;
    int r = view_at_or_before(view, DB_SNAPSHOTS, log_key_bytes(&key), 8, &found, &sealed);

    *version = !r && found.n_bytes == 16 ? get_be64((const char *)found.at + 8) : 0;
    if (!r)
        r = *version ? unseal(DB_SNAPSHOTS, found, sealed, &value) : -EBADMSG;
    return r ? r : manifest_decode(value, out);
}

int view_snapshot(struct view *view, uint64_t number, uint64_t at_most, uint64_t *version, struct manifest *out)
{
    int r = view_manifest(view, number, at_most, version, out);

    while (!r && out->is_hidden)
        r = view_manifest(view, number, *version - 1, version, out);
    return r;
}

int view_newest_snapshot(struct view *view, uint64_t number, uint64_t *version)
{
    struct manifest manifest;
    int r = view_snapshot(view, number, STORE_NEWEST, version, &manifest);

    return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

struct source_search {
    struct bytes src;
    struct store_source *source;
    bool is_known;
};

static int source_record(void *arg, uint64_t version, const struct record *record)
{
    struct source_search *search = arg;

    if (bytes_equal(record->id.src, search->src))
        source_advance(search->source, &search->is_known, record->id.seq, version);
    return 0;
}

int view_source(struct view *view, const struct view_log *log, struct bytes src, struct store_source *out)
{
    struct source_search search = { .src = src, .source = out };
    struct log_key key = log_key_of_src(log->row.number, src);
    struct bytes value;
    int r = environment_get(view->environment, view->txn, DB_SOURCES, log_key_bytes(&key), &value);

    if (!r)
        r = source_decode(value, out);
    search.is_known = !r;
    if (r && r != -ENOENT)
        return r;
    r = view_walk(view, log, log->folded, log->row.head, source_record, &search);
    return r ? r : search.is_known ? 0 : -ENOENT;
}
