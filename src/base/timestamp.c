#include "base/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct reader {
    const char *at, *end;
    bool is_bad;
};

static char next(struct reader *reader)
{
    if (reader->at < reader->end)
        return *reader->at++;
    reader->is_bad = true;
    return 0;
}

/* So many digits, for a number from min to max. */
static int number(struct reader *reader, int n_digits, int min, int max)
{
    int value = 0;

    while (n_digits-- > 0) {
        char digit = next(reader);

        if (digit < '0' || digit > '9')
            reader->is_bad = true;
        value = value * 10 + (digit - '0');
    }
    if (value < min || value > max)
        reader->is_bad = true;
    return reader->is_bad ? min : value;
}

static void expect(struct reader *reader, char small, char capital)
{
    char found = next(reader);

    if (found != small && found != capital)
        reader->is_bad = true;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

/* From 1970-01-01 on, or back; the year begins in March, so that the leap day is its last. */
static int64_t days_to(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    y += 400; /* never negative; 400 years are 146,097 days */
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468 - 146097;
}

static int fraction_ms(struct reader *reader)
{
    int ms = 0, weight = 100;

    if (reader->at == reader->end || *reader->at != '.')
        return 0;
    reader->at++;
    do {
        ms += weight * number(reader, 1, 0, 9);
        weight /= 10;
    } while (!reader->is_bad && reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9');
    return ms;
}

/* What is to be taken away to come to UTC. */
static int64_t offset_seconds(struct reader *reader)
{
    char sign = next(reader);
    int64_t seconds;

    if (sign == 'Z' || sign == 'z')
        return 0;
    if (sign != '+' && sign != '-')
        reader->is_bad = true;
    seconds = 3600 * (int64_t)number(reader, 2, 0, 23);
    expect(reader, ':', ':');
    seconds += 60 * (int64_t)number(reader, 2, 0, 59);
    return sign == '-' ? -seconds : seconds;
}

int time_parse(struct bytes text, uint64_t *out_ms)
{
    const char *at = text.at;
    struct reader reader = { .at = at, .end = text.n_bytes ? at + text.n_bytes : at };
    int year, month, day, hour, minute, second, ms;
    int64_t seconds;

    year = number(&reader, 4, 0, 9999);
    expect(&reader, '-', '-');
    month = number(&reader, 2, 1, 12);
    expect(&reader, '-', '-');
    day = number(&reader, 2, 1, days_in(year, month));
    expect(&reader, 't', 'T');
    hour = number(&reader, 2, 0, 23);
    expect(&reader, ':', ':');
    minute = number(&reader, 2, 0, 59);
    expect(&reader, ':', ':');
    second = number(&reader, 2, 0, 60);
    ms = fraction_ms(&reader);
    seconds = days_to(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_seconds(&reader);
    if (second == 60 && seconds % 86400 != 0)
        reader.is_bad = true; /* seconds are put in at the end of a day only */
    if (reader.is_bad || reader.at != reader.end)
        return -EINVAL;
    *out_ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000 + (uint64_t)ms;
    return 0;
}

void time_write(uint64_t time_ms, char out[TIME_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts = { 0 };
    size_t n;

    (void)gmtime_r(&seconds, &parts);
    n = strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + n, TIME_BYTES - n, ".%03uZ", (unsigned)(time_ms % 1000));
}
