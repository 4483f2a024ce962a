/* A large file that comes to be bit by bit. What is written goes on to the disk at once, a portion at a time, and out
 * of memory: left to itself the system would gather gigabytes, and everybody who syncs would wait for them.
 *
 * All: 0 or -errno. */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include <stdint.h>

#include "base/bytes.h"

struct save {
    int fd;
    uint64_t n_bytes;   /* written */
    uint64_t n_settled; /* of them on the disk; a multiple of a portion */
};

/* In place of what is there. For its owner's eyes only. */
__attribute__((warn_unused_result)) int save_open(const char *path, struct save *out);
__attribute__((warn_unused_result)) int save_write(struct save *save, struct bytes piece);
/* Durable, apart from its name. Closes in any case. */
__attribute__((warn_unused_result)) int save_finish(struct save *save);

#endif
