#include <stdio.h>

#include "cli/name.h"

static int run(struct cli *cli, int n_words, char **words)
{
    struct exchange exchange;
    struct doc doc;
    int status;

    if (n_words != 1)
        return cli_usage(&command_cat);
    if (!doc_parse(words[0], true, &doc))
        return CLI_USAGE;
    exchange_init(&exchange, "GET");
    doc_target(&doc, "", &exchange);
    if (doc.version[0])
        (void)buffer_printf(&exchange.target, "?version=%s", doc.version);
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
    "DOC[@VERSION]",
    "the content, now or at a version",
    "    pilcrow cat notes/diary\n"
    "    pilcrow cat notes/diary@7\n"
    "    pilcrow cat notes/diary --json\n\n"
    "The bytes of the document, no more. With --json its envelope: type, version, data.\n",
    ACCESS_READ,
    run,
};
