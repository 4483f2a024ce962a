/* What is LMDB's own about snapshots: chains of differences, those of format 2, damage, dropping some of them. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/crc32c.h"
#include "storage/lmdb/chain.h"
#include "storage/lmdb/inside.h"
#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_SNAPSHOTS 60
#define N_RECORDS   (N_SNAPSHOTS + 1)
#define N_BYTES     20000

static uint64_t seed = 1; /* test_store_snapshots SEED */

struct fixture {
    struct place *place;
    struct store_loop loop;
    struct store_log *log;
    struct environment environment; /* while the store is closed */
    pthread_rwlock_t in_use;
    struct view view;
    uint64_t number;
};

/* Snapshot i is of version i: text that nothing packs well, and changes here and there. */
static struct bytes content_of(uint64_t i, char into[N_BYTES])
{
    struct sim_random random = { 7 };

    for (size_t k = 0; k < N_BYTES; k++)
        into[k] = (char)('a' + sim_random_below(&random, 26));
    for (uint64_t k = 0; k < i * 20; k++)
        into[sim_random_below(&random, N_BYTES)] = '#';
    return bytes_of(into, N_BYTES - (size_t)(i % 7));
}

static void open_store(struct fixture *f)
{
    int r;

    f->loop.store = place_open(f->place, &f->loop, &store_lmdb_tuning_default);
    f->log = loop_open_log(&f->loop, "notes", "a", &r);
    assert_int_equal(r, 0);
}

static void close_store(struct fixture *f)
{
    store_log_close(f->log);
    store_close(f->loop.store);
}

static void put(struct fixture *f, uint64_t i)
{
    char content[N_BYTES];

    assert_int_equal(loop_snapshot_put(&f->loop, f->log, i, content_of(i, content)), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->place = place_create();
    loop_init(&f->loop);
    open_store(f);
    for (uint64_t v = 0; v < N_RECORDS; v++)
        assert_int_equal(loop_append(&f->loop, f->log, v, "x"), 0);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++)
        put(f, i);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    place_destroy(f->place);
    loop_finish(&f->loop);
    free(f);
    return 0;
}

/* ---- inside ------------------------------------------------------------------------------------------------------ */

static void go_inside(struct fixture *f)
{
    struct store_lmdb_config config = { .path = f->place->path, .mode = STORE_READ_WRITE, .max_bytes = 1 << 30 };
    struct view_log found;
    char why[256];

    close_store(f);
    assert_int_equal(environment_open(&config, &f->environment, why, sizeof(why)), 0);
    pthread_rwlock_init(&f->in_use, NULL);
    assert_int_equal(view_init(&f->view, &f->environment, &f->in_use), 0);
    assert_int_equal(view_begin(&f->view), 0);
    assert_int_equal(
        view_find_log(&f->view, (struct store_name){ bytes_of_string("notes"), bytes_of_string("a") }, &found), 0);
    f->number = found.row.number;
}

static void go_outside(struct fixture *f)
{
    view_end(&f->view);
    view_finish(&f->view);
    environment_close(&f->environment);
    pthread_rwlock_destroy(&f->in_use);
    open_store(f);
}

