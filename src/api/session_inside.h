/* What the files of a session know of one another.
 *
 *     session.c            life, the table of actions, handshake, ping
 *     session_requests.c   requests and their order
 *     session_follow.c     fetch, subscribe, unsubscribe, one document or several
 *     session_submit.c     operations
 *     session_large.c      messages of megabytes
 *     session_pace.c       long answers, at the pace of the client who reads them
 *     session_past.c       documents as they were
 *     session_presence.c   what is shown to others and forgotten
 *     session_caret.c      the same on a document, moved over what was done to it
 *     session_query.c      queries (session_query.h)
 *
 *     session --- request (one frame to be answered) --- part (its business with one document)
 *        \                                                 |
 *         \--------- session_link (one document) ---- queue of parts not begun
 *
 * Parts of one link begin in the order of their arrival, each when the one before has its place in the document's
 * queue. */
#ifndef API_SESSION_INSIDE_H
#define API_SESSION_INSIDE_H

#include "api/frames.h"
#include "api/session.h"

struct session_link {
    struct list link;          /* in the session's links, in the order of their making */
    struct session_link *next; /* in its bucket */
    struct session *session;
    struct document *document; /* counted */
    struct subscriber subscriber;
    uint64_t subscribed_from; /* the stream has brought everything from there on but the session's own */
    struct list parts;        /* waiting for their turn */
    size_t n_parts;           /* waiting, begun or not answered */
    bool is_busy;             /* one has begun and has no certain place yet */
    bool is_beginning;        /* link_begin_next is at work further up the stack */
    bool is_subscribed;
    struct request *seen_by; /* the bulk request that has named it already */
};

struct session {
    struct session_context *context;
    struct peer *peer; /* NULL: the session has ended, or its peer is told to close */
    struct client_id id;
    struct principal principal;
    struct bytes author;   /* points into this struct or behind it */
    struct list held;      /* parts that wait until the client has read */
    struct part *behind;   /* the submission that is being transformed in slices; NULL: none */
    struct list behind_it; /* parts: those that will be */
    struct list requests;  /* not answered, in the order of arrival */
    size_t n_requests, n_documents, n_unanswered_bytes; /* all, the whole documents in them, the bytes of all */
    size_t n_message_bytes;                             /* of the message at hand */
    bool has_ended, is_paused;
    bool is_reading; /* a large message is being parsed; what comes is kept in `later` */
    bool is_large;   /* the message at hand was */
    struct list later;

    struct list links;
    struct session_link **buckets;
    size_t n_buckets, n_links;
    size_t n_subscriptions, n_subscribing; /* there, and asked for in requests that are not answered */

    struct list listeners, presences; /* session_presence.c's */
    size_t n_listeners, n_presences;

    struct list queries; /* session_query.c's, in the order of arrival */
    size_t n_queries;
};

struct part {
    struct list link; /* in its session_link's parts; once begun, in the session's held or behind_it */
    struct request *request;
    struct session_link *at;
    uint64_t version;   /* DOCUMENT_NOW: the snapshot, or the tip */
    struct buffer data; /* bulk: what the reply says of this document */
    bool has_begun;     /* before that, nothing of the following means anything */
    union {
        struct {
            struct fetch fetch;
            struct ot_json *presence; /* what is shown, as far as it is up to date; NULL: nothing */
            int presence_r;           /* why it can't be brought up to date */
        };
        struct {
            struct submission submission;
            struct client_id src; /* the session's own as it was, when the frame names none */
        };
    };
};

struct request {
    struct list link; /* in the session's requests */
    struct session *session;
    const struct action *action;
    struct ot_json *frame;
    bool is_small;       /* has room for one part, or none */
    bool is_list;        /* bulk: by ids, so that the reply has data */
    bool is_barrier;     /* a ping: answered when it is the oldest */
    bool is_answered;    /* also: refused, while other parts were still under way */
    bool has_gone_on;    /* action->go_on has been called */
    bool is_too_large;   /* refused, since its data is, of bulk all together */
    bool is_left;        /* p: its channel was left meanwhile, so nothing is shown */
    size_t n_documents;  /* whole ones in the answer, which may be large: few of them at a time */
    size_t n_bytes;      /* of its message, and of its parts where they are many */
    size_t n_data_bytes; /* bulk: of its parts */
    size_t n_left;       /* parts not answered */
    size_t n_parts;
    struct part parts[];
};

struct action {
    const char *name;
    enum right needs; /* else it is refused with ERR_NOT_ALLOWED */
    void (*handle)(struct session *session, const struct action *action, struct ot_json *frame);
    void (*begin)(struct part *part);        /* of each part; says link_has_place when the next one may begin */
    void (*answer)(struct request *request); /* when all parts are done; NULL: the reply has nothing of its own */
    void (*go_on)(struct request *request);  /* what its parts do behind the answer; NULL: nothing */
    void (*resume)(struct part *part);       /* a part that was held; NULL: none ever is */
};

/* session.c */
void session_send(struct session *session,
                  struct frame *frame); /* a reply; takes over the reference; NULL: no memory */
void session_refuse(struct session *session, const struct ot_json *frame, const struct refusal *refusal,
                    const char *message);
