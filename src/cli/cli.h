/* pilcrow, the command-line tool: one table of commands, one file a command, one way to ask.
 *
 *     command --exchange--> transport_http.c     a running server, over HTTP (libcurl)
 *                      \--> transport_store.c    a store of one's own: the same REST resources, in this process */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "cli/options.h"
#include "cli/transport.h"

enum cli_exit {
    CLI_OK,
    CLI_FAILED,
    CLI_USAGE,
    CLI_NOT_FOUND,
    CLI_CONFLICT, /* or a precondition that does not hold */
    CLI_NOT_ALLOWED,
    CLI_UNAVAILABLE,
    CLI_DAMAGED,
};

#define CLI_TOKEN_MAX  1024
#define CLI_AUTHOR_MAX 512
#define SERVER_DEFAULT "http://127.0.0.1:8080"

struct cli {
    const char *options[N_OPTIONS]; /* as options_read gives them */
    const char *server, *data;      /* data not NULL: the store in that directory */
    char author[CLI_AUTHOR_MAX];    /* percent-encoded; "": nobody in particular */
    char token[CLI_TOKEN_MAX];      /* what is in --token-file, once a server is to be asked; "": none */
    bool json, yes;                 /* --json, --yes */
    struct transport *transport;    /* opened before the command runs, if it wants one */
};

enum cli_access {
    ACCESS_NONE,
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_FILES, /* a server; a store only by its path */
    ACCESS_LINE,  /* of its own, to a server */
};

/* The headings of `help`. */
enum command_group { GROUP_DOCUMENTS, GROUP_HISTORY, GROUP_ADMINISTRATION, GROUP_TOOLS, N_GROUPS };

struct command {
    const char *name, *arguments, *summary;
    const char *details; /* for `help`: examples, indented by four blanks, then an empty line and the rest */
    enum cli_access access;
    int (*run)(struct cli *cli, int n_words, char **words); /* words behind the command's name; returns enum cli_exit */
    struct option_set options;                              /* that it takes, beside the global ones */
    enum command_group group;
};

/* clang-format off */
extern const struct command
    command_ls,
    command_stat,
    command_cat,
    command_create,
    command_put,
    command_edit,
    command_rm,
    command_watch,
    command_log,
    command_diff,
    command_blame,
    command_restore,
    command_export,
    command_import,
    command_backup,
    command_check,
    command_compact,
    command_store,
    command_ot,
    command_token,
    command_completion,
    command_version,
    command_help;
/* clang-format on */

extern const struct command *const commands[]; /* ends with NULL */

/* One line on standard error, "pilcrow: ..."; returns status. */
__attribute__((format(printf, 2, 3))) int cli_say(int status, const char *format, ...);

/* "usage: pilcrow ls [COLLECTION]; see pilcrow help ls"; returns CLI_USAGE. */
int cli_usage(const struct command *command);

/* Asks, whatever the answer is; CLI_UNAVAILABLE, and has said why, when there is none. */
int cli_perform(struct cli *cli, struct exchange *exchange);

/* Asks and judges the answer: below 300 CLI_OK, else it says what the server said and returns the exit status. */
int cli_ask(struct cli *cli, struct exchange *exchange);

/* The second half of that. */
int cli_judge(struct cli *cli, const struct exchange *exchange);

/* There is no such document: says so, or that it was deleted or forgotten, and what can be done. CLI_NOT_FOUND. */
int cli_say_missing(struct cli *cli, const struct doc *doc);

/* Asks the question, "Delete notes/diary?", and returns CLI_OK if the answer is yes or --yes was given; else it has
 * said why not: CLI_USAGE without a terminal. */
__attribute__((format(printf, 2, 3))) int cli_confirm(const struct cli *cli, const char *format, ...);

/* Writes everything to standard output; CLI_OK or CLI_FAILED. Nobody reading any more is no failure. */
int cli_print(struct bytes bytes);

#endif
