/* What the files of the HTTP resources know of one another. Nobody else includes it.
 *
 *     rest.c               routes: a path and a method are a row of a table
 *     rest_call.c          one request under way: what is kept of it, and how it ends
 *     rest_reply.c         an answer being put together
 *     rest_problem.c       what went wrong, in words and numbers
 *     rest_accept.c        which representation
 *     rest_etag.c          conditions
 *     rest_who.c           src, author, fresh ids
 *     rest_representation.c  as what a document can be read (rich_write.h)
 *     rest_read.c          GET of a document, present and past;  rest_read_body.c  its body (rest_read.h)
 *     rest_range.c         a part of it;  rest_cache.c  what is given again
 *     rest_wait.c          GET that waits;  rest_stream.c  Server-Sent Events (rest_follow.h)
 *     rest_write.c         what all writing has in common;  rest_identity.c   Idempotency-Key
 *     rest_parse.c         what a body says;  rest_content.c  bodies that become documents
 *     rest_put.c           PUT, and the edit that does it (difference.h)
 *     rest_create.c        POST to a collection;  rest_delete.c   DELETE
 *     rest_submit.c        operations as they are: POST on ops, PATCH;  rest_patch.c   the other forms of PATCH
 *     rest_ops.c           pages of the log
 *     rest_history.c       who changed what when (history.h);  rest_diff.c   what differs
 *     rest_restore.c       back to an older content
 *     rest_collections.c   listings;  rest_logs.c   every log, for administrators
 *     rest_store.c         sizes, compaction
 *     rest_health.c        /healthz, /readyz
 *     rest_me.c            who is asking
 *     rest_openapi.c       /openapi.json
 *     rest_backup.c        a copy of the store
 *     rest_metrics.c       /metrics */
#ifndef API_REST_INSIDE_H
#define API_REST_INSIDE_H

#include "api/frames.h"
#include "api/parameter.h"
#include "api/rest.h"
#include "api/rest_cache.h"
#include "base/helper.h"
#include "base/name.h"
#include "base/timestamp.h"

/* ---- replies ----------------------------------------------------------------------------------------------------- */

struct rest_call;

struct rest_reply {
    struct rest_response response;
    size_t n_text;
    char text[4096]; /* values of headers */
};

void reply_init(struct rest_reply *reply, int status);
/* Headers beyond the ceilings are left out; every value here is bounded by the names in it. */
__attribute__((format(printf, 3, 4))) void reply_header(struct rest_reply *reply, const char *name, const char *format,
                                                        ...);
void reply_header_constant(struct rest_reply *reply, const char *name, const char *value); /* borrowed for ever */
/* content_type: borrowed for ever. Copies the body. One that failed to be written becomes a problem in place of what
 * the reply was. */
void reply_body(struct rest_reply *reply, const char *content_type, const struct buffer *body);
void reply_etag(struct rest_reply *reply, uint64_t version, uint64_t time_ms, const char *suffix);
void reply_etag_text(struct rest_reply *reply, const char *etag); /* without its quotes */
void reply_version(struct rest_reply *reply, uint64_t version);
/* What is immutable may be kept for ever: by everybody, or where there are accounts by him alone. */
void reply_caching(struct rest_reply *reply, const struct principal *principal, bool is_immutable);

/* `before`, then the text as a JSON string. A failure stays in the buffer. */
void write_member(struct buffer *into, const char *before, struct bytes text);
struct rest_call;

/* What every address in an answer begins with: nothing, or "/p". */
void write_base(struct buffer *into, const struct rest_call *call);
/* "/p/v1/docs/{collection}/{id}/history", of the call's document, and "/p/v1/docs/{collection}". "." and ".." stand in
 * the query. Returns what goes before a further parameter: '?' or '&'. resource: "/history", or "" */
char write_address(struct buffer *into, const struct rest_call *call, const char *resource);
char write_collection_address(struct buffer *into, const struct rest_call *call, struct bytes collection);

/* Begins the reply anew, as a problem. detail NULL: the status says it all. */
void reply_problem(struct rest_reply *reply, int status, const char *code, const char *detail);
/* Puts the body into gzip for who wants that, if it is worth it and nothing is said yet of what it depends on. */
void reply_compress(struct rest_reply *reply, struct bytes accept_encoding);
/* The body in gzip; false where that would not be smaller, or without memory. */
bool reply_gzip(struct rest_reply *reply);
/* 401: who asks has not said who he is, or his token is nobody's. RFC 6750, 3. */
void reply_nobody(struct rest_reply *reply, bool has_token);
/* 403: a right is missing. */
void reply_not_allowed(struct rest_reply *reply, enum right needs);
/* The same for what a document or the store answered: an enum document_error or -errno. */
void reply_trouble(struct rest_reply *reply, int r, const char *detail);

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* Who waits for an answer, while his request is there. */
struct rest_client {
    struct rest_context *context;
    const struct rest_request *request;
    rest_respond_fn *respond;
    void *arg;
};

