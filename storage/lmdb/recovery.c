/* LMDB gives an environment up for good when it could not write its meta page and could not write the former one back
 * either: from then on nothing can be read or written. The files are as good as before, so they are closed and opened
 * again. Whether the failed transaction is in them is open; its writes are answered with the failure, so their logs
 * will be opened and read anew.
 *
 * The worker is kept out meanwhile: its view holds environment_in_use while it is inside. A backup does, too, for as
 * long as its receiver likes; it is cut. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "storage/lmdb/inside.h"

static bool has_given_up(const struct environment *environment)
{
    MDB_txn *txn;
    int code;

    if (!environment->env)
        return true; /* it could not be opened again the last time, or by a compaction */
    code = mdb_txn_begin(environment->env, NULL, 0, &txn);
    if (code == 0)
        mdb_txn_abort(txn);
    return code == MDB_PANIC;
}

static int renew(struct lmdb_store *store)
{
    int r;

    backup_cut(store);
    pthread_rwlock_wrlock(&store->environment_in_use);
    view_leave(&store->worker.view);
    r = environment_renew(&store->config, &store->environment);
    if (!r)
        r = commit_load(store);
    pthread_rwlock_unlock(&store->environment_in_use);
    return r;
}

void store_recover(struct lmdb_store *store)
{
    int r;

    if (!has_given_up(&store->environment))
        return;
    r = renew(store);
    if (r)
        log_error("store", "the store can't be opened again after a failed commit: %s", strerror(-r));
    else
        log_info("store", "opened again after a failed commit");
}
