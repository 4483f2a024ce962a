/* Long answers at the pace of whoever takes them, and work that is bounded. */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/doc/fixture.h"

/* One who can't take more than `room` operations at a time. */
struct taker {
    struct fetch fetch;
    struct submission submission;
    size_t room, n_taken, n_behind;
    int n_done, r;
    bool stops; /* instead of waiting */
};

static void given_operations(struct fixture *f, int n)
{
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    fixture_restart(f);
    f->is_quiet = true;
    submit(f, "n", "init/1", 0, TEXT);
    for (int i = 1; i < n; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "a/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
        settle(f);
    }
}

static struct document *open_document(struct fixture *f)
{
    struct document *document;

    assert_int_equal(hub_document(f->hub, fixture_name("n"), &document), 0);
    return document;
}

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct taker *taker = LIST_ENTRY(fetch, struct taker, fetch);

    assert_int_equal(op->version, taker->n_taken);
    if (++taker->n_taken < taker->room)
        return;
    if (taker->stops)
        fetch_stop(fetch);
    else
        fetch_hold(fetch);
}

static void on_done(struct fetch *fetch, int r, const struct document_view *view)
{
    struct taker *taker = LIST_ENTRY(fetch, struct taker, fetch);

    (void)view;
    taker->n_done++;
    taker->r = r;
}

static void begin_fetch(struct document *document, struct taker *taker)
{
    taker->fetch = (struct fetch){ .what = FETCH_OPS, .to = DOCUMENT_NOW, .on_op = on_op, .on_done = on_done };
    document_fetch(document, &taker->fetch);
}

static void a_held_fetch_stands_still_until_it_goes_on(void **state)
{
    struct fixture *f = *state;
    struct taker taker = { .room = 3 };
    struct document *document;

    given_operations(f, 8);
    document = open_document(f);
    begin_fetch(document, &taker);
    settle(f);
    assert_int_equal(taker.n_taken, 3);
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"y\"]}"); /* nobody else waits */
    settle(f);
    assert_int_equal(f->last_r, 0);
    assert_int_equal(taker.n_done, 0);
    taker.room = SIZE_MAX;
    fetch_go_on(&taker.fetch);
    settle(f);
    assert_int_equal(taker.n_taken, 9);
    assert_int_equal(taker.n_done, 1);
    assert_int_equal(taker.r, 0);
    document_unref(document);
}

static void the_rest_of_a_slice_is_held_back_too(void **state)
{
    struct fixture *f = *state;
    struct taker taker = { .room = 3 };
    struct document *document;

    given_operations(f, 8);
    f->config.slice_bytes = hub_defaults.slice_bytes;
    fixture_restart(f);
    f->is_quiet = true;
    document = open_document(f);
    begin_fetch(document, &taker);
    settle(f);
    assert_int_equal(taker.n_taken, 3);
    taker.room = SIZE_MAX;
    fetch_go_on(&taker.fetch);
    settle(f);
    assert_int_equal(taker.n_taken, 8);
    assert_int_equal(taker.n_done, 1);
    document_unref(document);
}

static void operations_in_memory_are_held_back_too(void **state)
{
    struct fixture *f = *state;
    struct taker taker = { .room = 2 };
    struct document *document;

    f->is_quiet = true;
    submit(f, "n", "init/1", 0, TEXT);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    settle(f);
    document = open_document(f);
    begin_fetch(document, &taker);
    assert_int_equal(taker.n_taken, 2);
    assert_int_equal(taker.n_done, 0);
    fetch_go_on(&taker.fetch);
    assert_int_equal(taker.n_taken, 3);
    assert_int_equal(taker.n_done, 1);
    document_unref(document);
}

static void a_stopped_fetch_ends_soon(void **state)
{
    struct fixture *f = *state;
    struct taker from_inside = { .room = 3, .stops = true }, held = { .room = 3 };
    struct document *document;

    given_operations(f, 8);
    document = open_document(f);
    begin_fetch(document, &from_inside);
    begin_fetch(document, &held);
    settle(f);
    assert_int_equal(from_inside.n_taken, 3);
    assert_int_equal(from_inside.n_done, 1);
    assert_int_equal(from_inside.r, -ECANCELED);
    fetch_stop(&held.fetch);
    assert_int_equal(held.n_taken, 3);
    assert_int_equal(held.n_done, 1);
    assert_int_equal(held.r, -ECANCELED);
    document_unref(document);
}

static void a_held_fetch_outlives_the_reloading_of_its_document(void **state)
{
    struct fixture *f = *state;
    struct sim_fault fault = { .calls = SIM_APPEND, .n_strikes = 1, .r = -EIO };
    struct taker taker = { .room = 3 };
    struct document *document;

    given_operations(f, 8);
    document = open_document(f);
    begin_fetch(document, &taker);
    settle(f);
    store_sim_fault(f->store, &fault);
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"y\"]}");
    taker.room = SIZE_MAX;
    settle(f);
    assert_int_equal(f->last_r, -EIO);
    fetch_go_on(&taker.fetch);
    settle(f);
    assert_int_equal(taker.n_taken, 8);
    assert_int_equal(taker.n_done, 1);
    assert_int_equal(taker.r, 0);
    document_unref(document);
}

