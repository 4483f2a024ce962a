/* A snapshot put together from its manifest and its chunks, wherever these are read from. */
#ifndef STORAGE_LMDB_ASSEMBLE_H
#define STORAGE_LMDB_ASSEMBLE_H

#include "storage/lmdb/environment.h"

/* As environment_get: what was sealed, valid until the next call. */
struct snapshot_source {
    int (*get)(void *arg, enum db db, struct bytes key, struct bytes *out);
    void *arg;
};

/* The content of the snapshot of `version`, checked. -ENOENT: there is none; -EBADMSG: something of it is missing or
 * damaged; -ENOMEM. */
STORE_MUST_CHECK int snapshot_assemble(const struct snapshot_source *source, uint64_t number, uint64_t version,
                                       struct buffer *into);

#endif
