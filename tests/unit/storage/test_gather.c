/* How long a batch waits for more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "storage/lmdb/gather.h"

#define COMMIT_NS 400000u

static void begin(struct gather *gather, size_t n_answered, size_t n_waiting)
{
    gather_begin(gather, n_answered, n_waiting, COMMIT_NS, 1000);
}

/* The deadline is over. */
static void end(struct gather *gather, size_t n_waiting)
{
    gather_end(gather, n_waiting, 1000 + COMMIT_NS);
}

static void a_lone_writer_never_waits(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    assert_false(gather_goes_on(&gather, 1, 0)); /* nobody was answered before */
    begin(&gather, 1, 0);
    assert_false(gather_goes_on(&gather, 1, 1001));
    assert_false(gather_goes_on(&gather, 0, 1001)); /* and until it writes nobody looks at a clock */
    begin(&gather, 0, 0);
    assert_false(gather_goes_on(&gather, 1, 1001));
}

static void two_halves_become_one_batch(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    begin(&gather, 4, 4);
    assert_true(gather_goes_on(&gather, 4, 1001));
    assert_true(gather_goes_on(&gather, 7, 100000));
    assert_false(gather_goes_on(&gather, 8, 100000));
    end(&gather, 8);
    begin(&gather, 8, 0);
    assert_true(gather_goes_on(&gather, 7, 1001));
    assert_false(gather_goes_on(&gather, 8, 1001));
}

static void patience_is_as_long_as_a_commit(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    begin(&gather, 4, 4);
    assert_true(gather_goes_on(&gather, 5, 1000 + COMMIT_NS - 1));
    assert_false(gather_goes_on(&gather, 5, 1000 + COMMIT_NS));
}

static void a_slow_disk_gives_5_ms_at_most(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    gather_begin(&gather, 4, 4, 1000000000, 0);
    assert_true(gather_goes_on(&gather, 5, 4999999));
    assert_false(gather_goes_on(&gather, 5, 5000000));
}

/* So many batches begin at once before patience is tried again. */
static size_t resting(struct gather *gather)
{
    for (size_t n = 0;; n++) {
        begin(gather, 4, 0);
        if (gather_goes_on(gather, 1, 1001))
            return n;
        assert_true(n < 1000);
        end(gather, 1);
    }
}

static void patience_in_vain_rests_longer_each_time(void **state)
{
    static const size_t rests[] = { 1, 3, 7, 15, 31, 63, 63 };
    struct gather gather = { 0 };

    (void)state;
    assert_int_equal(resting(&gather), 0);
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        end(&gather, 1);
        assert_int_equal(resting(&gather), rests[i]);
    }
    end(&gather, 3); /* somebody came */
    assert_int_equal(resting(&gather), 0);
    end(&gather, 1);
    assert_int_equal(resting(&gather), 1);
}

static void who_was_there_before_is_nobody_new(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    begin(&gather, 4, 4);
    end(&gather, 4);
    begin(&gather, 4, 4);
    assert_false(gather_goes_on(&gather, 4, 1001));
    begin(&gather, 4, 4);
    assert_true(gather_goes_on(&gather, 4, 1001));
    end(&gather, 5);
    begin(&gather, 4, 4);
    assert_true(gather_goes_on(&gather, 4, 1001));
}

static void what_was_cut_short_was_not_in_vain(void **state)
{
    struct gather gather = { 0 };

    (void)state;
    begin(&gather, 4, 0);
    gather_end(&gather, 0, 1000 + COMMIT_NS - 1);
    assert_int_equal(resting(&gather), 0);
    end(&gather, 1);
    assert_int_equal(resting(&gather), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_writer_never_waits),
        cmocka_unit_test(two_halves_become_one_batch),
        cmocka_unit_test(patience_is_as_long_as_a_commit),
        cmocka_unit_test(a_slow_disk_gives_5_ms_at_most),
        cmocka_unit_test(patience_in_vain_rests_longer_each_time),
        cmocka_unit_test(who_was_there_before_is_nobody_new),
        cmocka_unit_test(what_was_cut_short_was_not_in_vain),
    };

    return cmocka_run_group_tests_name("gathering a batch", tests, NULL, NULL);
}