/* The answer, without a call. Lets go of the reply's body. */
void client_reply(const struct rest_client *client, struct rest_reply *reply);

struct rest_call;

/* What is done about a request. */
struct rest_action {
    /* body: borrowed until it returns. The call ends in call_reply, exactly once, perhaps from inside. */
    void (*begin)(struct rest_call *call, struct bytes body);
    size_t n_bytes;                         /* of the struct that embeds the call as its first member */
    void (*finish)(struct rest_call *call); /* frees what that struct owns; may be NULL */
    /* Asked first: answers if that needs no waiting, and so no call. False: it has not. May be NULL. */
    bool (*at_once)(const struct rest_client *client, struct store_name name);
};

struct rest_call {
    struct rest_context *context;
    const struct rest_action *action;
    rest_respond_fn *respond;
    void *arg;
    bool is_head;

    struct rest_request request; /* a copy, without the body; body_in is there until begin returns */
    char *copy;                  /* what it points into */
    char collection[NAME_MAX_BYTES], id[NAME_MAX_BYTES];
    struct store_name name; /* points at these two; empty where the route has none */

    struct document *document; /* after call_open */

    struct waiting *waiting; /* while it waits, and later */
    unsigned wait_seconds;   /* asked for: 0, or at most 120 */
    bool is_wait_preferred;  /* in a header: then the answer says so, too */
};

/* Copies the request and the name. NULL without memory. */
struct rest_call *call_create(struct rest_context *context, const struct rest_action *action,
                              const struct rest_request *request, struct store_name name);

void call_reply(struct rest_call *call, struct rest_reply *reply); /* ends the call */
void call_refuse(struct rest_call *call, int status, const char *code, const char *detail);
void call_fail(struct rest_call *call, int r);
/* The same for whoever has named a version: 404 where the document has not come to it, or there never was one. */
void call_fail_version(struct rest_call *call, int r);

/* False: the call has been answered. */
bool call_open(struct rest_call *call);

/* Opens the document and goes on: at once or, with `?wait=N` or `Prefer: wait=N`, when `holds` of its present value is
 * not true any more or N seconds are over. news: the operation that ended the waiting; NULL: none did. */
typedef bool wait_holds_fn(const struct rest_call *call, const struct document_view *now);
typedef void wait_go_on_fn(struct rest_call *call, struct committed_op *news);
void call_wait(struct rest_call *call, wait_holds_fn *holds, wait_go_on_fn *go_on);
/* What If-None-Match names, or nothing at all, is there still. */
bool wait_for_change(const struct rest_call *call, const struct document_view *now);

bool call_may_write(struct rest_call *call);
bool call_may_take(struct rest_call *call, struct bytes body); /* it is there, and not too large */
/* From inside begin, once: moves the body, or a copy, where it can stay. 0 or -ENOMEM. */
OT_MUST_CHECK int call_keep_body(struct rest_call *call, struct bytes body, struct buffer *into);

/* NULL at: no such header. */
struct bytes call_header(const struct rest_request *request, const char *name);

/* ---- representations --------------------------------------------------------------------------------------------- */

#define MEDIA_TEXT        "text/plain"
#define MEDIA_JSON        "application/json"
#define MEDIA_DELTA       "application/vnd.quill.delta+json"
#define MEDIA_HTML        "text/html"
#define MEDIA_MARKDOWN    "text/markdown"
#define MEDIA_SNAPSHOT    "application/vnd.pilcrow.snapshot+json"
#define MEDIA_OP          "application/vnd.pilcrow.op+json"
#define MEDIA_JSON_PATCH  "application/json-patch+json"
#define MEDIA_MERGE_PATCH "application/merge-patch+json"
#define ACCEPT_PATCH      MEDIA_OP ", " MEDIA_JSON_PATCH ", " MEDIA_MERGE_PATCH
#define MEDIA_PROBLEM     "application/problem+json"

/* The index of the best offer for an Accept header, -1 when none fits. An empty one takes anything. */
int accept_choose(struct bytes accept, const char *const *offers, size_t n_offers);

/* Whether a Content-Type names that media type, whatever its parameters. */
bool media_is(struct bytes content_type, const char *media);
/* Takes what stands before the next separator off a header's value, without the blanks around it. */
struct bytes header_next_part(struct bytes *text, char separator);
/* Whether it names no charset, or UTF-8 or its subset. */
bool media_is_utf8(struct bytes content_type);

