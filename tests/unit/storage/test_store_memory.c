/* Every allocation of the engine fails in turn, on whichever thread it is: what is refused or fails says so, everything
 * accepted is answered, and what was acknowledged is there afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/lmdb/repack.h"
#include "tests/lib/alloc_fault.h"
#include "tests/unit/storage/place.h"

#define N_LOGS    2
#define N_APPENDS 12

struct run {
    struct store_loop loop;
    size_t n_pending;
    struct store_log *logs[N_LOGS + 1]; /* the last comes and goes */
    uint64_t heads[N_LOGS];             /* acknowledged */
    bool is_merged[N_LOGS];             /* two records stand for six */
    struct record records[N_LOGS][N_APPENDS];
    struct record merged[2];
    char large[300];
};

struct answer {
    struct run *run;
    size_t i;
};

static void check_r(int r)
{
    if (r != 0 && r != -ENOMEM && r != STORE_NOT_FOUND)
        fail_msg("%d is none of what may happen", r);
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct answer *answer = arg;

    check_r(r);
    answer->run->logs[answer->i] = log;
    answer->run->n_pending--;
}

static void on_append(void *arg, int r, uint64_t head)
{
    struct answer *answer = arg;

    check_r(r);
    if (!r)
        answer->run->heads[answer->i]++;
    assert_int_equal(head, answer->run->heads[answer->i]);
    answer->run->n_pending--;
}

static void on_read(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct answer *answer = arg;

    check_r(r);
    for (size_t i = 0; i < n; i++) {
        from = record_end(from, &records[i]);
        assert_int_equal(records[i].id.seq, from);
    }
    answer->run->n_pending--;
}

static void on_find(void *arg, int r, uint64_t version, const struct store_source *source)
{
    if (r != STORE_TOO_OLD) /* it was merged meanwhile */
        check_r(r);
    ((struct answer *)arg)->run->n_pending--;
}

static int produce(void *arg, struct buffer *into)
{
    return buffer_append_string(into, "a snapshot");
}

static void on_plain(void *arg, int r)
{
    check_r(r);
    ((struct answer *)arg)->run->n_pending--;
}

static void on_merge(void *arg, int r)
{
    struct answer *answer = arg;

    check_r(r);
    answer->run->is_merged[answer->i] = !r;
    answer->run->n_pending--;
}

static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    check_r(r);
    if (!r && version)
        assert_true(bytes_equal(snapshot, bytes_of_string("a snapshot")));
    ((struct answer *)arg)->run->n_pending--;
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    check_r(r);
    ((struct answer *)arg)->run->n_pending--;
}

static void on_collections(void *arg, int r, const struct store_collection *collections, size_t n)
{
    check_r(r);
    ((struct answer *)arg)->run->n_pending--;
}

/* A call that was refused will not be answered. */
static void called(struct run *run, int r)
{
    check_r(r);
    if (!r)
        run->n_pending++;
}

static void work_on_log(struct run *run, struct answer *answer)
{
    struct store_log *log = run->logs[answer->i];
    struct store_state after = { true, bytes_of_string("text"), 1 };

    for (uint64_t v = 0; v < N_APPENDS; v++) {
        struct record *record = &run->records[answer->i][v];
        int r;

        *record = (struct record){ { bytes_of_string("s"), v + 1 }, v, bytes_of_string("a"), bytes_of_string("body") };
        if (v == 5)
            record->body = bytes_of(run->large, sizeof(run->large));
        r = store_append(log, v, record, 1, &after, on_append, answer);
        called(run, r);
        loop_until_none(&run->loop, &run->n_pending);
        if (run->heads[answer->i] <= v)
            break; /* it failed, and so would every later one */
    }
    called(run, store_snapshot_put(log, 1, produce, on_plain, answer));
    for (uint64_t i = 0; i < 2; i++)
        run->merged[i] = (struct record){
            { bytes_of_string("s"), 4 + 3 * i }, 6, bytes_of_string("a"), bytes_of_string("merged"), 2
        };
    if (run->heads[answer->i] == N_APPENDS)
        called(run, store_merge(log, 1, run->merged, 2, on_merge, answer));
    called(run, store_read(log, 0, STORE_NEWEST, 10000, on_read, answer));
    called(run, store_find(log, (struct op_id){ bytes_of_string("s"), 2 }, on_find, answer));
    called(run, store_snapshot_get(log, STORE_NEWEST, on_snapshot, answer));
    loop_until_none(&run->loop, &run->n_pending);
}

