/* Which change was the last in each line of a text, found by playing its operations one after the other.
 *
 *     | line: 12 code points, change 3 | line: 1, change 7 | ...        a line and the newline that ends it
 *
 * A line is changed by what is typed in it or taken out of it. Pressing Enter at its end, or taking out whole lines
 * beside it, leaves it alone. The text itself is not kept. Each step costs a walk over blocks of some hundred lines. */
#ifndef CLI_AUTHORSHIP_H
#define CLI_AUTHORSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct authorship_block;

struct authorship {
    struct authorship_block **blocks;
    uint64_t *n_cps; /* in each block */
    size_t n_blocks, capacity;
    bool is_broken; /* no memory, or a position that does not exist */
};

/* The empty text: one line. change: a number of the caller's. */
void authorship_init(struct authorship *authorship, size_t change);
void authorship_finish(struct authorship *authorship);

void authorship_insert(struct authorship *authorship, uint64_t at_cp, struct bytes text, size_t change);
void authorship_delete(struct authorship *authorship, uint64_t at_cp, uint64_t n_cps, size_t change);

/* Calls each line in order, the last, without a newline, too. */
void authorship_each(const struct authorship *authorship, void (*each)(void *arg, uint64_t n_cps, size_t change),
                     void *arg);

uint64_t text_code_points(struct bytes text);

#endif
