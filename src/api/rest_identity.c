/* Idempotency-Key: what makes of a request one that may be repeated, whatever its kind. The key is a source (who.c)
 * with one operation in the log of its document, whose seq is made of all else that the client has sent: so the log
 * says whether it has been done, and whether it was the same request. Nothing is kept beside it. Source: RFC 9110,
 * draft-ietf-httpapi-idempotency-key-header. */
#include <openssl/sha.h>

#include "api/rest_inside.h"

#define KEY_MAX_BYTES 255
#define SEQ_MAX       ((1ull << 53) - 2)

static bool is_printable(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* "a \"key\"", a string of RFC 9651, means what stands between the quotes; anything else itself. */
static bool key_read(struct bytes value, char into[KEY_MAX_BYTES], size_t *n_bytes)
{
    const char *at = value.at, *end = at + value.n_bytes;
    bool is_quoted = value.n_bytes && *at == '"';
    size_t n = 0;

    if (is_quoted && (value.n_bytes < 2 || end[-1] != '"'))
        return false;
    at += is_quoted;
    end -= is_quoted;
    for (; at < end; at++) {
        if (is_quoted && *at == '"')
            return false;
        if (is_quoted && *at == '\\' && (++at == end || (*at != '"' && *at != '\\')))
            return false;
        if (!is_printable(*at) || n == KEY_MAX_BYTES)
            return false;
        into[n++] = *at;
    }
    *n_bytes = n;
    return n > 0;
}

/* Each by itself first, so that no two requests are one text. */
static uint64_t seq_of(const struct rest_request *request, struct bytes body)
{
    const struct bytes parts[] = { bytes_of_string(request->method), request->path, request->query,
                                   call_header(request, "content-type"), body };
    unsigned char text[sizeof(parts) / sizeof(parts[0]) * SHA256_DIGEST_LENGTH], hash[SHA256_DIGEST_LENGTH];
    uint64_t seq = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        (void)SHA256(parts[i].at, parts[i].n_bytes, text + i * SHA256_DIGEST_LENGTH);
    (void)SHA256(text, sizeof(text), hash);
    for (size_t i = 0; i < sizeof(seq); i++)
        seq = seq << 8 | hash[i];
    return seq % SEQ_MAX + 1;
}

static size_t count_headers(const struct rest_request *request, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < request->n_headers; i++)
        n += strcmp(request->headers[i].name, name) == 0;
    return n;
}

bool write_read_key(struct rest_write *write, struct bytes body)
{
    struct rest_call *call = &write->call;
    size_t n_sent = count_headers(&call->request, "idempotency-key"), n_bytes;
    char key[KEY_MAX_BYTES];

    if (!n_sent)
        return true;
    if (n_sent > 1 || !key_read(call_header(&call->request, "idempotency-key"), key, &n_bytes)) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED",
                    "Idempotency-Key is one key of 1 to 255 printable ASCII characters.");
        return false;
    }
    who_key_src(principal_name(&call->request.principal), bytes_of(key, n_bytes), write->src);
    write->seq = seq_of(&call->request, body);
    write->is_identified = write->is_sole = true;
    return true;
}
