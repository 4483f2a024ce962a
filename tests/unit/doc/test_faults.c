/* When the store fails: who waited is told, memory is read again from the log, and what comes later works. Nothing that
 * was acknowledged is lost, nothing is done twice. */
#include "tests/unit/doc/fixture.h"

#include <errno.h>
#include <stdio.h>

static void given_hello(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    expect(f, "init/1 accepted\ninit/1 done at 0\n");
}

static void foreign(struct fixture *f, const char *id, const char *body, bool hint)
{
    const struct store_state after = { true, bytes_of_string("http://sharejs.org/types/text-unicode"), 6 };
    const struct record record = { .id = { bytes_of(id, 1), 1 },
                                   .time_ms = f->now_ms,
                                   .author = bytes_of_string("elsewhere"),
                                   .body = bytes_of_string(body) };

    store_sim_append_foreign(f->store, fixture_name("n"), &record, &after, hint);
}

static void fail_appends(struct fixture *f, size_t n_pass, size_t n_strikes, enum sim_fault_kind kind, int r)
{
    store_sim_fault(
        f->store,
        &(struct sim_fault){ .calls = SIM_APPEND, .n_pass = n_pass, .n_strikes = n_strikes, .kind = kind, .r = r });
}

/* ---- a commit fails ------------------------------------------------------------------------------------------------
 */

static void a_failed_commit_fails_its_author_and_forgets_the_operation(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    fail_appends(f, 0, 1, SIM_FAILS, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\na/1 failed EIO\nr sees 1 \"hello\"\n");
    assert_int_equal(figures(f).n_reloads, 1);
}

static void a_full_disk_is_told_as_such(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fail_appends(f, 0, 1, SIM_FAILS, -ENOSPC);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 failed ENOSPC\n");
}

