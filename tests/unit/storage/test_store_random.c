/* Random work on a few logs, with the store closed and opened again in between, compared with a plain model in memory
 * (the simulation's disk). A failure names its seed: test_store_random SEED runs that one. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/engine.h"
#include "storage/lmdb/repack.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_disk.h"
#include "tests/unit/storage/place.h"

#define N_LOGS    6
#define N_STEPS   400
#define N_SOURCES 5

struct run {
    struct sim_random random;
    struct place *place;
    struct store_loop loop;
    struct store_lmdb_tuning tuning;
    struct sim_disk *model;
    struct store_log *logs[N_LOGS];
    uint64_t newest_snapshot[N_LOGS]; /* 0: none, or it went with a merge */
    bool lost_snapshot[N_LOGS];       /* the latter: which of the older ones are there is the engine's choice */
    uint64_t seqs[N_SOURCES], now_ms;
};

static uint64_t first_seed = 1, n_seeds = 8;

static struct store_name name_of(size_t i)
{
    static const char *const collections[] = { "a", "ab" }, *const ids[] = { "x", "xy", "y" };

    return (struct store_name){ bytes_of_string(collections[i % 2]), bytes_of_string(ids[i / 2]) };
}

static size_t below(struct run *run, size_t n)
{
    return sim_random_below(&run->random, n);
}

/* Sizes at which batches, segments, parcels and folds end everywhere. */
static struct store_lmdb_tuning random_tuning(struct run *run)
{
    return (struct store_lmdb_tuning){
        .batch_bytes = 100 + below(run, 5000),
        .parcel_bytes = 100 + below(run, 8000),
        .chunk_bytes = 1 + below(run, 3000),
        .piece_bytes = 60 + below(run, 6000),
        .segment_bytes = 100 + below(run, 3000),
        .segment_payload_bytes = 100 + below(run, 10000),
        .fold_bytes = SIZE_MAX,
        .fold_batches = 1 + below(run, 30),
        .inbox_bytes = SIZE_MAX,
        .inbox_batches = 31 + below(run, 30),
    };
}

static void open_all(struct run *run)
{
    run->loop.store = place_open(run->place, &run->loop, &run->tuning);
    for (size_t i = 0; i < N_LOGS; i++) {
        struct store_info want = sim_log_info(sim_disk_find(run->model, name_of(i)));

        run->logs[i] = loop_open_name(&run->loop, name_of(i), NULL);
        assert_true(run->loop.info.head == want.head);
        assert_true(run->loop.info.created_ms == want.created_ms);
        assert_true(run->loop.info.modified_ms == want.modified_ms);
        if (!run->lost_snapshot[i])
            assert_true(run->loop.info.snapshot_version == run->newest_snapshot[i]);
        assert_int_equal(run->loop.info.state.exists, want.state.exists);
        assert_true(run->loop.info.state.n_bytes == want.state.n_bytes);
        assert_true(bytes_equal(run->loop.info.state.type, want.state.type));
    }
}

static void close_all(struct run *run)
{
    for (size_t i = 0; i < N_LOGS; i++)
        store_log_close(run->logs[i]);
    store_close(run->loop.store);
}

static void step_append(struct run *run, size_t i)
{
    static const char *const srcs[N_SOURCES] = { "s", "t", "source", "q", "r" }, *const types[] = { "text", "json" };
    static char body[20000];
    uint64_t head = sim_disk_head(run->model, name_of(i));
    struct record records[20];
    struct store_state after = { below(run, 10) > 0, bytes_of_string(types[below(run, 2)]), below(run, 1000) };
    size_t n = 1 + (below(run, 3) ? 0 : below(run, 20));

    for (size_t k = 0; k < sizeof(body); k++)
        body[k] = head % 3 ? (char)(k * 7 + (k >> 5) * head) : "[1203,44]"[k % 9];
    for (size_t k = 0; k < n; k++) {
        size_t s = below(run, N_SOURCES), n_bytes = below(run, 20) ? below(run, 100) : below(run, sizeof(body));

        run->now_ms += below(run, 3);
        records[k] = (struct record){ { bytes_of_string(srcs[s]), run->seqs[s]++ },
                                      run->now_ms,
                                      bytes_of_string(below(run, 2) ? "ann" : ""),
                                      bytes_of(body + below(run, sizeof(body) - n_bytes), n_bytes),
                                      below(run, 10) ? 0 : below(run, 50) };
    }
    assert_int_equal(loop_append_records(&run->loop, run->logs[i], head, records, n, &after), 0);
    assert_true(run->loop.head == records_end(head, records, n));
    sim_disk_append(run->model, name_of(i), records, n, &after);
}

