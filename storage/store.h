/* A store: named logs of opaque records with consecutive versions, and snapshots as opaque bytes. An answer means
 * durable.
 *
 *     version     0    1    2    3    4    5    record v leads from version v to v + 1
 *     log         | r0 | r1 | r2 | r3 | r4 |    head = 5, the newest durable version; 0: nothing yet
 *     snapshot                   ^ at 3         a reader starts here and replays r3, r4
 *
 * Knows bytes and versions; not operations, JSON or clients. Engines stand behind struct store (engine.h); lmdb/ is the
 * first, tests bring a simulated one.
 *
 * Threads: every call is made on the loop thread and every answer arrives there, from within store_dispatch. The engine
 * calls `wake`, from any thread and also from inside a call, when there is something to dispatch: writes are gathered
 * until then, and set out together.
 *
 * Asynchronous calls return 0: accepted, `done` will be called exactly once, never from inside the call; or -ENOMEM,
 * -ESHUTDOWN, -EROFS (a store opened for reading): refused, `done` is not called. What a call borrows (names, records,
 * arg) stays borrowed until done. What `done` is given is borrowed by it until it returns. Answers to the calls on one
 * log arrive in the order of the calls within each of three lanes, writes (append, remove, begin_at), snapshots
 * (snapshot_put, merge) and reads (all others); the lanes may overtake each other, so that no acknowledgement waits for
 * a snapshot.
 *
 * Results: 0; -errno, passed up (-ENOSPC: disk or configured ceiling full, nothing was written; -EBADMSG: a checksum
 * does not fit, the data is damaged; -EIO and others); a positive enum store_error, handled by the caller. */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

#define STORE_RECORD_MAX_BYTES (64 * 1024 * 1024)
#define STORE_NEWEST           UINT64_MAX
#define STORE_MERGE_MAX_BYTES  (256 * 1024) /* of all bodies that one merge puts into the place of others */
#define STORE_SEQ_WINDOW       1000         /* how many operations back a lower seq is looked for */

#define STORE_MUST_CHECK __attribute__((warn_unused_result))

enum store_error {
    STORE_CONFLICT = 1, /* the log's head is not the version you expected: read what is new, try again */
    STORE_UNKNOWN, /* the engine lost touch while committing: read, and append again with the same ids what is not there
                    */
    STORE_NOT_FOUND, /* no such thing */
    STORE_TOO_OLD,   /* find: the log goes further back than is looked; gone: these versions are not kept any more */
};

struct store;
struct store_log;

struct store_name {
    struct bytes collection, id; /* 1-128 bytes each; compared and ordered bytewise */
};

struct op_id {
    struct bytes src; /* who; compared bytewise, at most 64 bytes */
    uint64_t seq;     /* his number for it; ordered */
};

struct record {
    struct op_id id;  /* unique within its log */
    uint64_t time_ms; /* since 1970, never less than its predecessor's (the caller's duty) */
    struct bytes author, body;
    uint64_t n_merged; /* 0: leads from its version to the next. Else it stands for so many more: see store_merge */
};

/* The version that the record of `version` leads to. */
static inline uint64_t record_end(uint64_t version, const struct record *record)
{
    return version + 1 + record->n_merged;
}

/* What a listing says of a log, beside its versions; told by whoever appends, opaque to the store. */
struct store_state {
    bool exists;       /* false: only history is left, listings leave it out */
    struct bytes type; /* a short label, at most 64 bytes */
    uint64_t n_bytes;  /* size of the content */
};

