#include "auth/client_id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/base64url.h"

#define RANDOM_BYTES 12
#define MAC_BYTES    15
#define RAW_BYTES    (RANDOM_BYTES + MAC_BYTES) /* a multiple of 3 */

/* The start of HMAC-SHA-256(key, random | principal). False without memory. */
static bool mac_make(const struct client_id_key *key, const unsigned char random[RANDOM_BYTES], struct bytes principal,
                     unsigned char out[MAC_BYTES])
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key->bytes, sizeof(key->bytes));
    size_t n = sizeof(whole);
    bool is_done = context && pkey && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pkey) == 1 &&
                   EVP_DigestSignUpdate(context, random, RANDOM_BYTES) == 1 &&
                   EVP_DigestSignUpdate(context, principal.at, principal.n_bytes) == 1 &&
                   EVP_DigestSignFinal(context, whole, &n) == 1 && n >= MAC_BYTES;

    if (is_done)
        memcpy(out, whole, MAC_BYTES);
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(context);
    return is_done;
}

static bool id_read(struct bytes id, unsigned char out[RAW_BYTES])
{
    return id.n_bytes == CLIENT_ID_CHARS && base64url_read(id.at, out, RAW_BYTES);
}

void client_id_make(const struct client_id_key *key, const struct world *world, struct bytes principal,
                    struct client_id *out)
{
    unsigned char raw[RAW_BYTES];

    world_random(world, raw, RANDOM_BYTES);
    /* Without memory for the MAC the id is random through and through: as good an id, but its owner gets another one
     * when he returns. */
    if (!mac_make(key, raw, principal, raw + RANDOM_BYTES))
        world_random(world, raw + RANDOM_BYTES, MAC_BYTES);
    base64url_write(raw, RAW_BYTES, out->text);
}

bool client_id_belongs(const struct client_id_key *key, struct bytes id, struct bytes principal)
{
    unsigned char raw[RAW_BYTES], mac[MAC_BYTES];

    return id_read(id, raw) && mac_make(key, raw, principal, mac) &&
           CRYPTO_memcmp(raw + RANDOM_BYTES, mac, MAC_BYTES) == 0;
}
