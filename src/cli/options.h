/* Every option there is, one row each. What takes them is said by the commands; the global ones everybody takes. Help,
 * manual pages and completions come from these rows and from the commands' own. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_id {
    /* Everybody's. */
    OPTION_SERVER,
    OPTION_TOKEN_FILE,
    OPTION_CACERT,
    OPTION_DATA,
    OPTION_AUTHOR,
    OPTION_JSON,
    OPTION_YES,
    OPTION_HELP,
    OPTION_VERSION,
    N_GLOBAL_OPTIONS,

    /* Some commands'. */
    OPTION_TYPE = N_GLOBAL_OPTIONS,
    OPTION_BASE,
    OPTION_RIGHTS,
    OPTION_FROM,
    OPTION_COUNT,
    OPTION_LINES,
    OPTION_PURGE,
    OPTION_DRY_RUN,
    OPTION_MAN,
    OPTION_PREFIX,
    OPTION_FIND,
    OPTION_DELETED,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_TO,
    OPTION_PAUSE,
    OPTION_LIMIT,
    OPTION_NO_HISTORY,
    OPTION_INCREMENTAL,
    OPTION_RETENTION,
    OPTION_SALVAGE,
    N_OPTIONS
};

struct option_row {
    const char *name;
    const char *argument; /* NULL: it takes none */
    const char *summary;
    const char *variable; /* of the environment, that stands for it; NULL: none */
};

extern const struct option_row option_rows[N_OPTIONS];

/* Of a command: OPTIONS(OPTION_FROM, OPTION_COUNT). */
struct option_set {
    size_t n;
    const enum option_id *ids;
};
#define OPTIONS(...)                                                                                                   \
    {                                                                                                                  \
        sizeof((const enum option_id[]){ __VA_ARGS__ }) / sizeof(enum option_id), (const enum option_id[])             \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

bool option_set_has(const struct option_set *set, enum option_id id);

/* What each was given: its argument, "" where it takes none; NULL: not given. The last of several counts. The words
 * that are no options are moved behind the others, in their order; *first: where they begin. False, and has said so:
 * there is no such option, or its argument is missing. */
__attribute__((warn_unused_result)) bool options_read(int argc, char **argv, const char *values[N_OPTIONS], int *first);

#endif
