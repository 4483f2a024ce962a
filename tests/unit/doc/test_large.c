/* What the helper reads beside the loop, and what others do to the document meanwhile. The helper begins when it is
 * dispatched: until then everything that a test does comes first. */
#include <semaphore.h>
#include <stdio.h>

#include "base/helper.h"
#include "tests/unit/doc/fixture.h"

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

/* The large submission is answered. */
static void read_beside(struct fixture *f)
{
    for (size_t n = f->n_unanswered; f->n_unanswered == n;) {
        assert_int_equal(sem_wait(&woken), 0);
        helper_dispatch(helper);
        settle(f);
    }
}

/* It lies with the helper. */
static void begin_large(struct fixture *f, const char *id, uint64_t version, const char *body)
{
    submit_large(f, "n", id, version, body);
    settle(f);
    assert_true(f->n_unanswered > 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_committed_is_what_it_became_over_the_others),
    };

    return cmocka_run_group_tests_name("large submissions", tests, NULL, NULL);
}
