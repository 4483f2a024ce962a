#include "cli/moment.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"

static bool local_time(struct tm wanted, uint64_t *out_ms)
{
    struct tm parts = wanted;
    time_t seconds;

    parts.tm_isdst = -1;
    seconds = mktime(&parts);
    if (seconds == (time_t)-1 || parts.tm_mday != wanted.tm_mday || parts.tm_mon != wanted.tm_mon)
        return false; /* 30 February */
    *out_ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000;
    return true;
}

static bool day_of(uint64_t now_ms, int n_days_ago, uint64_t *out_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm now;

    (void)localtime_r(&seconds, &now);
    now = (struct tm){ .tm_year = now.tm_year, .tm_mon = now.tm_mon, .tm_mday = now.tm_mday, .tm_hour = 12 };
    now.tm_mday -= n_days_ago;
    now.tm_isdst = -1;
    (void)mktime(&now); /* the day before the first of a month */
    now.tm_hour = now.tm_min = now.tm_sec = 0;
    return local_time(now, out_ms);
}

/* ---- "2h" -------------------------------------------------------------------------------------------------------- */

static bool age(const char *word, uint64_t now_ms, uint64_t *out_ms)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 }, { 'w', 604800000 } };
    uint64_t n = 0;
    size_t i = 0;

    for (; isdigit((unsigned char)word[i]) && i < 9; i++)
        n = n * 10 + (uint64_t)(word[i] - '0');
    if (!i || !word[i] || (word[i + 1] && strcmp(word + i + 1, " ago") != 0))
        return false;
    for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++)
        if (units[k].unit == word[i]) {
            *out_ms = n * units[k].ms > now_ms ? 0 : now_ms - n * units[k].ms;
            return true;
        }
    return false;
}

/* ---- "2026-11-01T12:00" ------------------------------------------------------------------------------------------ */

/* n digits, from least to most. */
static bool digits(const char **at, int n, int least, int most, int *out)
{
    int number = 0;

    for (; n; n--, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        number = number * 10 + (**at - '0');
    }
    *out = number;
    return number >= least && number <= most;
}

static bool sign(const char **at, char wanted)
{
    return *(*at)++ == wanted;
}

static bool date_time(const char *word, uint64_t *out_ms)
{
    struct tm parts = { 0 };
    const char *at = word, *zone;
    char whole[64];

    if (!digits(&at, 4, 1970, 9999, &parts.tm_year) || !sign(&at, '-') || !digits(&at, 2, 1, 12, &parts.tm_mon) ||
        !sign(&at, '-') || !digits(&at, 2, 1, 31, &parts.tm_mday))
        return false;
    if (*at && *at != 'T' && *at != 't' && *at != ' ')
        return false;
    if (*at &&
        (at++, !digits(&at, 2, 0, 23, &parts.tm_hour) || !sign(&at, ':') || !digits(&at, 2, 0, 59, &parts.tm_min)))
        return false;
    zone = at;
    if (*at == ':' && (at++, !digits(&at, 2, 0, 59, &parts.tm_sec)))
        return false;
    if (*at) { /* what is more only stands in a time that is complete */
        int n = snprintf(whole, sizeof(whole), "%.10sT%.5s%s%s", word, word + 11, zone == at ? ":00" : "", zone);

        return n > 0 && (size_t)n < sizeof(whole) && time_parse(bytes_of_string(whole), out_ms) == 0;
    }
    parts.tm_year -= 1900;
    parts.tm_mon--;
    return local_time(parts, out_ms);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

bool moment_parse(const char *word, uint64_t now_ms, uint64_t *out_ms)
{
    if (strcmp(word, "now") == 0) {
        *out_ms = now_ms;
        return true;
    }
    if (strcmp(word, "today") == 0)
        return day_of(now_ms, 0, out_ms);
    if (strcmp(word, "yesterday") == 0)
        return day_of(now_ms, 1, out_ms);
    return age(word, now_ms, out_ms) || date_time(word, out_ms);
}

void moment_write(uint64_t time_ms, char out[MOMENT_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;

    (void)localtime_r(&seconds, &parts);
    if (!strftime(out, MOMENT_BYTES, "%Y-%m-%d %H:%M", &parts))
        out[0] = '\0';
}

void moment_write_utc(uint64_t time_ms, char out[MOMENT_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    size_t n;

    (void)gmtime_r(&seconds, &parts);
    n = strftime(out, MOMENT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + n, MOMENT_BYTES - n, ".%03uZ", (unsigned)(time_ms % 1000));
}
