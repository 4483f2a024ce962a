/* How fast and how small the store is; storage.mjs calls it and makes the table.
 *
 *   storage_bench session DIR ID N OPS [TEXT]
 *                                         N operations on a text, one after the other, as its server would commit them:
 *                                         lines of text-unicode from the file OPS, again and again, by one author who
 *                                         takes his time; it begins with the JSON string of the file TEXT, or empty
 *   storage_bench opening DIR ID N        milliseconds until a document can be worked on: N times from the store
 *   storage_bench every DIR ID            reads every version's record by itself
 *   storage_bench compact DIR
 *   storage_bench append DIR N SECONDS    durable appends of N records of 100 bytes at once, and a bare file that is
 *                                         written and synced with as many, in turns of half a second
 *   storage_bench documents DIR N         makes N documents, lists pages of them, opens some
 *   storage_bench backup DIR TO MB        copies a store of so many MB, as the tool does, while somebody
 *                                         writes into it
 *
 * Each prints one JSON object. */
#include "tests/bench/storage_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void must(bool is_right, const char *what)
{
    if (is_right)
        return;
    (void)fprintf(stderr, "storage_bench: %s\n", what);
    exit(1);
}

double now(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- durations --------------------------------------------------------------------------------------------------- */

void times_add(struct times *times, double ms)
{
    if (times->n == times->capacity) {
        times->capacity = times->capacity ? 2 * times->capacity : 1024;
        times->ms = realloc(times->ms, times->capacity * sizeof(*times->ms));
        must(times->ms, "no memory");
    }
    times->ms[times->n++] = ms;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

double times_at(struct times *times, double share)
{
    must(times->n > 0, "nothing was timed");
    qsort(times->ms, times->n, sizeof(*times->ms), compare);
    return times->ms[(size_t)(share * (double)(times->n - 1))];
}

void times_finish(struct times *times)
{
    free(times->ms);
    *times = (struct times){ 0 };
}

/* ---- the store's loop -------------------------------------------------------------------------------------------- */

static void on_wake(void *arg)
{
    struct bench *bench = arg;

    pthread_mutex_lock(&bench->mutex);
    bench->is_woken = true;
    pthread_cond_signal(&bench->changed);
    pthread_mutex_unlock(&bench->mutex);
}

void bench_open(struct bench *bench, const char *path)
{
    char why[512];
    const struct store_lmdb_config config = { .path = path, .mode = STORE_READ_WRITE, .wake = on_wake, .arg = bench };

    *bench = (struct bench){ 0 };
    pthread_mutex_init(&bench->mutex, NULL);
    pthread_cond_init(&bench->changed, NULL);
    must(store_lmdb_open(&config, &bench->store, why, sizeof(why)) == 0, why);
}

void bench_close(struct bench *bench)
{
    store_close(bench->store);
    pthread_cond_destroy(&bench->changed);
    pthread_mutex_destroy(&bench->mutex);
}

void bench_turn(struct bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    while (!bench->is_woken)
        pthread_cond_wait(&bench->changed, &bench->mutex);
    bench->is_woken = false;
    pthread_mutex_unlock(&bench->mutex);
    store_dispatch(bench->store);
}

void bench_wait(struct bench *bench)
{
    while (bench->n_waiting > 0)
        bench_turn(bench);
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct bench *bench = arg;

    must(r == 0, "a log does not open");
    bench->n_waiting--;
    bench->log = log;
    bench->info = *info;
}

struct store_log *bench_log(struct bench *bench, const char *collection, const char *id)
{
    const struct store_name name = { bytes_of_string(collection), bytes_of_string(id) };

    bench->n_waiting++;
    must(store_log_open(bench->store, name, NULL, on_open, bench) == 0, "a log does not open");
    bench_wait(bench);
    return bench->log;
}

void bench_done(void *arg, int r)
{
    struct bench *bench = arg;

    bench->n_waiting--;
    bench->r = r;
}

/* ---- small works ------------------------------------------------------------------------------------------------- */

static int compact(const char *path)
{
    struct bench bench;
    double began = now();

    bench_open(&bench, path);
    bench.n_waiting = 1;
    must(store_compact(bench.store, NULL, bench_done, &bench) == 0, "the store does not compact");
    bench_wait(&bench);
    must(bench.r == 0, "the store could not be compacted");
    bench_close(&bench);
    (void)printf("{\"seconds\":%.3f}\n", now() - began);
    return 0;
}

static void on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct bench *bench = arg;

    (void)from;
    bench->n_waiting--;
    bench->r = r;
    bench->n = n;
    must(r || !n || records[0].time_ms > 0, "a record without a time");
    must(r || !n || records[0].author.n_bytes > 0, "a record without an author");
}

static int every(const char *path, const char *id)
{
    struct bench bench;
    struct store_log *log;
    double began;

    bench_open(&bench, path);
    log = bench_log(&bench, "bench", id);
    began = now();
    for (uint64_t version = 0; version < bench.info.head; version++) {
        bench.n_waiting = 1;
        must(store_read(log, version, version + 1, 1, on_records, &bench) == 0, "no reading");
        bench_wait(&bench);
        must(bench.r == 0 && bench.n == 1, "a version is not there");
    }
    (void)printf("{\"n\":%llu,\"seconds\":%.3f}\n", (unsigned long long)bench.info.head, now() - began);
    store_log_close(log);
    bench_close(&bench);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";

    if (strcmp(what, "session") == 0 && (argc == 6 || argc == 7))
        return bench_session(argv[2], argv[3], strtoul(argv[4], NULL, 10), argv[5], argc == 7 ? argv[6] : NULL);
    if (strcmp(what, "opening") == 0 && argc == 5)
        return bench_opening(argv[2], argv[3], strtoul(argv[4], NULL, 10));
    if (strcmp(what, "every") == 0 && argc == 4)
        return every(argv[2], argv[3]);
    if (strcmp(what, "compact") == 0 && argc == 3)
        return compact(argv[2]);
    if (strcmp(what, "append") == 0 && argc == 5)
        return bench_append(argv[2], strtoul(argv[3], NULL, 10), strtod(argv[4], NULL));
    if (strcmp(what, "documents") == 0 && argc == 4)
        return bench_documents(argv[2], strtoul(argv[3], NULL, 10));
    if (strcmp(what, "backup") == 0 && argc == 5)
        return bench_backup(argv[2], argv[3], strtoul(argv[4], NULL, 10));
    (void)fprintf(stderr, "storage_bench: see the head of storage_bench.c\n");
    return 2;
}
