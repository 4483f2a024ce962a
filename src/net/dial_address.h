/* Where a server is, as people write it:
 *
 *     http://HOST[:PORT][/BASE]   ws://...     in the clear, port 80; also without either of the two
 *     https://...                 wss://...    TLS, port 443
 *     unix:PATH[:/BASE]                        no path with ":/" in it
 *
 * The same as `pilcrow --server` takes for HTTP. No name and password, no query. */
#ifndef NET_DIAL_ADDRESS_H
#define NET_DIAL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dial_address {
    char host[256];      /* a name or an address, an IPv6 one without brackets; of a unix socket "+PATH" */
    char authority[272]; /* the Host header */
    char path[512];      /* of the WebSocket, with the base before it */
    uint16_t port;
    bool is_tls;
};

/* False: url is none of these, or longer than fits. */
bool dial_address_parse(const char *url, struct dial_address *out);

/* Of what stands behind "unix:": the bytes of the socket's path. ":/BASE", or nothing, comes behind them. */
size_t dial_address_unix_split(const char *path);

#endif
