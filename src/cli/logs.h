/* Every log of a server, or of a store that is opened as one (GET /v1/logs), one by one, in order of names. */
#ifndef CLI_LOGS_H
#define CLI_LOGS_H

#include <jansson.h>

#include "cli/cli.h"
#include "storage/store.h"

struct log_row {
    struct store_name name;
    struct bytes type; /* short name; empty: there is no document */
    bool exists;
    uint64_t first, version;
    uint64_t n_bytes, created_ms, modified_ms;
};

struct logs {
    struct cli *cli;
    struct bytes only; /* of one collection; empty: of all */
    json_t *page;
    size_t next;
    bool more;
    struct log_row row; /* valid until the next call */
};

/* only: borrowed. */
void logs_init(struct logs *logs, struct cli *cli, struct bytes only);
void logs_finish(struct logs *logs);

/* The next into logs->row; *found: false, there is none. Returns CLI_OK, or has said what is wrong. */
int logs_next(struct logs *logs, bool *found);

/* Order of names, as lists have it. */
int name_compare(struct store_name a, struct store_name b);

#endif
