#include "base/mapped.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/pool.h"

int mapped_resize(struct mapped *mapped, size_t n_bytes)
{
    void *at;

    if (POOL_IS_WATCHED)
        at = realloc(mapped->at, n_bytes);
    else if (mapped->at)
        at = mremap(mapped->at, mapped->n_bytes, n_bytes, MREMAP_MAYMOVE);
    else
        at = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!at || at == MAP_FAILED)
        return -ENOMEM;
    *mapped = (struct mapped){ at, n_bytes };
    return 0;
}

int mapped_reserve(struct mapped *mapped, size_t n_bytes)
{
    size_t n_all = mapped->at ? mapped->n_bytes : MAPPED_LEAST_BYTES;

    if (n_bytes > SIZE_MAX / 2)
        return -ENOMEM;
    while (n_all < n_bytes)
        n_all *= 2;
    return n_all == mapped->n_bytes ? 0 : mapped_resize(mapped, n_all);
}

void mapped_finish(struct mapped *mapped)
{
    if (POOL_IS_WATCHED)
        free(mapped->at);
    else if (mapped->at)
        (void)munmap(mapped->at, mapped->n_bytes);
    *mapped = (struct mapped){ 0 };
}