static void step_snapshot(struct run *run, size_t i)
{
    const struct sim_log *log = sim_disk_find(run->model, name_of(i));
    uint64_t head = sim_log_info(log).head,
             least = log && log->base > run->newest_snapshot[i] ? log->base : run->newest_snapshot[i];
    static char content[10000];
    uint64_t version;

    if (!log || head <= least)
        return;
    version = least + 1 + below(run, (size_t)(head - least));
    if (version < head && !sim_log_record(log, version))
        return;
    for (size_t k = 1 + below(run, 200); k > 0; k--) /* like the one before, mostly */
        content[below(run, sizeof(content))] = (char)below(run, 256);
    struct bytes snapshot = bytes_of(content, below(run, sizeof(content)));

    assert_int_equal(loop_snapshot_put(&run->loop, run->logs[i], version, snapshot), 0);
    sim_disk_keep_snapshot(run->model, name_of(i), version, snapshot);
    run->newest_snapshot[i] = version;
    run->lost_snapshot[i] = false;
}

/* Two records in the place of some; sometimes from within one that stands for several, which changes nothing. */
static void step_merge(struct run *run, size_t i)
{
    const struct sim_log *log = sim_disk_find(run->model, name_of(i));
    uint64_t from, ends[2];
    const struct record *last[2];
    struct record records[2];
    size_t at;

    if (!log || log->n < 4)
        return;
    at = below(run, log->n - 3);
    from = records_end(log->base, log->records, at) + (below(run, 10) == 0);
    for (size_t k = 0; k < 2; k++) {
        at += 1 + below(run, k ? log->n - at : log->n - at - 1);
        last[k] = &log->records[at - 1];
        ends[k] = records_end(log->base, log->records, at);
        records[k] = (struct record){ last[k]->id, last[k]->time_ms, bytes_of_string("ann"), bytes_of("[1,2]", 5),
                                      ends[k] - (k ? ends[0] : from) - 1 };
        if (records[k].n_merged == UINT64_MAX)
            return;
    }
    for (size_t k = 0; k < 2; k++) /* they borrow from what goes */
        records[k] = record_copy(&records[k]);
    int want = sim_disk_merge(run->model, name_of(i), from, records, 2);

    assert_int_equal(loop_merge(&run->loop, run->logs[i], from, records, 2), want);
    for (size_t k = 0; k < 2 && !want; k++) {
        if (run->newest_snapshot[i] > (k ? ends[0] : from) && run->newest_snapshot[i] < ends[k]) {
            run->newest_snapshot[i] = 0;
            run->lost_snapshot[i] = true;
        }
    }
    for (size_t k = 0; k < 2; k++) {
        sim_free(records[k].id.src);
        sim_free(records[k].author);
        sim_free(records[k].body);
    }
}

static void step_remove(struct run *run, size_t i)
{
    assert_int_equal(loop_remove(&run->loop, run->logs[i]), 0);
    sim_disk_remove(run->model, name_of(i));
    run->newest_snapshot[i] = 0;
    run->lost_snapshot[i] = false;
}

