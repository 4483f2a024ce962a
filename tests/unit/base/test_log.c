/* Lines of the log, as they come out: each is one, whatever stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "base/log.h"

#define STAMP_BYTES 20 /* "2026-11-01T12:00:00Z" */

static char written[4096];

static int divert(int into_fd)
{
    int kept = dup(STDERR_FILENO);

    assert_true(kept >= 0);
    assert_true(dup2(into_fd, STDERR_FILENO) >= 0);
    return kept;
}

/* What speak says, without the time; in `written`. */
static void listen_to(bool as_json, void (*speak)(void))
{
    int ends[2], kept;
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    kept = divert(ends[1]);
    log_setup(LOG_INFO, as_json);
    speak();
    log_setup(LOG_INFO, false);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    (void)close(ends[1]);
    n = read(ends[0], written, sizeof(written) - 1);
    (void)close(ends[0]);
    written[n > 0 ? n : 0] = '\0';
}

static void say_something_nasty(void)
{
    log_info("net", "%s", "a\nb\x1b[1m \"c\\ \xc3\xa9");
}

static void a_line_is_one_line(void **state)
{
    listen_to(false, say_something_nasty);
    assert_string_equal(written + STAMP_BYTES, " info    net: a\\x0ab\\x1b[1m \"c\\ \xc3\xa9\n");
    listen_to(true, say_something_nasty);
    assert_string_equal(
        written + strlen("{\"time\":\"") + STAMP_BYTES,
        "\",\"level\":\"info\",\"area\":\"net\",\"message\":\"a\\u000ab\\u001b[1m \\\"c\\\\ \xc3\xa9\"}\n");
}

static void say_fields(void)
{
    const struct log_field fields[] = { { "path", bytes_of_string("/a\"b\\\xff\n"), 0 },
                                        { "status", { NULL, 0 }, 503 },
                                        { "empty", bytes_of("", 0), 0 } };

    log_fields(LOG_INFO, "http", "answered", fields, 3);
}

static void fields_are_what_programs_look_at(void **state)
{
    listen_to(false, say_fields);
    assert_string_equal(written + STAMP_BYTES, " info    http: answered path=/a\"b\\\\xff\\x0a status=503 empty=\n");
    listen_to(true, say_fields);
    assert_non_null(strstr(written, "\"message\":\"answered\",\"path\":\"/a\\\"b\\\\\\u00ff\\u000a\",\"status\":503,"
                                    "\"empty\":\"\"}\n"));
}

static char long_text[3000];
static size_t n_long;

static void say_much(void)
{
    const struct log_field fields[] = { { "first", bytes_of(long_text, n_long), 0 }, { "second", { NULL, 0 }, 1 } };

    log_info("net", "%.*s", (int)n_long, long_text);
    log_fields(LOG_INFO, "http", "answered", fields, 2);
}

/* Of every length around the ceiling: two lines, each closed. */
static void what_is_too_long_is_cut(void **state)
{
    memset(long_text, 'x', sizeof(long_text));
    for (n_long = 850; n_long < 1100; n_long++) {
        char *second;

        listen_to(true, say_much);
        second = strchr(written, '\n') + 1;
        assert_true(second - written <= 1024);
        assert_true(strlen(second) <= 1024);
        assert_memory_equal(second - 3, "\"}\n", 3);
        assert_memory_equal(second + strlen(second) - 2, "}\n", 2);
        assert_ptr_equal(strchr(second, '\n'), second + strlen(second) - 1);
    }
}

static void say_nothing(void)
{
    log_debug("net", "x");
    log_fields(LOG_DEBUG, "net", "x", NULL, 0);
}

static void what_is_below_the_level_is_not_said(void **state)
{
    listen_to(false, say_nothing);
    assert_string_equal(written, "");
}

static void a_time_is_counted_where_it_belongs(void **state)
{
    struct histogram histogram = { .sum_us = 0 };

    histogram_add(&histogram, 0);
    histogram_add(&histogram, histogram_bounds_us[0]);
    histogram_add(&histogram, histogram_bounds_us[0] + 1);
    histogram_add(&histogram, histogram_bounds_us[HISTOGRAM_BOUNDS - 1]);
    histogram_add(&histogram, UINT32_MAX);
    assert_int_equal(histogram.n[0], 2);
    assert_int_equal(histogram.n[1], 1);
    assert_int_equal(histogram.n[HISTOGRAM_BOUNDS - 1], 1);
    assert_int_equal(histogram.n[HISTOGRAM_BOUNDS], 1);
    assert_int_equal(histogram.sum_us, 201 + 10000000 + (uint64_t)UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_line),
        cmocka_unit_test(fields_are_what_programs_look_at),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(what_is_below_the_level_is_not_said),
        cmocka_unit_test(a_time_is_counted_where_it_belongs),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
