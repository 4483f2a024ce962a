/* The store as a whole: where its space is, and giving it back. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "api/percent.h"
#include "cli/old_history.h"
#include "cli/progress.h"
#include "cli/shown.h"
#include "doc/retain_rules.h"

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* out: an object, to be given back by json_decref. */
static int ask_json(struct cli *cli, struct exchange *exchange, const char *path, json_t **out)
{
    int status;

    (void)buffer_append_string(&exchange->target, path);
    status = cli_ask(cli, exchange);
    if (status)
        return status;
    *out = json_loadb(exchange->answer.at ? exchange->answer.at : "", exchange->answer.n_bytes, 0, NULL);
    return *out ? CLI_OK : cli_say(CLI_FAILED, "the answer can't be read");
}

static int ask_sizes(struct cli *cli, json_t **out)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "GET");
    status = ask_json(cli, &exchange, "/v1/store", out);
    exchange_finish(&exchange);
    return status;
}

static uint64_t number(const json_t *sizes, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(sizes, key));
}

static int print_json(const json_t *object)
{
    int failed = json_dumpf(object, stdout, JSON_COMPACT);

    return failed || putchar('\n') == EOF ? cli_say(CLI_FAILED, "standard output does not take it") : CLI_OK;
}

/* ---- store ------------------------------------------------------------------------------------------------------- */

static const struct line {
    const char *label, *bytes, *count, *counted; /* names of HTTP's members; what is counted */
} lines[] = {
    { "the data file", "file_bytes", NULL, NULL },
    { "  history", "segment_bytes", "n_segments", "segments" },
    { "  not packed yet", "inbox_bytes", "n_batches", "batches" },
    { "  large bodies", "large_bytes", NULL, NULL },
    { "  snapshots", "snapshot_bytes", "n_snapshots", "snapshots" },
    { "  names and the rest", "other_bytes", NULL, NULL },
    { "  free, used again first", "free_bytes", NULL, NULL },
};

static void print_table(const json_t *sizes)
{
    char text[SHOWN_SIZE_BYTES];

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)printf("%-26s %10s", lines[i].label, shown_size(number(sizes, lines[i].bytes), text));
        if (lines[i].count)
            (void)printf("  %10llu %s", (unsigned long long)number(sizes, lines[i].count), lines[i].counted);
        (void)printf("\n");
    }
    (void)printf("%llu documents, and the history of %llu that were deleted\n",
                 (unsigned long long)number(sizes, "n_documents"),
                 (unsigned long long)(number(sizes, "n_logs") - number(sizes, "n_documents")));
    if (number(sizes, "free_bytes") > number(sizes, "file_bytes") / 2)
        (void)printf("\nMore than half of the file is free. The disk gets it back with: pilcrow compact\n");
}

static void print_members(const json_t *sizes)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)sizes, key, value) /* the macro knows no const */
        (void) printf("%s\t%lld\n", key, (long long)json_integer_value(value));
}

static int store_run(struct cli *cli, int n_words, char **words)
{
    json_t *sizes = NULL;
    int status;

    (void)words;
    if (n_words)
        return cli_usage(&command_store);
    status = ask_sizes(cli, &sizes);
    if (!status && cli->json)
        status = print_json(sizes);
    else if (!status && isatty(STDOUT_FILENO))
        print_table(sizes);
    else if (!status)
        print_members(sizes);
    json_decref(sizes);
    return status;
}

const struct command command_store = {
    "store",
    "",
    "how large the store is, and with what",
    "    pilcrow store\n"
    "    pilcrow store --json | jq .free_bytes\n\n"
    "On a terminal a table; elsewhere a name and a number a line, separated by a tab. Free space is used again before\n"
    "the file grows; `pilcrow compact` gives it back to the disk. Where it is history that grows, --retention of\n"
    "pilcrowd keeps less of it. A server wants the right admin for this.\n",
    ACCESS_READ,
    store_run,
    .group = GROUP_ADMINISTRATION,
};

/* ---- compact ----------------------------------------------------------------------------------------------------- */

/* What is free will be gone, and what is not packed yet becomes smaller; how much pages that are half empty give can't
 * be known before. */
