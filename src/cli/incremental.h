/* `backup DEST --incremental`: a store that was a copy of the source is one again.
 *
 *     source     | a to 9 | b to 4 |        | d from 7 to 8 |       GET /v1/logs, in order of names
 *     DEST       | a to 5 |        | c to 3 | d from 0 to 6 |
 *                  append    bring   forget   forget, bring
 *
 * Each log by itself, so an interruption leaves each as it was or as far as it came; the next run completes it. */
#ifndef CLI_INCREMENTAL_H
#define CLI_INCREMENTAL_H

#include "cli/cli.h"

/* Returns an exit status, and has said why if it isn't CLI_OK. CLI_CONFLICT: some logs were left as they are, each
 * named. */
int backup_incremental(struct cli *cli, const char *directory);

#endif
