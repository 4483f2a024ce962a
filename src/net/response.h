/* An HTTP answer as bytes on their way. Pure, but for the clock in `Date`. */
#ifndef NET_RESPONSE_H
#define NET_RESPONSE_H

#include <sys/uio.h>

#include "api/rest.h"

struct response {
    struct buffer head;
    struct frame *frame; /* owned; holds the body, if anything does */
    struct bytes body;
    size_t n_sent;
};

/* How the connection goes on. */
enum response_connection { RESPONSE_CLOSES, RESPONSE_STAYS };

void response_init(struct response *response);

/* answer's body is kept by reference; body, if not NULL, is sent in its place and must outlive the response.
 * extra_header: a whole line, or NULL. Returns 0 or -ENOMEM. */
STORE_MUST_CHECK int response_begin(struct response *response, const struct rest_response *answer,
                                    const struct bytes *body, enum response_connection connection,
                                    const char *extra_header);

/* What is still to be sent. Returns the number of pieces; 0: done. */
int response_rest(const struct response *response, struct iovec pieces[2]);

/* Lets go of everything; usable again. */
void response_finish(struct response *response);

#endif
