/* An HTTP answer as bytes on their way. Pure, but for the clock in `Date`.
 *
 *     head, body                                          with a content-length
 *     head, then again and again: size, piece, CRLF       of a stream, chunked (RFC 9112, 7.1); one piece at a time */
#ifndef NET_RESPONSE_H
#define NET_RESPONSE_H

#include <sys/uio.h>

#include "api/rest.h"

#define RESPONSE_PIECE_BYTES (64 * 1024)
#define RESPONSE_HOLD_BYTES  (64 * 1024) /* of answers that wait for others */

struct response {
    struct buffer head;  /* behind what is held of others */
    struct frame *frame; /* owned; holds the body, if anything does */
    struct bytes body;   /* or the piece of the stream that is on its way, with its frame */
    size_t n_sent;
    struct rest_stream *stream; /* owned; NULL: nothing comes behind what is there */
    bool is_chunked;
    struct buffer chunk; /* what body points to then */
    unsigned stays_seconds;
};

/* How the connection goes on. */
enum response_connection {
    RESPONSE_CLOSES,
    RESPONSE_STAYS,
    RESPONSE_UNFRAMED /* closes, and of a stream nothing else tells the end: HTTP/1.0 */
};

/* stays_seconds: how long a connection that stays is kept without a request. Answers say so, for a client that sends
 * one just when its connection is being closed has lost it, and does not know whether to send it again. 0: they don't.
 */
void response_init(struct response *response, unsigned stays_seconds);

/* answer's body is kept by reference, its stream taken over in any case; body, if not NULL, is sent in its place and
 * must outlive the response; what is held stays in front of it. extra_header: whole lines, or NULL. Returns 0 or
 * -ENOMEM. */
STORE_MUST_CHECK int response_begin(struct response *response, const struct rest_response *answer,
                                    const struct bytes *body, enum response_connection connection,
                                    const char *extra_header, struct bytes request_id);

/* The answer stays, whole and in front of the next one, so that both leave together. 0; -E2BIG: it has to be sent now,
 * it is as it was; -ENOMEM: it is lost. */
STORE_MUST_CHECK int response_hold(struct response *response);

/* Bytes that go in front of the next answer. */
STORE_MUST_CHECK int response_say(struct response *response, struct bytes bytes);

/* What is still to be sent. Returns the number of pieces; 0: done, or, with a stream, to be refilled. */
int response_rest(const struct response *response, struct iovec pieces[2]);

/* Takes the next piece from the stream. 0: there is more to send, and if that is the end, no stream any more; -EAGAIN:
 * nothing yet, and nothing is held; another -errno: the answer can't be finished. */
STORE_MUST_CHECK int response_refill(struct response *response);

/* Lets go of everything; usable again. */
void response_finish(struct response *response);

#endif
