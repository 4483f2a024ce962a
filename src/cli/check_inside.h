/* What the files of `pilcrow check` share. Nobody else includes it. */
#ifndef CLI_CHECK_INSIDE_H
#define CLI_CHECK_INSIDE_H

#include <jansson.h>

#include "cli/cli.h"
#include "storage/lmdb/verify.h"

/* check_server.c: every document over HTTP, by replaying what the server answers. */
int check_server(struct cli *cli);

/* check_files.c: the files of the store in cli->data. */
int check_files(struct cli *cli);
int check_is_there(const struct cli *cli); /* CLI_OK, or it has said why not */

/* check_salvage.c: what is readable of them, as an export. */
int check_salvage(struct cli *cli, const char *out);

/* ---- in a process of its own; each writes lines for check_files.c -------------------------------------------------
 */

/*     {"finding":{...}}    {"at":7,"document":"notes/a"}    {"step":"documents","done":7,"total":9}
 *     {"played":operations}    {"failed":"sentence"}    {"foreign":"sentence"}    {"more":true}, of check_play: there
 * are further documents */
#define CHECK_PLAY_LOGS  50000              /* a process: their names are in memory, */
#define CHECK_PLAY_BYTES ((size_t)64 << 20) /* and the versions of their snapshots */

/* Pages, trees, values. */
int check_look(const char *path, FILE *to);
/* Every document with a log number above `after`, replayed through the store, and held against its snapshots. */
int check_play(const char *path, uint64_t after, FILE *to);

/* A line. The object is taken. */
void check_send(FILE *to, json_t *line);
/* {"severity","database","document","log","from","to","what"}, as far as there is something to say. */
json_t *check_finding(const struct verify_finding *finding);

#endif
