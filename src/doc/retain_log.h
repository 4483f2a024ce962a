/* The old operations of one document, merged in its log (merge.h), while everybody works on.
 *
 *     wait for the document -> where to begin and end, and the snapshots between -> read a slice -> compose it, beside
 *         the loop -> store_merge -> the next slice ... -> done
 *
 * Operations younger than before_ms stay. No operation reaches across the version of a snapshot that the store keeps,
 * so that what is left is as near to one as it was. Power cut or failure: what has been merged is, the rest is not. */
#ifndef DOC_RETAIN_LOG_H
#define DOC_RETAIN_LOG_H

#include "doc/document.h"
#include "doc/merge.h"

struct retain_log {
    /* In. */
    struct hub *hub;
    struct store_name name; /* borrowed until on_done */
    uint64_t before_ms, pause_ms;
    uint64_t since_ms; /* what is older has been merged already; 0: nothing has */
    /* Between slices, unless NULL: nothing goes on until retain_log_go_on, which may be called from inside. */
    void (*on_pause)(struct retain_log *log);
    /* r: 0 or -errno; -EAGAIN: somebody else has changed the log. */
    void (*on_done)(struct retain_log *log, int r);

    /* Out. */
    uint64_t n_merged; /* operations that went into others */
    size_t n_wrong;    /* as in merge.h */

    /* Its own. */
    struct document *document;
    void (*next)(struct retain_log *log); /* when the document is open */
    struct fetch fetch;
    struct errand errand;
    int errand_r;
    bool is_stopped, is_paused;
    uint64_t first, at, end; /* [at, end) is still to be read; what lies below first has been merged already */
    uint64_t *snapshots;     /* the versions of those between, descending */
    size_t n_snapshots, snapshots_capacity;
    struct committed_op **ops; /* the slice */
    size_t n_ops, ops_capacity;
    struct merge merge;
    size_t n_stored;        /* of what came out: dealt with */
    struct record *records; /* on their way into the store; they point into what came out */
    size_t n_records;
};

/* on_done comes exactly once, from inside perhaps. -ENOMEM, -ESHUTDOWN: it does not. */
STORE_MUST_CHECK int retain_log_begin(struct retain_log *log);
void retain_log_go_on(struct retain_log *log);
void retain_log_stop(struct retain_log *log); /* on_done comes soon, with -ECANCELED */

#endif
