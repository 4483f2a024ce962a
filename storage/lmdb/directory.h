/* The data directory itself. All: 0 or -errno. */
#ifndef STORAGE_LMDB_DIRECTORY_H
#define STORAGE_LMDB_DIRECTORY_H

#include <limits.h>

#include "storage/store.h"

STORE_MUST_CHECK int directory_path(char out[PATH_MAX], const char *path, const char *file);
STORE_MUST_CHECK int directory_create(const char *path); /* one level; there already is fine */

/* A new name is durable when the directory that it stands in has been synced. */
STORE_MUST_CHECK int directory_sync(const char *path);

/* What an ordinary user may still write on that disk. */
STORE_MUST_CHECK int directory_free_bytes(const char *path, uint64_t *out);

/* Locks (flock), held by the descriptor in *out until it is closed.
 *
 *     writer.lock      whoever writes; -EBUSY: another one does
 *     the directory    shared: whoever reads, from before he opens the files until he has closed them; works where
 *                      nothing can be written. Alone: whoever puts another file in the place of data.mdb, for that
 *                      moment; -EBUSY: somebody reads. Readers wait for him */
STORE_MUST_CHECK int directory_lock(const char *path, int *out);
STORE_MUST_CHECK int directory_share(const char *path, int *out);
STORE_MUST_CHECK int directory_lock_alone(const char *path, int *out);

#endif
