/* What config.c, the table of settings, and config_read.c, which reads them, know of one another. */
#ifndef CONFIG_INSIDE_H
#define CONFIG_INSIDE_H

#include "config.h"

#define CONFIG_OPTIONS_MAX 64

enum config_kind {
    KIND_TEXT,
    KIND_LIST,
    KIND_ORIGINS,
    KIND_BASE,
    KIND_TYPES,
    KIND_RULES,
    KIND_SWITCH,
    KIND_SIZE,
    KIND_COUNT,
    KIND_DEPTH,
    KIND_SECONDS,
    KIND_LEVEL,
    KIND_FORMAT
};

struct config_option {
    const char *name;
    enum config_kind kind;
    size_t at;                   /* in struct config */
    bool is_flag_only;           /* makes no sense anywhere else */
    const char *argument, *help; /* help NULL: nobody is told */
};

extern const struct config_option config_options[];
extern const size_t config_n_options;

/* Its row. */
bool config_option_find(const char *name, size_t n_name, size_t *out);

#endif
