#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/token_file.h"

#define SERVER_DEFAULT "http://127.0.0.1:8080"
#define WHY_BYTES      512

const struct command *const commands[] = {
    &command_ls,    &command_stat,  &command_cat, &command_create, &command_put,     &command_edit, &command_rm,
    &command_watch, &command_check, &command_ot,  &command_token,  &command_version, &command_help, NULL,
};

int cli_usage(const struct command *command)
{
    return cli_say(CLI_USAGE, "usage: pilcrow %s %s", command->name, command->arguments);
}

/* ---- which command ----------------------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be added, removed or replaced. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], n = strlen(b);

    if (n >= sizeof(row) / sizeof(row[0]))
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];

            row[j] = least(least(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int say_unknown(const char *name)
{
    const struct command *nearest = commands[0];

    for (size_t i = 1; commands[i]; i++)
        if (distance(commands[i]->name, name) < distance(nearest->name, name))
            nearest = commands[i];
    if (distance(nearest->name, name) <= 2)
        return cli_say(CLI_USAGE, "there is no command %s; did you mean %s?", name, nearest->name);
    return cli_say(CLI_USAGE, "there is no command %s; see pilcrow help", name);
}

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void print_overview(void)
{
    (void)printf("pilcrow [OPTIONS] COMMAND ...\n\n");
    for (size_t i = 0; commands[i]; i++)
        (void)printf("  %-8s %-34s %s\n", commands[i]->name, commands[i]->arguments, commands[i]->summary);
    (void)printf("\n"
                 "DOC is COLLECTION/ID, percent-encoding is understood. Options, anywhere on the line:\n"
                 "  --server URL       the server to ask: http://HOST:PORT or unix:PATH (PILCROW_SERVER; %s)\n"
                 "  --token-file FILE  the token for that server: the first line of FILE (PILCROW_TOKEN_FILE)\n"
                 "  --data DIR         the store in DIR instead, without a server (PILCROW_DATA)\n"
                 "  --json             one JSON object, or one a line for lists\n"
                 "  --yes              no questions\n\n"
                 "Exit status: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict or precondition, 5 not allowed,\n"
                 "6 unavailable, 7 integrity error found.\n",
                 SERVER_DEFAULT);
}

static int help_run(struct cli *cli, int n_words, char **words)
{
    const struct command *command = n_words ? command_find(words[0]) : NULL;

    if (n_words && !command)
        return say_unknown(words[0]);
    if (command)
        (void)printf("pilcrow %s %s\n\n%s\n", command->name, command->arguments, command->details);
    else
        print_overview();
    return CLI_OK;
}

const struct command command_help = {
    "help", "[COMMAND]", "this, or one command in full", "    pilcrow help cat\n", ACCESS_NONE, help_run,
};

static int version_run(struct cli *cli, int n_words, char **words)
{
    if (cli->json)
        (void)printf("{\"version\":\"%s\"}\n", PILCROW_VERSION);
    else
        (void)printf("pilcrow %s\n", PILCROW_VERSION);
    return CLI_OK;
}

const struct command command_version = {
    "version", "", "the version of this tool", "    pilcrow version --json\n", ACCESS_NONE, version_run,
};

/* ---- options ----------------------------------------------------------------------------------------------------- */

enum {
    OPTION_SERVER = 256,
    OPTION_DATA,
    OPTION_TOKEN_FILE,
    OPTION_TYPE,
    OPTION_RIGHTS,
    OPTION_FROM,
    OPTION_COUNT,
    OPTION_JSON,
    OPTION_YES,
    OPTION_LINES,
    OPTION_VERSION
};

static const struct option options[] = {
    { "server", required_argument, NULL, OPTION_SERVER },
    { "data", required_argument, NULL, OPTION_DATA },
    { "token-file", required_argument, NULL, OPTION_TOKEN_FILE },
    { "type", required_argument, NULL, OPTION_TYPE },
    { "rights", required_argument, NULL, OPTION_RIGHTS },
    { "from", required_argument, NULL, OPTION_FROM },
    { "count", required_argument, NULL, OPTION_COUNT },
    { "json", no_argument, NULL, OPTION_JSON },
    { "yes", no_argument, NULL, OPTION_YES },
    { "lines", no_argument, NULL, OPTION_LINES },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

/* Returns CLI_OK and in *name the command that the options themselves ask for, or NULL. */
static int options_read(struct cli *cli, int argc, char **argv, const char **name)
{
    int option;

    *name = NULL;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case OPTION_SERVER:
            cli->server = optarg;
            cli->data = NULL;
            break;
        case OPTION_DATA: cli->data = optarg; break;
        case OPTION_TOKEN_FILE: cli->token_file = optarg; break;
        case OPTION_TYPE: cli->type = optarg; break;
        case OPTION_RIGHTS: cli->rights = optarg; break;
        case OPTION_FROM: cli->from = optarg; break;
        case OPTION_COUNT: cli->count = optarg; break;
        case OPTION_JSON: cli->json = true; break;
        case OPTION_YES: cli->yes = true; break;
        case OPTION_LINES: cli->lines = true; break;
        case OPTION_VERSION: *name = "version"; break;
        case 'h': *name = "help"; break;
        default: return cli_say(CLI_USAGE, "unknown or incomplete option %s; see pilcrow help", argv[optind - 1]);
        }
    }
    return CLI_OK;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int transport_open(struct cli *cli, bool writes)
{
    char why[WHY_BYTES] = "out of memory";
    int r = cli->data ? transport_store_open(cli->data, writes, &cli->transport, why, sizeof(why))
                      : transport_http_open(cli->server, cli->token, &cli->transport);

    if (r == 0)
        return CLI_OK;
    return cli_say(r == -EBUSY ? CLI_UNAVAILABLE : r == -EBADMSG ? CLI_DAMAGED : CLI_FAILED, "%s", why);
}

static int command_run(struct cli *cli, const struct command *command, int n_words, char **words)
{
    int status = CLI_OK;

    if (command->access != ACCESS_NONE && cli->token_file && !cli->data)
        status = token_file_read(cli->token_file, cli->token);
    if (status == CLI_OK && (command->access == ACCESS_READ || command->access == ACCESS_WRITE))
        status = transport_open(cli, command->access == ACCESS_WRITE);
    if (status == CLI_OK)
        status = command->run(cli, n_words, words);
    if (cli->transport)
        cli->transport->destroy(cli->transport);
    if (fflush(stdout) != 0 && errno != EPIPE && status == CLI_OK)
        status = cli_say(CLI_FAILED, "standard output: %s", strerror(errno));
    return status;
}

int main(int argc, char **argv)
{
    struct cli cli = { .server = getenv("PILCROW_SERVER"),
                       .data = getenv("PILCROW_DATA"),
                       .token_file = getenv("PILCROW_TOKEN_FILE") };
    const struct command *command;
    const char *name;
    int status;

    (void)signal(SIGPIPE, SIG_DFL); /* who stops reading, stops us, silently */
    if (!cli.server)
        cli.server = SERVER_DEFAULT;
    status = options_read(&cli, argc, argv, &name);
    if (status)
        return status;
    if (name && strcmp(name, "help") == 0) /* `pilcrow ls --help` is `pilcrow help ls` */
        return command_run(&cli, &command_help, argc - optind, argv + optind);
    if (name)
        return command_run(&cli, &command_version, 0, NULL);
    if (optind == argc) {
        print_overview();
        return CLI_USAGE;
    }
    command = command_find(argv[optind]);
    if (!command)
        return say_unknown(argv[optind]);
    return command_run(&cli, command, argc - optind - 1, argv + optind + 1);
}
