/* Random histories of every type, merged at random moments while others write, on a store that answers in any order:
 * what can still be read is what it was.
 *
 * PILCROW_SEED begins elsewhere, PILCROW_LONG makes it many. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/lib/alloc_fault.h"
#include "tests/unit/doc/old_log.h"
#include "tests/unit/ot/json0_random.h"
#include "tests/unit/ot/json1_random.h"
#include "tests/unit/ot/rich_random.h"

#define N_RECORDS   120
#define LARGE_BYTES 400

static struct ot_op *rich_op_in_normal_form(struct sim_random *random, const struct ot_snapshot *value)
{
    return random_rich_op(random, value, true);
}

static const struct {
    const char *create;
    struct ot_op *(*edit)(struct sim_random *random, const struct ot_snapshot *value);
} types[] = {
    { "{\"create\":{\"type\":\"text-unicode\",\"data\":\"...\"}}", random_op },
    { "{\"create\":{\"type\":\"rich-text\",\"data\":[{\"insert\":\"...\\n\"}]}}", rich_op_in_normal_form },
    { "{\"create\":{\"type\":\"json0\",\"data\":{\"a\":[\"x\",{}],\"b\":1,\"items\":\"abc\"}}}", random_json0_op },
    { "{\"create\":{\"type\":\"json1\",\"data\":{\"a\":[\"x\",{}],\"b\":1,\"x\":\"abc\"}}}", random_json1_op },
};

struct history {
    struct sim_random *random;
    size_t type;
    char *contents[N_RECORDS + 1]; /* by version */
    uint64_t minutes[N_RECORDS];
    char authors[N_RECORDS];
};

static char *body_of(const struct ot_op *op)
{
    char *written = written_op(op), *body = malloc(strlen(written) + 16);

    (void)sprintf(body, "{\"op\":%s}", written);
    free(written);
    return body;
}

/* What somebody does next to the document. The caller frees it. */
static char *random_body(struct history *history, const struct ot_snapshot *value)
{
    struct ot_op *op;
    char *body;

    if (!value)
        return strdup(types[history->type].create);
    if (sim_random_chance(history->random, 20) || ot_snapshot_size(value) > LARGE_BYTES)
        return strdup("{\"del\":true}");
    if (sim_random_chance(history->random, 50))
        return strdup("{}");
    op = types[history->type].edit(history->random, value);
    body = body_of(op);
    ot_op_unref(op);
    return body;
}

static void given_history(struct fixture *f, struct history *history)
{
    static const char *const authors[] = { "ink", "paper", "" };
    const char *author = authors[0];
    struct replay replay;
    uint64_t minute = 0;

    replay_init(&replay);
    for (size_t i = 0; i < N_RECORDS; i++) {
        char *body = random_body(history, replay.value);

        if (sim_random_chance(history->random, 150))
            author = authors[sim_random_below(history->random, 3)];
        minute += sim_random_chance(history->random, 100) ? sim_random_below(history->random, 60) : 1;
        history->contents[i] = replay_content(&replay);
        history->minutes[i] = minute;
        history->authors[i] = *author;
        old_record(f, "n", minute, author, body);
        free(body);
        replay_to(&replay, f->disk, fixture_name("n"), i + 1);
    }
    history->contents[N_RECORDS] = replay_content(&replay);
    replay_finish(&replay);
}

static void forget(struct history *history)
{
    for (size_t i = 0; i <= N_RECORDS; i++)
        free(history->contents[i]);
}

/* Every version that a record begins at is what it was; each record is of the author and time of its last. */
static void check_history(struct fixture *f, const struct history *history)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name("n"));
    struct replay replay;

    replay_init(&replay);
    for (size_t i = 0; i < log->n && replay.version < N_RECORDS; i++) {
        const struct record *record = &log->records[i];
        uint64_t last = record_end(replay.version, record) - 1;
        char *content = replay_content(&replay);

        assert_string_equal(content, history->contents[replay.version]);
        free(content);
        assert_int_equal(record->time_ms, history->minutes[last] * MINUTE_MS);
        for (uint64_t v = replay.version; v <= last; v++)
            assert_int_equal(history->authors[v], record->author.n_bytes ? *(const char *)record->author.at : '\0');
        replay_step(&replay, record);
    }
    assert_int_equal(replay.version, N_RECORDS);
    replay_finish(&replay);
}

/* Versions within are refused, those between are read: by whoever asks. */
static void check_reading(struct fixture *f)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name("n"));

    for (uint64_t v = 0; v < N_RECORDS; v++) {
        const struct record *record = sim_log_record(log, v);

        read_ops(f, "n", "r", v, v + 1);
        settle(f);
        assert_int_equal(f->last_r, record && !record->n_merged ? 0 : DOCUMENT_OPS_GONE);
    }
}

