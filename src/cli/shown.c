#include "cli/shown.h"

#include <stdio.h>

#include "base/timestamp.h"

const char *shown_size(uint64_t n_bytes, char into[SHOWN_SIZE_BYTES])
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)n_bytes;
    size_t unit = 0;

    for (; value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1000;
    (void)snprintf(into, SHOWN_SIZE_BYTES, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return into;
}

const char *shown_time(const char *rfc3339, char into[MOMENT_BYTES])
{
    uint64_t time_ms = 0;

    if (time_parse(bytes_of_string(rfc3339), &time_ms))
        time_ms = 0;
    moment_write(time_ms, into);
    return into;
}

void shown_cell(const char *text, int n_characters)
{
    for (const char *at = text; *at; at++)
        n_characters -= ((unsigned char)*at & 0xc0) != 0x80; /* not within a character */
    (void)printf("%s%*s", text, n_characters > 0 ? n_characters + 2 : 2, "");
}
