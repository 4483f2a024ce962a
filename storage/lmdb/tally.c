/* What a parcel of the fold adds up to beside the segments: the newest of each source, and how many logs of each
 * collection exist. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "storage/lmdb/inside.h"

/* ---- collections: how many of their logs exist ------------------------------------------------------------------- */

struct tally_collection {
    struct list link;
    int64_t change;
    size_t n_name;
    char name[NAME_BYTES_MAX];
};

int tally_collection(struct tally *tally, struct bytes name_key, bool before, bool after)
{
    struct tally_collection *collection;
    char decoded[NAME_BYTES_MAX];
    struct store_name name;
    int r = name_key_split(name_key, decoded, &name);

    if (r || before == after)
        return r;
    LIST_FOR_EACH (node, &tally->collections) {
        collection = LIST_ENTRY(node, struct tally_collection, link);
        if (bytes_equal(bytes_of(collection->name, collection->n_name), name.collection)) {
            collection->change += after ? 1 : -1;
            return 0;
        }
    }
    collection = calloc(1, sizeof(*collection));
    if (!collection)
        return -ENOMEM;
    collection->change = after ? 1 : -1;
    collection->n_name = name.collection.n_bytes;
    memcpy(collection->name, name.collection.at, name.collection.n_bytes);
    list_append(&tally->collections, &collection->link);
    return 0;
}

static int collection_put(struct tally *tally, struct view *view, struct parcel *parcel,
                          const struct tally_collection *collection)
{
    struct bytes key = bytes_of(collection->name, collection->n_name), value;
    uint64_t n_documents = 0;
    int r = environment_get(view->environment, view->txn, DB_COLLECTIONS, key, &value);

    if (!r)
        r = number_decode(value, &n_documents);
    if (r && r != -ENOENT)
        return r;
    n_documents += (uint64_t)collection->change;
    buffer_reset(&tally->scratch);
    append_varint(&tally->scratch, n_documents);
    if (n_documents > 0)
        parcel_put_encoded(parcel, DB_COLLECTIONS, key, &tally->scratch);
    else
        parcel_delete(parcel, DB_COLLECTIONS, key);
    return parcel->ops.error;
}

int tally_put_collections(struct tally *tally, struct view *view, struct parcel *parcel)
{
    struct list *node;
    int r = 0;

    while ((node = list_pop(&tally->collections))) {
        struct tally_collection *collection = LIST_ENTRY(node, struct tally_collection, link);

        if (!r)
            r = collection_put(tally, view, parcel, collection);
        free(collection);
    }
    return r;
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

struct tally_source {
    struct log_key key; /* log and src */
    struct store_source source;
    bool is_known;
};

static int compare_sources(const void *left, const void *right)
{
    const struct tally_source *a = left, *b = right;

    return bytes_compare(log_key_bytes(&a->key), log_key_bytes(&b->key));
}

static int source_load(struct view *view, struct tally_source *source)
{
    struct bytes value;
    int r = environment_get(view->environment, view->txn, DB_SOURCES, log_key_bytes(&source->key), &value);

    if (!r)
        r = source_decode(value, &source->source);
    source->is_known = !r;
    return r == -ENOENT ? 0 : r;
}

int tally_source(struct tally *tally, struct view *view, uint64_t number, const struct record *record, uint64_t version)
{
    struct tally_source wanted = { .key = log_key_of_src(number, record->id.src) }, **node, *source;
    int r = 0;

    node = tfind(&wanted, &tally->sources, compare_sources);
    if (!node) {
        source = malloc(sizeof(*source));
        if (!source)
            return -ENOMEM;
        *source = wanted;
        node = tsearch(source, &tally->sources, compare_sources);
        if (!node) {
            free(source);
            return -ENOMEM;
        }
        r = source_load(view, source);
    }
    source_advance(&(*node)->source, &(*node)->is_known, record->id.seq, version);
    return r;
}

int tally_put_sources(struct tally *tally, struct parcel *parcel)
{
    while (tally->sources) {
        struct tally_source *source = *(struct tally_source **)tally->sources;

        buffer_reset(&tally->scratch);
        source_encode(&source->source, &tally->scratch);
        parcel_put_encoded(parcel, DB_SOURCES, log_key_bytes(&source->key), &tally->scratch);
        (void)tdelete(source, &tally->sources, compare_sources);
        free(source);
    }
    return parcel->ops.error;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void tally_init(struct tally *tally)
{
    *tally = (struct tally){ 0 };
    list_init(&tally->collections);
    buffer_init(&tally->scratch, SIZE_MAX / 2);
}

void tally_reset(struct tally *tally)
{
    struct list *node;

    while ((node = list_pop(&tally->collections)))
        free(LIST_ENTRY(node, struct tally_collection, link));
    while (tally->sources) {
        struct tally_source *source = *(struct tally_source **)tally->sources;

        (void)tdelete(source, &tally->sources, compare_sources);
        free(source);
    }
}

void tally_finish(struct tally *tally)
{
    tally_reset(tally);
    buffer_finish(&tally->scratch);
}
