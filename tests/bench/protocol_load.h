/* A load that speaks the protocol, and checks all that it is told.
 *
 *     OPENING --101, init--> SHAKING --hs--> CREATING --acknowledged--> SUBSCRIBING --s--> READY
 *                                       `--(the document is there)------^         ^
 *                                        `--(nobody subscribes)--------------------`---------^
 *
 * Every document has one creator, which is a client that may write. Who writes keeps some operations on their way; who
 * reads is told of each version once, in order. What became which version is noted in the document's ledger. */
#ifndef BENCH_PROTOCOL_LOAD_H
#define BENCH_PROTOCOL_LOAD_H

#include "tests/bench/histogram.h"
#include "tests/bench/http_reader.h"
#include "tests/bench/load.h"
#include "tests/bench/protocol_ledger.h"
#include "tests/bench/protocol_message.h"

#define SECOND            1000000000ull
#define MAX_OUTSTANDING   1024 /* operations of a client, a power of two */
#define N_TOLD            1024 /* versions of a document whose frames are remembered */
#define CLIENT_ID_MAX     64
#define TOLD_MAX_BYTES    232
#define MESSAGE_MAX_BYTES (64u << 20)

struct load;

enum client_state { CLIENT_OPENING, CLIENT_SHAKING, CLIENT_CREATING, CLIENT_SUBSCRIBING, CLIENT_READY, CLIENT_CLOSED };

struct client {
    struct load *load;
    struct document *document;
    struct line line; /* its owner is the client */
    struct http_reader answer;
    struct buffer parts; /* of a message that comes in several frames */
    enum client_state state;
    unsigned number;
    bool is_subscribed, is_asking;
    char id[CLIENT_ID_MAX]; /* that the server gave it; empty: none yet */
    uint32_t version;       /* all versions below it were told */
    uint64_t ahead;         /* bit i: version + i was told, too; lenient */
    uint32_t n_sent, n_acknowledged;
    unsigned n_waiting; /* operations on their way */
    uint64_t asked_ns;
    struct slot {
        uint32_t seq;
        unsigned n_left; /* answers, of the server and of readers, until it is no longer on its way */
        bool is_acknowledged;
        uint64_t at_ns;
    } * slots; /* of operations, by seq; only who writes */
};

struct document {
    unsigned number;
    struct client *creator;
    uint32_t n_sent; /* operations, with the create */
    struct ledger ledger;
    struct buffer head;   /* of each operation's message: up to its version */
    struct buffer answer; /* the snapshot that was looked at, as it came */
    struct told {
        uint32_t version, n_bytes; /* n_bytes 0: none */
        struct piece piece;
        char bytes[TOLD_MAX_BYTES];
    } * told; /* by version: what readers get is the same bytes for all of them */
};

enum counted { ACKNOWLEDGED, TOLD, ANSWERED, N_COUNTED };

/* What the clients do. */
struct mode {
    const char *name;
    enum counted counted;          /* what its result is */
    void (*pump)(struct client *); /* do what there is to do, while the load goes on; NULL: only be there */
    bool has_documents_each;       /* as many as clients */
    bool has_writer_beside;        /* a client more, the first, who writes and does not read */
    bool subscribes, has_history;
    bool drains;            /* the server is asked to end meanwhile */
    bool waits_for_readers; /* an operation is on its way until each of them has it */
};

struct load {
    const struct mode *mode;
    /* Options; protocol_load.c says what they are. */
    unsigned n, outstanding, n_documents, at_once, n_readers;
    uint32_t history;
    size_t n_text;
    long position; /* -1: in the middle */
    bool is_replacing, is_foretelling, is_lenient, is_bare, follows_all;
    uint64_t interval_ns; /* between two operations; 0: as soon as there is one less on its way */
    uint64_t warm_ns, measured_ns, patience_ns;
    const char *path;
    int port;
    pid_t server;
    struct bytes session, expected; /* operations, one a line; the text they make */

    int epoll;
    struct client *clients;
    struct document *documents;
    unsigned n_clients, n_ready, n_closed;
    bool is_draining;              /* the server closes the lines */
    double joined_at;              /* seconds, of the last that is there */
    void (*pump)(struct client *); /* the mode's, or that of its preparations; NULL: there is nothing to do */
    bool is_measuring;
    uint32_t most; /* operations of a writer, without the create */
    uint64_t due_ns;
    uint64_t at_ns; /* when the bytes came that are being read */
    struct traffic traffic;
    uint64_t n_counted[N_COUNTED];
    struct histogram acknowledged, told; /* times of them; of answers: told */
    struct buffer scratch;
};

/* protocol_run.c: opens the clients, lets them work, checks, and prints */
void load_run(struct load *load);
void load_turn_for(struct load *load, uint64_t ns);
/* Until each of the clients is done, from the first to the last. */
void load_turn_until(struct load *load, bool (*is_done)(const struct client *), const char *what);
void load_pump(struct load *load, void (*pump)(struct client *)); /* from now on this is what they do */
/* All that was sent has come back, and the documents are what they are said to be. */
void load_check(struct load *load);

/* protocol_drain.c: asks the server to end, waits for another one, and prints */
void load_drain(struct load *load);

/* protocol_client.c */
void client_open(struct client *client);
void client_on_input(struct client *client);
void client_ask(struct client *client, const char *action, const char *version); /* about its document */
void client_follow_all(struct client *client);                                   /* the load's documents */

/* protocol_write.c: operations, and what is told of them */
void write_create(struct client *client);
void write_op(struct client *client, uint64_t at_ns);
void write_again(struct client *client);          /* what was not acknowledged */
bool write_has_more(const struct client *client); /* operations to write */
void write_pump(struct client *client);
/* Streamed, or acknowledged; and the frame as a whole. */
void told_op(struct client *client, const struct message *message, struct bytes frame);

/* The same frame as another reader had: true, and it counts. */
bool told_before(struct client *client, struct bytes frame);

/* protocol_read.c: snapshots, and catching up */
void read_joined(struct client *client, const struct message *message);
void read_answer(struct client *client, const struct message *message);
void fetch_pump(struct client *client);
void catch_up_pump(struct client *client);

#endif
