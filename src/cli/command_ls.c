#include <stdio.h>
#include <unistd.h>

#include "cli/list.h"

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static int print_json(const json_t *object)
{
    int failed = json_dumpf(object, stdout, JSON_COMPACT);

    (void)putchar('\n');
    return failed ? cli_say(CLI_FAILED, "standard output does not take it") : CLI_OK;
}

static int print_document(void *arg, const char *collection, const json_t *document)
{
    const struct cli *cli = arg;

    if (cli->json)
        return print_json(document);
    (void)printf(isatty(STDOUT_FILENO) ? "%-32s  %-12s  %8lld  %10lld  %s\n" : "%s\t%s\t%lld\t%lld\t%s\n",
                 text(document, "id"), text(document, "type"), number(document, "version"), number(document, "size"),
                 text(document, "modified"));
    return CLI_OK;
}

static int print_collections(struct cli *cli)
{
    json_t *collections = NULL;
    int status = list_collections(cli, &collections);

    for (size_t i = 0; !status && i < json_array_size(collections); i++) {
        const json_t *collection = json_array_get(collections, i);

        if (cli->json)
            status = print_json(collection);
        else
            (void)printf(isatty(STDOUT_FILENO) ? "%-32s  %8lld\n" : "%s\t%lld\n", text(collection, "collection"),
                         number(collection, "count"));
    }
    json_decref(collections);
    return status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    const char *prefix = cli->options[OPTION_PREFIX];

    if (n_words > 1 || (prefix && !n_words))
        return cli_usage(&command_ls);
    if (n_words == 0)
        return print_collections(cli);
    if (!cli->json && isatty(STDOUT_FILENO))
        (void)printf("%-32s  %-12s  %8s  %10s  %s\n", "id", "type", "version", "size", "modified");
    return list_documents(cli, bytes_of_string(words[0]), bytes_of_string(prefix ? prefix : ""), print_document, cli);
}

const struct command command_ls = {
    "ls",
    "[COLLECTION]",
    "collections, or the documents of one",
    "    pilcrow ls\n"
    "    pilcrow ls notes\n"
    "    pilcrow ls notes --prefix 2026-\n"
    "    pilcrow ls notes --json | jq .id\n\n"
    "Documents with type, version, size and time of the last change, in the order of their ids.\n",
    ACCESS_READ,
    run,
    OPTIONS(OPTION_PREFIX),
};
