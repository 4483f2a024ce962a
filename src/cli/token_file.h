/* The file that holds one's token: its first line is the secret, and what follows is for people. */
#ifndef CLI_TOKEN_FILE_H
#define CLI_TOKEN_FILE_H

#include "cli/cli.h"

/* CLI_OK, or has said what is wrong and returns CLI_FAILED. Warns when everybody can read the file. */
int token_file_read(const char *path, char out[CLI_TOKEN_MAX]);

#endif
