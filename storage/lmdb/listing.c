/* The logs of a collection, or of all. Rows and overlay are merged; where a log is in both, the overlay is right. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/absence.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/inside.h"

/* ---- list -------------------------------------------------------------------------------------------------------- */

#define LIST_SLICE_ROWS   2000 /* looked at in one go: other readers come in between */
#define LISTING_MAX_BYTES ((size_t)256 << 20)

struct listing {
    struct request request; /* first */
    struct store_list_query query;
    store_list_fn *done;
    void *arg;

    struct name_key at; /* goes on from here */
    bool is_behind;     /* this one itself has been dealt with */
    bool more;
    struct store_entry *entries; /* until they are settled: lengths only */
    size_t n, capacity;
    struct buffer bytes; /* collections, ids and types, one behind the other */
};

static void listing_answer(struct request *request)
{
    struct listing *listing = (struct listing *)request;
    const char *at = listing->bytes.at ? listing->bytes.at : "";

    for (size_t i = 0; i < listing->n; i++) {
        struct store_entry *entry = &listing->entries[i];

        entry->collection.at = at;
        at += entry->collection.n_bytes;
        entry->id.at = at;
        at += entry->id.n_bytes;
        entry->info.state.type.at = at;
        at += entry->info.state.type.n_bytes;
    }
    listing->done(listing->arg, request->r, listing->entries, request->r ? 0 : listing->n, listing->more);
    free(listing->entries);
    buffer_finish(&listing->bytes);
    free(listing);
}

static bool has_prefix(struct bytes id, struct bytes prefix)
{
    return prefix.n_bytes == 0 || (id.n_bytes >= prefix.n_bytes && memcmp(id.at, prefix.at, prefix.n_bytes) == 0);
}

