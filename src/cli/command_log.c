/* Who changed a document when, page by page, the newest first. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/point.h"
#include "cli/shown.h"

#define PAGE_GROUPS 200

struct log {
    struct cli *cli;
    struct doc doc;
    char since[MOMENT_BYTES], until[MOMENT_BYTES]; /* "": not given */
    uint64_t from, to, pause;                      /* UINT64_MAX: not given */
    uint64_t n_left;
};

static const char *text(const json_t *group, const char *key)
{
    const char *value = json_string_value(json_object_get(group, key));

    return value ? value : "";
}

static long long number(const json_t *group, const char *key)
{
    return (long long)json_integer_value(json_object_get(group, key));
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* "2026-11-01 12:00 - 12:20" */
static void when(const json_t *group, char *into, size_t n_into)
{
    char first[MOMENT_BYTES], last[MOMENT_BYTES];

    (void)shown_time(text(group, "first"), first);
    (void)shown_time(text(group, "last"), last);
    if (strcmp(first, last) == 0)
        (void)snprintf(into, n_into, "%s", first);
    else
        (void)snprintf(into, n_into, "%s - %s", first, strncmp(first, last, 11) == 0 ? last + 11 : last);
}

static void what(const json_t *group, char *into, size_t n_into)
{
    const char *kind = text(group, "kind");
    long long inserted = number(group, "inserted"), deleted = number(group, "deleted");

    if (strcmp(kind, "delete") == 0)
        (void)snprintf(into, n_into, "deleted");
    else if (strcmp(kind, "create") == 0)
        (void)snprintf(into, n_into, "created, +%lld", inserted);
    else if (strcmp(kind, "restore") == 0)
        (void)snprintf(into, n_into, "restored %lld, +%lld -%lld", number(group, "restored"), inserted, deleted);
    else
        (void)snprintf(into, n_into, "+%lld -%lld", inserted, deleted);
}

static void print_row(const char *versions, const char *times, const char *author, const char *change)
{
    shown_cell(versions, 12);
    shown_cell(times, 24);
    shown_cell(author, 16);
    (void)printf("%s\n", change);
}

static int print(const struct log *log, const json_t *group)
{
    char versions[48], times[2 * MOMENT_BYTES + 4], change[96];

    if (log->cli->json)
        return json_dumpf(group, stdout, JSON_COMPACT) || putchar('\n') == EOF
                   ? cli_say(CLI_FAILED, "standard output does not take it")
                   : CLI_OK;
    if (!isatty(STDOUT_FILENO)) {
        (void)printf("%lld\t%lld\t%s\t%s\t%s\t%s\t%lld\t%lld\t%lld\n", number(group, "from"), number(group, "to"),
                     text(group, "first"), text(group, "last"), text(group, "author"), text(group, "kind"),
                     number(group, "operations"), number(group, "inserted"), number(group, "deleted"));
        return CLI_OK;
    }
    (void)snprintf(versions, sizeof(versions), "%lld %lld", number(group, "from"), number(group, "to"));
    when(group, times, sizeof(times));
    what(group, change, sizeof(change));
    print_row(versions, times, text(group, "author"), change);
    return CLI_OK;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static void number_parameter(struct buffer *target, const char *key, uint64_t value)
{
    if (value != UINT64_MAX)
        (void)buffer_printf(target, "&%s=%" PRIu64, key, value);
}

static int ask_page(struct log *log, struct exchange *exchange)
{
    struct buffer *target = &exchange->target;

    exchange_init(exchange, "GET");
    doc_target(&log->doc, "/history", exchange);
    (void)buffer_printf(target, "?limit=%" PRIu64, log->n_left < PAGE_GROUPS ? log->n_left : PAGE_GROUPS);
    number_parameter(target, "from", log->from);
    number_parameter(target, "to", log->to);
    number_parameter(target, "pause", log->pause);
    if (log->since[0])
        (void)buffer_printf(target, "&since=%s", log->since);
    if (log->until[0])
        (void)buffer_printf(target, "&until=%s", log->until);
    return cli_ask(log->cli, exchange);
}

static bool is_narrowed(const struct log *log)
{
    return log->since[0] || log->until[0] || log->from != UINT64_MAX || log->to != UINT64_MAX;
}

/* The next page ends where the last group of this one begins. */
static int print_page(struct log *log, const struct exchange *exchange)
{
    json_t *answer = json_loadb(exchange->answer.at, exchange->answer.n_bytes, JSON_ALLOW_NUL, NULL);
    const json_t *groups = json_object_get(answer, "history");
    int status = json_is_array(groups) ? CLI_OK : cli_say(CLI_FAILED, "the answer is no history");

    if (!status && !json_array_size(groups) && number(answer, "from") == number(answer, "head") && !is_narrowed(log))
        status = cli_say_missing(log->cli, &log->doc); /* nothing is kept of what there was */
    for (size_t i = 0; !status && i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);

        status = print(log, group);
        log->to = (uint64_t)number(group, "from");
        log->n_left -= log->n_left != UINT64_MAX;
    }
    log->until[0] = '\0';
    json_decref(answer);
    return status;
}

static int print_all(struct log *log)
{
    bool has_next = true;
    int status = CLI_OK;

    if (!log->cli->json && isatty(STDOUT_FILENO))
        print_row("from to", "when", "author", "what");
    while (!status && has_next && log->n_left) {
        struct exchange exchange;

        status = ask_page(log, &exchange);
        has_next = exchange.has_next;
        if (!status)
            status = print_page(log, &exchange);
        exchange_finish(&exchange);
    }
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool number_of(const struct cli *cli, enum option_id id, uint64_t least, uint64_t *out)
{
    const char *word = cli->options[id];
    char *end;

    *out = UINT64_MAX;
    if (!word)
        return true;
    *out = strtoull(word, &end, 10);
    if (*word >= '0' && *word <= '9' && !*end && *out >= least && *out < (1ull << 53))
        return true;
    (void)cli_say(CLI_USAGE, "--%s takes a number from %" PRIu64 " on", option_rows[id].name, least);
    return false;
}

static bool time_of(const struct cli *cli, enum option_id id, char out[MOMENT_BYTES])
{
    const char *word = cli->options[id];

    out[0] = '\0';
    return !word || point_time(word, out) == CLI_OK;
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct log log = { .cli = cli };

    if (n_words != 1)
        return cli_usage(&command_log);
    if (!doc_parse(words[0], false, &log.doc) || !time_of(cli, OPTION_SINCE, log.since) ||
        !time_of(cli, OPTION_UNTIL, log.until) || !number_of(cli, OPTION_FROM, 0, &log.from) ||
        !number_of(cli, OPTION_TO, 0, &log.to) || !number_of(cli, OPTION_PAUSE, 0, &log.pause) ||
        !number_of(cli, OPTION_LIMIT, 1, &log.n_left))
        return CLI_USAGE;
    return print_all(&log);
}

const struct command command_log = {
    "log",
    "DOC",
    "who changed it when, and how much",
    "    pilcrow log notes/diary\n"
    "    pilcrow log notes/diary --since yesterday --until today\n"
    "    pilcrow log notes/diary --limit 10 --json\n\n"
    "The newest first; a line is what one author did without a longer pause. It led from the first version to the\n"
    "second: `pilcrow diff DOC FROM TO` shows it, `pilcrow restore DOC FROM` takes it back. How much was inserted and\n"
    "deleted is counted in characters, in JSON documents in values.\n",
    ACCESS_READ,
    run,
    OPTIONS(OPTION_SINCE, OPTION_UNTIL, OPTION_FROM, OPTION_TO, OPTION_PAUSE, OPTION_LIMIT),
    .group = GROUP_HISTORY,
};
