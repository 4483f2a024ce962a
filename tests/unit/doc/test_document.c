/* One document, from the first operation to the answer: the order of things, and that nothing is shown before it is
 * durable. Read this file first; fixture.h explains the journal. */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/doc/fixture.h"

/* "hello", at version 1. */
static void given_hello(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    expect(f, "init/1 accepted\ninit/1 done at 0\n");
}

static void a_created_document_is_there(void **state)
{
    struct fixture *f = *state;

    read_snapshot(f, "n", "before");
    submit(f, "n", "a/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    read_snapshot(f, "n", "after");
    settle(f);
    expect(f, "before sees 0 none\na/1 accepted\na/1 done at 0\nafter sees 1 \"hello\"\n");
    expect_log(f, "n", 1, "\"hello\"");
}

static void a_creation_is_stored_with_uri_and_data(void **state)
{
    struct fixture *f = *state;
    const struct record *record;

    submit(f, "n", "a/1", 0, TEXT);
    settle(f);
    record = sim_log_record(sim_disk_find(f->disk, fixture_name("n")), 0);
    assert_true(bytes_equal(record->body, bytes_of_string("{\"create\":{\"type\":\"http://sharejs.org/types/"
                                                          "text-unicode\",\"data\":\"\"}}")));
    assert_true(bytes_equal(record->author, bytes_of_string("somebody")));
}

static void an_operation_is_not_acknowledged_before_it_is_durable(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    expect(f, "a/1 accepted\n");
    expect_log(f, "n", 1, "\"hello\"");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\n");
    expect_log(f, "n", 2, "\"hello!\"");
}

static void an_operation_is_not_streamed_before_it_is_durable(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    expect(f, "s ends at 1\n");
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    expect(f, "a/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "s op 1 a/1\na/1 done at 1\n");
}

static void a_snapshot_is_taken_at_the_tip_and_shown_when_that_is_durable(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    read_snapshot(f, "n", "r");
    submit(f, "n", "a/2", 2, "{\"op\":[6,\"?\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\nr sees 2 \"hello!\"\na/2 done at 2\n");
}

/* The version that a glance shows; NO_ONE: it does not show one. */
static uint64_t glance(struct fixture *f, const char *name)
{
    struct document *document = hub_find(f->hub, fixture_name(name));
    struct document_view view;
    bool is_shown = document && document_glance(document, &view);

    document_unref(document);
    return is_shown ? view.version : NO_ONE;
}

static void a_glance_shows_the_head_when_nothing_is_above_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(glance(f, "n"), NO_ONE); /* not loaded */
    submit(f, "n", "init/1", 0, TEXT);
    assert_int_equal(glance(f, "n"), NO_ONE); /* about to be */
    settle(f);
    assert_int_equal(glance(f, "n"), 1);

    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    assert_int_equal(glance(f, "n"), NO_ONE); /* accepted, not durable */
    store_sim_hold(f->store, 0);
    settle(f);
    assert_int_equal(glance(f, "n"), 2);
    expect(f, "init/1 accepted\ninit/1 done at 0\na/1 accepted\na/1 done at 1\n");
}

static void a_subscriber_of_a_snapshot_goes_on_behind_it(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    follow(f, "n", "s", DOCUMENT_NOW);
    submit(f, "n", "a/2", 2, "{\"op\":[6,\"?\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\ns sees 2 \"hello!\"\ns op 2 a/2\na/2 done at 2\n");
}

static void the_author_is_given_what_he_missed_before_the_answer(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    submit(f, "n", "b/1", 1, "{\"op\":[\"2\"]}");
    submit(f, "n", "c/1", 1, "{\"op\":[\"3\"]}");
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\nc/1 accepted\n"
              "a/1 done at 1\n"
              "b/1 missed 1\nb/1 done at 2\n"
              "c/1 missed 1\nc/1 missed 2\nc/1 done at 3\n");
    /* The later arrival is the left one. */
    expect_log(f, "n", 4, "\"321hello\"");
}

static void a_submission_for_now_is_not_transformed(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[1,\"2\"]}");
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\na/1 done at 1\nb/1 done at 2\n");
    expect_log(f, "n", 3, "\"12hello\"");
}

