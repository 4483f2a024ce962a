/* Large bodies in LMDB: they are written in pieces, between which others come first; what came to nothing leaves no
 * pieces; a store of a former format gets a place for them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"
#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_LARGE   300000
#define N_HUGE    1200000 /* more than the smallest store takes */
#define MAX_BYTES ((uint64_t)1 << 30)

struct fixture {
    struct place *place;
    struct store_loop loop;
    struct store_lmdb_tuning tuning; /* a large body is 300 pieces */
    char large[N_HUGE];              /* does not compress */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sim_random random = { 5 };

    assert_non_null(f);
    f->place = place_create();
    f->tuning = place_tiny_tuning;
    f->tuning.piece_bytes = 1000;
    for (size_t i = 0; i < N_HUGE; i++)
        f->large[i] = (char)sim_random_u64(&random);
    loop_init(&f->loop);
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

/* ---- appends that do not wait for one another -------------------------------------------------------------------- */

struct sent {
    struct record record;
    int r;
    size_t place, *n_answered; /* it was the place'th answer */
};

static void on_append(void *arg, int r, uint64_t head)
{
    struct sent *sent = arg;

    sent->r = r;
    sent->place = ++*sent->n_answered;
}

static void send(struct store_log *log, uint64_t expected, struct bytes body, struct sent *sent, size_t *n_answered)
{
    static const struct store_state after = { true, { "text", 4 }, 1 };

    *sent = (struct sent){
        { { bytes_of_string("s"), expected + 1 }, expected, bytes_of_string("ann"), body }, 1, 0, n_answered
    };
    assert_int_equal(store_append(log, expected, &sent->record, 1, &after, on_append, sent), 0);
}

static void wait_for(struct fixture *f, const size_t *n_answered, size_t n)
{
    while (*n_answered < n)
        assert_true(loop_turn(&f->loop, 60000));
}

static struct store_log *open_log(struct fixture *f, const char *id)
{
    return loop_open_log(&f->loop, "notes", id, NULL);
}

static int append_large(struct fixture *f, struct store_log *log, uint64_t expected, size_t n_bytes)
{
    struct record record = {
        { bytes_of_string("s"), expected + 1 }, expected, bytes_of_string("ann"), bytes_of(f->large, n_bytes)
    };
    struct store_state after = { true, bytes_of_string("text"), n_bytes };

    return loop_append_records(&f->loop, log, expected, &record, 1, &after);
}

static void check_large(struct fixture *f, struct store_log *log, uint64_t version, size_t n_bytes)
{
    assert_int_equal(loop_read(&f->loop, log, version, version + 1, 1), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_true(bytes_equal(f->loop.records[0].body, bytes_of(f->large, n_bytes)));
}

/* ---- what is in the file, while nobody has it open --------------------------------------------------------------- */

static void look(struct fixture *f, void (*fn)(struct environment *environment, MDB_txn *txn, void *arg), void *arg)
{
    struct store_lmdb_config config = { .path = f->place->path, .max_bytes = MAX_BYTES };
    struct environment environment;
    MDB_txn *txn;
    char why[256];

    assert_int_equal(environment_open(&config, &environment, why, sizeof(why)), 0);
    assert_int_equal(mdb_txn_begin(environment.env, NULL, 0, &txn), 0);
    fn(&environment, txn, arg);
    assert_int_equal(mdb_txn_commit(txn), 0);
    environment_close(&environment);
}

struct census {
    size_t n_pieces;
    bool has_note;
};

static void take_census(struct environment *environment, MDB_txn *txn, void *arg)
{
    struct census *census = arg;
    struct bytes note;
    MDB_stat stat;

    assert_int_equal(mdb_stat(txn, environment->dbs[DB_LARGE], &stat), 0);
    census->n_pieces = stat.ms_entries;
    census->has_note = !environment_get(environment, txn, DB_META, bytes_of_string(STAGED_KEY), &note);
}

static void check_pieces(struct fixture *f, size_t n)
{
    struct census census;

    look(f, take_census, &census);
    assert_int_equal(census.n_pieces, n);
    assert_false(census.has_note);
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static void others_come_between_the_pieces(void **state)
{
    struct fixture *f = *state;
    struct store_log *a, *b;
    struct sent first, behind, other, other_large;
    size_t n_answered = 0;

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    a = open_log(f, "a");
    b = open_log(f, "b");
    assert_int_equal(loop_append(&f->loop, a, 0, "x"), 0);
    assert_int_equal(loop_append(&f->loop, b, 0, "x"), 0);
    send(a, 1, bytes_of(f->large, N_LARGE), &first, &n_answered);
    send(a, 2, bytes_of_string("behind it"), &behind, &n_answered);
    send(b, 1, bytes_of_string("of another log"), &other, &n_answered);
    send(b, 2, bytes_of(f->large, 3000), &other_large, &n_answered);
    wait_for(f, &n_answered, 4);
    assert_true(!first.r && !behind.r && !other.r && !other_large.r);
    assert_int_equal(other.place, 1);
    assert_int_equal(first.place, 2);
    assert_int_equal(behind.place, 3);
    assert_int_equal(other_large.place, 4); /* one large append at a time */
    check_large(f, a, 1, N_LARGE);
    check_large(f, b, 2, 3000);
    assert_int_equal(loop_read(&f->loop, a, 0, 3, 1000), 0);
    assert_int_equal(f->loop.n_records, 1); /* a slice ends before what is too large for it, not before its mark is */
    store_log_close(a);
    store_log_close(b);
    store_close(f->loop.store);
    check_pieces(f, 303);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

/* A store of 1 MiB, with pieces of which it takes some forty. */
static void open_smallest(struct fixture *f)
{
    struct store_lmdb_config config = { f->place->path, STORE_READ_WRITE, 1 << 20, loop_wake, &f->loop };
    char why[256];

    f->tuning.piece_bytes = 20000;
    assert_int_equal(store_lmdb_open_tuned(&config, &f->tuning, &f->loop.store, why, sizeof(why)), 0);
}

static void one_that_finds_no_room_fails_alone(void **state)
{
    struct fixture *f = *state;
    struct store_log *a, *b;
    struct sent first, behind, other;
    size_t n_answered = 0;

    open_smallest(f);
    a = open_log(f, "a");
    b = open_log(f, "b");
    assert_int_equal(loop_append(&f->loop, a, 0, "x"), 0);
    assert_int_equal(loop_append(&f->loop, b, 0, "x"), 0);
    for (uint64_t v = 1; v < 5; v++) {
        send(a, 1, bytes_of(f->large, N_HUGE), &first, &n_answered);
        send(a, 2, bytes_of_string("behind it"), &behind, &n_answered);
        send(b, v, bytes_of_string("of another log"), &other, &n_answered);
        wait_for(f, &n_answered, 3 * v);
        assert_int_equal(first.r, -ENOSPC);
        assert_int_equal(behind.r, -ENOSPC);
        assert_int_equal(other.r, 0);
        store_log_close(a);
        a = open_log(f, "a");
        assert_int_equal(f->loop.info.head, 1);
    }
    assert_int_equal(append_large(f, a, 1, N_LARGE), 0); /* the room is there again */
    check_large(f, a, 1, N_LARGE);
    store_log_close(a);
    store_log_close(b);
    store_close(f->loop.store);
    check_pieces(f, N_LARGE / 20000);
}

/* What comes next finds what the pieces had taken. */
static void room_is_there_again_after_one_that_found_none(void **state)
{
    struct fixture *f = *state;
    struct store_log *a, *b;

    open_smallest(f);
    a = open_log(f, "a");
    b = open_log(f, "b");
    assert_int_equal(loop_append(&f->loop, a, 0, "x"), 0);
    assert_int_equal(loop_append(&f->loop, b, 0, "x"), 0);
    for (uint64_t v = 1; v < 9; v++) {
        assert_int_equal(append_large(f, a, 1, N_HUGE), -ENOSPC);
        store_log_close(a);
        a = open_log(f, "a");
        assert_int_equal(append_large(f, b, v, 60000), 0);
    }
    store_log_close(a);
    store_log_close(b);
    store_close(f->loop.store);
    check_pieces(f, 8 * 60000 / 20000);
}

static void a_large_append_at_the_wrong_version_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_log *log;

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(loop_append(&f->loop, log, 0, "x"), 0);
    assert_int_equal(append_large(f, log, 0, N_LARGE), STORE_CONFLICT);
    store_log_close(log);
    store_close(f->loop.store);
    check_pieces(f, 0);
}

/* Says when a small append has been acknowledged that came behind a large one; then waits to be killed. */
static void victim_main(struct fixture *f, int out)
{
    struct store_log *a, *b;
    struct sent first, other;
    size_t n_answered = 0;

    loop_init(&f->loop);
    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    a = open_log(f, "a");
    b = open_log(f, "b");
    if (loop_append(&f->loop, a, 0, "x"))
        _exit(2);
    send(a, 1, bytes_of(f->large, N_LARGE), &first, &n_answered);
    for (uint64_t v = 0; v < 5; v++) {
        send(b, v, bytes_of_string("y"), &other, &n_answered);
        wait_for(f, &n_answered, v + 1);
    }
    if (write(out, "k", 1) != 1)
        _exit(3);
    (void)pause();
}

static void what_a_killed_writer_left_is_removed(void **state)
{
    struct fixture *f = *state;
    struct census census = { 0 };
    int ready[2], status;
    struct store_log *log;
    pid_t victim;
    char said;

    assert_int_equal(pipe(ready), 0);
    victim = fork();
    assert_true(victim >= 0);
    if (victim == 0)
        victim_main(f, ready[1]);
    assert_int_equal(read(ready[0], &said, 1), 1);
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, &status, 0), victim);
    close(ready[0]);
    close(ready[1]);

    look(f, take_census, &census);
    assert_true(census.has_note);
    assert_true(census.n_pieces > 0 && census.n_pieces < 300);
    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 1);
    assert_int_equal(loop_append(&f->loop, log, 1, "small this time"), 0);
    assert_int_equal(append_large(f, log, 2, 5000), 0);
    check_large(f, log, 2, 5000);
    store_log_close(log);
    store_close(f->loop.store);
    check_pieces(f, 5);
}

