/* Logs that are brought into a store as they were elsewhere, record by record, past all open documents.
 *
 *     intake_begin(name) -> intake_from(first)   what the store has of it already is compared, the rest appended
 *                        -> intake_load()        goes on at the head
 *     intake_record, intake_record, ...          each is applied to the value, so that nothing gets in that no document
 *     intake_end                                 could be loaded from; and the log is durable
 *
 * One log at a time. Appends of large batches go on while the next batch is gathered. Snapshots are put where documents
 * would put them. A log that is refused keeps what came before: intake_at says how far that is.
 *
 * Everything waits for the store, on one thread. Results: 0; -errno; a positive enum intake_error, with a sentence in
 * intake_why. */
#ifndef CLI_INTAKE_H
#define CLI_INTAKE_H

#include "doc/op.h"
#include "storage/store.h"

enum intake_error {
    INTAKE_BAD = 1, /* the record does not follow from those before it */
    INTAKE_DIFFERS, /* the store has another log of that name */
};

struct intake;

/* A store that is only read (writes: false) may be missing: everything is new to it, and nothing is written. Results as
 * store_lmdb_open. */
STORE_MUST_CHECK int intake_open(const char *path, bool writes, struct intake **out, char *why, size_t n_why);
void intake_close(struct intake *intake); /* NULL is fine */

/* What the store has of that name: until intake_end. A log that holds nothing has first == head. The type is borrowed
 * until then. */
STORE_MUST_CHECK int intake_begin(struct intake *intake, struct store_name name, struct store_info *out);
STORE_MUST_CHECK int intake_from(struct intake *intake, uint64_t first);
STORE_MUST_CHECK int intake_load(struct intake *intake);
/* After a record was refused no further one may come. */
STORE_MUST_CHECK int intake_record(struct intake *intake, uint64_t version, const struct record *record);
/* Forgets all that the store has of it; then intake_from again, from its head on. */
STORE_MUST_CHECK int intake_remove(struct intake *intake);
/* Always ends it, if one was begun. */
STORE_MUST_CHECK int intake_end(struct intake *intake);

const char *intake_why(const struct intake *intake);
uint64_t intake_at(const struct intake *intake);    /* the version that the next record is expected at */
uint64_t intake_n_new(const struct intake *intake); /* records that the store did not have, of this log */
/* The value at intake_at: false, there is no document. */
bool intake_value(const struct intake *intake, const struct ot_type **type, const struct ot_snapshot **value);

/* The record that leads to the head of what the store has of it; not found: that one stands for several. Borrowed until
 * the next call. */
STORE_MUST_CHECK int intake_last(struct intake *intake, struct record *out, bool *found);

/* store_list, answered when it returns; entries are borrowed until `each` returns, which ends it by anything but 0. */
typedef int intake_entry_fn(void *arg, const struct store_entry *entry);
STORE_MUST_CHECK int intake_list(struct intake *intake, const struct store_list_query *query, intake_entry_fn *each,
                                 void *arg, bool *more);

extern const struct ot_limits intake_limits; /* wider than any server's: what was accepted once is taken */

#endif
