/* One hub on a simulated store, and a journal: everything that is answered is one line in it, so that a test reads as
 * what was asked and what came back.
 *
 *     submit(f, "n", "a/1", 0, "{\"op\":[\"x\"]}");      a/1 accepted
 *                                                      a/1 missed 0, a/1 missed 1 ...
 *                                                      a/1 done at 3  |  a/1 refused EXISTS  |  a/1 failed EIO
 *     follow(f, "n", "s", 2);                          s op 3 a/1
 *     read_snapshot(f, "n", "r");                      r sees 4 "hello"  |  r sees 0 none  |  r failed EIO
 *     read_ops(f, "n", "r", 0, DOCUMENT_NOW);          r op 0 a/1 ... r ends at 4
 *
 * The simulated store answers in order, as long as store_seed is 0. */
#ifndef DOC_FIXTURE_H
#define DOC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doc/hub.h"
#include "tests/sim/replay.h"
#include "tests/sim/store_sim.h"

#define TEXT   "{\"create\":{\"type\":\"text-unicode\"}}"
#define NO_ONE UINT64_MAX

struct fixture {
    struct sim_disk *disk;
    struct store *store;
    uint64_t store_seed; /* from the next fixture_restart on */
    struct world world;
    uint64_t now_ms;
    struct hub_config config;
    struct hub *hub;
    struct buffer journal;
    struct list followers;
    bool is_quiet; /* nothing is written into the journal */
    size_t n_unanswered, n_done, n_failed;
    int last_r;
};

/* For cmocka: *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Runs the hub anew, with f->config, on what the disk holds. fixture_crash: after a cut of the power. */
void fixture_restart(struct fixture *f);
void fixture_crash(struct fixture *f);

/* Requests on documents of collection "c". body: as on the wire, {"op":...}, {"create":...} or {"del":true}. */
void submit(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body);
void submit_only_now(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body);
void submit_large(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body);
/* how: what is unusual about it. */
void submit_with(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body,
                 const struct submission *how);
void read_snapshot(struct fixture *f, const char *document, const char *who);
void read_ops(struct fixture *f, const char *document, const char *who, uint64_t from, uint64_t to);
void read_past(struct fixture *f, const char *document, const char *who, uint64_t version);
void read_past_at(struct fixture *f, const char *document, const char *who, uint64_t time_ms);
void barrier(struct fixture *f, const char *document, const char *who);

/* "id purged at 3": the document is forgotten; its deletion is operation `id`. */
void purge(struct fixture *f, const char *document, const char *id);
void purge_only_now(struct fixture *f, const char *document, const char *id, uint64_t version);

/* Reads from version `from` on and stays subscribed; DOCUMENT_NOW: starts with a snapshot. */
void follow(struct fixture *f, const char *document, const char *who, uint64_t from);
void unfollow(struct fixture *f, const char *who);
/* Whenever `who` is told something, `victim` (himself, perhaps) is unsubscribed. */
void follower_removes(struct fixture *f, const char *who, const char *victim);
/* The next thing that `who` is told makes him submit. */
void follower_submits(struct fixture *f, const char *who, const char *id, const char *body);

void settle(struct fixture *f); /* until the store has nothing left to answer */

/* The journal is exactly this, and is empty afterwards. */
void expect(struct fixture *f, const char *journal);

/* The log of document holds n records, and adds up to content (JSON, or "none"). */
void expect_log(struct fixture *f, const char *document, uint64_t n, const char *content);
size_t count_in_log(struct fixture *f, const char *document, const char *id);

struct store_name fixture_name(const char *document);
struct hub_figures figures(struct fixture *f);

#endif