static void write_parcel(struct fixture *f, struct parcel *parcel)
{
    MDB_txn *txn;

    assert_int_equal(mdb_txn_begin(f->environment.env, NULL, 0, &txn), 0);
    assert_int_equal(parcel_write(parcel, &f->environment, txn), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    parcel_finish(parcel);
    view_end(&f->view);
    assert_int_equal(view_begin(&f->view), 0);
}

static void drop_within(struct fixture *f, uint64_t from, uint64_t to)
{
    struct record record = { .n_merged = to - from - 1 };
    struct parcel parcel;

    parcel_init(&parcel);
    assert_int_equal(snapshot_drop_within(&parcel, &f->view, f->number, from, &record, to > from), 0);
    write_parcel(f, &parcel);
}

static size_t n_entries(struct fixture *f, enum db db)
{
    MDB_stat stat;

    assert_int_equal(mdb_stat(f->view.txn, f->environment.dbs[db], &stat), 0);
    return stat.ms_entries;
}

static bool is_there(struct fixture *f, uint64_t i)
{
    struct manifest manifest;
    uint64_t version;

    return !view_manifest(&f->view, f->number, i, &version, &manifest) && version == i;
}

static int read_one(struct fixture *f, uint64_t i)
{
    struct buffer content;
    struct chain chain;
    char want[N_BYTES];
    const struct chain_source source = chain_source_of(&f->view);
    int r = chain_find(&source, f->number, i, &chain);

    buffer_init(&content, SNAPSHOT_MAX_BYTES);
    if (!r)
        r = chain_read(&source, &chain, &content);
    if (!r)
        assert_true(bytes_equal(buffer_bytes(&content), content_of(i, want)));
    buffer_finish(&content);
    return r;
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

static void chains_are_short_and_differences_small(void **state)
{
    struct fixture *f = *state;
    size_t n_bytes = 0, n_whole = 0, longest = 0;
    struct chain chain;

    go_inside(f);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++) {
        const struct chain_source source = chain_source_of(&f->view);

        assert_int_equal(chain_find(&source, f->number, i, &chain), 0);
        n_bytes += chain.links[0].manifest.n_packed;
        n_whole += chain.links[0].manifest.base == 0;
        longest = chain.n > longest ? chain.n : longest;
        assert_int_equal(read_one(f, i), 0);
    }
    assert_int_equal(longest, CHAIN_MAX);
    assert_int_equal(n_whole, (N_SNAPSHOTS + CHAIN_MAX - 1) / CHAIN_MAX);
    assert_in_range(n_bytes, n_whole * 10000, n_whole * 15000 + N_SNAPSHOTS * 400);
    go_outside(f);
    close_store(f);
}

/* The content of one after the other, none like the one before. */
static void a_chain_ends_where_differences_outweigh_the_whole(void **state)
{
    struct fixture *f = *state;
    struct sim_random random = { 3 };
    struct chain chain;
    char content[2000];

    assert_int_equal(loop_remove(&f->loop, f->log), 0);
    close_store(f);
    open_store(f);
    for (uint64_t v = N_RECORDS; v < (uint64_t)N_RECORDS + 8; v++) {
        for (size_t k = 0; k < sizeof(content); k++)
            content[k] = (char)sim_random_below(&random, 256);
        assert_int_equal(loop_append(&f->loop, f->log, v, "y"), 0);
        assert_int_equal(loop_snapshot_put(&f->loop, f->log, v + 1, bytes_of(content, sizeof(content))), 0);
    }
    go_inside(f);
    for (uint64_t v = N_RECORDS + 1; v <= (uint64_t)N_RECORDS + 8; v++) {
        const struct chain_source source = chain_source_of(&f->view);

        assert_int_equal(chain_find(&source, f->number, v, &chain), 0);
        assert_in_range(chain.n, 1, 3);
    }
    go_outside(f);
    close_store(f);
}

/* ---- format 2 ---------------------------------------------------------------------------------------------------- */

static void a_snapshot_of_format_2_is_read(void **state)
{
    struct fixture *f = *state;
    struct log_key key, chunk;
    struct buffer manifest;
    struct parcel parcel;
    const char *content = "as it was kept then";
    size_t n = strlen(content);

    assert_int_equal(loop_append(&f->loop, f->log, N_RECORDS, "y"), 0);
    assert_int_equal(loop_append(&f->loop, f->log, N_RECORDS + 1, "y"), 0);
    go_inside(f);
    key = log_key_of_version(f->number, N_RECORDS + 1);
    parcel_init(&parcel);
    buffer_init(&manifest, 100);
    append_varint(&manifest, n);
    append_varint(&manifest, 2);
    append_varint(&manifest, crc32c(0, content, n));
    parcel_put_encoded(&parcel, DB_SNAPSHOTS, log_key_bytes(&key), &manifest);
    buffer_finish(&manifest);
    for (uint32_t i = 0; i < 2; i++) {
        chunk = log_key_of_chunk(f->number, N_RECORDS + 1, i);
        parcel_put(&parcel, DB_CHUNKS, log_key_bytes(&chunk), bytes_of(content + 10 * i, i ? n - 10 : 10));
    }
    write_parcel(f, &parcel);
    go_outside(f);

    assert_int_equal(loop_snapshot_get(&f->loop, f->log, STORE_NEWEST), 0);
    assert_true(f->loop.version == N_RECORDS + 1);
    assert_true(bytes_equal(buffer_bytes(&f->loop.bytes), bytes_of_string(content)));
    put(f, N_RECORDS + 2); /* as a difference to it */
    close_store(f);
    open_store(f);
    go_inside(f);
    assert_int_equal(read_one(f, N_RECORDS + 2), 0);
    go_outside(f);
    close_store(f);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void lose_chunk(struct fixture *f, uint64_t i)
{
    struct log_key key = log_key_of_chunk(f->number, i, 0);
    struct parcel parcel;

    parcel_init(&parcel);
    parcel_delete(&parcel, DB_CHUNKS, log_key_bytes(&key));
    write_parcel(f, &parcel);
}

/* 17 is whole, 33 is the next one. */
static void damage_reaches_as_far_as_others_refer_to_it(void **state)
{
    struct fixture *f = *state;

    go_inside(f);
    lose_chunk(f, 20);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++)
        assert_int_equal(read_one(f, i), i >= 20 && i < 33 ? -EBADMSG : 0);
    go_outside(f);
    for (uint64_t at_most = 25; at_most >= 20; at_most--) {
        assert_int_equal(loop_snapshot_get(&f->loop, f->log, at_most), -EBADMSG);
        assert_true(f->loop.version == at_most);
    }
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, 19), 0);
    assert_true(f->loop.version == 19);
    close_store(f);
}

