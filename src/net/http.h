/* HTTP/1.1 connections: requests are read whole and one at a time, answered once, in order.
 *
 *     HEAD --no body--> WAITING --answer--> WRITING --keep-alive--> HEAD
 *       \--body--> BODY --whole--^              \--close--> LINGERING --end of input, 2 s--> gone
 *     HEAD --upgrade--> handed over to libwebsockets
 *
 * The client is listened to also while he waits, so that it shows when he goes. Who has closed only his sending side
 * gets his answer: a long-poll gives up waiting for that, a stream of news, which has no end to wait for, is over.
 *
 * Requests that have come together are answered together: an answer that is not large waits for the next one, as long
 * as the request for it is here.
 *
 * An answer that comes bit by bit (struct rest_stream) is WRITING for as long as it lasts: a piece is asked for when
 * the one before it has left, and two leave in a turn of the loop. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <ev.h>

#include "auth/gate.h"
#include "base/wheel.h"
#include "net/origin.h"
#include "net/request.h"
#include "net/response.h"

struct server;
struct listener;
struct exchange;

enum http_state { HTTP_HEAD, HTTP_BODY, HTTP_WAITING, HTTP_WRITING, HTTP_LINGERING };

#define REQUEST_ID_MAX_BYTES 64
#define NOTE_PATH_BYTES      128 /* what a line of the log has of a path */

/* What is kept of a request until it has been answered. */
struct http_note {
    uint64_t begun_us;
    uint8_t method; /* enum rest_method */
    uint8_t n_id;   /* 0: nothing is noted */
    uint8_t n_path;
    char id[REQUEST_ID_MAX_BYTES];
    char path[NOTE_PATH_BYTES];
};

struct http {
    struct list link;
    struct server *server;
    bool is_loopback; /* came in by a listener for this machine */
    bool is_local;    /* the same, or by a unix socket */
    bool is_tls;      /* came in over TLS, and is plain from here on (tls_line.h) */
    int fd;
    ev_io reader, writer;
    ev_io source; /* of the stream that is being answered with, while it has nothing to say */
    struct wheel_timer deadline;
    enum http_state state;
    bool is_pumping;  /* http_pump is on the stack */
    bool keeps_alive; /* after this answer */

    struct buffer input; /* the head of the request, then what came behind it */
    struct buffer body;
    struct request request; /* points into input; valid until it has been handed on */
    struct http_note note;
    struct caller caller;      /* who sent it */
    struct exchange *exchange; /* WAITING */
    struct response response;  /* WRITING */
    bool has_ended;            /* the client sends no more, but may still read */
    const char *extra_header;  /* a line that the next answer carries besides its own; or NULL */

    bool is_head;                             /* the answer has no body, refusals neither */
    bool is_preflight;                        /* a browser asks what a page may send */
    char reader_origin[ORIGIN_MAX_BYTES + 1]; /* of the page that may read the next answer; empty: of none but ours */
};

/* Takes fd, whatever happens. */
void http_open(struct server *server, struct listener *listener, int fd);

/* For a draining server: closes at once, or behind the answer that is due. */
void http_retire(struct http *http);
bool http_is_answered(const struct http *http);
size_t http_queued_bytes(const struct http *http);
void http_destroy(struct http *http);

/* http_pump.c: takes every step that can be taken now. http may be gone afterwards. */
void http_pump(struct http *http);
void http_pump_soon(struct http *http);                /* in this turn of the loop still */
void http_expect(struct http *http, unsigned seconds); /* the next move, or it is cut */

/* http.c, for http_pump.c. Looks whether a head has come; false: the connection has become a WebSocket, http is gone.
 */
bool http_try_head(struct http *http);
void http_serve(struct http *http);       /* the request is whole: hands it on */
void http_read_or_not(struct http *http); /* as its state wants it */

/* http_note.c: names a request whose head has come, or of which it is not known what it is. */
void http_note_request(struct http *http);
void http_note_unread(struct http *http);
/* Puts the name into a problem. is_problem then: the body is another, for the caller to let go of; without memory it
 * stays as it was. */
void http_note_problem(struct http *http, struct rest_response *problem);
/* It is being answered, with a body of n_bytes: counts it, and says so in the log. */
void http_note_answer(struct http *http, const struct rest_response *answer, size_t n_bytes);

static inline struct bytes http_note_id(const struct http *http)
{
    return bytes_of(http->note.id, http->note.n_id);
}

/* http_stream.c: what http_answer does about a stream. False: it can't be carried; it has been closed. */
bool http_stream_begin(struct http *http, struct rest_stream *stream);
/* The piece before has left. -EAGAIN: there is another one to write; 0: none yet, http_pump is called when there is;
 * another -errno: the line has to be cut, so that the client sees that the answer is not whole. */
STORE_MUST_CHECK int http_stream_refill(struct http *http);
bool http_stream_is_late(struct http *http); /* the line is to be cut: the client reads too slowly */

/* http_admit.c: whether the request, of which the head has come, is let in; if not, it has been answered. Notes who
 * sent it. */
bool http_admit(struct http *http);
bool http_is_nobodys(const struct http *http); /* he has not said who he is */
void http_recheck(struct http *http);          /* the body has come, and that may have taken long */

/* After the tokens have changed: who waits or is told of news, and may not any more, is answered 401, or cut. */
void http_recheck_waiting(struct http *http);

extern const char http_allow_header[]; /* a line: all the methods there are */

/* http_cors.c: notes which page asks, and says in the head of the answer what it may do. */
void http_cors_note(struct http *http);
void http_cors_write(struct http *http, const struct rest_response *answer, struct buffer *into);

/* http_base.c: takes the base path off the request's. False: it lies outside, and has been answered. */
bool http_enter_base(struct http *http);

/* static.c: whether the request was for a part of the embedded application; then it has been answered. */
bool static_serve(struct http *http);

/* For those who answer: begins to write it. body: NULL, or what is sent instead of answer->body, alive for ever. */
void http_answer(struct http *http, const struct rest_response *answer, const struct bytes *body);
void http_refuse(struct http *http, int status, const char *code, const char *detail);
/* After it the rest of the input can't be told apart, or is not wanted. */
void http_refuse_and_close(struct http *http, int status, const char *code, const char *detail);
void http_refuse_nobody(struct http *http); /* 401, and closes */

#endif
