#include "auth/client_id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define RANDOM_BYTES 12
#define MAC_BYTES    15
#define RAW_BYTES    (RANDOM_BYTES + MAC_BYTES) /* a multiple of 3: base64 needs no padding */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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

static void id_write(const unsigned char raw[RAW_BYTES], struct client_id *out)
{
    char *at = out->text;

    for (size_t i = 0; i < RAW_BYTES; i += 3) {
        unsigned n = (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 | raw[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6)
            *at++ = digits[n >> shift & 63];
    }
    *at = '\0';
}

static bool id_read(struct bytes id, unsigned char out[RAW_BYTES])
{
    const char *at = id.at;

    if (id.n_bytes != CLIENT_ID_CHARS)
        return false;
    for (size_t i = 0; i < RAW_BYTES; i += 3) {
        unsigned n = 0;

        for (int j = 0; j < 4; j++, at++) {
            const char *digit = *at ? strchr(digits, *at) : NULL;

            if (!digit)
                return false;
            n = n << 6 | (unsigned)(digit - digits);
        }
        out[i] = (unsigned char)(n >> 16);
        out[i + 1] = (unsigned char)(n >> 8);
        out[i + 2] = (unsigned char)n;
    }
    return true;
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
    id_write(raw, out);
}

bool client_id_belongs(const struct client_id_key *key, struct bytes id, struct bytes principal)
{
    unsigned char raw[RAW_BYTES], mac[MAC_BYTES];

    return id_read(id, raw) && mac_make(key, raw, principal, mac) &&
           CRYPTO_memcmp(raw + RANDOM_BYTES, mac, MAC_BYTES) == 0;
}
