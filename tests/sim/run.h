/* One simulated run: a server on a simulated store, clients, the lines between them, a clock that jumps, and chance
 * that decides what happens next. One seed, one run.
 *
 *     run.c       what happens next; the end, when everything has come to rest
 *     server.c    hub and sessions on the store; stopped, cut off, started again
 *     network.c   lines: in order each, free among one another, cut at any moment
 *     client.c    what the npm client says, and when
 *     replica.c   a document as a client has it
 *     presence.c  what a client shows, and what it sees of others
 *     edits.c     random content and operations of every type
 *     judge.c     what must hold; judge_presence.c of presence */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "api/session.h"
#include "tests/sim/random.h"
#include "tests/sim/replay.h"
#include "tests/sim/store_sim.h"

#define RUN_CLIENTS_MAX   6
#define RUN_DOCUMENTS_MAX 2
#define RUN_CHANNELS_MAX  (RUN_DOCUMENTS_MAX + 1)
#define RUN_COLLECTION    "notes"

/* How often, of 1000 steps, something goes wrong. */
struct scenario {
    const char *name;
    unsigned cut, restart, power, append_fails, read_fails, foreign, leave;
    unsigned deletes, replaced; /* a document goes; somebody goes for good, and somebody new comes */
    bool creates_race;          /* every client begins by making the documents */
};

/* What is broken on purpose, for the test of the tests. */
enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_EARLY_ACK, /* the store answers before it is durable */
    SABOTAGE_DUPLICATE, /* the network delivers frames twice */
    SABOTAGE_LOSS,      /* the network loses frames without cutting the line */
    SABOTAGE_REORDER,   /* the network exchanges frames of one line */
    SABOTAGE_FORGET,    /* the store never finds an operation by its id */
    /* In the program that sabotage.c is linked into. */
    SABOTAGE_SIDES,  /* the server transforms with the sides exchanged */
    SABOTAGE_TWICE,  /* a resend is a new operation */
    SABOTAGE_TIP,    /* snapshots are shown before they are durable */
    SABOTAGE_GHOSTS, /* the end of a line takes back no presence */
};

extern enum sabotage sim_sabotage; /* of this process */

struct run;
struct line;

/* ---- client.c ---------------------------------------------------------------------------------------------------- */

enum own_kind { OWN_EDIT, OWN_CREATE, OWN_DELETE };

/* An operation of the client's own that is not acknowledged. */
struct own_op {
    struct list link;
    enum own_kind kind;
    struct ot_op *op;           /* edit */
    struct ot_op *transformed;  /* while all of a replica's are transformed: what op becomes if none is in conflict */
    const struct ot_type *type; /* create */
    struct ot_json *data;       /* create */
    bool was_sent, was_resent;
    char src[CLIENT_ID_CHARS + 1];
    uint64_t seq;
};

struct replica {
    struct client *client;
    size_t number; /* of the document */
    bool has_version;
    uint64_t version;
    struct ot_snapshot *value; /* NULL: there is no document */
    struct own_op *in_flight;
    struct list waiting; /* of struct own_op */
    bool wants_stream, is_subscribed;
    size_t n_subscribes, n_fetches, n_unsubscribes; /* unanswered */
    bool was_refused;                               /* forgets everything and fetches */
    /* json1: what came meets what waits, and the types have no answer. Nothing more is taken until it is known what
     * became of the operation on its way; then everything is forgotten and fetched. */
    bool has_conflict;
};

/* What a client sees of somebody else on one channel. */
struct seen {
    struct list link;
    char id[8], src[CLIENT_ID_CHARS + 1];
    uint64_t pv;
    struct ot_json *value; /* NULL: nothing yet */
    /* Of a document: what came last, until nothing of the document is on its way. For pending_version. */
    bool is_pending;
    uint64_t pending_pv, pending_version;
    struct ot_json *pending; /* NULL: it was taken back */
};

/* A client on one channel: those of the documents, in their order, and one that is of no document. */
struct presence {
    struct client *client;
    struct replica *replica; /* NULL: of no document */
    char channel[16];
    bool is_wanted;
    size_t n_subscribes, n_shows; /* unanswered */
    struct ot_json *value;        /* what it shows of itself; NULL: nothing */
    uint64_t next_pv;
    bool is_due;      /* is to be said as soon as nothing of the document is on its way */
    bool may_be_seen; /* somebody may have been told of a value */
    struct list seen; /* of struct seen */
};