static void a_version_above_the_tip_is_refused(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 2, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 refused VERSION_AHEAD\n");
    expect_log(f, "n", 1, "\"hello\"");
}

static void a_version_between_head_and_tip_is_fine(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"1\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[6,\"2\"]}");
    submit(f, "n", "a/3", 3, "{\"op\":[7,\"3\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\na/3 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\na/2 done at 2\na/3 done at 3\n");
    expect_log(f, "n", 4, "\"hello123\"");
}

static void a_refusal_waits_for_what_it_was_judged_by(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[{\"d\":5}]}");
    settle(f);
    submit(f, "n", "b/1", 2, "{\"op\":[1,\"x\"]}"); /* refused only because of a/1 */
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\nb/1 refused NOT_APPLIED\n");
}

static void only_now_is_refused_when_the_version_is_not_the_tip(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit_only_now(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    submit_only_now(f, "n", "b/1", 1, "{\"op\":[\"2\"]}");
    submit_only_now(f, "n", "b/2", 2, "{\"op\":[\"3\"]}");
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\nb/2 accepted\n"
              "a/1 done at 1\nb/1 refused CHANGED\nb/2 done at 2\n");
    expect_log(f, "n", 3, "\"31hello\"");
}

static void a_barrier_ends_when_the_tip_of_now_is_durable(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    barrier(f, "n", "idle");
    expect(f, "idle ends at 1\n");
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    settle(f);
    barrier(f, "n", "busy");
    settle(f);
    expect(f, "a/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 1\nbusy ends at 2\n");
}

static void times_in_the_log_never_run_backwards(void **state)
{
    struct fixture *f = *state;
    const struct sim_log *log;

    given_hello(f);
    f->now_ms = 5; /* somebody has set the clock */
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    settle(f);
    fixture_restart(f);
    f->now_ms = 6;
    submit(f, "n", "a/2", 2, "{\"op\":[\"1\"]}");
    settle(f);
    log = sim_disk_find(f->disk, fixture_name("n"));
    assert_int_equal(log->n, 3);
    assert_true(log->records[1].time_ms >= log->records[0].time_ms);
    assert_true(log->records[2].time_ms >= log->records[1].time_ms);
}

static void documents_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = *state;

    submit(f, "n", "a/1", 0, TEXT);
    submit(f, "m", "a/2", 0, TEXT);
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\na/1 done at 0\na/2 done at 0\n");
    assert_int_equal(figures(f).n_documents, 2);
}

/* ---- subscribers who leave --------------------------------------------------------------------------------------- */

static void given_three_followers(struct fixture *f)
{
    given_hello(f);
    follow(f, "n", "one", 1);
    follow(f, "n", "two", 1);
    follow(f, "n", "three", 1);
    expect(f, "one ends at 1\ntwo ends at 1\nthree ends at 1\n");
}

static void a_subscriber_may_leave_while_he_is_told(void **state)
{
    struct fixture *f = *state;

    given_three_followers(f);
    follower_removes(f, "two", "two");
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    settle(f);
    submit(f, "n", "a/2", 2, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "a/1 accepted\none op 1 a/1\ntwo op 1 a/1\nthree op 1 a/1\na/1 done at 1\n"
              "a/2 accepted\none op 2 a/2\nthree op 2 a/2\na/2 done at 2\n");
}

static void the_second_may_remove_the_third(void **state)
{
    struct fixture *f = *state;

    given_three_followers(f);
    follower_removes(f, "two", "three");
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "a/1 accepted\none op 1 a/1\ntwo op 1 a/1\na/1 done at 1\n");
}

static void the_second_may_remove_the_first(void **state)
{
    struct fixture *f = *state;

    given_three_followers(f);
    follower_removes(f, "two", "one");
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    submit(f, "n", "a/2", 1, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/2 accepted\none op 1 a/1\ntwo op 1 a/1\nthree op 1 a/1\na/1 done at 1\n"
              "two op 2 a/2\nthree op 2 a/2\na/2 missed 1\na/2 done at 2\n");
}

static void a_subscriber_may_submit_while_he_is_told(void **state)
{
    struct fixture *f = *state;

    given_three_followers(f);
    follower_submits(f, "one", "b/1", "{\"op\":[\"2\"]}");
    submit(f, "n", "b/0", 1, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "b/0 accepted\none op 1 b/0\nb/1 accepted\ntwo op 1 b/0\nthree op 1 b/0\nb/0 done at 1\n"
              "one op 2 b/1\ntwo op 2 b/1\nthree op 2 b/1\nb/1 done at 2\n");
}

