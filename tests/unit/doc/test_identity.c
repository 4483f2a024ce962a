/* (src, seq) is the identity of an operation: a second sending is answered as the first was, whenever it comes. */
#include <stdio.h>

#include "tests/unit/doc/fixture.h"

static void given_hello(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    expect(f, "init/1 accepted\ninit/1 done at 0\n");
}

static void a_repetition_of_a_pending_one_waits_for_the_same_commit(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\na/1 done at 1\n");
    expect_log(f, "n", 2, "\"xhello\"");
    assert_int_equal(figures(f).n_duplicates, 1);
}

static void a_repetition_of_a_recent_one_is_answered_with_its_version(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 2, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\na/1 done at 1\nb/1 done at 2\n");
    submit(f, "n", "a/1", 3, "{\"op\":[\"x\"]}"); /* whatever the version it names */
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\n");
    expect_log(f, "n", 3, "\"yxhello\"");
}

static void a_repetition_is_given_what_was_missed_up_to_the_first(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    submit(f, "n", "b/2", 2, "{\"op\":[\"y\"]}");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/3", 3, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "b/1 accepted\nb/2 accepted\na/1 accepted\nb/3 accepted\nb/1 done at 1\nb/2 done at 2\n"
              "a/1 missed 1\na/1 missed 2\na/1 done at 3\nb/3 missed 3\nb/3 done at 4\n");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 missed 1\na/1 missed 2\na/1 done at 3\n");
}

static void a_repetition_after_a_restart_is_recognised(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    submit(f, "n", "a/7", 1, "{\"op\":[\"x\"]}");
    settle(f);
    fixture_restart(f);
    expect(f, "b/1 accepted\na/7 accepted\nb/1 done at 1\na/7 missed 1\na/7 done at 2\n");
    submit(f, "n", "a/7", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/7 accepted\na/7 missed 1\na/7 done at 2\n");
    expect_log(f, "n", 3, "\"xyhello\"");
}

static void a_lower_seq_that_is_new_is_committed(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/9", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/3", 2, "{\"op\":[\"y\"]}");
    settle(f);
    submit(f, "n", "a/3", 3, "{\"op\":[\"y\"]}");
    submit(f, "n", "a/9", 3, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "a/9 accepted\na/3 accepted\na/9 done at 1\na/3 done at 2\n"
              "a/3 accepted\na/3 done at 2\na/9 accepted\na/9 done at 1\n");
    expect_log(f, "n", 3, "\"yxhello\"");
}

static void the_same_pair_on_another_document_is_another_operation(void **state)
{
    struct fixture *f = *state;

    submit(f, "n", "a/1", 0, TEXT);
    submit(f, "m", "a/1", 0, TEXT);
    settle(f);
    expect(f, "a/1 accepted\na/1 accepted\na/1 done at 0\na/1 done at 0\n");
    expect_log(f, "m", 1, "\"\"");
    expect_log(f, "n", 1, "\"\"");
}

static void a_refused_operation_does_not_use_up_its_seq(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[9,\"x\"]}");
    settle(f);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 refused NOT_APPLIED\na/1 accepted\na/1 done at 1\n");
}

static void a_repeated_create_is_acknowledged_also_after_a_delete(void **state)
{
    struct fixture *f = *state;

    submit(f, "n", "a/1", DOCUMENT_NOW, TEXT);
    submit(f, "n", "a/2", 1, "{\"del\":true}");
    settle(f);
    submit(f, "n", "a/1", DOCUMENT_NOW, TEXT);
    settle(f);
    fixture_restart(f);
    submit(f, "n", "a/1", DOCUMENT_NOW, TEXT);
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\na/1 done at 0\na/2 done at 1\n"
              "a/1 accepted\na/1 done at 0\na/1 accepted\na/1 done at 0\n");
    expect_log(f, "n", 2, "none");
}

