/* The calculator on standard input and output: one request a line, one answer a line, until the input ends. */
#include "ot/ot.h"

#include <stdio.h>
#include <stdlib.h>

static int write_out(void *arg, const char *at, size_t n_bytes)
{
    return fwrite(at, 1, n_bytes, arg) == n_bytes ? 0 : -1;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int r = 0;

    while (!r && (n = getline(&line, &capacity, stdin)) >= 0) {
        r = ot_calculate_line(line, (size_t)n, write_out, stdout);
        if (fflush(stdout) != 0)
            r = -1;
    }
    free(line);
    return r || ferror(stdin) ? 1 : 0;
}
