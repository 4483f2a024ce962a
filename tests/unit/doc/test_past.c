/* A document as it was: from snapshots and the log, by version and by time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/random.h"
#include "tests/unit/doc/fixture.h"

static uint64_t seed = 1; /* test_doc_past SEED */

/* ---- a random life ----------------------------------------------------------------------------------------------- */

static struct sim_log *log_of(struct fixture *f)
{
    return sim_disk_find(f->disk, fixture_name("n"));
}

/* Writes, deletes, creates again; sometimes two at the same millisecond. */
static void live(struct fixture *f, struct sim_random *random, size_t n)
{
    f->is_quiet = true;
    for (size_t i = 0; i < n; i++) {
        char id[32], body[64];
        struct replay replay;
        bool exists;

        replay_init(&replay);
        replay_to(&replay, f->disk, fixture_name("n"), STORE_NEWEST);
        exists = replay.value;
        replay_finish(&replay);
        if (!exists)
            (void)snprintf(body, sizeof(body), "{\"create\":{\"type\":\"text-unicode\",\"data\":\"again\"}}");
        else if (sim_random_below(random, 30) == 0)
            (void)snprintf(body, sizeof(body), "{\"del\":true}");
        else
            (void)snprintf(body, sizeof(body), "{\"op\":[\"%c%d\"]}", (char)('a' + i % 26), (int)(i % 1000));
        (void)snprintf(id, sizeof(id), "a/%zu", (size_t)sim_disk_head(f->disk, fixture_name("n")));
        if (sim_random_below(random, 3) == 0)
            f->now_ms--;
        submit(f, "n", id, DOCUMENT_NOW, body);
        settle(f);
    }
    f->is_quiet = false;
}

static void expect_replayed(struct fixture *f, uint64_t version)
{
    struct replay replay;
    char *content, line[1024];

    replay_init(&replay);
    replay_to(&replay, f->disk, fixture_name("n"), version);
    content = replay_content(&replay);
    (void)snprintf(line, sizeof(line), "r sees %" PRIu64 " %s\n", version, content);
    expect(f, line);
    free(content);
    replay_finish(&replay);
}

static void given_a_life(struct fixture *f, size_t n)
{
    struct sim_random random = { seed };

    print_message("# seed %" PRIu64 "\n", seed);
    f->config.snapshot_min_bytes = 100;
    f->config.slice_bytes = 50;
    f->store_seed = seed;
    fixture_restart(f);
    live(f, &random, n);
    assert_true(log_of(f)->n_snapshots > 4);
}

static void every_version_is_what_the_log_adds_up_to(void **state)
{
    struct fixture *f = *state;

    given_a_life(f, 200);
    for (uint64_t version = 0; version <= 200; version++) {
        read_past(f, "n", "r", version);
        settle(f);
        expect_replayed(f, version);
    }
}

static void every_time_is_the_newest_version_by_then(void **state)
{
    struct fixture *f = *state;

    given_a_life(f, 100);
    for (uint64_t ms = 990; ms <= f->now_ms + 5; ms++) {
        read_past_at(f, "n", "r", ms);
        settle(f);
        expect_replayed(f, sim_log_version_at(log_of(f), ms));
    }
    read_past_at(f, "n", "r", 0);
    settle(f);
    expect_replayed(f, 0);
}

static void few_operations_are_read_for_one_of_many(void **state)
{
    struct fixture *f = *state;

    given_a_life(f, 200);
    for (uint64_t version = 30; version < 200; version += 17) {
        const struct sim_snapshot *base = sim_log_snapshot(log_of(f), version);
        size_t n_bytes = 0;

        assert_non_null(base);
        for (uint64_t v = base->version; v < version; v++)
            n_bytes += sim_log_record(log_of(f), v)->body.n_bytes;
        assert_in_range(n_bytes, 0, 400);
    }
}

/* ---- while others write ------------------------------------------------------------------------------------------ */

static void given_text(struct fixture *f, size_t n)
{
    submit(f, "n", "init/1", 0, TEXT);
    f->is_quiet = true;
    for (size_t i = 0; i < n; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "a/%zu", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
        settle(f);
    }
    f->is_quiet = false;
    buffer_reset(&f->journal);
}

static void a_version_is_shown_when_it_is_durable(void **state)
{
    struct fixture *f = *state;

    given_text(f, 2);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"y\"]}");
    submit(f, "n", "b/2", DOCUMENT_NOW, "{\"op\":[\"z\"]}");
    settle(f);
    read_past(f, "n", "r", 4);
    read_past_at(f, "n", "s", 1 << 30);
    settle(f);
    expect(f, "b/1 accepted\nb/2 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "b/1 done at 3\nb/2 done at 4\ns sees 5 \"zyxx\"\nr sees 4 \"yxx\"\n");
}

static void a_version_above_the_tip_is_refused(void **state)
{
    struct fixture *f = *state;

    given_text(f, 2);
    read_past(f, "n", "r", 4);
    read_past(f, "none", "s", 1);
    settle(f);
    expect(f, "r refused VERSION_AHEAD\ns refused VERSION_AHEAD\n");
}

static void what_never_was_is_nothing_at_any_time(void **state)
{
    struct fixture *f = *state;

    read_past(f, "n", "r", 0);
    read_past(f, "n", "r", DOCUMENT_NOW);
    read_past_at(f, "n", "r", 1 << 30);
    settle(f);
    expect(f, "r sees 0 none\nr sees 0 none\nr sees 0 none\n");
}

