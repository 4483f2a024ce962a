/* What the files of this engine know of one another. Nobody else includes it.
 *
 *     store_lmdb.c   life, logs, and the calls as they are accepted on the loop
 *     commit.c       the commit thread, the only writer
 *     gather.c       how long it waits for others before it begins
 *     round.c        what it does in one turn; staging.c, large appends in pieces
 *     worker.c       the worker thread: everything that is read, and the jobs
 *     reads.c listing.c collections.c sizes.c      what the worker does for one call each
 *     snapshot.c     the same, and the job that keeps one; chain.c, what refers to what
 *     view.c         one moment to read from: segments and rows, and overlay.c, the index of the inbox, over them
 *     fold.c         the job that packs the inbox into segments; tally.c, what that adds up to
 *     merge.c        the job that puts records in the place of others; repack.c, the one that makes segments tight
 *     packing.c      records become segments, for these three
 *     parcel.c       puts and deletes that a job hands to the commit thread
 *     pack.c         calls that wait for a fold; compact.c, the one that then has the store written anew
 *     recovery.c     when LMDB has given its environment up
 *     backup.c       a copy of it all, on a thread of its own
 *     environment.c directory.c rewrite.c      files
 *     rows.c batch.c large.c segment.c segment_write.c numbers.c      bytes; context.c, what they are packed in
 *     absence.c guard.c      what LMDB does not see in a damaged file, and what it dies of
 *     verify.h and what it names      the files looked at without LMDB
 *
 *     loop --request--> commit thread --+
 *       ^  --request--> worker ---------+--> answers --wake--> store_dispatch on the loop
 *                       worker --parcel--> commit thread --parcel--> worker
 *
 * Each arrow is a list under a mutex of its receiver; whole lists change hands. Lists of requests have no ceiling of
 * their own: a request borrows its bytes from a caller, who waits for the answer and bounds what he asks for. Of
 * parcels there is at most one a job. */
#ifndef STORAGE_LMDB_INSIDE_H
#define STORAGE_LMDB_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "storage/engine.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/gather.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/tuning.h"
#include "storage/lmdb/view.h"

struct lmdb_store;
struct backup;

/* ---- calls ------------------------------------------------------------------------------------------------------- */

enum served { SERVED, SERVE_AGAIN /* later: others first */, SERVED_BY_JOB /* the request is a job's now */ };

/* A call on its way; the first member of what holds the rest of it. */
struct request {
    struct list link;
    struct lmdb_store *store;
    enum served (*serve)(struct request *request, struct view *view); /* on the worker, within a view */
    void (*begin)(struct lmdb_store *store, struct request *request); /* of the lane: starts its job, or answers */
    void (*answer)(struct request *request);                          /* on the loop: calls done, and frees */
    int r;
};

/* ---- logs -------------------------------------------------------------------------------------------------------- */

struct lmdb_log {
    struct store_log base;  /* first */
    struct store_name name; /* points behind this struct */

    /* The commit thread's, once the first write has been queued. */
    uint64_t number; /* 0: it comes into being with its next append */
    uint64_t head;   /* with everything that was put into the batch being built */
    uint64_t durable;
    int failed; /* what every later write answers */
    bool waits; /* behind a large append */
};

/* ---- writes ------------------------------------------------------------------------------------------------------ */

enum write_kind { WRITE_APPEND, WRITE_REMOVE, WRITE_BEGIN_AT, WRITE_META };

struct write {
    struct request request; /* first */
    enum write_kind kind;
    struct lmdb_log *log; /* NULL: WRITE_META */
    uint64_t expected;    /* WRITE_BEGIN_AT: the version */
    const struct record *records;
    size_t n;
    uint64_t n_versions;      /* that they lead through: n, unless some stand for several */
    bool is_large;            /* a body of it goes into pieces */
    struct record *marks;     /* its own `records`, once the pieces are written */
    struct store_state after; /* its type points to `type` */
    char type[TYPE_BYTES_MAX];
    struct bytes key, value; /* WRITE_META */
    size_t n_bytes;          /* about what it adds to a batch */
    uint64_t head;           /* the answer */
    union {
        store_append_fn *append;
        store_done_fn *plain;
    } done;
    void *arg;
};