/* ---- removal ----------------------------------------------------------------------------------------------------- */

static void pieces_go_with_their_log(void **state)
{
    struct fixture *f = *state;
    struct census census = { 1, false };
    struct store_log *log, *other;

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(loop_append(&f->loop, log, 0, "x"), 0);
    assert_int_equal(append_large(f, log, 1, N_LARGE), 0);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    store_log_close(log);
    for (uint64_t head = 0; census.n_pieces > 0; head++) { /* until a fold has come through */
        assert_true(head < 1000);
        other = open_log(f, "b");
        assert_int_equal(loop_append(&f->loop, other, head, "x"), 0);
        store_log_close(other);
        store_close(f->loop.store);
        look(f, take_census, &census);
        f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    }
    store_close(f->loop.store);
}

/* ---- the former format ------------------------------------------------------------------------------------------- */

static void lose_large(struct environment *environment, MDB_txn *txn, void *arg)
{
    (void)arg;
    assert_int_equal(mdb_drop(txn, environment->dbs[DB_LARGE], 1), 0);
}

static void a_store_without_its_large_bodies_is_damaged(void **state)
{
    struct fixture *f = *state;
    char why[256] = "";

    store_close(place_open(f->place, &f->loop, &f->tuning));
    look(f, lose_large, NULL);
    assert_int_equal(place_try_open(f->place, &f->loop, STORE_READ_WRITE, &f->loop.store, why), STORE_DAMAGED);
    assert_non_null(strstr(why, "a database is missing"));
    assert_int_equal(place_try_open(f->place, &f->loop, STORE_READ_ONLY, &f->loop.store, why), STORE_DAMAGED);
}

