/* Whole documents: create, put. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/name.h"

#define CONTENT_MAX_BYTES ((size_t)64 << 20)

static const char *media_of(const char *type)
{
    bool is_text = !type || strcmp(type, "text-unicode") == 0;

    return is_text ? "text/plain; charset=utf-8" : "application/json";
}

/* What happened, for whoever reads along or parses. */
static void report(const struct cli *cli, const char *what, const char *doc, const struct exchange *exchange)
{
    if (cli->json)
        (void)printf("{\"version\":%s}\n", exchange->version[0] ? exchange->version : "null");
    else if (isatty(STDOUT_FILENO))
        (void)printf("%s %s, version %s\n", what, doc, exchange->version);
}

/* Sends the content under a precondition. */
static int send(struct cli *cli, const struct doc *doc, struct bytes content, const char *media, const char *condition,
                const char *value, struct exchange *exchange)
{
    const char *type = cli->options[OPTION_TYPE];

    exchange_init(exchange, "PUT");
    doc_target(doc, "", exchange);
    if (type) {
        (void)buffer_append_string(&exchange->target, "?type=");
        (void)buffer_append_string(&exchange->target, type);
    }
    exchange_header(exchange, "content-type", media);
    exchange_header(exchange, condition, value);
    exchange->body = content;
    exchange->has_body = true;
    return cli_perform(cli, exchange);
}

/* refused: what a precondition that did not hold means here. */
static int judge(struct cli *cli, const struct doc *doc, const struct exchange *exchange, const char *refused)
{
    char name[DOC_SHOWN_BYTES];

    return exchange->status == 412 ? cli_say(CLI_CONFLICT, "%s %s", doc_shown(doc, name), refused)
                                   : cli_judge(cli, exchange);
}

static int read_content(const char *path, struct buffer *content)
{
    buffer_init(content, CONTENT_MAX_BYTES);
    return path ? file_read(path, content) : CLI_OK;
}

static int create_run(struct cli *cli, int n_words, char **words)
{
    struct exchange exchange;
    struct buffer content;
    struct doc doc;
    int status;

    if (n_words < 1 || n_words > 2)
        return cli_usage(&command_create);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = read_content(n_words == 2 ? words[1] : NULL, &content);
    if (!status) {
        status = send(cli, &doc, buffer_bytes(&content), media_of(cli->options[OPTION_TYPE]), "if-none-match", "*",
                      &exchange);
        if (!status)
            status = judge(cli, &doc, &exchange, "exists already; pilcrow put changes it");
        if (!status)
            report(cli, "created", words[0], &exchange);
        exchange_finish(&exchange);
    }
    buffer_finish(&content);
    return status;
}

const struct command command_create = {
    "create",
    "DOC [FILE|-]",
    "a new document, empty or from a file",
    "    pilcrow create notes/diary\n"
    "    pilcrow create notes/diary diary.txt\n"
    "    date | pilcrow create notes/now -\n"
    "    echo '{\"colour\":6}' | pilcrow create settings/app --type json0 -\n\n"
    "Fails with 4 when there is one already. --type names the type of the document; without it, plain text, whatever\n"
    "the file is called.\n",
    ACCESS_WRITE,
    create_run,
    OPTIONS(OPTION_TYPE),
};

/* ---- put --------------------------------------------------------------------------------------------------------- */

/* What is there now; all "" when there is nothing. */
struct present {
    char etag[128], media[64], version[24];
};

static int look(struct cli *cli, const struct doc *doc, struct present *out)
{
    struct exchange exchange;
    int status;

    *out = (struct present){ .media = "text/plain; charset=utf-8" };
    exchange_init(&exchange, "GET");
    doc_target(doc, "", &exchange);
    status = cli_perform(cli, &exchange);
    if (!status && exchange.status != 404)
        status = cli_judge(cli, &exchange);
    if (!status && exchange.status == 200) {
        (void)snprintf(out->etag, sizeof(out->etag), "%s", exchange.etag);
        (void)snprintf(out->media, sizeof(out->media), "%s", exchange.media);
        (void)snprintf(out->version, sizeof(out->version), "%s", exchange.version);
    }
    exchange_finish(&exchange);
    return status;
}

static int put(struct cli *cli, const struct doc *doc, const char *word, struct bytes content)
{
    struct exchange exchange;
    struct present present;
    int status = look(cli, doc, &present);
    bool is_new = !present.etag[0];

    if (status)
        return status;
    status = send(cli, doc, content, present.media, is_new ? "if-none-match" : "if-match", is_new ? "*" : present.etag,
                  &exchange);
    if (!status)
        status = judge(cli, doc, &exchange, "was changed by somebody else at this very moment; try again");
    if (!status)
        report(cli,
               is_new                                      ? "created"
               : strcmp(present.version, exchange.version) ? "changed"
                                                           : "nothing to change in",
               word, &exchange);
    exchange_finish(&exchange);
    return status;
}

static int put_run(struct cli *cli, int n_words, char **words)
{
    struct buffer content;
    struct doc doc;
    int status;

    if (n_words != 2)
        return cli_usage(&command_put);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = read_content(words[1], &content);
    if (!status)
        status = put(cli, &doc, words[0], buffer_bytes(&content));
    buffer_finish(&content);
    return status;
}

const struct command command_put = {
    "put",
    "DOC FILE|-",
    "new content, as one small change",
    "    pilcrow put notes/diary diary.txt\n"
    "    pilcrow cat notes/diary | tr a-z A-Z | pilcrow put notes/diary -\n"
    "    pilcrow cat settings/app | jq .colour=7 | pilcrow put settings/app -\n\n"
    "Only what differs becomes an operation, so carets of people who are writing stay where they are. JSON and rich\n"
    "text are read in the form in which `pilcrow cat` writes them. Fails with 4 when somebody writes at that very\n"
    "moment; try again. When there is no such document it is made, as plain text; `pilcrow create` makes others.\n",
    ACCESS_WRITE,
    put_run,
};