/* It asks for more than a limit allows. */
void session_hits(struct session *session, enum limit limit); /* counts and tells it */
void session_refuse_limit(struct session *session, const struct ot_json *frame, enum limit limit, const char *message);
void session_trouble(struct session *session, int r); /* r < 0: closes, so that the client comes again */
void session_close(struct session *session, enum peer_close_code code, const char *reason);
void session_free_if_over(struct session *session);
void session_on_parsed(struct session *session, int r, struct ot_json *frame); /* takes over the reference */
bool string_of(const struct ot_json *value, struct bytes *out);                /* false: NULL, or no string */
/* Absent or null: out is DOCUMENT_NOW. False: neither that nor a version. */
bool version_of(const struct ot_json *value, uint64_t *out);
/* Checks d, v and c of a request about one document, in this order; refuses and returns false. */
bool session_names(struct session *session, const struct ot_json *frame, struct store_name *name, uint64_t *version);

/* Asked for every operation that a session is told. */
static inline bool session_is_own(const struct session *session, struct bytes src)
{
    return src.n_bytes == CLIENT_ID_CHARS && memcmp(src.at, session->id.text, CLIENT_ID_CHARS) == 0;
}

/* Their keys are literals, so that their lengths are known where they stand. */
static inline struct ot_json *frame_member(const struct ot_json *frame, const char *key)
{
    return ot_json_get(frame, key, strlen(key));
}

static inline bool frame_string(const struct ot_json *frame, const char *key, struct bytes *out)
{
    return string_of(frame_member(frame, key), out);
}

/* session_requests.c */
/* NULL without memory. The frame is referenced. */
struct request *request_create(struct session *session, const struct action *action, struct ot_json *frame,
                               size_t n_parts);
/* Gives the next part its document; false without memory. */
bool request_add(struct request *request, struct store_name name, uint64_t version);
void session_pause_if_due(struct session *session);
void request_unlist(struct request *request); /* it is answered, or nobody will hear the answer */
void request_start(struct request *request);  /* all parts are there */
/* A request about one document, all of it. */
void request_start_one(struct session *session, const struct action *action, struct ot_json *frame,
                       struct store_name name, uint64_t version);
void request_drop(struct request *request); /* it never started */
/* Before it is started: it waits for one thing more than its parts, until it is let go. */
void request_hold(struct request *request);
void request_let_go(struct request *request);
struct session_link *session_link_of(struct session *session, struct store_name name);
/* Most clients have one document: whether it is that, without looking for it. NULL: perhaps another one is. */
struct session_link *session_newest_link(const struct session *session, struct store_name name);
struct session_link *session_link_find(const struct session *session, const struct document *document); /* or NULL */
void link_free_if_idle(struct session_link *link);
void link_has_place(struct session_link *link); /* its busy part's place is certain: the next one may begin */
void part_done(struct part *part);              /* its business is over; the last one answers the request */

/* session_follow.c */
void handle_one(struct session *session, const struct action *action, struct ot_json *frame);
void handle_bulk(struct session *session, const struct action *action, struct ot_json *frame);
void begin_fetch(struct part *part);
void begin_subscribe(struct part *part);
void begin_unsubscribe(struct part *part);
void answer_snapshot(struct request *request);
void answer_bulk(struct request *request);
void go_on_following(struct request *request);
void link_on_op(struct subscriber *subscriber, struct committed_op *op);

void resume_fetch(struct part *part);

/* session_large.c */
void session_keep_for_later(struct session *session, const char *text, size_t n_bytes);

/* session_pace.c */
/* From inside on_op or on_missed: true when the client can't take more; the caller has its request held. */
bool part_is_to_wait(struct part *part);
void session_go_on(struct session *session); /* those held, as long as there is room; all when the session has ended */
void part_is_behind(struct part *part);      /* of all that have far to go, one goes at a time: it, or it is held */
void part_is_behind_no_more(struct part *part); /* it has its place; the next one goes */

/* session_submit.c */
void resume_op(struct part *part);
void handle_op(struct session *session, const struct action *action, struct ot_json *frame);
void begin_op(struct part *part);

/* session_past.c */
void handle_past(struct session *session, const struct action *action, struct ot_json *frame);
void begin_past(struct part *part);
void past_end(struct session *session); /* nobody will hear the answers */

/* session_presence.c */
void handle_listen(struct session *session, const struct action *action, struct ot_json *frame);
void handle_unlisten(struct session *session, const struct action *action, struct ot_json *frame);
void handle_presence(struct session *session, const struct action *action, struct ot_json *frame);
void handle_presence_request(struct session *session, const struct action *action, struct ot_json *frame);
void presence_end(struct session *session); /* takes back what is shown, and listens no more */

/* One update on its way: checked, and brought up to date when it is about a document. */
struct presence_update {
    struct bytes channel, id; /* of the frame */
    uint64_t pv;
    const struct ot_json *value; /* NULL: taken back */
    struct document *document;
    uint64_t version;
    const struct ot_type *type;
};

/* What a frame says, but for the document. NULL: it is as it should be; else what is wrong. */
const char *presence_read(const struct ot_json *frame, struct presence_update *out);
const struct ot_type *presence_type(const struct ot_json *frame); /* t; NULL: unknown */
/* Answers the request, shows the update to the others and remembers it. One that is older than what is shown is
 * answered only. */
void presence_show(struct session *session, const struct ot_json *request, const struct presence_update *update);

/* session_query.c */
void handle_query(struct session *session, const struct action *action, struct ot_json *frame);
void handle_unquery(struct session *session, const struct action *action, struct ot_json *frame);
void queries_go_on(struct session *session); /* its client has read, or is gone */
void queries_end(struct session *session);   /* its peer is gone */

/* session_caret.c */
void begin_presence(struct part *part);

#endif
