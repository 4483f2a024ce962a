/* The LMDB environment of a data directory: its files, its databases, its format record.
 *
 *     DATA/data.mdb      everything
 *     DATA/lock.mdb      LMDB's table of readers
 *     DATA/writer.lock   held (flock) by the one process that writes
 *     DATA/new.mdb       a store that is being created; left behind by a crash, and of no value then
 *     DATA/compact.mdb   the same store, written anew (rewrite.c); left behind by a crash, and of no value then
 */
#ifndef STORAGE_LMDB_ENVIRONMENT_H
#define STORAGE_LMDB_ENVIRONMENT_H

#include <lmdb.h>

#include "storage/lmdb/store_lmdb.h"

/* 1: without DB_LARGE, and what it is for. 2: without records that stand for several, and segments of format 2;
 * snapshots as they are. Becomes the newest when it is opened for writing. */
#define FORMAT_VERSION 3

/* The numbers are part of the format: checksums cover them. */
enum db {
    DB_META = 0,        /* name -> the store's own (".format", ".counters") and the server's small values */
    DB_INBOX = 1,       /* batch -> what was committed together (batch.h) */
    DB_LOG = 2,         /* log, first version -> segment (segment.h) */
    DB_DOCS = 3,        /* name -> row (rows.h) */
    DB_NAMES = 4,       /* log -> key of its row in DB_DOCS */
    DB_SOURCES = 5,     /* log, src -> what the log holds of that source */
    DB_SNAPSHOTS = 6,   /* log, version -> manifest of a whole snapshot */
    DB_CHUNKS = 7,      /* log, version, number -> a piece of a snapshot */
    DB_COLLECTIONS = 8, /* collection -> how many of its logs exist, as far as they are folded */
    DB_REMOVED = 9,     /* hash of a name -> the head above which a later log of that name continues */
    DB_LARGE = 10,      /* log, version, number -> a piece of a large body (large.h) */
    N_DBS
};

#define FORMAT_KEY ".format" /* in DB_META; there in every store */

struct environment {
    MDB_env *env; /* NULL: not open */
    MDB_dbi main; /* the tree of trees */
    MDB_dbi dbs[N_DBS];
    bool has_large; /* false: a store of version 1, opened for reading */
    int lock_fd;    /* of writer.lock; of the directory, when only reading; -1 */
};

/* As store_lmdb_open. After a failure there is nothing to close. */
STORE_MUST_CHECK int environment_open(const struct store_lmdb_config *config, struct environment *out, char *why,
                                      size_t n_why);
void environment_close(struct environment *environment);

/* Closes the files and opens them again, keeping the writer's lock; nobody may be inside. After a failure env is NULL,
 * and it may be tried again. */
STORE_MUST_CHECK int environment_renew(const struct store_lmdb_config *config, struct environment *environment);

/* A store of its own in the file `path`, new, with empty databases and without a format record. Not synced until it is
 * asked to be: nobody may need it before. */
STORE_MUST_CHECK int environment_create(const struct store_lmdb_config *config, const char *path,
                                        struct environment *out);

/* Writes everything anew into the file COMPACT_FILE beside data.mdb, in order and dense; synced. Nobody may write
 * meanwhile. -ENOSPC; -EBADMSG: a tree of the store is damaged. After a failure there is no such file. */
#define COMPACT_FILE "compact.mdb"
typedef void environment_progress_fn(void *arg, uint64_t n_done, uint64_t n_total); /* bytes, about */
STORE_MUST_CHECK int environment_rewrite(const struct store_lmdb_config *config, const struct environment *environment,
                                         environment_progress_fn *progress, void *arg);

/* The file is of no use any more, if it is there. 0 or -errno. */
int environment_forget_rewritten(const struct store_lmdb_config *config);

/* Puts COMPACT_FILE in the place of data.mdb and opens it; nobody may be inside. -EBUSY: another process reads; nothing
 * has happened. After other failures it is the one file or the other, and env may be NULL. */
STORE_MUST_CHECK int environment_replace(const struct store_lmdb_config *config, struct environment *environment);
const char *environment_db_name(enum db db);

/* -errno of what LMDB returned; 0 of 0. */
int environment_errno(int code);

/* 0, or -ENOENT, -EBADMSG (the checksum does not fit), -errno. out: what was sealed, valid within the transaction. */
STORE_MUST_CHECK int environment_get(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key,
                                     struct bytes *out);

/* Sealing: four bytes of CRC-32C in front of a value, over the number of its database, its key and itself. */
#define SEAL_BYTES 4
uint32_t seal_of(enum db db, struct bytes key, struct bytes value);
STORE_MUST_CHECK int unseal(enum db db, struct bytes key, struct bytes sealed, struct bytes *out);

static inline MDB_val val_of(struct bytes bytes)
{
    union {
        const void *borrowed;
        void *at;
    } data = { .borrowed = bytes.at }; /* LMDB's type knows no const; it does not write */

    return (MDB_val){ .mv_size = bytes.n_bytes, .mv_data = data.at };
}

static inline struct bytes bytes_of_val(MDB_val val)
{
    return bytes_of(val.mv_data, val.mv_size);
}

#endif