/* Its document is reloaded between the store's answers. */
static void a_conflict_does_not_disturb_it(void **state)
{
    struct fixture *f = *state;
    struct record record = {
        { bytes_of_string("other"), 1 }, 2000, bytes_of_string(""), bytes_of_string("{\"op\":[\"o\"]}")
    };
    struct store_state after = { true, bytes_of_string("text-unicode"), 1 };

    f->config.slice_bytes = 1;
    fixture_restart(f);
    given_text(f, 6);
    read_past(f, "n", "r", 4);
    for (size_t i = 0; i < 3; i++)
        (void)store_sim_step(f->store);
    store_sim_append_foreign(f->store, fixture_name("n"), &record, &after, false);
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "b/1 accepted\nb/1 done at 8\nr sees 4 \"xxx\"\n");
    assert_int_equal(figures(f).n_reloads, 1);
}

/* ---- what is damaged or gone ------------------------------------------------------------------------------------- */

static void damage_all_from(struct fixture *f, size_t i)
{
    struct sim_log *log = log_of(f);

    for (; i < log->n_snapshots; i++)
        log->snapshots[i].is_damaged = true;
}

static void damaged_snapshots_cost_time_and_no_more(void **state)
{
    struct fixture *f = *state;

    given_a_life(f, 120);
    for (size_t left = log_of(f)->n_snapshots; left-- > 0;) {
        damage_all_from(f, left);
        read_past(f, "n", "r", 119);
        settle(f);
        expect_replayed(f, 119);
    }
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect_replayed(f, 120);
}

static void content_that_is_none_is_damage_too(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[] = { "",
                                        "no line",
                                        "nonsense\n1",
                                        "http://sharejs.org/types/text-unicode 1\n\"x\"",
                                        "http://sharejs.org/types/text-unicode 1 2 3\n\"x\"",
                                        "http://sharejs.org/types/text-unicode 1 x\n\"x\"",
                                        "http://sharejs.org/types/text-unicode 1 2\n\"x" };

    given_text(f, 3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sim_disk_keep_snapshot(f->disk, fixture_name("n"), 2, bytes_of_string("x"));
        free(log_of(f)->snapshots[0].at);
        log_of(f)->snapshots[0].at = strdup(rows[i]);
        log_of(f)->snapshots[0].n_bytes = strlen(rows[i]);
        fixture_restart(f);
        read_snapshot(f, "n", "r");
        settle(f);
        read_past(f, "n", "r", 3);
        settle(f);
        expect(f, "r sees 4 \"xxx\"\nr sees 3 \"xx\"\n");
    }
}

/* Its times are asked of the log: it is loaded from, and the past begins further back. */
static void a_snapshot_without_times_is_read(void **state)
{
    struct fixture *f = *state;

    given_text(f, 3);
    sim_disk_keep_snapshot(f->disk, fixture_name("n"), 3,
                           bytes_of_string("http://sharejs.org/types/text-unicode\n\"zz\""));
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    read_past(f, "n", "r", 3);
    settle(f);
    expect(f,
           "r sees 4 \"xzz\"\nr sees 3 \"xx\"\n"); /* the content is not what the log adds up to, to tell them apart */
}

static void versions_within_what_was_merged_are_gone(void **state)
{
    struct fixture *f = *state;
    struct record merged = {
        { bytes_of_string("a"), 4 }, 0, bytes_of_string(""), bytes_of_string("{\"op\":[\"xxx\"]}"), 2
    };

    given_text(f, 6);
    merged.time_ms = sim_log_record(log_of(f), 4)->time_ms;
    assert_int_equal(sim_disk_merge(f->disk, fixture_name("n"), 2, &merged, 1), 0);
    for (uint64_t version = 1; version <= 6; version++)
        read_past(f, "n", "r", version);
    settle(f);
    expect(f, "r sees 1 \"\"\nr sees 2 \"x\"\nr refused OPS_GONE\nr refused OPS_GONE\nr sees 5 \"xxxx\"\nr sees 6 "
              "\"xxxxx\"\n");
    fixture_restart(f);
    read_past_at(f, "n", "r", merged.time_ms);
    read_past_at(f, "n", "r", merged.time_ms - 1);
    settle(f);
    expect(f, "r sees 5 \"xxxx\"\nr sees 2 \"x\"\n");
}

static void versions_below_what_is_kept_are_gone(void **state)
{
    struct fixture *f = *state;

    given_text(f, 3);
    sim_disk_remove(f->disk, fixture_name("n"));
    fixture_restart(f);
    submit(f, "n", "b/1", DOCUMENT_NOW, TEXT);
    submit(f, "n", "b/2", DOCUMENT_NOW, "{\"op\":[\"new\"]}");
    settle(f);
    buffer_reset(&f->journal);
    for (uint64_t version = 0; version <= 6; version++) {
        read_past(f, "n", "r", version);
        settle(f);
    }
    read_past_at(f, "n", "r", 1001);
    settle(f);
    expect(
        f,
        "r refused OPS_GONE\nr refused OPS_GONE\nr refused OPS_GONE\nr refused OPS_GONE\nr sees 4 none\nr sees 5 \"\"\n"
        "r sees 6 \"new\"\nr refused OPS_GONE\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(every_version_is_what_the_log_adds_up_to), TEST(every_time_is_the_newest_version_by_then),
        TEST(few_operations_are_read_for_one_of_many),  TEST(a_version_is_shown_when_it_is_durable),
        TEST(a_version_above_the_tip_is_refused),       TEST(what_never_was_is_nothing_at_any_time),
        TEST(a_conflict_does_not_disturb_it),           TEST(damaged_snapshots_cost_time_and_no_more),
        TEST(content_that_is_none_is_damage_too),       TEST(a_snapshot_without_times_is_read),
        TEST(versions_within_what_was_merged_are_gone), TEST(versions_below_what_is_kept_are_gone),
    };

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests_name("the past", tests, NULL, NULL);
}
