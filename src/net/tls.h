/* A certificate with its key: what new connections are met with. TLS 1.2 and 1.3; what else is allowed is OpenSSL's and
 * the machine's (openssl.cnf) to say. HTTP/1.1 is the only protocol offered (ALPN, RFC 7301). */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stddef.h>

struct tls;

enum tls_error {
    TLS_UNUSABLE = 1, /* the files are at fault */
};

/* certificate: a PEM file, the server's own first, then those that lead up to the authority's. key: PEM, not encrypted,
 * may be the same file. Returns 0, TLS_UNUSABLE with a sentence in why[0..n_why), or -ENOMEM. */
__attribute__((warn_unused_result)) int tls_read(const char *certificate, const char *key, struct tls **out, char *why,
                                                 size_t n_why);

/* Connections that were met with it go on. NULL is fine. */
void tls_destroy(struct tls *tls);

/* The server's side of a new connection on fd, before its handshake. NULL without memory. */
struct ssl_st *tls_meet(struct tls *tls, int fd);

#endif
