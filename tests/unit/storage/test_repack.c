/* Repacking: segments fill their pages but for a few bytes, a second run has nothing to do, and whatever happens in
 * between, every record stays what it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/crc32c.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/repack.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment.h"
#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_RECORDS  40000
#define N_A_GROUP  1000
#define N_ROOM     (4 * 4096 - 16)
#define N_SEEN_MAX 200
#define MAX_BYTES  ((uint64_t)1 << 30)
#define BODY_BYTES 40

struct seen {
    uint64_t first, end;
    size_t n_bytes;
    enum segment_state state;
    uint32_t crc;
};

struct fixture {
    struct place *place;
    struct store_loop loop;
    struct store_log *log;
    struct sim_random random;
    uint64_t head, now_ms;
    char bodies[N_RECORDS][BODY_BYTES];
    uint64_t times[N_RECORDS];
    struct seen seen[N_SEEN_MAX]; /* of the log's segments */
    size_t n_seen;
};

/* ---- somebody types ---------------------------------------------------------------------------------------------- */

static void open_store(struct fixture *f)
{
    f->loop.store = place_open(f->place, &f->loop, &store_lmdb_tuning_default);
    f->log = loop_open_log(&f->loop, "notes", "a", NULL);
}

static void close_store(struct fixture *f)
{
    store_log_close(f->log);
    store_close(f->loop.store);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint64_t place = 0;

    assert_non_null(f);
    f->random = (struct sim_random){ 11 };
    for (size_t i = 0; i < N_RECORDS; i++) {
        place = sim_random_chance(&f->random, 20) ? sim_random_below(&f->random, 100000) : place + 1;
        f->now_ms += 50 + sim_random_below(&f->random, 300);
        f->times[i] = f->now_ms;
        (void)snprintf(f->bodies[i], BODY_BYTES, "{\"op\":[%u,\"%c\"]}", (unsigned)place,
                       (char)('a' + sim_random_below(&f->random, 26)));
    }
    loop_init(&f->loop);
    f->place = place_create();
    open_store(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_store(f);
    place_destroy(f->place);
    loop_finish(&f->loop);
    free(f);
    return 0;
}

static struct record record_of(struct fixture *f, uint64_t version)
{
    return (struct record){ .id = { bytes_of_string("ink"), version + 1 },
                            .time_ms = f->times[version],
                            .author = bytes_of_string("paper"),
                            .body = bytes_of_string(f->bodies[version]) };
}

static void append(struct fixture *f, uint64_t to)
{
    struct store_state after = { true, bytes_of_string("text"), 1 };
    static struct record records[N_A_GROUP];

    while (f->head < to) {
        size_t n = to - f->head < N_A_GROUP ? (size_t)(to - f->head) : N_A_GROUP;

        for (size_t i = 0; i < n; i++)
            records[i] = record_of(f, f->head + i);
        assert_int_equal(loop_append_records(&f->loop, f->log, f->head, records, n, &after), 0);
        f->head += n;
    }
}

/* Putting the last record in its own place makes a fold come first. */
static void fold(struct fixture *f)
{
    struct record last = record_of(f, f->head - 1);

    assert_int_equal(loop_merge(&f->loop, f->log, f->head - 1, &last, 1), 0);
}

static void check_from(struct fixture *f, uint64_t from)
{
    while (from < f->head) {
        assert_int_equal(loop_read(&f->loop, f->log, from, STORE_NEWEST, 1 << 20), 0);
        assert_true(f->loop.n_records > 0);
        for (size_t i = 0; i < f->loop.n_records; i++) {
            const struct record *record = &f->loop.records[i];

            assert_true(bytes_equal(record->body, bytes_of_string(f->bodies[from])));
            assert_true(bytes_equal(record->id.src, bytes_of_string("ink")));
            assert_true(bytes_equal(record->author, bytes_of_string("paper")));
            assert_true(record->id.seq == from + 1 && record->time_ms == f->times[from]);
            assert_int_equal(record->n_merged, 0);
            from++;
        }
    }
}

/* ---- repacking --------------------------------------------------------------------------------------------------- */

struct repacked {
    size_t n_pending;
    int r;
};

static void on_repacked(void *arg, int r)
{
    struct repacked *repacked = arg;

    repacked->n_pending--;
    repacked->r = r;
}

static void repack(struct fixture *f)
{
    struct repacked repacked = { 1, 1 };

    assert_int_equal(lmdb_repack(f->loop.store, on_repacked, &repacked), 0);
    loop_until_none(&f->loop, &repacked.n_pending);
    assert_int_equal(repacked.r, 0);
}

/* Closes the store, looks at its segments or changes them, and opens it again. */
static void look(struct fixture *f, void (*fn)(struct fixture *f, struct environment *environment, MDB_txn *txn))
{
    struct store_lmdb_config config = { .path = f->place->path, .max_bytes = MAX_BYTES };
    struct environment environment;
    char why[256];
    MDB_txn *txn;

    close_store(f);
    assert_int_equal(environment_open(&config, &environment, why, sizeof(why)), 0);
    assert_int_equal(mdb_txn_begin(environment.env, NULL, 0, &txn), 0);
    fn(f, &environment, txn);
    assert_int_equal(mdb_txn_commit(txn), 0);
    environment_close(&environment);
    open_store(f);
}

static void see_segments(struct fixture *f, struct environment *environment, MDB_txn *txn)
{
    struct segment segment = { 0 };
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t at = 0;

    f->n_seen = 0;
    assert_int_equal(mdb_cursor_open(txn, environment->dbs[DB_LOG], &cursor), 0);
    while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct seen *seen = &f->seen[f->n_seen++];

        assert_true(f->n_seen < N_SEEN_MAX);
        seen->first = get_be64((const char *)key.mv_data + 8);
        assert_true(seen->first == at);
        assert_int_equal(segment_decode(&segment, get_be64(key.mv_data), seen->first, bytes_of_val(value)), 0);
        at = seen->end = segment.end;
        seen->n_bytes = value.mv_size;
        seen->state = segment_state(bytes_of_val(value));
        seen->crc = crc32c(0, value.mv_data, value.mv_size);
    }
    assert_true(at == f->head);
    mdb_cursor_close(cursor);
    segment_finish(&segment);
}