struct client {
    struct run *run;
    size_t number;
    unsigned generation; /* how many were here before it */
    struct line *line;   /* NULL: off line */
    bool is_connected;
    char id[CLIENT_ID_CHARS + 1]; /* "": none yet */
    uint64_t next_seq;
    size_t n_handshakes; /* unanswered */
    uint64_t next_presence_seq;
    struct replica replicas[RUN_DOCUMENTS_MAX];
    struct presence presences[RUN_CHANNELS_MAX];
};

void client_init(struct client *client, struct run *run, size_t number, unsigned generation);
void client_finish(struct client *client);
void client_replace(struct client *client);                    /* it goes for good, and a new one comes later */
void client_on_line(struct client *client, struct line *line); /* a new one */
void client_on_frame(struct client *client, const char *text, size_t n_bytes);
void client_on_cut(struct client *client);
__attribute__((format(printf, 2, 3))) void client_say(struct client *client, const char *format, ...);
void client_edit(struct client *client, struct replica *replica);          /* somebody types */
void client_delete(struct client *client, struct replica *replica);        /* when nothing is on its way */
void client_toggle_stream(struct client *client, struct replica *replica); /* subscribes, or leaves */
void client_fetch(struct client *client, struct replica *replica);
bool client_is_at_rest(const struct client *client);
void client_flush(struct client *client, struct replica *replica); /* sends what is next, when nothing is on its way */
void client_must(int r, const char *what);                         /* r is 0 */

/* ---- replica.c --------------------------------------------------------------------------------------------------- */

void replica_forget(struct replica *replica, bool for_good); /* for_good: what is on its way may yet be committed */
bool replica_has_write_pending(const struct replica *replica);
bool replica_is_idle(const struct replica *replica); /* nothing of it is on its way */
void replica_on_op(struct replica *replica, const struct ot_json *frame);
void replica_ingest(struct replica *replica, const struct ot_json *snapshot);

/* ---- presence.c -------------------------------------------------------------------------------------------------- */

void presence_init(struct presence *presence, struct client *client, size_t number);
void presence_finish(struct presence *presence);
void presence_on_cut(struct presence *presence);
void presence_on_connected(struct presence *presence); /* subscribes again, and shows itself again */
/* ps, pu, p and pr. False: it is none of them. */
bool presence_on_frame(struct client *client, struct bytes action, const struct ot_json *frame);
void presence_toggle(struct presence *presence); /* subscribes, or leaves */
void presence_move(struct presence *presence);   /* somebody moves his caret */
void presence_show_again(struct presence *presence);
/* What could not be said or taken while something of the document was on its way. */
void presence_go_on(struct client *client);
bool presence_is_at_rest(const struct presence *presence);
const struct seen *presence_find(const struct presence *presence, const char *id); /* NULL: shows nothing */
void presence_id(const struct client *client, char id[8]);

/* News from the replica: an operation as the server has it, NULL where the document came or went; and as it is here. */
void presence_on_committed(struct replica *replica, const struct ot_op *op, struct bytes src);
void presence_on_applied(struct replica *replica, const struct ot_op *op, bool is_own, struct bytes src);
void presence_on_gone(struct replica *replica);   /* created or deleted, as everybody will hear */
void presence_on_loaded(struct replica *replica); /* or forgotten: only this client knows */

/* ---- edits.c ----------------------------------------------------------------------------------------------------- */

const struct ot_type *edit_any_type(struct run *run);
struct ot_json *edit_content(const struct ot_type *type); /* to begin with */
struct ot_op *edit_random(struct run *run, const struct ot_snapshot *value);
/* Where a caret may stand. */
struct ot_json *edit_random_range(struct run *run, const struct ot_snapshot *value);

/* ---- network.c --------------------------------------------------------------------------------------------------- */

struct packet {
    struct list link;
    size_t n_bytes;
    char text[];
};

struct line {
    struct peer peer; /* the server's end; first */
    struct list link;
    struct run *run;
    struct session *session; /* NULL: the server's end is gone */
    struct client *client;   /* NULL: the client's end is gone */
    struct list up, down;    /* of struct packet */
    bool is_drain_awaited;   /* the session was told that there is no room */
    bool is_up_ended;        /* behind `up` the line is cut */
    bool is_closing;         /* behind `down` the line is closed */
    bool is_paused;
    char letter; /* of the client, for people */
};

