/* Reading old operations, catching up, unloading and loading again, snapshots. */
#include "tests/unit/doc/fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void given_operations(struct fixture *f, uint64_t n)
{
    f->is_quiet = true;
    submit(f, "n", "init/1", 0, TEXT);
    settle(f);
    for (uint64_t v = 1; v < n; v++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "a/%d", (int)v);
        submit(f, "n", id, v, "{\"op\":[\"x\"]}");
        if (v % 50 == 0)
            settle(f);
    }
    settle(f);
    assert_int_equal(f->n_done, n);
    f->is_quiet = false;
}

static void operations_are_read_from_memory(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 4);
    store_sim_hold(f->store, SIM_EVERY_CALL);
    read_ops(f, "n", "all", 0, DOCUMENT_NOW);
    read_ops(f, "n", "some", 1, 3);
    read_ops(f, "n", "none", 4, DOCUMENT_NOW);
    read_ops(f, "n", "empty", 2, 2);
    expect(f, "all op 0 init/1\nall op 1 a/1\nall op 2 a/2\nall op 3 a/3\nall ends at 4\n"
              "some op 1 a/1\nsome op 2 a/2\nsome ends at 4\nnone ends at 4\nempty ends at 4\n");
}

static void operations_are_read_from_the_log(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 4);
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    read_ops(f, "n", "all", 0, DOCUMENT_NOW);
    settle(f);
    read_ops(f, "n", "some", 1, 3);
    settle(f);
    expect(f, "all op 0 init/1\nall op 1 a/1\nall op 2 a/2\nall op 3 a/3\nall ends at 4\n"
              "some op 1 a/1\nsome op 2 a/2\nsome ends at 4\n");
}

static void reading_from_above_the_head_is_refused(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 2);
    read_ops(f, "n", "r", 3, DOCUMENT_NOW);
    expect(f, "r refused VERSION_AHEAD\n");
}

static void operations_above_the_head_are_read_when_they_are_durable(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 2);
    store_sim_hold(f->store, SIM_APPEND);
    submit(f, "n", "b/1", 2, "{\"op\":[\"y\"]}");
    settle(f);
    read_ops(f, "n", "r", 1, DOCUMENT_NOW);
    settle(f);
    expect(f, "b/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "b/1 done at 2\nr op 1 a/1\nr op 2 b/1\nr ends at 3\n");
}

/* What is committed while the slices are read belongs to the catching up, what comes after to the stream: no gap, no
 * repetition. */
static void catching_up_from_the_log_meets_the_stream_without_gap(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 4);
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    read_snapshot(f, "n", "load");
    settle(f);
    follow(f, "n", "s", 1);
    (void)store_sim_step(f->store);
    (void)store_sim_step(f->store);
    submit(f, "n", "b/1", 4, "{\"op\":[\"y\"]}");
    settle(f);
    submit(f, "n", "b/2", 5, "{\"op\":[\"y\"]}");
    settle(f);
    f->is_quiet = true;
    assert_int_equal(buffer_append(&f->journal, "", 1), 0);
    for (int v = 1; v < 6; v++) {
        char line[32], *at;

        (void)snprintf(line, sizeof(line), "s op %d ", v);
        at = strstr(f->journal.at, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
    }
    assert_null(strstr(f->journal.at, "s op 0"));
}

static void a_submission_from_far_behind_is_transformed_in_slices(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 1500);
    f->config.recent_max_bytes = 2000;
    f->config.slice_bytes = 3000;
    fixture_restart(f);
    f->is_quiet = true;
    submit(f, "n", "b/1", 1, "{\"op\":[\"y\"]}");
    submit(f, "n", "c/1", 1500, "{\"op\":[1499,\"z\"]}");
    settle(f);
    assert_int_equal(f->n_done, 1502);
    assert_int_equal(sim_disk_head(f->disk, fixture_name("n")), 1502);
    assert_int_equal(count_in_log(f, "n", "b/1"), 1);
}

static void a_submission_from_far_behind_is_given_every_operation_it_missed_once(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 6);
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    submit(f, "n", "b/1", 2, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "b/1 missed 2\nb/1 missed 3\nb/1 missed 4\nb/1 missed 5\nb/1 accepted\nb/1 done at 6\n");
    expect_log(f, "n", 7, "\"yxxxxx\"");
}

