#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>

#include "base/helper.h"

#define N_ERRANDS 100

struct sum {
    struct errand errand;
    int from, result;
    pthread_t worked, finished;
};

static sem_t woken;
static int n_done, last_from;

static void wake(void *arg)
{
    (void)arg;
    (void)sem_post(&woken);
}

static void work(struct errand *errand)
{
    struct sum *sum = LIST_ENTRY(errand, struct sum, errand);

    sum->worked = pthread_self();
    sum->result = sum->from + 1;
}

static void done(struct errand *errand)
{
    struct sum *sum = LIST_ENTRY(errand, struct sum, errand);

    sum->finished = pthread_self();
    assert_int_equal(sum->from, last_from + 1);
    last_from = sum->from;
    n_done++;
}

static void begin(struct sum sums[N_ERRANDS])
{
    n_done = 0;
    last_from = -1;
    for (int i = 0; i < N_ERRANDS; i++)
        sums[i] = (struct sum){ .errand = { .work = work, .done = done }, .from = i };
}

static void errands_are_worked_on_beside_and_finished_on_the_loop_in_order(void **state)
{
    struct sum sums[N_ERRANDS];
    struct helper *helper;

    (void)state;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(helper_create(wake, NULL, &helper), 0);
    begin(sums);
    for (int i = 0; i < N_ERRANDS; i++)
        helper_do(helper, &sums[i].errand);
    assert_int_equal(n_done, 0);
    while (n_done < N_ERRANDS) {
        assert_int_equal(sem_wait(&woken), 0);
        helper_dispatch(helper);
    }
    for (int i = 0; i < N_ERRANDS; i++) {
        assert_int_equal(sums[i].result, i + 1);
        assert_false(pthread_equal(sums[i].worked, pthread_self()));
        assert_true(pthread_equal(sums[i].finished, pthread_self()));
    }
    helper_destroy(helper);
    (void)sem_destroy(&woken);
}

static void destroying_finishes_what_was_given(void **state)
{
    struct sum sums[N_ERRANDS];
    struct helper *helper;

    (void)state;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(helper_create(wake, NULL, &helper), 0);
    begin(sums);
    for (int i = 0; i < N_ERRANDS; i++)
        helper_do(helper, &sums[i].errand);
    helper_destroy(helper);
    assert_int_equal(n_done, N_ERRANDS);
    helper_destroy(NULL);
    (void)sem_destroy(&woken);
}

struct chain {
    struct errand first, second;
    struct helper *helper;
    int n_done;
};

static void nothing(struct errand *errand)
{
    (void)errand;
}

static void second_done(struct errand *errand)
{
    LIST_ENTRY(errand, struct chain, second)->n_done++;
}

static void first_done(struct errand *errand)
{
    struct chain *chain = LIST_ENTRY(errand, struct chain, first);

    chain->n_done++;
    helper_do(chain->helper, &chain->second);
}

static void what_is_given_while_it_is_destroyed_is_finished_too(void **state)
{
    struct chain chain = { .first = { .work = nothing, .done = first_done },
                           .second = { .work = nothing, .done = second_done } };

    (void)state;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(helper_create(wake, NULL, &chain.helper), 0);
    helper_do(chain.helper, &chain.first);
    helper_destroy(chain.helper);
    assert_int_equal(chain.n_done, 2);
    (void)sem_destroy(&woken);
}

static void without_a_helper_it_is_done_at_once(void **state)
{
    struct sum sums[N_ERRANDS];

    (void)state;
    begin(sums);
    helper_do(NULL, &sums[0].errand);
    assert_int_equal(n_done, 1);
    assert_int_equal(sums[0].result, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errands_are_worked_on_beside_and_finished_on_the_loop_in_order),
        cmocka_unit_test(destroying_finishes_what_was_given),
        cmocka_unit_test(what_is_given_while_it_is_destroyed_is_finished_too),
        cmocka_unit_test(without_a_helper_it_is_done_at_once),
    };

    return cmocka_run_group_tests_name("helper", tests, NULL, NULL);
}