/* With few writers remembered, the store is asked; while it is, the same operation may come another way. */
static void sources_that_were_forgotten_are_looked_up(void **state)
{
    struct fixture *f = *state;

    f->config.n_writers_max = 1;
    fixture_restart(f);
    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "b/1", 2, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\nb/1 accepted\nb/1 done at 2\n");
    submit(f, "n", "a/1", 3, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/1", 3, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 3, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\na/1 accepted\na/1 done at 1\nb/1 accepted\nb/1 done at 2\n");
    expect_log(f, "n", 3, "\"yxhello\"");
}

static void a_new_operation_sent_twice_while_it_is_looked_up_is_committed_once(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_FIND);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "");
    store_sim_hold(f->store, 0);
    settle(f);
    assert_int_equal(f->n_done, 3);
    expect_log(f, "n", 2, "\"xhello\"");
}

static void operations_behind_one_that_is_looked_up_keep_their_order(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_FIND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"1\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[6,\"2\"]}");
    submit(f, "n", "a/3", 3, "{\"op\":[7,\"3\"]}");
    settle(f);
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\na/3 accepted\na/1 done at 1\na/2 done at 2\na/3 done at 3\n");
    expect_log(f, "n", 4, "\"hello123\"");
}

/* The store's answer is as old as the question: while the first sending is still being transformed, the second is
 * committed, and memory has forgotten both it and its source. */
static void a_repetition_that_was_committed_while_the_first_was_under_way_is_recognised(void **state)
{
    struct fixture *f = *state;

    f->config.n_writers_max = 1;
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    given_hello(f);
    f->is_quiet = true;
    for (int i = 1; i <= 20; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "a/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[]}");
        settle(f);
    }
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}"); /* twenty slices behind */
    (void)store_sim_step(f->store);
    (void)store_sim_step(f->store); /* its id is looked up */
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"y\"]}");
    submit(f, "n", "c/1", DOCUMENT_NOW, "{\"op\":[]}");
    submit(f, "n", "d/1", DOCUMENT_NOW, "{\"op\":[]}");
    settle(f);
    assert_int_equal(f->n_failed, 0);
    assert_int_equal(count_in_log(f, "n", "b/1"), 1);
    expect_log(f, "n", 24, "\"yhello\"");
}

static void append_old(struct fixture *f, uint64_t n)
{
    const struct store_state after = { .exists = true,
                                       .type = bytes_of_string("http://sharejs.org/types/text-unicode") };
    struct record record = { .id = { bytes_of_string("a"), 0 }, .time_ms = 1, .body = bytes_of_string("{}") };

    for (uint64_t i = 0; i < n; i++) {
        record.id.seq = 2 * (n - i); /* falling: the first is the highest */
        record.body = bytes_of_string(i ? "{}" : "{\"create\":{\"type\":\"text-unicode\"}}");
        sim_disk_append(f->disk, fixture_name("n"), &record, 1, &after);
    }
}

