/* Every allocation failed in turn, once and from then on: requests fail, nothing leaks, nothing is lost, and without
 * the fault everything works again. */
#include "tests/lib/alloc_fault.h"
#include "tests/unit/doc/fixture.h"

static void live(struct fixture *f)
{
    submit(f, "n", "init/1", 0, "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}");
    settle(f);
    follow(f, "n", "s", 0);
    submit(f, "n", "a/1", 1, "{\"op\":[\"x\"]}");
    submit(f, "n", "b/1", 1, "{\"op\":[5,\"y\"]}");
    read_snapshot(f, "n", "r");
    read_past(f, "n", "r", 2);
    read_past_at(f, "n", "r", 1002);
    settle(f);
    submit(f, "n", "b/1", 1, "{\"op\":[5,\"y\"]}");
    submit(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    settle(f);
    unfollow(f, "s");
    read_ops(f, "n", "o", 0, DOCUMENT_NOW);
    settle(f);
}

static bool lives_through(size_t n, enum alloc_fault_kind kind)
{
    void *state;
    struct fixture *f;
    bool met;

    assert_int_equal(fixture_setup(&state), 0);
    f = state;
    f->is_quiet = true;
    f->config.n_idle_max = 0;
    f->config.n_writers_max = 2;
    f->config.recent_max_bytes = 1;
    f->config.slice_bytes = 1;
    f->config.snapshot_min_bytes = 30;
    fixture_restart(f);
    alloc_fault_arm(n, kind);
    live(f);
    met = alloc_fault_disarm();
    assert_int_equal(f->n_unanswered, 0);
    live(f);
    expect_log(f, "n", 4, "\"xxhelloy\"");
    fixture_teardown(&state);
    return met;
}

static void every_allocation_fails_once(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_ONCE))
        n++;
    assert_true(n > 20);
}

static void every_allocation_fails_from_then_on(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_FROM_THEN_ON))
        n++;
    assert_true(n > 20);
}

static void a_hub_without_memory_is_none(void **state)
{
    struct hub_config config = hub_defaults;
    struct hub *hub = NULL;
    size_t n = 0;
    int r;

    do {
        alloc_fault_arm(n++, ALLOC_FAULT_ONCE);
        r = hub_create(&config, &hub);
    } while (alloc_fault_disarm() && (assert_int_equal(r, -12), true));
    assert_int_equal(r, 0);
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(every_allocation_fails_from_then_on),
        cmocka_unit_test(a_hub_without_memory_is_none),
    };

    return cmocka_run_group_tests_name("documents without memory", tests, NULL, NULL);
}
