/* Fewer operations that do the same: neighbours by one author without a pause become one.
 *
 *     added    a 10:00 | a 10:01 | a 10:02 | b 10:03 | create | a 10:04 | a 11:30
 *     out      a 10:02, stands for 2 more  | b 10:03 | create | a 10:04 | a 11:30
 *
 * A merged operation keeps its author, and the source, seq and time of the last it was made of. Creates and deletes
 * stay as they are. Each is tried before it comes out: on the value before it gives, byte for byte, what the single
 * ones gave; else these stay, so that a mistake in composing can't damage a history.
 *
 * Knows no clock, store or document. One thread at a time uses a merge, which need not be the loop: nothing in it is
 * shared with others. */
#ifndef DOC_MERGE_H
#define DOC_MERGE_H

#include "doc/op.h"

#define MERGE_VERSIONS_MAX   4096         /* that one operation stands for */
#define MERGE_GROW_BYTES     (128 * 1024) /* nothing is added to one that is about as large */
#define MERGE_BODY_MAX_BYTES (256 * 1024) /* what is larger stays single */

struct merge_group {
    size_t n; /* operations in it; 0: none is open */
    uint64_t from;
    struct committed_op *last;
    struct ot_op *op;           /* all its edits in one; NULL: it has none */
    struct ot_snapshot *before; /* NULL: there was no document */
    bool is_single;             /* nothing may be added */
    bool is_wrong;              /* composing said what it never should */
};

struct merge_out {
    struct committed_op *op;
    size_t n_gone; /* operations that went into it, but for one; 0: it is as it was */
};

struct merge {
    struct ot_limits limits;
    uint64_t pause_ms;
    const struct ot_type *type; /* NULL: there is no document */
    struct ot_snapshot *value;
    struct merge_group group; /* open: more may come */

    /* What came out, ascending. Where one does not begin at the end of the one before, what lies between stays as it
     * is. */
    struct merge_out *out;
    size_t n_out, capacity;
    size_t n_wrong; /* groups that were left alone because the trial failed */
};

void merge_init(struct merge *merge, const struct ot_limits *limits, uint64_t pause_ms);
void merge_finish(struct merge *merge);

/* Begins with a document; value is taken over. Both NULL, as after merge_init: there is none. */
void merge_begin(struct merge *merge, const struct ot_type *type, struct ot_snapshot *value);

/* From here on, results: 0, -ENOMEM, or -EBADMSG: the log holds what it never should. */

/* The next operation, merged before or not; borrowed until the call returns. */
STORE_MUST_CHECK int merge_add(struct merge *merge, const struct committed_op *op);

/* No operation reaches across here. */
STORE_MUST_CHECK int merge_cut(struct merge *merge);

/* Forgets what came out. */
void merge_take(struct merge *merge);

#endif
