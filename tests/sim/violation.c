#include "tests/sim/violation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void (*sim_on_violation)(const char *invariant, const char *message);

void sim_violation(const char *invariant, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    if (sim_on_violation)
        sim_on_violation(invariant, message);
    (void)fprintf(stderr, "violated: %s: %s\n", invariant, message);
    abort();
}
