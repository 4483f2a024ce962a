/* Points in time as people write them.
 *
 *     2026-11-01                 that day's beginning, where the reader is
 *     2026-11-01T12:00[:30]      there, too; a blank does for the T
 *     2026-11-01T12:00Z  ...+01:00    elsewhere
 *     now, today, yesterday      a day is its beginning
 *     30s, 15m, 2h, 3d, 1w       so long ago; "2h ago", too */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970; what lies before is 0. False: it is none. The reader's place is the environment's TZ. */
bool moment_parse(const char *word, uint64_t now_ms, uint64_t *out_ms);

#define MOMENT_BYTES 32

/* "2026-11-01 12:00", where the reader is; for programs "2026-11-01T11:00:00.000Z". */
void moment_write(uint64_t time_ms, char out[MOMENT_BYTES]);
void moment_write_utc(uint64_t time_ms, char out[MOMENT_BYTES]);

#endif
