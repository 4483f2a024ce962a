/* Files and standard input, whole. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "cli/cli.h"

/* path "-": standard input. CLI_OK, or has said what is wrong and returns CLI_FAILED. */
int file_read(const char *path, struct buffer *into);

#endif
