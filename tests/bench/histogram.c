#include "tests/bench/histogram.h"

#include <stddef.h>

static size_t bucket_of(uint64_t value)
{
    int shift = value < HISTOGRAM_STEPS ? 0 : 56 - __builtin_clzll(value);

    return (size_t)shift * HISTOGRAM_STEPS + (value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_end(size_t bucket)
{
    size_t shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;

    return ((bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->n++;
    histogram->sum += (double)value;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
    double wanted = share * (double)histogram->n;
    uint64_t n = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        n += histogram->counts[i];
        if (n > 0 && (double)n >= wanted)
            return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
    }
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->n ? histogram->sum / (double)histogram->n : 0;
}
