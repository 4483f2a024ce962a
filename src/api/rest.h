/* The HTTP resources: a request in, one answer out, with no socket in sight. The server's HTTP, the command-line tool
 * on a store of its own, and tests all come through here. Source: docs/http.md; problems are RFC 9457, conditional
 * requests RFC 9110. */
#ifndef API_REST_H
#define API_REST_H

#include <sys/types.h>

#include "auth/principal.h"
#include "base/histogram.h"
#include "doc/hub.h"
#include "doc/retain_rules.h"

#define REST_HEADERS_MAX 16

struct rest_header {
    const char *name; /* lower case */
    struct bytes value;
};

/* Between an action that waits for news and whoever carries its answer. The carrier's, who keeps it until the answer.
 */
struct rest_wait {
    /* The action's, set for as long as it waits; else NULL. Nobody is there to wait any more: it gives up and answers
     * from inside, as when its time is over. */
    void (*give_up)(struct rest_wait *wait);
    void *action;
    bool is_over; /* the carrier's: nobody begins to wait any more */
};

/* at is NULL when it was not sent. name: in lower case. Most names differ at the first letter. */
static inline struct bytes rest_header_value(const struct rest_header *headers, size_t n_headers, const char *name)
{
    for (size_t i = 0; i < n_headers; i++) {
        if (headers[i].name[0] == name[0] && strcmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    return bytes_of(NULL, 0);
}

struct rest_request {
    const char *method; /* "GET", in capitals */
    struct bytes path;  /* as it was sent, percent-encoded, without the query: "/v1/docs/notes/a%2Fb" */
    struct bytes query; /* percent-encoded, without "?" */
    const struct rest_header *headers;
    size_t n_headers;
    struct bytes body;
    struct buffer *body_in; /* the carrier's, that the body stands in: may be taken with it, and left empty; or NULL */
    bool has_body;          /* a body of length 0 is a body */
    struct principal principal; /* who is asking */
    bool has_token;             /* he has shown one; if he is nobody, it is nobody's */
    struct rest_wait *wait;     /* NULL: nothing is waited for here */
};

/* A body that comes bit by bit: a copy of the store, news. Its producer and whoever carries it to the client are on the
 * loop thread; the carrier asks for a piece whenever the one before it has left, so that no more than that waits.
 *
 *     carrier: read -> 4096, 4096, -EAGAIN ... fd readable, or ready: read -> 100, 0 (the end), close
 */
struct rest_stream {
    const struct rest_stream_interface *interface;
    int fd;       /* readable: read may have something again; -1: only `ready` says so */
    bool is_live; /* has no end but that one side goes: a client who sends no more has gone */
    bool is_late; /* set before `ready`: too much waits for the client, whose line is to be cut */

    /* The carrier's: called when read has said -EAGAIN and would say something else by now; never from inside read. */
    void (*ready)(void *arg);
    void *arg;
};

struct rest_stream_interface {
    /* Puts up to n_room bytes, at least 1, at `into`. Returns their number; 0, that was all; -EAGAIN, nothing yet; or
     * another -errno: it can't be finished, and the client must see that it was not. */
    ssize_t (*read)(struct rest_stream *stream, char *into, size_t n_room);
    /* Frees it. Once, whether it was read to the end, in part or not at all; not from inside ready. */
    void (*close)(struct rest_stream *stream);
};

static inline ssize_t rest_stream_read(struct rest_stream *stream, char *into, size_t n_room)
{
    return stream->interface->read(stream, into, n_room);
}

/* NULL is fine. */
static inline void rest_stream_close(struct rest_stream *stream)
{
    if (stream)
        stream->interface->close(stream);
}

struct rest_response {
    int status;
    struct rest_header headers[REST_HEADERS_MAX]; /* Content-Length is the carrier's business */
    size_t n_headers;
    struct frame *body; /* NULL: none. Shared: take a reference to keep it */
    bool is_problem;    /* the body is one: rest_problem_name */
    bool omit_body;     /* HEAD: the length counts, if there is a body; the bytes are not sent */

    /* Comes in the place of a body; NULL: none. Whoever is given the response closes it. */
    struct rest_stream *stream;
};

enum rest_method {
    REST_GET,
    REST_HEAD,
    REST_PUT,
    REST_PATCH,
    REST_POST,
    REST_DELETE,
    REST_OPTIONS,
    REST_OTHER_METHOD,
    REST_METHODS,
};
extern const char *const rest_method_names[REST_METHODS];

/* What a carrier counts, for /metrics. */
struct rest_figures {
    uint64_t n_answers[REST_METHODS][5]; /* by the first digit of the status, less 1 */
    struct histogram answer_time;        /* from the whole head of the request to the first byte of the answer */
    uint64_t n_http_bytes_in, n_http_bytes_out, n_websocket_bytes_in, n_websocket_bytes_out;
    size_t n_https, n_websockets;                         /* connections */
    size_t n_http_queued_bytes, n_websocket_queued_bytes; /* of answers and frames, that have not left */
};

struct session_context;
struct rest_cache;
struct rest_read;
struct rest_waits;

struct rest_context {
    struct hub *hub;
    const struct session_context *sessions; /* for /metrics; NULL: there are none */
    const struct gate *gate;                /* the same */
    const struct retain_rules *retention;   /* obeyed before the store is compacted; NULL: there are none */
    struct rest_waits *waits;               /* who waits for news; NULL: nobody may */
    struct rest_cache *cache;               /* NULL: there is none */
    const char *base_path; /* "/p": where a carrier has all of this; it takes that off requests. NULL: "" */
    size_t body_max_bytes;
    size_t queue_max_bytes; /* of events that the client of a stream has not read yet */
    bool is_draining;
    bool is_compressing;      /* the helper is at a large body */
    struct rest_read *asides; /* whose bodies the helper is given to write; NULL: nobody's */
    /* How far a compaction is; NULL: nobody wants to know. */
    void (*on_progress)(struct rest_context *context, uint64_t n_done, uint64_t n_total);
    uint64_t n_problems;
    uint64_t started_ms; /* since 1970 */
    /* What the carrier knows of itself; NULL: nothing. */
    void (*carrier_figures)(void *carrier, struct rest_figures *out);
    void *carrier;
};

/* Exactly once, on the loop thread, possibly from inside rest_handle. The response is borrowed until it returns. */
typedef void rest_respond_fn(void *arg, const struct rest_response *response);

/* The request is borrowed only until the call returns: what is needed longer is copied, or taken. A request can't
 * be called back: when its client has gone, the answer is for arg's owner to drop, who may have it sooner (rest_wait).
 */
void rest_handle(struct rest_context *context, const struct rest_request *request, rest_respond_fn *respond, void *arg);

/* 401, for a carrier that has to say it by itself. Here it is what nobody gets for everything that is not open; his
 * body is never looked at, so a carrier need not read it. */
void rest_refuse_nobody(bool has_token, rest_respond_fn *respond, void *arg);

/* A problem (RFC 9457) without a request behind it, for what the carrier itself refuses: 400, 403, 405, 411, 413, 414,
 * 431. */
void rest_problem(int status, const char *code, const char *detail, rest_respond_fn *respond, void *arg);

/* A problem with the member "request", so that who is told of it can be found in the log. NULL without memory. */
struct frame *rest_problem_name(const struct frame *problem, struct bytes request_id);

#endif
