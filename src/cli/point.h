/* A version of a document on a command line: by its number, or by a time (moment.h), with an @ before it or without. */
#ifndef CLI_POINT_H
#define CLI_POINT_H

#include "cli/moment.h"
#include "cli/name.h"

/* Asks for the version where it is a time: the newest that is not later. CLI_OK, or has said what is wrong. */
int point_find(struct cli *cli, const struct doc *doc, const char *word, uint64_t *out);

/* The same for what stood behind the document's @. Only when doc->point is not "". */
int point_of_doc(struct cli *cli, const struct doc *doc, uint64_t *out);

/* The newest version that is not later than the time, as HTTP has times; 0: there was nothing yet. */
int point_at(struct cli *cli, const struct doc *doc, const char *time, uint64_t *out);

/* "2026-11-01T11:00:00.000Z" of what a person has written, for HTTP. CLI_OK, or has said what is wrong. */
int point_time(const char *word, char out[MOMENT_BYTES]);

#endif
