/* Giving space back: packing on demand, and the store written anew while it is in use. What is in it afterwards is
 * compared over random stores by test_store_random.c; here is what can come in between. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/storage/place.h"

#define N_LOGS 300

struct fixture {
    struct place *place;
    struct store_loop loop;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->place = place_create();
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

static void open_store(struct fixture *f)
{
    f->loop.store = place_open(f->place, &f->loop, &store_lmdb_tuning_default);
}

/* ---- what is in the store ---------------------------------------------------------------------------------------- */

static void id_of(uint64_t i, char out[64])
{
    (void)snprintf(out, 64, "secret-%04u-of-a-long-name", (unsigned)i);
}

struct flight {
    struct store_log *log;
    struct record records[2];
    char src[32], *body;
};

static size_t n_flying;

static void on_landed(void *arg, int r, uint64_t head)
{
    (void)arg;
    (void)head;
    assert_int_equal(r, 0);
    n_flying--;
}

static void on_removed(void *arg, int r)
{
    on_landed(arg, r, 0);
}

/* Marked records, by a marked source and author, that don't pack well. */
static void flight_fill(struct flight *flight, uint64_t i)
{
    size_t n_bytes = i == 7 ? 1000000 : 50;
    uint64_t chance = i + 1;

    flight->body = malloc(n_bytes);
    assert_non_null(flight->body);
    for (size_t k = 0; k < n_bytes; k++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        flight->body[k] = (char)(chance >> 56);
    }
    memcpy(flight->body, "secret", 6);
    (void)snprintf(flight->src, sizeof(flight->src), "secret source %u", (unsigned)i);
    for (size_t k = 0; k < 2; k++)
        flight->records[k] = (struct record){ .id = { bytes_of_string(flight->src), k + 1 },
                                              .time_ms = k,
                                              .author = bytes_of_string("secret author"),
                                              .body = bytes_of(flight->body, k ? n_bytes : 50) };
}

/* Many names, so that LMDB's trees have branches; a large body and a snapshot in one of them. */
static void fill(struct fixture *f)
{
    struct flight *flights = calloc(N_LOGS, sizeof(*flights));
    struct store_state after = { true, bytes_of_string("text"), 6 };
    char id[64];

    assert_non_null(flights);
    for (uint64_t i = 0; i < N_LOGS; i++) {
        id_of(i, id);
        flights[i].log = loop_open_log(&f->loop, "notes", id, NULL);
        flight_fill(&flights[i], i);
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(store_append(flights[i].log, k, &flights[i].records[k], 1, &after, on_landed, NULL), 0);
        n_flying += 2;
    }
    loop_until_none(&f->loop, &n_flying);
    assert_int_equal(loop_snapshot_put(&f->loop, flights[7].log, 2, bytes_of_string("secret snapshot")), 0);
    for (uint64_t i = 0; i < N_LOGS; i++) {
        store_log_close(flights[i].log);
        free(flights[i].body);
    }
    free(flights);
}

static void check_filled(struct fixture *f)
{
    char id[64];

    for (uint64_t i = 0; i < N_LOGS; i++) {
        struct store_log *log;

        id_of(i, id);
        log = loop_open_log(&f->loop, "notes", id, NULL);
        assert_int_equal(f->loop.info.head, 2);
        assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 10 << 20), 0);
        assert_int_equal(f->loop.n_records, 2);
        assert_int_equal(f->loop.records[1].body.n_bytes, i == 7 ? 1000000 : 50);
        assert_memory_equal(f->loop.records[1].body.at, "secret", 6);
        assert_int_equal(loop_snapshot_get(&f->loop, log, STORE_NEWEST), 0);
        assert_int_equal(f->loop.version, i == 7 ? 2 : 0);
        store_log_close(log);
    }
}

/* Whether any file of the data directory holds the bytes. */
static bool is_anywhere(const struct fixture *f, const char *what)
{
    DIR *directory = opendir(f->place->path);
    struct dirent *entry;
    bool found = false;

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        static char content[16 << 20];
        char path[512];
        ssize_t n;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", f->place->path, entry->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, content, sizeof(content));
        assert_true(n < (ssize_t)sizeof(content));
        found = found || (n > 0 && memmem(content, (size_t)n, what, strlen(what)));
        if (fd >= 0)
            (void)close(fd);
    }
    (void)closedir(directory);
    return found;
}

