#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/percent.h"
#include "base/log.h"
#include "cli/help.h"
#include "cli/spelling.h"
#include "cli/token_file.h"

#define WHY_BYTES 512

/* clang-format off */
const struct command *const commands[] = {
    &command_ls,
    &command_stat,
    &command_cat,
    &command_create,
    &command_put,
    &command_edit,
    &command_rm,
    &command_watch,
    &command_log,
    &command_diff,
    &command_blame,
    &command_restore,
    &command_export,
    &command_import,
    &command_backup,
    &command_check,
    &command_compact,
    &command_store,
    &command_ot,
    &command_token,
    &command_completion,
    &command_version,
    &command_help,
    NULL,
};
/* clang-format on */

int cli_usage(const struct command *command)
{
    char usage[USAGE_BYTES];

    return cli_say(CLI_USAGE, "usage: pilcrow %s; see pilcrow help %s", command_usage(command, usage, sizeof(usage)),
                   command->name);
}

/* ---- which command ----------------------------------------------------------------------------------------------- */

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
        if (spelling_distance(commands[i]->name, name) < spelling_distance(nearest->name, name))
            nearest = commands[i];
    if (spelling_distance(nearest->name, name) <= SPELLING_SLIPS)
        return cli_say(CLI_USAGE, "there is no command %s; did you mean %s?", name, nearest->name);
    return cli_say(CLI_USAGE, "there is no command %s; see pilcrow help", name);
}

/* ---- help -------------------------------------------------------------------------------------------------------- */

static int help_run(struct cli *cli, int n_words, char **words)
{
    const struct command *command = n_words ? command_find(words[0]) : NULL;

    if (n_words && !command)
        return say_unknown(words[0]);
    if (cli->options[OPTION_MAN])
        return manual_write(cli->options[OPTION_MAN]);
    if (command)
        help_command(command);
    else
        help_overview();
    return CLI_OK;
}

const struct command command_help = {
    "help",
    "[COMMAND]",
    "this, or one command in full",
    "    pilcrow help cat\n"
    "    pilcrow help --man man1\n",
    ACCESS_NONE,
    help_run,
    OPTIONS(OPTION_MAN),
    GROUP_TOOLS,
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
    "version",   "",          "the version of this tool", "    pilcrow version --json\n",
    ACCESS_NONE, version_run, .group = GROUP_TOOLS,
};

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int transport_open(struct cli *cli, bool writes)
{
    char why[WHY_BYTES] = "out of memory";
    int r = cli->data ? transport_store_open(cli->data, writes, &cli->transport, why, sizeof(why))
                      : transport_http_open(cli->server, cli->token, cli->options[OPTION_CACERT], &cli->transport);

    if (r == 0)
        return CLI_OK;
    switch (r) {
    case -EBUSY: return cli_say(CLI_UNAVAILABLE, "%s; ask the server that has it, with --server", why);
    case -ENOENT: return cli_say(CLI_NOT_FOUND, "%s", why);
    case -EBADMSG: return cli_say(CLI_DAMAGED, "%s", why);
    default: return cli_say(CLI_FAILED, "%s", why);
    }
}

/* Whether it takes all that was given. */
static int options_check(const struct cli *cli, const struct command *command)
{
    for (int i = N_GLOBAL_OPTIONS; i < N_OPTIONS; i++)
        if (cli->options[i] && !option_set_has(&command->options, (enum option_id)i))
            return cli_say(CLI_USAGE, "%s takes no --%s; see pilcrow help %s", command->name, option_rows[i].name,
                           command->name);
    return CLI_OK;
}

static bool wants_transport(const struct cli *cli, const struct command *command)
{
    return command->access == ACCESS_READ || command->access == ACCESS_WRITE ||
           (command->access == ACCESS_FILES && !cli->data);
}

static int command_run(struct cli *cli, const struct command *command, int n_words, char **words)
{
    int status = options_check(cli, command);

    if (status == CLI_OK && command->access != ACCESS_NONE && cli->options[OPTION_TOKEN_FILE] && !cli->data)
        status = token_file_read(cli->options[OPTION_TOKEN_FILE], cli->token);
    if (status == CLI_OK && wants_transport(cli, command))
        status = transport_open(cli, command->access == ACCESS_WRITE && !cli->options[OPTION_DRY_RUN]);
    if (status == CLI_OK)
        status = command->run(cli, n_words, words);
    if (cli->transport)
        cli->transport->destroy(cli->transport);
    if (fflush(stdout) != 0 && errno != EPIPE && status == CLI_OK)
        status = cli_say(CLI_FAILED, "standard output: %s", strerror(errno));
    return status;
}

/* As a header has it. */
static bool author_read(struct cli *cli)
{
    const char *author = cli->options[OPTION_AUTHOR] ? cli->options[OPTION_AUTHOR] : "";
    struct buffer encoded;
    bool fits;

    buffer_init(&encoded, sizeof(cli->author) - 1);
    percent_encode(bytes_of_string(author), &encoded);
    fits = !encoded.error;
    if (!fits)
        (void)cli_say(CLI_USAGE, "--author is too long");
    else
        (void)snprintf(cli->author, sizeof(cli->author), "%.*s", (int)encoded.n_bytes, encoded.at ? encoded.at : "");
    buffer_finish(&encoded);
    return fits;
}

int main(int argc, char **argv)
{
    struct cli cli = { 0 };
    const struct command *command;
    int first;

    (void)signal(SIGPIPE, SIG_DFL); /* who stops reading, stops us, silently */
    if (!options_read(argc, argv, cli.options, &first))
        return CLI_USAGE;
    cli.server = cli.options[OPTION_SERVER] ? cli.options[OPTION_SERVER] : SERVER_DEFAULT;
    cli.data = cli.options[OPTION_DATA];
    cli.json = cli.options[OPTION_JSON];
    cli.yes = cli.options[OPTION_YES];
    if (!author_read(&cli))
        return CLI_USAGE;
    log_setup(LOG_WARNING, false); /* what a store tells is for the log of a server */
    if (cli.options[OPTION_HELP])  /* `pilcrow ls --help` is `pilcrow help ls` */
        return help_run(&cli, argc - first, argv + first);
    if (cli.options[OPTION_VERSION])
        return command_run(&cli, &command_version, 0, NULL);
    if (first == argc) {
        help_overview();
        return CLI_USAGE;
    }
    command = command_find(argv[first]);
    if (!command)
        return say_unknown(argv[first]);
    return command_run(&cli, command, argc - first - 1, argv + first + 1);
}
