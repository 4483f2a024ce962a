/* Forgetting for good: what those hear who are there, what those are told who come back, and that nothing is left. */
#include <errno.h>

#include "tests/unit/doc/fixture.h"

/* "hello!", at version 2, with a follower. */
static void given_hello(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    submit(f, "n", "init/2", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    follow(f, "n", "s", 2);
    settle(f);
    expect(f, "init/1 accepted\ninit/2 accepted\ninit/1 done at 0\ninit/2 done at 1\ns ends at 2\n");
}

static void expect_nothing_kept(struct fixture *f, uint64_t head)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name("n"));

    assert_true(sim_disk_head(f->disk, fixture_name("n")) == head);
    assert_true(sim_log_info(log).first == head);
    assert_null(sim_log_snapshot(log, STORE_NEWEST));
}

static void followers_hear_the_deletion_and_the_next_creation(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    purge(f, "n", "p/1");
    settle(f);
    expect(f, "s op 2 p/1\np/1 purged at 3\n");
    expect_nothing_kept(f, 3);
    submit(f, "n", "a/1", 3, TEXT);
    settle(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "a/1 accepted\ns op 3 a/1\na/1 done at 3\nr sees 4 \"\"\n");
}

static void a_deleted_document_is_purged_without_another_operation(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "init/3", 2, "{\"del\":true}");
    purge(f, "n", "p/1");
    settle(f);
    expect(f, "init/3 accepted\ns op 2 init/3\ninit/3 done at 2\np/1 purged at 3\n");
    expect_nothing_kept(f, 3);
}

static size_t n_parted;

static void on_parted(struct document_companion *companion)
{
    n_parted++;
}

static void what_others_keep_with_it_goes_too(void **state)
{
    struct fixture *f = *state;
    struct document_companion companion = { on_parted };
    struct document *document;

    given_hello(f);
    document = hub_find(f->hub, fixture_name("n"));
    n_parted = 0;
    document_give_companion(document, &companion);
    submit(f, "n", "init/3", 2, "{\"del\":true}");
    settle(f);
    assert_ptr_equal(document_companion(document), &companion);
    purge(f, "n", "p/1");
    settle(f);
    assert_int_equal(n_parted, 1);
    assert_null(document_companion(document));
    document_unref(document);
    expect(f, "init/3 accepted\ns op 2 init/3\ninit/3 done at 2\np/1 purged at 3\n");
}

static void nothing_is_purged_twice(void **state)
{
    struct fixture *f = *state;

    purge(f, "n", "p/1");
    settle(f);
    expect(f, "p/1 refused MISSING\n");
    given_hello(f);
    purge(f, "n", "p/1");
    purge(f, "n", "p/2"); /* each deletes what it finds */
    settle(f);
    expect(f, "s op 2 p/1\ns op 3 p/2\np/1 purged at 4\np/2 refused MISSING\n");
    fixture_restart(f);
    purge(f, "n", "p/3");
    settle(f);
    expect(f, "p/3 refused MISSING\n");
}

