/* Ids of clients, bound to their principal, so that nobody can speak as somebody else (docs/protocol.md).
 *
 *     id = base64url( 12 random bytes | first 15 bytes of HMAC-SHA-256(key, random | principal) )        36 characters
 *
 * No table is needed, and a restart does not hurt: the key lives in the store. */
#ifndef AUTH_CLIENT_ID_H
#define AUTH_CLIENT_ID_H

#include "base/bytes.h"
#include "base/world.h"

#define CLIENT_ID_CHARS     36
#define CLIENT_ID_KEY_BYTES 32

struct client_id_key {
    unsigned char bytes[CLIENT_ID_KEY_BYTES];
};

struct client_id {
    char text[CLIENT_ID_CHARS + 1]; /* terminated */
};

void client_id_make(const struct client_id_key *key, const struct world *world, struct bytes principal,
                    struct client_id *out);

/* Whether this server gave that id to that principal. Compares in constant time. */
bool client_id_belongs(const struct client_id_key *key, struct bytes id, struct bytes principal);

#endif