/* Also where it can't. */
static void step_begin_at(struct run *run, size_t i)
{
    uint64_t version = sim_disk_head(run->model, name_of(i)) + below(run, 4);
    int r;

    version -= version > 0 ? below(run, 2) : 0;
    r = sim_disk_begin_at(run->model, name_of(i), version);
    assert_int_equal(loop_begin_at(&run->loop, run->logs[i], version), r);
}

static void on_repacked(void *arg, int r)
{
    assert_int_equal(r, 0);
    --*(size_t *)arg;
}

static void step_repack(struct run *run)
{
    size_t n_pending = 1;

    assert_int_equal(lmdb_repack(run->loop.store, on_repacked, &n_pending), 0);
    loop_until_none(&run->loop, &n_pending);
}

static void check_read(struct run *run, size_t i)
{
    const struct sim_log *log = sim_disk_find(run->model, name_of(i));
    uint64_t head = sim_log_info(log).head, from = below(run, (size_t)head + 2), to = from + below(run, 300);
    bool gone = from < to && from < head && !sim_log_record(log, from);
    uint64_t version = from;

    assert_int_equal(loop_read(&run->loop, run->logs[i], from, to, below(run, 20000)), gone ? STORE_TOO_OLD : 0);
    if (gone)
        return;
    assert_true(run->loop.n_records > 0 || from >= head || from >= to);
    for (size_t k = 0; k < run->loop.n_records; k++) {
        const struct record *is = &run->loop.records[k], *want = sim_log_record(log, version);

        assert_non_null(want);
        assert_true(version < to && is->n_merged == want->n_merged);
        version = record_end(version, is);
        assert_true(is->id.seq == want->id.seq && is->time_ms == want->time_ms);
        assert_true(bytes_equal(is->id.src, want->id.src) && bytes_equal(is->author, want->author));
        assert_true(bytes_equal(is->body, want->body));
    }
}

static void check_find(struct run *run, size_t i)
{
    static const char *const srcs[] = { "s", "t", "source", "q", "r", "nobody" };
    size_t s = below(run, 6);
    uint64_t seq = s < N_SOURCES ? below(run, (size_t)run->seqs[s] + 2) : 1, version = 0;
    struct store_source source = { 0 };
    bool has_source;
    int want = sim_log_find(sim_disk_find(run->model, name_of(i)), (struct op_id){ bytes_of_string(srcs[s]), seq },
                            &version, &source, &has_source);

    assert_int_equal(loop_find(&run->loop, run->logs[i], srcs[s], seq), want);
    if (!want)
        assert_true(run->loop.version == version);
    assert_int_equal(run->loop.has_source, has_source);
    if (has_source)
        assert_memory_equal(&run->loop.source, &source, sizeof(source));
}

static void check_version_at(struct run *run, size_t i)
{
    uint64_t ms = below(run, (size_t)run->now_ms + 2);

    assert_int_equal(loop_version_at(&run->loop, run->logs[i], ms), 0);
    assert_true(run->loop.version == sim_log_version_at(sim_disk_find(run->model, name_of(i)), ms));
}

static void check_snapshot(struct run *run, size_t i)
{
    uint64_t head = sim_disk_head(run->model, name_of(i));
    uint64_t at_most = below(run, 3) ? below(run, (size_t)head + 2) : STORE_NEWEST;
    const struct sim_snapshot *want = sim_log_snapshot(sim_disk_find(run->model, name_of(i)), at_most);

    assert_int_equal(loop_snapshot_get(&run->loop, run->logs[i], at_most), 0);
    assert_true(run->loop.version == (want ? want->version : 0));
    assert_true(
        bytes_equal(buffer_bytes(&run->loop.bytes), want ? bytes_of(want->at, want->n_bytes) : bytes_of("", 0)));
}

