/* Large blocks of memory that are needed for a moment, again and again, a little larger each time: what segments and
 * snapshots are packed and unpacked in. They come from the system and go back to it. In the heap they leave holes, each
 * too small for the next one; half an hour of everything at once showed them as steps of megabytes.
 *
 * Under the address sanitizer they are of the heap, which is watched. */
#ifndef STORAGE_LMDB_MAPPED_H
#define STORAGE_LMDB_MAPPED_H

#include <stddef.h>
#include <zstd.h>

#include "storage/store.h"

struct mapped {
    void *at; /* aligned for anything; NULL: nothing was asked for yet */
    size_t n_bytes;
};

/* Room for so many bytes; what was there is of no use any more. 0, -ENOMEM. */
STORE_MUST_CHECK int mapped_reserve(struct mapped *mapped, size_t n_bytes);
void mapped_finish(struct mapped *mapped);

/* A context for packing, with its tables in such blocks. For ZSTD_freeCCtx; NULL: no memory. */
ZSTD_CCtx *mapped_context(void);

#endif
