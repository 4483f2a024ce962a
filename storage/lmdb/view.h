/* One moment of the store, to read from: a read transaction, and the overlay as of then. Used on the worker's thread;
 * between view_begin and view_end, never across requests, so that no page stays pinned. */
#ifndef STORAGE_LMDB_VIEW_H
#define STORAGE_LMDB_VIEW_H

#include <pthread.h>

#include "storage/lmdb/overlay.h"
#include "storage/lmdb/segment.h"

struct view {
    const struct environment *environment;
    pthread_rwlock_t *in_use; /* held while the view is inside the environment: recovery.c closes and opens it */
    MDB_txn *txn;             /* NULL: the next view_begin makes one */
    struct overlay overlay;
    struct segment segment; /* the one unpacked last, also for the views that follow: packed is looked at again */
    struct buffer packed;   /* what it was unpacked from, and borrows from */
    bool has_segment;       /* it is one of this moment */
    ZSTD_DCtx *unpacker;    /* view_unpacker */
    ZSTD_CCtx *packer;      /* view_packer */
    uint64_t batch;         /* the one looked up last; 0: none */
    struct bytes batch_value;
};

STORE_MUST_CHECK int view_init(struct view *view, const struct environment *environment, pthread_rwlock_t *in_use);
void view_leave(struct view *view); /* nothing of the environment is held any more; between view_end and view_begin */
void view_finish(struct view *view);

STORE_MUST_CHECK int view_begin(struct view *view);
void view_end(struct view *view);

/* A log as it is at this moment. number 0: nothing is kept of the name but, perhaps, a head. */
struct view_log {
    struct name_key key;
    struct row row;
    uint64_t folded; /* records below are in segments, from here on in the overlay */
};

STORE_MUST_CHECK int view_find_log(struct view *view, struct store_name name, struct view_log *out);

/* The row in DB_DOCS: -ENOENT, there is none, or it is another log's of the same name. */
STORE_MUST_CHECK int view_folded_row(struct view *view, struct bytes name_key, uint64_t number, struct row *out);

/* 0: goes on; anything else ends the walk, and is what it returns. A large body is only its mark: view_body. The first
 * record begins below what was asked for, when that lies within one that stands for several. */
typedef int view_record_fn(void *arg, uint64_t version, const struct record *record);

/* Calls fn for each record that holds one of the versions [from, to), which lie within [base, head]. A gap is -EBADMSG.
 */
STORE_MUST_CHECK int view_walk(struct view *view, const struct view_log *log, uint64_t from, uint64_t to,
                               view_record_fn *fn, void *arg);

/* 0: a record begins at the version, or it is the head. -ENOENT: it lies within one. */
STORE_MUST_CHECK int view_between(struct view *view, const struct view_log *log, uint64_t version);

/* Appends the body of a record, also one that has only its mark here. -EBADMSG: a piece of it is missing or damaged. */
STORE_MUST_CHECK int view_body(struct view *view, uint64_t number, uint64_t version, struct bytes body,
                               struct buffer *into);

/* The segment that holds the version, unpacked into view->segment. -EBADMSG: there is none. */
STORE_MUST_CHECK int view_segment(struct view *view, uint64_t number, uint64_t version);

/* The same of a segment's value that is at hand. */
STORE_MUST_CHECK int view_decode_segment(struct view *view, uint64_t number, uint64_t first, struct bytes value);

/* The same into one of the caller's. value: as it lies there; may be NULL. */
STORE_MUST_CHECK int view_unpack_segment(struct view *view, uint64_t number, uint64_t version, struct segment *segment,
                                         struct bytes *value);

/* The entry of a span. */
STORE_MUST_CHECK int view_entry(struct view *view, const struct span *span, struct batch_entry *out);

/* The newest manifest at or below at_most; -ENOENT: none. -EBADMSG: it is damaged, and *version says which one, if
 * that can be told, else 0. */
STORE_MUST_CHECK int view_manifest(struct view *view, uint64_t number, uint64_t at_most, uint64_t *version,
                                   struct manifest *out);
/* The same of those that are not hidden (chain.h). */
STORE_MUST_CHECK int view_snapshot(struct view *view, uint64_t number, uint64_t at_most, uint64_t *version,
                                   struct manifest *out);
/* The version of the newest one; 0: none, or it can't be told, which is no harm: the log is the truth. */
STORE_MUST_CHECK int view_newest_snapshot(struct view *view, uint64_t number, uint64_t *version);

/* What the log holds of a source: -ENOENT, nothing. */
STORE_MUST_CHECK int view_source(struct view *view, const struct view_log *log, struct bytes src,
                                 struct store_source *out);

/* The key at or before `key`, within its first n_shared bytes; -ENOENT: none. */
STORE_MUST_CHECK int view_at_or_before(struct view *view, enum db db, struct bytes key, size_t n_shared,
                                       struct bytes *found, struct bytes *value);

/* The same, at or behind. */
STORE_MUST_CHECK int view_at_or_behind(struct view *view, enum db db, struct bytes key, size_t n_shared,
                                       struct bytes *found, struct bytes *value);

/* Unpacks what is small enough to be unpacked at once; NULL without memory. */
ZSTD_DCtx *view_unpacker(struct view *view);

/* Packs what is small enough for its tables to be kept; NULL without memory. */
ZSTD_CCtx *view_packer(struct view *view);

#endif
