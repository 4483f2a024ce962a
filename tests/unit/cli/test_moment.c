/* Points in time as people write them, read at noon of 29 November 2026 in a place an hour east of Greenwich. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "cli/moment.h"

#define NOW_MS 1795950000000u /* 2026-11-29T11:00:00Z */

static const struct row {
    const char *word, *want; /* NULL: it is none */
} rows[] = {
    { "now", "2026-11-29T11:00:00.000Z" },
    { "today", "2026-11-28T23:00:00.000Z" },
    { "yesterday", "2026-11-27T23:00:00.000Z" },
    { "30s", "2026-11-29T10:59:30.000Z" },
    { "15m", "2026-11-29T10:45:00.000Z" },
    { "2h", "2026-11-29T09:00:00.000Z" },
    { "2h ago", "2026-11-29T09:00:00.000Z" },
    { "3d", "2026-11-26T11:00:00.000Z" },
    { "1w", "2026-11-22T11:00:00.000Z" },
    { "99999w", "1970-01-01T00:00:00.000Z" },
    { "2026-11-01", "2026-10-31T23:00:00.000Z" },
    { "2026-11-01T12:00", "2026-11-01T11:00:00.000Z" },
    { "2026-11-01 12:00", "2026-11-01T11:00:00.000Z" },
    { "2026-11-01T12:00:30", "2026-11-01T11:00:30.000Z" },
    { "2026-11-01T12:00Z", "2026-11-01T12:00:00.000Z" },
    { "2026-11-01T12:00:30.5Z", "2026-11-01T12:00:30.500Z" },
    { "2026-11-01T12:00+03:00", "2026-11-01T09:00:00.000Z" },
    { "2026-07-01", "2026-06-30T22:00:00.000Z" }, /* summer time */
    { "2024-02-29", "2024-02-28T23:00:00.000Z" },
    { "2026-02-29", NULL },
    { "2026-13-01", NULL },
    { "2026-11-01T", NULL },
    { "2026-11-01T12", NULL },
    { "2026-11-01T24:00", NULL },
    { "2026-11-01T12:00x", NULL },
    { "2026-11-01x", NULL },
    { "2026-11", NULL },
    { "2", NULL },
    { "h", NULL },
    { "2h later", NULL },
    { "2y", NULL },
    { "", NULL },
    { "tomorrow", NULL },
};

static void is_read(void **state)
{
    const struct row *row = *state;
    uint64_t time_ms = 0;
    char got[MOMENT_BYTES];

    assert_int_equal(moment_parse(row->word, NOW_MS, &time_ms), row->want != NULL);
    if (!row->want)
        return;
    moment_write_utc(time_ms, got);
    assert_string_equal(got, row->want);
}

static void is_written_where_the_reader_is(void **state)
{
    char got[MOMENT_BYTES];

    (void)state;
    moment_write(NOW_MS, got);
    assert_string_equal(got, "2026-11-29 12:00");
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
    size_t n = sizeof(rows) / sizeof(rows[0]);

    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = *rows[i].word ? rows[i].word : "nothing",
                                        .test_func = is_read,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    tests[n] = (struct CMUnitTest)cmocka_unit_test(is_written_where_the_reader_is);
    return _cmocka_run_group_tests("moments", tests, n + 1, NULL, NULL);
}
