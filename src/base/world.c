#include "base/world.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t real_now_ms(void *arg)
{
    struct timespec now;

    (void)arg;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t real_monotonic_us(void *arg)
{
    struct timespec now;

    (void)arg;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void real_random(void *arg, void *into, size_t n_bytes)
{
    char *at = into;

    (void)arg;
    while (n_bytes) {
        ssize_t n = getrandom(at, n_bytes, 0);

        if (n < 0)
            continue; /* EINTR before the pool is ready; nothing else is possible here */
        at += n;
        n_bytes -= (size_t)n;
    }
}

const struct world world_real = { real_now_ms, real_random, NULL, real_monotonic_us };
