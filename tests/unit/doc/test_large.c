/* What the helper reads beside the loop, and what others do to the document meanwhile. The helper begins when it is
 * dispatched: until then everything that a test does comes first. */
#include <semaphore.h>
#include <stdio.h>

#include "base/helper.h"
#include "tests/unit/doc/fixture.h"

#define JSON0 "{\"create\":{\"type\":\"json0\",\"data\":{}}}"

static sem_t woken;
static struct helper *helper;

static void wake(void *arg)
{
    (void)arg;
    (void)sem_post(&woken);
}

static int setup(void **state)
{
    struct fixture *f;

    if (fixture_setup(state) || sem_init(&woken, 0, 0) || helper_create(wake, NULL, &helper))
        return -1;
    f = *state;
    f->config.helper = helper;
    fixture_restart(f);
    f->is_quiet = true;
    return 0;
}

static int teardown(void **state)
{
    int r = fixture_teardown(state);

    helper_destroy(helper);
    (void)sem_destroy(&woken);
    return r;
}

/* The large submissions are answered. */
static void read_beside(struct fixture *f)
{
    while (f->n_unanswered) {
        assert_int_equal(sem_wait(&woken), 0);
        helper_dispatch(helper);
        settle(f);
    }
}

static void given_text(struct fixture *f)
{
    submit(f, "n", "init/1", 0, TEXT);
    settle(f);
}

/* It lies with the helper. */
static void begin_large(struct fixture *f, const char *id, uint64_t version, const char *body)
{
    submit_large(f, "n", id, version, body);
    settle(f);
    assert_true(f->n_unanswered > 0);
}

/* In place of the text there is another kind of document. */
static void replace(struct fixture *f)
{
    submit(f, "n", "b/1", DOCUMENT_NOW, "{\"del\":true}");
    submit(f, "n", "b/2", DOCUMENT_NOW, JSON0);
    settle(f);
}

static void what_is_committed_is_what_it_became_over_the_others(void **state)
{
    struct fixture *f = *state;
    char id[16];

    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\".\"}}");
    settle(f);
    begin_large(f, "a/1", 1, "{\"op\":[1,\"large\"]}");
    for (int i = 1; i <= 8; i++) {
        (void)snprintf(id, sizeof(id), "b/%d", i);
        submit(f, "n", id, DOCUMENT_NOW, "{\"op\":[\"x\"]}");
    }
    settle(f);
    read_beside(f);
    assert_int_equal(f->last_r, 0);
    expect_log(f, "n", 10, "\"xxxxxxxx.large\"");
}

static void made_for_a_document_that_is_another_by_now_it_is_refused_for_that(void **state)
{
    struct fixture *f = *state;

    given_text(f);
    replace(f);
    begin_large(f, "a/1", 1, "{\"op\":[\"large\"]}");
    read_beside(f);
    assert_int_equal(f->last_r, DOCUMENT_WAS_DELETED);
}

static void made_for_a_document_that_becomes_another_meanwhile_it_is_refused_for_that(void **state)
{
    struct fixture *f = *state;

    given_text(f);
    begin_large(f, "a/1", 1, "{\"op\":[\"large\"]}");
    replace(f);
    read_beside(f);
    assert_int_equal(f->last_r, DOCUMENT_WAS_DELETED);
}

static void made_for_whatever_is_now_it_is_read_again_for_what_is_now(void **state)
{
    struct fixture *f = *state;

    given_text(f);
    begin_large(f, "a/1", DOCUMENT_NOW, "{\"op\":[\"large\"]}");
    begin_large(f, "c/1", DOCUMENT_NOW, "{\"op\":[{\"p\":[\"key\"],\"oi\":\"large\"}]}");
    replace(f);
    read_beside(f);
    assert_int_equal(f->n_failed, 1);
    expect_log(f, "n", 4, "{\"key\":\"large\"}");
}

/* Not as it was sent, which the helper has written: as it was settled when it got its place. */
static void positions_in_digits_are_numbers_in_the_log(void **state)
{
    static const char settled[] = "{\"op\":[{\"p\":[\"list\",1,\"key\"],\"oi\":\"large\"}]}";
    struct fixture *f = *state;
    const struct sim_log *log;

    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"json0\",\"data\":{\"list\":[1,{}]}}}");
    settle(f);
    begin_large(f, "a/1", 1, "{\"op\":[{\"p\":[\"list\",\"1\",\"key\"],\"oi\":\"large\"}]}");
    read_beside(f);
    expect_log(f, "n", 2, "{\"list\":[1,{\"key\":\"large\"}]}");
    log = sim_disk_find(f->disk, fixture_name("n"));
    assert_int_equal(log->records[1].body.n_bytes, strlen(settled));
    assert_memory_equal(log->records[1].body.at, settled, strlen(settled));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_committed_is_what_it_became_over_the_others),
        TEST(made_for_a_document_that_is_another_by_now_it_is_refused_for_that),
        TEST(made_for_a_document_that_becomes_another_meanwhile_it_is_refused_for_that),
        TEST(made_for_whatever_is_now_it_is_read_again_for_what_is_now),
        TEST(positions_in_digits_are_numbers_in_the_log),
    };

    return cmocka_run_group_tests_name("large submissions", tests, NULL, NULL);
}
