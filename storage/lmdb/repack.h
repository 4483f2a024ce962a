/* Repacking by itself, for tests of it; store_compact does it as one step of several. As the calls of store.h: done is
 * called on the loop, from within store_dispatch. -EBUSY through done: it is going on already. */
#ifndef STORAGE_LMDB_REPACK_H
#define STORAGE_LMDB_REPACK_H

#include "storage/store.h"

STORE_MUST_CHECK int lmdb_repack(struct store *store, store_done_fn *done, void *arg);

#endif