bool type_is_text(const struct ot_type *type);

/* One of the forms that a document of some type can be read in. */
struct representation {
    const char *media, *content_type, *etag_suffix;
    const char *policy; /* its Content-Security-Policy; NULL: as for every answer */
    bool is_slow;       /* of a large document the helper writes it: then write is on another thread */
    int (*write)(const struct rest_call *, const struct document_view *, struct buffer *into);
};

/* The document in its envelope: MEDIA_SNAPSHOT. What is null where there is none: its type, content and times. */
int envelope_write(struct store_name name, const struct document_view *view, struct buffer *into);
/* An operation as it is streamed, with its time and author. A failure stays in the buffer. */
void op_write(struct store_name name, const struct committed_op *op, struct buffer *into);

/* The one that the client prefers by his Accept; NULL: none fits. */
const struct representation *representation_choose(struct bytes accept, const struct ot_type *type);

/* Makes of a whole body the part that is asked for, or 416. etag: of the body. */
void reply_range(struct rest_reply *reply, const struct rest_request *request, const char *etag);

/* ---- conditions --------------------------------------------------------------------------------------------------
 *
 *     "v12-mfzk2a9c"  "v12-mfzk2a9c-json"  "v12-mfzk2a9c-html"      "v12-mfzk2a9c-json-gzip"
 *       |      |              |                                                         |
 *     version  time of its   not the type's usual representation                   its coding
 *              commit: tells versions of another life of the store apart */

#define ETAG_BYTES   64
#define ETAG_GZIP    "-gzip"
#define NUMBER_BYTES 24

/* Its digits, at the end of `out`. base: 10 to 36. */
struct bytes number_write(uint64_t number, unsigned base, char out[NUMBER_BYTES]);

void etag_write(uint64_t version, uint64_t time_ms, const char *suffix, char out[ETAG_BYTES]);
void etag_add_gzip(char etag[ETAG_BYTES]);
bool etags_are_any(struct bytes list);                /* "*" */
bool etags_have(struct bytes list, const char *etag); /* weak comparison */
/* The same or, for who takes gzip, what etag is in gzip; then it is made that. For who takes both, either will do:
 * which one he would be given depends on what it would be worth. */
bool etags_have_form(struct bytes list, bool takes_gzip, char etag[ETAG_BYTES]);
bool etags_name(struct bytes list, uint64_t version, uint64_t time_ms); /* strong, any representation */

/* ---- who --------------------------------------------------------------------------------------------------------- */

#define SRC_BYTES 64
#define ID_CHARS  26

/* `~` and a hash of principal and src, which no connection's id can equal. */
void who_src(struct bytes principal, struct bytes src, char out[SRC_BYTES]);
void who_src_random(const struct world *world, char out[SRC_BYTES]);
/* The same for an Idempotency-Key, which equals no src. */
void who_key_src(struct bytes principal, struct bytes key, char out[SRC_BYTES]);
/* 128 random bits. */
void who_fresh_id(const struct world *world, char out[ID_CHARS + 1]);
/* Always the same for a src; who knows neither that nor what it is made of does not guess it. */
void who_id_of_src(const char *src, char out[ID_CHARS + 1]);
/* The principal, if it is an account; else the label that the client gave (percent-encoding understood), cleaned and
 * cut to 64 bytes; else the principal. */
size_t who_author(const struct rest_request *request, char out[SRC_BYTES]);

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

struct rest_write;

/* A body being read as what it says: what is large, beside the loop (helper.h), while others have their turns. */
struct rest_parse {
    /* In. */
    struct bytes body;          /* its bytes are there until the call returns, */
    bool is_kept;               /* or for as long as the call is; else a large one is kept here */
    bool is_text;               /* it is a string; else it is JSON */
    const struct ot_type *type; /* it is content of that; NULL: it is none */
    bool makes_content;         /* a document is made of it at once, and the JSON goes */
    const char *refusal;        /* what is said where it can't be read; NULL: what the parser says */
    /* On the loop, perhaps from inside the call that began it; not when the request has been answered, since the body
     * can't be read, or is no such content. */
    void (*on_parsed)(struct rest_write *write);

    /* Out: there until it is parsed again, or the call is over. */
    struct ot_json *json;
    struct ot_snapshot *content; /* with makes_content; may be taken, NULL left in its place */
    bool is_large;               /* so is what is submitted of it */

    /* Its own. */
    const struct ot_limits *limits;
    struct buffer kept;
    int r, content_r;
    struct ot_error error;
    struct errand errand;
};

