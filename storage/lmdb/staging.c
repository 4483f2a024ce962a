/* Large appends, before they are committed: the bodies are written piece by piece, each with the transaction of an
 * ordinary round, so that nobody waits for more than one of them. Then the append, which has marks in their place, is
 * as small as any other.
 *
 *     waiting   | large a | a | large b | a |      in order; large a is the one being staged
 *                 pieces: * * * . . .              the appends of other logs go on
 *
 * Whatever becomes of the first, all of them then go back in front of what is queued, and are looked at anew: it is
 * committed, or refused with its log, and the next large one waits here with what is behind it of its log.
 *
 * The note in DB_META is written with the first piece and goes in the transaction that commits the append; as long as
 * it is there the pieces are leftovers. A log that does not exist yet has no number to keep pieces under: the append
 * that creates it is a batch of its own, however large. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/inside.h"

static struct write *first_of(const struct staging *staging)
{
    return LIST_ENTRY(staging->waiting.next, struct write, request.link);
}

/* ---- who waits --------------------------------------------------------------------------------------------------- */

bool staging_takes(struct lmdb_store *store, struct write *write)
{
    struct lmdb_log *log = write->log;

    if (!log)
        return false;
    if (!log->waits) {
        if (!write->is_large || write->marks || !log->number || log->failed || write->expected != log->head)
            return false;
        log->waits = true;
    }
    list_remove(&write->request.link);
    list_append(&store->commit.staging.waiting, &write->request.link);
    return true;
}