static void check_tight(struct fixture *f)
{
    look(f, see_segments);
    assert_true(f->n_seen > 1);
    for (size_t i = 0; i < f->n_seen; i++) {
        assert_in_range(f->seen[i].n_bytes, i + 1 < f->n_seen ? N_ROOM - N_ROOM / 64 : 1, N_ROOM);
        assert_int_equal(f->seen[i].state, i + 1 < f->n_seen ? SEGMENT_TIGHT : SEGMENT_TIGHT_LAST);
    }
}

static void segments_fill_their_pages(void **state)
{
    struct fixture *f = *state;
    struct seen before[N_SEEN_MAX];
    size_t n_before;

    append(f, N_RECORDS);
    fold(f);
    look(f, see_segments);
    n_before = f->n_seen;
    repack(f);
    check_tight(f);
    assert_true(f->n_seen < n_before);
    check_from(f, 0);

    memcpy(before, f->seen, sizeof(before));
    n_before = f->n_seen;
    repack(f);
    look(f, see_segments);
    assert_int_equal(f->n_seen, n_before);
    assert_memory_equal(f->seen, before, n_before * sizeof(before[0]));
}

static void what_is_tight_stays_when_the_log_grows(void **state)
{
    struct fixture *f = *state;
    struct seen before[N_SEEN_MAX];
    size_t n_before;

    append(f, N_RECORDS / 2);
    fold(f);
    repack(f);
    check_tight(f);
    memcpy(before, f->seen, sizeof(before));
    n_before = f->n_seen;
    append(f, N_RECORDS);
    fold(f);
    repack(f);
    check_tight(f);
    assert_memory_equal(f->seen, before, (n_before - 1) * sizeof(before[0]));
    check_from(f, 0);
}