static void on_sizes(void *arg, int r, const struct store_sizes *sizes)
{
    check_r(r);
    assert_true(r || sizes->n_logs >= sizes->n_documents);
    ((struct answer *)arg)->run->n_pending--;
}

static void on_version(void *arg, int r, uint64_t version)
{
    check_r(r);
    ((struct answer *)arg)->run->n_pending--;
}

/* One after the other, since some refuse to work beside others. */
static void administer(struct run *run)
{
    struct answer answer = { run, 0 };
    struct store *store = run->loop.store;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    called(run, store_sizes(store, on_sizes, &answer));
    called(run, store_pack(store, on_plain, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    called(run, lmdb_repack(store, on_plain, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    called(run, store_backup(store, fd, on_plain, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    called(run, store_compact(store, NULL, on_plain, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    (void)close(fd);
}

/* A log that comes and goes. */
static void work_on_another(struct run *run)
{
    struct answer answer = { run, N_LOGS };
    struct store_log *log;

    called(run, store_log_open(run->loop.store, (struct store_name){ bytes_of_string("notes"), bytes_of_string("c") },
                               NULL, on_open, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    log = run->logs[N_LOGS];
    if (!log)
        return;
    called(run, store_begin_at(log, 7, on_plain, &answer));
    called(run, store_version_at(log, 1, on_version, &answer));
    called(run, store_remove(log, on_plain, &answer));
    loop_until_none(&run->loop, &run->n_pending);
    store_log_close(log);
}

static void work(struct run *run)
{
    static const char *const ids[N_LOGS] = { "a", "b" };
    struct answer answers[N_LOGS] = { { run, 0 }, { run, 1 } };
    struct store_list_query query = { .collection = bytes_of_string("notes"), .limit = 10 };

    for (size_t i = 0; i < N_LOGS; i++) {
        called(run,
               store_log_open(run->loop.store, (struct store_name){ bytes_of_string("notes"), bytes_of_string(ids[i]) },
                              NULL, on_open, &answers[i]));
        loop_until_none(&run->loop, &run->n_pending);
        if (run->logs[i])
            work_on_log(run, &answers[i]);
    }
    work_on_another(run);
    administer(run);
    called(run, store_list(run->loop.store, &query, on_list, &answers[0]));
    called(run, store_collections(run->loop.store, on_collections, &answers[0]));
    loop_until_none(&run->loop, &run->n_pending);
    for (size_t i = 0; i < N_LOGS; i++)
        store_log_close(run->logs[i]);
}

static void check_kept(struct run *run)
{
    static const char *const ids[N_LOGS] = { "a", "b" };

    for (size_t i = 0; i < N_LOGS; i++) {
        struct store_log *log = loop_open_log(&run->loop, "notes", ids[i], NULL);

        assert_int_equal(run->loop.info.head, run->heads[i]);
        assert_int_equal(loop_read(&run->loop, log, 0, STORE_NEWEST, 10000), 0);
        assert_int_equal(run->loop.n_records, run->heads[i] - (run->is_merged[i] ? 4 : 0));
        store_log_close(log);
    }
}

static bool survives(size_t n_pass, enum alloc_fault_kind kind)
{
    struct place *place = place_create();
    struct store_lmdb_tuning tuning = place_tiny_tuning;
    struct run run = { .n_pending = 0 };
    bool met;

    tuning.piece_bytes = 100;
    loop_init(&run.loop);
    run.loop.store = place_open(place, &run.loop, &tuning);
    alloc_fault_arm(n_pass, kind);
    work(&run);
    met = alloc_fault_disarm();
    check_kept(&run);
    store_close(run.loop.store);
    run.loop.store = place_open(place, &run.loop, &place_tiny_tuning);
    check_kept(&run);
    store_close(run.loop.store);
    loop_finish(&run.loop);
    place_destroy(place);
    return met;
}

static void each_allocation_fails_once(void **state)
{
    size_t n = 0;

    (void)state;
    while (survives(n, ALLOC_FAULT_ONCE))
        n++;
    assert_true(n > 50);
}

static void memory_is_gone_from_each_allocation_on(void **state)
{
    size_t n = 0;

    (void)state;
    while (survives(n, ALLOC_FAULT_FROM_THEN_ON))
        n += 3;
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(memory_is_gone_from_each_allocation_on),
    };

    return cmocka_run_group_tests_name("a store without memory", tests, NULL, NULL);
}
