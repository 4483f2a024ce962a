/* Bytes that change on the disk: what is read is right, or -EBADMSG; never wrong. What can't be seen by checksums of
 * values is that a key is gone, when the pages that LMDB finds it by are damaged: then less is there, and what is there
 * is right.
 *
 * LMDB itself does not survive everything (a damaged page of a tree may end in an assertion or worse), so each flip is
 * looked at in a process of its own, which may die. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_LOGS    3
#define N_RECORDS 60
#define N_BYTES   200
#define N_FLIPS   300

static char bodies[N_LOGS][N_RECORDS][N_BYTES], snapshots[N_LOGS][5000];

/* Random letters, which do not compress: bodies are found in the file as they are. */
static void fill_bodies(void)
{
    struct sim_random random = { 42 };

    for (size_t i = 0; i < sizeof(bodies); i++)
        (&bodies[0][0][0])[i] = (char)sim_random_u64(&random);
    for (size_t i = 0; i < sizeof(snapshots); i++)
        (&snapshots[0][0])[i] = (char)sim_random_u64(&random);
}

static void id_of(size_t i, char id[2])
{
    id[0] = (char)('a' + i);
    id[1] = 0;
}

static void write_store(struct place *place, const struct store_lmdb_tuning *tuning)
{
    struct store_state after = { true, bytes_of_string("text"), 7 };
    struct store_loop loop;
    char id[2];

    loop_init(&loop);
    loop.store = place_open(place, &loop, tuning);
    for (size_t i = 0; i < N_LOGS; i++) {
        struct store_log *log;

        id_of(i, id);
        log = loop_open_log(&loop, "notes", id, NULL);
        for (size_t v = 0; v < N_RECORDS; v++) {
            struct record record = {
                { bytes_of_string("s"), v }, v, bytes_of_string("ann"), bytes_of(bodies[i][v], N_BYTES)
            };

            assert_int_equal(loop_append_records(&loop, log, v, &record, 1, &after), 0);
        }
        assert_int_equal(loop_snapshot_put(&loop, log, 50, bytes_of(snapshots[i], sizeof(snapshots[i]))), 0);
        store_log_close(log);
    }
    store_close(loop.store);
    loop_finish(&loop);
}

enum outcome { OUTCOME_RIGHT, OUTCOME_REFUSED, OUTCOME_MISSING, OUTCOME_WRONG, OUTCOME_DIED };

static enum outcome check_records(struct store_loop *loop, struct store_log *log, size_t i, uint64_t head)
{
    for (size_t v = 0; v < head; v += loop->n_records) {
        int r = loop_read(loop, log, v, STORE_NEWEST, 3000);

        if (r)
            return r < 0 ? OUTCOME_REFUSED : OUTCOME_WRONG;
        if (loop->n_records == 0 || v + loop->n_records > head)
            return OUTCOME_WRONG;
        for (size_t k = 0; k < loop->n_records; k++)
            if (!bytes_equal(loop->records[k].body, bytes_of(bodies[i][v + k], N_BYTES)) ||
                loop->records[k].id.seq != v + k || loop->records[k].time_ms != v + k)
                return OUTCOME_WRONG;
    }
    return OUTCOME_RIGHT;
}

static enum outcome worse(enum outcome a, enum outcome b)
{
    return a > b ? a : b;
}

static enum outcome check_snapshot(struct store_loop *loop, struct store_log *log, size_t i)
{
    if (loop_snapshot_get(loop, log, STORE_NEWEST))
        return OUTCOME_REFUSED;
    if (loop->version == 0 && loop->bytes.n_bytes == 0)
        return OUTCOME_MISSING;
    return bytes_equal(buffer_bytes(&loop->bytes), bytes_of(snapshots[i], sizeof(snapshots[i]))) ? OUTCOME_RIGHT
                                                                                                 : OUTCOME_WRONG;
}

static enum outcome check_find(struct store_loop *loop, struct store_log *log)
{
    int r = loop_find(loop, log, "s", N_RECORDS - 1);

    if (r < 0)
        return OUTCOME_REFUSED;
    if (r)
        return OUTCOME_MISSING;
    return loop->version == N_RECORDS - 1 ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

static enum outcome check_log(struct store_loop *loop, size_t i)
{
    enum outcome outcome = OUTCOME_RIGHT;
    struct store_log *log;
    uint64_t head;
    char id[2];
    int r;

    id_of(i, id);
    log = loop_open_log(loop, "notes", id, &r);
    if (r)
        return OUTCOME_REFUSED;
    head = loop->info.head;
    if (head > N_RECORDS || loop->info.snapshot_version > 50)
        outcome = OUTCOME_WRONG;
    else if (head < N_RECORDS)
        outcome = OUTCOME_MISSING;
    outcome = worse(outcome, check_records(loop, log, i, head));
    outcome = worse(outcome, check_snapshot(loop, log, i));
    outcome = worse(outcome, check_find(loop, log));
    store_log_close(log);
    return outcome;
}

static enum outcome check_store(struct place *place)
{
    enum outcome outcome = OUTCOME_RIGHT;
    struct store_loop loop;
    char why[256];

    loop_init(&loop);
    if (place_try_open(place, &loop, STORE_READ_ONLY, &loop.store, why))
        return OUTCOME_REFUSED;
    for (size_t i = 0; i < N_LOGS; i++)
        outcome = worse(outcome, check_log(&loop, i));
    store_close(loop.store);
    loop_finish(&loop);
    return outcome;
}

/* In a process of its own. */
static enum outcome look(struct place *place)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        static const int deaths[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };

