/* How long a batch waits for more before it is committed.
 *
 *     committed, answered --> who was answered writes again, one after the other --> as many as there were: begin
 *                                                                           \--> the deadline: begin with those
 *
 * Writers of whom each waits for an acknowledgement fall into two halves, that take turns: one is being committed while
 * the other gathers, so each waits for two commits. Patience, for as long as a commit takes, makes one batch of them,
 * with half the commits. Only what comes within that moment after a commit waits at all: who writes now and then never
 * does. Patience that brought nobody is not tried again at once.
 *
 * The idea is that of PostgreSQL's commit_delay, with a measured number of writers and a measured delay. */
#ifndef STORAGE_LMDB_GATHER_H
#define STORAGE_LMDB_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather {
    size_t n_wanted;   /* writes that make a batch; 1: no waiting */
    size_t n_before;   /* that were there from the beginning */
    uint64_t until_ns; /* on some clock that never jumps */
    unsigned n_vain, n_skipped;
};

/* A batch was committed, which took so long; n_answered of its writers were told, n_waiting writes are there already.
 */
void gather_begin(struct gather *gather, size_t n_answered, size_t n_waiting, uint64_t took_ns, uint64_t now_ns);

/* Whether n_waiting writes shall wait for more. */
bool gather_goes_on(const struct gather *gather, size_t n_waiting, uint64_t now_ns);

/* They are taken over. Before the deadline, and before they are as many as were wanted: something else was due, which
 * says nothing of whether patience pays. */
void gather_end(struct gather *gather, size_t n_waiting, uint64_t now_ns);

#endif
