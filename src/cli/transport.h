/* One request and its answer, whoever answers. */
#ifndef CLI_TRANSPORT_H
#define CLI_TRANSPORT_H

#include "base/buffer.h"

#define EXCHANGE_HEADERS_MAX 5

struct exchange_header {
    const char *name; /* lower case */
    const char *value;
};

struct doc;

struct exchange {
    /* In. */
    const char *method;
    struct buffer target;  /* path and query, percent-encoded, not terminated */
    const struct doc *doc; /* that it is about, for messages; NULL: none */
    struct exchange_header headers[EXCHANGE_HEADERS_MAX];
    size_t n_headers;
    struct bytes body;
    bool has_body;
    /* How far long work is; only of a store of one's own. NULL: nobody wants to know. */
    void (*on_progress)(void *arg, uint64_t n_done, uint64_t n_total);
    void *progress_arg;
    /* Takes the body of a good answer piece by piece, instead of `answer`; NULL: nobody does. Not 0: enough, -errno. */
    int (*sink)(void *arg, struct bytes piece);
    void *sink_arg;

    /* Out. */
    int status;
    struct buffer answer;
    char etag[128], version[24], media[64]; /* "" where there is none */
    bool has_next;                          /* a Link to a next page */
};

void exchange_init(struct exchange *exchange, const char *method);
void exchange_finish(struct exchange *exchange);
void exchange_header(struct exchange *exchange, const char *name, const char *value);
/* Notes a header of the answer that is one of those above. */
void exchange_answer_header(struct exchange *exchange, struct bytes name, struct bytes value);
/* Takes a piece of the answer's body, once its status is known. 0, or -errno: no more of it is wanted. */
__attribute__((warn_unused_result)) int exchange_answer_piece(struct exchange *exchange, struct bytes piece);

struct transport {
    /* 0, or -errno with a sentence in why[0..n_why) when nobody answered, or not to the end. */
    int (*perform)(struct transport *transport, struct exchange *exchange, char *why, size_t n_why);
    void (*destroy)(struct transport *transport);
};

/* url: as in net/dial_address.h; token: "" for none; cacert: a file of authorities that vouch for servers, borrowed, or
 * NULL. 0 or -errno. */
__attribute__((warn_unused_result)) int transport_http_open(const char *url, const char *token, const char *cacert,
                                                            struct transport **out);

/* Reading is fine beside a running server. -EBUSY: writes, and a server holds the store. Others: why says it. */
__attribute__((warn_unused_result)) int transport_store_open(const char *path, bool writes, struct transport **out,
                                                             char *why, size_t n_why);

#endif
