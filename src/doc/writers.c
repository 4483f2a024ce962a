#include "doc/writers.h"

#include <errno.h>
#include <stdlib.h>

#define WRITERS_FIRST_BUCKETS 8
#define SRC_BYTES             32 /* of most */

static uint32_t hash_of(struct bytes src)
{
    const unsigned char *at = src.at;
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < src.n_bytes; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return hash;
}

void writers_init(struct writers *writers, size_t n_max)
{
    *writers = (struct writers){ .n_max = n_max };
    list_init(&writers->used);
}

static struct writer **slot_of(struct writers *writers, uint32_t hash, struct bytes src)
{
    struct writer **slot = &writers->buckets[hash & (writers->n_buckets - 1)];

    while (*slot && ((*slot)->hash != hash || !bytes_equal(bytes_of((*slot)->src, (*slot)->n_src), src)))
        slot = &(*slot)->next;
    return slot;
}

static void writer_drop(struct writers *writers, struct writer *writer)
{
    struct writer **slot = slot_of(writers, writer->hash, bytes_of(writer->src, writer->n_src));

    *slot = writer->next;
    list_remove(&writer->link);
    free(writer);
    writers->n--;
}

void writers_clear(struct writers *writers)
{
    while (writers->n)
        writer_drop(writers, LIST_ENTRY(writers->used.next, struct writer, link));
}

void writers_finish(struct writers *writers)
{
    writers_clear(writers);
    free(writers->buckets);
    writers->buckets = NULL;
    writers->n_buckets = 0;
}

size_t writers_size(const struct writers *writers)
{
    return writers->n * (sizeof(struct writer) + SRC_BYTES) + writers->n_buckets * sizeof(struct writer *);
}

/* Whoever writes alone, and whoever is asked for twice, is the one used last. */
struct writer *writers_find(struct writers *writers, struct bytes src)
{
    struct writer *writer = LIST_ENTRY(writers->used.previous, struct writer, link);

    if (!writers->n)
        return NULL;
    if (bytes_equal(bytes_of(writer->src, writer->n_src), src))
        return writer;
    writer = *slot_of(writers, hash_of(src), src);
    if (writer) {
        list_remove(&writer->link);
        list_append(&writers->used, &writer->link);
    }
    return writer;
}

static int writers_grow(struct writers *writers)
{
    size_t n_buckets = writers->n_buckets ? writers->n_buckets * 2 : WRITERS_FIRST_BUCKETS;
    struct writer **buckets = calloc(n_buckets, sizeof(*buckets));

    if (!buckets)
        return -ENOMEM;
    LIST_FOR_EACH (node, &writers->used) {
        struct writer *writer = LIST_ENTRY(node, struct writer, link);
        struct writer **bucket = &buckets[writer->hash & (n_buckets - 1)];

        writer->next = *bucket;
        *bucket = writer;
    }
    free(writers->buckets);
    writers->buckets = buckets;
    writers->n_buckets = n_buckets;
    return 0;
}

struct writer *writers_add(struct writers *writers, struct bytes src, const struct store_source *known)
{
    struct writer *writer, **slot;

    if (writers->n >= writers->n_buckets && writers_grow(writers))
        return NULL;
    writer = malloc(sizeof(*writer) + src.n_bytes);
    if (!writer)
        return NULL;
    if (writers->n >= writers->n_max)
        writer_drop(writers, LIST_ENTRY(writers->used.next, struct writer, link));

    *writer = (struct writer){ .hash = hash_of(src), .known = *known, .n_src = src.n_bytes };
    memcpy(writer->src, src.at, src.n_bytes);
    slot = &writers->buckets[writer->hash & (writers->n_buckets - 1)];
    writer->next = *slot;
    *slot = writer;
    list_append(&writers->used, &writer->link);
    writers->n++;
    return writer;
}

void writer_note(struct writer *writer, uint64_t seq, uint64_t version)
{
    if (seq >= writer->known.highest_seq) {
        writer->known.highest_seq = seq;
        writer->known.highest_version = version;
    }
    writer->known.newest_version = version;
}