static void a_repetition_from_far_behind_is_given_what_it_missed(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 6);
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    submit(f, "n", "a/4", 2, "{\"op\":[\"x\"]}");
    settle(f);
    expect(f, "a/4 missed 2\na/4 missed 3\na/4 accepted\na/4 done at 4\n");
}

/* It was made for a text. What is of that name now is another document, whose type cannot read it. */
static void a_submission_from_before_a_deletion_is_refused_for_that(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 3);
    submit(f, "n", "a/8", 3, "{\"del\":true}");
    submit(f, "n", "a/9", 4, "{\"create\":{\"type\":\"json0\",\"data\":{}}}");
    settle(f);
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    expect(f, "a/8 accepted\na/9 accepted\na/8 done at 3\na/9 done at 4\n");
    submit(f, "n", "b/1", 2, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "b/1 missed 2\nb/1 missed 3\nb/1 accepted\nb/1 refused WAS_DELETED\n");
    submit(f, "n", "b/2", 2, "{\"op\":[]}"); /* which both types can read, but not what it meets */
    settle(f);
    expect(f, "b/2 missed 2\nb/2 missed 3\nb/2 accepted\nb/2 refused WAS_DELETED\n");
    expect_log(f, "n", 5, "{}");
}

static void a_document_that_two_have_deleted_can_be_opened_again(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 1);
    submit(f, "n", "a/8", 1, "{\"del\":true}");
    submit(f, "n", "b/1", 1, "{\"del\":true}");
    settle(f);
    fixture_restart(f);
    expect(f, "a/8 accepted\nb/1 accepted\na/8 done at 1\nb/1 missed 1\nb/1 done at 2\n");
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r sees 3 none\n");
}

static void operations_that_are_gone_are_refused(void **state)
{
    struct fixture *f = *state;

    f->config.recent_max_bytes = 1;
    fixture_restart(f);
    given_operations(f, 3);
    follow(f, "n", "s", 3);
    sim_disk_remove(f->disk, fixture_name("n"));
    read_ops(f, "n", "r", 0, DOCUMENT_NOW);
    settle(f);
    submit(f, "n", "b/2", 0, "{\"op\":[\"y\"]}");
    settle(f);
    expect(f, "s ends at 3\nr refused OPS_GONE\nb/2 accepted\nb/2 refused OPS_GONE\n");
}

/* Nothing is left but the version, above which the next document of that name goes on. */
static void a_removed_document_begins_again_above_its_last_version(void **state)
{
    struct fixture *f = *state;

    given_operations(f, 3);
    sim_disk_remove(f->disk, fixture_name("n"));
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    submit(f, "n", "b/1", DOCUMENT_NOW, TEXT);
    settle(f);
    expect(f, "r sees 3 none\nb/1 accepted\nb/1 done at 3\n");
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "r sees 4 \"\"\n");
}

/* ---- unloading ----------------------------------------------------------------------------------------------------
 */

static void unused_documents_are_unloaded_beyond_the_bound(void **state)
{
    struct fixture *f = *state;

    f->config.n_idle_max = 1;
    fixture_restart(f);
    f->is_quiet = true;
    submit(f, "n", "a/1", 0, TEXT);
    submit(f, "m", "a/1", 0, TEXT);
    submit(f, "o", "a/1", 0, TEXT);
    settle(f);
    assert_int_equal(figures(f).n_documents, 1);
    assert_int_equal(figures(f).n_idle, 1);
}

static void large_unused_documents_are_unloaded_earlier(void **state)
{
    struct fixture *f = *state;
    char create[1100];

    (void)snprintf(create, sizeof(create), "{\"create\":{\"type\":\"text-unicode\",\"data\":\"%01000d\"}}", 0);
    f->config.idle_max_bytes = 8000;
    fixture_restart(f);
    f->is_quiet = true;
    submit(f, "n", "a/1", 0, create);
    submit(f, "m", "a/1", 0, create);
    submit(f, "o", "a/1", 0, create);
    submit(f, "p", "a/1", 0, create);
    settle(f);
    assert_in_range(figures(f).n_documents, 1, 3);
}

