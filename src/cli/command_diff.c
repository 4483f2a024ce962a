#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/diff.h"
#include "cli/point.h"
#include "cli/shown.h"
#include "ot/ot.h"

#define OUTPUT_MAX_BYTES ((size_t)512 << 20)

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static const char *colour_of(const char *line, size_t n_bytes, bool is_head)
{
    if (is_head)
        return "\033[1m";
    if (n_bytes && *line == '+')
        return "\033[32m";
    if (n_bytes && *line == '-')
        return "\033[31m";
    return n_bytes && *line == '@' ? "\033[36m" : "";
}

/* The first two lines name the versions. */
static void colour(struct bytes diff, struct buffer *into)
{
    const char *at = diff.at, *end = at + diff.n_bytes;

    for (size_t i = 0; at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n_bytes = (size_t)((stop ? stop : end) - at);
        const char *before = colour_of(at, n_bytes, i < 2);

        (void)buffer_append_string(into, before);
        (void)shown_append(bytes_of(at, n_bytes), into);
        (void)buffer_append_string(into, *before ? "\033[m\n" : "\n");
        at += n_bytes + 1;
    }
}

static int print_operation(const struct cli *cli, struct bytes operation)
{
    struct buffer output;
    int status;

    if (cli->json || !isatty(STDOUT_FILENO))
        return cli_print(operation);
    buffer_init(&output, OUTPUT_MAX_BYTES);
    status = shown_append(operation, &output) ? cli_say(CLI_FAILED, "out of memory") : cli_print(buffer_bytes(&output));
    buffer_finish(&output);
    return status;
}

static int write_json(struct bytes diff, uint64_t from, uint64_t to, struct buffer *into)
{
    (void)buffer_printf(into, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"diff\":", from, to);
    return ot_json_write_string(diff.at, diff.n_bytes, buffer_write, into);
}

static int print_text(const struct cli *cli, struct bytes diff, uint64_t from, uint64_t to)
{
    struct buffer output;
    int status = CLI_OK;

    if (!cli->json && !isatty(STDOUT_FILENO))
        return cli_print(diff);
    buffer_init(&output, OUTPUT_MAX_BYTES);
    if (!cli->json)
        colour(diff, &output);
    else if (!write_json(diff, from, to, &output))
        (void)buffer_append_string(&output, "}\n");
    status = output.error ? cli_say(CLI_FAILED, "out of memory") : cli_print(buffer_bytes(&output));
    buffer_finish(&output);
    return status;
}

int diff_print(struct cli *cli, const struct doc *doc, uint64_t from, uint64_t to)
{
    struct exchange exchange;
    struct bytes answer;
    int status;

    exchange_init(&exchange, "GET");
    doc_target(doc, "/diff", &exchange);
    (void)buffer_printf(&exchange.target, "?from=%" PRIu64 "&to=%" PRIu64, from, to);
    status = cli_ask(cli, &exchange);
    answer = buffer_bytes(&exchange.answer);
    if (!status && answer.n_bytes && *(const char *)answer.at == '{') /* an operation; a diff begins with a minus */
        status = print_operation(cli, answer);
    else if (!status)
        status = print_text(cli, answer, from, to);
    exchange_finish(&exchange);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int run(struct cli *cli, int n_words, char **words)
{
    uint64_t from, to;
    struct doc doc;
    int status;

    if (n_words < 2 || n_words > 3)
        return cli_usage(&command_diff);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = point_find(cli, &doc, words[1], &from);
    if (!status)
        status = point_find(cli, &doc, n_words == 3 ? words[2] : "now", &to);
    return status ? status : diff_print(cli, &doc, from, to);
}

const struct command command_diff = {
    "diff",
    "DOC FROM [TO]",
    "what differs between two versions",
    "    pilcrow diff notes/diary 7 9\n"
    "    pilcrow diff notes/diary yesterday\n"
    "    pilcrow diff notes/diary 7 9 | patch diary.txt\n\n"
    "FROM and TO are versions or times, with an @ before them or without; without TO it is what there is now. Of a\n"
    "text the lines that differ, as diff -u shows them; of other documents the operation that leads from one to the\n"
    "other.\n",
    ACCESS_READ,
    run,
    .group = GROUP_HISTORY,
};
