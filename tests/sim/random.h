/* Chance from a seed: the same seed, the same run (splitmix64). */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_random_u64(struct sim_random *random)
{
    uint64_t z = (random->state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* [0, n); n at least 1. */
static inline size_t sim_random_below(struct sim_random *random, size_t n)
{
    return (size_t)(sim_random_u64(random) % n);
}

static inline bool sim_random_chance(struct sim_random *random, unsigned n_of_1000)
{
    return sim_random_below(random, 1000) < n_of_1000;
}

#endif
