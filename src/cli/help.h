/* What the tables say, for people: `help`, manual pages and completions are made of it and of nothing else. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

#define USAGE_BYTES 256

/* Of enum command_group. */
extern const char *const group_headings[N_GROUPS];

/* What an exit status means; ends with NULL. */
extern const char *const exit_meanings[];

/* "create DOC [FILE|-] [--type TYPE]"; returns `into`. */
const char *command_usage(const struct command *command, char *into, size_t n_into);

/* "--type TYPE"; returns `into`. */
const char *option_usage(const struct option_row *row, char *into, size_t n_into);

/* Details are two parts: examples, which are indented, and behind an empty line what it does. */
struct bytes command_examples(const struct command *command);
const char *command_description(const struct command *command); /* "": none */

void help_overview(void);
void help_command(const struct command *command);

/* manual.c: writes pilcrow.1 and a pilcrow-COMMAND.1 for each command into the directory, which is made if it is not
 * there. Returns an exit status. */
int manual_write(const char *directory);

#endif
