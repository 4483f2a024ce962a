/* rm: deleting a document, and forgetting it for good. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/name.h"
#include "cli/shown.h"
#include "cli/spans.h"

/* What there is to lose. */
struct stake {
    uint64_t n_versions; /* 0: not known */
    char since[40];      /* of the first operation that is kept; "": not known */
};

/* What is in an operation does not matter here, so it is not read. */
static int page_read(struct bytes page, struct stake *out)
{
    struct spans ops = spans_of(span_of_member(page, "ops"), '[');
    struct bytes op, time = { NULL, 0 };
    struct ot_json *owned = NULL;

    if (!span_number(span_of_member(page, "head"), &out->n_versions) || !out->n_versions || !spans_element(&ops, &op) ||
        !span_text(span_of_member(op, "time"), &owned, &time))
        return cli_say(CLI_FAILED, "the answer is no page of operations");
    (void)snprintf(out->since, sizeof(out->since), "%.*s", (int)time.n_bytes, (const char *)time.at);
    ot_json_unref(owned);
    return CLI_OK;
}

/* From the beginning of the log; where that is not kept any more, the answer says so, and the document tells the rest.
 */
static int stake_read(struct cli *cli, const struct doc *doc, struct stake *out)
{
    struct exchange exchange;
    int status;

    *out = (struct stake){ 0 };
    exchange_init(&exchange, "GET");
    doc_target(doc, "/ops?from=0&limit=1", &exchange);
    status = cli_perform(cli, &exchange);
    if (!status && exchange.status != 410)
        status = cli_judge(cli, &exchange);
    if (!status && exchange.status == 200)
        status = page_read(buffer_bytes(&exchange.answer), out);
    exchange_finish(&exchange);
    return status;
}

static const char *stake_text(const struct stake *stake, char into[128])
{
    char since[MOMENT_BYTES];

    if (stake->n_versions)
        (void)snprintf(into, 128, "%" PRIu64 " version%s since %s", stake->n_versions,
                       stake->n_versions == 1 ? "" : "s",
                       isatty(STDOUT_FILENO) ? shown_time(stake->since, since) : stake->since);
    else
        (void)snprintf(into, 128, "all that is kept of its history");
    return into;
}

static int rehearse(const struct cli *cli, const char *word, const struct stake *stake)
{
    bool purges = cli->options[OPTION_PURGE];
    char text[128];

    if (cli->json && stake->n_versions)
        (void)printf("{\"versions\":%" PRIu64 ",\"since\":\"%s\",\"purge\":%s}\n", stake->n_versions, stake->since,
                     purges ? "true" : "false");
    else if (cli->json)
        (void)printf("{\"versions\":null,\"since\":null,\"purge\":%s}\n", purges ? "true" : "false");
    else if (purges)
        (void)printf("would forget %s for good: %s\n", word, stake_text(stake, text));
    else
        (void)printf("would delete %s; its history stays\n", word);
    return CLI_OK;
}

static int confirm(const struct cli *cli, const char *word, const struct stake *stake)
{
    char text[128];

    if (!cli->options[OPTION_PURGE])
        return cli_confirm(cli, "Delete %s?", word);
    return cli_confirm(cli,
                       "Forget %s for good? What anybody ever wrote into it, %s, can't be brought back by anything but "
                       "a backup.",
                       word, stake_text(stake, text));
}

static void report(const struct cli *cli, const char *word, const struct exchange *exchange)
{
    if (cli->json)
        (void)printf("{\"version\":%s}\n", exchange->version[0] ? exchange->version : "null");
    else if (!isatty(STDOUT_FILENO))
        return;
    else if (cli->options[OPTION_PURGE])
        (void)printf(
            "forgotten %s. Free pages of the file may still hold pieces of it until pilcrow compact; backups and "
            "exports that were made before hold it whole\n",
            word);
    else
        (void)printf("deleted %s, version %s; its history stays, pilcrow restore brings it back\n", word,
                     exchange->version);
}

static int remove_document(struct cli *cli, const struct doc *doc, const char *word)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "DELETE");
    doc_target(doc, cli->options[OPTION_PURGE] ? "?purge=true" : "", &exchange);
    status = cli_ask(cli, &exchange);
    if (!status)
        report(cli, word, &exchange);
    exchange_finish(&exchange);
    return status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct stake stake = { 0 };
    struct doc doc;
    int status = CLI_OK;

    if (n_words != 1)
        return cli_usage(&command_rm);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    if (cli->options[OPTION_PURGE] || cli->options[OPTION_DRY_RUN])
        status = stake_read(cli, &doc, &stake);
    if (status)
        return status;
    if (cli->options[OPTION_DRY_RUN])
        return rehearse(cli, words[0], &stake);
    status = confirm(cli, words[0], &stake);
    return status ? status : remove_document(cli, &doc, words[0]);
}

const struct command command_rm = {
    "rm",
    "DOC",
    "delete a document, or forget it for good",
    "    pilcrow rm notes/diary\n"
    "    pilcrow rm notes/diary --yes\n"
    "    pilcrow rm notes/diary --purge --dry-run\n\n"
    "Asks first; --yes answers. The history stays: `pilcrow cat DOC@VERSION` still shows what was there, `pilcrow ls\n"
    "--deleted` finds its name, and `pilcrow restore DOC VERSION` brings it back.\n\n"
    "--purge forgets the history as well, also that of a document that was deleted before. What stays is a hash of\n"
    "the name, with the last version: `pilcrow log DOC` then ends with 3 and says that it was forgotten. `pilcrow\n"
    "compact` takes the last pieces out of the file. Backups and exports that were made before are yours to remove;\n"
    "`pilcrow backup DEST --incremental` and `pilcrow --data DEST compact` do that for a backup. A server wants the\n"
    "right admin for --purge.\n",
    ACCESS_WRITE,
    run,
    OPTIONS(OPTION_PURGE, OPTION_DRY_RUN),
};