/* Puts and deletes, for one transaction. */
struct parcel {
    struct list link;
    struct buffer ops;
    struct lmdb_log *log; /* dropped with STORE_NOT_FOUND unless the log still has this number; NULL: never */
    uint64_t number;
    int r; /* what became of it */
};

void parcel_init(struct parcel *parcel);
void parcel_init_mapped(struct parcel *parcel); /* of a job: it becomes large, and ends */
void parcel_finish(struct parcel *parcel);
void parcel_reset(struct parcel *parcel);
/* The buffer's error tells of failures. value: still to be sealed. */
void parcel_put(struct parcel *parcel, enum db db, struct bytes key, struct bytes value);
/* The same; an error of the value's buffer becomes the parcel's. */
void parcel_put_encoded(struct parcel *parcel, enum db db, struct bytes key, const struct buffer *value);
void parcel_put_sealed(struct parcel *parcel, enum db db, struct bytes key, struct bytes value);
void parcel_delete(struct parcel *parcel, enum db db, struct bytes key);
/* At most `limit` keys of [from, to]; whoever needs them all gone asks again. */
void parcel_delete_range(struct parcel *parcel, enum db db, struct bytes from, struct bytes to, size_t limit);
/* All of it, in a transaction. 0 or -errno. */
STORE_MUST_CHECK int parcel_write(const struct parcel *parcel, const struct environment *environment, MDB_txn *txn);

/* The large append that is being written in pieces, and the writes behind it. */
struct staging {
    struct list waiting; /* the first is at work */
    struct record *marks;
    bool is_first; /* piece of all */
    size_t record, offset, n_bytes;
    uint32_t piece;
    struct parcel parcel; /* with the next piece */
    struct buffer packed;
    ZSTD_CCtx *context;
};

/* A call that waits until everything that was committed before it is packed. */
struct pack {
    struct request request;                   /* first */
    uint64_t fold;                            /* when so many folds have begun, the last of them has seen all of it */
    void (*packed)(struct pack *pack, int r); /* on the commit thread; the pack is its own then */
    store_done_fn *done;
    void *arg;
};

struct commit {
    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* Under the mutex. */
    struct list writes, parcels, packs;
    size_t n_writes, n_told_at; /* of that list; with how many the thread wants to be told */
    bool is_stopping, is_folding;
    bool has_news;  /* a fold has ended, or somebody waits for one */
    int fold_error; /* why the last fold failed */

    /* The thread's own. */
    struct list current;  /* writes taken over and not yet committed */
    struct list unpacked; /* the same of packs */
    uint64_t n_folds;     /* that have begun */
    bool holds_writes;    /* they wait: the store is being written anew */
    struct staging staging;
    struct buffer batch;
    struct counters counters;
    size_t inbox_bytes, inbox_batches;
    bool wants_fold; /* a log was removed: its records shall go soon */
    uint64_t fold_retry_batch;
    struct gather gather;
    size_t n_settled; /* writes of the last round, and what that took */
    uint64_t took_ns;
};

void commit_init(struct commit *commit);
STORE_MUST_CHECK int commit_start(struct lmdb_store *store);
STORE_MUST_CHECK int commit_load(
    struct lmdb_store *store); /* what the next batch is called, and how full the inbox is */
/* After a transaction or a compaction that failed, on the commit thread, before anybody is told: the environment is
 * usable again, if it can be. */
void store_recover(struct lmdb_store *store);
void commit_finish(struct commit *commit); /* when every write has been answered; waits for the thread */
void commit_enqueue(struct lmdb_store *store, struct list *writes, size_t n); /* empties the list */
void commit_enqueue_parcel(struct lmdb_store *store, struct parcel *parcel);
void commit_fold_ended(struct lmdb_store *store, int r);
/* Begins a fold, unless one goes on; its end is told as any other's. */
void commit_fold_now(struct lmdb_store *store);
void commit_enqueue_pack(struct lmdb_store *store, struct pack *pack);
STORE_MUST_CHECK int commit_measure_inbox(struct lmdb_store *store, MDB_txn *txn);

