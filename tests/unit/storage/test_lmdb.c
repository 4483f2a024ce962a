/* What is LMDB's own: who may open, what is refused, reading beside a writer, a full disk. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/lmdb/environment.h"
#include "tests/unit/storage/place.h"

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

/* Must be refused with r and a sentence that says what. */
static void check_refused(struct fixture *f, enum store_mode mode, int r, const char *says)
{
    struct store *store = NULL;
    char why[256] = "";

    assert_int_equal(place_try_open(f->place, &f->loop, mode, &store, why), r);
    assert_null(store);
    if (!strstr(why, says))
        fail_msg("'%s' does not say '%s'", why, says);
}

/* ---- who may open ------------------------------------------------------------------------------------------------ */

static void one_writer_at_a_time(void **state)
{
    struct fixture *f = *state;

    open_store(f);
    check_refused(f, STORE_READ_WRITE, -EBUSY, "in use by another process");
    store_close(f->loop.store);
    open_store(f);
    store_close(f->loop.store);
}

static void a_missing_store_is_not_made_by_readers(void **state)
{
    struct fixture *f = *state;
    char path[128];

    check_refused(f, STORE_READ_ONLY, -ENOENT, "there is no store in");
    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->place->path);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_directory_that_cannot_be_made(void **state)
{
    struct fixture *f = *state;
    struct store_lmdb_config config = { .path = "/dev/null/data", .wake = loop_wake, .arg = &f->loop };
    struct store *store = NULL;
    char why[256] = "";

    assert_int_equal(store_lmdb_open(&config, &store, why, sizeof(why)), -ENOTDIR);
    assert_non_null(strstr(why, "/dev/null/data"));
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void patch(struct fixture *f, const void *find, size_t n_find, long offset, int xor)
{
    char path[128], *bytes;
    FILE *file;
    long n_bytes, at = offset;

    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->place->path);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    n_bytes = ftell(file);
    bytes = malloc((size_t)n_bytes);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)n_bytes, file), n_bytes);
    if (find) {
        char *found = memmem(bytes, (size_t)n_bytes, find, n_find);

        assert_non_null(found);
        while (found) { /* pages that are not in use any more hold old copies */
            at = found - bytes + offset;
            bytes[at] = (char)(bytes[at] ^ xor);
            found = memmem(found + 1, (size_t)(bytes + n_bytes - found - 1), find, n_find);
        }
    } else {
        bytes[at] = (char)(bytes[at] ^ xor);
    }
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, (size_t)n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

static void a_file_of_something_else_is_damaged(void **state)
{
    struct fixture *f = *state;
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->place->path);
    file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 10000; i++)
        assert_true(fputs("not a store", file) >= 0);
    assert_int_equal(fclose(file), 0);
    check_refused(f, STORE_READ_WRITE, STORE_DAMAGED, "first page");
    check_refused(f, STORE_READ_ONLY, STORE_DAMAGED, "first page");
}

static void an_environment_of_something_else_is_foreign(void **state)
{
    struct fixture *f = *state;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = { 3, (char[]){ "key" } };

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, f->place->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &key, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    check_refused(f, STORE_READ_WRITE, STORE_FOREIGN, "something else");
    check_refused(f, STORE_READ_ONLY, STORE_FOREIGN, "something else");
}

