#include <jansson.h>
#include <stdio.h>

#include "auth/tokens.h"
#include "cli/cli.h"

#define RIGHTS_DEFAULT "read,write"

/* "read,write" as a list. CLI_OK, or has said what is wrong. */
static int rights_read(const char *text, json_t *rights)
{
    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        if (right_of_name(bytes_of(text, n)) == RIGHT_NONE)
            return cli_say(CLI_USAGE, "'%.*s' is no right; rights are read, write and admin", (int)n, text);
        if (json_array_append_new(rights, json_stringn(text, n)))
            return cli_say(CLI_FAILED, "out of memory");
    }
    return CLI_OK;
}

static int print_json(const json_t *json, FILE *to)
{
    return json_dumpf(json, to, JSON_COMPACT) || fputc('\n', to) == EOF ? CLI_FAILED : CLI_OK;
}

/* The secret alone on standard output, so that it can be caught into a file; what is to be shown to people beside it.
 */
static int print(const struct cli *cli, const char *secret, json_t *entry)
{
    json_t *both;
    int status;

    if (!cli->json)
        return printf("%s\n", secret) < 0 ? CLI_FAILED : print_json(entry, stderr);
    both = json_pack("{s:s,s:O}", "secret", secret, "principal", entry);
    status = both ? print_json(both, stdout) : cli_say(CLI_FAILED, "out of memory");
    json_decref(both);
    return status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    char secret[TOKEN_CHARS + 1], hash[TOKEN_HASH_TEXT_BYTES];
    const char *wanted = cli->options[OPTION_RIGHTS];
    json_t *rights, *entry = NULL;
    int status;

    if (n_words != 1 || (wanted && !*wanted))
        return cli_usage(&command_token);
    if (!token_name_is_allowed(bytes_of_string(words[0])))
        return cli_say(CLI_USAGE, "no principal can be called that: 1 to %d bytes of UTF-8, and not 'anyone'",
                       PRINCIPAL_NAME_MAX_BYTES);
    rights = json_array();
    status = rights_read(wanted ? wanted : RIGHTS_DEFAULT, rights);
    if (status)
        goto out;
    token_make(&world_real, secret, hash);
    entry = json_pack("{s:s,s:O,s:[s]}", "name", words[0], "rights", rights, "secrets", hash);
    status = entry ? print(cli, secret, entry) : cli_say(CLI_FAILED, "out of memory");
out:
    json_decref(rights);
    json_decref(entry);
    return status;
}

const struct command command_token = {
    "token",
    "NAME",
    "a fresh token for a principal",
    "    (umask 077; pilcrow token ink >ink.token)\n"
    "    pilcrow token reader --rights read --json\n\n"
    "Prints a secret that nobody has, and on standard error the entry for the server's token file, which holds\n"
    "only its hash: the secret can't be printed again. The token file, `pilcrowd --tokens FILE`, is one JSON object,\n"
    "{\"principals\": [ENTRY, ENTRY]}. For a principal who is there already, add the hash to his `secrets`. Nothing "
    "is\n"
    "asked of a server; it reads its file when it starts, and on SIGHUP. Without --rights he may read and write;\n"
    "admin brings both, write brings read. --json prints both as one object, {\"secret\",\"principal\"}.\n",
    ACCESS_NONE,
    run,
    OPTIONS(OPTION_RIGHTS),
    .group = GROUP_ADMINISTRATION,
};
