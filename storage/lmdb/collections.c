/* Which collections there are, and the server's small values.
 *
 * DB_COLLECTIONS counts what is folded; the overlay knows which of its logs have come or gone since. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/inside.h"

/* ---- collections ------------------------------------------------------------------------------------------------- */

struct change {
    char name[NAME_BYTES_MAX];
    size_t n_name;
    int64_t n_documents;
};

struct census {
    struct request request; /* first */
    store_collections_fn *done;
    void *arg;
    struct change *found; /* those of the rows first, then the changes of the overlay; then sorted and summed */
    size_t n, capacity;
};

static void census_answer(struct request *request)
{
    struct census *census = (struct census *)request;
    struct store_collection *collections = calloc(census->n + 1, sizeof(*collections));
    size_t n = 0;
    int r = collections ? request->r : -ENOMEM;

    for (size_t i = 0; !r && i < census->n; i++)
        if (census->found[i].n_documents > 0)
            collections[n++] = (struct store_collection){ bytes_of(census->found[i].name, census->found[i].n_name),
                                                          (uint64_t)census->found[i].n_documents };
    census->done(census->arg, r, collections, r ? 0 : n);
    free(collections);
    free(census->found);
    free(census);
}

static int census_add(struct census *census, struct bytes name, int64_t n_documents)
{
    struct change *change;

    if (name.n_bytes > NAME_BYTES_MAX)
        return -EBADMSG;
    if (census->n == census->capacity) {
        size_t capacity = census->capacity ? census->capacity * 2 : 64;
        struct change *grown = realloc(census->found, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        census->found = grown;
        census->capacity = capacity;
    }
    change = &census->found[census->n++];
    change->n_name = name.n_bytes;
    if (name.n_bytes)
        memcpy(change->name, name.at, name.n_bytes);
    change->n_documents = n_documents;
    return 0;
}

/* As many as LMDB counted: a page that has lost an entry is silent about it. */
static int census_rows(struct census *census, struct view *view)
{
    MDB_dbi dbi = view->environment->dbs[DB_COLLECTIONS];
    MDB_val key, value;
    MDB_cursor *cursor;
    MDB_stat stat;
    int r = environment_errno(mdb_stat(view->txn, dbi, &stat)), code;

    if (!r)
        r = environment_errno(mdb_cursor_open(view->txn, dbi, &cursor));
    if (r)
        return r;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; !code && !r; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct bytes number;
        uint64_t n_documents = 0;

        r = unseal(DB_COLLECTIONS, bytes_of_val(key), bytes_of_val(value), &number);
        if (!r)
            r = number_decode(number, &n_documents);
        if (!r)
            r = census_add(census, bytes_of_val(key), (int64_t)n_documents);
    }
    mdb_cursor_close(cursor);
    if (!r && code != MDB_NOTFOUND)
        r = environment_errno(code);
    return r || census->n == stat.ms_entries ? r : -EBADMSG;
}

/* *n_logs: of those in the overlay, how many more there are than rows. */
static int census_overlay(struct census *census, struct view *view, int64_t *n_logs)
{
    char collection[NAME_BYTES_MAX];
    struct store_name name;
    int r = 0;

    LIST_FOR_EACH (node, &view->overlay.logs) {
        const struct overlay_log *log = LIST_ENTRY(node, struct overlay_log, link);
        bool exists = log->row.exists && !log->is_removed;
        struct row row = { 0 };

        r = view_folded_row(view, log->key, log->row.number, &row);
        if (r && r != -ENOENT)
            return r;
        *n_logs += !log->is_removed - !r;
        r = 0;
        if (exists == row.exists)
            continue;
        r = name_key_split(log->key, collection, &name);
        if (!r)
            r = census_add(census, name.collection, exists ? 1 : -1);
        if (r)
            break;
    }
    return r;
}

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;

    return bytes_compare(bytes_of(a->name, a->n_name), bytes_of(b->name, b->n_name));
}

static void census_sum(struct census *census)
{
    size_t n = 0;

    if (census->n == 0)
        return;
    qsort(census->found, census->n, sizeof(*census->found), compare_changes);
    for (size_t i = 1; i < census->n; i++) {
        if (compare_changes(&census->found[n], &census->found[i]) == 0)
            census->found[n].n_documents += census->found[i].n_documents;
        else
            census->found[++n] = census->found[i];
    }
    census->n = n + 1;
}

static enum served census_serve(struct request *request, struct view *view)
{
    struct census *census = (struct census *)request;
    int64_t n_logs = 0;

    request->r = census_rows(census, view);
    if (!request->r)
        request->r = census_overlay(census, view, &n_logs);
    if (!request->r)
        census_sum(census);
    return SERVED;
}

int lmdb_count_logs(struct view *view, uint64_t *n_logs, uint64_t *n_documents)
{
    struct census census = { 0 };
    int64_t n_more = 0, n_exist = 0;
    MDB_stat stat;
    int r = environment_errno(mdb_stat(view->txn, view->environment->dbs[DB_DOCS], &stat));

    if (!r)
        r = census_rows(&census, view);
    if (!r)
        r = census_overlay(&census, view, &n_more);
    for (size_t i = 0; i < census.n; i++)
        n_exist += census.found[i].n_documents;
    free(census.found);
    if (r)
        return r;
    *n_logs = stat.ms_entries + (uint64_t)n_more;
    *n_documents = (uint64_t)n_exist;
    return 0;
}

int lmdb_collections(struct store *base, store_collections_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct census *census;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    census = lmdb_request_create(store, sizeof(*census), census_answer);
    if (!census)
        return -ENOMEM;
    census->done = done;
    census->arg = arg;
    lmdb_request_serve(&census->request, census_serve);
    return 0;
}

/* ---- small values ------------------------------------------------------------------------------------------------ */

struct meta_key meta_key_of(struct bytes key)
{
    struct meta_key own = { .n_bytes = 1 + key.n_bytes, .at = "=" };

    assert(key.n_bytes > 0 && key.n_bytes <= META_KEY_MAX);
    memcpy(own.at + 1, key.at, key.n_bytes);
    return own;
}

struct meta_get {
    struct request request; /* first */
    struct bytes key;
    struct buffer value;
    store_meta_fn *done;
    void *arg;
};

static void meta_answer(struct request *request)
{
    struct meta_get *get = (struct meta_get *)request;

    get->done(get->arg, request->r, request->r ? bytes_of(NULL, 0) : buffer_bytes(&get->value));
    buffer_finish(&get->value);
    free(get);
}

static enum served meta_serve(struct request *request, struct view *view)
{
    struct meta_get *get = (struct meta_get *)request;
    struct meta_key key = meta_key_of(get->key);
    struct bytes value;
    int r = environment_get(view->environment, view->txn, DB_META, bytes_of(key.at, key.n_bytes), &value);

    if (!r)
        r = buffer_append(&get->value, value.at, value.n_bytes);
    request->r = r == -ENOENT ? STORE_NOT_FOUND : r;
    return SERVED;
}

int lmdb_meta_get(struct store *base, struct bytes key, store_meta_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct meta_get *get;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    get = lmdb_request_create(store, sizeof(*get), meta_answer);
    if (!get)
        return -ENOMEM;
    get->key = key;
    get->done = done;
    get->arg = arg;
    buffer_init(&get->value, META_VALUE_MAX);
    lmdb_request_serve(&get->request, meta_serve);
    return 0;
}