static void unused_documents_that_many_wrote_to_are_unloaded_earlier(void **state)
{
    static const char *const names[] = { "n", "m", "o", "p" };
    struct fixture *f = *state;
    char id[32];

    f->config.idle_max_bytes = 16000;
    f->config.recent_max_bytes = 0;
    fixture_restart(f);
    f->is_quiet = true;
    for (size_t i = 0; i < 4; i++) {
        submit(f, names[i], "a/1", 0, TEXT);
        for (unsigned k = 1; k <= 60; k++) {
            (void)snprintf(id, sizeof(id), "writer-%u/1", k);
            submit(f, names[i], id, k, "{\"op\":[\"x\"]}");
        }
        settle(f);
    }
    assert_in_range(figures(f).n_documents, 1, 3);
}

static void an_unloaded_document_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;

    f->config.n_idle_max = 0;
    fixture_restart(f);
    submit(f, "n", "a/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    submit(f, "n", "a/2", 1, "{\"op\":[5,\"!\"]}");
    settle(f);
    assert_int_equal(figures(f).n_documents, 0);
    read_snapshot(f, "n", "r");
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 0\na/2 accepted\na/2 done at 1\nr sees 2 \"hello!\"\n");
}

static void a_subscriber_keeps_his_document_loaded(void **state)
{
    struct fixture *f = *state;

    f->config.n_idle_max = 0;
    fixture_restart(f);
    follow(f, "n", "s", 0);
    settle(f);
    assert_int_equal(figures(f).n_documents, 1);
    unfollow(f, "s");
    assert_int_equal(figures(f).n_documents, 0);
}

static void reading_writes_nothing(void **state)
{
    struct fixture *f = *state;

    read_snapshot(f, "nothing", "r");
    read_ops(f, "nothing", "o", 0, DOCUMENT_NOW);
    settle(f);
    expect(f, "r sees 0 none\no ends at 0\n");
    assert_null(sim_disk_find(f->disk, fixture_name("nothing")));
}

/* ---- snapshots ----------------------------------------------------------------------------------------------------
 */

static void a_snapshot_is_due_by_bytes(void **state)
{
    struct fixture *f = *state;

    f->config.snapshot_min_bytes = 150;
    fixture_restart(f);
    given_operations(f, 5);
    assert_int_equal(f->disk->n_snapshots_put, 0);
    f->is_quiet = true;
    for (int i = 5; i < 30; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "a/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
        settle(f);
    }
    assert_in_range(f->disk->n_snapshots_put, 1, 5);
    assert_int_equal(figures(f).n_snapshots, f->disk->n_snapshots_put);
}

static void who_is_unloaded_leaves_a_snapshot_sooner(void **state)
{
    struct fixture *f = *state;

    f->config.snapshot_min_bytes = 400;
    f->config.n_idle_max = 1;
    fixture_restart(f);
    given_operations(f, 12);
    assert_int_equal(f->disk->n_snapshots_put, 0);
    f->is_quiet = true;
    submit(f, "m", "a/1", 0, TEXT);
    settle(f);
    submit(f, "o", "a/1", 0, TEXT);
    settle(f);
    assert_int_equal(f->disk->n_snapshots_put, 1);
    assert_int_equal(figures(f).n_documents, 1);
    assert_int_equal(sim_disk_find(f->disk, fixture_name("n"))->snapshots[0].version, 12);
}

static void a_large_document_is_kept_less_often(void **state)
{
    struct fixture *f = *state;
    char create[4200], x[4001];

    f->config.snapshot_min_bytes = 100;
    fixture_restart(f);
    memset(x, 'x', sizeof(x) - 1);
    x[sizeof(x) - 1] = '\0';
    (void)snprintf(create, sizeof(create), "{\"create\":{\"type\":\"text-unicode\",\"data\":\"%s\"}}", x);
    submit(f, "n", "init/1", 0, create);
    settle(f);
    f->is_quiet = true;
    for (int i = 0; i < 100; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "a/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
        settle(f);
    }
    assert_in_range(f->disk->n_snapshots_put, 1, 3);
}

