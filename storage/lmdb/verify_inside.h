/* What the files of verification and salvage share: a store as its lists of leaves, with the inbox
 * indexed by log. Nobody else includes it. */
#ifndef STORAGE_LMDB_VERIFY_INSIDE_H
#define STORAGE_LMDB_VERIFY_INSIDE_H

#include "storage/lmdb/batch.h"
#include "storage/lmdb/chain.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment.h"
#include "storage/lmdb/trees.h"

/* An entry of a batch, whose crc fits. */
struct filed {
    uint64_t number, batch, from, n;
    size_t offset;
    enum entry_kind kind;
};

struct filed_list {
    struct filed *at; /* in order of their logs, then of their batches */
    size_t n, capacity;
    bool is_whole; /* nothing of the inbox was damaged */
};

/* A name that DB_NAMES does not know, though DB_DOCS does. */
struct unnamed {
    uint64_t number;
    struct name_key key;
};

struct verify {
    struct trees trees;
    const struct verify_config *config;
    struct cursor cursors[N_DBS];
    struct filed_list inbox;
    struct unnamed *unnamed;
    size_t n_unnamed;
    uint32_t format;
    struct counters counters; /* as far as known: no log and no batch has a number from there on */
    struct segment segment;
    ZSTD_DCtx *pieces;
    struct buffer body;
};

/* Opens, and reads what leads to the logs. 0, -errno or STORE_FOREIGN, with a sentence in why. */
STORE_MUST_CHECK int verify_open(const struct verify_config *config, struct verify *out, char *why, size_t n_why);
void verify_close(struct verify *verify);
void verify_progress(const struct verify *verify, const char *what, uint64_t done, uint64_t total);

/* verify_inbox.c: tells of damaged batches. 0, -ENOMEM, -errno. */
STORE_MUST_CHECK int inbox_file(struct verify *verify);
/* The log's entries: [*from, *to) of the list. */
void inbox_of_log(const struct verify *verify, uint64_t number, size_t *from, size_t *to);
/* The entry again; valid until the cursor of the inbox steps. */
STORE_MUST_CHECK int inbox_read(struct verify *verify, const struct filed *filed, struct batch_entry *out);

/* ---- one log ----------------------------------------------------------------------------------------------------- */

struct log_state {
    uint64_t number;
    struct name_key key; /* n_bytes 0: its name is lost */
    char collection[NAME_BYTES_MAX];
    struct store_name name;
    bool has_row;                /* of `row` */
    bool is_created;             /* in the inbox */
    bool is_removed;             /* on its way out */
    struct row row;              /* as it is folded */
    struct row now;              /* with the inbox */
    size_t first_filed, n_filed; /* its entries in the inbox: [first, n) */
};

/* The lowest number above `after` of which there is anything; 0: none. */
STORE_MUST_CHECK int log_next(struct verify *verify, uint64_t after, uint64_t *out);
STORE_MUST_CHECK int log_find(struct verify *verify, uint64_t number, struct log_state *out);

/* Calls on_record for what is readable, in order, and on_problem where something is wrong: [from, to) is missing or
 * can't be trusted. Either ends the walk with a result that is not 0. */
struct log_walk {
    int (*on_record)(void *arg, uint64_t version, const struct record *record);
    int (*on_problem)(void *arg, enum db db, uint64_t from, uint64_t to, const char *what);
    void *arg;
};
STORE_MUST_CHECK int log_walk(struct verify *verify, const struct log_state *log, const struct log_walk *walk);

/* Appends a large body to verify->body, emptied before. 0, -EBADMSG, -ENOMEM, -errno. */
STORE_MUST_CHECK int log_body(struct verify *verify, uint64_t number, uint64_t version, size_t n_bytes);

/* verify_snapshots.c: versions of snapshots that are not hidden, or can't be told, ascending. Begin with a zeroed one;
 * `at` is the caller's to free. */
struct versions {
    uint64_t *at;
    size_t n, capacity;
};
STORE_MUST_CHECK int log_snapshot_versions(struct verify *verify, uint64_t number, struct versions *out);

/* Calls on_snapshot for each that can be read, on_problem (may be NULL) for the others, ascending, until one of them
 * returns other than 0. In memory are two contents at a time. */
struct snapshot_walk {
    int (*on_snapshot)(void *arg, uint64_t version, bool is_hidden, struct bytes content);
    int (*on_problem)(void *arg, uint64_t version, const char *why);
    void *arg;
};
STORE_MUST_CHECK int log_snapshots(struct verify *verify, uint64_t number, const struct snapshot_walk *walk);

/* Everything of a log; tells. 0, -ENOMEM, -errno. */
STORE_MUST_CHECK int log_verify(struct verify *verify, const struct log_state *log);

static inline struct verify_finding log_finding(const struct log_state *log, enum db db, uint64_t from, uint64_t to)
{
    return (struct verify_finding){ .severity = VERIFY_DAMAGE,
                                    .database = environment_db_name(db),
                                    .name = log->name,
                                    .number = log->number,
                                    .from = from,
                                    .to = to };
}

#endif