struct store_info {
    uint64_t first;                   /* the oldest version whose record is kept; 0 unless older ones were removed */
    uint64_t head;                    /* 0: never written */
    uint64_t created_ms, modified_ms; /* of the first and the newest record since it last came to exist */
    uint64_t snapshot_version;        /* of the newest snapshot; 0: none */
    struct store_state state;
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Sets out what was called, and runs what is to be answered. Call it on the loop thread after `wake`, or at any time.
 */
void store_dispatch(struct store *store);

/* No call is accepted any more; waits until all accepted work is durable and answered (answers are dispatched from
 * inside), then frees the store. Every log must have been closed. NULL is fine. */
void store_close(struct store *store);

/* ---- one log ----------------------------------------------------------------------------------------------------- */

/* A hint that somebody else has appended and the log's head is at least this. Never called by engines that are the only
 * writer. */
typedef void store_head_fn(void *arg, uint64_t head);

/* r: 0 or -errno. The log is the caller's to close; a name that was never written opens as an empty log, and nothing is
 * written for it. */
typedef void store_open_fn(void *arg, int r, struct store_log *log, const struct store_info *info);

/* One handle a name at a time (-EBUSY through done). on_head may be NULL. */
STORE_MUST_CHECK int store_log_open(struct store *store, struct store_name name, store_head_fn *on_head,
                                    store_open_fn *done, void *arg);

/* No answer may be outstanding. NULL is fine. */
void store_log_close(struct store_log *log);

/* r: 0, STORE_CONFLICT, STORE_UNKNOWN, -ENOSPC or -errno; head: the newest durable version that the engine knows of,
 * whatever r is. */
typedef void store_append_fn(void *arg, int r, uint64_t head);

/* Appends records[0..n), leading from version expected to the last one's end: all of them or none; `after` describes
 * the log then. Appends may be queued behind one another without waiting. After one has failed, those queued behind it
 * fail the same way, and so does every later one until the log has been closed and opened again. A log comes into being
 * with its first append: expected 0 is the exclusive "create". -EOVERFLOW: refused, versions would not reach so far. */
STORE_MUST_CHECK int store_append(struct store_log *log, uint64_t expected, const struct record *records, size_t n,
                                  const struct store_state *after, store_append_fn *done, void *arg);

/* What the log holds of one source. */
struct store_source {
    uint64_t highest_seq, highest_version; /* its highest seq, and the version that was committed at */
    uint64_t newest_version;               /* of its newest operation, whatever its seq */
};

/* r: 0, found, committed at `version` (it led from there to version + 1); STORE_NOT_FOUND, no such operation in the
 * log; STORE_TOO_OLD: seq is lower than the source's highest, not among the STORE_SEQ_WINDOW versions up to the
 * source's newest, and the log goes on further back, or some of these were merged. source: given with each of these
 * three, NULL when the log holds nothing of that source, so that the caller need not ask again for its later
 * operations. Durable records only. */
typedef void store_find_fn(void *arg, int r, uint64_t version, const struct store_source *source);
STORE_MUST_CHECK int store_find(struct store_log *log, struct op_id id, store_find_fn *done, void *arg);

/* n records, the first of version `from`, each of the version that the one before it leads to; n is 0 only when from is
 * the head or beyond. The last may lead beyond `to`. r: STORE_TOO_OLD, from lies below what is kept, or within a record
 * that was merged. */
typedef void store_read_fn(void *arg, int r, uint64_t from, const struct record *records, size_t n);

/* As many of [from, to) as fit in about max_bytes, but at least one. */
STORE_MUST_CHECK int store_read(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes,
                                store_read_fn *done, void *arg);

/* The newest version whose record is not later than time_ms; 0 before the first. */
typedef void store_version_fn(void *arg, int r, uint64_t version);
STORE_MUST_CHECK int store_version_at(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg);

/* The newest snapshot at or below at_most; version 0 and no bytes when there is none. r: -EBADMSG, it is damaged;
 * version says which one, so that an older one may be asked for, or 0 when none of them can be found. */
typedef void store_snapshot_fn(void *arg, int r, uint64_t version, struct bytes snapshot);
STORE_MUST_CHECK int store_snapshot_get(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg);

/* Writes the snapshot into `into`. Called once, on the worker's thread: it reads only what does not change meanwhile
 * and touches no reference count. Returns 0 or -errno. */
typedef int store_produce_fn(void *arg, struct buffer *into);
typedef void store_done_fn(void *arg, int r);

/* Keeps a snapshot of a durable version, beside the older ones; one that is not above these is not needed. It rides in
 * the batches of ordinary appends, in chunks. done is called after produce, when arg is the caller's again. */
STORE_MUST_CHECK int store_snapshot_put(struct store_log *log, uint64_t version, store_produce_fn *produce,
                                        store_done_fn *done, void *arg);

/* Forgets every record, source and snapshot for good. What stays is the hash of the name with the head, above which a
 * later log of that name continues: the next append expects the head as before. It is so when done is called; the bytes
 * have left the databases after the next store_pack, and the disk after store_compact. */
STORE_MUST_CHECK int store_remove(struct store_log *log, store_done_fn *done, void *arg);

/* A log that holds nothing continues above `version`, as if one of that head had been removed: for whoever brings a log
 * from another store. STORE_CONFLICT: it holds something, or its head is above that. Refused: -EOVERFLOW, STORE_NEWEST.
 */
STORE_MUST_CHECK int store_begin_at(struct store_log *log, uint64_t version, store_done_fn *done, void *arg);

/* Puts records[0..n) in the place of those of [from, end of the last): what lay between them is gone, and its versions
 * can't be read from any more. STORE_CONFLICT: from, or that end, is within a record; or nothing is there. Snapshots of
 * versions within the new records go with it. Sources stay known. The times are the caller's duty, as for an append.
 * Refused: -EOVERFLOW; -E2BIG: their bodies are more than STORE_MERGE_MAX_BYTES; records with larger ones stay as they
 * are. -ENOTSUP: the engine keeps what it has. */
STORE_MUST_CHECK int store_merge(struct store_log *log, uint64_t from, const struct record *records, size_t n,
                                 store_done_fn *done, void *arg);

/* ---- all logs ---------------------------------------------------------------------------------------------------- */

struct store_list_query {
    struct bytes collection;
    struct bytes prefix, after; /* of ids; empty: no restriction. Ids strictly behind `after` */
    struct bytes type;          /* empty: every type */
    size_t limit;               /* at most so many, at least 1 */
    bool deleted;               /* also logs of which only history is left */
    bool all; /* those of every collection that stand strictly behind (collection, after); no prefix */
};

struct store_entry {
    struct bytes collection, id;
    struct store_info info;
};

/* Logs that exist, in bytewise order of their collections, then of their ids. more: the limit cut it. Durable state
 * only. */
typedef void store_list_fn(void *arg, int r, const struct store_entry *entries, size_t n, bool more);
STORE_MUST_CHECK int store_list(struct store *store, const struct store_list_query *query, store_list_fn *done,
                                void *arg);

struct store_collection {
    struct bytes name;
    uint64_t n_documents; /* that exist */
};
typedef void store_collections_fn(void *arg, int r, const struct store_collection *collections, size_t n);
STORE_MUST_CHECK int store_collections(struct store *store, store_collections_fn *done, void *arg);

/* Small named values of the server itself, such as the key of its client ids. STORE_NOT_FOUND; at most 64 and 4096
 * bytes. */
typedef void store_meta_fn(void *arg, int r, struct bytes value);
STORE_MUST_CHECK int store_meta_get(struct store *store, struct bytes key, store_meta_fn *done, void *arg);
STORE_MUST_CHECK int store_meta_put(struct store *store, struct bytes key, struct bytes value, store_done_fn *done,
                                    void *arg);

/* ---- the whole ---------------------------------------------------------------------------------------------------
 *
 * For administrators. An engine that has tools of its own for this answers -ENOTSUP from the call. */

/* How long work goes: in units of its own, out of total. On the loop thread, now and then; may be NULL. */
typedef void store_progress_fn(void *arg, uint64_t n_done, uint64_t n_total);

/* Packs everything that was committed before the call as tightly as background work would, in time. */
STORE_MUST_CHECK int store_pack(struct store *store, store_done_fn *done, void *arg);

/* The same, as tightly as possible, and gives free space back to the disk. Packing goes on beside everything else;
 * then, while the store is written anew, appends wait, reads don't; it needs room for a second copy. Whatever it fails
 * with, everything is as before. -EBUSY: another process reads the store, or a backup is being written. -ESHUTDOWN:
 * closing has cut it short; what is tight by then stays so. From the call, -EALREADY: one is at work. */
STORE_MUST_CHECK int store_compact(struct store *store, store_progress_fn *progress, store_done_fn *done, void *arg);

/* Writes a copy of the store as it is at some moment behind the call to fd, a file, pipe or socket that blocks, and has
 * room for the first 64 kB: the data file of a store of its own. On a thread of its own, which nobody waits for; fd is
 * the caller's, and in use until done. One at a time: -EBUSY. A pipe or socket that nobody reads any more: -EPIPE.
 * When the store is closed, or has to open its files again, a socket is shut down (-EPIPE); others are waited for. */
STORE_MUST_CHECK int store_backup(struct store *store, int fd, store_done_fn *done, void *arg);

struct store_sizes {
    uint64_t file_bytes, free_bytes; /* the data file; of it, pages that will be used again */
    uint64_t max_bytes;              /* how large that may become; 0: not known */
    uint64_t n_logs, n_documents;    /* the second: that exist */
    uint64_t n_batches, inbox_bytes; /* committed and not packed yet */
    uint64_t n_segments, segment_bytes, n_snapshots, snapshot_bytes, large_bytes, other_bytes;
};
/* r: 0 or -errno. Bytes are those of the pages that hold it. */
typedef void store_sizes_fn(void *arg, int r, const struct store_sizes *sizes);
STORE_MUST_CHECK int store_sizes(struct store *store, store_sizes_fn *done, void *arg);

/* Whether writes would be accepted now: 0, or why the last commit failed (-ENOSPC, -EIO, ...). Cheap. */
int store_health(const struct store *store);

#endif