void parse_finish(struct rest_parse *parse); /* nothing that was never begun is fine */

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A request that was done before is answered as it was then, before anything else about it is looked at:
 *
 *     read_key, read_who -> look -> done before? -> no: on_view, which looks at conditions, and submits -> on_written
 *                                                -> yes: on_repeated                      or on_refused
 *
 * Reading comes before asking: what another of the same kind, under way at this moment, does after the asking, the
 * submission recognises; what it did before is not in what was read. What is to be read besides, and may be gone by the
 * time of a repetition, is read after asking for the first time. */
struct rest_write {
    struct rest_call call;
    struct fetch fetch;
    struct submission submission;
    struct rest_parse parse;                /* the body */
    struct ot_json *data;                   /* what was made to be submitted, where that is not what was sent */
    char src[SRC_BYTES], author[SRC_BYTES]; /* src empty: nobody can repeat this */
    uint64_t seq;
    bool is_identified;           /* the client has said what this is the repetition of */
    bool is_sole;                 /* by an Idempotency-Key: it stands for nothing else */
    uint64_t version, time_ms;    /* committed at; when, 0: not known */
    enum step_kind kind;          /* of what was committed */
    struct document_view view;    /* what was read, while the document is asked */
    struct ot_snapshot *snapshot; /* of it */
    void (*on_view)(struct fetch *fetch, int r, const struct document_view *view);
    void (*on_new)(struct rest_write *write);            /* asked, and not done before */
    void (*on_refused)(struct rest_write *write, int r); /* answers; NULL: write_refuse does */
    void (*on_written)(struct rest_write *write);        /* answers */
    void (*on_repeated)(struct rest_write *write);       /* answers; NULL: on_written does */
};

void write_finish(struct rest_call *call);

/* The Idempotency-Key, if there is one. False: the call has been answered. */
bool write_read_key(struct rest_write *write, struct bytes body);

/* how: what goes in. Ends in on_parsed, or an answer: 400, what can't be read; its content is none of the type. */
void write_parse(struct rest_write *write, const struct rest_parse *how);

/* Reads the document as it is now, for a write that depends on it. on_repeated or on_written must be set. */
void write_look(struct rest_write *write, void (*on_view)(struct fetch *, int, const struct document_view *));
struct rest_write *write_of_fetch(struct fetch *fetch);
/* Only asks, of what is identified: answered as it was then, or on_new. on_repeated or on_written must be set. */
void write_ask(struct rest_write *write, void (*on_new)(struct rest_write *));

bool call_has_conditions(const struct rest_call *call);
/* Whether If-Match and If-None-Match hold; when not, the call has been answered with 412. */
bool write_conditions(struct rest_write *write, const struct document_view *view);
/* Whether If-Match names an ETag: then nothing may have come between. */
bool write_is_strict(const struct rest_write *write);
void write_refuse_precondition(struct rest_write *write);

/* what: kind, version, only_now, type, data. Ends in on_written or on_refused. */
void write_submit(struct rest_write *write, const struct submission *what);
void write_refuse(struct rest_write *write, int r);

/* An operation as it is: rest_submit, and what embeds it. */
struct rest_submit {
    struct rest_write write;
    struct submission what;
};

/* Pilcrow-Version, and the ETag of the usual representation where the time is known. */
void write_reply_version(struct rest_reply *reply, const struct rest_write *write);
/* {"v"}, the version it was committed at. */
void write_reply_operation(struct rest_write *write);
/* The body's src and seq, of an operation or a restore, which has no Idempotency-Key then. False: the call has been
 * answered. */
bool write_read_who(struct rest_write *write, const struct ot_json *body);
/* The answer that says where the document is now: {"collection","id","version"}. */
void write_reply_place(struct rest_write *write, int status);

/* ---- content ----------------------------------------------------------------------------------------------------- */

/* Which type a body is to become: ?type=, else by its Content-Type. NULL: the call has been answered. */
const struct ot_type *content_type_of(struct rest_call *call);
/* write_parse, for content of that type: what else goes in is the body, and what becomes of it. Or 415. */
void content_parse(struct rest_write *write, const struct ot_type *type, const struct rest_parse *how);
/* Creates the document that was parsed. on_written must be set. */
void content_create(struct rest_write *write);

/* ---- actions ----------------------------------------------------------------------------------------------------- */

extern const struct rest_action rest_healthz, rest_readyz, rest_metrics, rest_openapi, rest_collections, rest_listing,
    rest_create, rest_read, rest_put, rest_patch, rest_delete, rest_ops, rest_submit, rest_me, rest_sizes, rest_compact,
    rest_backup, rest_history, rest_diff, rest_restore, rest_logs, rest_stream;

#endif
