/* Who speaks: identities of operations, labels of authors, ids nobody has used. */
#include <openssl/sha.h>
#include <stdio.h>

#include "api/percent.h"
#include "api/rest_inside.h"

#define HASH_BYTES   20 /* of it are kept */
#define RANDOM_BYTES 16
#define AUTHOR_BYTES 64

static void write_src(const unsigned char *from, size_t n_bytes, char *out)
{
    *out++ = '~';
    for (size_t i = 0; i < n_bytes; i++, out += 2)
        (void)snprintf(out, 3, "%02x", from[i]);
}

/* The principal is hashed by itself first, so that no two pairs are one text. */
void who_src(struct bytes principal, struct bytes src, char out[SRC_BYTES])
{
    unsigned char text[SHA256_DIGEST_LENGTH + SRC_BYTES], hash[SHA256_DIGEST_LENGTH];

    (void)SHA256(principal.at, principal.n_bytes, text);
    memcpy(text + SHA256_DIGEST_LENGTH, src.at, src.n_bytes);
    (void)SHA256(text, SHA256_DIGEST_LENGTH + src.n_bytes, hash);
    write_src(hash, HASH_BYTES, out);
}

/* No src holds a control character, so no key is one. */
void who_key_src(struct bytes principal, struct bytes key, char out[SRC_BYTES])
{
    unsigned char text[1 + SHA256_DIGEST_LENGTH] = { '\0' };

    (void)SHA256(key.at, key.n_bytes, text + 1);
    who_src(principal, bytes_of(text, sizeof(text)), out);
}

void who_src_random(const struct world *world, char out[SRC_BYTES])
{
    unsigned char random[RANDOM_BYTES];

    world_random(world, random, sizeof(random));
    write_src(random, sizeof(random), out);
}

static void write_id(const unsigned char random[RANDOM_BYTES], char out[ID_CHARS + 1])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned bits = 0, n_bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < ID_CHARS; i++) {
        if (n_bits < 5) {
            bits = bits << 8 | (at < RANDOM_BYTES ? random[at++] : 0u);
            n_bits += 8;
        }
        n_bits -= 5;
        out[i] = digits[bits >> n_bits & 31];
    }
    out[ID_CHARS] = '\0';
}

void who_fresh_id(const struct world *world, char out[ID_CHARS + 1])
{
    unsigned char random[RANDOM_BYTES];

    world_random(world, random, sizeof(random));
    write_id(random, out);
}

void who_id_of_src(const char *src, char out[ID_CHARS + 1])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    (void)SHA256((const unsigned char *)src, strlen(src), hash);
    write_id(hash, out);
}

/* Cut between characters, without control characters. */
static size_t clean(struct bytes label, char out[SRC_BYTES])
{
    const unsigned char *at = label.at;
    size_t n = 0, n_whole = 0;

    for (size_t i = 0; i < label.n_bytes && n < AUTHOR_BYTES; i++) {
        if (at[i] >= 0x20 && at[i] != 0x7f)
            out[n++] = (char)at[i];
        if (i + 1 == label.n_bytes || (at[i + 1] & 0xc0) != 0x80)
            n_whole = n;
    }
    return n_whole;
}

size_t who_author(const struct rest_request *request, char out[SRC_BYTES])
{
    struct bytes label = call_header(request, "pilcrow-author"), name = principal_name(&request->principal);
    char decoded[1024];
    size_t n = 0, n_bytes;

    if (request->principal.is_account)
        return clean(name, out);
    if (percent_decode(label, decoded, sizeof(decoded), &n_bytes) == 0)
        label = bytes_of(decoded, n_bytes);
    if (bytes_are_utf8(label))
        n = clean(label, out);
    return n ? n : clean(name, out);
}
