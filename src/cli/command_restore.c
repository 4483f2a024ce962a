#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/diff.h"
#include "cli/point.h"

static int head_of(struct cli *cli, const struct doc *doc, uint64_t *out)
{
    struct exchange exchange;
    json_t *answer = NULL;
    int status;

    exchange_init(&exchange, "GET");
    doc_target(doc, "/history?limit=1&pause=0", &exchange);
    status = cli_ask(cli, &exchange);
    if (!status)
        answer = json_loadb(exchange.answer.at, exchange.answer.n_bytes, JSON_ALLOW_NUL, NULL);
    if (!status && !json_is_integer(json_object_get(answer, "head")))
        status = cli_say(CLI_FAILED, "the answer is no history");
    if (!status)
        *out = (uint64_t)json_integer_value(json_object_get(answer, "head"));
    json_decref(answer);
    exchange_finish(&exchange);
    return status;
}

static int show(struct cli *cli, const struct doc *doc, uint64_t version)
{
    uint64_t head;
    int status = head_of(cli, doc, &head);

    return status ? status : diff_print(cli, doc, head, version);
}

/* before, made: the versions that there were and are; the same when nothing had to be done. */
static void say_restored(const struct doc *doc, uint64_t version, uint64_t before, const char *made)
{
    char name[DOC_SHOWN_BYTES];

    (void)doc_shown(doc, name);
    if (strtoull(made, NULL, 10) == before) {
        (void)printf("%s is so already\n", name);
        return;
    }
    (void)printf("%s is as it was at version %" PRIu64 "; this is version %s. Back: pilcrow restore %s %" PRIu64 "\n",
                 name, version, made, name, before);
}

static int restore(struct cli *cli, const struct doc *doc, uint64_t version)
{
    bool tells = !cli->json && isatty(STDOUT_FILENO);
    struct exchange exchange;
    char body[64];
    int n = snprintf(body, sizeof(body), "{\"version\":%" PRIu64 "}", version);
    uint64_t before = 0;
    int status = tells ? head_of(cli, doc, &before) : CLI_OK;

    if (status)
        return status;
    exchange_init(&exchange, "POST");
    doc_target(doc, "/restore", &exchange);
    exchange_header(&exchange, "content-type", "application/json");
    exchange.body = bytes_of(body, (size_t)n);
    exchange.has_body = true;
    status = cli_ask(cli, &exchange);
    if (!status && cli->json)
        (void)printf("{\"version\":%s}\n", exchange.version[0] ? exchange.version : "null");
    else if (!status && tells)
        say_restored(doc, version, before, exchange.version);
    exchange_finish(&exchange);
    return status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    uint64_t version;
    struct doc doc;
    int status;

    if (n_words < 1 || n_words > 2)
        return cli_usage(&command_restore);
    if (!doc_parse(words[0], n_words == 1, &doc))
        return CLI_USAGE;
    if (n_words == 1 && !doc.point[0])
        return cli_usage(&command_restore);
    status = point_find(cli, &doc, n_words == 2 ? words[1] : doc.point, &version);
    if (status)
        return status;
    return cli->options[OPTION_DRY_RUN] ? show(cli, &doc, version) : restore(cli, &doc, version);
}

const struct command command_restore = {
    "restore",
    "DOC VERSION|@TIME",
    "back to an older content",
    "    pilcrow restore notes/diary 7 --dry-run\n"
    "    pilcrow restore notes/diary 7\n"
    "    pilcrow restore notes/diary @yesterday\n\n"
    "What it was then becomes a new version; the history stays, so this can be taken back in the same way. Only what\n"
    "differs is touched, so people who are writing keep their carets. A document that was deleted comes back. With\n"
    "--dry-run the difference is shown and nothing is done. `pilcrow log DOC` shows which versions there are;\n"
    "`pilcrow restore DOC@7` means the same as `pilcrow restore DOC 7`.\n",
    ACCESS_WRITE,
    run,
    OPTIONS(OPTION_DRY_RUN),
    .group = GROUP_HISTORY,
};
