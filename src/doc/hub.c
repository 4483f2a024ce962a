#include "doc/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "doc/inside.h"

#define HUB_FIRST_BUCKETS 64
#define HASH_SEED         2166136261u

const struct hub_config hub_defaults = {
    .limits = { .max_depth = 200, .max_components = 100000, .max_document_bytes = 64u << 20 },
    .recent_max_bytes = 1u << 20,
    .n_idle_max = 1000,
    .idle_max_bytes = 64u << 20,
    .idle_recent_max_bytes = 4u << 10,
    .n_writers_max = 1000,
    .slice_bytes = 64u << 10,
    .slice_work_bytes = 2u << 20,
    .work_max_bytes = 1u << 30,
    .snapshot_min_bytes = 64u << 10,
};

int hub_create(const struct hub_config *config, struct hub **out)
{
    struct hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        return -ENOMEM;
    hub->config = *config;
    hub->n_buckets = HUB_FIRST_BUCKETS;
    hub->buckets = calloc(hub->n_buckets, sizeof(struct document *));
    if (!hub->buckets) {
        free(hub);
        return -ENOMEM;
    }
    list_init(&hub->idle);
    buffer_init(&hub->scratch, STORE_RECORD_MAX_BYTES);
    *out = hub;
    return 0;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static uint32_t hash_more(uint32_t hash, struct bytes bytes)
{
    const unsigned char *at = bytes.at;

    for (size_t i = 0; i < bytes.n_bytes; i++)
        hash = (hash ^ at[i]) * 16777619u; /* FNV-1a */
    return (hash ^ 0xff) * 16777619u;      /* a byte that UTF-8 never has, so that a/bc is not ab/c */
}

uint32_t hub_hash(struct bytes name)
{
    return hash_more(HASH_SEED, name);
}

static uint32_t hash_of(struct store_name name)
{
    return hash_more(hub_hash(name.collection), name.id);
}

static struct document **slot_of(struct hub *hub, struct store_name name, uint32_t hash)
{
    struct document **slot = &hub->buckets[hash & (hub->n_buckets - 1)];

    while (*slot && ((*slot)->hash != hash || !bytes_equal((*slot)->name.id, name.id) ||
                     !bytes_equal((*slot)->name.collection, name.collection)))
        slot = &(*slot)->next;
    return slot;
}

/* A table that can't grow is slower, no more. */
static void grow(struct hub *hub)
{
    size_t n_buckets = hub->n_buckets * 2;
    struct document **buckets = calloc(n_buckets, sizeof(struct document *));

    if (!buckets)
        return;
    for (size_t i = 0; i < hub->n_buckets; i++) {
        while (hub->buckets[i]) {
            struct document *document = hub->buckets[i], **bucket = &buckets[document->hash & (n_buckets - 1)];

            hub->buckets[i] = document->next;
            document->next = *bucket;
            *bucket = document;
        }
    }
    free(hub->buckets);
    hub->buckets = buckets;
    hub->n_buckets = n_buckets;
}

struct document *hub_find(struct hub *hub, struct store_name name)
{
    struct document *document = *slot_of(hub, name, hash_of(name));

    return document ? document_ref(document) : NULL;
}

int hub_document(struct hub *hub, struct store_name name, struct document **out)
{
    uint32_t hash = hash_of(name);
    struct document **slot = slot_of(hub, name, hash);

    if (!*slot) {
        struct document *document = document_create(hub, name, hash);

        if (!document)
            return -ENOMEM;
        *slot = document;
        if (++hub->n_documents > hub->n_buckets)
            grow(hub);
        document->n_references = 1;
        *out = document;
        return 0;
    }
    *out = document_ref(*slot);
    return 0;
}

/* ---- idle documents ---------------------------------------------------------------------------------------------- */

/* About what memory holds of it. */
static size_t size_of(const struct document *document)
{
    return (document->value ? ot_snapshot_size(document->value) : 0) + document->recent.n_bytes +
           writers_size(&document->writers);
}

static void leave_idle(struct document *document)
{
    list_remove(&document->link);
    document->hub->n_idle--;
    document->hub->idle_bytes -= document->idle_bytes;
}

static void unload(struct document *document)
{
    struct hub *hub = document->hub;
    struct document **slot = slot_of(hub, document->name, document->hash);

    assert(*slot == document);
    *slot = document->next;
    leave_idle(document);
    hub->n_documents--;
    document_destroy(document);
}

static struct document *longest_idle(const struct hub *hub)
{
    return LIST_ENTRY(hub->idle.next, struct document, link);
}

void hub_in_use(struct document *document)
{
    leave_idle(document);
}

void hub_idle(struct document *document)
{
    struct hub *hub = document->hub;

    recent_trim(&document->recent, hub->config.idle_recent_max_bytes);
    list_append(&hub->idle, &document->link);
    hub->n_idle++;
    document->idle_bytes = size_of(document);
    hub->idle_bytes += document->idle_bytes;
    while (hub->n_idle > hub->config.n_idle_max || hub->idle_bytes > hub->config.idle_max_bytes)
        if (!document_keep_at_last(longest_idle(hub)))
            unload(longest_idle(hub));
}

void hub_destroy(struct hub *hub)
{
    if (!hub)
        return;
    while (hub->n_idle > 0)
        unload(longest_idle(hub));
    assert(!hub->n_documents && !hub->n_watched);
    buffer_finish(&hub->scratch);
    free(hub->buckets);
    free(hub);
}

/* ---- what others ask --------------------------------------------------------------------------------------------- */

struct store *hub_store(const struct hub *hub)
{
    return hub->config.store;
}

struct helper *hub_helper(const struct hub *hub)
{
    return hub->config.helper;
}

const struct world *hub_world(const struct hub *hub)
{
    return hub->config.world;
}

const struct ot_limits *hub_limits(const struct hub *hub)
{
    return &hub->config.limits;
}

void hub_figures(const struct hub *hub, struct hub_figures *out)
{
    *out = hub->figures;
    out->n_documents = hub->n_documents;
    out->n_idle = hub->n_idle;
}
