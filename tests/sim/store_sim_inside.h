/* What the files of the simulated store know of one another:
 *
 *     store_sim.c          life, and calls as they are accepted
 *     store_sim_decide.c   what they do to the disk
 *     store_sim_step.c     which is next; answers; faults */
#ifndef STORE_SIM_INSIDE_H
#define STORE_SIM_INSIDE_H

#include "storage/engine.h"
#include "tests/sim/random.h"
#include "tests/sim/store_sim.h"

enum lane_name { LANE_READS, LANE_WRITES, LANE_SNAPSHOTS, N_LANES };

struct lane {
    struct list waiting, decided;
};

struct sim_handle {
    struct store_log base; /* first */
    struct list link;
    struct store_name name; /* owned */
    struct lane lanes[N_LANES];
    store_head_fn *on_head;
    void *arg;
    bool has_hint;
    int failed; /* what every later append answers */
};

struct call {
    struct list link;
    uint64_t serial;
    enum sim_call kind;
    struct sim_handle *handle; /* NULL: a call on the store */
    union {
        store_open_fn *open;
        store_append_fn *append;
        store_find_fn *find;
        store_read_fn *read;
        store_version_fn *version;
        store_snapshot_fn *snapshot;
        store_done_fn *plain;
        store_list_fn *list;
        store_collections_fn *collections;
        store_meta_fn *meta;
    } done;
    void *arg;

    /* In. */
    struct store_name name;
    store_head_fn *on_head;
    uint64_t expected, from, to;
    size_t max_bytes;
    const struct record *records;
    size_t n;
    struct store_state after; /* type is owned */
    uint64_t checksum;        /* of what is borrowed */
    struct op_id id;
    store_produce_fn *produce;
    struct store_list_query query;
    struct bytes key, value;

    /* Out. */
    bool strikes; /* the fault in force struck it */
    struct sim_fault fault;
    int r;
    uint64_t version; /* or the head */
    struct store_source source;
    bool has_source, more;
    struct record *lent; /* owned */
    struct store_entry *entries;
    struct store_collection *collections;
    size_t n_lent;
    struct bytes lent_bytes; /* owned */
    struct store_info info;
    struct sim_handle *opened;
};

struct store_sim {
    struct store base; /* first */
    struct sim_disk *disk;
    struct sim_random random;
    bool in_order, is_closing, is_dead, lies;
    void (*wake)(void *arg);
    void *arg;
    uint64_t next_serial;
    size_t n_outstanding;
    struct list handles;
    struct lane loose; /* calls on the store; in no order */
    unsigned held;
    struct sim_fault fault;
    size_t n_passed, n_struck;
    int health;
    struct list ghosts; /* of a store that lies: answered, not durable */
};

static inline struct store_sim *sim_of(struct store *store)
{
    return (struct store_sim *)store;
}

static inline struct sim_handle *handle_of(struct store_log *log)
{
    return (struct sim_handle *)log;
}

/* store_sim.c */
uint64_t call_checksum(const struct call *call); /* of what it borrows */
void handle_destroy(struct sim_handle *handle);

/* store_sim_decide.c */
void call_decide(struct store_sim *sim, struct call *call);
void call_append_now(struct store_sim *sim, const struct call *call);
/* A ghost is an append of a lying store that was answered and is not on the disk. */
bool ghost_materialise(struct store_sim *sim); /* the oldest; false: there is none */
void ghosts_forget(struct store_sim *sim);

/* store_sim_step.c */
void store_sim_dispatch(struct store *store);

#endif
