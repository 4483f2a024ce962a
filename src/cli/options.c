#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/spelling.h"

const struct option_row option_rows[N_OPTIONS] = {
    [OPTION_SERVER] = { "server", "URL",
                        "the server to ask: http://HOST:PORT, https://HOST or unix:PATH; with /BASE where it has one "
                        "(unix:PATH:/BASE)",
                        "PILCROW_SERVER" },
    [OPTION_TOKEN_FILE] = { "token-file", "FILE", "the token for that server: the first line of FILE",
                            "PILCROW_TOKEN_FILE" },
    [OPTION_CACERT] = { "cacert", "FILE", "trust servers that the authorities in FILE, in PEM, vouch for",
                        "PILCROW_CACERT" },
    [OPTION_AUTHOR] = { "author", "NAME", "who writes, for the history of a server without tokens, or of a store",
                        "PILCROW_AUTHOR" },
    [OPTION_DATA] = { "data", "DIR", "the store in DIR instead, without a server", "PILCROW_DATA" },
    [OPTION_JSON] = { "json", NULL, "one JSON object, or one a line for lists", NULL },
    [OPTION_YES] = { "yes", NULL, "no questions", NULL },
    [OPTION_HELP] = { "help", NULL, "what the command does, and examples", NULL },
    [OPTION_VERSION] = { "version", NULL, "the version of this tool", NULL },
    [OPTION_TYPE] = { "type", "TYPE", "text-unicode, rich-text, json0 or json1", NULL },
    [OPTION_BASE] = { "base", "VERSION", "the one that the file was made from: what others have written since stays",
                      NULL },
    [OPTION_RIGHTS] = { "rights", "RIGHTS", "what the token's owner may: read, write, admin", NULL },
    [OPTION_FROM] = { "from", "VERSION", "begin there", NULL },
    [OPTION_COUNT] = { "count", "N", "end after so many", NULL },
    [OPTION_PURGE] = { "purge", NULL, "its history, too, for good", NULL },
    [OPTION_DRY_RUN] = { "dry-run", NULL, "only say what would be done", NULL },
    [OPTION_NO_HISTORY] = { "no-history", NULL, "documents as they are now, without how they came about", NULL },
    [OPTION_INCREMENTAL] = { "incremental", NULL, "bring an older backup up to date", NULL },
    [OPTION_RETENTION] = { "retention", "COLLECTION=DAYS",
                           "first merge operations that are older; several: with commas", NULL },
    [OPTION_LINES] = { "lines", NULL, "one request a line on standard input, one answer a line", NULL },
    [OPTION_MAN] = { "man", "DIR", "write all manual pages into DIR", NULL },
    [OPTION_PREFIX] = { "prefix", "PREFIX", "only those whose ids begin so", NULL },
    [OPTION_FIND] = { "find", "TEXT", "only those whose names hold this, in small or capital letters", NULL },
    [OPTION_DELETED] = { "deleted", NULL, "those that were deleted and can be restored, instead", NULL },
    [OPTION_SINCE] = { "since", "TIME", "what is not older: 2026-11-01, 2026-11-01T12:00, yesterday, 2h, 3d", NULL },
    [OPTION_UNTIL] = { "until", "TIME", "what is not newer", NULL },
    [OPTION_TO] = { "to", "VERSION", "end there", NULL },
    [OPTION_PAUSE] = { "pause", "SECONDS", "how long a pause parts two groups (300)", NULL },
    [OPTION_LIMIT] = { "limit", "N", "no more than so many", NULL },
    [OPTION_SALVAGE] = { "salvage", "OUT", "save what is still readable as an export, in a new file or -", NULL },
};

bool option_set_has(const struct option_set *set, enum option_id id)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->ids[i] == id)
            return true;
    return false;
}

#define LONG_OPTION 256 /* getopt's numbers for ours; those below are letters */

/* found, optopt: getopt's. */
static void say_flaw(int found, const char *word)
{
    const char *name = word + strspn(word, "-"), *nearest = NULL;
    const struct option_row *row = optopt >= LONG_OPTION ? &option_rows[optopt - LONG_OPTION] : NULL;
    size_t slips = SPELLING_SLIPS + 1;

    for (size_t i = 0; i < N_OPTIONS; i++)
        if (spelling_distance(name, option_rows[i].name) < slips) {
            nearest = option_rows[i].name;
            slips = spelling_distance(name, nearest);
        }
    if (found == ':' && row)
        (void)cli_say(CLI_USAGE, "--%s wants a value: %s; see pilcrow help", row->name, row->argument);
    else if (row)
        (void)cli_say(CLI_USAGE, "--%s takes no value; see pilcrow help", row->name);
    else if (nearest && slips * 2 < strlen(name))
        (void)cli_say(CLI_USAGE, "there is no option %s; did you mean --%s?", word, nearest);
    else
        (void)cli_say(CLI_USAGE, "there is no option %s; see pilcrow help", word);
}

bool options_read(int argc, char **argv, const char *values[N_OPTIONS], int *first)
{
    struct option all[N_OPTIONS + 1] = { 0 };
    int found;

    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option_row *row = &option_rows[i];

        all[i] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL, LONG_OPTION + i };
        values[i] = row->variable ? getenv(row->variable) : NULL;
    }
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":h", all, NULL)) != -1) {
        if (found == '?' || found == ':') {
            say_flaw(found, argv[optind - 1]);
            return false;
        }
        found = found == 'h' ? OPTION_HELP : found - LONG_OPTION;
        values[found] = optarg ? optarg : "";
        if (found == OPTION_SERVER)
            values[OPTION_DATA] = NULL; /* said now, against a PILCROW_DATA of the environment */
    }
    *first = optind;
    return true;
}
