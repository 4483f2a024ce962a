/* Old operations become fewer: what is merged and what is not, what readers and writers are told of it, and what is
 * left when it fails. */
#include "tests/unit/doc/old_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CREATED "0 ink 0 " TEXT "\n"
#define EDIT    "{\"op\":[\"x\"]}"

static bool composing_lies;
int __real_ot_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                         struct ot_op **out, struct ot_error *error);
int __wrap_ot_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                         struct ot_op **out, struct ot_error *error);

int __wrap_ot_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                         struct ot_op **out, struct ot_error *error)
{
    if (!composing_lies)
        return __real_ot_op_compose(first, second, limits, out, error);
    *out = ot_op_ref((struct ot_op *)(uintptr_t)second);
    return 0;
}

/* "n": created by ink, then three edits of his within two minutes. */
static void given_a_minute_of_work(struct fixture *f)
{
    old_record(f, "n", 0, "ink", TEXT);
    old_record(f, "n", 1, "ink", "{\"op\":[\"a\"]}");
    old_record(f, "n", 1, "ink", "{\"op\":[1,\"b\"]}");
    old_record(f, "n", 2, "ink", "{\"op\":[2,\"c\"]}");
    f->config.recent_max_bytes = 1;
    fixture_restart(f);
}

static void run_once(struct fixture *f, uint64_t day, uint64_t n_merged)
{
    struct retain *retain = retain_create(f, 30);

    assert_int_equal(retain_run(f, retain, day), 0);
    assert_int_equal(retain->n_merged, n_merged);
    retain_free(retain);
}

static void neighbours_by_one_author_become_one(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    old_record(f, "n", 3, "paper", "{\"op\":[3,\"d\"]}");
    old_record(f, "n", 4, "paper", "{\"op\":[4,\"e\"]}");
    old_record(f, "n", 5, "ink", "{\"op\":[5,\"f\"]}");
    run_once(f, 31, 3);
    expect_records(f, "n",
                   CREATED "1+2 ink 2 {\"op\":[\"abc\"]}\n"
                           "4+1 paper 4 {\"op\":[3,\"de\"]}\n"
                           "6 ink 5 {\"op\":[5,\"f\"]}\n");
    assert_int_equal(figures(f).n_merged, 3);
}

static void a_pause_ends_it(void **state)
{
    struct fixture *f = *state;

    old_record(f, "n", 0, "ink", TEXT);
    old_record(f, "n", 1, "ink", EDIT);
    old_record(f, "n", 31, "ink", EDIT);
    old_record(f, "n", 62, "ink", EDIT);
    old_record(f, "n", 63, "ink", EDIT);
    run_once(f, 31, 2);
    expect_records(f, "n", CREATED "1+1 ink 31 {\"op\":[\"xx\"]}\n3+1 ink 63 {\"op\":[\"xx\"]}\n");
}

static void creates_and_deletes_stay(void **state)
{
    struct fixture *f = *state;

    old_record(f, "n", 0, "ink", TEXT);
    old_record(f, "n", 0, "ink", EDIT);
    old_record(f, "n", 0, "ink", EDIT);
    old_record(f, "n", 1, "ink", "{\"del\":true}");
    old_record(f, "n", 1, "ink", TEXT);
    old_record(f, "n", 2, "ink", EDIT);
    old_record(f, "n", 2, "ink", EDIT);
    run_once(f, 31, 2);
    expect_records(f, "n",
                   CREATED "1+1 ink 0 {\"op\":[\"xx\"]}\n"
                           "3 ink 1 {\"del\":true}\n4 ink 1 " TEXT "\n5+1 ink 2 {\"op\":[\"xx\"]}\n");
}

