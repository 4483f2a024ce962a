/* Time and chance, as an argument: the simulation passes its own. */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct world {
    uint64_t (*now_ms)(void *arg);                         /* since 1970; may jump backwards */
    void (*random)(void *arg, void *into, size_t n_bytes); /* unpredictable bytes */
    void *arg;
    uint64_t (*monotonic_us)(void *arg); /* since some beginning; never jumps. NULL: now_ms has to do */
};

extern const struct world world_real;

static inline uint64_t world_now_ms(const struct world *world)
{
    return world->now_ms(world->arg);
}

/* For how long something takes. */
static inline uint64_t world_monotonic_us(const struct world *world)
{
    return world->monotonic_us ? world->monotonic_us(world->arg) : world_now_ms(world) * 1000;
}

static inline void world_random(const struct world *world, void *into, size_t n_bytes)
{
    world->random(world->arg, into, n_bytes);
}

#endif
