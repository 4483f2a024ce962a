/* The newest durable operations of a document, in memory: a ring by version.
 *
 *     first                      first + n = head
 *       | op | op | ... | op | op |
 *
 * Each may also hold what it means, understood, since the next submission will probably be transformed over it. */
#ifndef DOC_RECENT_H
#define DOC_RECENT_H

#include "doc/op.h"

struct recent_entry {
    struct committed_op *op;
    struct step step;           /* valid when is_understood */
    const struct ot_type *type; /* of the document before the operation; NULL: none */
    bool is_understood;
    size_t n_bytes; /* what it was counted as; its frame, and what it means, may come later */
};

struct recent {
    struct recent_entry *ring;
    size_t capacity, start, n; /* capacity is a power of two, or 0 */
    size_t n_bytes;            /* of all entries, about, with what they may come to hold */
    uint64_t first;            /* version of the oldest; where the next one belongs when n is 0 */
};

void recent_finish(struct recent *recent);

/* Forgets all; the next operation kept is that of `version`. */
void recent_clear(struct recent *recent, uint64_t version);

/* Takes over the contents of an edit when it succeeds, and a reference to op, whose version must be first + n. step
 * NULL: understood later. */
STORE_MUST_CHECK int recent_push(struct recent *recent, struct committed_op *op, const struct ot_type *type,
                                 struct step *step);

void recent_drop_first(struct recent *recent);

/* The newest that take no more than this stay, and no more room than they need. */
void recent_trim(struct recent *recent, size_t max_bytes);

/* first <= version < first + n. */
struct recent_entry *recent_at(const struct recent *recent, uint64_t version);

/* What the entry means; 0, -ENOMEM or -EBADMSG. */
STORE_MUST_CHECK int recent_understand(struct recent_entry *entry, const struct ot_limits *limits);

#endif
