#include <inttypes.h>
#include <stdio.h>

#include "cli/point.h"

static int run(struct cli *cli, int n_words, char **words)
{
    struct exchange exchange;
    struct doc doc;
    uint64_t version = 0;
    int status = CLI_OK;

    if (n_words != 1)
        return cli_usage(&command_cat);
    if (!doc_parse(words[0], true, &doc))
        return CLI_USAGE;
    if (doc.point[0])
        status = point_of_doc(cli, &doc, &version);
    if (status)
        return status;
    exchange_init(&exchange, "GET");
    doc_target(&doc, "", &exchange);
    if (doc.point[0])
        (void)buffer_printf(&exchange.target, "?version=%" PRIu64, version);
    if (cli->json)
        exchange_header(&exchange, "accept", "application/vnd.pilcrow.snapshot+json");
    status = cli_ask(cli, &exchange);
    if (!status)
        status = cli_print(buffer_bytes(&exchange.answer));
    if (!status && cli->json)
        (void)putchar('\n');
    exchange_finish(&exchange);
    return status;
}

const struct command command_cat = {
    "cat",
    "DOC[@VERSION|@TIME]",
    "the content, now or as it was",
    "    pilcrow cat notes/diary\n"
    "    pilcrow cat notes/diary@7\n"
    "    pilcrow cat notes/diary@2026-11-01T12:00\n"
    "    pilcrow cat notes/diary --json\n\n"
    "The bytes of the document, no more. With --json its envelope: type, version, data.\n",
    ACCESS_READ,
    run,
};
