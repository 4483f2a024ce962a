/* An import under way: where to, and what has become of the documents so far. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/archive.h"
#include "cli/cli.h"
#include "cli/intake.h"

struct import {
    struct cli *cli;
    struct intake *intake; /* NULL: to a server, through cli's transport */
    bool is_dry;
    const char *path;
    struct archive_reader reader;
    uint64_t n_imported, n_continued, n_same, n_different, n_refused;
};

/* Says what is wrong with the document of that name, and on which line. */
void import_complain(const struct import *import, struct store_name name, const char *why);

/* -errno of the store: says it, and returns the exit status. */
int import_trouble(int r);

/* One document without history. CLI_OK, also when it was refused, which has been said and counted; else the import
 * can't go on. */
int import_document(struct import *import, const struct archive_document *document);

#endif
