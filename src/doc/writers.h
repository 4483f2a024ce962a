/* Who has written to a document lately, and how far: what recognises a repeated operation without asking the store.
 * A bounded table by src; the one used longest ago goes first. */
#ifndef DOC_WRITERS_H
#define DOC_WRITERS_H

#include "base/list.h"
#include "storage/store.h"

struct writer {
    struct list link;    /* by last use */
    struct writer *next; /* in its bucket */
    uint32_t hash;
    struct store_source known;
    size_t n_src;
    char src[];
};

struct writers {
    struct writer **buckets;
    size_t n_buckets, n, n_max;
    struct list used;
};

void writers_init(struct writers *writers, size_t n_max);
void writers_finish(struct writers *writers);
void writers_clear(struct writers *writers);
size_t writers_size(const struct writers *writers); /* bytes, about */

/* NULL: nothing is known here of that source, ask the store. */
struct writer *writers_find(struct writers *writers, struct bytes src);

/* Adds one that is not there. NULL without memory. */
struct writer *writers_add(struct writers *writers, struct bytes src, const struct store_source *known);

/* Its operation seq has its place at version. */
void writer_note(struct writer *writer, uint64_t seq, uint64_t version);

#endif