        for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
            (void)signal(deaths[i], SIG_DFL); /* not cmocka's, who would report them */
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        assert_non_null(freopen("/dev/null", "w", stderr));
        (void)alarm(20); /* a loop of pages: LMDB walks it for ever */
        _exit(check_store(place));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) <= OUTCOME_WRONG ? WEXITSTATUS(status) : OUTCOME_DIED;
}

/* ---- the file as bytes ------------------------------------------------------------------------------------------- */

struct image {
    struct place *place;
    char path[128];
    char *at;
    size_t n_bytes;
};

static void image_load(struct image *image, struct place *place)
{
    struct stat stat;
    int fd;

    image->place = place;
    (void)snprintf(image->path, sizeof(image->path), "%s/data.mdb", place->path);
    fd = open(image->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    image->n_bytes = (size_t)stat.st_size;
    image->at = malloc(image->n_bytes);
    assert_non_null(image->at);
    assert_int_equal(read(fd, image->at, image->n_bytes), image->n_bytes);
    assert_int_equal(close(fd), 0);
}

static void image_store(const struct image *image)
{
    int fd = open(image->path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, image->at, image->n_bytes, 0), image->n_bytes);
    assert_int_equal(close(fd), 0);
}

/* Changes one bit of every copy of it that is in the file, and looks. */
static enum outcome flip_and_look(struct image *image, const void *find, size_t n_find)
{
    char *end = image->at + image->n_bytes, *found = memmem(image->at, image->n_bytes, find, n_find);
    char *copy = malloc(image->n_bytes);
    enum outcome outcome;

    assert_non_null(copy);
    assert_non_null(found);
    memcpy(copy, image->at, image->n_bytes);
    for (; found; found = memmem(found + 1, (size_t)(end - found - 1), find, n_find))
        found[n_find / 2] = (char)(found[n_find / 2] ^ 8);
    image_store(image);
    outcome = look(image->place);
    memcpy(image->at, copy, image->n_bytes);
    image_store(image);
    assert_int_equal(look(image->place), OUTCOME_RIGHT);
    free(copy);
    return outcome;
}

static void a_flipped_bit_is_refused_in(const struct store_lmdb_tuning *tuning)
{
    struct place *place = place_create();
    struct image image;

    fill_bodies();
    write_store(place, tuning);
    image_load(&image, place);
    assert_int_equal(look(place), OUTCOME_RIGHT);
    assert_int_equal(flip_and_look(&image, bodies[1][30], 50), OUTCOME_REFUSED);
    assert_int_equal(flip_and_look(&image, bodies[2][59], 50), OUTCOME_REFUSED);
    assert_int_equal(flip_and_look(&image, snapshots[0] + 1000, 50), OUTCOME_REFUSED);
    free(image.at);
    place_destroy(place);
}

static void a_flipped_bit_in_the_inbox_is_refused(void **state)
{
    (void)state;
    a_flipped_bit_is_refused_in(&store_lmdb_tuning_default);
}

static void a_flipped_bit_in_a_segment_is_refused(void **state)
{
    (void)state;
    a_flipped_bit_is_refused_in(&place_tiny_tuning);
}

/* In pieces of 80 bytes, each of which is in the file as it is. */
static void a_flipped_bit_in_a_piece_is_refused(void **state)
{
    struct store_lmdb_tuning tuning = place_tiny_tuning;

    (void)state;
    tuning.piece_bytes = 80;
    a_flipped_bit_is_refused_in(&tuning);
}

/* Sectors that hold something else. */
static void damage_anywhere_never_gives_wrong_data(void **state)
{
    struct sim_random random = { 7 };
    size_t n[OUTCOME_DIED + 1] = { 0 };
    struct store_lmdb_tuning tuning = place_tiny_tuning;
    struct place *place = place_create();
    struct image image;
    char *copy;

    (void)state;
    fill_bodies();
    tuning.piece_bytes = N_BYTES - 1; /* two pieces each, but for the first of a log */
    write_store(place, &tuning);
    image_load(&image, place);
    copy = malloc(image.n_bytes);
    assert_non_null(copy);
    memcpy(copy, image.at, image.n_bytes);
    for (size_t i = 0; i < N_FLIPS; i++) {
        size_t at = sim_random_below(&random, image.n_bytes / 512) * 512, n_bytes = 1 + sim_random_below(&random, 512);
        enum outcome outcome;

        for (size_t k = 0; k < n_bytes; k++)
            image.at[at + k] = i % 2 ? (char)sim_random_u64(&random) : (char)(image.at[at + k] ^ 1 << i % 8);
        image_store(&image);
        outcome = look(place);
        n[outcome]++;
        if (outcome == OUTCOME_WRONG)
            fail_msg("damage %zu, %zu bytes at %zu: wrong data", i, n_bytes, at);
        memcpy(image.at, copy, image.n_bytes);
    }
    image_store(&image);
    print_message("# %d sectors: %zu right, %zu refused, %zu with a key missing, %zu died in LMDB\n", N_FLIPS,
                  n[OUTCOME_RIGHT], n[OUTCOME_REFUSED], n[OUTCOME_MISSING], n[OUTCOME_DIED]);
    assert_true(n[OUTCOME_REFUSED] > n[OUTCOME_MISSING]);
    free(copy);
    free(image.at);
    place_destroy(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_in_the_inbox_is_refused),
        cmocka_unit_test(a_flipped_bit_in_a_segment_is_refused),
        cmocka_unit_test(a_flipped_bit_in_a_piece_is_refused),
        cmocka_unit_test(damage_anywhere_never_gives_wrong_data),
    };

    return cmocka_run_group_tests_name("a damaged store", tests, NULL, NULL);
}
