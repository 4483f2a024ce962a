/* A simulated engine behind storage/store.h: one thread, in memory, obeying the contract to the letter and going wrong
 * on demand.
 *
 *     call --accepted--> waiting --decided--> decided --answered--> done()
 *                                   |
 *                                   +-- here the disk (sim_disk.h) changes: durable, but nobody knows it yet
 *
 * Every step decides or answers one call, chosen by chance among those that the lanes of each log allow; with seed
 * 0 always the oldest. What is borrowed is looked at again when it is answered, and what is lent is freed right after,
 * so that the address sanitizer sees who keeps it too long. */
#ifndef STORE_SIM_H
#define STORE_SIM_H

#include "tests/sim/sim_disk.h"

enum sim_call {
    SIM_LOG_OPEN = 1 << 0,
    SIM_APPEND = 1 << 1,
    SIM_FIND = 1 << 2,
    SIM_READ = 1 << 3,
    SIM_VERSION_AT = 1 << 4,
    SIM_SNAPSHOT_GET = 1 << 5,
    SIM_SNAPSHOT_PUT = 1 << 6,
    SIM_REMOVE = 1 << 7,
    SIM_LIST = 1 << 8,
    SIM_COLLECTIONS = 1 << 9,
    SIM_META_GET = 1 << 10,
    SIM_META_PUT = 1 << 11,
    SIM_MERGE = 1 << 12,
    SIM_BEGIN_AT = 1 << 13,
    SIM_EVERY_CALL = (1 << 14) - 1,
    SIM_EVERY_WRITE = SIM_APPEND | SIM_SNAPSHOT_PUT | SIM_REMOVE | SIM_META_PUT | SIM_MERGE | SIM_BEGIN_AT,
    SIM_EVERY_READ = SIM_EVERY_CALL & ~SIM_EVERY_WRITE,
};

/* The store's functions see the disk as it is; closing or losing the store leaves it. wake may be NULL. */
struct store *store_sim_open(struct sim_disk *disk, uint64_t seed, void (*wake)(void *arg), void *arg);

/* Decides or answers one call; false: there is nothing that may be done. store_dispatch goes on until everything that
 * was accepted before it is answered, store_sim_settle until nothing is left, also of what is called from answers.
 * Calls that are held stay where they are. */
bool store_sim_step(struct store *store);
void store_sim_settle(struct store *store);
size_t store_sim_n_outstanding(const struct store *store);

/* Calls of these kinds (enum sim_call, or-ed) are not decided until they are let go; 0: none is held. */
void store_sim_hold(struct store *store, unsigned calls);

/* ---- faults ------------------------------------------------------------------------------------------------------ */

enum sim_fault_kind {
    SIM_FAILS,       /* answered with r, nothing was done */
    SIM_REFUSED,     /* the call itself returns r */
    SIM_DONE_ANYWAY, /* append: answered with r, but it is durable, and perhaps those queued behind it */
    SIM_MAY_BE_DONE, /* append: one or the other, by chance */
};

struct sim_fault {
    unsigned calls;           /* which kinds it strikes */
    size_t n_pass, n_strikes; /* lets so many through, then strikes so often; SIZE_MAX: from then on */
    enum sim_fault_kind kind;
    int r;
};

/* Replaces the fault in force. */
void store_sim_fault(struct store *store, const struct sim_fault *fault);
/* No fault from here on. Returns how often the last one has struck. */
size_t store_sim_fault_end(struct store *store);

/* Somebody else appends, now. hint: the store's on_head is called one of the next steps. */
void store_sim_append_foreign(struct store *store, struct store_name name, const struct record *record,
                              const struct store_state *after, bool hint);

/* That, for every open log. */
void store_sim_hint(struct store *store);

/* Of what is waiting a part chosen by chance becomes durable; nothing after that. Every call, old or new, ends with
 * -EIO; then the store can be closed and another one opened on the disk. */
void store_sim_cut_power(struct store *store);

/* Breaks the contract on purpose, for the test of the tests: appends are answered before they are durable. */
void store_sim_lie(struct store *store);

#endif
