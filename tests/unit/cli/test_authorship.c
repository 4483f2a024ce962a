/* Lines and their last changes: rows for what counts as one, and any steps against the text itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "cli/authorship.h"
#include "tests/sim/random.h"

/* A step of change 2 on a text that change 1 has written; the changes of the lines afterwards, "12-" for three lines of
 * which the last is of change 0, as an empty text is. */
static const struct row {
    const char *name, *text;
    uint64_t at, n_deleted;
    const char *inserted, *want;
} rows[] = {
    { "typing in a line", "one\ntwo\nthree", 5, 0, "x", "121" },
    { "a letter out of a line", "one\ntwo\nthree", 5, 1, "", "121" },
    { "all of a line's text", "one\ntwo\nthree", 4, 3, "", "121" },
    { "typing at the end of the last line", "one\ntwo", 7, 0, "x", "12" },
    { "a line before the others", "one\ntwo", 0, 0, "new\n", "211" },
    { "a line between", "one\ntwo", 4, 0, "new\n", "121" },
    { "a line between, from the end of the one before", "one\ntwo", 3, 0, "\nnew", "121" },
    { "Enter at the end leaves the line alone", "one\ntwo", 3, 0, "\n", "121" },
    { "Enter at the beginning, too", "one\ntwo", 4, 0, "\n", "121" },
    { "Enter in the middle parts it and changes neither half", "one\ntwo", 5, 0, "\n", "111" },
    { "text around a new line changes both halves", "one\ntwo", 5, 0, "x\ny", "122" },
    { "a whole line goes, the others stay", "one\ntwo\nthree", 4, 4, "", "11" },
    { "a whole line with the newline before it", "one\ntwo\nthree", 3, 4, "", "11" },
    { "the last line with the newline before it", "one\ntwo", 3, 4, "", "1" },
    { "two lines that become one", "one\ntwo\nthree", 3, 1, "", "21" },
    { "from within one line into another", "one\ntwo\nthree", 2, 7, "", "2" },
    { "all of it", "one\ntwo", 0, 7, "", "2" },
};

static void note(void *arg, uint64_t n_cps, size_t change)
{
    (void)n_cps;
    (void)buffer_printf(arg, "%zu", change);
}

static void a_step(void **state)
{
    const struct row *row = *state;
    struct authorship authorship;
    struct buffer got;

    authorship_init(&authorship, 1);
    authorship_insert(&authorship, 0, bytes_of_string(row->text), 1);
    authorship_delete(&authorship, row->at, row->n_deleted, 2);
    authorship_insert(&authorship, row->at, bytes_of_string(row->inserted), 2);
    buffer_init(&got, 64);
    authorship_each(&authorship, note, &got);
    assert_int_equal(buffer_append(&got, "", 1), 0);
    assert_string_equal(got.at, row->want);
    assert_false(authorship.is_broken);
    buffer_finish(&got);
    authorship_finish(&authorship);
}

/* ---- any --------------------------------------------------------------------------------------------------------- */

#define TEXT_MAX 400000

/* ASCII, so that its bytes are its code points. */
struct model {
    char text[TEXT_MAX];
    size_t n, at; /* at: while it is compared */
};

static void compare(void *arg, uint64_t n_cps, size_t change)
{
    struct model *model = arg;
    const char *at = model->text + model->at, *stop = memchr(at, '\n', model->n - model->at);
    size_t n = stop ? (size_t)(stop - at) + 1 : model->n - model->at;

    (void)change;
    assert_int_equal(n_cps, n);
    model->at += n;
}

static void random_step(struct sim_random *random, struct model *model, struct authorship *authorship, size_t change)
{
    size_t at = sim_random_below(random, model->n + 1), n = sim_random_below(random, 200);
    char text[400];

    if (sim_random_chance(random, 300)) {
        n = n * 20 < model->n - at ? n * 20 : model->n - at;
        memmove(model->text + at, model->text + at + n, model->n - at - n);
        model->n -= n;
        authorship_delete(authorship, at, n, change);
        return;
    }
    n = n < TEXT_MAX - model->n ? n : TEXT_MAX - model->n;
    for (size_t i = 0; i < n; i++)
        text[i] = sim_random_chance(random, 400) ? '\n' : 'x';
    memmove(model->text + at + n, model->text + at, model->n - at);
    memcpy(model->text + at, text, n);
    model->n += n;
    authorship_insert(authorship, at, bytes_of(text, n), change);
}

static void lines_are_those_of_the_text(void **state)
{
    struct model *model = calloc(1, sizeof(*model));
    struct sim_random random = { 1 };
    struct authorship authorship;

    (void)state;
    assert_non_null(model);
    authorship_init(&authorship, 0);
    for (size_t i = 0; i < 4000; i++) {
        random_step(&random, model, &authorship, i);
        model->at = 0;
        if (i % 50 == 0)
            authorship_each(&authorship, compare, model);
        assert_false(authorship.is_broken);
    }
    model->at = 0;
    authorship_each(&authorship, compare, model);
    assert_int_equal(model->at, model->n);
    authorship_finish(&authorship);
    free(model);
}

static void a_place_that_does_not_exist_breaks_it(void **state)
{
    struct authorship authorship;

    (void)state;
    authorship_init(&authorship, 0);
    authorship_insert(&authorship, 0, bytes_of_string("one\n"), 1);
    authorship_insert(&authorship, 5, bytes_of_string("x"), 1);
    assert_true(authorship.is_broken);
    authorship_delete(&authorship, 0, 1, 1); /* nothing more is done */
    authorship_finish(&authorship);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 2];
    size_t n = 0;

    for (; n < sizeof(rows) / sizeof(rows[0]); n++)
        tests[n] = (struct CMUnitTest){ .name = rows[n].name,
                                        .test_func = a_step,
                                        .initial_state = (void *)(uintptr_t)&rows[n] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(lines_are_those_of_the_text);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_place_that_does_not_exist_breaks_it);
    return _cmocka_run_group_tests("authorship", tests, n, NULL, NULL);
}
