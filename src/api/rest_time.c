#include <stdio.h>
#include <time.h>

#include "api/rest_inside.h"

void time_write(uint64_t time_ms, char out[TIME_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts = { 0 };
    size_t n;

    (void)gmtime_r(&seconds, &parts);
    n = strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + n, TIME_BYTES - n, ".%03uZ", (unsigned)(time_ms % 1000));
}
