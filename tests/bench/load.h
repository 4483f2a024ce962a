/* What programs that load a server share: clocks, a way out, and lines to it that cost little.
 *
 * Whatever goes wrong ends the program: a load that lost a line measures something else. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <sys/types.h>
#include <time.h>

#include "base/buffer.h"

/* Says why on standard error, and exits with 1. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

uint64_t now_ns(void);                               /* CLOCK_MONOTONIC */
uint64_t random_between(uint64_t from, uint64_t to); /* [from, to); the same numbers in every run */
void raise_descriptors(unsigned n_lines);            /* so many may be open, and some others */

/* What a process has used, and what it holds. */
clockid_t cpu_clock(pid_t pid);
double seconds_of(clockid_t clock);
double family_seconds(pid_t pid); /* and of all that it has started, the ended too */
long resident_bytes(pid_t pid);

struct traffic {
    uint64_t n_requests, bytes_out, bytes_in; /* bytes of the streams, without the headers of TCP and IP */
};

/* A connection to 127.0.0.1, watched by an epoll instance for input, and for room as long as something is to be sent.
 * What came and was not taken stays at the beginning of input. */
struct line {
    int fd, epoll;
    void *owner; /* what epoll names */
    struct traffic *traffic;
    struct buffer input, output;
    size_t n_sent; /* of output */
};

void line_open(struct line *line, int epoll, void *owner, struct traffic *traffic, int port);
void line_close(struct line *line);
void line_flush(struct line *line);   /* sends output, or waits for room */
void line_on_room(struct line *line); /* after epoll's word: the rest of it */

/* After epoll's word: reads what there is, or so much of it that there is something to do; epoll says so again. False:
 * the other side has closed. */
bool line_read(struct line *line);
void line_take(struct line *line, size_t n_bytes); /* so much of input has been dealt with */

#endif
