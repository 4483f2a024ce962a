/* Retention: collections whose old operations are merged, one for each author and pause (merge.h), so that history
 * grows more slowly. Nothing younger than 30 days is touched; documents that were deleted have their turn, too.
 *
 *     rule by rule -> page by page of its documents -> those with something to merge, one after the other
 * (retain_log.h)
 *
 * How far each rule has come is kept with the store; the next run only looks at what has changed, or grown old enough,
 * since then. */
#ifndef DOC_RETAIN_H
#define DOC_RETAIN_H

#include "doc/retain_log.h"
#include "doc/retain_rules.h"

#define RETAIN_PAUSE_MS (30 * 60 * 1000) /* what comes later than that begins another merged operation */
#define RETAIN_PAGE     100

/* One run. The caller keeps it alive and unmoved until on_done. */
struct retain {
    /* In. */
    struct hub *hub;
    struct retain_rules rules;
    bool from_start; /* look at every document, whatever earlier runs have said */
    /* Now and then, unless NULL: nothing goes on until retain_go_on, which must not be called from inside. */
    void (*on_pause)(struct retain *retain);
    void (*on_done)(struct retain *retain, int r); /* 0 or -errno */

    /* Out. */
    uint64_t n_documents, n_merged; /* in which something was merged; operations that went into others */

    /* Its own. */
    uint64_t done_before_ms[RETAIN_RULES_MAX]; /* of each rule, by the last run; 0: none */
    size_t rule;
    uint64_t before_ms;
    struct {
        struct retain_name name;
        uint64_t since_ms;
    } page[RETAIN_PAGE];
    size_t n_page, at;
    struct retain_name after;
    struct buffer marks;
    struct retain_log log;
    bool has_more, is_partial, is_stopped, is_paused, is_in_log;
};

/* on_done comes exactly once, not from inside. -EBUSY: another run of that hub is under way; -ENOMEM, -ESHUTDOWN,
 * -EROFS. */
STORE_MUST_CHECK int retain_all(struct retain *retain);
void retain_go_on(struct retain *retain); /* nothing when it was not paused */
void retain_stop(struct hub *hub);        /* the run that is under way, if any, ends soon: -ECANCELED */

#endif
