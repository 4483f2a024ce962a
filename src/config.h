/* pilcrowd's settings. One table (config.c) gives each its flag, its environment variable and its key in the
 * configuration file, a JSON object:
 *
 *     --log-level debug        PILCROW_LOG_LEVEL=debug        {"log-level": "debug"}
 *
 * Flags go before the environment, that before the file, that before the defaults. A list that is given in one place
 * replaces what other places say. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"

#define CONFIG_LIST_MAX 16

struct config_list {
    char *items[CONFIG_LIST_MAX];
    size_t n;
};

struct config {
    char *data;               /* directory */
    char *file;               /* the configuration file, or NULL */
    char *tokens;             /* the token file, or NULL */
    char *tls_cert, *tls_key; /* both or none */
    char *base_path;          /* "/p", or NULL */
    struct config_list listen, allow_origin, disable_type, retention;
    bool open_to_everyone;
    bool demos;
    bool memory; /* instead of data */
    bool log_as_json;
    enum log_level log_level;
    uint64_t max_message, max_document, max_queue, max_store; /* bytes */
    uint64_t max_unanswered_bytes, max_presence, max_transform, max_query;
    uint64_t max_unanswered, max_subscriptions, max_bulk, max_presences, max_components, max_depth; /* counts */
    uint64_t max_queries, max_query_documents, max_snapshots;
    uint64_t ping_seconds, handshake_seconds, idle_seconds;

    bool wants_help, wants_manual, wants_version, check_only; /* flags only */
};

enum config_error {
    CONFIG_WRONG = 1, /* the settings are at fault */
};

/* Returns 0, CONFIG_WRONG with one sentence in why[0..n_why), or -ENOMEM. *out is to be finished in any case. */
__attribute__((warn_unused_result)) int config_read(int argc, char *const *argv, struct config *out, char *why,
                                                    size_t n_why);
void config_finish(struct config *config);

/* What can be set, for people: rows from 0 on, until false. argument, help: NULL for none. */
struct config_row {
    const char *name, *argument, *help;
    bool is_flag_only; /* no variable of the environment, and no key of the file */
};
bool config_row(size_t i, struct config_row *out);

#define CONFIG_VARIABLE_CHARS 64
void config_variable(const char *option, char out[CONFIG_VARIABLE_CHARS]); /* of the environment */

/* config_help.c */
void config_print_help(FILE *to);
void config_print_manual(FILE *to); /* pilcrowd(8), in roff */

#endif
