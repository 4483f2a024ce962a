/* Clients and the server's own sessions in one process, with lines between them that can be cut at any frame.
 *
 *     struct end *ink = pair_join(pair);     a client; pair_connect gives it a line
 *     pair_settle(pair);                     every frame is delivered, and everything that follows from it
 *     pair_cut(ink);                         what is under way in either direction is lost
 */
#ifndef CLIENT_PAIR_H
#define CLIENT_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/session.h"
#include "client/client.h"
#include "tests/sim/random.h"
#include "tests/sim/store_sim.h"

struct pair;

struct end {
    struct client_line line; /* the client's end; first */
    struct peer peer;        /* the server's */
    struct list link;
    struct pair *pair;
    struct client *client;
    struct client_doc *doc;
    struct session *session; /* NULL: no line */
    struct list up, down;    /* of frames under way */
    bool is_to_be_cut;
    size_t n_snapshots, n_ops, n_acknowledged, n_refused, n_bad; /* n_bad: lines that the client cut */
    char code[64];                                               /* of the last refusal */
    uint64_t next_version;                                       /* what on_op must tell next */
};

struct pair {
    struct sim_disk *disk;
    struct store *store;
    struct world world;
    uint64_t now_ms, n_random;
    struct hub_config config;
    struct hub *hub;
    struct session_context context;
    struct list ends;
};

int pair_setup(void **state);
int pair_teardown(void **state);

struct end *pair_join(struct pair *pair);                  /* a client, off line, its document "c/d" open */
struct end *pair_follow(struct pair *pair, uint64_t from); /* the same for operations only */
void pair_connect(struct end *end);
void pair_cut(struct end *end);
bool pair_step(struct end *end, bool up); /* delivers one frame; false: there is none */
void pair_settle(struct pair *pair);
void pair_restart(struct pair *pair); /* the server; every line is cut */

/* From the server to that client, by nobody. */
void pair_inject(struct end *end, const char *text);

void pair_create(struct end *end, const char *type, const char *data);
int pair_submit(struct end *end, const char *type, const char *op); /* what client_submit returns */
/* The value as JSON, or "none". */
void pair_expect(struct end *end, uint64_t version, const char *value);
char *pair_value(struct end *end); /* to be freed */

#endif
