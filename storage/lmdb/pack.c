/* Calls that wait for a fold: one that begins behind them, since one under way may not have seen what they mean. An
 * empty inbox is packed. */
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/inside.h"

/* ---- on the commit thread ---------------------------------------------------------------------------------------- */

void pack_wait(struct lmdb_store *store, struct pack *pack)
{
    struct commit *commit = &store->commit;

    pack->fold = commit->n_folds + 1;
    list_append(&commit->unpacked, &pack->request.link);
}

bool packs_want_fold(const struct lmdb_store *store)
{
    LIST_FOR_EACH (node, &store->commit.unpacked)
        if (LIST_ENTRY(node, struct pack, request.link)->fold > store->commit.n_folds)
            return true;
    return false;
}

/* false: not yet. *r: how the fold went. */
static bool is_packed(struct lmdb_store *store, const struct pack *pack, int *r)
{
    struct commit *commit = &store->commit;
    bool is_folding;

    pthread_mutex_lock(&commit->mutex);
    is_folding = commit->is_folding;
    *r = pack->fold <= commit->n_folds ? commit->fold_error : 0;
    pthread_mutex_unlock(&commit->mutex);
    return !is_folding && (pack->fold <= commit->n_folds || commit->inbox_batches == 0);
}

/* One that is served may wait for another fold, at the end of the list. */
void packs_serve(struct lmdb_store *store)
{
    struct list waiting, *node;
    int r;

    while (true) {
        bool is_any = false;

        list_take(&store->commit.unpacked, &waiting);
        while ((node = list_pop(&waiting))) {
            struct pack *pack = LIST_ENTRY(node, struct pack, request.link);

            if (is_packed(store, pack, &r)) {
                is_any = true;
                pack->packed(pack, r);
            } else {
                list_append(&store->commit.unpacked, node);
            }
        }
        if (!is_any)
            return;
    }
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static void pack_answer(struct request *request)
{
    struct pack *pack = (struct pack *)request;

    pack->done(pack->arg, request->r);
    free(pack);
}

static void pack_packed(struct pack *pack, int r)
{
    pack->request.r = r;
    lmdb_answer_one(&pack->request);
}

int lmdb_pack(struct store *base, store_done_fn *done, void *arg)
{
    struct lmdb_store *store = lmdb_store_of(base);
    struct pack *pack;
    int r = lmdb_accepts_writes(store);

    if (r)
        return r;
    pack = lmdb_request_create(store, sizeof(*pack), pack_answer);
    if (!pack)
        return -ENOMEM;
    pack->packed = pack_packed;
    pack->done = done;
    pack->arg = arg;
    store->n_outstanding++;
    commit_enqueue_pack(store, pack);
    return 0;
}
