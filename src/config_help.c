/* The settings for people: `--help`, and the manual page, of the same rows. */
#include "config.h"

#include <string.h>

#include "base/roff.h"

static const char size_means[] = "SIZE: bytes, or with K, M, G, T.";

static void print_indented(FILE *to, const char *text)
{
    (void)fputs("      ", to);
    for (; *text; text++) {
        (void)fputc(*text, to);
        if (*text == '\n')
            (void)fputs("      ", to);
    }
    (void)fputc('\n', to);
}

void config_print_help(FILE *to)
{
    struct config_row row;

    (void)fprintf(to, "pilcrowd serves documents that several people edit at once.\n\n    pilcrowd [FLAG...]\n\n");
    for (size_t i = 0; config_row(i, &row); i++) {
        if (!row.help)
            continue;
        (void)fprintf(to, "  --%s%s%s\n", row.name, row.argument ? " " : "", row.argument ? row.argument : "");
        print_indented(to, row.help);
    }
    (void)fprintf(to,
                  "\n%s Every flag is also an environment variable (--log-level:\n"
                  "PILCROW_LOG_LEVEL) and a key of the configuration file; flags go before the environment, that\n"
                  "before the file. SIGTERM: answer what was taken, then exit; a second one exits at once. SIGHUP:\n"
                  "read the files of --tokens, --tls-cert and --tls-key again; read the settings again and follow\n"
                  "--log-level, --log-format and --retention.\n"
                  "Exit status: 0, or 2 for wrong settings, 1 for everything else.\n",
                  size_means);
}

/* ---- the manual page --------------------------------------------------------------------------------------------- */

static void write_flags(FILE *to)
{
    struct config_row row;

    roff_section(to, "OPTIONS");
    (void)fprintf(to, "%s\n", size_means);
    for (size_t i = 0; config_row(i, &row); i++) {
        char term[64];

        (void)snprintf(term, sizeof(term), "--%s", row.name);
        if (row.help)
            roff_item(to, term, row.argument, row.help);
    }
}

static void write_environment(FILE *to)
{
    struct config_row row;

    roff_section(to, "ENVIRONMENT");
    (void)fputs("Each stands for the flag of its name. Flags go before the environment, the environment before the "
                "file of \\-\\-config.\n",
                to);
    roff_close(to, true);
    for (size_t i = 0; config_row(i, &row); i++) {
        char variable[CONFIG_VARIABLE_CHARS];

        config_variable(row.name, variable);
        if (!row.is_flag_only)
            roff_item(to, variable, NULL, row.argument ? row.argument : "true | false");
    }
    roff_close(to, false);
}

static void write_files(FILE *to)
{
    roff_section(to, "FILES");
    roff_item(to, "DIR/data.mdb", NULL, "everything; back it up with pilcrow backup, not by itself");
    roff_item(to, "DIR/lock.mdb", NULL, "who is reading; of no value when nobody is");
    roff_item(to, "DIR/writer.lock", NULL, "held as long as the server runs: one at a time may write");
    roff_item(to, "FILE of --config", NULL, "a JSON object with the settings above, named without --");
    roff_item(to, "FILE of --tokens", NULL, "who may do what; pilcrow token makes its entries");
}

static void write_signals_and_exits(FILE *to)
{
    roff_section(to, "SIGNALS");
    roff_item(to, "SIGTERM, SIGINT", NULL, "answer what was taken, then exit; a second one exits at once");
    roff_item(to, "SIGHUP", NULL,
              "read the files of --tokens, --tls-cert and --tls-key again; read the settings again and follow "
              "--log-level, --log-format and --retention");
    roff_section(to, "EXIT STATUS");
    roff_close(to, true);
    roff_item(to, "0", NULL, "it was told to end, and has answered everybody");
    roff_item(to, "1", NULL, "everything else");
    roff_item(to, "2", NULL, "wrong settings");
    roff_close(to, false);
}

void config_print_manual(FILE *to)
{
    static const char description[] =
        "Keeps documents that several people edit at once, in browsers over a WebSocket, from scripts over HTTP, and "
        "from the shell with pilcrow. What was acknowledged is on the disk. Without --tokens everybody who reaches the "
        "server may do everything, so it listens on this machine only.\n";
    static const char examples[] = "    pilcrowd --data /var/lib/pilcrow\n"
                                   "    pilcrowd --listen 0.0.0.0:8080 --tokens /etc/pilcrow/tokens.json\n"
                                   "    pilcrowd --config /etc/pilcrow/pilcrowd.json --check-config\n";

    roff_title(to, "pilcrowd", 8, "pilcrow " PILCROW_VERSION);
    roff_section(to, "NAME");
    (void)fputs("pilcrowd \\- serves documents that several people edit at once\n", to);
    roff_section(to, "SYNOPSIS");
    roff_bold(to, "pilcrowd", "[FLAG...]");
    roff_section(to, "DESCRIPTION");
    roff_paragraphs(to, description, strlen(description));
    write_flags(to);
    write_signals_and_exits(to);
    write_environment(to);
    write_files(to);
    roff_section(to, "EXAMPLES");
    roff_paragraphs(to, examples, strlen(examples));
    roff_section(to, "SEE ALSO");
    (void)fputs("\\fBpilcrow\\fR(1)\n", to);
}
