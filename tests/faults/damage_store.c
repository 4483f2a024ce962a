#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/faults/damage.h"
#include "tests/sim/random.h"

#define TOGETHER    6
#define LARGE_BYTES 50000

size_t n_logs = N_LOGS;

static const char *const collections[] = { "notes", "sheets", "tasks" };
static const char *const types[] = { "text-unicode", "json0", "json1", "rich-text" };

struct store_name name_of(size_t i, char id[96])
{
    (void)snprintf(id, 96, "document %02zu, whose name is long so that few of them fit into a page, or two", i);
    return (struct store_name){ bytes_of_string(collections[i % 3]), bytes_of_string(id) };
}

struct bytes collection_of(size_t i)
{
    return bytes_of_string(collections[i]);
}

static uint64_t base_of(size_t i)
{
    return i % 8 == 3 ? 20 + i : 0;
}

/* Versions that are written first, and those that are left in the inbox. */
static uint64_t n_folded_of(size_t i)
{
    return i % 16 == 5 ? 126 : 4 + i % 9;
}

static void fill(struct sim_random *random, char *at, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        at[i] = (char)('a' + sim_random_below(random, 26));
}

static size_t body_size(struct sim_random *random, size_t i, uint64_t version)
{
    return i == 7 && version == 3 ? LARGE_BYTES : 10 + sim_random_below(random, 60);
}

/* A few at a time: each append is synced. In some logs one record of each append stands for three. */
static uint64_t write_records(struct store_loop *loop, struct sim_random *random, struct store_log *log, size_t i,
                              uint64_t from, uint64_t to)
{
    static char bodies[TOGETHER][LARGE_BYTES], srcs[TOGETHER][32];
    struct store_state after = { .type = bytes_of_string(types[i % 4]), .exists = i % 10 != 9 };
    struct record records[TOGETHER] = { 0 };
    uint64_t v = from;
    size_t n = 0;

    for (; n < TOGETHER && v < to; v = record_end(v, &records[n++])) {
        int n_src = snprintf(srcs[n], sizeof(srcs[n]), "source %d", (int)(v % (2 + i % 3)));

        records[n] = (struct record){ { bytes_of(srcs[n], (size_t)n_src), v + 1 },
                                      1000 * i + v,
                                      bytes_of_string(v % 2 ? "ink" : "paper"),
                                      bytes_of(bodies[n], body_size(random, i, v)),
                                      i % 8 == 4 && n == 1 && v + 3 <= to ? 2 : 0 };
        fill(random, bodies[n], records[n].body.n_bytes);
        after.n_bytes = records[n].body.n_bytes;
    }
    assert_int_equal(loop_append_records(loop, log, from, records, n, &after), 0);
    return v;
}

/* Alike from version to version, so that it is packed as what differs. */
struct bytes content_of(size_t i, uint64_t version, char content[KEPT_BYTES])
{
    struct sim_random common = { 1000 + i }, own = { version };
    size_t n_bytes = i % 4 ? 300 : KEPT_BYTES;

    fill(&common, content, n_bytes);
    fill(&own, content + version * 97 % (n_bytes - 20), 20);
    return bytes_of(content, n_bytes);
}

static void write_log(struct store_loop *loop, struct sim_random *random, struct store_log *log, size_t i, uint64_t to)
{
    char content[KEPT_BYTES];

    for (uint64_t v = loop->info.head; v < to;) {
        v = write_records(loop, random, log, i, v, to);
        if (i % 2)
            assert_int_equal(loop_snapshot_put(loop, log, v, content_of(i, v, content)), 0);
    }
}

/* Most of what lies between the first record and the last, so that snapshots within are hidden or go. */
static void merge_log(struct store_loop *loop, struct store_log *log, size_t i)
{
    const struct record merged[] = {
        { { bytes_of_string("source 1"), 31 }, 1000 * i + 30, bytes_of_string("ink"), bytes_of_string("one"), 28 },
        { { bytes_of_string("source 0"), 61 }, 1000 * i + 60, bytes_of_string("paper"), bytes_of_string("two"), 29 },
    };

    assert_int_equal(loop_merge(loop, log, 1, merged, 2), 0);
}

/* First with folds, merged and compacted; then without: the newest records stay in the inbox. */
void write_store(struct place *place)
{
    struct store_lmdb_tuning tuning = place_tiny_tuning;
    struct sim_random random = { 42 };
    struct store_loop loop;
    char id[96];

    tuning.chunk_bytes = 2000;
    tuning.piece_bytes = 9000;
    tuning.segment_bytes = 1500;
    tuning.segment_payload_bytes = 3000;
    tuning.fold_batches = 20;
    tuning.inbox_batches = 60;
    for (int round = 0; round < 2; round++) {
        loop_init(&loop);
        loop.store = place_open(place, &loop, round ? &store_lmdb_tuning_default : &tuning);
        for (size_t i = round ? 8 : 0, end = round && n_logs > 24 ? 24 : n_logs; i < end; i++) {
            struct store_log *log = loop_open_name(&loop, name_of(i, id), NULL);

            if (!round && base_of(i)) {
                assert_int_equal(loop_begin_at(&loop, log, base_of(i)), 0);
                loop.info.head = base_of(i);
            }
            if (!round || i < n_logs - N_REMOVED)
                write_log(&loop, &random, log, i, base_of(i) + n_folded_of(i) + (round ? 4 : 0));
            if (!round && i % 16 == 5)
                merge_log(&loop, log, i);
            if (!round && i >= n_logs - N_REMOVED)
                assert_int_equal(loop_remove(&loop, log), 0);
            store_log_close(log);
        }
        if (!round)
            assert_int_equal(loop_compact(&loop), 0);
        assert_int_equal(loop_meta_put(&loop, "key", bytes_of_string("a small value of the server")), 0);
        store_close(loop.store);
        loop_finish(&loop);
    }
}
