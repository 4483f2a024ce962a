/* The documents that a query has found, in bytewise order of their ids, and how such a list differs from another.
 *
 *     entries    "a" at 3 | "b" at 1 | "d" at 7          pure: bytes and versions, nothing of sessions or stores
 *
 *     known, in the client's order      present                 difference
 *     a  c  d                           a  b  d                 remove 1 at 1 (c), insert b at 1
 *
 * While a query is being read there may also be entries of documents that do not exist, and what was read hangs on
 * them. Errors: -ENOMEM, -E2BIG (the ceiling). */
#ifndef API_QUERY_LIST_H
#define API_QUERY_LIST_H

#include "base/buffer.h"
#include "storage/store.h"

/* What is known of a document before its query is answered. */
struct query_draft;

struct query_entry {
    uint64_t next;             /* version of the next operation */
    struct query_draft *draft; /* NULL: answered */
    bool exists;
    bool stays; /* the client has it, in its place */
    uint8_t n_id;
    char id[];
};

struct query_list {
    struct query_entry **entries;
    size_t n, capacity, n_max;
};

static inline struct bytes query_entry_id(const struct query_entry *entry)
{
    return bytes_of(entry->id, entry->n_id);
}

void query_list_init(struct query_list *list, size_t n_max);
void query_list_finish(struct query_list *list); /* drafts must be gone */

/* The entry of that id, NULL: there is none. at: where it stands or would stand. */
struct query_entry *query_list_find(const struct query_list *list, struct bytes id, size_t *at);

/* A new entry, of version 0 and not existing, at the place that query_list_find gave. */
STORE_MUST_CHECK int query_list_add(struct query_list *list, struct bytes id, size_t at, struct query_entry **out);
void query_list_remove(struct query_list *list, size_t at);

/* Only existing documents stay. */
void query_list_purge(struct query_list *list);

/* Writes [{...},...], what makes the present list out of the client's: known[0..n), in his order; those that stay are
 * ascending, each once, and NULL stands for what is not in its place. All are removed that do not stay or exist, then
 * all other existing documents are inserted, as `write` has them. Nothing is written when nothing differs. */
typedef void query_write_fn(const struct query_entry *entry, struct buffer *into);
void query_list_difference(const struct query_list *list, struct query_entry *const *known, size_t n,
                           query_write_fn *write, struct buffer *into);

#endif
