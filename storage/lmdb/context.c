#define ZSTD_STATIC_LINKING_ONLY /* of the shared library, too: ZSTD_createCCtx_advanced */
#include "storage/lmdb/context.h"

#include <stdint.h>
#include <string.h>

#include "base/mapped.h"

#define HEAD_BYTES 64u /* in front of each block: how it is mapped; aligned for what zstd puts behind it */

static void *block_take(void *opaque, size_t n_bytes)
{
    struct mapped mapped = { 0 };

    (void)opaque;
    if (n_bytes > SIZE_MAX - HEAD_BYTES || mapped_resize(&mapped, n_bytes + HEAD_BYTES))
        return NULL;
    memcpy(mapped.at, &mapped, sizeof(mapped));
    return (char *)mapped.at + HEAD_BYTES;
}

static void block_give(void *opaque, void *block)
{
    struct mapped mapped;

    (void)opaque;
    if (!block)
        return;
    memcpy(&mapped, (char *)block - HEAD_BYTES, sizeof(mapped));
    mapped_finish(&mapped);
}

ZSTD_CCtx *context_create(void)
{
    return ZSTD_createCCtx_advanced((ZSTD_customMem){ block_take, block_give, NULL });
}