static int listing_grow(struct listing *listing)
{
    size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
    struct store_entry *grown = realloc(listing->entries, capacity * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    listing->entries = grown;
    listing->capacity = capacity;
    return 0;
}

#define LISTING_IS_FULL 1

static bool is_wanted(const struct store_list_query *query, const struct row *row)
{
    if (!row->number || !(row->exists || query->deleted))
        return false;
    return !query->type.n_bytes || bytes_equal(query->type, bytes_of(row->type, row->n_type));
}

static int listing_add(struct listing *listing, struct view *view, struct store_name name, const struct row *row)
{
    struct bytes type = bytes_of(row->type, row->n_type);
    uint64_t snapshot_version = 0;
    int r = 0;

    if (!is_wanted(&listing->query, row))
        return 0;
    if (listing->n == listing->query.limit) {
        listing->more = true;
        return LISTING_IS_FULL;
    }
    if (listing->n == listing->capacity)
        r = listing_grow(listing);
    if (!r)
        r = view_newest_snapshot(view, row->number, &snapshot_version);
    if (r)
        return r;
    listing->entries[listing->n++] = (struct store_entry){ name.collection, name.id, row_info(row, snapshot_version) };
    (void)buffer_append(&listing->bytes, name.collection.at, name.collection.n_bytes);
    (void)buffer_append(&listing->bytes, name.id.at, name.id.n_bytes);
    (void)buffer_append(&listing->bytes, type.at, type.n_bytes);
    return listing->bytes.error;
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

struct merge {
    struct listing *listing;
    struct view *view;
    MDB_cursor *cursor;
    const struct overlay_log *log; /* the next one of the overlay; NULL: none */
    bool has_row;                  /* the cursor stands on a row of the collection */
    struct bytes row_key, row_value;
    uintptr_t page; /* that row_key lies in */
    unsigned page_bytes;
};

/* Whether it is of the collection. */
static bool is_within(const struct merge *merge, struct bytes key)
{
    const struct name_key *at = &merge->listing->at;

    return key.n_bytes >= at->n_prefix && memcmp(key.at, at->at, at->n_prefix) == 0;
}

static void merge_log(struct merge *merge, const struct overlay_log *log)
{
    merge->log = log && is_within(merge, log->key) ? log : NULL;
}

/* A listing begins where it was looked for, and not further on because a page is damaged. */
static int row_begins(const struct merge *merge, int code, struct bytes found)
{
    struct bytes at = name_key_bytes(&merge->listing->at);
    int r;

    if (!code && bytes_equal(found, at))
        return 0;
    r = absence_prove(merge->view->environment, merge->view->txn, DB_DOCS, at);
    return r == -ENOENT ? 0 : r;
}

/* Each page that the cursor comes to has all its entries. Keys lie in the mapped page itself. */
static int page_complete(struct merge *merge)
{
    uintptr_t page = (uintptr_t)merge->row_key.at / merge->page_bytes;

    if (page == merge->page)
        return 0;
    merge->page = page;
    return presence_prove(merge->view->environment, merge->view->txn, DB_DOCS, merge->row_key);
}

/* Its seal is looked at also when it is the one behind the last: that the collection ends there, too, shall be true. */
static int merge_row(struct merge *merge, MDB_cursor_op op)
{
    struct bytes at = name_key_bytes(&merge->listing->at);
    MDB_val key = val_of(at), value;
    int code = mdb_cursor_get(merge->cursor, &key, &value, op), r;

    if (op == MDB_SET_RANGE) {
        r = row_begins(merge, code, bytes_of_val(key));
        if (r)
            return r;
        if (!code && merge->listing->is_behind && bytes_equal(bytes_of_val(key), at))
            code = mdb_cursor_get(merge->cursor, &key, &value, MDB_NEXT);
    } else if (!code && bytes_compare(bytes_of_val(key), merge->row_key) <= 0) {
        return -EBADMSG;
    }
    if (code)
        merge->has_row = false;
    if (code)
        return code == MDB_NOTFOUND ? 0 : environment_errno(code);
    merge->row_key = bytes_of_val(key);
    merge->has_row = is_within(merge, merge->row_key);
    r = page_complete(merge);
    return r ? r : unseal(DB_DOCS, merge->row_key, bytes_of_val(value), &merge->row_value);
}

/* The next log in order of names, from whichever side; -ENOENT: there is none. *out: as it is now; number 0: it was
 * removed. */
static int merge_next(struct merge *merge, struct bytes *key, struct row *out)
{
    const struct overlay_log *log = merge->log;
    int order = !log ? -1 : !merge->has_row ? 1 : bytes_compare(merge->row_key, log->key), r = 0;

    if (!log && !merge->has_row)
        return -ENOENT;
    *key = order < 0 ? merge->row_key : log->key;
    if (order >= 0) {
        *out = log->row;
        if (log->is_removed)
            out->number = 0;
        merge_log(merge, overlay_behind(&merge->view->overlay, log->key));
    } else {
        r = row_decode(merge->row_value, out);
    }
    if (!r && order <= 0)
        r = merge_row(merge, MDB_NEXT);
    return r;
}

/* 0: there may be more; -ENOENT: that was all; LISTING_IS_FULL; -errno. */
static int merge_slice(struct merge *merge)
{
    struct listing *listing = merge->listing;
    char collection[NAME_BYTES_MAX];
    struct store_name name;
    struct bytes key;
    struct row row;
    int r = 0;

    for (size_t i = 0; !r && i < LIST_SLICE_ROWS; i++) {
        r = merge_next(merge, &key, &row);
        if (r)
            return r;
        r = key.n_bytes > NAME_KEY_MAX ? -EBADMSG : name_key_split(key, collection, &name);
        if (!r && !has_prefix(name.id, listing->query.prefix))
            return -ENOENT;
        if (!r)
            r = listing_add(listing, merge->view, name, &row);
        if (!r) {
            memcpy(listing->at.at, key.at, key.n_bytes);
            listing->at.n_bytes = key.n_bytes;
            listing->is_behind = true;
        }
    }
    return r;
}

static void listing_start(struct listing *listing)
{
    const struct store_list_query *query = &listing->query;

    listing->is_behind = bytes_compare(query->after, query->prefix) >= 0;
    listing->at =
        name_key_of((struct store_name){ query->collection, listing->is_behind ? query->after : query->prefix });
    if (query->all)
        listing->at.n_prefix = 0;
}

static int merge_start(struct merge *merge)
{
    MDB_txn *txn = merge->view->txn;
    MDB_dbi dbi = merge->view->environment->dbs[DB_DOCS];
    const struct listing *listing = merge->listing;
    struct bytes at = name_key_bytes(&listing->at);
    MDB_stat stat;
    int r = overlay_order(&merge->view->overlay);

    if (!r)
        r = environment_errno(mdb_stat(txn, dbi, &stat));
    if (!r)
        r = environment_errno(mdb_cursor_open(txn, dbi, &merge->cursor));
    if (r)
        return r;
    merge->page_bytes = stat.ms_psize;
    merge_log(merge, (listing->is_behind ? overlay_behind : overlay_at_or_behind)(&merge->view->overlay, at));
    return merge_row(merge, MDB_SET_RANGE);
}

static enum served listing_serve(struct request *request, struct view *view)
{
    struct listing *listing = (struct listing *)request;
    struct merge merge = { .listing = listing, .view = view };
    int r;

    guard_enter("listing documents");
    r = merge_start(&merge);
    if (!r)
        r = merge_slice(&merge);
    if (merge.cursor)
        mdb_cursor_close(merge.cursor);
    if (!r)
        return SERVE_AGAIN;
    request->r = r == -ENOENT || r == LISTING_IS_FULL ? 0 : r;
    return SERVED;
}

int lmdb_list(struct store *base, const struct store_list_query *query, store_list_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct listing *listing;
    int r = lmdb_accepts_reads(store);

    assert(query->limit > 0 && !(query->all && query->prefix.n_bytes));
    if (r)
        return r;
    listing = lmdb_request_create(store, sizeof(*listing), listing_answer);
    if (!listing)
        return -ENOMEM;
    listing->query = *query;
    listing->done = done;
    listing->arg = arg;
    listing_start(listing);
    buffer_init(&listing->bytes, LISTING_MAX_BYTES);
    lmdb_request_serve(&listing->request, listing_serve);
    return 0;
}
