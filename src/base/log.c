#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_BYTES 1024

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

/* Control characters and, in JSON, quotes and backslashes must not let a line forge another one. */
static void make_harmless(char *message)
{
    for (; *message; message++) {
        if ((unsigned char)*message < 0x20 || *message == 0x7f)
            *message = ' ';
        else if (setup.as_json && (*message == '"' || *message == '\\'))
            *message = '\'';
    }
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    char message[LOG_LINE_BYTES - 128], line[LOG_LINE_BYTES], stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    va_list arguments;
    int n;

    if (level < setup.least)
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    make_harmless(message);

    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    if (setup.as_json)
        n = snprintf(line, sizeof(line), "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"%s\"}\n",
                     stamp, level_names[level], area, message);
    else
        n = snprintf(line, sizeof(line), "%s %-7s %s: %s\n", stamp, level_names[level], area, message);

    /* One write, so that lines of several threads do not mix. When standard error is gone there is nobody to tell. */
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}