/* ---- submissions ------------------------------------------------------------------------------------------------- */

static void on_missed(struct submission *submission, struct committed_op *op)
{
    struct taker *taker = LIST_ENTRY(submission, struct taker, submission);

    (void)op;
    if (++taker->n_taken >= taker->room)
        submission_hold(submission);
}

static void on_far_behind(struct submission *submission)
{
    struct taker *taker = LIST_ENTRY(submission, struct taker, submission);

    taker->n_behind++;
    if (!taker->room)
        submission_hold(submission);
}

static void on_submitted(struct submission *submission, int r, uint64_t version)
{
    struct taker *taker = LIST_ENTRY(submission, struct taker, submission);

    (void)version;
    taker->n_done++;
    taker->r = r;
}

static void begin_submission(struct document *document, struct taker *taker, struct ot_json *op)
{
    taker->submission = (struct submission){ .id = { bytes_of_string("t"), 1 },
                                             .version = 1,
                                             .kind = STEP_EDIT,
                                             .data = op,
                                             .on_missed = on_missed,
                                             .on_far_behind = on_far_behind,
                                             .on_done = on_submitted };
    document_submit(document, &taker->submission);
}

static struct ot_json *op_of(const char *text)
{
    struct ot_json *op;

    assert_int_equal(ot_json_parse(text, strlen(text), &ot_limits_default, &op, NULL), 0);
    return op;
}

static void a_submission_is_held_before_its_first_slice_and_between_slices(void **state)
{
    struct fixture *f = *state;
    struct taker taker = { .room = 0 };
    struct ot_json *op = op_of("[\"y\"]");
    struct document *document;

    given_operations(f, 8);
    document = open_document(f);
    begin_submission(document, &taker, op);
    settle(f);
    assert_int_equal(taker.n_behind, 1);
    assert_int_equal(taker.n_taken, 0);
    taker.room = 4;
    submission_go_on(&taker.submission);
    settle(f);
    assert_int_equal(taker.n_taken, 4);
    assert_int_equal(taker.n_done, 0);
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"z\"]}"); /* nobody else waits */
    settle(f);
    assert_int_equal(f->last_r, 0);
    taker.room = SIZE_MAX;
    submission_go_on(&taker.submission);
    settle(f);
    assert_int_equal(taker.n_behind, 1);
    assert_int_equal(taker.n_taken, 8);
    assert_int_equal(taker.n_done, 1);
    assert_int_equal(taker.r, 0);
    expect_log(f, "n", 10, "\"yzxxxxxxx\"");
    document_unref(document);
    ot_json_unref(op);
}

static void work_beyond_the_ceiling_is_refused_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct ot_json *op = op_of("[\"y\"]");
    struct taker taker = { .room = SIZE_MAX };
    struct document *document;

    f->config.work_max_bytes = 1000;
    given_operations(f, 100);
    document = open_document(f);
    begin_submission(document, &taker, op);
    settle(f);
    assert_int_equal(taker.n_done, 1);
    assert_int_equal(taker.r, DOCUMENT_LIMIT);
    assert_string_equal(taker.submission.error.message, "Too much has been done to the document since version 1");
    assert_int_equal(sim_disk_head(f->disk, fixture_name("n")), 100);
    document_unref(document);
    ot_json_unref(op);
}

/* Memory would do, but not in one turn. */
static void much_work_is_done_in_slices_even_when_memory_holds_all_of_it(void **state)
{
    struct fixture *f = *state;
    struct ot_json *op = op_of("[\"y\"]");
    struct taker taker = { .room = SIZE_MAX };
    struct document *document;

    f->config.slice_work_bytes = 1;
    fixture_restart(f);
    f->is_quiet = true;
    submit(f, "n", "init/1", 0, TEXT);
    submit(f, "n", "a/1", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    submit(f, "n", "c/1", DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    settle(f);
    document = open_document(f);
    begin_submission(document, &taker, op);
    settle(f);
    assert_int_equal(taker.n_behind, 1);
    assert_int_equal(taker.r, 0);
    assert_int_equal(taker.n_taken, 3);
    expect_log(f, "n", 5, "\"yxxx\"");
    document_unref(document);
    ot_json_unref(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_held_fetch_stands_still_until_it_goes_on),
        TEST(the_rest_of_a_slice_is_held_back_too),
        TEST(operations_in_memory_are_held_back_too),
        TEST(a_stopped_fetch_ends_soon),
        TEST(a_held_fetch_outlives_the_reloading_of_its_document),
        TEST(a_submission_is_held_before_its_first_slice_and_between_slices),
        TEST(work_beyond_the_ceiling_is_refused_and_changes_nothing),
        TEST(much_work_is_done_in_slices_even_when_memory_holds_all_of_it),
    };

    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