/* Between two records that stay; one of the three that go is large. */
static void pieces_go_with_what_is_merged(void **state)
{
    struct fixture *f = *state;
    struct record record = { { bytes_of_string("s"), 4 }, 3, bytes_of_string("ann"), bytes_of_string("2 to 5"), 2 };
    struct store_log *log;

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(loop_append(&f->loop, log, 0, "one"), 0);
    for (uint64_t v = 1; v < 5; v++)
        assert_int_equal(append_large(f, log, v, 5000), 0);
    assert_int_equal(loop_merge(&f->loop, log, 2, &record, 1), 0);
    check_large(f, log, 1, 5000);
    assert_int_equal(loop_read(&f->loop, log, 2, 3, 1000), 0);
    assert_true(bytes_equal(f->loop.records[0].body, bytes_of_string("2 to 5")));
    store_log_close(log);
    store_close(f->loop.store);
    check_pieces(f, 5);
}

static void become_version(struct environment *environment, MDB_txn *txn, uint32_t version)
{
    struct bytes key = bytes_of_string(".format");
    MDB_val k = val_of(key), value;
    char record[64];

    assert_int_equal(mdb_get(txn, environment->dbs[DB_META], &k, &value), 0);
    assert_true(value.mv_size <= sizeof(record));
    memcpy(record, value.mv_data, value.mv_size);
    put_le32(record + value.mv_size - 4, version);
    put_le32(record, seal_of(DB_META, key, bytes_of(record + 4, value.mv_size - 4)));
    value.mv_data = record;
    assert_int_equal(mdb_put(txn, environment->dbs[DB_META], &k, &value, 0), 0);
}

