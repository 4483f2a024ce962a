/* A copy that is taken while the store is in use: what is in it, and how it ends when nobody wants it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/storage/place.h"

#define N_LOGS      4
#define BODY_BYTES  20000
#define N_BEFORE    12 /* records in each log: more than any pipe holds */
#define N_MEANWHILE 6
#define PIECE_BYTES 4096

struct fixture {
    struct place *place, *copy;
    struct store_loop loop;
    struct store_log *logs[N_LOGS];
    char body[BODY_BYTES + 1];
    size_t n_pending;
    int r; /* the backup's */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->place = place_create();
    f->copy = place_create();
    loop_init(&f->loop);
    for (size_t i = 0; i < BODY_BYTES; i++) /* nothing that packs well */
        f->body[i] = (char)('!' + (i * i * 31 + i / 7) % 90);
    f->loop.store = place_open(f->place, &f->loop, &store_lmdb_tuning_default);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    place_destroy(f->place);
    place_destroy(f->copy);
    loop_finish(&f->loop);
    free(f);
    return 0;
}

static void append_to_all(struct fixture *f, uint64_t version)
{
    for (size_t i = 0; i < N_LOGS; i++) {
        f->body[0] = (char)('a' + version % 20);
        assert_int_equal(loop_append(&f->loop, f->logs[i], version, f->body), 0);
    }
}

static void fill(struct fixture *f)
{
    static const char *const names[N_LOGS] = { "a", "b", "c", "d" };

    for (size_t i = 0; i < N_LOGS; i++)
        f->logs[i] = loop_open_log(&f->loop, "notes", names[i], NULL);
    for (uint64_t version = 0; version < N_BEFORE; version++)
        append_to_all(f, version);
}

static void close_store(struct fixture *f)
{
    for (size_t i = 0; i < N_LOGS; i++)
        store_log_close(f->logs[i]);
    store_close(f->loop.store);
}

static void on_done(void *arg, int r)
{
    struct fixture *f = arg;

    f->r = r;
    f->n_pending--;
}

static void begin(struct fixture *f, int fd)
{
    f->n_pending++;
    assert_int_equal(store_backup(f->loop.store, fd, on_done, f), 0);
}

static FILE *copy_file(struct fixture *f)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->copy->path);
    file = fopen(path, "wb");
    assert_non_null(file);
    return file;
}

/* How many versions the log has in the copy; each is what was written. */
static uint64_t check_log(struct fixture *f, const char *id)
{
    struct store_log *log = loop_open_log(&f->loop, "notes", id, NULL);
    uint64_t head = f->loop.info.head;

    assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, SIZE_MAX / 2), 0);
    assert_int_equal(f->loop.n_records, head);
    for (size_t i = 0; i < f->loop.n_records; i++) {
        assert_int_equal(f->loop.records[i].body.n_bytes, BODY_BYTES);
        assert_int_equal(*(const char *)f->loop.records[i].body.at, 'a' + i % 20);
    }
    store_log_close(log);
    return head;
}

/* They were written in turn, each waiting for the one before: so the copy holds a beginning of that order. */
static void check_copy(struct fixture *f, uint64_t at_least, uint64_t at_most)
{
    uint64_t heads[N_LOGS];

    f->loop.store = place_open(f->copy, &f->loop, &store_lmdb_tuning_default);
    heads[0] = check_log(f, "a");
    heads[1] = check_log(f, "b");
    heads[2] = check_log(f, "c");
    heads[3] = check_log(f, "d");
    assert_in_range(heads[3], at_least, at_most);
    assert_true(heads[0] >= heads[1] && heads[1] >= heads[2] && heads[2] >= heads[3] && heads[0] <= heads[3] + 1);
    store_close(f->loop.store);
}

/* ---- what is in it ----------------------------------------------------------------------------------------------- */

static void a_copy_is_a_store(void **state)
{
    struct fixture *f = *state;
    FILE *file = copy_file(f);

    fill(f);
    begin(f, fileno(file));
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(f->r, 0);
    assert_int_equal(fclose(file), 0);
    close_store(f);
    check_copy(f, N_BEFORE, N_BEFORE);
}

struct drain {
    int fd;
    FILE *into;
};

static bool move_piece(const struct drain *drain)
{
    char piece[PIECE_BYTES];
    ssize_t n = read(drain->fd, piece, sizeof(piece));

    return n > 0 && fwrite(piece, 1, (size_t)n, drain->into) == (size_t)n;
}

static void *drain_main(void *arg)
{
    while (move_piece(arg))
        ;
    return NULL;
}

/* The pipe is full as long as the appends go on: they do not wait for its reader. */
static void appends_go_on_beside_it(void **state)
{
    struct fixture *f = *state;
    struct drain drain = { .into = copy_file(f) };
    pthread_t thread;
    int fds[2];

    fill(f);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    drain.fd = fds[0];
    begin(f, fds[1]);
    for (uint64_t version = N_BEFORE; version < N_BEFORE + N_MEANWHILE; version++) {
        append_to_all(f, version);
        assert_true(move_piece(&drain));
    }
    assert_int_equal(f->n_pending, 1);

    assert_int_equal(pthread_create(&thread, NULL, drain_main, &drain), 0);
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(f->r, 0);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(fclose(drain.into), 0);
    close_store(f);
    check_copy(f, N_BEFORE, N_BEFORE + 1);
}

/* ---- how it ends ------------------------------------------------------------------------------------------------- */

static void nobody_reads_any_more(void **state)
{
    struct fixture *f = *state;
    int fds[2];

    fill(f);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    begin(f, fds[1]);
    assert_int_equal(close(fds[0]), 0);
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(f->r, -EPIPE);
    assert_int_equal(close(fds[1]), 0);
    append_to_all(f, N_BEFORE);
    close_store(f);
}

static void one_at_a_time(void **state)
{
    struct fixture *f = *state;
    FILE *file = copy_file(f);
    int fds[2];

    fill(f);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    begin(f, fds[1]);
    assert_int_equal(store_backup(f->loop.store, fileno(file), on_done, f), -EBUSY);
    assert_int_equal(close(fds[0]), 0);
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(close(fds[1]), 0);

    begin(f, fileno(file));
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(f->r, 0);
    assert_int_equal(fclose(file), 0);
    close_store(f);
    check_copy(f, N_BEFORE, N_BEFORE);
}

static void compaction_gives_way_to_it(void **state)
{
    struct fixture *f = *state;
    int fds[2];

    fill(f);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    begin(f, fds[1]); /* nobody reads, so it goes on */
    for (uint64_t version = N_BEFORE; version < N_BEFORE + 3; version++) {
        assert_int_equal(loop_compact(&f->loop), -EBUSY);
        append_to_all(f, version);
    }
    assert_int_equal(close(fds[0]), 0);
    loop_until_none(&f->loop, &f->n_pending);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(loop_compact(&f->loop), 0);
    append_to_all(f, N_BEFORE + 3);
    close_store(f);
}

static void closing_the_store_cuts_a_socket(void **state)
{
    struct fixture *f = *state;
    int fds[2];

    fill(f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    begin(f, fds[1]);
    close_store(f); /* nobody has read a byte */
    assert_int_equal(f->n_pending, 0);
    assert_int_equal(f->r, -EPIPE);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_a_store), TEST(appends_go_on_beside_it),    TEST(nobody_reads_any_more),
        TEST(one_at_a_time),     TEST(compaction_gives_way_to_it), TEST(closing_the_store_cuts_a_socket),
    };

    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