void network_connect(struct run *run, struct client *client);
void network_send_up(struct line *line, const char *text, size_t n_bytes);
void network_cut(struct line *line);        /* the client's end, at once; the server notices later */
void network_end_sessions(struct run *run); /* the server's ends, all of them, at once */
bool network_step(struct run *run);         /* delivers something; false: there is nothing */
void network_finish(struct run *run);

/* ---- server.c ---------------------------------------------------------------------------------------------------- */

struct server {
    struct sim_disk *disk;
    struct store *store; /* NULL: it is down */
    struct hub_config config;
    struct hub *hub;
    struct session_context context;
    uint64_t n_foreign;
};

void server_init(struct run *run);
void server_start(struct run *run);
void server_stop(struct run *run); /* drains */
void server_cut_power(struct run *run);
void server_fail_appends(struct run *run);
void server_fail_reads(struct run *run);
void server_append_foreign(struct run *run, size_t document); /* another node writes */
void server_finish(struct run *run);

/* ---- judge.c ----------------------------------------------------------------------------------------------------- */

enum outcome { OUTCOME_OPEN, OUTCOME_ACKNOWLEDGED, OUTCOME_REFUSED, OUTCOME_FORGOTTEN };

struct submitted {
    size_t document;
    char src[CLIENT_ID_CHARS + 1];
    uint64_t seq, version; /* where it was acknowledged */
    enum outcome outcome;
};

/* What somebody said of himself. */
struct said {
    size_t document; /* RUN_DOCUMENTS_MAX: on the channel of none */
    char id[8];
    uint64_t pv, version;
    struct ot_json *value; /* NULL: nothing */
};

struct judge {
    struct said *said;
    size_t n_said, said_capacity;
    struct submitted *submitted;
    size_t n, capacity;
    struct {
        struct replay replay; /* as far as there are contents */
        char **contents;      /* by version; the name of the type in front */
        size_t n;
    } documents[RUN_DOCUMENTS_MAX];
};

void judge_finish(struct run *run);
/* By the log alone, for the caller to destroy; NULL: there is no document. */
struct ot_snapshot *judge_value(struct run *run, size_t document);
/* The server has said this: is it on the disk? */
void judge_shown(struct run *run, const char *text, size_t n_bytes);
void judge_submitted(struct run *run, size_t document, const char *src, uint64_t seq);
void judge_outcome(struct run *run, size_t document, const char *src, uint64_t seq, enum outcome outcome,
                   uint64_t version);
void judge_at_rest(struct run *run);

/* ---- judge_presence.c -------------------------------------------------------------------------------------------- */

void judge_presence_finish(struct run *run);
void judge_said(struct run *run, const struct presence *presence); /* is about to be */
void judge_presence_shown(const struct run *run, const struct ot_json *frame);
/* Everybody sees who is there, and nobody else. Of documents the values are the same when they have just been shown. */
void judge_presence(struct run *run, bool were_shown_again);

/* ---- run.c ------------------------------------------------------------------------------------------------------- */

struct run {
    uint64_t seed;
    size_t n_steps, step;
    const struct scenario *scenario;
    struct sim_random random;
    struct world world;
    uint64_t now_ms;
    struct server server;
    struct list lines;
    size_t n_clients, n_documents;
    const struct ot_type *types[RUN_DOCUMENTS_MAX]; /* that documents begin as */
    struct client clients[RUN_CLIENTS_MAX];
    struct judge judge;
    bool is_traced; /* every frame is printed as it arrives */
    bool hints_are_reliable;
    size_t edits_of_100; /* steps */

    /* Figures. */
    uint64_t fingerprint; /* of every frame, in the order of their arrival */
    size_t n_edits, n_acknowledged, n_cuts, n_starts, n_refused, n_gaps, n_shown;
};

__attribute__((format(printf, 2, 3))) void run_trace(const struct run *run, const char *format, ...);

/* Runs to the end; a broken invariant is a violation. *at is the step of now, all the while. */
void run_all(struct run *run, volatile size_t *at);

struct store_name run_name(size_t document);
bool run_document_of(const struct ot_json *frame, size_t *out); /* by its "d" */
static inline bool run_chance(struct run *run, unsigned n_of_1000)
{
    return sim_random_chance(&run->random, n_of_1000);
}
static inline size_t run_below(struct run *run, size_t n)
{
    return sim_random_below(&run->random, n);
}

#endif
