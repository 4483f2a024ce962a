/* A text in somebody's editor: a file in a folder that nobody else may enter, under $TMPDIR or /tmp.
 *
 * Every function returns CLI_OK, or has said what is wrong and returns another exit status. */
#ifndef CLI_DRAFT_H
#define CLI_DRAFT_H

#include "cli/cli.h"

#define DRAFT_PATH_BYTES 512

struct draft {
    char folder[DRAFT_PATH_BYTES / 2], path[DRAFT_PATH_BYTES];
};

/* name: the file's, as far as its characters suit; suffix: ".txt", say, so that the editor knows what it is. */
int draft_create(struct bytes name, const char *suffix, struct bytes text, struct draft *out);

/* Runs $VISUAL, $EDITOR or vi, by the shell, and waits for its end. The terminal and its signals are the editor's. */
int draft_edit(const struct draft *draft);

int draft_read(const struct draft *draft, struct buffer *into);
void draft_remove(const struct draft *draft); /* and what the editor has left beside it */

#endif
