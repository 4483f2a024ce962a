/* Deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/wheel.h"

struct thing {
    struct wheel_timer timer;
    struct wheel *wheel;
    struct wheel_timer *victim;
    unsigned n_due, again;
};

static void on_due(struct wheel_timer *timer)
{
    struct thing *thing = LIST_ENTRY(timer, struct thing, timer);

    thing->n_due++;
    if (thing->again)
        wheel_set(thing->wheel, timer, thing->again);
    if (thing->victim)
        wheel_clear(thing->victim);
}

static void thing_init(struct thing *thing, struct wheel *wheel)
{
    *thing = (struct thing){ .wheel = wheel };
    wheel_timer_init(&thing->timer, on_due);
}

static void ticks(struct wheel *wheel, unsigned n)
{
    while (n--)
        wheel_tick(wheel);
}

static void comes_in_its_second_and_once(void **state)
{
    struct wheel wheel;
    struct thing thing;

    wheel_init(&wheel);
    thing_init(&thing, &wheel);
    wheel_set(&wheel, &thing.timer, 3);
    ticks(&wheel, 2);
    assert_int_equal(thing.n_due, 0);
    ticks(&wheel, 1);
    assert_int_equal(thing.n_due, 1);
    ticks(&wheel, 3 * WHEEL_SLOTS);
    assert_int_equal(thing.n_due, 1);
}

static void the_longest_goes_nearly_round(void **state)
{
    struct wheel wheel;
    struct thing thing;

    wheel_init(&wheel);
    thing_init(&thing, &wheel);
    ticks(&wheel, 100);
    wheel_set(&wheel, &thing.timer, WHEEL_SLOTS - 1);
    ticks(&wheel, WHEEL_SLOTS - 2);
    assert_int_equal(thing.n_due, 0);
    ticks(&wheel, 1);
    assert_int_equal(thing.n_due, 1);
}

static void setting_again_moves_and_clearing_forgets(void **state)
{
    struct wheel wheel;
    struct thing moved, cleared;

    wheel_init(&wheel);
    thing_init(&moved, &wheel);
    thing_init(&cleared, &wheel);
    wheel_set(&wheel, &moved.timer, 2);
    wheel_set(&wheel, &cleared.timer, 2);
    wheel_set(&wheel, &moved.timer, 5);
    wheel_clear(&cleared.timer);
    wheel_clear(&cleared.timer);
    ticks(&wheel, 4);
    assert_int_equal(moved.n_due + cleared.n_due, 0);
    ticks(&wheel, 1);
    assert_int_equal(moved.n_due, 1);
    assert_int_equal(cleared.n_due, 0);
}

static void may_set_itself_again(void **state)
{
    struct wheel wheel;
    struct thing thing;

    wheel_init(&wheel);
    thing_init(&thing, &wheel);
    thing.again = 2;
    wheel_set(&wheel, &thing.timer, 2);
    ticks(&wheel, 10);
    assert_int_equal(thing.n_due, 5);
    wheel_clear(&thing.timer);
}

static void may_clear_its_neighbour_of_the_same_second(void **state)
{
    struct wheel wheel;
    struct thing first, second, third;

    wheel_init(&wheel);
    thing_init(&first, &wheel);
    thing_init(&second, &wheel);
    thing_init(&third, &wheel);
    first.victim = &second.timer;
    wheel_set(&wheel, &first.timer, 1);
    wheel_set(&wheel, &second.timer, 1);
    wheel_set(&wheel, &third.timer, 1);
    ticks(&wheel, 1);
    assert_int_equal(first.n_due, 1);
    assert_int_equal(second.n_due, 0);
    assert_int_equal(third.n_due, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_in_its_second_and_once),
        cmocka_unit_test(the_longest_goes_nearly_round),
        cmocka_unit_test(setting_again_moves_and_clearing_forgets),
        cmocka_unit_test(may_set_itself_again),
        cmocka_unit_test(may_clear_its_neighbour_of_the_same_second),
    };

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