static void everybody_who_waited_fails_with_it(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fail_appends(f, 0, 1, SIM_FAILS, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    store_sim_hold(f->store, SIM_APPEND);
    fail_appends(f, 0, 1, SIM_FAILS, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    settle(f);
    read_snapshot(f, "n", "r");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 accepted\na/1 failed EIO\n"
              "a/1 accepted\nb/1 accepted\na/1 accepted\n"
              "a/1 failed EIO\nb/1 failed EIO\nr failed EIO\na/1 failed EIO\n");
    expect_log(f, "n", 1, "\"hello\"");
}

static void after_a_failure_the_same_operation_can_be_sent_again(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    fail_appends(f, 0, 1, SIM_FAILS, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\na/1 failed EIO\na/1 accepted\ns op 1 a/1\na/1 done at 1\n");
    expect_log(f, "n", 2, "\"xhello\"");
}

/* The disk said no, and yet it is there: the document finds it when it reads the log again. */
static void a_failure_that_was_none_is_found_in_the_log(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    fail_appends(f, 0, 1, SIM_DONE_ANYWAY, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\na/1 failed EIO\ns op 1 a/1\na/1 accepted\na/1 done at 1\n");
    expect_log(f, "n", 2, "\"xhello\"");
}

static void requests_made_while_it_recovers_wait(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fail_appends(f, 0, 1, SIM_FAILS, -EIO);
    store_sim_hold(f->store, SIM_LOG_OPEN);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "a/1 accepted\na/1 failed EIO\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "r sees 1 \"hello\"\nb/1 accepted\nb/1 done at 1\n");
}

static void an_append_that_is_refused_is_a_failure_too(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/0", 1, "{\"op\":[\"x\"]}");
    settle(f);
    fail_appends(f, 0, 1, SIM_REFUSED, -ENOMEM);
    submit(f, "n", "a/1", 2, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "a/1", 2, "{\"op\":[\"x\"]}");
    settle(f);
    assert_int_equal(f->n_failed, 1);
    assert_int_equal(count_in_log(f, "n", "a/1"), 1);
    expect_log(f, "n", 3, "\"xxhello\"");
}

static void what_was_appended_before_a_refused_append_is_not_lost(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    fail_appends(f, 0, 1, SIM_REFUSED, -ENOMEM);
    submit(f, "n", "a/3", 3, "{\"op\":[\"x\"]}");
    store_sim_hold(f->store, 0);
    settle(f);
    f->is_quiet = true;
    submit(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/3", 3, "{\"op\":[\"x\"]}");
    settle(f);
    assert_int_equal(count_in_log(f, "n", "a/2"), 1);
    assert_int_equal(count_in_log(f, "n", "a/3"), 1);
    expect_log(f, "n", 4, "\"xxxhello\"");
}

/* ---- somebody else was first ---------------------------------------------------------------------------------------
 */

static void a_conflict_is_resolved_and_the_operation_committed_once(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    foreign(f, "z", "{\"op\":[\"z\"]}", false);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\ns op 1 z/1\ns op 2 a/1\na/1 missed 1\na/1 done at 2\n");
    expect_log(f, "n", 3, "\"zhello!\"");
}

static void several_pending_operations_survive_a_conflict_in_their_order(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/0", 1, "{\"op\":[]}");
    submit(f, "n", "b/0", 1, "{\"op\":[]}");
    submit(f, "n", "c/0", 1, "{\"op\":[]}");
    settle(f);
    foreign(f, "z", "{\"op\":[\"z\"]}", false);
    submit(f, "n", "a/1", 4, "{\"op\":[\"1\"]}");
    submit(f, "n", "b/1", 4, "{\"op\":[\"2\"]}");
    read_snapshot(f, "n", "r");
    submit(f, "n", "c/1", 4, "{\"op\":[\"3\"]}");
    f->is_quiet = true;
    settle(f);
    expect_log(f, "n", 8, "\"321zhello\"");
    assert_int_equal(f->n_failed, 0);
    assert_int_equal(f->n_done, 8);
}

/* What was refused by a value that is gone is judged by the one that took its place. */
static void a_refusal_that_waits_is_judged_afresh_after_a_conflict(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/0", 1, "{\"op\":[]}");
    submit(f, "n", "b/0", 1, "{\"op\":[]}");
    settle(f);
    expect(f, "a/0 accepted\nb/0 accepted\na/0 done at 1\nb/0 missed 1\nb/0 done at 2\n");
    foreign(f, "z", "{\"del\":true}", false);
    submit(f, "n", "a/1", 3, "{\"op\":[\"1\"]}");
    submit(f, "n", "b/1", DOCUMENT_NOW, TEXT); /* EXISTS, as long as nobody knows of the delete */
    settle(f);
    expect(f, "a/1 accepted\nb/1 accepted\na/1 refused WAS_DELETED\nb/1 done at 4\n");
    expect_log(f, "n", 5, "\"\"");
}

static void a_conflict_may_make_an_operation_impossible(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    foreign(f, "z", "{\"del\":true}", false);
    submit(f, "n", "a/1", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 refused WAS_DELETED\n");
}

static void a_hint_brings_the_news_to_the_subscribers(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    foreign(f, "z", "{\"op\":[\"z\"]}", true);
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "s ends at 1\ns op 1 z/1\nr sees 2 \"zhello\"\n");
}

static void news_that_come_while_it_loads_are_not_lost(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    store_sim_hold(f->store, SIM_READ);
    foreign(f, "z", "{\"op\":[\"z\"]}", true);
    settle(f);
    foreign(f, "y", "{\"op\":[\"y\"]}", true);
    settle(f);
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "s ends at 1\ns op 1 z/1\ns op 2 y/1\n");
}

/* Somebody else was next behind our own operation, and that is known before our own answer: there is no conflict. */
static void news_that_come_before_the_answer_of_a_commit_are_not_lost(void **state)
{
    struct fixture *f = *state;
    char id[] = "b/1", from[] = "A", line[32];

    given_hello(f);
    for (uint64_t head = 1; head < 41; head += 2) {
        f->store_seed = head;
        fixture_restart(f);
        follow(f, "n", "s", head);
        settle(f);
        submit(f, "n", id, head, "{\"op\":[\"b\"]}");
        while (sim_disk_head(f->disk, fixture_name("n")) == head)
            assert_true(store_sim_step(f->store));
        foreign(f, from, "{\"op\":[\"z\"]}", true);
        settle(f);
        (void)snprintf(line, sizeof(line), "s op %d %s/1", (int)head + 1, from);
        assert_non_null(strstr(f->journal.at, line));
        id[0]++;
        from[0]++;
    }
    f->is_quiet = true;
}

/* What one caller asked for in an order is answered in that order, although his submission takes time to be looked up
 * again. */
static void requests_keep_their_order_through_a_conflict(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/0", 1, "{\"op\":[]}");
    settle(f);
    foreign(f, "z", "{\"op\":[\"z\"]}", false);
    submit(f, "n", "a/1", 2, "{\"op\":[\"1\"]}");
    read_snapshot(f, "n", "r");
    submit(f, "n", "a/2", 2, "{\"op\":[9,\"2\"]}");
    read_ops(f, "n", "o", 3, DOCUMENT_NOW);
    settle(f);
    expect(f, "a/0 accepted\na/0 done at 1\na/1 accepted\na/2 accepted\n"
              "a/1 missed 2\na/1 done at 3\nr sees 4 \"1zhello\"\na/2 refused NOT_APPLIED\no op 3 a/1\no ends at 4\n");
}

static void a_lost_answer_of_a_commit_that_succeeded(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    fail_appends(f, 0, 1, SIM_DONE_ANYWAY, STORE_UNKNOWN);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\ns op 1 a/1\na/1 done at 1\n");
    expect_log(f, "n", 2, "\"xhello\"");
}

static void a_lost_answer_of_a_commit_that_failed(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    follow(f, "n", "s", 1);
    fail_appends(f, 0, 1, SIM_FAILS, STORE_UNKNOWN);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "s ends at 1\na/1 accepted\ns op 1 a/1\na/1 done at 1\n");
    expect_log(f, "n", 2, "\"xhello\"");
}

/* ---- reading fails -------------------------------------------------------------------------------------------------
 */

static void fail_once(struct fixture *f, unsigned calls, int r)
{
    store_sim_fault(f->store, &(struct sim_fault){ .calls = calls, .n_strikes = 1, .r = r });
}

static void a_document_that_cannot_be_opened_fails_its_requests_and_is_tried_again(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fixture_restart(f);
    fail_once(f, SIM_LOG_OPEN, -EIO);
    read_snapshot(f, "n", "r");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r failed EIO\na/1 failed EIO\nr sees 1 \"hello\"\n");
}

