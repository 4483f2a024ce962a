/* What differs between two versions, asked for and printed. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "cli/name.h"

/* On a terminal in colours; with --json as one object, {"from","to"} and "diff", or "v" and "op". */
int diff_print(struct cli *cli, const struct doc *doc, uint64_t from, uint64_t to);

#endif
