/* Collections; documents of one, or of all; those that were deleted. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "cli/list.h"
#include "cli/logs.h"
#include "cli/point.h"
#include "cli/shown.h"

struct ls {
    struct cli *cli;
    bool of_all;              /* of all collections, each document with its own before it */
    const char *prefix;       /* "": whatever its id begins with */
    const char *find;         /* NULL: whatever it holds */
    char since[MOMENT_BYTES]; /* as HTTP has times; "": whenever */
};

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

static bool is_table(const struct cli *cli)
{
    return !cli->json && isatty(STDOUT_FILENO);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

#define NAME_CHARACTERS 32

static void print_heading(const struct ls *ls)
{
    bool deleted = ls->cli->options[OPTION_DELETED];

    shown_cell(ls->of_all ? "document" : "id", NAME_CHARACTERS);
    shown_cell(deleted ? "" : "type", 12);
    (void)printf("%8s  %11s  %s\n", "version", deleted ? "" : "size", deleted ? "deleted" : "modified");
}

static void print_row(const char *name, const json_t *document)
{
    char size[SHOWN_SIZE_BYTES] = "", when[MOMENT_BYTES];

    shown_cell(name, NAME_CHARACTERS);
    shown_cell(text(document, "type"), 12);
    if (*text(document, "type"))
        (void)shown_size((uint64_t)number(document, "size"), size);
    (void)printf("%8lld  %11s  %s\n", number(document, "version"), size, shown_time(text(document, "modified"), when));
}

static int print_with_collection(const char *collection, const json_t *document)
{
    json_t *whole = json_pack("{s:s}", "collection", collection);
    int status = whole && !json_object_update(whole, (json_t *)(uintptr_t)document) /* which it does not change */
                     ? print_json(whole)
                     : cli_say(CLI_FAILED, "out of memory");

    json_decref(whole);
    return status;
}

/* Among all collections, theirs is a part of the name. */
static bool is_found(const struct ls *ls, const char *collection, const char *id)
{
    char whole[2 * DOC_TEXT_MAX];

    (void)snprintf(whole, sizeof(whole), "%s/%s", collection, id);
    return !ls->find || strcasestr(ls->of_all ? whole : id, ls->find);
}

/* RFC 3339 as the server writes it, so the order of the letters is that of time. */
static bool is_wanted(const struct ls *ls, const char *collection, const json_t *document)
{
    const char *id = text(document, "id");

    return strncmp(id, ls->prefix, strlen(ls->prefix)) == 0 && is_found(ls, collection, id) &&
           strcmp(text(document, "modified"), ls->since) >= 0;
}

static int on_document(void *arg, const char *collection, const json_t *document)
{
    const struct ls *ls = arg;
    struct doc doc;
    char name[DOC_SHOWN_BYTES];

    if (!is_wanted(ls, collection, document))
        return CLI_OK;
    if (ls->cli->json)
        return ls->of_all ? print_with_collection(collection, document) : print_json(document);
    (void)snprintf(name, sizeof(name), "%s", text(document, "id"));
    if (ls->of_all && doc_set(&doc, bytes_of_string(collection), bytes_of_string(text(document, "id"))))
        (void)doc_shown(&doc, name);
    if (is_table(ls->cli))
        print_row(name, document);
    else
        (void)printf("%s\t%s\t%lld\t%lld\t%s\n", name, text(document, "type"), number(document, "version"),
                     number(document, "size"), text(document, "modified"));
    return CLI_OK;
}

static int print_all(struct ls *ls)
{
    json_t *collections = NULL;
    int status = list_collections(ls->cli, &collections);

    for (size_t i = 0; !status && i < json_array_size(collections); i++) {
        const json_t *name = json_object_get(json_array_get(collections, i), "collection");

        status = list_documents(ls->cli, bytes_of(json_string_value(name), json_string_length(name)),
                                bytes_of_string(ls->prefix), on_document, ls);
    }
    json_decref(collections);
    return status;
}

/* ---- those that were deleted ------------------------------------------------------------------------------------- */

static int print_deleted_row(struct ls *ls, const struct log_row *row)
{
    char collection[DOC_TEXT_MAX], created[TIME_BYTES], deleted[TIME_BYTES];
    json_t *document;
    int status;

    (void)snprintf(collection, sizeof(collection), "%.*s", (int)row->name.collection.n_bytes,
                   (const char *)row->name.collection.at);
    time_write(row->created_ms, created);
    time_write(row->modified_ms, deleted);
    document = json_pack("{s:s%,s:n,s:I,s:I,s:s,s:s}", "id", row->name.id.at, row->name.id.n_bytes, "type", "version",
                         (json_int_t)row->version, "size", (json_int_t)0, "created", created, "modified", deleted);
    status = document ? on_document(ls, collection, document) : cli_say(CLI_FAILED, "out of memory");
    json_decref(document);
    return status;
}

static int print_deleted(struct ls *ls, struct bytes collection)
{
    struct logs logs;
    bool found = false;
    int status;

    logs_init(&logs, ls->cli, collection);
    status = logs_next(&logs, &found);
    while (!status && found) {
        if (!logs.row.exists)
            status = print_deleted_row(ls, &logs.row);
        if (!status)
            status = logs_next(&logs, &found);
    }
    logs_finish(&logs);
    return status;
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static int print_collections(struct cli *cli)
{
    json_t *collections = NULL;
    int status = list_collections(cli, &collections);

    if (is_table(cli)) {
        shown_cell("collection", NAME_CHARACTERS);
        (void)printf("%9s\n", "documents");
    }
    for (size_t i = 0; !status && i < json_array_size(collections); i++) {
        const json_t *collection = json_array_get(collections, i);

        if (cli->json) {
            status = print_json(collection);
        } else if (is_table(cli)) {
            shown_cell(text(collection, "collection"), NAME_CHARACTERS);
            (void)printf("%9lld\n", number(collection, "count"));
        } else {
            (void)printf("%s\t%lld\n", text(collection, "collection"), number(collection, "count"));
        }
    }
    json_decref(collections);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int run(struct cli *cli, int n_words, char **words)
{
    const char *prefix = cli->options[OPTION_PREFIX], *since = cli->options[OPTION_SINCE];
    struct ls ls = { cli, n_words == 0, prefix ? prefix : "", cli->options[OPTION_FIND], "" };
    bool chooses = prefix || ls.find || since || cli->options[OPTION_DELETED];
    struct bytes collection = bytes_of_string(n_words ? words[0] : "");

    if (n_words > 1)
        return cli_usage(&command_ls);
    if (since && point_time(since, ls.since))
        return CLI_USAGE;
    if (!n_words && !chooses)
        return print_collections(cli);
    if (is_table(cli))
        print_heading(&ls);
    if (cli->options[OPTION_DELETED])
        return print_deleted(&ls, collection);
    return n_words ? list_documents(cli, collection, bytes_of_string(ls.prefix), on_document, &ls) : print_all(&ls);
}

const struct command command_ls = {
    "ls",
    "[COLLECTION]",
    "collections, or documents of one or of all",
    "    pilcrow ls\n"
    "    pilcrow ls notes\n"
    "    pilcrow ls --find minutes\n"
    "    pilcrow ls --since yesterday\n"
    "    pilcrow ls notes --deleted\n"
    "    pilcrow ls notes --json | jq .id\n\n"
    "Without anything the collections, with the number of their documents. Of a collection the documents with type,\n"
    "version, size and time of the last change, in the order of their ids. With one of the options below and without\n"
    "COLLECTION, those of all collections, each as COLLECTION/ID.\n\n"
    "On a terminal a table, with local times; elsewhere columns with tabs between them, sizes in bytes, times in UTC.\n"
    "For --deleted a server wants the right admin.\n",
    ACCESS_READ,
    run,
    OPTIONS(OPTION_FIND, OPTION_PREFIX, OPTION_SINCE, OPTION_DELETED),
};
