/* Work in a process of its own, which may die or hang of what it reads: LMDB does on damaged files. It says what it is
 * at, a JSON object a line; whoever started it hears that, and how it ended.
 *
 *     parent | <- {"at":...} <- {"finding":...} <- | child       silence for WARD_SILENCE_SECONDS: it is ended */
#ifndef CLI_WARD_H
#define CLI_WARD_H

#include <jansson.h>
#include <stdio.h>

#define WARD_SILENCE_SECONDS 60
#define WARD_LINE_MAX        ((size_t)1 << 20)

enum ward_end {
    WARD_ENDED, /* it did what it should */
    WARD_DIED,  /* of signal `how` */
    WARD_HUNG,
    WARD_FAILED, /* it gave up, with exit status `how`; or could not be started: -errno */
};

struct ward {
    /* In the child. `to` takes the lines. Returns its exit status: 0 is the only good one. */
    int (*work)(void *arg, FILE *to);
    void (*on_line)(void *arg, const json_t *line);
    void *arg;
};

enum ward_end ward_run(const struct ward *ward, int *how);

/* "SIGBUS" and the like. */
const char *ward_signal_name(int signal);

#endif
