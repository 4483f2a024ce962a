#include "storage/lmdb/gather.h"

#define PATIENCE_MAX_NS 5000000u
#define VAIN_MAX        6 /* 63 commits, before patience is tried again */

void gather_begin(struct gather *gather, size_t n_answered, size_t n_waiting, uint64_t took_ns, uint64_t now_ns)
{
    gather->n_wanted = 1;
    gather->n_before = n_waiting;
    gather->until_ns = 0;
    if (gather->n_skipped) {
        gather->n_skipped--;
        return;
    }
    if (n_answered + n_waiting < 2)
        return;
    gather->n_wanted = n_answered + n_waiting;
    gather->until_ns = now_ns + (took_ns < PATIENCE_MAX_NS ? took_ns : PATIENCE_MAX_NS);
}

bool gather_goes_on(const struct gather *gather, size_t n_waiting, uint64_t now_ns)
{
    return n_waiting < gather->n_wanted && now_ns < gather->until_ns;
}

void gather_end(struct gather *gather, size_t n_waiting, uint64_t now_ns)
{
    size_t n_anyway = gather->n_before ? gather->n_before : 1;

    if (gather->n_wanted <= 1)
        return;
    if (n_waiting > n_anyway) {
        gather->n_vain = 0;
        return;
    }
    if (now_ns < gather->until_ns)
        return;
    if (gather->n_vain < VAIN_MAX)
        gather->n_vain++;
    gather->n_skipped = (1u << gather->n_vain) - 1;
}