static void what_comes_to_nothing_stays_as_nothing(void **state)
{
    struct fixture *f = *state;

    old_record(f, "n", 0, "ink", TEXT);
    old_record(f, "n", 1, "ink", EDIT);
    old_record(f, "n", 1, "ink", "{}");
    old_record(f, "n", 1, "ink", "{\"op\":[{\"d\":1}]}");
    old_record(f, "n", 2, "paper", "{}");
    old_record(f, "n", 2, "paper", "{}");
    run_once(f, 31, 3);
    expect_records(f, "n", CREATED "1+2 ink 1 {}\n4+1 paper 2 {}\n");
    expect_log(f, "n", 6, "\"\"");
}

static void what_is_younger_stays(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    old_record(f, "n", 3, "ink", "{\"op\":[3,\"d\"]}");
    run_once(f, 30, 0);
    run_once(f, 0, 0); /* a clock that was never set */
    expect_records(f, "n",
                   CREATED "1 ink 1 {\"op\":[\"a\"]}\n2 ink 1 {\"op\":[1,\"b\"]}\n3 ink 2 {\"op\":[2,\"c\"]}\n"
                           "4 ink 3 {\"op\":[3,\"d\"]}\n");
}

/* The last run has cut a group where it was too young. */
static void a_later_run_goes_on_where_the_last_has_ended(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    old_record(f, "n", 24 * 60 - 1, "ink", "{\"op\":[3,\"d\"]}");
    old_record(f, "n", 24 * 60 - 1, "ink", "{\"op\":[4,\"e\"]}");
    old_record(f, "n", 24 * 60 + 1, "ink", "{\"op\":[5,\"f\"]}");
    run_once(f, 31, 3);
    expect_records(f, "n",
                   CREATED "1+2 ink 2 {\"op\":[\"abc\"]}\n4+1 ink 1439 {\"op\":[3,\"de\"]}\n"
                           "6 ink 1441 {\"op\":[5,\"f\"]}\n");
    run_once(f, 32, 1);
    expect_records(f, "n", CREATED "1+2 ink 2 {\"op\":[\"abc\"]}\n4+2 ink 1441 {\"op\":[3,\"def\"]}\n");
}

static void a_second_run_finds_nothing_to_do(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30);

    given_a_minute_of_work(f);
    run_once(f, 40, 2);
    f->config.n_idle_max = 0;
    fixture_restart(f);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_LOG_OPEN, .n_strikes = SIZE_MAX, .r = -EIO });
    run_once(f, 41, 0); /* it does not even open the document */
    assert_int_equal(store_sim_fault_end(f->store), 0);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_MERGE, .n_strikes = SIZE_MAX, .r = -EIO });
    retain->from_start = true;
    assert_int_equal(retain_run(f, retain, 41), 0);
    assert_int_equal(store_sim_fault_end(f->store), 0);
    retain_free(retain);
}

static void deleted_documents_have_their_turn(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    old_record(f, "n", 3, "ink", "{\"del\":true}");
    run_once(f, 31, 2);
    expect_records(f, "n", CREATED "1+2 ink 2 {\"op\":[\"abc\"]}\n4 ink 3 {\"del\":true}\n");
}

static void operations_end_at_the_snapshots_that_are_kept(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    sim_disk_keep_snapshot(f->disk, fixture_name("n"), 2,
                           bytes_of_string("http://sharejs.org/types/text-unicode\n\"a\""));
    old_record(f, "n", 3, "ink", "{\"op\":[3,\"d\"]}");
    run_once(f, 31, 2);
    expect_records(f, "n", CREATED "1 ink 1 {\"op\":[\"a\"]}\n2+2 ink 3 {\"op\":[1,\"bcd\"]}\n");
    assert_int_equal(sim_disk_find(f->disk, fixture_name("n"))->snapshots[0].version, 2);
}

