/* Listings of the server, page by page. */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include <jansson.h>

#include "cli/cli.h"

/* Called for each document of a collection; another result than CLI_OK ends the listing and is its result. */
typedef int list_fn(void *arg, const char *collection, const json_t *document);

/* prefix: of the ids, may be empty. */
int list_documents(struct cli *cli, struct bytes collection, struct bytes prefix, list_fn *each, void *arg);

/* The collections, {"collection","count"} each, as an array to be given back by json_decref. */
int list_collections(struct cli *cli, json_t **out);

#endif