static void check_lists(struct run *run)
{
    uint64_t n_want[2] = { 0 };

    for (size_t i = 0; i < N_LOGS; i++)
        n_want[i % 2] += sim_log_info(sim_disk_find(run->model, name_of(i))).state.exists;
    for (size_t c = 0; c < 2; c++) {
        assert_int_equal(
            loop_list(&run->loop, &(struct store_list_query){ .collection = name_of(c).collection, .limit = 10 }), 0);
        assert_true(run->loop.n_entries == n_want[c]);
        for (size_t k = 0; k < run->loop.n_entries; k++) {
            const struct store_entry *entry = &run->loop.entries[k];
            struct store_name name = { name_of(c).collection, entry->id };

            assert_true(entry->info.head == sim_disk_head(run->model, name));
            assert_true(entry->info.state.exists);
        }
    }
    assert_int_equal(loop_collections(&run->loop), 0);
    assert_int_equal(run->loop.n_collections, (n_want[0] > 0) + (n_want[1] > 0));
    for (size_t k = 0; k < run->loop.n_collections; k++)
        assert_true(run->loop.collections[k].n_documents == n_want[run->loop.collections[k].name.n_bytes - 1]);
}

/* The sizes are of everything: they add up to the file. */
static void check_sizes(struct run *run)
{
    const struct store_sizes *is = &run->loop.sizes;
    uint64_t n_logs = 0, n_documents = 0;

    for (size_t i = 0; i < N_LOGS; i++) {
        struct store_info info = sim_log_info(sim_disk_find(run->model, name_of(i)));

        n_logs += info.head > info.first;
        n_documents += info.state.exists;
    }
    assert_int_equal(loop_sizes(&run->loop), 0);
    assert_true(is->n_logs == n_logs);
    assert_true(is->n_documents == n_documents);
    assert_true(is->inbox_bytes + is->segment_bytes + is->snapshot_bytes + is->large_bytes + is->other_bytes +
                    is->free_bytes ==
                is->file_bytes);
}

static void step_pack(struct run *run)
{
    assert_int_equal(loop_pack(&run->loop), 0);
    assert_int_equal(loop_sizes(&run->loop), 0);
    assert_true(run->loop.sizes.n_batches == 0);
}

static void step_compact(struct run *run)
{
    assert_int_equal(loop_compact(&run->loop), 0);
    assert_true(run->loop.n_total > 0 && run->loop.n_done == run->loop.n_total);
    assert_int_equal(loop_sizes(&run->loop), 0);
    assert_true(run->loop.sizes.n_batches == 0);
}

static void step(struct run *run)
{
    size_t i = below(run, N_LOGS), what = below(run, 1000);

    if (what < 500)
        step_append(run, i);
    else if (what < 550)
        step_snapshot(run, i);
    else if (what < 570)
        step_remove(run, i);
    else if (what < 595)
        step_merge(run, i);
    else if (what < 610)
        step_begin_at(run, i);
    else if (what < 620)
        step_repack(run);
    else if (what < 720)
        check_read(run, i);
    else if (what < 800)
        check_find(run, i);
    else if (what < 850)
        check_version_at(run, i);
    else if (what < 900)
        check_snapshot(run, i);
    else if (what < 950)
        check_lists(run);
    else if (what < 965)
        check_sizes(run);
    else if (what < 972)
        step_pack(run);
    else if (what < 980)
        step_compact(run);
    else {
        close_all(run);
        run->tuning = random_tuning(run);
        open_all(run);
    }
}

static void what_is_read_is_what_was_written(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++) {
        struct run run = { .random = { seed } };

        print_message("# seed %" PRIu64 "\n", seed);
        run.place = place_create();
        run.model = sim_disk_create();
        run.tuning = random_tuning(&run);
        loop_init(&run.loop);
        open_all(&run);
        for (size_t i = 0; i < N_STEPS; i++)
            step(&run);
        close_all(&run);
        loop_finish(&run.loop);
        sim_disk_destroy(run.model);
        place_destroy(run.place);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_read_is_what_was_written) };

    if (argc > 1) {
        first_seed = strtoull(argv[1], NULL, 10);
        n_seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    }
    return cmocka_run_group_tests_name("random work on a store", tests, NULL, NULL);
}