static void damage_found_while_loading_is_passed_up(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fixture_restart(f);
    fail_once(f, SIM_READ, -EBADMSG);
    read_snapshot(f, "n", "r");
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r failed EBADMSG\nr sees 1 \"hello\"\n");
}

static void a_look_up_that_fails_fails_the_submission(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    fail_once(f, SIM_FIND, -EIO);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 failed EIO\na/1 accepted\na/1 done at 1\n");
}

static void a_slice_that_cannot_be_read_fails_the_reader(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    f->config.recent_max_bytes = 1;
    fixture_restart(f);
    read_snapshot(f, "n", "load");
    settle(f);
    fail_once(f, SIM_READ, -EIO);
    read_ops(f, "n", "r", 0, DOCUMENT_NOW);
    settle(f);
    fail_once(f, SIM_READ, -EIO);
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    settle(f);
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    settle(f);
    f->is_quiet = true;
    assert_int_equal(f->n_failed, 2);
    expect_log(f, "n", 3, "\"yxhello\"");
}

/* ---- the power goes ------------------------------------------------------------------------------------------------
 */

static void what_was_acknowledged_survives_the_power(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\n");
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "a/2", 2, "{\"op\":[\"y\"]}");
    settle(f);
    fixture_crash(f);
    expect(f, "a/2 accepted\na/2 failed EIO\n");
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 1\na/2 accepted\na/2 done at 2\n");
    expect_log(f, "n", 3, "\"yxhello\"");
}

/* ---- each call in turn ----------------------------------------------------------------------------------------------
 */

