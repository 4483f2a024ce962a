/* How far long work has come, on a terminal; elsewhere nothing is shown. On standard error, in one line that goes again
 * at the end.
 *
 *     packing  [#########                     ]  31 %    12 s left */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;
    bool is_shown;
    double started, drawn; /* seconds of the monotonic clock */
};

void progress_begin(struct progress *progress, const char *what);
/* total 0: not known, only `done` is shown. Draws at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

#endif
