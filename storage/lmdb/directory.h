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

/* -EBUSY: another one writes here. out: the descriptor that holds the lock until it is closed. */
STORE_MUST_CHECK int directory_lock(const char *path, int *out);

#endif
