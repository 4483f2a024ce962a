/* Large blocks of memory that are needed for a moment, again and again, a little larger each time. They come from the
 * system and go back to it. In the heap they leave holes, each too small for the next one; half an hour of everything
 * at once showed them as steps of megabytes.
 *
 * Under the address sanitizer they are of the heap, which is watched. */
#ifndef BASE_MAPPED_H
#define BASE_MAPPED_H

#include <stddef.h>

#define MAPPED_LEAST_BYTES ((size_t)64 * 1024) /* addresses: only pages that are written to take memory */

/* Begin with a zeroed one. */
struct mapped {
    void *at; /* at the begin of a page; NULL: nothing was asked for yet */
    size_t n_bytes;
};

/* Both keep what is there: exactly so many bytes, more than 0; that many or more, as it is called again and again.
 * 0; -ENOMEM, and nothing has changed. */
__attribute__((warn_unused_result)) int mapped_resize(struct mapped *mapped, size_t n_bytes);
__attribute__((warn_unused_result)) int mapped_reserve(struct mapped *mapped, size_t n_bytes);

void mapped_finish(struct mapped *mapped);

#endif
