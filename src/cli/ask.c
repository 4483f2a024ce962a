#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/name.h"
#include "cli/shown.h"

#define LINE_BYTES 1024

/* ---- saying ------------------------------------------------------------------------------------------------------ */

int cli_say(int status, const char *format, ...)
{
    char line[LINE_BYTES], first[3 * LINE_BYTES]; /* U+FFFD has three */
    struct buffer shown;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buffer_init_in(&shown, sizeof(first), first, sizeof(first));
    if (isatty(STDERR_FILENO) && shown_append(bytes_of_string(line), &shown) == 0)
        (void)fprintf(stderr, "pilcrow: %.*s\n", (int)shown.n_bytes, shown.at);
    else
        (void)fprintf(stderr, "pilcrow: %s\n", line);
    buffer_finish(&shown);
    return status;
}

int cli_confirm(const struct cli *cli, const char *format, ...)
{
    char question[1024];
    va_list arguments;
    int answer;

    if (cli->yes)
        return CLI_OK;
    va_start(arguments, format);
    (void)vsnprintf(question, sizeof(question), format, arguments);
    va_end(arguments);
    if (!isatty(STDIN_FILENO))
        return cli_say(CLI_USAGE, "%s There is no terminal to answer at; say --yes", question);
    (void)fprintf(stderr, "%s [y/N] ", question);
    answer = getchar();
    return answer == 'y' || answer == 'Y' ? CLI_OK : cli_say(CLI_FAILED, "nothing was done");
}

static int exit_of(int http_status)
{
    switch (http_status) {
    case 404:
    case 410: return CLI_NOT_FOUND;
    case 409:
    case 412:
    case 428: return CLI_CONFLICT;
    case 401:
    case 403: return CLI_NOT_ALLOWED;
    case 429:
    case 503:
    case 507: return CLI_UNAVAILABLE;
    default: return CLI_FAILED;
    }
}

/* ---- a document that is not there -------------------------------------------------------------------------------- */

/* What the end of its history says, quietly; NULL: nothing. */
static json_t *last_group(struct cli *cli, const struct doc *doc, json_t **answer)
{
    struct exchange exchange;
    char why[512];

    exchange_init(&exchange, "GET");
    doc_target(doc, "/history?limit=1&pause=0", &exchange);
    if (cli->transport->perform(cli->transport, &exchange, why, sizeof(why)) == 0 && exchange.status == 200)
        *answer = json_loadb(exchange.answer.at, exchange.answer.n_bytes, JSON_ALLOW_NUL, NULL);
    exchange_finish(&exchange);
    return json_array_get(json_object_get(*answer, "history"), 0);
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

/* There was something, and nothing is kept. */
static bool is_forgotten(const json_t *answer)
{
    return json_integer_value(json_object_get(answer, "head")) > 0 &&
           !json_array_size(json_object_get(answer, "history"));
}

int cli_say_missing(struct cli *cli, const struct doc *doc)
{
    json_t *answer = NULL, *last = last_group(cli, doc, &answer);
    char name[DOC_SHOWN_BYTES], when[MOMENT_BYTES];

    (void)doc_shown(doc, name);
    if (last && strcmp(text(last, "kind"), "delete") == 0)
        (void)cli_say(0, "%s was deleted on %s by %s; pilcrow restore %s %lld brings it back", name,
                      shown_time(text(last, "last"), when), text(last, "author"), name,
                      (long long)json_integer_value(json_object_get(last, "from")));
    else if (is_forgotten(answer))
        (void)cli_say(0, "%s was forgotten for good; nothing of it is kept", name);
    else if (memchr(doc->id, '@', doc->n_id))
        (void)cli_say(0,
                      "there is no document %s; what stands behind an @ counts as a version when it is a number, or a "
                      "date such as 2026-11-01",
                      name);
    else
        (void)cli_say(0, "there is no document %s", name);
    json_decref(answer);
    return CLI_NOT_FOUND;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* A version, or an operation, that was merged with others or is older than what is kept. */
static void say_gone(struct cli *cli, const struct doc *doc)
{
    json_t *answer = NULL;
    char name[DOC_SHOWN_BYTES];

    (void)last_group(cli, doc, &answer);
    if (is_forgotten(answer))
        (void)cli_say_missing(cli, doc);
    else
        (void)cli_say(
            0,
            "%s: that version is not kept any more, it was merged with others or removed; pilcrow log %s says "
            "which there are",
            doc_shown(doc, name), name);
    json_decref(answer);
}

/* "notes/diary: The document has not come to that version (ERR_...)" */
static void say_detail(const struct exchange *exchange, const char *detail, const char *code)
{
    size_t n = strlen(detail);
    char name[DOC_SHOWN_BYTES];

    n -= n && detail[n - 1] == '.';
    (void)cli_say(0, "%s%s%.*s (%s)", exchange->doc ? doc_shown(exchange->doc, name) : "", exchange->doc ? ": " : "",
                  (int)n, detail, code);
}

/* What the problem says (RFC 9457), or just the status. */
static int say_problem(struct cli *cli, const struct exchange *exchange)
{
    json_t *problem = json_loadb(exchange->answer.at ? exchange->answer.at : "", exchange->answer.n_bytes, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *code = json_string_value(json_object_get(problem, "code"));
    int status = exit_of(exchange->status);

    if (code && strcmp(code, "ERR_STORE_DAMAGED") == 0)
        status = CLI_DAMAGED;
    if (exchange->status == 401 && !*cli->token)
        (void)cli_say(status, "this server wants a token; --token-file names the file that holds it");
    else if (exchange->doc && code && strcmp(code, "ERR_DOC_DOES_NOT_EXIST") == 0)
        (void)cli_say_missing(cli, exchange->doc);
    else if (exchange->doc && exchange->status == 410)
        say_gone(cli, exchange->doc);
    else if (detail && code)
        say_detail(exchange, detail, code);
    else
        (void)cli_say(status, "the server answers %d", exchange->status);
    json_decref(problem);
    return status;
}

int cli_judge(struct cli *cli, const struct exchange *exchange)
{
    if (exchange->answer.error)
        return cli_say(CLI_FAILED, "the answer is too large");
    return exchange->status < 300 ? CLI_OK : say_problem(cli, exchange);
}

int cli_perform(struct cli *cli, struct exchange *exchange)
{
    char why[512] = "out of memory";

    if (exchange->target.error)
        return cli_say(CLI_USAGE, "the name is too long");
    if (*cli->author)
        exchange_header(exchange, "pilcrow-author", cli->author);
    if (!cli->transport->perform(cli->transport, exchange, why, sizeof(why)))
        return CLI_OK;
    if (!cli->data && !cli->options[OPTION_SERVER])
        return cli_say(CLI_UNAVAILABLE, "%s; --server names another server, --data the directory of a store", why);
    return cli_say(CLI_UNAVAILABLE, "%s", why);
}

int cli_ask(struct cli *cli, struct exchange *exchange)
{
    int status = cli_perform(cli, exchange);

    return status ? status : cli_judge(cli, exchange);
}

int cli_print(struct bytes bytes)
{
    if (bytes.n_bytes && fwrite(bytes.at, 1, bytes.n_bytes, stdout) != bytes.n_bytes && errno != EPIPE)
        return cli_say(CLI_FAILED, "standard output: %s", strerror(errno));
    return CLI_OK;
}
