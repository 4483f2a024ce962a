/* Numbers as JavaScript reads and prints them, whatever the locale. Internal to ot/. */
#ifndef OT_NUMBER_H
#define OT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_MAX_BYTES   32
#define NUMBER_MAX_INTEGER 9007199254740991.0 /* 2^53-1 */
#define NUMBER_READ_BAD    ((size_t)-1)

/* Reads the JSON number at the start of [at, end): returns its bytes and the nearest double (infinite when beyond), -0
 * as 0. NUMBER_READ_BAD: there is none; *is_cut: because the text ends. */
size_t number_read(const char *at, const char *end, double *out, bool *is_cut);

/* The shortest text that reads as this finite number, written into NUMBER_MAX_BYTES, not terminated. Returns its bytes.
 */
size_t number_format(double number, char *into);

#endif