static void who_comes_with_an_older_version_is_refused(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    purge(f, "n", "p/1");
    settle(f);
    expect(f, "s op 2 p/1\np/1 purged at 3\n");
    submit(f, "n", "a/1", 2, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/1 accepted\na/1 refused OPS_GONE\n");
    submit(f, "n", "a/2", 3, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/2 accepted\na/2 refused MISSING\n");
    read_ops(f, "n", "r", 0, DOCUMENT_NOW);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r sees 3 none\nr refused OPS_GONE\n");
    submit(f, "n", "b/1", 3, TEXT);
    submit(f, "n", "a/3", 2, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/4", 0, TEXT);
    settle(f);
    expect(f, "b/1 accepted\ns op 3 b/1\nb/1 done at 3\na/3 accepted\na/3 refused OPS_GONE\n"
              "a/4 accepted\na/4 refused OPS_GONE\n");
}

/* What was acknowledged before is not known any more: not as a repetition, and not as something new. */
static void a_repetition_from_before_is_refused(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    purge(f, "n", "p/1");
    settle(f);
    expect(f, "s op 2 p/1\np/1 purged at 3\n");
    submit(f, "n", "init/2", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    expect(f, "init/2 accepted\ninit/2 refused OPS_GONE\n");
}

static void it_stands_in_the_queue_like_everything_else(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "init/3", 2, "{\"op\":[6,\"?\"]}");
    submit(f, "n", "init/4", 3, "{\"del\":true}");
    purge(f, "n", "p/1");
    read_snapshot(f, "n", "behind");
    submit(f, "n", "init/5", DOCUMENT_NOW, TEXT);
    settle(f);
    expect(f, "init/3 accepted\ninit/4 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "s op 2 init/3\ninit/3 done at 2\ns op 3 init/4\ninit/4 done at 3\np/1 purged at 4\n"
              "behind sees 4 none\ninit/5 accepted\ns op 4 init/5\ninit/5 done at 4\n");
}

/* It deletes the document that was created before it had its place. */
static void a_creation_that_is_first_goes_with_the_rest(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_FIND);
    purge(f, "n", "p/1");
    submit(f, "n", "init/3", 2, "{\"del\":true}");
    submit(f, "n", "init/4", DOCUMENT_NOW, TEXT);
    settle(f);
    expect(f, "");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "init/3 accepted\ninit/4 accepted\ns op 2 p/1\ns op 3 init/3\ninit/3 missed 2\ninit/3 done at 3\n"
              "s op 4 init/4\ninit/4 done at 4\ns op 5 p/2\np/1 purged at 6\n");
    expect_nothing_kept(f, 6);
}

static void what_was_written_since_keeps_all_of_it(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_FIND);
    submit(f, "n", "a/1", 2, "{\"op\":[6,\"?\"]}");
    purge_only_now(f, "n", "p/1", 2);
    settle(f);
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 accepted\ns op 2 a/1\na/1 done at 2\np/1 refused CHANGED\n");
    expect_log(f, "n", 3, "\"hello!?\"");
    purge_only_now(f, "n", "p/1", 3);
    settle(f);
    expect(f, "s op 3 p/1\np/1 purged at 4\n");
    expect_nothing_kept(f, 4);
}

/* Another's deletion is a change, too. */
static void a_deletion_that_is_first_keeps_all_of_it(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    submit(f, "n", "init/3", 2, "{\"del\":true}");
    purge_only_now(f, "n", "p/1", 2);
    settle(f);
    expect(f, "init/3 accepted\ns op 2 init/3\ninit/3 done at 2\np/1 refused CHANGED\n");
    expect_log(f, "n", 3, "none");
}

/* What is created between the deletion and the removal is nothing that the purge was asked to forget. */
static void what_is_created_over_its_deletion_stays(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_APPEND);
    purge_only_now(f, "n", "p/1", 2);
    settle(f);
    submit(f, "n", "init/3", DOCUMENT_NOW, TEXT);
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "init/3 accepted\ns op 2 p/1\ns op 3 init/3\ninit/3 done at 3\np/1 refused CHANGED\n");
    expect_log(f, "n", 4, "\"\"");
}

static void requests_made_while_the_log_goes_wait(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_hold(f->store, SIM_REMOVE);
    purge(f, "n", "p/1");
    settle(f);
    submit(f, "n", "a/1", DOCUMENT_NOW, TEXT);
    read_snapshot(f, "n", "r");
    barrier(f, "n", "b");
    settle(f);
    expect(f, "s op 2 p/1\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "p/1 purged at 3\nr sees 3 none\nb ends at 3\na/1 accepted\ns op 3 a/1\na/1 done at 3\n");
}

static void a_removal_that_fails_leaves_a_deleted_document(void **state)
{
    struct fixture *f = *state;

    given_hello(f);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_REMOVE, .n_strikes = 1, .kind = SIM_FAILS, .r = -EIO });
    purge(f, "n", "p/1");
    settle(f);
    expect(f, "s op 2 p/1\np/1 failed EIO\n");
    read_ops(f, "n", "r", 2, DOCUMENT_NOW);
    purge(f, "n", "p/2");
    settle(f);
    expect(f, "r op 2 p/1\nr ends at 3\np/2 purged at 3\n");
    expect_nothing_kept(f, 3);
}