static bool is_there(const struct fixture *f, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", f->place->path, name);
    return access(path, F_OK) == 0;
}

/* All but every n_kept-th; 0: all. */
static void remove_logs(struct fixture *f, uint64_t n_kept)
{
    struct store_log *logs[N_LOGS];
    char id[64];

    for (uint64_t i = 0; i < N_LOGS; i++) {
        id_of(i, id);
        logs[i] = loop_open_log(&f->loop, "notes", id, NULL);
        if (n_kept && i % n_kept == 0)
            continue;
        assert_int_equal(store_remove(logs[i], on_removed, NULL), 0);
        n_flying++;
    }
    loop_until_none(&f->loop, &n_flying);
    for (uint64_t i = 0; i < N_LOGS; i++)
        store_log_close(logs[i]);
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

static void packing_empties_the_inbox(void **state)
{
    struct fixture *f = *state;
    struct store_log *log;

    open_store(f);
    assert_int_equal(loop_pack(&f->loop), 0); /* nothing is packed already */
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    for (uint64_t v = 0; v < 20; v++)
        assert_int_equal(loop_append(&f->loop, log, v, "some text"), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_batches, 20);
    assert_int_equal(f->loop.sizes.n_segments, 0);
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_batches, 0);
    assert_int_equal(f->loop.sizes.n_segments, 1);
    store_log_close(log);
    store_close(f->loop.store);
}

static void note(void *arg, int r)
{
    assert_int_equal(r, 0);
    --*(size_t *)arg;
}

static void note_append(void *arg, int r, uint64_t head)
{
    (void)head;
    note(arg, r);
}

/* Folds are always under way here, and what is asked for comes behind them. */
static void packing_waits_for_a_fold_that_saw_everything(void **state)
{
    struct fixture *f = *state;
    struct record record = { .id = { bytes_of_string("s"), 1 }, .body = bytes_of_string("text") };
    struct store_state after = { true, bytes_of_string("text"), 4 };
    struct store_log *log;

    f->loop.store = place_open(f->place, &f->loop, &place_tiny_tuning);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    for (uint64_t v = 0; v < 200; v += 10) {
        size_t n_pending = 10;

        for (uint64_t i = 0; i < 10; i++)
            assert_int_equal(store_append(log, v + i, &record, 1, &after, note_append, &n_pending), 0);
        loop_until_none(&f->loop, &n_pending);
        n_pending = 3;
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(store_pack(f->loop.store, note, &n_pending), 0);
        loop_until_none(&f->loop, &n_pending);
        assert_int_equal(loop_sizes(&f->loop), 0);
        assert_int_equal(f->loop.sizes.n_batches, 0);
    }
    store_log_close(log);
    store_close(f->loop.store);
}

static struct rlimit limit_files(rlim_t n_bytes)
{
    struct rlimit before, tight;

    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){ n_bytes, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    return before;
}

static void a_fold_that_fails_is_told(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;

    open_store(f);
    fill(f);
    before = limit_files(4096);
    assert_true(loop_pack(&f->loop) < 0);
    assert_true(loop_compact(&f->loop) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_batches, 0);
    check_filled(f);
    store_close(f->loop.store);
}

/* ---- compacting -------------------------------------------------------------------------------------------------- */

static void free_space_goes_back_to_the_disk(void **state)
{
    struct fixture *f = *state;
    struct store_sizes before;

    open_store(f);
    fill(f);
    remove_logs(f, 100);
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    before = f->loop.sizes;
    assert_true(before.free_bytes > 1000000);
    assert_int_equal(loop_compact(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_logs, 3);
    assert_true(f->loop.sizes.file_bytes < 100000);
    assert_int_equal(loop_compact(&f->loop), 0);
    store_close(f->loop.store);
    open_store(f);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_logs, 3);
    store_close(f->loop.store);
}

