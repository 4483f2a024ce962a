/* Many who follow one document, one who writes it, in one process and by one clock; ways.mjs calls it.
 *
 * Each version's text begins with a stamp, "@VERSION WRITTEN;": the version that the text is of, and when the writer
 * sent it. The stamp stands in the text of a poll, in the operations of the other ways, and in the create. So a
 * follower reads the same thing whichever way it came, and everything that it is told is checked: nothing twice,
 * nothing missing (polling: nothing older than before), and exactly what was written. */
#ifndef BENCH_FOLLOWERS_H
#define BENCH_FOLLOWERS_H

#include <time.h>

#include "tests/bench/histogram.h"
#include "tests/bench/http_reader.h"
#include "tests/bench/load.h"

#define DOCUMENT     "/v1/docs/bench/told"
#define STAMP_BYTES  33
#define STAMP_FORMAT "@%010u %020llu;"
#define TEXT_BYTES   4000 /* of the document: a stamp, and words that stay as they are */
#define MAX_VERSIONS 100000
#define WEB_SOCKET   "/v1/ws"
#define WAIT_SECONDS 60

struct run;

struct follower {
    struct run *run;
    struct line line; /* its owner is the follower */
    unsigned number;
    unsigned seen;  /* the newest version it was told; 0: none yet */
    bool is_asking; /* a poll that is not answered yet */
    struct http_reader answer;
    struct buffer body; /* of it, as far as it has come and was not looked at */
    char etag[128];     /* of what was seen; polling */
};

/* A way of being told. */
struct way {
    const char *name;
    bool is_polling;                     /* is asked by the clock; may see several versions as one */
    void (*begin)(struct follower *);    /* the line is open: ask for what there is, and go on from there */
    void (*on_input)(struct follower *); /* something has come */
};

/* One writer over a WebSocket, with at most one operation that is not acknowledged. */
struct writer {
    struct line line;
    struct http_reader answer;
    bool is_open, is_waiting;
    unsigned version;  /* that was sent last */
    uint64_t due_ns;   /* when the next one is sent; UINT64_MAX: no more */
    uint64_t pause_ns; /* between two, on average: half as much to half as much again */
    uint64_t written_ns[MAX_VERSIONS];
    struct histogram acknowledged;
};

struct run {
    const struct way *way;
    bool is_unconditional; /* polls say nothing of what they have */
    unsigned n;
    int port, epoll;
    pid_t server;
    clockid_t server_clock; /* processor time */
    uint64_t interval_ns;   /* between two polls of a follower */
    uint64_t quiet_ns, writing_ns, patience_ns;
    struct follower *followers;
    struct writer writer;
    struct traffic traffic, writer_traffic; /* of the followers; of the writer */
    unsigned n_joined;
    uint64_t n_told;      /* versions, to all of them; without the first */
    uint64_t n_unchanged; /* polls answered 304 */
    uint64_t n_late;      /* polls left out, as the one before was not answered */
    uint64_t received_ns; /* when the bytes came that are being read */
    uint64_t polls_from_ns, n_polls;
    struct histogram latency;
};

/* followers_ways.c */
const struct way *way_named(const char *name); /* NULL: there is none */
void poll_ask(struct follower *follower);

/* followers_writer.c. Nobody else may write the document. */
void writer_open(struct writer *writer, struct run *run); /* and creates the document */
void writer_on_input(struct writer *writer);
void writer_tick(struct writer *writer, uint64_t at_ns); /* writes if it is due */
void writer_start(struct writer *writer, uint64_t from_ns);
void writer_stop(struct writer *writer);

/* Fails when that is not what the writer wrote as this version. */
void writer_check(const struct writer *writer, unsigned follower, unsigned version, uint64_t written_ns);

#endif