/* The value goes on changing while a snapshot of it is written. */
static void a_snapshot_holds_the_version_it_names(void **state)
{
    struct fixture *f = *state;
    const struct sim_snapshot *snapshot;
    struct replay replay;
    char *content;

    f->config.snapshot_min_bytes = 40;
    fixture_restart(f);
    submit(f, "n", "init/1", 0, TEXT);
    settle(f);
    store_sim_hold(f->store, SIM_SNAPSHOT_PUT);
    f->is_quiet = true;
    for (int i = 0; i < 8; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "a/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    }
    settle(f);
    store_sim_hold(f->store, 0);
    settle(f);
    snapshot = sim_log_snapshot(sim_disk_find(f->disk, fixture_name("n")), STORE_NEWEST);
    assert_non_null(snapshot);
    replay_init(&replay);
    replay_to(&replay, f->disk, fixture_name("n"), snapshot->version);
    content = replay_content(&replay);
    assert_non_null(memmem(snapshot->at, snapshot->n_bytes, content, strlen(content)));
    free(content);
    replay_finish(&replay);
}

static void a_document_is_loaded_from_its_snapshot_and_the_rest(void **state)
{
    struct fixture *f = *state;

    f->config.snapshot_min_bytes = 60;
    fixture_restart(f);
    given_operations(f, 10);
    assert_true(f->disk->n_snapshots_put > 0);
    fixture_restart(f);
    read_snapshot(f, "n", "r");
    settle(f);
    submit(f, "n", "a/3", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 1, "{\"del\":true}");
    settle(f);
    fixture_restart(f);
    f->is_quiet = true;
    read_snapshot(f, "n", "r");
    settle(f);
    expect_log(f, "n", 11, "none");
}

static void a_snapshot_that_could_not_be_written_hurts_nobody(void **state)
{
    struct fixture *f = *state;

    f->config.snapshot_min_bytes = 60;
    fixture_restart(f);
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_SNAPSHOT_PUT, .n_strikes = SIZE_MAX, .r = -EIO });
    given_operations(f, 20);
    assert_true(store_sim_fault_end(f->store) > 0);
    assert_int_equal(f->disk->n_snapshots_put, 0);
    assert_int_equal(f->n_failed, 0);
    assert_int_equal(figures(f).n_reloads, 0);
    expect_log(f, "n", 20, "\"xxxxxxxxxxxxxxxxxxx\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operations_are_read_from_memory),
        TEST(operations_are_read_from_the_log),
        TEST(reading_from_above_the_head_is_refused),
        TEST(operations_above_the_head_are_read_when_they_are_durable),
        TEST(catching_up_from_the_log_meets_the_stream_without_gap),
        TEST(a_submission_from_far_behind_is_transformed_in_slices),
        TEST(a_submission_from_far_behind_is_given_every_operation_it_missed_once),
        TEST(a_repetition_from_far_behind_is_given_what_it_missed),
        TEST(a_submission_from_before_a_deletion_is_refused_for_that),
        TEST(a_document_that_two_have_deleted_can_be_opened_again),
        TEST(operations_that_are_gone_are_refused),
        TEST(a_removed_document_begins_again_above_its_last_version),
        TEST(unused_documents_are_unloaded_beyond_the_bound),
        TEST(large_unused_documents_are_unloaded_earlier),
        TEST(unused_documents_that_many_wrote_to_are_unloaded_earlier),
        TEST(an_unloaded_document_comes_back_as_it_was),
        TEST(a_subscriber_keeps_his_document_loaded),
        TEST(reading_writes_nothing),
        TEST(a_snapshot_is_due_by_bytes),
        TEST(who_is_unloaded_leaves_a_snapshot_sooner),
        TEST(a_large_document_is_kept_less_often),
        TEST(a_snapshot_holds_the_version_it_names),
        TEST(a_document_is_loaded_from_its_snapshot_and_the_rest),
        TEST(a_snapshot_that_could_not_be_written_hurts_nobody),
    };

    return cmocka_run_group_tests_name("reading and loading", tests, NULL, NULL);
}
