/* The head of an HTTP/1.1 request, read strictly: what two readers could understand differently is refused. Pure.
 * Source: RFC 9110, RFC 9112. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include <stdint.h>

#include "api/rest.h"

#define REQUEST_HEAD_MAX_BYTES   (16 * 1024) /* all of it; beyond: 431 */
#define REQUEST_TARGET_MAX_BYTES (8 * 1024)  /* the first line; beyond: 414 */
#define REQUEST_HEADERS_MAX      100

struct request {
    size_t n_head_bytes; /* up to and with the empty line */
    const char *method;
    struct bytes path, query; /* as they were sent */
    struct bytes host;        /* from the absolute form of the address, else from Host; at NULL: neither */
    struct rest_header headers[REQUEST_HEADERS_MAX];
    size_t n_headers;

    bool is_1_1; /* false: HTTP/1.0 */
    bool keep_alive;
    bool has_length;   /* Content-Length was given: there is a body, if only an empty one */
    bool has_encoding; /* Transfer-Encoding was given */
    bool expects_continue;
    bool expects_else;    /* something that nobody here does */
    bool wants_websocket; /* Upgrade: websocket, and Connection says so */
    uint64_t n_body_bytes;
};

enum request_outcome {
    REQUEST_COMPLETE,
    REQUEST_PARTIAL, /* so far it looks like one */
    REQUEST_REFUSED, /* with *out_status: 400, 405, 414, 431 or 505; the connection can't be used any more */
};

/* at[0..n) is what has arrived. When the head is complete it is taken apart in place: names become lower case and
 * terminated, and *out points into it. */
enum request_outcome request_parse(char *at, size_t n, struct request *out, int *out_status);

/* Whether a whole head, or what looks like one, stands there that does not ask for another protocol. */
bool request_follows(struct bytes input);

/* The value of a header; at is NULL when it was not sent. name: in lower case. */
struct bytes request_header(const struct request *request, const char *name);

/* Whether a comma-separated header's value has that word; without regard to case. */
bool header_has_word(struct bytes value, const char *word);

#endif
