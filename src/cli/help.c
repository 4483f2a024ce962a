#include "cli/help.h"

#include <stdio.h>

const char *const group_headings[N_GROUPS] = {
    [GROUP_DOCUMENTS] = "Documents",
    [GROUP_HISTORY] = "History",
    [GROUP_ADMINISTRATION] = "Administration",
    [GROUP_TOOLS] = "Tools",
};

const char *const exit_meanings[] = {
    [CLI_OK] = "ok",
    [CLI_FAILED] = "failed",
    [CLI_USAGE] = "usage",
    [CLI_NOT_FOUND] = "not found",
    [CLI_CONFLICT] = "conflict or precondition",
    [CLI_NOT_ALLOWED] = "not allowed",
    [CLI_UNAVAILABLE] = "unavailable",
    [CLI_DAMAGED] = "integrity error found",
    NULL,
};

const char *option_usage(const struct option_row *row, char *into, size_t n_into)
{
    (void)snprintf(into, n_into, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    return into;
}

const char *command_usage(const struct command *command, char *into, size_t n_into)
{
    size_t n =
        (size_t)snprintf(into, n_into, "%s%s%s", command->name, *command->arguments ? " " : "", command->arguments);
    char option[64];

    for (size_t i = 0; i < command->options.n && n < n_into; i++)
        n += (size_t)snprintf(into + n, n_into - n, " [%s]",
                              option_usage(&option_rows[command->options.ids[i]], option, sizeof(option)));
    return into;
}

struct bytes command_examples(const struct command *command)
{
    const char *end = strstr(command->details, "\n\n");
    size_t n = end ? (size_t)(end + 1 - command->details) : strlen(command->details);

    return bytes_of(command->details, *command->details == ' ' ? n : 0);
}

const char *command_description(const struct command *command)
{
    struct bytes examples = command_examples(command);
    const char *rest = command->details + examples.n_bytes;

    return rest + (examples.n_bytes && *rest == '\n');
}

/* ---- on a terminal ----------------------------------------------------------------------------------------------- */

/* Of the left column. */
static int widest_option(const enum option_id *ids, size_t n)
{
    char left[64];
    size_t widest = 0, width;

    for (size_t i = 0; i < n; i++) {
        width = strlen(option_usage(&option_rows[ids ? ids[i] : i], left, sizeof(left)));
        widest = width > widest ? width : widest;
    }
    return (int)widest;
}

static int widest_arguments(void)
{
    size_t widest = 0;

    for (size_t i = 0; commands[i]; i++)
        widest = strlen(commands[i]->arguments) > widest ? strlen(commands[i]->arguments) : widest;
    return (int)widest;
}

static void print_option(const struct option_row *row, int width)
{
    char left[64];

    (void)printf("  %-*s  %s", width, option_usage(row, left, sizeof(left)), row->summary);
    if (row->variable)
        (void)printf(" (%s)", row->variable);
    (void)printf("\n");
}

static void print_group(enum command_group group)
{
    int width = widest_arguments();

    (void)printf("%s\n", group_headings[group]);
    for (size_t i = 0; commands[i]; i++)
        if (commands[i]->group == group)
            (void)printf("  %-10s  %-*s  %s\n", commands[i]->name, width, commands[i]->arguments, commands[i]->summary);
    (void)printf("\n");
}

static void print_exits(void)
{
    (void)printf("Exit status:");
    for (int i = 0; exit_meanings[i]; i++)
        (void)printf("%s%d %s", i == 0 ? " " : i == CLI_UNAVAILABLE ? ",\n" : ", ", i, exit_meanings[i]);
    (void)printf(".\n");
}

void help_overview(void)
{
    (void)printf("pilcrow [OPTIONS] COMMAND ...\n\n");
    for (int group = 0; group < N_GROUPS; group++)
        print_group((enum command_group)group);
    (void)printf("DOC is COLLECTION/ID, percent-encoding is understood. Options, anywhere on the line:\n\n");
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++)
        print_option(&option_rows[i], widest_option(NULL, N_GLOBAL_OPTIONS));
    (void)printf("\nWithout --server and --data, the server at " SERVER_DEFAULT " is asked.\n");
    print_exits();
}

void help_command(const struct command *command)
{
    char usage[USAGE_BYTES];

    (void)printf("pilcrow %s\n\n%s\n", command_usage(command, usage, sizeof(usage)), command->details);
    for (size_t i = 0; i < command->options.n; i++)
        print_option(&option_rows[command->options.ids[i]], widest_option(command->options.ids, command->options.n));
}
