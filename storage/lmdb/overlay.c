#include "storage/lmdb/overlay.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "storage/lmdb/absence.h"

/* ---- trees ------------------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *left, const void *right)
{
    const struct overlay_log *a = left, *b = right;

    return (a->row.number > b->row.number) - (a->row.number < b->row.number);
}

static int compare_names(const void *left, const void *right)
{
    const struct overlay_log *a = left, *b = right;

    return bytes_compare(a->key, b->key);
}

/* tfind's node begins with the pointer that was put in. */
static struct overlay_log *node_log(void *node)
{
    return node ? *(struct overlay_log **)node : NULL;
}

struct overlay_log *overlay_by_number(const struct overlay *overlay, uint64_t number)
{
    struct overlay_log wanted;

    wanted.row.number = number;
    return node_log(tfind(&wanted, &overlay->by_number, compare_numbers));
}

struct overlay_log *overlay_by_name(const struct overlay *overlay, struct bytes name_key)
{
    struct overlay_log wanted;

    wanted.key = name_key;
    return node_log(tfind(&wanted, &overlay->by_name, compare_names));
}

/* A look-up that equals nothing, and keeps the best that it comes by. */
struct passing {
    struct bytes key;
    bool is_behind; /* strictly */
    const struct overlay_log **best;
};

static int pass(const void *left, const void *right)
{
    const struct passing *passing = left;
    const struct overlay_log *log = right;

    if (bytes_compare(log->key, passing->key) < (passing->is_behind ? 1 : 0))
        return 1;
    *passing->best = log;
    return -1;
}

static const struct overlay_log *find_behind(const struct overlay *overlay, struct bytes name_key, bool is_behind)
{
    const struct overlay_log *best = NULL;
    struct passing passing = { name_key, is_behind, &best };

    (void)tfind(&passing, &overlay->by_name, pass);
    return best;
}

const struct overlay_log *overlay_at_or_behind(const struct overlay *overlay, struct bytes name_key)
{
    return find_behind(overlay, name_key, false);
}

