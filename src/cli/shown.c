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

#define CELL_MAX_BYTES 4096

/* The bytes of the control character that begins there, 0: none does, or one that may stay. */
static size_t control_bytes(const unsigned char *at, const unsigned char *end)
{
    if (*at < 0x20 || *at == 0x7f)
        return *at != '\t' && *at != '\n';
    return *at == 0xc2 && end - at > 1 && (at[1] & 0xe0) == 0x80 ? 2 : 0; /* U+0080 to U+009F */
}

int shown_append(struct bytes text, struct buffer *into)
{
    const unsigned char *at = text.at, *end = at + text.n_bytes, *plain = at;

    while (at < end) {
        size_t n = control_bytes(at, end);

        if (n) {
            (void)buffer_append(into, plain, (size_t)(at - plain));
            (void)buffer_append_string(into, "\uFFFD");
            plain = at + n;
        }
        at += n ? n : 1;
    }
    return buffer_append(into, plain, (size_t)(end - plain));
}

void shown_cell(const char *text, int n_characters)
{
    struct buffer shown;

    buffer_init(&shown, CELL_MAX_BYTES);
    (void)shown_append(bytes_of_string(text), &shown);
    for (size_t i = 0; i < shown.n_bytes; i++)
        n_characters -= ((unsigned char)shown.at[i] & 0xc0) != 0x80; /* not within a character */
    (void)printf("%.*s%*s", (int)shown.n_bytes, shown.at ? shown.at : "", n_characters > 0 ? n_characters + 2 : 2, "");
    buffer_finish(&shown);
}