static void a_removal_that_is_lost_sight_of_is_certain_when_it_is_answered(void **state)
{
    static const enum sim_fault_kind kinds[] = { SIM_FAILS, SIM_DONE_ANYWAY };
    struct fixture *f = *state;

    given_hello(f);
    for (size_t i = 0; i < 2; i++) {
        store_sim_fault(
            f->store, &(struct sim_fault){ .calls = SIM_REMOVE, .n_strikes = 1, .kind = kinds[i], .r = STORE_UNKNOWN });
        purge(f, "n", "p/1");
        settle(f);
        expect(f, i ? "s op 4 p/1\np/1 purged at 5\n" : "s op 2 p/1\np/1 purged at 3\n");
        expect_nothing_kept(f, i ? 5 : 3);
        submit(f, "n", "a/1", DOCUMENT_NOW, TEXT);
        settle(f);
        expect(f, i ? "a/1 accepted\ns op 5 a/1\na/1 done at 5\n" : "a/1 accepted\ns op 3 a/1\na/1 done at 3\n");
    }
}

static bool lives_through(const struct sim_fault *fault)
{
    struct fixture *f;
    void *state;
    bool met;

    (void)fixture_setup(&state);
    f = state;
    f->is_quiet = true;
    submit(f, "n", "init/1", 0, TEXT);
    settle(f);
    fixture_restart(f);
    follow(f, "n", "s", 0);
    store_sim_fault(f->store, fault);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    purge(f, "n", "p/1");
    settle(f);
    purge(f, "n", "p/9");
    submit(f, "n", "b/1", DOCUMENT_NOW, TEXT);
    settle(f);
    met = store_sim_fault_end(f->store) > 0;
    purge(f, "n", "p/17");
    settle(f);
    assert_true(f->last_r == 0 || f->last_r == DOCUMENT_MISSING); /* by then */
    submit(f, "n", "b/2", DOCUMENT_NOW, TEXT);
    settle(f);
    assert_int_equal(f->last_r, 0);
    assert_int_equal(f->n_unanswered, 0);
    fixture_teardown(&state);
    return met;
}

static void every_call_fails_in_turn(void **state)
{
    static const struct {
        enum sim_fault_kind kind;
        int r;
    } ways[] = { { SIM_FAILS, -EIO }, { SIM_REFUSED, -ENOMEM }, { SIM_DONE_ANYWAY, -EIO } };

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        bool met = true;

        for (size_t n = 0; met; n++)
            met = lives_through(&(struct sim_fault){
                .calls = SIM_EVERY_CALL, .n_pass = n, .n_strikes = 1, .kind = ways[i].kind, .r = ways[i].r });
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(followers_hear_the_deletion_and_the_next_creation),
        TEST(a_deleted_document_is_purged_without_another_operation),
        TEST(what_others_keep_with_it_goes_too),
        TEST(nothing_is_purged_twice),
        TEST(who_comes_with_an_older_version_is_refused),
        TEST(a_repetition_from_before_is_refused),
        TEST(it_stands_in_the_queue_like_everything_else),
        TEST(a_creation_that_is_first_goes_with_the_rest),
        TEST(what_was_written_since_keeps_all_of_it),
        TEST(a_deletion_that_is_first_keeps_all_of_it),
        TEST(what_is_created_over_its_deletion_stays),
        TEST(requests_made_while_the_log_goes_wait),
        TEST(a_removal_that_fails_leaves_a_deleted_document),
        TEST(a_removal_that_is_lost_sight_of_is_certain_when_it_is_answered),
        cmocka_unit_test(every_call_fails_in_turn),
    };

    return cmocka_run_group_tests_name("forgetting a document", tests, NULL, NULL);
}