/* pack.c, on the commit thread. */
void pack_wait(struct lmdb_store *store, struct pack *pack); /* from now on */
bool packs_want_fold(const struct lmdb_store *store);
void packs_serve(struct lmdb_store *store);

/* One turn of the thread. */
struct round {
    bool may_write;               /* false: the inbox is full, and is being folded */
    int full;                     /* why that will not help: what appends fail with */
    struct list members, refused; /* writes */
    struct list parcels;
    struct batch_head head;
    uint64_t next_number;
    size_t n_bytes;
    bool has_piece;   /* of a large append, rides along */
    bool ends_staged; /* the append whose pieces are written is among the members */
    bool clears;      /* pieces may be left that nobody will want */
};

/* Gathers, commits, answers. */
void round_run(struct lmdb_store *store, struct round *round);

/* All on the commit thread. */
void staging_init(struct staging *staging);
void staging_finish(struct staging *staging);
/* true: the write, from its queue, waits now, until its pieces are written or behind one that does. */
bool staging_takes(struct lmdb_store *store, struct write *write);
/* The next piece of the first that waits. 0 or -errno, or what its log has failed with. */
STORE_MUST_CHECK int staging_prepare(struct lmdb_store *store);
STORE_MUST_CHECK int staging_write(struct lmdb_store *store, MDB_txn *txn); /* what was prepared */
void staging_advance(struct lmdb_store *store);                             /* it is durable */
void staging_fail(struct lmdb_store *store, int r);                         /* it is not, and so the append fails */
/* In the transaction that commits the append. */
STORE_MUST_CHECK int staging_end(struct lmdb_store *store, MDB_txn *txn);
/* Pieces that were written for nothing go, then their note, each in a transaction of its own; what fails, with the next
 * large append. */
void staging_clear(struct lmdb_store *store);

/* ---- the worker -------------------------------------------------------------------------------------------------- */

enum job_step {
    JOB_PARCEL,  /* the parcel is filled: commit it, then call again */
    JOB_FINISHED /* *r says how it went */
};

/* Work in steps of a parcel each, beside everything else. Jobs that write segments take turns, a step each: what one
 * computes is durable before another looks. */
struct job {
    struct parcel parcel;
    struct list link; /* while it waits for its turn */
    bool takes_turns;
    enum job_step (*step)(struct lmdb_store *store, struct view *view, int *r); /* within a view */
    void (*ended)(struct lmdb_store *store, int r);
};

/* What a parcel of the fold says of sources and collections. */
struct tally {
    void *sources;           /* of one slice; search.h */
    struct list collections; /* of the whole parcel */
    struct buffer scratch;
};

void tally_init(struct tally *tally);
void tally_reset(struct tally *tally); /* forgets what was not put */
void tally_finish(struct tally *tally);
/* A record is folded. */
STORE_MUST_CHECK int tally_source(struct tally *tally, struct view *view, uint64_t number, const struct record *record,
                                  uint64_t version);
/* A log of that name has come to exist, or does not any more. */
STORE_MUST_CHECK int tally_collection(struct tally *tally, struct bytes name_key, bool before, bool after);
/* Each empties what it puts. */
STORE_MUST_CHECK int tally_put_sources(struct tally *tally, struct parcel *parcel);
STORE_MUST_CHECK int tally_put_collections(struct tally *tally, struct view *view, struct parcel *parcel);

#define FOLD_OPEN_MAX 8

struct fold {
    struct job job;
    struct buffer scratch;
    uint64_t last_batch;
    bool is_done;      /* the batches go with the parcel on its way */
    uint64_t *numbers; /* of the logs to fold, ascending */
    size_t n_numbers, position;
    struct mapped room;
    struct record *records; /* of the slice at hand, in the room */
    size_t n_records;
    struct segment open[FOLD_OPEN_MAX]; /* that are written anew with it, the newest first */
    size_t n_open;
    struct tally tally;
};

