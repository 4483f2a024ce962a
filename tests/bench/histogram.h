/* How often which duration was met: fixed memory, whatever the number of values, and no value off by more than 1 %.
 *
 * Below 128 each value has a bucket of its own; above, each power of two is divided into 128. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   128
#define HISTOGRAM_BUCKETS (58 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t n, max;
    double sum;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that a share of all are not above; 0.5: the median, 1: the largest. 0 when there is none. */
uint64_t histogram_at(const struct histogram *histogram, double share);
double histogram_mean(const struct histogram *histogram);

#endif