static void one_operation_has_its_ceiling(void **state)
{
    struct fixture *f = *state;
    struct record record = { .id = { bytes_of_string("ink"), 2 },
                             .author = bytes_of_string("ink"),
                             .body = bytes_of_string(EDIT) };
    const struct sim_log *log;

    old_record(f, "n", 0, "ink", TEXT);
    f->disk->may_repeat_ids = true;
    for (size_t i = 0; i < MERGE_VERSIONS_MAX + 10; i++)
        sim_disk_append(f->disk, fixture_name("n"), &record, 1, &sim_disk_find(f->disk, fixture_name("n"))->state);
    run_once(f, 31, MERGE_VERSIONS_MAX + 8);
    log = sim_disk_find(f->disk, fixture_name("n"));
    assert_int_equal(log->n, 3);
    assert_int_equal(log->records[1].n_merged, MERGE_VERSIONS_MAX - 1);
    assert_int_equal(log->records[2].n_merged, 9);
}

/* ---- what others see of it --------------------------------------------------------------------------------------- */

static void versions_within_are_gone_and_those_between_are_not(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    old_record(f, "n", 3, "paper", "{\"op\":[3,\"d\"]}");
    run_once(f, 31, 2);
    read_ops(f, "n", "all", 0, DOCUMENT_NOW);
    settle(f);
    read_ops(f, "n", "within", 2, DOCUMENT_NOW);
    settle(f);
    read_ops(f, "n", "between", 4, DOCUMENT_NOW);
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "all op 0 ink/1\nall refused OPS_GONE\nwithin refused OPS_GONE\n"
              "between op 4 paper/5\nbetween ends at 5\nr sees 5 \"abcd\"\n");
}

static void memory_does_not_hold_what_the_log_does_not(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    f->config.recent_max_bytes = 1 << 20;
    fixture_restart(f);
    follow(f, "n", "s", 0);
    settle(f);
    run_once(f, 31, 2);
    expect(f, "s op 0 ink/1\ns op 1 ink/2\ns op 2 ink/3\ns op 3 ink/4\ns ends at 4\n");
    read_ops(f, "n", "r", 1, DOCUMENT_NOW);
    settle(f);
    submit(f, "n", "a/1", 4, "{\"op\":[3,\"!\"]}");
    settle(f);
    expect(f, "r refused OPS_GONE\na/1 accepted\ns op 4 a/1\na/1 done at 4\n");
}

/* He was away for longer than single operations are kept. */
static void whoever_comes_back_with_work_based_on_what_is_gone_is_told(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    run_once(f, 31, 2);
    submit(f, "n", "a/1", 2, EDIT);
    settle(f);
    submit(f, "n", "a/2", 1, EDIT);
    settle(f);
    submit(f, "n", "a/3", 4, EDIT);
    settle(f);
    expect(f, "a/1 accepted\na/1 refused OPS_GONE\na/2 accepted\na/2 refused OPS_GONE\n"
              "a/3 accepted\na/3 done at 4\n");
    expect_log(f, "n", 5, "\"xabc\"");
}

static void what_was_submitted_before_is_known_when_it_was_merged(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    run_once(f, 31, 2);
    submit(f, "n", "ink/4", 3, "{\"op\":[2,\"c\"]}");
    settle(f);
    submit(f, "n", "ink/4", 2, "{\"op\":[2,\"c\"]}"); /* what he missed can't be given to him */
    settle(f);
    submit(f, "n", "ink/3", 2, "{\"op\":[2,\"c\"]}");
    settle(f);
    expect(f, "ink/4 accepted\nink/4 done at 3\nink/4 accepted\nink/4 refused OPS_GONE\n"
              "ink/3 accepted\nink/3 refused SEQ_TOO_OLD\n");
    expect_log(f, "n", 4, "\"abc\"");
}

static void a_document_opens_over_merged_operations(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    run_once(f, 31, 2);
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    submit(f, "n", "a/1", 4, "{\"op\":[3,\"d\"]}");
    settle(f);
    expect(f, "r sees 4 \"abc\"\na/1 accepted\na/1 done at 4\n");
    expect_log(f, "n", 5, "\"abcd\"");
}

