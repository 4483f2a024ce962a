/* What a simulated store holds durably. It outlives the stores that are opened on it, as a disk outlives processes, and
 * tests read it directly to learn what is true.
 *
 * It judges its callers: a record whose id is in the log already, a time that runs backwards, a snapshot of a version
 * that is not durable are violations (violation.h). */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "base/list.h"
#include "storage/store.h"

struct sim_snapshot {
    uint64_t version;
    char *at;
    size_t n_bytes;
    bool is_damaged; /* a test has done that */
};

struct sim_source {
    struct bytes src; /* owned */
    struct store_source source;
};

struct sim_log {
    struct list link;
    struct store_name name; /* owned */
    uint64_t base, head;    /* versions below base are gone */
    struct record *records; /* of [base, head), owned */
    size_t n, capacity;
    struct sim_source *sources; /* owned; they outlive records that were merged */
    size_t n_sources;
    struct store_state state; /* type is owned */
    uint64_t created_ms, modified_ms;
    struct sim_snapshot *snapshots; /* owned; the newest is the last */
    size_t n_snapshots;
};

struct sim_disk {
    struct list logs, metas;
    size_t n_snapshots_put;
    bool may_repeat_ids; /* for tests that break things on purpose */
};

struct sim_disk *sim_disk_create(void);
void sim_disk_destroy(struct sim_disk *disk); /* NULL is fine */

/* The log of that name: NULL when nothing was ever written. */
struct sim_log *sim_disk_find(const struct sim_disk *disk, struct store_name name);
uint64_t sim_disk_head(const struct sim_disk *disk, struct store_name name);

/* The record that leads from version to the next, or further; NULL: none begins there. */
const struct record *sim_log_record(const struct sim_log *log, uint64_t version);
struct store_info sim_log_info(const struct sim_log *log); /* NULL: never written */

/* Copies everything. The log comes into being when it is not there. */
void sim_disk_append(struct sim_disk *disk, struct store_name name, const struct record *records, size_t n,
                     const struct store_state *after);
void sim_disk_keep_snapshot(struct sim_disk *disk, struct store_name name, uint64_t version, struct bytes snapshot);
void sim_disk_remove(struct sim_disk *disk, struct store_name name);
int sim_disk_begin_at(struct sim_disk *disk, struct store_name name, uint64_t version); /* 0 or STORE_CONFLICT */
int sim_disk_merge(struct sim_disk *disk, struct store_name name, uint64_t from, const struct record *records,
                   size_t n); /* 0 or STORE_CONFLICT */
int sim_log_find(const struct sim_log *log, struct op_id id, uint64_t *version, struct store_source *source,
                 bool *has_source);
uint64_t sim_log_version_at(const struct sim_log *log, uint64_t time_ms);
const struct sim_snapshot *sim_log_snapshot(const struct sim_log *log, uint64_t at_most);

struct bytes sim_disk_meta(const struct sim_disk *disk, struct bytes key); /* at NULL: none */
void sim_disk_put_meta(struct sim_disk *disk, struct bytes key, struct bytes value);

/* Owned all through. */
struct record record_copy(const struct record *record);
void records_free(struct record *records, size_t n); /* NULL with n 0 is fine */

/* The simulation's own memory: never NULL, and never failed by tests/lib/alloc_fault. */
void *sim_alloc(size_t n_bytes);
struct bytes sim_copy(struct bytes bytes);
void sim_free(struct bytes bytes);

#endif
