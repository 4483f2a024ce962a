/* How often something took how long. The bounds are fixed, an addition allocates nothing.
 *
 *     n        | up to 100 us | up to 250 us | ... | up to 10 s | longer |
 *     bounds          [0]            [1]      ...       [15]
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 16

extern const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
    uint64_t n[HISTOGRAM_BOUNDS + 1]; /* each counts its own, not those below */
    uint64_t sum_us;
};

static inline void histogram_add(struct histogram *histogram, uint64_t us)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && us > histogram_bounds_us[i])
        i++;
    histogram->n[i]++;
    histogram->sum_us += us;
}

#endif
