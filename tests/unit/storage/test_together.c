/* Everything at the same time: appends, snapshots and merges of several logs while the store is packed, repacked,
 * compacted and copied, and closed in the midst of that. What was acknowledged is there afterwards, and the copies are
 * stores. Made for the thread sanitizer. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/lmdb/repack.h"
#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_LOGS   4
#define N_ROUNDS 4
#define N_STEPS  120
#define MERGED   4 /* versions that a merge puts into one */

static uint64_t seed = 1; /* test_store_together SEED */

struct run;

struct log {
    struct run *run;
    struct store_log *log;
    uint64_t sent, head, merged, snapshot; /* appended, of that acknowledged; versions below are merged */
    struct record merge;
    bool is_merging, is_keeping;
};

struct run {
    struct place *place;
    struct store_loop loop;
    struct sim_random random;
    struct log logs[N_LOGS];
    size_t n_pending, n_copies, n_compacted;
    int copy; /* -1: none is being written */
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void on_append(void *arg, int r, uint64_t head)
{
    struct log *log = arg;

    assert_int_equal(r, 0);
    log->head = head;
    log->run->n_pending--;
}

static void on_merge(void *arg, int r)
{
    struct log *log = arg;

    assert_int_equal(r, 0);
    log->merged += MERGED;
    log->is_merging = false;
    log->run->n_pending--;
}

static void on_kept(void *arg, int r)
{
    struct log *log = arg;

    assert_true(r == 0 || r == STORE_NOT_FOUND); /* the version has been merged away */
    log->is_keeping = false;
    log->run->n_pending--;
}

static int produce(void *arg, struct buffer *into)
{
    const struct log *log = arg;

    return buffer_append(into, &log->snapshot, sizeof(log->snapshot));
}

static void on_read(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct run *run = arg;

    assert_true(r == 0 || r == STORE_TOO_OLD);
    for (size_t i = 0; i < n; i++) {
        from = record_end(from, &records[i]);
        assert_int_equal(records[i].id.seq, from);
    }
    run->n_pending--;
}

static void on_packed(void *arg, int r)
{
    assert_int_equal(r, 0);
    ((struct run *)arg)->n_pending--;
}

/* -EBUSY: one goes on. */
static void on_repacked(void *arg, int r)
{
    assert_true(r == 0 || r == -EBUSY || r == -ESHUTDOWN);
    ((struct run *)arg)->n_pending--;
}

/* -EBUSY: a copy is being written. */
static void on_compacted(void *arg, int r)
{
    struct run *run = arg;

    assert_true(r == 0 || r == -EBUSY || r == -ESHUTDOWN);
    run->n_compacted += !r;
    run->n_pending--;
}

static void on_copied(void *arg, int r)
{
    struct run *run = arg;

    assert_int_equal(r, 0);
    assert_int_equal(close(run->copy), 0);
    run->copy = -1;
    run->n_copies++;
    run->n_pending--;
}

static void on_sizes(void *arg, int r, const struct store_sizes *sizes)
{
    assert_int_equal(r, 0);
    assert_true(sizes->n_logs <= N_LOGS);
    ((struct run *)arg)->n_pending--;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void accepted(struct run *run, int r)
{
    assert_int_equal(r, 0);
    run->n_pending++;
}

static void append(struct run *run, struct log *log)
{
    struct store_state after = { true, bytes_of_string("text"), 1 };
    struct record record = { .id = { bytes_of_string("s"), log->sent + 1 },
                             .time_ms = log->sent,
                             .body = bytes_of_string("{\"op\":[1203,\"some words\"]}") };
    static struct record records[N_LOGS][1 << 12]; /* borrowed until the answer */
    struct record *own = &records[log - run->logs][log->sent % (1 << 12)];

    *own = record;
    accepted(run, store_append(log->log, log->sent++, own, 1, &after, on_append, log));
}

static void merge(struct run *run, struct log *log)
{
    uint64_t end = log->merged + MERGED;

    if (log->is_merging || end > log->head)
        return;
    log->is_merging = true;
    log->merge = (struct record){
        { bytes_of_string("s"), end }, end - 1, bytes_of(NULL, 0), bytes_of_string("merged"), MERGED - 1
    };
    accepted(run, store_merge(log->log, log->merged, &log->merge, 1, on_merge, log));
}

static void keep(struct run *run, struct log *log)
{
    if (log->is_keeping || log->head == 0)
        return;
    log->is_keeping = true;
    log->snapshot = log->head;
    accepted(run, store_snapshot_put(log->log, log->snapshot, produce, on_kept, log));
}

static void copy_path(const struct run *run, char path[128])
{
    (void)snprintf(path, 128, "%s/copy", run->place->path);
}

static void copy(struct run *run)
{
    char path[128];

    if (run->copy >= 0)
        return;
    copy_path(run, path);
    run->copy = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(run->copy >= 0);
    accepted(run, store_backup(run->loop.store, run->copy, on_copied, run));
}

static void compact(struct run *run)
{
    int r = store_compact(run->loop.store, NULL, on_compacted, run);

    if (r != -EALREADY)
        accepted(run, r);
}

static void administer(struct run *run, uint64_t what)
{
    switch (what) {
    case 0: accepted(run, store_pack(run->loop.store, on_packed, run)); break;
    case 1: accepted(run, lmdb_repack(run->loop.store, on_repacked, run)); break;
    case 2: compact(run); break;
    case 3: copy(run); break;
    case 4: accepted(run, store_sizes(run->loop.store, on_sizes, run)); break;
    }
}

static void step(struct run *run)
{
    struct log *log = &run->logs[sim_random_below(&run->random, N_LOGS)];

    switch (sim_random_below(&run->random, 10)) {
    case 0: administer(run, sim_random_below(&run->random, 5)); break;
    case 1: keep(run, log); break;
    case 2:
    case 3: merge(run, log); break;
    case 4: accepted(run, store_read(log->log, 0, STORE_NEWEST, 10000, on_read, run)); break;
    default: append(run, log); break;
    }
    if (sim_random_chance(&run->random, 300))
        (void)loop_turn(&run->loop, 0);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static void logs_open(struct run *run)
{
    static const char *const ids[N_LOGS] = { "a", "b", "c", "d" };
    int r;

    for (size_t i = 0; i < N_LOGS; i++) {
        run->logs[i].run = run;
        run->logs[i].log = loop_open_log(&run->loop, "notes", ids[i], &r);
        assert_int_equal(r, 0);
        assert_int_equal(run->loop.info.head, run->logs[i].head);
    }
}

static void logs_check(struct run *run)
{
    for (size_t i = 0; i < N_LOGS; i++) {
        const struct log *log = &run->logs[i];
        uint64_t version = 0;

        assert_int_equal(loop_read(&run->loop, log->log, 0, STORE_NEWEST, 1 << 20), 0);
        assert_int_equal(run->loop.n_records, log->head - log->merged / MERGED * (MERGED - 1));
        for (size_t k = 0; k < run->loop.n_records; k++) {
            version = record_end(version, &run->loop.records[k]);
            assert_int_equal(run->loop.records[k].id.seq, version);
        }
        assert_int_equal(version, log->head);
    }
}

/* Closed while all of these are under way. */
static void close_amid(struct run *run)
{
    for (size_t i = 0; i < N_LOGS; i++)
        store_log_close(run->logs[i].log);
    for (uint64_t what = 0; what < 5; what++)
        administer(run, (what + sim_random_below(&run->random, 2)) % 5);
    store_close(run->loop.store);
    assert_int_equal(run->n_pending, 0);
}

static void copy_check(struct run *run)
{
    char path[128], why[256] = "";

    copy_path(run, path);
    if (run->n_copies && store_lmdb_check_file(path, why, sizeof(why)))
        fail_msg("the copy: %s", why);
}

static void everything_at_the_same_time(void **state)
{
    struct run run = { .place = place_create(), .random = { seed }, .copy = -1 };

    (void)state;
    print_message("# seed %" PRIu64 "\n", seed);
    loop_init(&run.loop);
    for (int round = 0; round < N_ROUNDS; round++) {
        run.loop.store = place_open(run.place, &run.loop, &place_tiny_tuning);
        logs_open(&run);
        logs_check(&run);
        for (int i = 0; i < N_STEPS; i++)
            step(&run);
        loop_until_none(&run.loop, &run.n_pending);
        logs_check(&run);
        close_amid(&run);
        copy_check(&run);
    }
    assert_true(run.n_copies > 0 && run.n_compacted > 0);
    loop_finish(&run.loop);
    place_destroy(run.place);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(everything_at_the_same_time) };

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    else if (getenv("PILCROW_SEED"))
        seed = strtoull(getenv("PILCROW_SEED"), NULL, 10);
    return cmocka_run_group_tests_name("everything together", tests, NULL, NULL);
}