struct snapshotting {
    struct job job;
    struct buffer scratch;
    struct snapshot_put *put;
    struct buffer content, packed;
    bool is_packed; /* then content is given back */
    struct manifest manifest;
    uint32_t next_chunk;
};

/* One call at a time: what it replaces is folded first. */
struct merging {
    struct job job;
    struct merge *merge;
    bool waits; /* for a fold */
    bool is_written;
    struct segment left, right; /* the segments that it begins and ends in */
    struct record *records;     /* what they become */
    size_t n_records;
};

/* Who is told on the worker of a request's repacking. */
struct repack_hooks {
    void (*looked)(struct request *request, uint64_t n_done, uint64_t n_total); /* at segments, about; may be NULL */
    void (*ended)(struct request *request, int r);
};

/* Rewrites segments that are not tight. */
struct repacking {
    struct job job;
    bool is_done;
    uint64_t number, version; /* goes on from here */
    uint64_t n_looked;        /* segments, since it began: of about as many as DB_LOG has */
    double ratio;             /* of the segment written last, as in packing_put */
    struct record *records;   /* of a run of segments: borrow from bytes */
    size_t n_records, capacity;
    struct buffer bytes;
    const struct repack_hooks *hooks; /* NULL: it is not going on */
    struct request *request;
};

struct worker {
    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* Under the mutex. */
    struct list requests, parcels;
    bool is_stopping, fold_is_due;

    /* The thread's own. */
    struct view view;
    struct segment_writer writer;
    struct job *turn;  /* the job that writes segments, while its parcel is under way */
    struct list turns; /* those that will: jobs */
    struct list lane;  /* requests that write snapshots, or drop some, in the order of the calls */
    struct fold fold;
    struct snapshotting snapshotting;
    struct merging merging;
    struct repacking repacking;
};

void worker_init(struct worker *worker);
STORE_MUST_CHECK int worker_start(struct lmdb_store *store);
void worker_stop(struct lmdb_store *store); /* when every read has been answered; waits for the thread */
void worker_finish(struct worker *worker);
void worker_enqueue(struct lmdb_store *store, struct request *request);
void worker_enqueue_parcel(struct lmdb_store *store, struct parcel *parcel); /* back from the commit thread */
void worker_fold(struct lmdb_store *store);

void fold_init(struct fold *fold);
void fold_finish(struct fold *fold);
/* Chooses what will be folded: everything there is. */
STORE_MUST_CHECK int fold_begin(struct lmdb_store *store, struct view *view);

/* On the worker: the request's `begin` is called when those in front of it in the lane are done with. */
void worker_line_up(struct lmdb_store *store, struct request *request);
/* On the worker: the job's first step, or its turn for it. */
void worker_start_job(struct lmdb_store *store, struct job *job);
/* The same, of a job that takes turns, from within a view: its first step is not taken from inside the call. */
void worker_queue_job(struct lmdb_store *store, struct job *job);

void snapshotting_init(struct snapshotting *snapshotting);
void snapshotting_finish(struct snapshotting *snapshotting);

void merging_init(struct merging *merging);
void merging_finish(struct merging *merging);
void merging_fold_ended(struct lmdb_store *store, int r); /* if it waits for that */

/* Records as segments, quickly packed. ratio: how well such records pack, as far as is known: packing_raw_bytes against
 * the bytes of their segments. */
#define PACKING_RATIO 4.0
STORE_MUST_CHECK int packing_put(struct lmdb_store *store, struct parcel *parcel, uint64_t number, uint64_t first,
                                 const struct record *records, size_t n, double ratio);
size_t packing_raw_bytes(const struct record *records, size_t n);

void repacking_init(struct repacking *repacking);
void repacking_finish(struct repacking *repacking);
/* On the worker: begins to write anew what is not tight of every log's segments, in the background. `ended` is called
 * in no view, exactly once and never from inside the call. Folds and merges go on in between; what is in the inbox
 * stays there. -EBUSY: it is going on. */
STORE_MUST_CHECK int repack_begin(struct lmdb_store *store, const struct repack_hooks *hooks, struct request *request);

