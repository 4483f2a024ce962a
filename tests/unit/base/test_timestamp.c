/* Points in time as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/timestamp.h"

#define NONE UINT64_MAX

static struct row {
    const char *text;
    uint64_t ms; /* NONE: it is refused */
} rows[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2026-11-01T12:00:00Z", 1793534400000 },
    { "2026-11-01t12:00:00z", 1793534400000 },
    { "2026-11-01T12:00:00.5Z", 1793534400500 },
    { "2026-11-01T12:00:00.1239999999Z", 1793534400123 },
    { "2026-11-01T13:30:00+01:30", 1793534400000 },
    { "2026-11-01T04:00:00.007-08:00", 1793534400007 },
    { "2026-11-01T12:00:00-00:00", 1793534400000 },
    { "2024-02-29T00:00:00Z", 1709164800000 },
    { "2000-02-29T00:00:00Z", 951782400000 },
    { "2016-12-31T23:59:60Z", 1483228800000 },
    { "2017-01-01T08:59:60+09:00", 1483228800000 },
    { "9999-12-31T23:59:59.999Z", 253402300799999 },
    { "1969-12-31T23:59:59.999Z", 0 },
    { "0000-01-01T00:00:00Z", 0 },
    { "1970-01-01T00:30:00+01:00", 0 },
    { "", NONE },
    { "2026-11-01", NONE },
    { "2026-11-01T12:00:00", NONE },
    { "2026-11-01T12:00Z", NONE },
    { "2026-11-01 12:00:00Z", NONE },
    { "2026-11-01T12:00:00.Z", NONE },
    { "2026-11-01T12:00:00,5Z", NONE },
    { "2026-11-01T12:00:00+0100", NONE },
    { "2026-11-01T12:00:00+24:00", NONE },
    { "2026-11-01T12:00:00 01:00", NONE },
    { "2026-11-01T12:00:00Zx", NONE },
    { "2026-11-01T24:00:00Z", NONE },
    { "2026-11-01T12:60:00Z", NONE },
    { "2026-11-01T12:00:60Z", NONE },
    { "2026-11-01T12:00:61Z", NONE },
    { "2026-13-01T12:00:00Z", NONE },
    { "2026-00-01T12:00:00Z", NONE },
    { "2026-11-31T12:00:00Z", NONE },
    { "2026-02-29T12:00:00Z", NONE },
    { "1900-02-29T12:00:00Z", NONE },
    { "2026-11-00T12:00:00Z", NONE },
    { "26-11-01T12:00:00Z", NONE },
    { "+2026-11-01T12:00:00Z", NONE },
    { "2026-1-1T12:00:00Z", NONE },
    { "now", NONE },
    { "1793534400", NONE },
};

/* In memory of exactly that size, so that the sanitizer sees one byte too many. */
static int parse(const char *text, size_t n_bytes, uint64_t *out)
{
    char *exact = malloc(n_bytes);
    int r;

    memcpy(exact, text, n_bytes);
    r = time_parse(bytes_of(exact, n_bytes), out);
    free(exact);
    return r;
}

static void a_time_is_read_or_refused(void **state)
{
    const struct row *row = *state;
    uint64_t ms = 7;

    assert_int_equal(parse(row->text, strlen(row->text), &ms), row->ms == NONE ? -EINVAL : 0);
    assert_true(ms == (row->ms == NONE ? 7 : row->ms));
}

static void a_part_of_one_is_none(void **state)
{
    const char *text = "2026-11-01T12:00:00.25+01:30";
    uint64_t ms;

    for (size_t n = 0; n < strlen(text); n++)
        assert_int_equal(parse(text, n, &ms), -EINVAL);
}

/* Beside the C library's calendar. */
static void every_day_until_2400(void **state)
{
    for (time_t day = 0; day < 157000; day++) {
        time_t seconds = day * 86400 + day % 86400;
        struct tm parts;
        char text[32];
        uint64_t ms;

        assert_non_null(gmtime_r(&seconds, &parts));
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
        assert_int_equal(time_parse(bytes_of_string(text), &ms), 0);
        assert_true(ms == (uint64_t)seconds * 1000);
    }
}

#define N_FIXED 2
#define N_ROWS  (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    struct CMUnitTest tests[N_FIXED + N_ROWS] = {
        cmocka_unit_test(a_part_of_one_is_none),
        cmocka_unit_test(every_day_until_2400),
    };

    for (size_t i = 0; i < N_ROWS; i++)
        tests[N_FIXED + i] = (struct CMUnitTest){ .name = *rows[i].text ? rows[i].text : "nothing",
                                                  .test_func = a_time_is_read_or_refused,
                                                  .initial_state = &rows[i] };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