static void subscribing_again_does_not_double_the_stream(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    follow(f, "n", "s", DOCUMENT_NOW);
    expect(f, "s ends at 1\ns sees 1 \"hello\"\n");
    submit(f, "n", "a/1", 1, "{\"op\":[\"1\"]}");
    settle(f);
    expect(f, "a/1 accepted\ns op 1 a/1\na/1 done at 1\n");
}

/* Puts the number of bytes of the text before it; nothing before an empty one. */
static int make_size(struct submission *submission, const struct document_view *tip)
{
    static struct ot_json *made;
    char text[32];

    if (!tip->type)
        return DOCUMENT_MISSING;
    if (!ot_snapshot_size(tip->snapshot))
        return DOCUMENT_AS_WANTED;
    (void)snprintf(text, sizeof(text), "[\"%zu\"]", ot_snapshot_size(tip->snapshot));
    ot_json_unref(made);
    made = NULL;
    submission->data = NULL;
    if (ot_json_parse(text, strlen(text), NULL, &made, NULL))
        return -ENOMEM;
    submission->data = made;
    return 0;
}

static const struct submission of_size = { .make = make_size };

static void what_is_made_of_the_tip_knows_those_before_it(void **state)
{
    struct fixture *f = *state;

    submit_with(f, "n", "a/1", DOCUMENT_NOW, "{}", &of_size);
    settle(f);
    expect(f, "a/1 accepted\na/1 refused MISSING\n");
    given_hello(f);
    submit_with(f, "n", "a/2", DOCUMENT_NOW, "{}", &of_size);
    submit(f, "n", "b/1", 1, "{\"op\":[\"...\"]}");
    submit_with(f, "n", "a/3", DOCUMENT_NOW, "{}", &of_size);
    submit_with(f, "n", "a/2", DOCUMENT_NOW, "{}", &of_size);
    settle(f);
    expect_log(f, "n", 4, "\"9...5hello\"");
    assert_int_equal(count_in_log(f, "n", "a/2"), 1);
}

/* What it was made of may not be durable yet: the answer waits for that, and after a conflict it is made anew. */
static void what_is_made_of_the_tip_is_answered_when_that_is_durable(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "b/1", 1, "{\"op\":[{\"d\":5}]}");
    submit_with(f, "n", "a/1", DOCUMENT_NOW, "{}", &of_size);
    settle(f);
    expect(f, "b/1 accepted\na/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "b/1 done at 1\na/1 refused AS_WANTED\n");
    assert_int_equal(figures(f).n_refused, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_document_is_there),
        TEST(a_creation_is_stored_with_uri_and_data),
        TEST(an_operation_is_not_acknowledged_before_it_is_durable),
        TEST(an_operation_is_not_streamed_before_it_is_durable),
        TEST(a_snapshot_is_taken_at_the_tip_and_shown_when_that_is_durable),
        TEST(a_glance_shows_the_head_when_nothing_is_above_it),
        TEST(a_subscriber_of_a_snapshot_goes_on_behind_it),
        TEST(the_author_is_given_what_he_missed_before_the_answer),
        TEST(a_submission_for_now_is_not_transformed),
        TEST(a_version_above_the_tip_is_refused),
        TEST(a_version_between_head_and_tip_is_fine),
        TEST(a_refusal_waits_for_what_it_was_judged_by),
        TEST(only_now_is_refused_when_the_version_is_not_the_tip),
        TEST(a_barrier_ends_when_the_tip_of_now_is_durable),
        TEST(times_in_the_log_never_run_backwards),
        TEST(documents_do_not_wait_for_each_other),
        TEST(a_subscriber_may_leave_while_he_is_told),
        TEST(the_second_may_remove_the_third),
        TEST(the_second_may_remove_the_first),
        TEST(a_subscriber_may_submit_while_he_is_told),
        TEST(subscribing_again_does_not_double_the_stream),
        TEST(what_is_made_of_the_tip_knows_those_before_it),
        TEST(what_is_made_of_the_tip_is_answered_when_that_is_durable),
    };

    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
