/* What a retention rule would look at: operations that are older than it says. */
#ifndef CLI_OLD_HISTORY_H
#define CLI_OLD_HISTORY_H

#include "cli/cli.h"
#include "doc/retain_rules.h"

struct old_history {
    uint64_t n_documents,
        n_operations; /* that have such operations; those, the ones that stay as they are among them */
};

/* Asks for every document of the rules' collections. CLI_OK, or has said what is wrong. */
int old_history_count(struct cli *cli, const struct retain_rules *rules, struct old_history *out);

#endif