static void a_document_is_reloaded_over_merged_operations(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    follow(f, "n", "s", 4);
    settle(f);
    run_once(f, 31, 2);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_APPEND, .n_strikes = 1, .r = STORE_UNKNOWN });
    submit(f, "n", "a/1", 4, "{\"op\":[3,\"d\"]}");
    settle(f);
    assert_int_equal(store_sim_fault_end(f->store), 1);
    expect(f, "s ends at 4\na/1 accepted\ns op 4 a/1\na/1 done at 4\n");
}

/* Another process, one day, may merge what somebody here has not been told of yet. He can't be told of it one by one,
 * and is not told nothing. */
static void news_that_were_merged_before_they_were_read_are_not_passed_over(void **state)
{
    struct fixture *f = *state;
    struct record two = { .id = { bytes_of_string("b"), 2 },
                          .time_ms = MINUTE_MS * 9,
                          .body = bytes_of_string("{\"op\":[\"yz\"]}"),
                          .n_merged = 1 };

    given_a_minute_of_work(f);
    follow(f, "n", "s", 4);
    settle(f);
    sim_disk_append(f->disk, fixture_name("n"), &two, 1, &sim_disk_find(f->disk, fixture_name("n"))->state);
    submit(f, "n", "a/1", 4, EDIT);
    settle(f);
    expect(f, "s ends at 4\na/1 accepted\na/1 failed EIO\n");
    unfollow(f, "s");
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r sees 6 \"yzabc\"\n");
}

static void others_write_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30);

    given_a_minute_of_work(f);
    f->config.slice_bytes = 1;
    fixture_restart(f);
    store_sim_hold(f->store, SIM_MERGE);
    retain_begin(f, retain, 31);
    settle(f);
    submit(f, "n", "a/1", 4, "{\"op\":[3,\"d\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 4\n");
    store_sim_hold(f->store, 0);
    settle(f);
    assert_int_equal(retain_result(retain), 0);
    expect_log(f, "n", 5, "\"abcd\"");
    assert_int_equal(sim_disk_find(f->disk, fixture_name("n"))->n, 3);
    retain_free(retain);
}

/* ---- what goes wrong --------------------------------------------------------------------------------------------- */

static void a_mistake_in_composing_damages_nothing(void **state)
{
    struct fixture *f = *state;

    given_a_minute_of_work(f);
    composing_lies = true;
    run_once(f, 31, 0);
    composing_lies = false;
    assert_int_equal(sim_disk_find(f->disk, fixture_name("n"))->n, 4);
}

static void what_could_not_be_merged_is_merged_the_next_time(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30);

    given_a_minute_of_work(f);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_MERGE, .n_strikes = 1, .r = -ENOSPC });
    assert_int_equal(retain_run(f, retain, 31), -ENOSPC);
    assert_int_equal(store_sim_fault_end(f->store), 1);
    assert_int_equal(sim_disk_find(f->disk, fixture_name("n"))->n, 4);
    retain_free(retain);
    run_once(f, 31, 2);
}

static void a_power_cut_leaves_all_or_nothing_of_it(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30);

    given_a_minute_of_work(f);
    store_sim_hold(f->store, SIM_MERGE);
    retain_begin(f, retain, 31);
    settle(f);
    fixture_crash(f);
    assert_int_equal(retain_result(retain), -EIO);
    expect_log(f, "n", 4, "\"abc\"");
    retain_free(retain);
    run_once(f, 31, sim_disk_find(f->disk, fixture_name("n"))->n == 4 ? 2 : 0);
}

static void a_damaged_document_does_not_hold_up_the_others(void **state)
{
    struct fixture *f = *state;
    struct record bad = { .id = { bytes_of_string("ink"), 9 }, .body = bytes_of_string("{\"op\":[9,\"x\"]}") };

    old_record(f, "a", 0, "ink", TEXT);
    sim_disk_append(f->disk, fixture_name("a"), &bad, 1, &sim_disk_find(f->disk, fixture_name("a"))->state);
    given_a_minute_of_work(f);
    run_once(f, 31, 2);
}

