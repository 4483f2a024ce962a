/* A loop for tests of stores: calls that wait for their answer, on one thread.
 *
 *     struct store_log *log = loop_open_log(loop, "notes", "a", NULL);
 *     assert_int_equal(loop_append(loop, log, 0, "one"), 0);
 *
 * What an answer lends is copied and stays until the next call of the same kind. A store that does not answer within a
 * minute fails the test. */
#ifndef LIB_STORE_LOOP_H
#define LIB_STORE_LOOP_H

#include <pthread.h>

#include "storage/store.h"

struct store_loop {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_woken;
    struct store *store;
    bool is_calling; /* inside a call of the store: no answer may come */

    /* What the last call of each kind was answered with. */
    struct store_info info;
    char type[64];
    uint64_t head, version;
    bool has_source;
    struct store_source source;
    struct record *records; /* of a read */
    size_t n_records;
    struct store_entry *entries;
    size_t n_entries;
    bool more;
    struct store_collection *collections;
    size_t n_collections;
    struct buffer bytes; /* a snapshot's or a small value's */
    struct store_sizes sizes;
    uint64_t n_done, n_total; /* of what is told of its progress */
    size_t n_answers;
};

void loop_init(struct store_loop *loop);
void loop_finish(struct store_loop *loop);
void loop_wake(void *arg); /* for the store: arg is the loop */

/* Waits for the store and dispatches, until *n_pending is 0. */
void loop_until_none(struct store_loop *loop, const size_t *n_pending);
/* Dispatches what there is to dispatch; false: nothing woke the loop within timeout_ms. */
bool loop_turn(struct store_loop *loop, unsigned timeout_ms);

/* Each returns what the answer said, as `r`; a call that is refused is answered with what it returned. */
struct store_log *loop_open_log(struct store_loop *loop, const char *collection, const char *id, int *r);
struct store_log *loop_open_name(struct store_loop *loop, struct store_name name, int *r);
int loop_append_records(struct store_loop *loop, struct store_log *log, uint64_t expected, const struct record *records,
                        size_t n, const struct store_state *after);
int loop_read(struct store_loop *loop, struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes);
int loop_find(struct store_loop *loop, struct store_log *log, const char *src, uint64_t seq);
int loop_version_at(struct store_loop *loop, struct store_log *log, uint64_t time_ms);
int loop_snapshot_get(struct store_loop *loop, struct store_log *log, uint64_t at_most);
int loop_snapshot_put(struct store_loop *loop, struct store_log *log, uint64_t version, struct bytes content);
int loop_remove(struct store_loop *loop, struct store_log *log);
int loop_begin_at(struct store_loop *loop, struct store_log *log, uint64_t version);
int loop_merge(struct store_loop *loop, struct store_log *log, uint64_t from, const struct record *records, size_t n);
int loop_list(struct store_loop *loop, const struct store_list_query *query);
int loop_collections(struct store_loop *loop);
int loop_pack(struct store_loop *loop);
int loop_compact(struct store_loop *loop);
int loop_sizes(struct store_loop *loop);
int loop_meta_get(struct store_loop *loop, const char *key);
int loop_meta_put(struct store_loop *loop, const char *key, struct bytes value);

/* One record of source "s" that says `body`, its seq and its time the version; the log exists, of type "text". */
int loop_append(struct store_loop *loop, struct store_log *log, uint64_t expected, const char *body);

#endif
