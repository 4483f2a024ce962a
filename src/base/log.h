/* Diagnostics for the person on call: one line each, on standard error, as text or as a JSON object.
 * Never a document's content, never a token.
 *
 *     2026-11-01T12:00:00Z info    http: answered request=k7f2q9x-1a status=503 path=/v1/docs/notes/a
 *     {"time":"2026-11-01T12:00:00Z","level":"info","area":"http","message":"answered","request":"k7f2q9x-1a","status":503,...}
 *
 * Control characters, and what would end a string, are escaped: no line can look like two, or like another one. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_setup(enum log_level least, bool as_json);
bool log_is_on(enum log_level level); /* such lines are written */

/* area: the module that speaks ("store", "net"). Safe from every thread. Lines beyond 1 kB are cut. */
__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *area, const char *format, ...);

/* What programs that read the log look at, besides the message. */
struct log_field {
    const char *name;
    struct bytes text; /* at NULL: it is a number. What is not ASCII is escaped */
    uint64_t number;
};
void log_fields(enum log_level level, const char *area, const char *message, const struct log_field *fields,
                size_t n_fields);

#define log_debug(area, ...)   log_write(LOG_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)    log_write(LOG_INFO, area, __VA_ARGS__)
#define log_warning(area, ...) log_write(LOG_WARNING, area, __VA_ARGS__)
#define log_error(area, ...)   log_write(LOG_ERROR, area, __VA_ARGS__)

#endif
