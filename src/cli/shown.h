/* Sizes, times and columns, for people at a terminal. */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include "base/buffer.h"
#include "cli/moment.h"

#define SHOWN_SIZE_BYTES 32

/* "12.3 MB", of 1,000,000 bytes, as disks are sold; returns `into`. */
const char *shown_size(uint64_t n_bytes, char into[SHOWN_SIZE_BYTES]);

/* "2026-11-01 12:00", where the reader is, of RFC 3339; returns `into`. */
const char *shown_time(const char *rfc3339, char into[MOMENT_BYTES]);

/* Appends what somebody wrote. U+FFFD stands for each control character but tab and newline: to a terminal they are
 * commands, with which who wrote it could set the reader's clipboard, or hide what else is there. 0 or -errno. */
int shown_append(struct bytes text, struct buffer *into);

/* Prints the text, blanks up to so many characters, and two more. What is longer pushes the rest to the right; of
 * control characters none is left. */
void shown_cell(const char *text, int n_characters);

#endif