static void a_low_seq_is_looked_for_among_the_last_thousand_operations(void **state)
{
    struct fixture *f = *state;

    append_old(f, STORE_SEQ_WINDOW);
    submit(f, "n", "a/3", DOCUMENT_NOW, "{\"op\":[\"x\"]}");    /* not there, and nothing lies further back */
    submit(f, "n", "a/2000", DOCUMENT_NOW, "{\"op\":[\"x\"]}"); /* the highest */
    submit(f, "n", "a/1998", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/3 accepted\na/2000 accepted\na/1998 accepted\na/3 done at 1000\na/2000 done at 0\na/1998 done at 1\n");
}

static void a_low_seq_that_cannot_be_settled_is_refused(void **state)
{
    struct fixture *f = *state;

    append_old(f, STORE_SEQ_WINDOW + 10);
    submit(f, "n", "a/3", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/4", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/9999", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/3 accepted\na/3 refused SEQ_TOO_OLD\na/4 accepted\na/4 done at 1008\na/9999 accepted\n"
              "a/9999 done at 1010\n");
}

static const struct submission question = { .only_repeated = true }, sole = { .is_sole = true };

static void a_question_is_answered_and_writes_nothing(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit_with(f, "n", "a/1", DOCUMENT_NOW, "{}", &question);
    settle(f);
    expect(f, "a/1 accepted\na/1 refused IS_NEW\n");
    assert_int_equal(figures(f).n_refused, 0);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit_with(f, "n", "a/1", DOCUMENT_NOW, "{}", &question);
    settle(f);
    expect(f, "a/1 accepted\na/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\na/1 done at 1\n");
    fixture_restart(f);
    submit_with(f, "n", "a/1", DOCUMENT_NOW, "{}", &question);
    submit_with(f, "n", "a/2", DOCUMENT_NOW, "{}", &question);
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\na/2 accepted\na/2 refused IS_NEW\n");
    expect_log(f, "n", 2, "\"xhello\"");
}

/* Whichever seq is the higher: pending, in memory, in the store. */
static void another_one_of_a_sole_source_is_refused(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit_with(f, "n", "a/5", 1, "{\"op\":[\"x\"]}", &sole);
    submit_with(f, "n", "a/4", 1, "{\"op\":[\"y\"]}", &sole);
    submit_with(f, "n", "a/6", 1, "{\"op\":[\"z\"]}", &sole);
    settle(f);
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f,
           "a/5 accepted\na/4 accepted\na/6 accepted\na/5 done at 1\na/4 refused ID_REUSED\na/6 refused ID_REUSED\n");
    for (int i = 0; i < 2; i++) {
        submit_with(f, "n", "a/5", 2, "{\"op\":[\"x\"]}", &sole);
        submit_with(f, "n", "a/4", 2, "{\"op\":[\"y\"]}", &sole);
        submit_with(f, "n", "a/6", 2, "{\"op\":[\"z\"]}", &sole);
        settle(f);
        expect(
            f,
            "a/5 accepted\na/5 done at 1\na/4 accepted\na/4 refused ID_REUSED\na/6 accepted\na/6 refused ID_REUSED\n");
        fixture_restart(f);
    }
    expect_log(f, "n", 2, "\"xhello\"");
}

/* More sources than the document remembers. */
static void a_sole_source_is_recognised_without_memory_of_it(void **state)
{
    struct fixture *f = *state;

    f->config.n_writers_max = 1;
    fixture_restart(f);
    given_hello(f);
    submit_with(f, "n", "a/5", 1, "{\"op\":[\"x\"]}", &sole);
    submit(f, "n", "b/1", 1, "{\"op\":[\"b\"]}");
    submit_with(f, "n", "a/4", 2, "{\"op\":[\"y\"]}", &sole);
    settle(f);
    submit_with(f, "n", "a/6", 2, "{\"op\":[\"z\"]}", &sole);
    settle(f);
    assert_int_equal(count_in_log(f, "n", "a/5"), 1);
    expect_log(f, "n", 3, "\"bxhello\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_repetition_of_a_pending_one_waits_for_the_same_commit),
        TEST(a_repetition_of_a_recent_one_is_answered_with_its_version),
        TEST(a_repetition_is_given_what_was_missed_up_to_the_first),
        TEST(a_repetition_after_a_restart_is_recognised),
        TEST(a_lower_seq_that_is_new_is_committed),
        TEST(the_same_pair_on_another_document_is_another_operation),
        TEST(a_refused_operation_does_not_use_up_its_seq),
        TEST(a_repeated_create_is_acknowledged_also_after_a_delete),
        TEST(sources_that_were_forgotten_are_looked_up),
        TEST(a_new_operation_sent_twice_while_it_is_looked_up_is_committed_once),
        TEST(operations_behind_one_that_is_looked_up_keep_their_order),
        TEST(a_repetition_that_was_committed_while_the_first_was_under_way_is_recognised),
        TEST(a_low_seq_is_looked_for_among_the_last_thousand_operations),
        TEST(a_low_seq_that_cannot_be_settled_is_refused),
        TEST(a_question_is_answered_and_writes_nothing),
        TEST(another_one_of_a_sole_source_is_refused),
        TEST(a_sole_source_is_recognised_without_memory_of_it),
    };

    return cmocka_run_group_tests_name("identity of operations", tests, NULL, NULL);
}
