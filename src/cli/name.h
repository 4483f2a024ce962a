/* Documents as they are written on a command line: COLLECTION/ID, ID@VERSION, ID@DATE.
 *
 *     notes/a/b          the first slash separates: collection notes, id a/b
 *     notes/100%25       percent-encoding is understood: id 100%
 *     notes/me@home      an @ counts only before digits or a date (moment.h) at the end */
#ifndef CLI_NAME_H
#define CLI_NAME_H

#include "cli/cli.h"
#include "storage/store.h"

#define DOC_TEXT_MAX 1024

struct doc {
    char collection[DOC_TEXT_MAX], id[DOC_TEXT_MAX]; /* decoded */
    size_t n_collection, n_id;
    char point[40]; /* what stands behind the @, for point_of_doc; "": the present */
};

/* False, and has said so: word is no document. A version is only looked for where may_have_version. */
bool doc_parse(const char *word, bool may_have_version, struct doc *out);

/* False: no document has such a name. */
bool doc_set(struct doc *doc, struct bytes collection, struct bytes id);

/* As it is written on a command line, where no shell splits or expands it; returns `into`. */
#define DOC_SHOWN_BYTES 1024
const char *doc_shown(const struct doc *doc, char into[DOC_SHOWN_BYTES]);

/* Appends "/v1/docs/COLLECTION/ID" with suffix to the target. doc: borrowed until the exchange is finished. */
void doc_target(const struct doc *doc, const char *suffix, struct exchange *exchange);
void name_target(struct store_name name, const char *suffix, struct exchange *exchange);

#endif