/* In LMDB's branch pages keys stay that were deleted: names and sources among them. */
static void of_what_was_removed_no_byte_is_left(void **state)
{
    static const char *const marks[] = { "secret", "notes", "0007-of" };
    struct fixture *f = *state;
    char id[64];

    open_store(f);
    fill(f);
    assert_int_equal(loop_pack(&f->loop), 0); /* into segments, rows and sources */
    assert_true(is_anywhere(f, "secret"));
    remove_logs(f, 0);
    assert_int_equal(loop_compact(&f->loop), 0);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        assert_false(is_anywhere(f, marks[i]));
    for (uint64_t i = 0; i < N_LOGS; i += 50) {
        struct store_log *log;

        id_of(i, id);
        log = loop_open_log(&f->loop, "notes", id, NULL);
        assert_int_equal(f->loop.info.head, 2);
        assert_int_equal(f->loop.info.first, 2);
        store_log_close(log);
    }
    store_close(f->loop.store);
}

static void appends_wait_and_then_succeed(void **state)
{
    struct fixture *f = *state;
    struct record record = { .id = { bytes_of_string("s"), 1 }, .body = bytes_of_string("text") };
    struct store_state after = { true, bytes_of_string("text"), 4 };
    size_t n_compacting = 1, n_appending = 0;
    uint64_t version = 0;
    struct store_log *log;

    open_store(f);
    fill(f);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    assert_int_equal(store_compact(f->loop.store, NULL, note, &n_compacting), 0);
    assert_int_equal(store_compact(f->loop.store, NULL, note, &n_compacting), -EALREADY);
    while (n_compacting) {
        assert_int_equal(store_append(log, version, &record, 1, &after, note_append, &n_appending), 0);
        version++;
        n_appending++;
        assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 1 << 20), 0); /* goes on */
    }
    loop_until_none(&f->loop, &n_appending);
    assert_int_equal(loop_compact(&f->loop), 0);
    store_log_close(log);
    store_close(f->loop.store);

    open_store(f);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    assert_int_equal(f->loop.info.head, version);
    store_log_close(log);
    check_filled(f);
    store_close(f->loop.store);
}

/* ---- who else is there ------------------------------------------------------------------------------------------- */

/* Opens, says so, waits for a word, and counts. */
static _Noreturn void reader_main(struct fixture *f, int commands, int answers)
{
    char why[256], word;

    if (place_try_open(f->place, &f->loop, STORE_READ_ONLY, &f->loop.store, why))
        _exit(2);
    if (write(answers, "r", 1) != 1 || read(commands, &word, 1) != 1 || loop_sizes(&f->loop))
        _exit(3);
    store_close(f->loop.store);
    _exit(f->loop.sizes.n_logs == N_LOGS ? 0 : 4);
}

static void nothing_is_swapped_under_a_reader(void **state)
{
    struct fixture *f = *state;
    int commands[2], answers[2], status;
    pid_t reader;
    char word;

    open_store(f);
    fill(f);
    store_close(f->loop.store);
    assert_int_equal(pipe(commands), 0);
    assert_int_equal(pipe(answers), 0);
    reader = fork();
    assert_true(reader >= 0);
    if (reader == 0)
        reader_main(f, commands[0], answers[1]);
    assert_int_equal(read(answers[0], &word, 1), 1);
    open_store(f);
    assert_int_equal(loop_compact(&f->loop), -EBUSY);
    assert_false(is_there(f, "compact.mdb"));
    check_filled(f);
    assert_int_equal(write(commands[1], "w", 1), 1);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(loop_compact(&f->loop), 0);
    check_filled(f);
    store_close(f->loop.store);
    for (size_t i = 0; i < 2; i++) {
        (void)close(commands[i]);
        (void)close(answers[i]);
    }
}

