/* What the parts of storage_bench share: a store on a loop that waits for nothing else, and a stop watch. */
#ifndef BENCH_STORAGE_BENCH_H
#define BENCH_STORAGE_BENCH_H

#include <pthread.h>

#include "storage/lmdb/store_lmdb.h"

void must(bool is_right, const char *what);
double now(void); /* seconds */

/* Durations, in milliseconds. */
struct times {
    double *ms;
    size_t n, capacity;
};
void times_add(struct times *times, double ms);
double times_at(struct times *times, double share); /* 0.5: the median; sorts them */
void times_finish(struct times *times);

struct bench {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_woken;
    struct store *store;
    size_t n_waiting; /* answers that have not come */
    int r;            /* the last one's */
    struct store_log *log;
    struct store_info info;
    size_t n; /* records, entries: of the last answer */
};

void bench_open(struct bench *bench, const char *path);
void bench_close(struct bench *bench);
void bench_turn(struct bench *bench); /* waits until the store has something to say, and hears it */
void bench_wait(struct bench *bench); /* until n_waiting is 0 */
struct store_log *bench_log(struct bench *bench, const char *collection, const char *id);
void bench_done(void *arg, int r); /* a store_done_fn: one answer less to wait for */

/* storage_bench_session.c */
int bench_session(const char *path, const char *id, unsigned long n_ops, const char *ops_path,
                  const char *content_path);
int bench_opening(const char *path, const char *id, unsigned long n_times);

/* storage_bench_append.c */
int bench_append(const char *path, unsigned long n_records, double seconds);
int bench_documents(const char *path, unsigned long n_documents);
int bench_backup(const char *path, const char *to, unsigned long n_megabytes);

#endif