/* ---- the store --------------------------------------------------------------------------------------------------- */

struct lmdb_store {
    struct store base; /* first */
    struct store_lmdb_config config;
    struct environment environment;
    pthread_rwlock_t environment_in_use; /* read: whoever is inside, but the commit thread; written: who replaces it */
    struct store_lmdb_tuning tuning;
    bool is_read_only;

    /* The loop's own. */
    atomic_bool is_closing; /* others may look */
    bool is_compacting;
    size_t n_outstanding;
    void *logs;        /* open ones by name; search.h */
    struct list fresh; /* writes that the next dispatch hands over */
    size_t n_fresh;

    pthread_mutex_t answers_mutex;
    pthread_cond_t answers_changed;
    struct list answers;
    struct backup *backup; /* the one under way; changed by the loop alone */
    atomic_int health;

    struct commit commit;
    struct worker worker;
};

static inline struct lmdb_store *lmdb_store_of(struct store *store)
{
    return (struct lmdb_store *)store;
}

static inline struct lmdb_log *lmdb_log_of(struct store_log *log)
{
    return (struct lmdb_log *)log;
}

static inline struct lmdb_store *lmdb_log_store(struct store_log *log)
{
    return lmdb_store_of(log->store);
}

/* 0, -ESHUTDOWN, or for writes -EROFS. */
STORE_MUST_CHECK int lmdb_accepts_reads(const struct lmdb_store *store);
STORE_MUST_CHECK int lmdb_accepts_writes(const struct lmdb_store *store);

/* A request of n_bytes, zeroed, answered by `answer`; NULL without memory. */
void *lmdb_request_create(struct lmdb_store *store, size_t n_bytes, void (*answer)(struct request *request));
void lmdb_request_serve(struct request *request,
                        enum served (*serve)(struct request *request, struct view *view)); /* queues it */

/* From any thread: these are ready. The list is emptied. */
void lmdb_answer(struct lmdb_store *store, struct list *requests);
void lmdb_answer_one(struct request *request);

/* reads.c, snapshot.c, listing.c: as engine.h has them. */
int lmdb_find(struct store_log *log, struct op_id id, store_find_fn *done, void *arg);
int lmdb_read(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes, store_read_fn *done, void *arg);
int lmdb_version_at(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg);
int lmdb_snapshot_get(struct store_log *log, uint64_t at_most, store_snapshot_fn *done, void *arg);
int lmdb_snapshot_put(struct store_log *log, uint64_t version, store_produce_fn *produce, store_done_fn *done,
                      void *arg);
int lmdb_merge(struct store_log *log, uint64_t from, const struct record *records, size_t n, store_done_fn *done,
               void *arg);
int lmdb_list(struct store *base, const struct store_list_query *query, store_list_fn *done, void *arg);
int lmdb_collections(struct store *base, store_collections_fn *done, void *arg);
int lmdb_meta_get(struct store *base, struct bytes key, store_meta_fn *done, void *arg);

/* collections.c: logs and of them those that exist, from rows and overlay. */
STORE_MUST_CHECK int lmdb_count_logs(struct view *view, uint64_t *n_logs, uint64_t *n_documents);

/* pack.c, compact.c, sizes.c. */
int lmdb_pack(struct store *base, store_done_fn *done, void *arg);
int lmdb_compact(struct store *base, store_progress_fn *progress, store_done_fn *done, void *arg);
int lmdb_sizes(struct store *base, store_sizes_fn *done, void *arg);
/* backup.c */
int lmdb_backup(struct store *base, int fd, store_done_fn *done, void *arg);
/* From any thread. backup_cut ends it, if its receiver is a socket. */
bool backup_goes_on(struct lmdb_store *store);
void backup_cut(struct lmdb_store *store);

/* Small values of the server keep apart from our own in DB_META. */
#define META_KEY_MAX   64
#define META_VALUE_MAX 4096
struct meta_key {
    size_t n_bytes;
    char at[1 + META_KEY_MAX];
};
struct meta_key meta_key_of(struct bytes key);

#endif
