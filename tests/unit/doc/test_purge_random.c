/* A document that is purged again and again while everything else is under way on it: writers near and far behind,
 * large submissions in the helper, readers of the past and of the log, followers, snapshots, merging, conflicts. All
 * are answered, nobody hears of a version twice or misses one, and what is read is what the log adds up to.
 *
 * PILCROW_SEED and PILCROW_CASES: see tests/unit/ot/harness.h. */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/doc/old_log.h"
#include "tests/unit/ot/harness.h"

#define N_STEPS 150

struct chaos {
    struct fixture *f;
    struct sim_random *random;
    struct retain *retain;
    bool is_retaining;
    uint64_t day;
    size_t n_ids;
};

static sem_t woken;

static void wake(void *arg)
{
    (void)sem_post(arg);
}

static uint64_t some_version(struct chaos *chaos)
{
    uint64_t head = sim_disk_head(chaos->f->disk, fixture_name("n"));
    uint64_t back = sim_random_below(chaos->random, 12);

    return sim_random_chance(chaos->random, 300) ? DOCUMENT_NOW : back < head ? head - back : 0;
}

static void write(struct chaos *chaos)
{
    static const char *const bodies[] = { TEXT, "{\"op\":[\"x\"]}", "{\"op\":[\"yz\"]}", "{\"del\":true}" };
    const char *body = bodies[sim_random_below(chaos->random, 4)];
    char id[16];

    (void)snprintf(id, sizeof(id), "w%zu/%zu", sim_random_below(chaos->random, 3), ++chaos->n_ids);
    if (sim_random_chance(chaos->random, 300))
        submit_large(chaos->f, "n", id, some_version(chaos), body);
    else
        submit(chaos->f, "n", id, some_version(chaos), body);
}

static void begin_retaining(struct chaos *chaos)
{
    if (chaos->is_retaining && retain_result(chaos->retain) == 1)
        return;
    chaos->is_retaining = true;
    retain_begin(chaos->f, chaos->retain, chaos->day += 31);
}

static void strike(struct chaos *chaos)
{
    static const int results[] = { STORE_CONFLICT, STORE_UNKNOWN, -EIO };
    size_t which = sim_random_below(chaos->random, 3);

    store_sim_fault(chaos->f->store, &(struct sim_fault){ .calls = which < 2 ? SIM_APPEND | SIM_REMOVE : SIM_EVERY_CALL,
                                                          .n_pass = sim_random_below(chaos->random, 5),
                                                          .n_strikes = 1,
                                                          .kind = which == 1 ? SIM_MAY_BE_DONE : SIM_FAILS,
                                                          .r = results[which] });
}

static void do_something(struct chaos *chaos)
{
    struct fixture *f = chaos->f;
    char id[16];

    (void)snprintf(id, sizeof(id), "p/%zu", 10 * ++chaos->n_ids);
    switch (sim_random_below(chaos->random, 16)) {
    case 0: purge(f, "n", id); break;
    case 1: read_snapshot(f, "n", "r"); break;
    case 2: read_past(f, "n", "r", some_version(chaos)); break;
    case 3: read_past_at(f, "n", "r", f->now_ms - sim_random_below(chaos->random, 40)); break;
    case 4: read_ops(f, "n", "r", some_version(chaos), DOCUMENT_NOW); break;
    case 5: barrier(f, "n", "r"); break;
    case 6: begin_retaining(chaos); break;
    case 7: strike(chaos); break;
    default: write(chaos); break;
    }
}

static void let_go(struct chaos *chaos)
{
    while (sim_random_chance(chaos->random, 700))
        if (!store_sim_step(chaos->f->store) && sem_trywait(&woken) == 0)
            helper_dispatch(chaos->f->config.helper);
}

static void come_to_rest(struct chaos *chaos)
{
    store_sim_fault_end(chaos->f->store);
    settle(chaos->f);
    while (chaos->f->n_unanswered || (chaos->is_retaining && retain_result(chaos->retain) == 1)) {
        (void)sem_wait(&woken);
        helper_dispatch(chaos->f->config.helper);
        settle(chaos->f);
    }
}

/* What the follower has heard: each version once, in their order. */
static void check_journal(struct fixture *f)
{
    uint64_t next = 0, version;
    char *line, *rest;

    assert_int_equal(buffer_append(&f->journal, "", 1), 0);
    rest = f->journal.at;
    while ((line = strsep(&rest, "\n"))) {
        if (sscanf(line, "s op %" SCNu64, &version) != 1)
            continue;
        assert_true(version == next);
        next = version + 1;
    }
    assert_true(next == sim_disk_head(f->disk, fixture_name("n")));
    buffer_reset(&f->journal);
}

static void check_value(struct fixture *f)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name("n"));
    struct replay replay;
    char *content, seen[4096];

    replay_init(&replay);
    replay.version = sim_log_info(log).first;
    replay_to(&replay, f->disk, fixture_name("n"), DOCUMENT_NOW);
    content = replay_content(&replay);
    read_snapshot(f, "n", "r");
    settle(f);
    (void)snprintf(seen, sizeof(seen), "r sees %" PRIu64 " %s\n", replay.version, content);
    expect(f, seen);
    free(content);
    replay_finish(&replay);
}

/* In the store it is not; nor is it in memory. */
static void check_forgotten(struct fixture *f)
{
    uint64_t first = sim_log_info(sim_disk_find(f->disk, fixture_name("n"))).first;

    if (!first)
        return;
    read_ops(f, "n", "r", first - 1, first);
    read_past(f, "n", "r", first - 1);
    settle(f);
    expect(f, "r refused OPS_GONE\nr refused OPS_GONE\n");
}

static void nothing_is_lost_but_what_was_purged(struct sim_random *random)
{
    struct chaos chaos = { .random = random };
    struct helper *helper;
    struct fixture *f;
    void *state;

    assert_int_equal(fixture_setup(&state), 0);
    chaos.f = f = state;
    f->store_seed = sim_random_u64(random) | 1;
    f->config.slice_bytes = sim_random_chance(random, 500) ? 20 : 65536;
    f->config.recent_max_bytes = sim_random_chance(random, 500) ? 1 : 65536;
    f->config.snapshot_min_bytes = 60;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(helper_create(wake, &woken, &helper), 0);
    f->config.helper = helper;
    fixture_restart(f);
    chaos.retain = retain_create(f, 30);
    chaos.day = 31;
    f->now_ms = chaos.day * DAY_MS;
    follow(f, "n", "s", 0);
    settle(f);
    for (size_t i = 0; i < N_STEPS; i++) {
        do_something(&chaos);
        let_go(&chaos);
    }
    come_to_rest(&chaos);
    barrier(f, "n", "r"); /* a document that could not be loaded is when it is asked for something */
    settle(f);
    assert_int_equal(f->last_r, 0);
    check_journal(f);
    check_value(f);
    check_forgotten(f);
    retain_free(chaos.retain);
    assert_int_equal(fixture_teardown(&state), 0);
    helper_destroy(helper);
    (void)sem_destroy(&woken);
}

static void a_document_purged_in_the_middle_of_everything(void **state)
{
    for_each_case("purges", 100, nothing_is_lost_but_what_was_purged);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_document_purged_in_the_middle_of_everything) };

    log_setup(LOG_ERROR, false);
    return cmocka_run_group_tests_name("purging beside everything", tests, NULL, NULL);
}
