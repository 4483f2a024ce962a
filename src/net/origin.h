/* Whether a request may come from where it says it comes from. A browser lets any page on the net send requests to any
 * server it can reach, also to one on this machine, and puts the page's address into `Origin`; a page can also give its
 * own name an address on this machine, and then shows that name in `Host`. Pure. Source: docs/http.md; RFC 6454. */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include "base/bytes.h"

#define ORIGIN_MAX_BYTES 280 /* a scheme, a name of 253 and a port; longer ones are nobody's */

struct origin_policy {
    const char *const *allowed; /* "https://docs.example.org[:port]" */
    size_t n_allowed;
};

enum origin_verdict {
    ORIGIN_FINE,
    ORIGIN_FOREIGN_HOST,   /* this listener is for this machine, and Host is not */
    ORIGIN_FOREIGN_ORIGIN, /* the page is another server's */
};

/* host, origin: the headers' values; at is NULL when they were not sent. is_loopback: of the listener. is_tls: it came
 * over TLS, so that a page of the same name in the clear is another's; without, a proxy may have taken TLS off.
 * checks_origin: the request writes or opens a WebSocket. */
enum origin_verdict origin_check(const struct origin_policy *policy, struct bytes host, struct bytes origin,
                                 bool is_loopback, bool is_tls, bool checks_origin);

/* Whether pages of that origin were named. */
bool origin_is_allowed(const struct origin_policy *policy, struct bytes origin);

/* Whether text has the form of an origin: scheme://host[:port], and nothing behind it. */
bool origin_is_wellformed(struct bytes text);

#endif