/* Back to the others, in front of them. */
static void release(struct commit *commit)
{
    struct list *waiting = &commit->staging.waiting;

    while (!list_is_empty(waiting)) {
        struct list *last = waiting->previous;

        LIST_ENTRY(last, struct write, request.link)->log->waits = false;
        list_remove(last);
        list_prepend(&commit->current, last);
    }
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static bool is_large(const struct lmdb_store *store, const struct record *record)
{
    return record->body.n_bytes > store->tuning.piece_bytes;
}

static void find_large(const struct lmdb_store *store, struct staging *staging, const struct write *write)
{
    while (staging->record < write->n && !is_large(store, &write->records[staging->record]))
        staging->record++;
    staging->offset = 0;
    staging->piece = 0;
}

static int begin(struct lmdb_store *store, struct write *write)
{
    struct staging *staging = &store->commit.staging;

    if (!staging->context && !(staging->context = ZSTD_createCCtx()))
        return -ENOMEM;
    staging->marks = malloc(write->n * sizeof(*staging->marks));
    if (!staging->marks)
        return -ENOMEM;
    memcpy(staging->marks, write->records, write->n * sizeof(*staging->marks));
    staging->is_first = true;
    staging->record = 0;
    find_large(store, staging, write);
    return 0;
}

static void put_note(struct staging *staging, const struct write *write)
{
    struct staged_note note = { write->log->number, write->expected, write->n_versions };

    buffer_reset(&staging->packed);
    staged_note_encode(&note, &staging->packed);
    parcel_put_encoded(&staging->parcel, DB_META, bytes_of_string(STAGED_KEY), &staging->packed);
}

int staging_prepare(struct lmdb_store *store)
{
    struct staging *staging = &store->commit.staging;
    const struct write *write = first_of(staging);
    struct log_key key;
    struct bytes body;
    int r = write->log->failed; /* by what came before it in the round that it was queued in */

    if (!r && !staging->marks)
        r = begin(store, first_of(staging));
    if (r)
        return r;
    parcel_reset(&staging->parcel);
    if (staging->is_first)
        put_note(staging, write);
    body = write->records[staging->record].body;
    staging->n_bytes = body.n_bytes - staging->offset;
    if (staging->n_bytes > store->tuning.piece_bytes)
        staging->n_bytes = store->tuning.piece_bytes;
    key = log_key_of_chunk(write->log->number, records_end(write->expected, write->records, staging->record),
                           staging->piece);
    piece_pack(staging->context, bytes_of((const char *)body.at + staging->offset, staging->n_bytes), &staging->packed);
    parcel_put_encoded(&staging->parcel, DB_LARGE, log_key_bytes(&key), &staging->packed);
    return staging->parcel.ops.error;
}

/* Deletes the pieces of a staged append that came to nothing. -ENOENT: there is no note, or none that can be read; that
 * leaves them for ever. */
static int clear(struct lmdb_store *store, MDB_txn *txn)
{
    struct bytes value;
    struct staged_note note;
    struct log_key first, last;
    struct parcel parcel;
    int r = environment_get(&store->environment, txn, DB_META, bytes_of_string(STAGED_KEY), &value);

    if (!r)
        r = staged_note_decode(value, &note);
    if (r)
        return r == -EBADMSG ? -ENOENT : r;
    first = log_key_of_chunk(note.number, note.from, 0);
    last = log_key_of_chunk(note.number, note.from + note.n - 1, UINT32_MAX);
    parcel_init(&parcel);
    parcel_delete_range(&parcel, DB_LARGE, log_key_bytes(&first), log_key_bytes(&last), SIZE_MAX);
    r = parcel_write(&parcel, &store->environment, txn);
    parcel_finish(&parcel);
    return r;
}

int staging_write(struct lmdb_store *store, MDB_txn *txn)
{
    struct staging *staging = &store->commit.staging;
    int r = staging->is_first ? clear(store, txn) : 0;

    return r && r != -ENOENT ? r : parcel_write(&staging->parcel, &store->environment, txn);
}

/* ---- what became of it ------------------------------------------------------------------------------------------- */

void staging_advance(struct lmdb_store *store)
{
    struct staging *staging = &store->commit.staging;
    struct write *write = first_of(staging);
    size_t n_bytes = write->records[staging->record].body.n_bytes;

    staging->is_first = false;
    staging->offset += staging->n_bytes;
    staging->piece++;
    if (staging->offset < n_bytes)
        return;
    staging->marks[staging->record++].body = body_mark(n_bytes);
    write->n_bytes -= n_bytes;
    find_large(store, staging, write);
    if (staging->record < write->n)
        return;
    write->records = write->marks = staging->marks;
    staging->marks = NULL;
    release(&store->commit);
}

void staging_fail(struct lmdb_store *store, int r)
{
    struct staging *staging = &store->commit.staging;

    if (!first_of(staging)->log->failed)
        first_of(staging)->log->failed = r;
    free(staging->marks);
    staging->marks = NULL;
    release(&store->commit);
}

int staging_end(struct lmdb_store *store, MDB_txn *txn)
{
    struct parcel parcel;
    int r;

    parcel_init(&parcel);
    parcel_delete(&parcel, DB_META, bytes_of_string(STAGED_KEY));
    r = parcel_write(&parcel, &store->environment, txn);
    parcel_finish(&parcel);
    return r;
}

static int transact(struct lmdb_store *store, int (*write)(struct lmdb_store *store, MDB_txn *txn))
{
    MDB_txn *txn;
    int r = store->environment.env ? environment_errno(mdb_txn_begin(store->environment.env, NULL, 0, &txn)) : -EIO;

    if (r)
        return r;
    r = write(store, txn);
    if (!r)
        return environment_errno(mdb_txn_commit(txn));
    mdb_txn_abort(txn);
    return r;
}

/* The note in a transaction of its own: LMDB takes pages again that the last but one gave back, and an append that
 * comes next shall find the room. */
void staging_clear(struct lmdb_store *store)
{
    int r;

    guard_enter("clearing pieces");
    r = transact(store, clear);
    if (!r)
        r = transact(store, staging_end);
    guard_leave();
    if (r && r != -ENOENT)
        log_error("store", "what a large append left can't all be removed yet: %s", strerror(-r));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void staging_init(struct staging *staging)
{
    *staging = (struct staging){ 0 };
    list_init(&staging->waiting);
    parcel_init(&staging->parcel);
    buffer_init(&staging->packed, SIZE_MAX / 2);
}

void staging_finish(struct staging *staging)
{
    parcel_finish(&staging->parcel);
    buffer_finish(&staging->packed);
    ZSTD_freeCCtx(staging->context);
}
