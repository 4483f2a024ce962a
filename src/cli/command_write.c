/* Whole documents: create, put. */
#include <stdio.h>
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
static int send(struct cli *cli, const struct doc *doc, struct bytes content, const char *condition, const char *value,
                struct exchange *exchange)
{
    const char *type = cli->options[OPTION_TYPE];

    exchange_init(exchange, "PUT");
    doc_target(doc, "", exchange);
    if (type) {
        (void)buffer_append_string(&exchange->target, "?type=");
        (void)buffer_append_string(&exchange->target, type);
    }
    exchange_header(exchange, "content-type", media_of(type));
    exchange_header(exchange, condition, value);
    exchange->body = content;
    exchange->has_body = true;
    return cli_ask(cli, exchange);
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
        status = send(cli, &doc, buffer_bytes(&content), "if-none-match", "*", &exchange);
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
    "    date | pilcrow create notes/now -\n\n"
    "Fails with 4 when there is one already. --type names the type of the document; without it, plain text.\n",
    ACCESS_WRITE,
    create_run,
    OPTIONS(OPTION_TYPE),
};

/* ---- put --------------------------------------------------------------------------------------------------------- */

/* The ETag of what is there now; "" when there is nothing. */
static int look(struct cli *cli, const struct doc *doc, char *etag, size_t n_etag)
{
    struct exchange exchange;
    char why[512] = "out of memory";
    int status = CLI_OK;

    exchange_init(&exchange, "GET");
    doc_target(doc, "", &exchange);
    if (cli->transport->perform(cli->transport, &exchange, why, sizeof(why)))
        status = cli_say(CLI_UNAVAILABLE, "%s", why);
    (void)snprintf(etag, n_etag, "%s", exchange.status == 200 ? exchange.etag : "");
    exchange_finish(&exchange);
    return status;
}

static int put_run(struct cli *cli, int n_words, char **words)
{
    struct exchange exchange;
    struct buffer content;
    struct doc doc;
    char etag[128];
    int status;

    if (n_words != 2)
        return cli_usage(&command_put);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = read_content(words[1], &content);
    if (!status)
        status = look(cli, &doc, etag, sizeof(etag));
    if (!status) {
        status = send(cli, &doc, buffer_bytes(&content), etag[0] ? "if-match" : "if-none-match", etag[0] ? etag : "*",
                      &exchange);
        if (!status)
            report(cli, etag[0] ? "changed" : "created", words[0], &exchange);
        exchange_finish(&exchange);
    }
    buffer_finish(&content);
    return status;
}

const struct command command_put = {
    "put",
    "DOC FILE|-",
    "new content, as one small change",
    "    pilcrow put notes/diary diary.txt\n"
    "    pilcrow cat notes/diary | tr a-z A-Z | pilcrow put notes/diary -\n\n"
    "Only what differs becomes an operation, so carets of people who are writing stay where they are. Fails with 4\n"
    "when somebody writes at that very moment; try again. Creates the document when there is none.\n",
    ACCESS_WRITE,
    put_run,
};
