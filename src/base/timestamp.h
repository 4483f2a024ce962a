/* Points in time as text: RFC 3339, as in "2026-11-01T12:00:00.5+01:00". */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

#include "base/bytes.h"

/* Milliseconds since 1970, cut, not rounded; what lies before is 0. Date, time and offset ("Z" or hours and minutes)
 * must all be there, and must exist; letters may be small ones. -EINVAL: it is none. */
__attribute__((warn_unused_result)) int time_parse(struct bytes text, uint64_t *out_ms);

#define TIME_BYTES 32

/* In UTC with milliseconds and a Z. */
void time_write(uint64_t time_ms, char out[TIME_BYTES]);

#endif
