/* Diagnostics for the person on call: one line each, on standard error, as text or as a JSON object.
 * Never a document's content, never a token. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_setup(enum log_level least, bool as_json);

/* area: the module that speaks ("store", "net"). Safe from every thread. Lines beyond 1 kB are cut. */
__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *area, const char *format, ...);

#define log_debug(area, ...)   log_write(LOG_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)    log_write(LOG_INFO, area, __VA_ARGS__)
#define log_warning(area, ...) log_write(LOG_WARNING, area, __VA_ARGS__)
#define log_error(area, ...)   log_write(LOG_ERROR, area, __VA_ARGS__)

#endif