static void one_run_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30), *other = retain_create(f, 30);

    given_a_minute_of_work(f);
    retain_begin(f, retain, 31);
    other->hub = f->hub;
    assert_int_equal(retain_all(other), -EBUSY);
    settle(f);
    assert_int_equal(retain_result(retain), 0);
    retain_free(other);
    retain_free(retain);
}

static void no_pause(struct retain *retain)
{
}

static void it_waits_when_it_is_told_to_and_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    struct retain *retain = retain_create(f, 30);
    size_t n_pauses = 0;

    given_a_minute_of_work(f);
    f->config.slice_bytes = 1;
    fixture_restart(f);
    retain->on_pause = no_pause;
    retain_begin(f, retain, 31);
    for (settle(f); retain_result(retain) == 1; settle(f), n_pauses++)
        retain_go_on(retain);
    assert_int_equal(retain_result(retain), 0);
    assert_int_equal(retain->n_merged, 2);
    assert_true(n_pauses > 4);
    retain->from_start = true;
    retain_begin(f, retain, 31);
    settle(f);
    retain_stop(f->hub);
    assert_int_equal(retain_result(retain), -ECANCELED);
    retain_begin(f, retain, 31);
    settle(f);
    retain_go_on(retain);
    settle(f);
    retain_stop(f->hub);
    assert_int_equal(retain_result(retain), -ECANCELED);
    retain_free(retain);
}

static void rules_are_read_strictly(void **state)
{
    static const char *const wrong[] = { "",      "notes", "=30",   "notes=",    "notes=29",       "notes=-30",
                                         "n=30d", "n= 30", "n=1e3", "n=9999999", "constructor=30", "n=36501" };
    struct retain_rules rules = { .n = 0 };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_non_null(retain_rules_add(&rules, bytes_of_string(wrong[i])));
    assert_int_equal(rules.n, 0);
    assert_null(retain_rules_add(&rules, bytes_of_string("notes=30")));
    assert_null(retain_rules_add(&rules, bytes_of_string("a=b=90")));
    assert_null(retain_rules_add(&rules, bytes_of_string("notes=365")));
    assert_int_equal(rules.n, 2);
    assert_int_equal(rules.rules[0].days, 365);
    assert_int_equal(rules.rules[1].collection.n_bytes, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(neighbours_by_one_author_become_one),
        TEST(a_pause_ends_it),
        TEST(creates_and_deletes_stay),
        TEST(what_comes_to_nothing_stays_as_nothing),
        TEST(what_is_younger_stays),
        TEST(a_later_run_goes_on_where_the_last_has_ended),
        TEST(a_second_run_finds_nothing_to_do),
        TEST(deleted_documents_have_their_turn),
        TEST(operations_end_at_the_snapshots_that_are_kept),
        TEST(one_operation_has_its_ceiling),
        TEST(versions_within_are_gone_and_those_between_are_not),
        TEST(memory_does_not_hold_what_the_log_does_not),
        TEST(whoever_comes_back_with_work_based_on_what_is_gone_is_told),
        TEST(what_was_submitted_before_is_known_when_it_was_merged),
        TEST(a_document_opens_over_merged_operations),
        TEST(a_document_is_reloaded_over_merged_operations),
        TEST(news_that_were_merged_before_they_were_read_are_not_passed_over),
        TEST(others_write_meanwhile),
        TEST(a_mistake_in_composing_damages_nothing),
        TEST(what_could_not_be_merged_is_merged_the_next_time),
        TEST(a_power_cut_leaves_all_or_nothing_of_it),
        TEST(a_damaged_document_does_not_hold_up_the_others),
        TEST(one_run_at_a_time),
        TEST(it_waits_when_it_is_told_to_and_can_be_stopped),
        TEST(rules_are_read_strictly),
    };

    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
