/* Where the space is: pages of each database, the rest of the file, and what is counted anyway. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "storage/lmdb/inside.h"

#define DBI_FREE     ((MDB_dbi)0) /* LMDB's own list of pages that are free, under the transaction that freed them */
#define N_META_PAGES 2

struct sizing {
    struct request request; /* first */
    struct store_sizes sizes;
    store_sizes_fn *done;
    void *arg;
};

static uint64_t bytes_of_pages(const MDB_stat *stat)
{
    return (uint64_t)(stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages) * stat->ms_psize;
}

static int measure_databases(struct view *view, struct store_sizes *sizes)
{
    const struct environment *environment = view->environment;
    int code = 0;

    for (size_t i = 0; !code && i < N_DBS; i++) {
        MDB_stat stat = { 0 };
        uint64_t *into = &sizes->other_bytes;

        if (i == DB_LARGE && !environment->has_large)
            continue;
        code = mdb_stat(view->txn, environment->dbs[i], &stat);
        switch (i) {
        case DB_INBOX:
            into = &sizes->inbox_bytes;
            sizes->n_batches = stat.ms_entries;
            break;
        case DB_LOG:
            into = &sizes->segment_bytes;
            sizes->n_segments = stat.ms_entries;
            break;
        case DB_SNAPSHOTS:
            into = &sizes->snapshot_bytes;
            sizes->n_snapshots = stat.ms_entries;
            break;
        case DB_CHUNKS: into = &sizes->snapshot_bytes; break;
        case DB_LARGE: into = &sizes->large_bytes; break;
        default: break;
        }
        *into += bytes_of_pages(&stat);
    }
    return environment_errno(code);
}

/* The list of free pages, and the table of databases. */
static int measure_other(struct view *view, struct store_sizes *sizes)
{
    const MDB_dbi others[] = { DBI_FREE, view->environment->main };
    MDB_stat stat = { 0 };
    int code = 0;

    for (size_t i = 0; !code && i < 2; i++) {
        code = mdb_stat(view->txn, others[i], &stat);
        sizes->other_bytes += bytes_of_pages(&stat);
    }
    sizes->other_bytes += (uint64_t)N_META_PAGES * stat.ms_psize;
    return environment_errno(code);
}

/* All pages that the view does not see in use: LMDB's figures for the file are those of the newest commit, which may be
 * a later one. */
static int measure_file(struct view *view, struct store_sizes *sizes)
{
    uint64_t n_used =
        sizes->inbox_bytes + sizes->segment_bytes + sizes->snapshot_bytes + sizes->large_bytes + sizes->other_bytes;
    mdb_filehandle_t fd;
    MDB_envinfo info;
    struct stat file;
    int code = mdb_env_get_fd(view->environment->env, &fd);

    if (!code)
        code = mdb_env_info(view->environment->env, &info);
    if (code)
        return environment_errno(code);
    if (fstat(fd, &file))
        return -errno;
    sizes->file_bytes = (uint64_t)file.st_size;
    sizes->max_bytes = info.me_mapsize;
    sizes->free_bytes = sizes->file_bytes > n_used ? sizes->file_bytes - n_used : 0;
    return 0;
}

static enum served sizing_serve(struct request *request, struct view *view)
{
    struct store_sizes *sizes = &((struct sizing *)request)->sizes;
    int r = measure_databases(view, sizes);

    if (!r)
        r = measure_other(view, sizes);
    if (!r)
        r = measure_file(view, sizes);
    if (!r)
        r = lmdb_count_logs(view, &sizes->n_logs, &sizes->n_documents);
    request->r = r;
    return SERVED;
}

static void sizing_answer(struct request *request)
{
    struct sizing *sizing = (struct sizing *)request;

    sizing->done(sizing->arg, request->r, request->r ? NULL : &sizing->sizes);
    free(sizing);
}

int lmdb_sizes(struct store *base, store_sizes_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct sizing *sizing;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    sizing = lmdb_request_create(store, sizeof(*sizing), sizing_answer);
    if (!sizing)
        return -ENOMEM;
    sizing->done = done;
    sizing->arg = arg;
    lmdb_request_serve(&sizing->request, sizing_serve);
    return 0;
}
