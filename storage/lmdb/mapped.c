#define ZSTD_STATIC_LINKING_ONLY /* of the shared library, too: ZSTD_createCCtx_advanced */
#include "storage/lmdb/mapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pool.h"

#define HEAD_BYTES 64u /* in front of each: how large it is; aligned for what zstd puts behind it */

static void *block_take(size_t n_bytes)
{
    size_t n_all = n_bytes + HEAD_BYTES;
    void *at;

    if (n_all < n_bytes)
        return NULL;
    if (POOL_IS_WATCHED) {
        at = malloc(n_all);
    } else {
        at = mmap(NULL, n_all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        at = at == MAP_FAILED ? NULL : at;
    }
    if (!at)
        return NULL;
    memcpy(at, &n_all, sizeof(n_all));
    return (char *)at + HEAD_BYTES;
}

static void block_give(void *block)
{
    char *at = block ? (char *)block - HEAD_BYTES : NULL;
    size_t n_all;

    if (POOL_IS_WATCHED) {
        free(at);
    } else if (at) {
        memcpy(&n_all, at, sizeof(n_all));
        (void)munmap(at, n_all);
    }
}

int mapped_reserve(struct mapped *mapped, size_t n_bytes)
{
    if (n_bytes <= mapped->n_bytes)
        return 0;
    mapped_finish(mapped);
    mapped->at = block_take(n_bytes);
    if (!mapped->at)
        return -ENOMEM;
    mapped->n_bytes = n_bytes;
    return 0;
}

void mapped_finish(struct mapped *mapped)
{
    block_give(mapped->at);
    *mapped = (struct mapped){ 0 };
}

/* ---- for zstd ---------------------------------------------------------------------------------------------------- */

static void *tables_take(void *opaque, size_t n_bytes)
{
    (void)opaque;
    return block_take(n_bytes);
}

static void tables_give(void *opaque, void *tables)
{
    (void)opaque;
    block_give(tables);
}

ZSTD_CCtx *mapped_context(void)
{
    return ZSTD_createCCtx_advanced((ZSTD_customMem){ tables_take, tables_give, NULL });
}
