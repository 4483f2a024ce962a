/* A batch waits for more, nobody comes, and the deadline passes at whatever moment it likes: also between two looks at
 * the clock. The write that was there is committed all the same. Time passes for the commit thread whenever it looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_ROUNDS   100
#define PASSING_NS 300000u

int __real_clock_gettime(clockid_t id, struct timespec *now); // NOLINT(bugprone-reserved-identifier)
int __wrap_clock_gettime(clockid_t id, struct timespec *now); // NOLINT(bugprone-reserved-identifier)

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    static struct sim_random random = { 1 };
    char name[16] = "";
    int r = __real_clock_gettime(id, now);

    if (pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && strcmp(name, "commit") == 0)
        (void)nanosleep(&(struct timespec){ .tv_nsec = (long)sim_random_below(&random, PASSING_NS) }, NULL);
    return r;
}

struct writer {
    struct store_log *log;
    struct record record;
    uint64_t head;
    size_t *n_pending;
};

static void on_append(void *arg, int r, uint64_t head)
{
    struct writer *writer = arg;

    assert_int_equal(r, 0);
    writer->head = head;
    --*writer->n_pending;
}

static void append(struct writer *writer)
{
    struct store_state after = { true, bytes_of_string("text"), 1 };

    writer->record = (struct record){ .id = { bytes_of_string("s"), writer->head + 1 }, .body = bytes_of_string("x") };
    assert_int_equal(store_append(writer->log, writer->head, &writer->record, 1, &after, on_append, writer), 0);
    ++*writer->n_pending;
}

static void who_is_waited_for_does_not_come(void **state)
{
    static const char *const ids[] = { "a", "b" };
    struct place *place = place_create();
    struct writer writers[2];
    struct store_loop loop;
    size_t n_pending = 0;
    int r;

    (void)state;
    loop_init(&loop);
    loop.store = place_open(place, &loop, &store_lmdb_tuning_default);
    for (size_t i = 0; i < 2; i++) {
        writers[i] = (struct writer){ .log = loop_open_log(&loop, "notes", ids[i], &r), .n_pending = &n_pending };
        assert_int_equal(r, 0);
    }
    for (int i = 0; i < N_ROUNDS; i++) {
        append(&writers[0]);
        append(&writers[1]);
        loop_until_none(&loop, &n_pending);
        append(&writers[0]);
        loop_until_none(&loop, &n_pending);
    }
    for (size_t i = 0; i < 2; i++)
        store_log_close(writers[i].log);
    store_close(loop.store);
    loop_finish(&loop);
    place_destroy(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(who_is_waited_for_does_not_come) };

    return cmocka_run_group_tests_name("patience", tests, NULL, NULL);
}