static void nothing_is_built_on_a_damaged_one(void **state)
{
    struct fixture *f = *state;

    go_inside(f);
    lose_chunk(f, N_SNAPSHOTS);
    go_outside(f);
    put(f, N_SNAPSHOTS + 1);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, STORE_NEWEST), 0);
    assert_true(f->loop.version == N_SNAPSHOTS + 1);
    close_store(f);
}

static void a_damaged_one_is_written_again(void **state)
{
    struct fixture *f = *state;

    go_inside(f);
    lose_chunk(f, N_SNAPSHOTS);
    go_outside(f);
    put(f, N_SNAPSHOTS);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, STORE_NEWEST), 0);
    assert_true(f->loop.version == N_SNAPSHOTS);
    close_store(f);
}

/* 56 to 59 are hidden, for 60. */
static void a_damaged_one_is_written_again_above_hidden_ones(void **state)
{
    struct fixture *f = *state;

    go_inside(f);
    drop_within(f, 55, 60);
    lose_chunk(f, 60);
    go_outside(f);
    put(f, 60);
    go_inside(f);
    for (uint64_t i = 55; i <= 60; i++)
        assert_int_equal(read_one(f, i), 0);
    drop_within(f, 54, 60);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++)
        assert_int_equal(read_one(f, i), 0);
    go_outside(f);
    close_store(f);
}

static void a_damaged_manifest_does_not_keep_the_log_from_opening(void **state)
{
    struct fixture *f = *state;
    struct log_key key;
    struct parcel parcel;

    go_inside(f);
    key = log_key_of_version(f->number, N_SNAPSHOTS);
    parcel_init(&parcel);
    parcel_put_sealed(&parcel, DB_SNAPSHOTS, log_key_bytes(&key), bytes_of_string("none at all"));
    write_parcel(f, &parcel);
    go_outside(f);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, STORE_NEWEST), -EBADMSG);
    assert_true(f->loop.version == N_SNAPSHOTS);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, N_SNAPSHOTS - 1), 0);
    assert_int_equal(
        loop_list(&f->loop, &(struct store_list_query){ .collection = bytes_of_string("notes"), .limit = 10 }), 0);
    assert_int_equal(f->loop.n_entries, 1);
    close_store(f);
}

static void what_a_crash_has_left_goes_with_the_next_one(void **state)
{
    struct fixture *f = *state;
    struct parcel parcel;
    size_t n_before;

    go_inside(f);
    n_before = n_entries(f, DB_CHUNKS);
    parcel_init(&parcel);
    for (uint32_t i = 0; i < 600; i++) {
        struct log_key key = log_key_of_chunk(f->number, N_SNAPSHOTS + 1, i);

        parcel_put(&parcel, DB_CHUNKS, log_key_bytes(&key), bytes_of_string("half"));
    }
    write_parcel(f, &parcel);
    assert_int_equal(n_entries(f, DB_CHUNKS), n_before + 600);
    go_outside(f);
    put(f, N_SNAPSHOTS + 1);
    go_inside(f);
    assert_int_equal(n_entries(f, DB_CHUNKS), n_before + 1);
    assert_int_equal(read_one(f, N_SNAPSHOTS + 1), 0);
    go_outside(f);
    close_store(f);
}

/* ---- dropping ---------------------------------------------------------------------------------------------------- */

