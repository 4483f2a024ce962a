/* A client of the protocol, without a socket: text in, text out through a line.
 *
 *     program --client_open, client_submit--> document --client_line.send--> the server
 *             <--------client_events---------          <---client_on_frame---
 *
 * net/dial.h is a line; a list of strings in a test is another.
 *
 * A document is what its program sees: the server's version with the program's own operations on top. One of those is
 * on its way at a time; what is submitted meanwhile waits, composed into as few operations as possible, and is
 * transformed over what comes in.
 *
 *     version           5          6          7                       the server's
 *     value             |--theirs--|--theirs--|--in flight--|--waiting--|     what the program sees
 *
 * Lines break: after client_on_cut everything waits. The first frame of the next line makes the client come back under
 * its id, send again what was not acknowledged, with the same src and seq, and read on from the version it has; nothing
 * is missed, repeated or applied twice.
 *
 * A refused operation takes all that stands on it along: the document forgets them, tells on_refused, and is read anew.
 *
 * Source: docs/protocol.md. Everything happens on one thread, and events come from inside client_on_frame only. Inside
 * an event a program may submit, not close or destroy. Memory that runs out, and frames that no server of the protocol
 * sends, cut the line; the client is whole and goes on when a new one comes. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/bytes.h"
#include "ot/ot.h"

#define CLIENT_MUST_CHECK __attribute__((warn_unused_result))
#define CLIENT_NOW        UINT64_MAX

struct client;
struct client_doc;

/* What submitting may answer beside 0 and -ENOMEM; nothing has changed then. */
enum client_error {
    CLIENT_NOT_LOADED = 1, /* on_snapshot has not come, or everything was just refused and is being read anew */
    CLIENT_NOT_APPLIED,    /* it does not fit the document, there is none, or there is one already */
    CLIENT_FULL,           /* too many operations wait */
};

/* Where frames go. Never fails for the client: a line that can't take one breaks by itself. */
struct client_line {
    void (*send)(struct client_line *line, struct bytes text); /* borrowed until it returns */
    /* To be ended, and client_on_cut to be called, later, never from inside this call; then a new one is welcome. */
    void (*cut)(struct client_line *line, const char *reason);
};

/* An operation of somebody else, or an earlier one of this client's. All of it is borrowed. */
struct client_op {
    uint64_t version;            /* it leads from here to version + 1 */
    const struct ot_json *frame; /* as it was committed: `src`, `seq`, and one of `op`, `create`, `del` */
    const struct ot_op *op;      /* as it was applied to the value; NULL: a create, a delete, nothing, or no value */
};

struct client_refusal {
    struct bytes code, message; /* ERR_..., a sentence */
    bool is_reading; /* the document could not be read; else operations are forgotten, and one that was on its way may
                        have been committed all the same */
};

struct client_events {
    void (*on_snapshot)(struct client_doc *doc, void *arg); /* the value is there, for the first time or anew */
    void (*on_op)(struct client_doc *doc, const struct client_op *op, void *arg); /* applied already */
    void (*on_acknowledged)(struct client_doc *doc, uint64_t version, void *arg); /* durable; several may be composed */
    void (*on_refused)(struct client_doc *doc, const struct client_refusal *refusal, void *arg);
};

/* line: borrowed for the client's life. */
CLIENT_MUST_CHECK int client_create(struct client_line *line, struct client **out);
void client_destroy(struct client *client); /* its documents too; NULL is fine */

void client_on_frame(struct client *client, const char *text, size_t n_bytes); /* one whole message */
void client_on_cut(struct client *client);                                     /* the line is gone, however it went */

/* Reads and subscribes. events: borrowed; each may be NULL. Names: docs/protocol.md; the server judges them. */
CLIENT_MUST_CHECK int client_open(struct client *client, struct bytes collection, struct bytes id,
                                  const struct client_events *events, void *arg, struct client_doc **out);

/* The same without a value: operations only, from that version on. CLIENT_NOW: on_snapshot tells where they begin. */
CLIENT_MUST_CHECK int client_follow(struct client *client, struct bytes collection, struct bytes id, uint64_t from,
                                    const struct client_events *events, void *arg, struct client_doc **out);

/* Unsubscribes, and forgets what is not acknowledged. */
void client_close(struct client_doc *doc);

bool client_version(const struct client_doc *doc, uint64_t *out);     /* false: not loaded */
const struct ot_snapshot *client_value(const struct client_doc *doc); /* borrowed; NULL: there is no document */
bool client_is_settled(const struct client_doc *doc);                 /* everything submitted has been answered */

/* op: for the value of now; takes a reference. */
CLIENT_MUST_CHECK int client_submit(struct client_doc *doc, struct ot_op *op);
/* data NULL: the type's empty document; takes a reference. */
CLIENT_MUST_CHECK int client_submit_create(struct client_doc *doc, const struct ot_type *type, struct ot_json *data);
CLIENT_MUST_CHECK int client_submit_delete(struct client_doc *doc);

#endif
