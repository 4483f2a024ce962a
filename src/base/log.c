#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_BYTES 1024
#define LOG_END_BYTES  8 /* of which some are kept for what closes the line */

static struct {
    enum log_level least;
    bool as_json;
} setup = { LOG_INFO, false };

static const char *const level_names[] = { "debug", "info", "warning", "error" };

void log_setup(enum log_level least, bool as_json)
{
    setup.least = least;
    setup.as_json = as_json;
}

bool log_is_on(enum log_level level)
{
    return level >= setup.least;
}

/* ---- a line ------------------------------------------------------------------------------------------------------ */

struct line {
    char at[LOG_LINE_BYTES];
    size_t n;
    bool is_cut;
};

/* All or nothing, and nothing any more behind what did not fit. */
static void put(struct line *line, const char *text, size_t n)
{
    line->is_cut = line->is_cut || line->n + n > LOG_LINE_BYTES - LOG_END_BYTES;
    if (line->is_cut)
        return;
    memcpy(line->at + line->n, text, n);
    line->n += n;
}

static void put_string(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_end(struct line *line, const char *text)
{
    size_t n = strlen(text);

    memcpy(line->at + line->n, text, n);
    line->n += n;
}

static void put_escaped(struct line *line, struct bytes text, bool only_ascii)
{
    const unsigned char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++) {
        char escape[8];

        if (at[i] < 0x20 || at[i] == 0x7f || (only_ascii && at[i] > 0x7f))
            (void)snprintf(escape, sizeof(escape), setup.as_json ? "\\u%04x" : "\\x%02x", at[i]);
        else
            (void)snprintf(escape, sizeof(escape), "%s%c", setup.as_json && strchr("\"\\", at[i]) ? "\\" : "", at[i]);
        put_string(line, escape);
    }
}

static void line_begin(struct line *line, enum log_level level, const char *area, struct bytes message)
{
    char stamp[32], head[128];
    time_t now = time(NULL);
    struct tm parts;

    line->n = 0;
    line->is_cut = false;
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    (void)snprintf(head, sizeof(head),
                   setup.as_json ? "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"" : "%s %-7s %s: ",
                   stamp, level_names[level], area);
    put_string(line, head);
    put_escaped(line, message, false);
    if (setup.as_json)
        put_end(line, "\""); /* also when the message was cut */
}

static void line_add(struct line *line, const struct log_field *field)
{
    char number[24];
    struct line before = *line;

    put_string(line, setup.as_json ? ",\"" : " ");
    put_string(line, field->name);
    put_string(line, setup.as_json ? "\":" : "=");
    if (field->text.at) {
        put_string(line, setup.as_json ? "\"" : "");
        put_escaped(line, field->text, true);
        put_string(line, setup.as_json ? "\"" : "");
    } else {
        (void)snprintf(number, sizeof(number), "%" PRIu64, field->number);
        put_string(line, number);
    }
    if (line->is_cut)
        *line = before;
}

/* One write, so that lines of several threads do not mix. When standard error is gone there is nobody to tell. */
static void line_write(struct line *line)
{
    put_end(line, setup.as_json ? "}\n" : "\n");
    if (write(STDERR_FILENO, line->at, line->n) < 0)
        return;
}

/* ---- for those who speak ----------------------------------------------------------------------------------------- */

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    char message[LOG_LINE_BYTES];
    struct line line;
    va_list arguments;

    if (!log_is_on(level))
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    line_begin(&line, level, area, bytes_of_string(message));
    line_write(&line);
}

void log_fields(enum log_level level, const char *area, const char *message, const struct log_field *fields,
                size_t n_fields)
{
    struct line line;

    if (!log_is_on(level))
        return;
    line_begin(&line, level, area, bytes_of_string(message));
    for (size_t i = 0; i < n_fields; i++)
        line_add(&line, &fields[i]);
    line_write(&line);
}
