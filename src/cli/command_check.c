/* Every document is played again from its first operation and compared with what is kept and served of it: the log is
 * the truth, and this proves that everything else follows from it. On the files of a store, or over HTTP. */
#include "cli/check_inside.h"

static int run(struct cli *cli, int n_words, char **words)
{
    const char *salvage = cli->options[OPTION_SALVAGE];

    if (n_words)
        return cli_usage(&command_check);
    if (salvage && !cli->data)
        return cli_say(CLI_USAGE, "--salvage reads the files of a store: it takes --data");
    if (salvage)
        return check_salvage(cli, salvage);
    return cli->data ? check_files(cli) : check_server(cli);
}

const struct command command_check = {
    "check",
    "",
    "verify the store, and every document by replaying it",
    "    pilcrow --data pilcrow-data check\n"
    "    pilcrow --data pilcrow-data check --salvage saved.ndjson\n"
    "    pilcrow check\n\n"
    "With --data the files are looked at page by page, every document, deleted ones too, is played again from its "
    "first\n"
    "operation, and compared with every snapshot of it. Names what is damaged and says what to do; exit status 7 when\n"
    "there is anything. Works beside a running server, and on files that would end it. Without --data the server is\n"
    "asked for every document, deleted ones too, and its operations; that needs the right admin.\n\n"
    "--salvage writes what can still be read as an export, for pilcrow import; documents of which something is lost "
    "are\n"
    "cut off there, and the newest content behind that is saved as ID.salvaged-VERSION. The store is never written "
    "to.\n",
    ACCESS_FILES,
    run,
    OPTIONS(OPTION_SALVAGE),
    .group = GROUP_ADMINISTRATION,
};