static int compact_rehearse(struct cli *cli)
{
    char gain[SHOWN_SIZE_BYTES], need[SHOWN_SIZE_BYTES];
    json_t *sizes = NULL;
    uint64_t file, free_bytes;
    int status = ask_sizes(cli, &sizes);

    if (status)
        return status;
    file = number(sizes, "file_bytes");
    free_bytes = number(sizes, "free_bytes");
    if (cli->json)
        (void)printf("{\"file_bytes\":%llu,\"gain_bytes\":%llu,\"needed_bytes\":%llu}\n", (unsigned long long)file,
                     (unsigned long long)free_bytes, (unsigned long long)(file - free_bytes));
    else
        (void)printf("would give back at least %s, and needs %s of room on the disk for a while\n",
                     shown_size(free_bytes, gain), shown_size(file - free_bytes, need));
    json_decref(sizes);
    return CLI_OK;
}

static void on_progress(void *arg, uint64_t n_done, uint64_t n_total)
{
    progress_show(arg, n_done, n_total);
}

static int compact_report(const struct cli *cli, const json_t *answer)
{
    char before[SHOWN_SIZE_BYTES], after[SHOWN_SIZE_BYTES];

    if (cli->json)
        return print_json(answer);
    if (isatty(STDOUT_FILENO))
        (void)printf("%s before, %s now\n", shown_size(number(json_object_get(answer, "before"), "file_bytes"), before),
                     shown_size(number(json_object_get(answer, "after"), "file_bytes"), after));
    return CLI_OK;
}

/* Said here, where it is a mistake in the command; a server would look at it, too. */
static int read_rules(const struct cli *cli, struct retain_rules *out)
{
    const char *text = cli->options[OPTION_RETENTION];
    const char *flaw = retain_rules_read(out, bytes_of_string(text));

    return flaw ? cli_say(CLI_USAGE, "--retention: a rule of '%s' %s", text, flaw) : CLI_OK;
}

/* How many go into others is only known when it is done. */
static int retention_rehearse(struct cli *cli, const struct retain_rules *rules)
{
    struct old_history old;
    int status = old_history_count(cli, rules, &old);

    if (status)
        return status;
    (void)printf(cli->json
                     ? "{\"documents\":%llu,\"operations\":%llu}\n"
                     : "would merge, for good, what one author did without a pause among %llu documents with %llu "
                       "operations that are old enough\n",
                 (unsigned long long)old.n_documents, (unsigned long long)old.n_operations);
    return CLI_OK;
}

static int compact_ask(struct cli *cli, struct exchange *exchange, json_t **out)
{
    struct progress progress;
    int status;

    exchange->has_body = true;
    exchange->on_progress = on_progress;
    exchange->progress_arg = &progress;
    (void)buffer_append_string(&exchange->target, "/v1/compact");
    if (cli->options[OPTION_RETENTION]) {
        (void)buffer_append_string(&exchange->target, "?retention=");
        percent_encode(bytes_of_string(cli->options[OPTION_RETENTION]), &exchange->target);
    }
    progress_begin(&progress, "compacting");
    status = ask_json(cli, exchange, "", out);
    progress_end(&progress);
    return status;
}

static int compact_run(struct cli *cli, int n_words, char **words)
{
    struct exchange exchange;
    json_t *answer = NULL;
    struct retain_rules rules = { .n = 0 };
    int status = cli->options[OPTION_RETENTION] ? read_rules(cli, &rules) : CLI_OK;

    (void)words;
    if (n_words)
        return cli_usage(&command_compact);
    if (status)
        return status;
    if (cli->options[OPTION_DRY_RUN])
        return rules.n ? retention_rehearse(cli, &rules) : compact_rehearse(cli);
    exchange_init(&exchange, "POST");
    status = compact_ask(cli, &exchange, &answer);
    if (!status)
        status = compact_report(cli, answer);
    json_decref(answer);
    exchange_finish(&exchange);
    return status;
}

const struct command command_compact = {
    "compact",
    "",
    "pack everything, and give free space back to the disk",
    "    pilcrow compact --dry-run\n"
    "    pilcrow compact\n"
    "    pilcrow compact --data /var/lib/pilcrow --retention notes=365\n\n"
    "The store is written anew, which needs room for a second copy. On a running server reading goes on and writers\n"
    "wait for the time of the copy. Fails with 4, and changes nothing, while another program reads the store's files,\n"
    "or a backup is being written. A server wants the right admin for this.\n"
    "\nWith --retention, operations of that collection that are older than so many days, at least 30, become one for "
    "each\n"
    "author and pause first. The versions between can't be read any more; --dry-run says how many operations are old\n"
    "enough. Without --retention a server obeys its own rules.\n",
    ACCESS_WRITE,
    compact_run,
    OPTIONS(OPTION_DRY_RUN, OPTION_RETENTION),
    .group = GROUP_ADMINISTRATION,
};
