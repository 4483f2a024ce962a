/* The log of a document as a server has it, page by page, as the records that it is made of. */
#ifndef CLI_OPS_H
#define CLI_OPS_H

#include "cli/archive.h"
#include "cli/cli.h"

/* Another result than CLI_OK ends the reading and is its result. The record is borrowed until it returns. */
typedef int ops_fn(void *arg, uint64_t version, const struct record *record);

/* How much of a log there is to read. */
enum ops_result {
    OPS_GONE = 100, /* these versions are not there any more, or never were: purged, or within what was merged */
};

/* Every record of [from, to), also those that stand for several. The last may lead beyond. Returns CLI_OK; OPS_GONE; or
 * another exit status, and has said why. *at: how far it came. */
int ops_read(struct cli *cli, struct store_name name, uint64_t from, uint64_t to, ops_fn *each, void *arg,
             uint64_t *at);

#endif
