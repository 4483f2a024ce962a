/* Blocks of one size that are taken and given back all the time, kept for the next who needs one, since glibc keeps
 * seven of a size at hand and hundreds are in use at once. For one thread.
 *
 *     first -> [ block ] -> [ block ] -> ...      at most n_max; what comes beyond is freed */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdlib.h>

/* A sanitizer is to see who uses a block that was given back. */
#ifdef __has_feature
#define POOL_IS_WATCHED __has_feature(address_sanitizer)
#elif defined __SANITIZE_ADDRESS__
#define POOL_IS_WATCHED 1
#else
#define POOL_IS_WATCHED 0
#endif

struct pool_block {
    struct pool_block *next;
};

struct pool {
    size_t n_block_bytes, n_max; /* set by its owner, at least a pointer's size */
    struct pool_block *first;
    size_t n;
};

/* Uninitialised; NULL without memory. */
static inline void *pool_take(struct pool *pool)
{
    struct pool_block *block = pool->first;

    if (!block)
        return malloc(pool->n_block_bytes);
    pool->first = block->next;
    pool->n--;
    return block;
}

static inline void pool_give(struct pool *pool, void *at)
{
    struct pool_block *block = at;

    if (POOL_IS_WATCHED || pool->n >= pool->n_max) {
        free(block);
        return;
    }
    block->next = pool->first;
    pool->first = block;
    pool->n++;
}

#endif