/* A record of a format to come, sealed as ours are. */
static void another_format_is_foreign(void **state)
{
    struct fixture *f = *state;
    struct store_lmdb_config config = { .path = f->place->path, .max_bytes = 1 << 30 };
    struct environment environment;
    struct bytes key = bytes_of_string(".format");
    MDB_val k = val_of(key), value;
    MDB_txn *txn;
    char why[256], record[64];
    uint32_t crc;

    assert_int_equal(environment_open(&config, &environment, why, sizeof(why)), 0);
    assert_int_equal(mdb_txn_begin(environment.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_get(txn, environment.dbs[DB_META], &k, &value), 0);
    assert_true(value.mv_size <= sizeof(record));
    memcpy(record, value.mv_data, value.mv_size);
    record[value.mv_size - 4] = 9;
    crc = seal_of(DB_META, key, bytes_of(record + 4, value.mv_size - 4));
    for (int i = 0; i < 4; i++)
        record[i] = (char)(crc >> 8 * i);
    value.mv_data = record;
    assert_int_equal(mdb_put(txn, environment.dbs[DB_META], &k, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    environment_close(&environment);
    check_refused(f, STORE_READ_WRITE, STORE_FOREIGN, "format 9, this version knows 3");
    check_refused(f, STORE_READ_ONLY, STORE_FOREIGN, "format 9, this version knows 3");
}

static void a_damaged_format_record_is_told(void **state)
{
    struct fixture *f = *state;

    open_store(f);
    store_close(f->loop.store);
    patch(f, "pilcrow store", 13, 3, 4);
    check_refused(f, STORE_READ_WRITE, STORE_DAMAGED, "format record");
    patch(f, "pil", 3, 3, 4);
    open_store(f);
    store_close(f->loop.store);
}

static void a_damaged_first_page_is_told(void **state)
{
    struct fixture *f = *state;

    open_store(f);
    store_close(f->loop.store);
    patch(f, NULL, 0, 16, 0x55); /* LMDB's magic number */
    check_refused(f, STORE_READ_WRITE, STORE_DAMAGED, "first page");
}

/* ---- reading beside a writer ------------------------------------------------------------------------------------- */

/* Another process: reads what it is told to, and says what it saw. */
static void reader_main(struct fixture *f, int commands, int answers)
{
    struct store_log *log;
    char command;

    loop_init(&f->loop);
    if (place_try_open(f->place, &f->loop, STORE_READ_ONLY, &f->loop.store, (char[256]){ 0 }))
        _exit(2);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    while (read(commands, &command, 1) == 1) {
        uint64_t seen[2] = { 0 };

        if (loop_read(&f->loop, log, 0, STORE_NEWEST, 1 << 20))
            _exit(3);
        seen[0] = f->loop.n_records;
        for (size_t i = 0; i < f->loop.n_records; i++)
            seen[1] += f->loop.records[i].id.seq == i + 1 ? 1 : 1000000;
        if (write(answers, seen, sizeof(seen)) != sizeof(seen))
            _exit(4);
    }
    if (loop_append(&f->loop, log, 0, "x") != -EROFS || loop_remove(&f->loop, log) != -EROFS ||
        loop_meta_put(&f->loop, "k", bytes_of_string("v")) != -EROFS ||
        loop_snapshot_put(&f->loop, log, 1, bytes_of_string("s")) != -EROFS)
        _exit(5);
    store_log_close(log);
    store_close(f->loop.store);
    _exit(0);
}

/* At each request a reader sees what is committed at that moment, whether it is folded or not. */
static void readers_see_what_is_committed(void **state)
{
    struct fixture *f = *state;
    struct store_lmdb_tuning tuning = place_tiny_tuning;
    int commands[2], answers[2], status;
    struct store_log *log;
    pid_t reader;

    tuning.piece_bytes = 5; /* all but the first body are in pieces */
    f->loop.store = place_open(f->place, &f->loop, &tuning);
    store_close(f->loop.store);
    assert_int_equal(pipe(commands), 0);
    assert_int_equal(pipe(answers), 0);
    reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        close(commands[1]);
        reader_main(f, commands[0], answers[1]);
    }
    close(commands[0]);
    f->loop.store = place_open(f->place, &f->loop, &tuning);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    for (uint64_t v = 0; v < 100; v++) {
        uint64_t seen[2];

        assert_int_equal(loop_append(&f->loop, log, v, "some text"), 0);
        assert_int_equal(write(commands[1], "r", 1), 1);
        assert_int_equal(read(answers[0], seen, sizeof(seen)), sizeof(seen));
        assert_int_equal(seen[0], v + 1);
        assert_int_equal(seen[1], v + 1);
    }
    close(commands[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(answers[0]);
    close(answers[1]);
    store_log_close(log);
    store_close(f->loop.store);
}

/* ---- full -------------------------------------------------------------------------------------------------------- */

static void a_full_store_refuses_and_keeps_what_it_has(void **state)
{
    struct fixture *f = *state;
    struct store_lmdb_config config = { f->place->path, STORE_READ_WRITE, 1 << 20, loop_wake, &f->loop };
    char body[20001], why[256];
    struct store_log *log;
    uint64_t head = 0;
    int r;

    memset(body, 'b', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    assert_int_equal(store_lmdb_open(&config, &f->loop.store, why, sizeof(why)), 0);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    while (!(r = loop_append(&f->loop, log, head, body)))
        head++;
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(f->loop.head, head);
    assert_true(head > 10);
    assert_int_equal(store_health(f->loop.store), -ENOSPC);
    assert_int_equal(loop_append(&f->loop, log, head, "x"), -ENOSPC);
    assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 100 << 20), 0);
    assert_int_equal(f->loop.n_records, head);
    store_log_close(log);
    store_close(f->loop.store);

    open_store(f); /* with a higher ceiling */
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    assert_int_equal(f->loop.info.head, head);
    assert_int_equal(loop_append(&f->loop, log, head, "x"), 0);
    assert_int_equal(store_health(f->loop.store), 0);
    store_log_close(log);
    store_close(f->loop.store);
}

/* The kernel lets the file grow to a limit and writes only in part what goes beyond; LMDB calls that an I/O error. */
static void a_failed_write_fails_its_batch_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, tight;
    char body[200001];
    struct store_log *log, *other;
    uint64_t head;

    memset(body, 'b', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    open_store(f);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    other = loop_open_log(&f->loop, "notes", "b", NULL);
    for (head = 0; head < 3; head++)
        assert_int_equal(loop_append(&f->loop, log, head, "before"), 0);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){ 100000, before.rlim_max };
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(loop_append(&f->loop, log, 3, body), -EIO);
    assert_int_equal(f->loop.head, 3);
    assert_int_equal(store_health(f->loop.store), -EIO);
    assert_int_equal(loop_append(&f->loop, log, 3, "behind it"), -EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_int_equal(loop_append(&f->loop, log, 3, "behind it, still"), -EIO);
    assert_int_equal(loop_append(&f->loop, other, 0, body), 0);
    assert_int_equal(store_health(f->loop.store), 0);
    store_log_close(log);
    log = loop_open_log(&f->loop, "notes", "a", NULL);
    assert_int_equal(f->loop.info.head, 3);
    assert_int_equal(loop_append(&f->loop, log, 3, body), 0);
    assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 1 << 20), 0);
    assert_int_equal(f->loop.n_records, 4);
    store_log_close(log);
    store_log_close(other);
    store_close(f->loop.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_writer_at_a_time),
        TEST(a_missing_store_is_not_made_by_readers),
        TEST(a_directory_that_cannot_be_made),
        TEST(a_file_of_something_else_is_damaged),
        TEST(an_environment_of_something_else_is_foreign),
        TEST(another_format_is_foreign),
        TEST(a_damaged_format_record_is_told),
        TEST(a_damaged_first_page_is_told),
        TEST(readers_see_what_is_committed),
        TEST(a_full_store_refuses_and_keeps_what_it_has),
        TEST(a_failed_write_fails_its_batch_and_no_other),
    };

    return cmocka_run_group_tests_name("the LMDB engine", tests, NULL, NULL);
}