/* A life in short: made, written to by two, read, followed, closed, opened again. */
static void live(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    follow(f, "n", "s", 0);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 1, "{\"op\":[5,\"y\"]}");
    read_snapshot(f, "n", "r");
    settle(f);
    submit(f, "n", "b/1", 1, "{\"op\":[5,\"y\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    settle(f);
    unfollow(f, "s");
    settle(f);
    read_ops(f, "n", "o", 0, DOCUMENT_NOW);
    settle(f);
}

static bool lives_through(const struct sim_fault *fault)
{
    void *state;
    struct fixture *f;
    bool met;

    assert_int_equal(fixture_setup(&state), 0);
    f = state;
    f->is_quiet = true;
    f->config.n_idle_max = 0;
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    f->config.snapshot_min_bytes = 30;
    fixture_restart(f);
    store_sim_fault(f->store, fault);
    live(f);
    met = store_sim_fault_end(f->store) > 0;
    assert_int_equal(f->n_unanswered, 0);

    /* Sent again without the fault, everything is there, once. */
    live(f);
    expect_log(f, "n", 4, "\"xxhelloy\"");
    fixture_teardown(&state);
    return met;
}

static void every_call_fails_in_turn(void **state)
{
    static const struct {
        enum sim_fault_kind kind;
        int r;
    } ways[] = { { SIM_FAILS, -EIO }, { SIM_REFUSED, -ENOMEM }, { SIM_DONE_ANYWAY, -EIO }, { SIM_FAILS, -EBADMSG } };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        for (size_t times = 1; times; times = times == 1 ? SIZE_MAX : 0) {
            bool met = true;

            for (size_t n = 0; met; n++)
                met = lives_through(&(struct sim_fault){
                    .calls = SIM_EVERY_CALL, .n_pass = n, .n_strikes = times, .kind = ways[i].kind, .r = ways[i].r });
        }
    }
}

static void every_commit_is_lost_sight_of_in_turn(void **state)
{
    bool met = true;

    for (size_t n = 0; met; n++)
        met = lives_through(&(struct sim_fault){ .calls = SIM_APPEND,
                                                 .n_pass = n / 2,
                                                 .n_strikes = 1,
                                                 .kind = n % 2 ? SIM_FAILS : SIM_DONE_ANYWAY,
                                                 .r = STORE_UNKNOWN });
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_failed_commit_fails_its_author_and_forgets_the_operation),
        TEST(a_full_disk_is_told_as_such),
        TEST(everybody_who_waited_fails_with_it),
        TEST(after_a_failure_the_same_operation_can_be_sent_again),
        TEST(a_failure_that_was_none_is_found_in_the_log),
        TEST(requests_made_while_it_recovers_wait),
        TEST(an_append_that_is_refused_is_a_failure_too),
        TEST(what_was_appended_before_a_refused_append_is_not_lost),
        TEST(a_conflict_is_resolved_and_the_operation_committed_once),
        TEST(several_pending_operations_survive_a_conflict_in_their_order),
        TEST(a_refusal_that_waits_is_judged_afresh_after_a_conflict),
        TEST(a_conflict_may_make_an_operation_impossible),
        TEST(a_hint_brings_the_news_to_the_subscribers),
        TEST(news_that_come_while_it_loads_are_not_lost),
        TEST(news_that_come_before_the_answer_of_a_commit_are_not_lost),
        TEST(requests_keep_their_order_through_a_conflict),
        TEST(a_lost_answer_of_a_commit_that_succeeded),
        TEST(a_lost_answer_of_a_commit_that_failed),
        TEST(a_document_that_cannot_be_opened_fails_its_requests_and_is_tried_again),
        TEST(damage_found_while_loading_is_passed_up),
        TEST(a_look_up_that_fails_fails_the_submission),
        TEST(a_slice_that_cannot_be_read_fails_the_reader),
        TEST(what_was_acknowledged_survives_the_power),
        cmocka_unit_test(every_call_fails_in_turn),
        cmocka_unit_test(every_commit_is_lost_sight_of_in_turn),
    };

    return cmocka_run_group_tests_name("documents when the store fails", tests, NULL, NULL);
}