static void a_copy_that_cannot_be_written_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    struct store_log *log;

    open_store(f);
    fill(f);
    assert_int_equal(loop_pack(&f->loop), 0);
    before = limit_files(300000);
    assert_true(loop_compact(&f->loop) < 0);
    assert_false(is_there(f, "compact.mdb"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    check_filled(f);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    assert_int_equal(loop_append(&f->loop, log, 0, "goes on"), 0);
    store_log_close(log);
    assert_int_equal(loop_compact(&f->loop), 0);
    check_filled(f);
    store_close(f->loop.store);
}

/* ---- cut off at each step ---------------------------------------------------------------------------------------- */

/* Each call that a compaction makes of these is where a process ends, just before it and just behind it; or where it
 * fails. Any thread may come by. */
static struct {
    atomic_bool is_armed, fails;
    atomic_int n_left; /* steps; two a call */
} cut;

static void step(void)
{
    if (cut.is_armed && !cut.fails && cut.n_left-- == 0)
        _exit(9);
}

/* Whether this call is the one that fails. */
static bool fails(void)
{
    return cut.is_armed && cut.fails && cut.n_left-- == 0;
}

#define STEP(type, name, parameters, arguments, failure)                                                               \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        type r;                                                                                                        \
                                                                                                                       \
        step();                                                                                                        \
        if (fails())                                                                                                   \
            return failure;                                                                                            \
        r = __real_##name arguments;                                                                                   \
        step();                                                                                                        \
        return r;                                                                                                      \
    }

STEP(int, rename, (const char *from, const char *to), (from, to), (errno = EIO, -1))
STEP(int, unlink, (const char *path), (path), (errno = EIO, -1))
STEP(int, fsync, (int fd), (fd), (errno = EIO, -1))
STEP(int, mdb_env_sync, (MDB_env * env, int force), (env, force), EIO)
STEP(int, mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode), (env, path, flags, mode),
     EMFILE)

/* It takes the transaction along, also when it fails. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    int r;

    step();
    if (fails()) {
        mdb_txn_abort(txn);
        return ENOSPC;
    }
    r = __real_mdb_txn_commit(txn);
    step();
    return r;
}

void __real_mdb_env_close(MDB_env *env);
void __wrap_mdb_env_close(MDB_env *env);
void __wrap_mdb_env_close(MDB_env *env)
{
    step();
    __real_mdb_env_close(env);
    step();
}

/* Whether it was cut off. */
static bool compact_and_cut(struct fixture *f, int n)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        open_store(f);
        cut.n_left = n;
        cut.is_armed = true;
        _exit(loop_compact(&f->loop) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0);
    return WEXITSTATUS(status) == 9;
}

static void cut_off_anywhere_it_is_whole(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    open_store(f);
    fill(f);
    store_close(f->loop.store);
    while (compact_and_cut(f, n)) {
        n++;
        open_store(f);
        assert_false(is_there(f, "compact.mdb"));
        check_filled(f);
        store_close(f->loop.store);
    }
    assert_true(n > 20);
}

/* Whatever has failed, what comes next finds the store open: a read, and then a write. */
static void failing_anywhere_it_is_whole(void **state)
{
    struct fixture *f = *state;
    bool met = true;
    int n;

    open_store(f);
    fill(f);
    for (n = 0; met; n++) {
        uint64_t value = (uint64_t)n;
        int r;

        cut.n_left = n;
        cut.fails = true;
        cut.is_armed = true;
        r = loop_compact(&f->loop);
        met = cut.n_left < 0;
        cut.is_armed = false;
        cut.fails = false;
        assert_true(met || !r);
        check_filled(f);
        assert_int_equal(loop_meta_put(&f->loop, "value", bytes_of(&value, sizeof(value))), 0);
    }
    assert_true(n > 10);
    store_close(f->loop.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(packing_empties_the_inbox),           TEST(packing_waits_for_a_fold_that_saw_everything),
        TEST(a_fold_that_fails_is_told),           TEST(free_space_goes_back_to_the_disk),
        TEST(of_what_was_removed_no_byte_is_left), TEST(appends_wait_and_then_succeed),
        TEST(nothing_is_swapped_under_a_reader),   TEST(a_copy_that_cannot_be_written_changes_nothing),
        TEST(cut_off_anywhere_it_is_whole),        TEST(failing_anywhere_it_is_whole),
    };

    return cmocka_run_group_tests_name("giving space back", tests, NULL, NULL);
}
