#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

int cli_say(int status, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "pilcrow: %s\n", line);
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

/* What the problem says (RFC 9457), or just the status. */
static int say_problem(const struct cli *cli, const struct exchange *exchange)
{
    json_t *problem = json_loadb(exchange->answer.at ? exchange->answer.at : "", exchange->answer.n_bytes, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *code = json_string_value(json_object_get(problem, "code"));
    int status = exit_of(exchange->status);

    if (code && strcmp(code, "ERR_STORE_DAMAGED") == 0)
        status = CLI_DAMAGED;
    if (exchange->status == 401 && !*cli->token)
        (void)cli_say(status, "this server wants a token; --token-file names the file that holds it");
    else if (detail && code)
        (void)cli_say(status, "%s (%s)", detail, code);
    else
        (void)cli_say(status, "the server answers %d", exchange->status);
    json_decref(problem);
    return status;
}

int cli_judge(const struct cli *cli, const struct exchange *exchange)
{
    if (exchange->answer.error)
        return cli_say(CLI_FAILED, "the answer is too large");
    return exchange->status < 300 ? CLI_OK : say_problem(cli, exchange);
}

int cli_ask(struct cli *cli, struct exchange *exchange)
{
    char why[512] = "out of memory";
    int r;

    if (exchange->target.error)
        return cli_say(CLI_USAGE, "the name is too long");
    r = cli->transport->perform(cli->transport, exchange, why, sizeof(why));
    if (r)
        return cli_say(CLI_UNAVAILABLE, "%s", why);
    return cli_judge(cli, exchange);
}

int cli_print(struct bytes bytes)
{
    if (bytes.n_bytes && fwrite(bytes.at, 1, bytes.n_bytes, stdout) != bytes.n_bytes && errno != EPIPE)
        return cli_say(CLI_FAILED, "standard output: %s", strerror(errno));
    return CLI_OK;
}
