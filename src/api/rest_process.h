/* What the system says of this process. */
#ifndef API_REST_PROCESS_H
#define API_REST_PROCESS_H

#include <stdint.h>

struct process_figures {
    double cpu_seconds; /* of all threads, since the start */
    uint64_t resident_bytes;
    uint64_t n_descriptors, n_descriptors_max; /* open; that may be */
};

void process_figures(struct process_figures *out);

#endif
