/* All open documents, by name. */
#ifndef DOC_HUB_H
#define DOC_HUB_H

#include "base/histogram.h"
#include "base/world.h"
#include "doc/document.h"

#define HUB_TYPES_OFF_MAX 16

struct hub_config {
    struct store *store;
    const struct world *world;
    struct helper *helper; /* NULL: what is large is done on the loop, too */
    struct ot_limits limits;
    size_t recent_max_bytes;      /* operations kept in memory for each document */
    size_t n_idle_max;            /* documents that nobody uses, kept loaded for whoever comes back: so many */
    size_t idle_max_bytes;        /* and so large together */
    size_t idle_recent_max_bytes; /* operations that each of these keeps; others are read from the log */
    size_t n_writers_max;         /* sources that each document remembers; others are looked up in the store */
    size_t slice_bytes;           /* operations read from the store at a time */
    /* Of operations, counted each time that one is transformed over another, both: at a time, and for one submission.
     */
    size_t slice_work_bytes, work_max_bytes;
    /* A snapshot is due when the log since the last has grown by this, and by a quarter of the document's size. */
    size_t snapshot_min_bytes;
    const struct ot_type *types_off[HUB_TYPES_OFF_MAX]; /* no documents of these are created; NULL: no more of them */
};

extern const struct hub_config hub_defaults; /* without store and world */

struct hub;

STORE_MUST_CHECK int hub_create(const struct hub_config *config, struct hub **out);

/* Every document must be unused: its requests answered, its references given back. NULL is fine. */
void hub_destroy(struct hub *hub);

struct store *hub_store(const struct hub *hub);
struct helper *hub_helper(const struct hub *hub);
const struct world *hub_world(const struct hub *hub);
const struct ot_limits *hub_limits(const struct hub *hub);

/* The document of that name, counted for the caller, LOADING if it was not open. The name must be allowed.
 * -ENOMEM, -ESHUTDOWN. */
STORE_MUST_CHECK int hub_document(struct hub *hub, struct store_name name, struct document **out);

/* The same if it is loaded, or about to be; NULL: it is not. */
struct document *hub_find(struct hub *hub, struct store_name name);

/* Figures for /metrics and for tests. */
struct hub_figures {
    size_t n_documents, n_idle; /* loaded; of them unused */
    uint64_t n_committed, n_duplicates, n_refused, n_reloads, n_snapshots, n_merged;
    uint64_t n_pending;           /* accepted, not durable yet */
    struct histogram commit_time; /* of operations, from being accepted to being durable */
};
void hub_figures(const struct hub *hub, struct hub_figures *out);

#endif