static void become_version_1(struct environment *environment, MDB_txn *txn, void *arg)
{
    (void)arg;
    assert_int_equal(mdb_drop(txn, environment->dbs[DB_LARGE], 1), 0);
    become_version(environment, txn, 1);
}

static void put_sealed(struct environment *environment, MDB_txn *txn, enum db db, struct bytes key, struct bytes value)
{
    char *sealed = malloc(SEAL_BYTES + value.n_bytes);
    MDB_val k = val_of(key), v = { SEAL_BYTES + value.n_bytes, sealed };

    assert_non_null(sealed);
    put_le32(sealed, seal_of(db, key, value));
    memcpy(sealed + SEAL_BYTES, value.at, value.n_bytes);
    assert_int_equal(mdb_put(txn, environment->dbs[db], &k, &v, 0), 0);
    free(sealed);
}

/* As a program of version 2 wrote it when it folded three appends to notes/a, spelled out. */
static void become_version_2(struct environment *environment, MDB_txn *txn, void *arg)
{
    struct name_key name = name_key_of((struct store_name){ bytes_of_string("notes"), bytes_of_string("a") });
    struct log_key number = log_key_of(1), first = log_key_of_version(1, 0);

    (void)arg;
    put_sealed(environment, txn, DB_META, bytes_of_string(".counters"), bytes_of("\2\4", 2));
    put_sealed(environment, txn, DB_NAMES, log_key_bytes(&number), name_key_bytes(&name));
    put_sealed(environment, txn, DB_DOCS, name_key_bytes(&name), bytes_of("\1\0\3\0\2\5\1\4text", 12));
    put_sealed(environment, txn, DB_LOG, log_key_bytes(&first),
               bytes_of("\1\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* head */
                        "\1\1s\1\3ann\0\0\0\0\0\0\2\2\2\0\2\2"     /* who, seqs 1 2 3, ms 0 1 2 */
                        "\5\5\3one, two, 3d.",
                        20 + 20 + 3 + 13));
    put_sealed(environment, txn, DB_SOURCES, bytes_of("\0\0\0\0\0\0\0\1s", 9), bytes_of("\3\2\2", 3));
    become_version(environment, txn, 2);
}

