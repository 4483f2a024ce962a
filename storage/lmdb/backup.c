/* A copy of the store while it is in use. LMDB writes it, page by page, on a thread of its own: the receiver may be a
 * client at the end of a slow line, and neither the worker nor the commit thread waits for him. The pages stay pinned
 * meanwhile, so the store grows by what is written.
 *
 * LMDB keeps writers out while it writes the first two pages, which is why fd must take them at once. Unused pages are
 * copied as well: without them it would hold the writers up for much longer. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "storage/lmdb/guard.h"
#include "storage/lmdb/inside.h"

struct backup {
    struct request request; /* first */
    pthread_t thread;
    int fd;
    store_done_fn *done;
    void *arg;
};

static int copy(MDB_env *env, int fd)
{
    int code;

    guard_enter("copying it");
    code = mdb_env_copyfd2(env, fd, 0);
    guard_leave();
    return code;
}

static void *backup_main(void *arg)
{
    struct backup *backup = arg;
    struct lmdb_store *store = backup->request.store;
    int code = EIO; /* recovery could not open the files again */

    (void)pthread_setname_np(pthread_self(), "backup");
    (void)pthread_rwlock_rdlock(&store->environment_in_use);
    if (store->environment.env)
        code = copy(store->environment.env, backup->fd);
    (void)pthread_rwlock_unlock(&store->environment_in_use);
    backup->request.r = environment_errno(code);
    lmdb_answer_one(&backup->request);
    return NULL;
}

static void backup_forget(struct lmdb_store *store)
{
    (void)pthread_mutex_lock(&store->answers_mutex);
    store->backup = NULL;
    (void)pthread_mutex_unlock(&store->answers_mutex);
}

static void backup_answer(struct request *request)
{
    struct backup *backup = (struct backup *)request;

    (void)pthread_join(backup->thread, NULL);
    backup_forget(request->store);
    backup->done(backup->arg, request->r);
    free(backup);
}

bool backup_goes_on(struct lmdb_store *store)
{
    bool goes_on;

    (void)pthread_mutex_lock(&store->answers_mutex);
    goes_on = store->backup != NULL;
    (void)pthread_mutex_unlock(&store->answers_mutex);
    return goes_on;
}

void backup_cut(struct lmdb_store *store)
{
    (void)pthread_mutex_lock(&store->answers_mutex);
    if (store->backup)
        (void)shutdown(store->backup->fd, SHUT_RDWR); /* of a file or a pipe nothing comes */
    (void)pthread_mutex_unlock(&store->answers_mutex);
}

/* Signals are the loop's, and SIGPIPE is nobody's. */
static int thread_start(struct backup *backup)
{
    sigset_t all, before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&backup->thread, NULL, backup_main, backup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int lmdb_backup(struct store *base, int fd, store_done_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct backup *backup;
    int r = lmdb_accepts_reads(store);

    if (!r && store->backup)
        r = -EBUSY;
    if (r)
        return r;
    backup = lmdb_request_create(store, sizeof(*backup), backup_answer);
    if (!backup)
        return -ENOMEM;
    backup->fd = fd;
    backup->done = done;
    backup->arg = arg;
    (void)pthread_mutex_lock(&store->answers_mutex);
    store->backup = backup;
    (void)pthread_mutex_unlock(&store->answers_mutex);
    r = thread_start(backup);
    if (r) {
        backup_forget(store);
        free(backup);
        return r;
    }
    store->n_outstanding++;
    return 0;
}