static void flip_a_byte(struct fixture *f, struct environment *environment, MDB_txn *txn)
{
    struct log_key key = log_key_of_version(1, f->seen[1].first);
    MDB_val k = val_of(log_key_bytes(&key)), value;
    char *copy;

    assert_int_equal(mdb_get(txn, environment->dbs[DB_LOG], &k, &value), 0);
    copy = malloc(value.mv_size);
    assert_non_null(copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 1;
    value.mv_data = copy;
    assert_int_equal(mdb_put(txn, environment->dbs[DB_LOG], &k, &value, 0), 0);
    free(copy);
}

static void a_damaged_segment_stays_where_it_is(void **state)
{
    struct fixture *f = *state;
    struct seen damaged;

    append(f, N_RECORDS);
    fold(f);
    look(f, see_segments);
    damaged = f->seen[1];
    look(f, flip_a_byte);
    repack(f);
    check_from(f, damaged.end);
    assert_int_equal(loop_read(&f->loop, f->log, damaged.first - 1, damaged.first, 100), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_int_equal(loop_read(&f->loop, f->log, damaged.first, STORE_NEWEST, 100), -EBADMSG);
    assert_int_equal(loop_read(&f->loop, f->log, damaged.end - 1, STORE_NEWEST, 100), -EBADMSG);
}

/* Each merge leaves loose segments in the midst of tight ones. */
static void folds_and_merges_go_on_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct repacked repacked = { 1, 1 };
    uint64_t from = 100;

    append(f, N_RECORDS / 2);
    fold(f);
    assert_int_equal(lmdb_repack(f->loop.store, on_repacked, &repacked), 0);
    while (repacked.n_pending > 0 || f->head < N_RECORDS) {
        struct record record = record_of(f, from);

        append(f, f->head + 500 < N_RECORDS ? f->head + 500 : N_RECORDS);
        assert_int_equal(loop_merge(&f->loop, f->log, from, &record, 1), 0);
        from += 997;
        if (from > N_RECORDS / 4)
            from = 100;
    }
    assert_int_equal(repacked.r, 0);
    check_from(f, 0);
    fold(f);
    repack(f);
    look(f, see_segments);
    for (size_t i = 0; i < f->n_seen; i++)
        assert_int_not_equal(f->seen[i].state, SEGMENT_LOOSE);
    check_from(f, 0);
}

static void compaction_makes_segments_tight(void **state)
{
    struct fixture *f = *state;

    append(f, N_RECORDS);
    assert_int_equal(loop_compact(&f->loop), 0);
    assert_true(f->loop.n_total > 0);
    check_tight(f);
    check_from(f, 0);
}

static void on_compacted(void *arg, int r)
{
    ((struct repacked *)arg)->r = r;
}

/* It is cut short, unless it was very quick. */
static void closing_cuts_compaction_short(void **state)
{
    struct fixture *f = *state;
    struct repacked compacted = { 0, 1 };

    append(f, N_RECORDS);
    assert_int_equal(store_compact(f->loop.store, NULL, on_compacted, &compacted), 0);
    close_store(f);
    assert_true(compacted.r == -ESHUTDOWN || compacted.r == 0);
    open_store(f);
    check_from(f, 0);
    assert_int_equal(loop_compact(&f->loop), 0);
    check_tight(f);
    check_from(f, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(segments_fill_their_pages),           TEST(what_is_tight_stays_when_the_log_grows),
        TEST(a_damaged_segment_stays_where_it_is), TEST(folds_and_merges_go_on_meanwhile),
        TEST(compaction_makes_segments_tight),     TEST(closing_cuts_compaction_short),
    };

    return cmocka_run_group_tests_name("repacking", tests, NULL, NULL);
}
