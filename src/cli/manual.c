/* Manual pages, of the same tables as `help`. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/roff.h"
#include "cli/help.h"

#define SOURCE "pilcrow " PILCROW_VERSION

static void write_options(FILE *to, const enum option_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option_row *row = &option_rows[ids ? ids[i] : i];
        char term[64];

        (void)snprintf(term, sizeof(term), "--%s", row->name);
        roff_item(to, term, row->argument, row->summary);
    }
}

static void write_exits(FILE *to)
{
    roff_section(to, "EXIT STATUS");
    roff_close(to, true);
    for (int i = 0; exit_meanings[i]; i++) {
        char term[16];

        (void)snprintf(term, sizeof(term), "%d", i);
        roff_item(to, term, NULL, exit_meanings[i]);
    }
    roff_close(to, false);
}

static void write_environment(FILE *to)
{
    roff_section(to, "ENVIRONMENT");
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        char text[64];

        if (!option_rows[i].variable)
            continue;
        (void)snprintf(text, sizeof(text), "stands for --%s", option_rows[i].name);
        roff_item(to, option_rows[i].variable, NULL, text);
    }
}

static void write_files(FILE *to)
{
    roff_section(to, "FILES");
    roff_item(to, "DIR/data.mdb", NULL, "everything that a store holds; back it up with pilcrow backup, not by itself");
    roff_item(to, "DIR/lock.mdb", NULL, "who is reading; of no value when nobody is");
    roff_item(to, "DIR/writer.lock", NULL, "held by the one process that may write");
}

/* ---- pilcrow(1) -------------------------------------------------------------------------------------------------- */

static void write_group(FILE *to, enum command_group group)
{
    roff_subsection(to, group_headings[group]);
    for (size_t i = 0; commands[i]; i++)
        if (commands[i]->group == group)
            roff_item(to, commands[i]->name, commands[i]->arguments, commands[i]->summary);
}

/* The first of each command. */
static void write_first_examples(FILE *to)
{
    roff_section(to, "EXAMPLES");
    for (size_t i = 0; commands[i]; i++) {
        struct bytes examples = command_examples(commands[i]);
        const char *end = examples.n_bytes ? memchr(examples.at, '\n', examples.n_bytes) : NULL;

        if (end)
            roff_paragraphs(to, examples.at, (size_t)(end - (const char *)examples.at));
    }
}

static void write_overview(FILE *to)
{
    static const char description[] =
        "Works on a server over HTTP, or with --data directly on a store. Beside a running server a store can be read; "
        "for writing it must be free.\n\nDOC is COLLECTION/ID: the first / separates, percent-encoding is understood. "
        "@ "
        "counts as a version only before digits or a date at the end.\n";

    roff_title(to, "pilcrow", 1, SOURCE);
    roff_section(to, "NAME");
    (void)fputs("pilcrow \\- documents that several people edit at once, from the command line\n", to);
    roff_section(to, "SYNOPSIS");
    roff_bold(to, "pilcrow", "[OPTIONS] COMMAND ...");
    roff_section(to, "DESCRIPTION");
    roff_paragraphs(to, description, strlen(description));
    roff_section(to, "COMMANDS");
    for (int group = 0; group < N_GROUPS; group++)
        write_group(to, (enum command_group)group);
    roff_section(to, "OPTIONS");
    (void)fputs("Anywhere on the line.\n", to);
    write_options(to, NULL, N_GLOBAL_OPTIONS);
    write_exits(to);
    write_environment(to);
    write_files(to);
    write_first_examples(to);
    roff_section(to, "SEE ALSO");
    (void)fputs("\\fBpilcrowd\\fR(8)", to);
    for (size_t i = 0; commands[i]; i++)
        (void)fprintf(to, ",\n\\fBpilcrow\\-%s\\fR(1)", commands[i]->name);
    (void)fputc('\n', to);
}

/* ---- pilcrow-COMMAND(1) ------------------------------------------------------------------------------------------ */

static void write_command(FILE *to, const struct command *command)
{
    char name[64], term[64], usage[USAGE_BYTES];
    const char *description = command_description(command);
    struct bytes examples = command_examples(command);

    (void)snprintf(name, sizeof(name), "pilcrow-%s", command->name);
    roff_title(to, name, 1, SOURCE);
    roff_section(to, "NAME");
    (void)fprintf(to, "pilcrow\\-%s \\- ", command->name);
    roff_text(to, command->summary);
    (void)fputc('\n', to);
    roff_section(to, "SYNOPSIS");
    command_usage(command, usage, sizeof(usage));
    (void)snprintf(term, sizeof(term), "pilcrow %s", command->name);
    roff_bold(to, term, usage + strlen(command->name) + (*command->arguments || command->options.n ? 1 : 0));
    roff_section(to, "DESCRIPTION");
    description = *description ? description : command->summary;
    roff_paragraphs(to, description, strlen(description));
    if (command->options.n) {
        roff_section(to, "OPTIONS");
        (void)fputs("Beside those of \\fBpilcrow\\fR(1):\n", to);
        write_options(to, command->options.ids, command->options.n);
    }
    write_exits(to);
    if (command->access != ACCESS_NONE)
        write_environment(to);
    if (command->access == ACCESS_READ || command->access == ACCESS_WRITE)
        write_files(to);
    if (examples.n_bytes) {
        roff_section(to, "EXAMPLES");
        roff_paragraphs(to, examples.at, examples.n_bytes);
    }
    roff_section(to, "SEE ALSO");
    (void)fputs("\\fBpilcrow\\fR(1), \\fBpilcrowd\\fR(8)\n", to);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* command NULL: the overview. In place of what is there, so that the directory changes with what is in it. */
static int write_page(const char *directory, const struct command *command)
{
    char path[PATH_MAX];
    FILE *to;
    int status = CLI_OK;

    (void)snprintf(path, sizeof(path), "%s/pilcrow%s%s.1", directory, command ? "-" : "", command ? command->name : "");
    (void)unlink(path);
    to = fopen(path, "w");
    if (!to)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (command)
        write_command(to, command);
    else
        write_overview(to);
    if (ferror(to))
        status = CLI_FAILED;
    if (fclose(to) || status)
        status = cli_say(CLI_FAILED, "%s can't be written", path);
    return status;
}

int manual_write(const char *directory)
{
    int status;

    if (mkdir(directory, 0777) && errno != EEXIST)
        return cli_say(CLI_FAILED, "%s: %s", directory, strerror(errno));
    status = write_page(directory, NULL);
    for (size_t i = 0; !status && commands[i]; i++)
        status = write_page(directory, commands[i]);
    return status;
}
