#include <stdio.h>
#include <unistd.h>

#include "cli/list.h"
#include "cli/name.h"
#include "cli/shown.h"

struct wanted {
    const struct cli *cli;
    const struct doc *doc;
    bool is_found;
};

static int print_text(const json_t *document)
{
    bool on_terminal = isatty(STDOUT_FILENO);
    char when[MOMENT_BYTES];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)document, key, value) /* the macro knows no const */
    {
        bool is_time = strcmp(key, "created") == 0 || strcmp(key, "modified") == 0;

        if (!json_is_string(value))
            (void)printf("%-10s  %lld\n", key, (long long)json_integer_value(value));
        else
            (void)printf("%-10s  %s\n", key,
                         is_time && on_terminal ? shown_time(json_string_value(value), when)
                                                : json_string_value(value));
    }
    return CLI_OK;
}

/* The listing begins with the id itself, if there is such a document: nothing sorts between. */
static int on_document(void *arg, const char *collection, const json_t *document)
{
    struct wanted *wanted = arg;
    const json_t *id = json_object_get(document, "id");
    json_t *whole;
    int status = CLI_OK;

    if (!bytes_equal(bytes_of(json_string_value(id), json_string_length(id)),
                     bytes_of(wanted->doc->id, wanted->doc->n_id)))
        return CLI_NOT_FOUND;
    wanted->is_found = true;
    whole = json_pack("{s:s}", "collection", collection);
    if (!whole || json_object_update(whole, (json_t *)(uintptr_t)document))
        status = cli_say(CLI_FAILED, "out of memory");
    else if (wanted->cli->json)
        status = json_dumpf(whole, stdout, JSON_COMPACT) || putchar('\n') == EOF ? CLI_FAILED : CLI_OK;
    else
        status = print_text(whole);
    json_decref(whole);
    return status ? status : CLI_NOT_FOUND; /* the others are not wanted */
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct doc doc;
    struct wanted wanted = { cli, &doc, false };
    int status;

    if (n_words != 1)
        return cli_usage(&command_stat);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = list_documents(cli, bytes_of(doc.collection, doc.n_collection), bytes_of(doc.id, doc.n_id), on_document,
                            &wanted);
    if (wanted.is_found)
        return status == CLI_NOT_FOUND ? CLI_OK : status;
    return status && status != CLI_NOT_FOUND ? status : cli_say_missing(cli, &doc);
}

const struct command command_stat = {
    "stat",
    "DOC",
    "what is known of a document",
    "    pilcrow stat notes/diary\n"
    "    pilcrow stat notes/diary --json\n\n"
    "Collection, id, type, version, size in bytes, and when it was created and last changed: local times on a\n"
    "terminal, else UTC. Of a document that was deleted it says so, and ends with 3.\n",
    ACCESS_READ,
    run,
};
