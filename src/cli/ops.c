#include "cli/ops.h"

#include <inttypes.h>

#include "cli/name.h"
#include "cli/spans.h"

#define PAGE_OPERATIONS 10000

static int give_page(struct bytes ops, ops_fn *each, void *arg, uint64_t *at)
{
    struct spans spans = spans_of(ops, '[');
    char why[ARCHIVE_WHY_BYTES] = "this is no page of operations";
    struct archive_line line;
    struct bytes op;
    int status = CLI_OK, r = 0;

    archive_line_init(&line);
    while (!status && !r && spans_element(&spans, &op)) {
        r = archive_parse_op(op, &line, why);
        if (!r && line.version != *at)
            r = ARCHIVE_BAD;
        if (!r)
            status = each(arg, line.version, &line.record);
        if (!r && !status)
            *at = record_end(line.version, &line.record);
    }
    archive_line_finish(&line);
    if (!status && (r || !spans.is_finished))
        status = cli_say(CLI_FAILED, "the server's answer is not understood: %s", r < 0 ? "out of memory" : why);
    return status;
}

/* One page; CLI_OK with *at unmoved: there is nothing more. */
static int read_page(struct cli *cli, struct store_name name, uint64_t to, ops_fn *each, void *arg, uint64_t *at)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "GET");
    name_target(name, "/ops", &exchange);
    (void)buffer_printf(&exchange.target, "?merged=true&from=%" PRIu64 "&to=%" PRIu64 "&limit=%d", *at, to,
                        PAGE_OPERATIONS);
    status = cli_perform(cli, &exchange);
    if (!status && (exchange.status == 404 || exchange.status == 410))
        status = OPS_GONE;
    else if (!status)
        status = cli_judge(cli, &exchange);
    if (!status)
        status = give_page(span_of_member(buffer_bytes(&exchange.answer), "ops"), each, arg, at);
    exchange_finish(&exchange);
    return status;
}

int ops_read(struct cli *cli, struct store_name name, uint64_t from, uint64_t to, ops_fn *each, void *arg, uint64_t *at)
{
    int status = CLI_OK;

    *at = from;
    while (!status && *at < to) {
        uint64_t before = *at;

        status = read_page(cli, name, to, each, arg, at);
        if (!status && *at == before)
            status = OPS_GONE;
    }
    return status;
}