static sem_t woken;

static void wake(void *arg)
{
    (void)sem_post(arg);
}

/* Nobody waits for the thread: what the store answers and what others write comes in between, as it happens. */
static void run_beside_writers(struct fixture *f, struct history *history, struct retain *retain)
{
    size_t n = 0;

    while (retain_result(retain) == 1) {
        char id[16];

        if (n < 20 && sim_random_chance(history->random, 100)) {
            (void)snprintf(id, sizeof(id), "w/%zu", ++n);
            submit(f, "n", id, DOCUMENT_NOW, n % 2 ? "{\"op\":[]}" : types[history->type].create);
        }
        if (!store_sim_step(f->store) && sem_trywait(&woken) == 0)
            helper_dispatch(f->config.helper);
    }
    settle(f);
    assert_int_equal(retain_result(retain), 0);
}

static void histories_stay_what_they_were(struct sim_random *random)
{
    struct history history = { .random = random, .type = sim_random_below(random, 4) };
    struct helper *helper;
    struct retain *retain;
    struct fixture *f;
    void *state;
    uint64_t n_merged = 0;

    assert_int_equal(fixture_setup(&state), 0);
    f = state;
    f->is_quiet = true;
    f->store_seed = sim_random_u64(random) | 1;
    f->config.slice_bytes = sim_random_chance(random, 500) ? 200 : 65536;
    f->config.recent_max_bytes = sim_random_chance(random, 500) ? 1 : 65536;
    f->config.snapshot_min_bytes = 500;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(helper_create(wake, &woken, &helper), 0);
    f->config.helper = helper;
    given_history(f, &history);
    fixture_restart(f);
    retain = retain_create(f, 30);
    for (uint64_t run = 0; run < 5; run++) {
        retain->from_start = run > 2;
        retain_begin(f, retain, run < 3 ? 30 + run : 32);
        f->now_ms += sim_random_below(random, 60) * MINUTE_MS;
        run_beside_writers(f, &history, retain);
        n_merged += retain->n_merged;
        check_history(f, &history);
    }
    assert_true(n_merged > 0);
    assert_int_equal(retain->n_merged, 0); /* it had all been done */
    check_reading(f);
    retain_free(retain);
    forget(&history);
    assert_int_equal(fixture_teardown(&state), 0);
    helper_destroy(helper);
    (void)sem_destroy(&woken);
}

static void random_histories_stay_what_they_were(void **state)
{
    for_each_seed("histories", getenv("PILCROW_LONG") ? 1000 : 16, histories_stay_what_they_were);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool merges_through(size_t n, enum alloc_fault_kind kind)
{
    struct retain *retain;
    struct fixture *f;
    void *state;
    bool met;

    assert_int_equal(fixture_setup(&state), 0);
    f = state;
    f->config.slice_bytes = 20;
    old_record(f, "n", 0, "ink", TEXT);
    old_record(f, "n", 0, "ink", "{\"op\":[\"a\"]}");
    old_record(f, "n", 0, "ink", "{\"op\":[1,\"b\"]}");
    sim_disk_keep_snapshot(f->disk, fixture_name("n"), 3,
                           bytes_of_string("http://sharejs.org/types/text-unicode\n\"ab\""));
    old_record(f, "n", 0, "ink", "{\"op\":[2,\"c\"]}");
    old_record(f, "n", 0, "paper", "{\"op\":[3,\"d\"]}");
    old_record(f, "n", 0, "paper", "{\"op\":[4,\"e\"]}");
    fixture_restart(f);
    retain = retain_create(f, 30);
    alloc_fault_arm(n, kind);
    retain_begin(f, retain, 31);
    settle(f);
    met = alloc_fault_disarm();
    expect_log(f, "n", 6, "\"abcde\"");
    assert_int_equal(retain_run(f, retain, 31), 0);
    expect_records(f, "n",
                   "0 ink 0 " TEXT "\n1+1 ink 0 {\"op\":[\"ab\"]}\n3 ink 0 {\"op\":[2,\"c\"]}\n"
                   "4+1 paper 0 {\"op\":[3,\"de\"]}\n");
    retain_free(retain);
    assert_int_equal(fixture_teardown(&state), 0);
    return met;
}

static void every_allocation_fails_in_turn(void **state)
{
    for (int kind = 0; kind < 2; kind++) {
        size_t n = 0;

        while (merges_through(n, kind ? ALLOC_FAULT_FROM_THEN_ON : ALLOC_FAULT_ONCE))
            n++;
        assert_true(n > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_stay_what_they_were),
        cmocka_unit_test(every_allocation_fails_in_turn),
    };

    log_setup(LOG_ERROR, false);
    return cmocka_run_group_tests_name("retention of random histories", tests, NULL, NULL);
}
