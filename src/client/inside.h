/* What the parts of src/client/ share with each other and with nobody else.
 *
 *     client.c     the connection: handshake, whose frame it is, coming back
 *     doc.c        a document: reading, what comes in, what is forgotten
 *     submit.c     the program's own operations
 *     own.c        one of them; others' transformed over them
 *     frames.c     requests, written */
#ifndef CLIENT_INSIDE_H
#define CLIENT_INSIDE_H

#include "base/list.h"
#include "client/client.h"

#define CLIENT_ID_MAX_BYTES 64

/* Beside 0 and -ENOMEM: the server says what it must not. */
#define CLIENT_BAD_FRAME 1

enum change_kind { CHANGE_NOTHING, CHANGE_EDIT, CHANGE_CREATE, CHANGE_DELETE };

/* What leads from one version to the next. Owns what it points at. */
struct change {
    enum change_kind kind;
    struct ot_op *op;           /* of an edit */
    const struct ot_type *type; /* of a create */
    struct ot_json *data;       /* of a create; NULL: empty */
};

/* One that this program made, and that is not acknowledged. */
struct own_op {
    struct list link;
    struct change change;
    struct ot_op *next; /* what change.op becomes when what just came in has been applied */
    bool was_sent;
    char src[CLIENT_ID_MAX_BYTES + 1];
    uint64_t seq;
};

struct client {
    struct client_line *line;
    bool is_connected;                /* the server has answered the handshake */
    char id[CLIENT_ID_MAX_BYTES + 1]; /* "": none yet */
    uint64_t next_seq;
    struct list docs;
};

struct client_doc {
    struct list link;
    struct client *client;
    const struct client_events *events;
    void *arg;
    struct bytes collection, id; /* point behind the struct */
    bool has_value;              /* it is to have one: client_open */
    bool has_version;
    bool is_fetching;
    uint64_t version;
    const struct ot_type *type; /* at that version; NULL: there is no document */
    struct ot_snapshot *value;  /* with our own operations */
    struct list own;            /* of struct own_op, in their order */
    size_t n_own;
    bool is_in_flight; /* the first of them is on its way */
};

/* frames.c: 0 or -ENOMEM */
CLIENT_MUST_CHECK int say_handshake(struct client *client);
CLIENT_MUST_CHECK int say_document(const struct client_doc *doc, const char *action); /* with its version */
CLIENT_MUST_CHECK int say_op(const struct client_doc *doc, const struct own_op *own);

/* own.c */
void change_finish(struct change *change);
CLIENT_MUST_CHECK int own_create(const struct change *change, struct own_op **out); /* takes change */
void own_destroy(struct own_op *own);

/* Brings change over everything of the program's own, and prepares that to stand on it: own_settle says whether it came
 * to that. 0; -ENOMEM; OVER_... : both can't be. */
enum { OVER_CREATED = 1, OVER_DELETED, OVER_CONFLICT };
CLIENT_MUST_CHECK int own_over(struct client_doc *doc, struct change *change);
void own_settle(struct client_doc *doc, bool is_applied);

/* The one on its way; NULL: none. */
static inline struct own_op *doc_in_flight(const struct client_doc *doc)
{
    return doc->is_in_flight ? LIST_ENTRY(doc->own.next, struct own_op, link) : NULL;
}

/* submit.c */
CLIENT_MUST_CHECK int doc_flush(struct client_doc *doc); /* sends what is next, when nothing is on its way */
void doc_forget(struct client_doc *doc);                 /* operations, value and version */
CLIENT_MUST_CHECK int value_apply(struct client_doc *doc, const struct change *change); /* 0, -ENOMEM, enum ot_code */

/* doc.c; they return 0, -ENOMEM or CLIENT_BAD_FRAME */
CLIENT_MUST_CHECK int doc_come_back(struct client_doc *doc); /* connected, for the first time or again */
CLIENT_MUST_CHECK int doc_on_op(struct client_doc *doc, const struct ot_json *frame);
CLIENT_MUST_CHECK int doc_on_read(struct client_doc *doc, const struct ot_json *frame); /* reply to f or s */

/* A member that is a whole number. */
static inline bool json_integer(const struct ot_json *frame, const char *key, uint64_t *out)
{
    const struct ot_json *json = ot_json_get(frame, key, strlen(key));

    return json && ot_json_integer(json, out);
}

static inline struct bytes json_text(const struct ot_json *json)
{
    struct bytes text = { NULL, 0 };

    if (json && ot_json_kind(json) == OT_JSON_STRING)
        text.at = ot_json_string(json, &text.n_bytes);
    return text;
}

#endif