const struct overlay_log *overlay_behind(const struct overlay *overlay, struct bytes name_key)
{
    return find_behind(overlay, name_key, true);
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static void forget_name(struct overlay *overlay, struct overlay_log *log)
{
    list_remove(&log->fresh);
    if (log->is_named)
        (void)tdelete(log, &overlay->by_name, compare_names);
    log->is_named = false;
}

static void log_drop(struct overlay *overlay, struct overlay_log *log)
{
    forget_name(overlay, log);
    (void)tdelete(log, &overlay->by_number, compare_numbers);
    list_remove(&log->link);
    overlay->n_logs--;
    if (log->spans != &log->first)
        free(log->spans);
    free(log);
}

/* A log takes its name over from an older one, which was removed. */
static int take_name(struct overlay *overlay, struct overlay_log *log)
{
    struct overlay_log *older = overlay_by_name(overlay, log->key);

    if (older)
        forget_name(overlay, older);
    if (!tsearch(log, &overlay->by_name, compare_names))
        return -ENOMEM;
    log->is_named = true;
    list_remove(&log->fresh);
    return 0;
}

int overlay_order(struct overlay *overlay)
{
    int r = 0;

    while (!r && !list_is_empty(&overlay->fresh))
        r = take_name(overlay, LIST_ENTRY(overlay->fresh.next, struct overlay_log, fresh));
    return r;
}

static int log_add(struct overlay *overlay, const struct name_key *key, const struct row *row, struct overlay_log **out)
{
    struct overlay_log *log = calloc(1, sizeof(*log) + key->n_bytes);

    if (!log)
        return -ENOMEM;
    memcpy(log + 1, key->at, key->n_bytes);
    log->key = bytes_of(log + 1, key->n_bytes);
    log->row = *row;
    log->spans = &log->first;
    log->capacity = 1;
    list_append(&overlay->logs, &log->link);
    list_append(&overlay->fresh, &log->fresh);
    overlay->n_logs++;
    if (!tsearch(log, &overlay->by_number, compare_numbers)) {
        log_drop(overlay, log);
        return -ENOMEM;
    }
    if (row->number > overlay->highest_number)
        overlay->highest_number = row->number;
    *out = log;
    return 0;
}

/* The row that the log's first entry here adds to. -ENOENT: the log is gone, its entries are of no use any more.
 *
 * What creates a log is asked of nobody. Batches leave from the front, so all that the log was ever given is here, and
 * makes the same row as the fold does, however far that has come. That the name has no other row is proved when the
 * log is opened or folded. */
static int log_seed(const struct environment *environment, MDB_txn *txn, const struct batch_entry *entry,
                    struct name_key *key, struct row *row)
{
    struct log_key number = log_key_of(entry->number);
    struct bytes value;
    int r;

    if (entry_creates(entry->kind)) {
        *key = name_key_of(entry->name);
        *row = (struct row){ .number = entry->number, .base = entry->from, .head = entry->from };
        return 0;
    }
    r = environment_get(environment, txn, DB_NAMES, log_key_bytes(&number), &value);
    if (r)
        return r;
    if (value.n_bytes > NAME_KEY_MAX)
        return -EBADMSG;
    *key = (struct name_key){ .n_bytes = value.n_bytes };
    memcpy(key->at, value.at, value.n_bytes);
    r = environment_get(environment, txn, DB_DOCS, name_key_bytes(key), &value);
    if (!r)
        r = row_decode(value, row);
    return !r && row->number != entry->number ? -ENOENT : r;
}

static int span_add(struct overlay_log *log, const struct span *span)
{
    if (log->n_spans == log->capacity) {
        size_t capacity = log->capacity * 2;
        bool is_first = log->spans == &log->first;
        struct span *grown = realloc(is_first ? NULL : log->spans, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        if (is_first)
            *grown = log->first;
        log->spans = grown;
        log->capacity = capacity;
    }
    log->spans[log->n_spans++] = *span;
    return 0;
}

static int entry_index(struct overlay *overlay, const struct environment *environment, MDB_txn *txn,
                       const struct batch_entry *entry, const struct span *span)
{
    bool is_higher = entry->number > overlay->highest_number; /* as new ones are: none to be looked for */
    struct overlay_log *log = is_higher ? NULL : overlay_by_number(overlay, entry->number);
    struct name_key key;
    struct row row;
    int r = 0;

    if (!log) {
        r = log_seed(environment, txn, entry, &key, &row);
        if (!r)
            r = log_add(overlay, &key, &row, &log);
        if (r)
            return r == -ENOENT ? 0 : r;
    }
    r = span_add(log, span);
    if (r)
        return r;
    if (entry->kind == ENTRY_REMOVE) {
        log->is_removed = true;
        return 0;
    }
    if (entry->from + entry->n <= log->row.head)
        return 0; /* folded already */
    if (entry->from != log->row.head)
        return -EBADMSG;
    row_advance(&log->row, entry->n, entry->first_ms, entry->last_ms, &entry->after);
    return 0;
}

/* ---- bringing up to date ----------------------------------------------------------------------------------------- */

static int batch_index(struct overlay *overlay, const struct environment *environment, MDB_txn *txn, uint64_t batch,
                       struct bytes value)
{
    size_t offset = BATCH_HEAD_BYTES, next;
    struct batch_head head;
    struct batch_entry entry;
    int r = batch_read(value, batch, &head);

    for (uint32_t i = 0; !r && i < head.n_entries; i++, offset = next) {
        r = batch_read_entry(value, batch, offset, &next, &entry);
        if (!r)
            r = entry_index(overlay, environment, txn, &entry, &(struct span){ batch, entry.from, entry.n, offset });
    }
    if (!r && offset != value.n_bytes)
        r = -EBADMSG;
    return r;
}

/* Batches leave from the front, when they have been folded. */
static void drop_below(struct overlay *overlay, uint64_t first_batch)
{
    struct list *node, *next;

    for (node = overlay->logs.next; node != &overlay->logs; node = next) {
        struct overlay_log *log = LIST_ENTRY(node, struct overlay_log, link);

        next = node->next;
        while (log->first_span < log->n_spans && log->spans[log->first_span].batch < first_batch)
            log->first_span++;
        if (log->first_span == log->n_spans) {
            log_drop(overlay, log);
        } else if (log->first_span > log->n_spans / 2) {
            log->n_spans -= log->first_span;
            memmove(log->spans, log->spans + log->first_span, log->n_spans * sizeof(*log->spans));
            log->first_span = 0;
        }
    }
    overlay->first_batch = first_batch;
}

static int sync_batches(struct overlay *overlay, const struct environment *environment, MDB_txn *txn,
                        MDB_cursor *cursor)
{
    char at[8];
    MDB_val key, value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST), r = 0;
    uint64_t first = 0, batch;

    if (!code && key.mv_size != 8)
        return -EBADMSG;
    if (code == MDB_NOTFOUND || (!code && get_be64(key.mv_data) > overlay->first_batch))
        drop_below(overlay, code ? UINT64_MAX : get_be64(key.mv_data));
    if (code == MDB_NOTFOUND)
        overlay->first_batch = overlay->next_batch;
    put_be64(at, overlay->next_batch);
    if (!code)
        first = get_be64(key.mv_data);
    key = val_of(bytes_of(at, sizeof(at)));
    if (!code)
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; !code && !r; code = r ? 0 : mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (key.mv_size != 8)
            return -EBADMSG;
        batch = get_be64(key.mv_data);
        if (batch != first && batch != overlay->next_batch)
            return -EBADMSG; /* one is missing */
        r = batch_index(overlay, environment, txn, batch, bytes_of_val(value));
        if (!r)
            overlay->next_batch = batch + 1;
    }
    return r ? r : code == MDB_NOTFOUND ? 0 : environment_errno(code);
}

static int no_batch_prove(const struct environment *environment, MDB_txn *txn, uint64_t batch)
{
    char at[8];
    int r;

    put_be64(at, batch);
    r = absence_prove(environment, txn, DB_INBOX, bytes_of(at, sizeof(at)));
    return r == -ENOENT ? 0 : r;
}

/* Nobody else knows how many batches there should be: before the first one and behind the last there must be none. */
static int ends_prove(const struct overlay *overlay, const struct environment *environment, MDB_txn *txn)
{
    int r = no_batch_prove(environment, txn, overlay->next_batch);

    return r || overlay->first_batch == 0 ? r : no_batch_prove(environment, txn, overlay->first_batch - 1);
}

int overlay_sync(struct overlay *overlay, const struct environment *environment, MDB_txn *txn)
{
    bool begins = overlay->next_batch == 0;
    MDB_cursor *cursor;
    int r = environment_errno(mdb_cursor_open(txn, environment->dbs[DB_INBOX], &cursor));

    if (r)
        return r;
    r = sync_batches(overlay, environment, txn, cursor);
    mdb_cursor_close(cursor);
    if (!r && begins)
        r = ends_prove(overlay, environment, txn);
    if (r) {
        overlay_finish(overlay);
        overlay_init(overlay);
    }
    return r;
}

void overlay_init(struct overlay *overlay)
{
    *overlay = (struct overlay){ 0 };
    list_init(&overlay->logs);
    list_init(&overlay->fresh);
}

void overlay_finish(struct overlay *overlay)
{
    while (!list_is_empty(&overlay->logs))
        log_drop(overlay, LIST_ENTRY(overlay->logs.next, struct overlay_log, link));
}