static void check_bodies(struct fixture *f, struct store_log *log, const char *const *bodies, size_t n)
{
    assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 1000), 0);
    assert_int_equal(f->loop.n_records, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(bytes_equal(f->loop.records[i].body, bytes_of_string(bodies[i])));
        assert_int_equal(f->loop.records[i].id.seq, i + 1);
        assert_int_equal(f->loop.records[i].time_ms, i);
    }
}

static void format_is_newest(struct environment *environment, MDB_txn *txn, void *arg)
{
    struct bytes value;

    (void)arg;
    assert_int_equal(environment_get(environment, txn, DB_META, bytes_of_string(".format"), &value), 0);
    assert_int_equal(get_le32((const char *)value.at + 16), FORMAT_VERSION);
}

static void a_store_of_version_2_is_read_and_goes_on(void **state)
{
    static const char *const bodies[] = { "one, ", "two, ", "3d.", "four", "five", "six", "seven" };
    struct fixture *f = *state;
    struct store_log *log;

    store_close(place_open(f->place, &f->loop, &f->tuning));
    look(f, become_version_2, NULL);
    assert_int_equal(place_try_open(f->place, &f->loop, STORE_READ_ONLY, &f->loop.store, (char[256]){ 0 }), 0);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 3);
    check_bodies(f, log, bodies, 3);
    store_log_close(log);
    store_close(f->loop.store);

    for (size_t n = 3; n < 7; n++) {
        f->loop.store = place_open(f->place, &f->loop, &f->tuning);
        log = open_log(f, "a");
        check_bodies(f, log, bodies, n);
        assert_int_equal(loop_append(&f->loop, log, n, bodies[n]), 0);
        check_bodies(f, log, bodies, n + 1);
        assert_int_equal(loop_find(&f->loop, log, "s", 3), 0);
        assert_int_equal(f->loop.version, 2);
        store_log_close(log);
        store_close(f->loop.store);
    }
    look(f, format_is_newest, NULL);
}

static void a_store_of_version_1_goes_on(void **state)
{
    struct fixture *f = *state;
    struct store_log *log;

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(loop_append(&f->loop, log, 0, "one"), 0);
    store_log_close(log);
    store_close(f->loop.store);
    look(f, become_version_1, NULL);

    assert_int_equal(place_try_open(f->place, &f->loop, STORE_READ_ONLY, &f->loop.store, (char[256]){ 0 }), 0);
    log = open_log(f, "a");
    assert_int_equal(loop_read(&f->loop, log, 0, 1, 100), 0);
    assert_int_equal(f->loop.n_records, 1);
    store_log_close(log);
    store_close(f->loop.store);

    f->loop.store = place_open(f->place, &f->loop, &f->tuning);
    log = open_log(f, "a");
    assert_int_equal(append_large(f, log, 1, 5000), 0);
    check_large(f, log, 1, 5000);
    store_log_close(log);
    store_close(f->loop.store);
    check_pieces(f, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(others_come_between_the_pieces),
        TEST(one_that_finds_no_room_fails_alone),
        TEST(room_is_there_again_after_one_that_found_none),
        TEST(a_large_append_at_the_wrong_version_writes_nothing),
        TEST(what_a_killed_writer_left_is_removed),
        TEST(pieces_go_with_their_log),
        TEST(a_store_of_version_1_goes_on),
        TEST(a_store_of_version_2_is_read_and_goes_on),
        TEST(pieces_go_with_what_is_merged),
        TEST(a_store_without_its_large_bodies_is_damaged),
    };

    return cmocka_run_group_tests_name("large bodies", tests, NULL, NULL);
}
