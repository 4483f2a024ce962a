/* The whole store, written anew: every database's entries in order, one behind the other, so that pages are full and
 * nothing of what was deleted is in them. A copy of the pages would not do: they keep keys that are not in use any more
 * as signposts, in them names of documents, and are as empty as they were. */
#include <errno.h>
#include <limits.h>

#include "storage/lmdb/directory.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/guard.h"

#define TRANSACTION_BYTES ((size_t)16 << 20) /* what a transaction of the copy holds in memory */

struct rewrite {
    const struct environment *from;
    MDB_txn *read;
    struct environment to;
    MDB_txn *write;
    size_t n_bytes; /* in the transaction */
    uint64_t n_done, n_total;
    environment_progress_fn *progress;
    void *arg;
};

static int write_begin(struct rewrite *rewrite)
{
    rewrite->n_bytes = 0;
    return mdb_txn_begin(rewrite->to.env, NULL, 0, &rewrite->write);
}

static int write_commit(struct rewrite *rewrite)
{
    MDB_txn *txn = rewrite->write;

    rewrite->write = NULL; /* gone, whatever comes of it */
    if (rewrite->progress)
        rewrite->progress(rewrite->arg, rewrite->n_done, rewrite->n_total);
    return mdb_txn_commit(txn);
}

static int put(struct rewrite *rewrite, enum db db, MDB_val *key, MDB_val *value)
{
    int code = mdb_put(rewrite->write, rewrite->to.dbs[db], key, value, MDB_APPEND);

    if (code == MDB_KEYEXIST)
        return MDB_CORRUPTED; /* not in order */
    rewrite->n_bytes += key->mv_size + value->mv_size;
    rewrite->n_done += key->mv_size + value->mv_size;
    if (!code && rewrite->n_bytes >= TRANSACTION_BYTES) {
        code = write_commit(rewrite);
        if (!code)
            code = write_begin(rewrite);
    }
    return code;
}

/* The file's two first pages are of the last two transactions: so that each of them leads to everything, the last one
 * changes nothing. */
static int write_again(struct rewrite *rewrite)
{
    MDB_val key = val_of(bytes_of_string(FORMAT_KEY)), value;
    int code = write_begin(rewrite);

    if (!code)
        code = mdb_get(rewrite->write, rewrite->to.dbs[DB_META], &key, &value);
    if (!code)
        code = mdb_put(rewrite->write, rewrite->to.dbs[DB_META], &key, &value, 0);
    return code ? code : write_commit(rewrite);
}

/* As many entries as the tree says it has: what a damaged one leads past is not left out in silence. */
static int rewrite_database(struct rewrite *rewrite, enum db db)
{
    MDB_val key, value;
    MDB_cursor *cursor;
    MDB_stat stat;
    size_t n = 0;
    int code = mdb_stat(rewrite->read, rewrite->from->dbs[db], &stat);

    if (!code)
        code = mdb_cursor_open(rewrite->read, rewrite->from->dbs[db], &cursor);
    if (code)
        return code;
    while (!(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        code = put(rewrite, db, &key, &value);
        if (code)
            break;
        n++;
    }
    mdb_cursor_close(cursor);
    if (code == MDB_NOTFOUND)
        return n == stat.ms_entries ? 0 : MDB_CORRUPTED;
    return code;
}

static int measure(struct rewrite *rewrite)
{
    int code = 0;

    for (size_t i = 0; !code && i < N_DBS; i++) {
        MDB_stat stat;

        code = mdb_stat(rewrite->read, rewrite->from->dbs[i], &stat);
        if (!code)
            rewrite->n_total +=
                (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
    }
    return code;
}

static int rewrite_all(struct rewrite *rewrite)
{
    int code = mdb_txn_begin(rewrite->from->env, NULL, MDB_RDONLY, &rewrite->read);

    if (!code)
        code = measure(rewrite);
    if (!code)
        code = write_begin(rewrite);
    for (size_t i = 0; !code && i < N_DBS; i++)
        code = rewrite_database(rewrite, (enum db)i);
    if (!code) {
        rewrite->n_done = rewrite->n_total;
        code = write_commit(rewrite);
    }
    if (!code)
        code = write_again(rewrite);
    if (!code)
        code = mdb_env_sync(rewrite->to.env, 1);
    mdb_txn_abort(rewrite->write);
    mdb_txn_abort(rewrite->read);
    return environment_errno(code);
}

int environment_rewrite(const struct store_lmdb_config *config, const struct environment *environment,
                        environment_progress_fn *progress, void *arg)
{
    struct rewrite rewrite = { .from = environment, .progress = progress, .arg = arg };
    char path[PATH_MAX];
    int r = environment->env ? directory_path(path, config->path, COMPACT_FILE) : -EIO;

    if (r)
        return r;
    r = environment_create(config, path, &rewrite.to);
    if (!r) {
        guard_enter("writing it anew");
        r = rewrite_all(&rewrite);
        guard_leave();
        environment_close(&rewrite.to);
    }
    if (r)
        (void)environment_forget_rewritten(config); /* a leftover does no harm */
    return r;
}