/* 17 is whole; 18 to 32 refer to it, each to the one before. */
static void what_others_refer_to_is_hidden_until_they_go(void **state)
{
    struct fixture *f = *state;

    go_inside(f);
    drop_within(f, 18, 22);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++)
        assert_int_equal(read_one(f, i), 0); /* those within are kept, for 22 and the rest */
    go_outside(f);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, 21), 0);
    assert_true(f->loop.version == 18);
    go_inside(f);
    drop_within(f, 21, 33);
    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++)
        assert_int_equal(is_there(f, i), i <= 18 || i >= 33);
    drop_within(f, 0, N_SNAPSHOTS + 1);
    assert_int_equal(n_entries(f, DB_SNAPSHOTS), 0);
    assert_int_equal(n_entries(f, DB_CHUNKS), 0);
    go_outside(f);
    close_store(f);
}

/* Of a log of its own, each second version: a chain of 16, and the next one, which is whole. Each of the chain lies
 * within another one of the records. */
static void one_merge_of_many_records_drops_a_chain(void **state)
{
    struct fixture *f = *state;
    struct record records[CHAIN_MAX];
    char content[N_BYTES];

    store_log_close(f->log);
    f->log = loop_open_log(&f->loop, "notes", "b", NULL);
    for (uint64_t v = 0; v < 2 * CHAIN_MAX + 3; v++)
        assert_int_equal(loop_append(&f->loop, f->log, v, "x"), 0);
    for (uint64_t i = 1; i <= CHAIN_MAX + 1; i++)
        assert_int_equal(loop_snapshot_put(&f->loop, f->log, 2 * i, content_of(i, content)), 0);
    for (uint64_t i = 0; i < CHAIN_MAX; i++)
        records[i] = (struct record){
            .id = { bytes_of_string("s"), 2 * i + 3 }, .time_ms = 2 * i + 2, .body = bytes_of_string("x"), .n_merged = 1
        };
    assert_int_equal(loop_merge(&f->loop, f->log, 1, records, CHAIN_MAX), 0);
    assert_int_equal(loop_snapshot_get(&f->loop, f->log, STORE_NEWEST), 0);
    assert_true(f->loop.version == 2 * (CHAIN_MAX + 1));
    go_inside(f);
    assert_int_equal(n_entries(f, DB_SNAPSHOTS), N_SNAPSHOTS + 1);
    assert_int_equal(n_entries(f, DB_CHUNKS), N_SNAPSHOTS + 1);
    go_outside(f);
    close_store(f);
}

static void check_dropped(struct fixture *f, const bool *is_visible)
{
    uint64_t newest = 0, version;
    struct manifest manifest;

    for (uint64_t i = 1; i <= N_SNAPSHOTS; i++) {
        if (is_visible[i])
            newest = i;
        assert_int_equal(view_snapshot(&f->view, f->number, i, &version, &manifest), newest ? 0 : -ENOENT);
        assert_true(!newest || version == newest);
        if (is_visible[i])
            assert_int_equal(read_one(f, i), 0);
    }
}

static void dropping_here_and_there_leaves_the_others_readable(void **state)
{
    struct fixture *f = *state;
    struct sim_random random = { seed };
    bool is_visible[N_SNAPSHOTS + 1];

    memset(is_visible, true, sizeof(is_visible));
    print_message("# seed %" PRIu64 "\n", seed);
    go_inside(f);
    for (size_t round = 0; round < 25; round++) {
        uint64_t from = sim_random_below(&random, N_SNAPSHOTS + 1), to = from + sim_random_below(&random, 14);

        drop_within(f, from, to);
        for (uint64_t i = from + 1; i < to && i <= N_SNAPSHOTS; i++)
            is_visible[i] = false;
        check_dropped(f, is_visible);
    }
    go_outside(f);
    close_store(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(chains_are_short_and_differences_small),
        TEST(a_chain_ends_where_differences_outweigh_the_whole),
        TEST(a_snapshot_of_format_2_is_read),
        TEST(damage_reaches_as_far_as_others_refer_to_it),
        TEST(nothing_is_built_on_a_damaged_one),
        TEST(a_damaged_one_is_written_again),
        TEST(a_damaged_one_is_written_again_above_hidden_ones),
        TEST(a_damaged_manifest_does_not_keep_the_log_from_opening),
        TEST(what_a_crash_has_left_goes_with_the_next_one),
        TEST(what_others_refer_to_is_hidden_until_they_go),
        TEST(one_merge_of_many_records_drops_a_chain),
        TEST(dropping_here_and_there_leaves_the_others_readable),
    };

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests_name("snapshots in LMDB", tests, NULL, NULL);
}
