/* What zstd packs in: its tables come from the system and go back to it, as in base/mapped.h. */
#ifndef STORAGE_LMDB_CONTEXT_H
#define STORAGE_LMDB_CONTEXT_H

#include <zstd.h>

/* For ZSTD_freeCCtx; NULL: no memory. */
ZSTD_CCtx *context_create(void);

#endif
