#include "net/request.h"

#include <stdlib.h>
#include <strings.h>

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

struct bytes request_header(const struct request *request, const char *name)
{
    return rest_header_value(request->headers, request->n_headers, name);
}

bool header_has_word(struct bytes value, const char *word)
{
    const char *at = value.at, *end = at + value.n_bytes;
    size_t n_word = strlen(word);

    while (at < end) {
        const char *from = at, *to;

        while (at < end && *at != ',')
            at++;
        to = at++;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        if ((size_t)(to - from) == n_word && strncasecmp(from, word, n_word) == 0)
            return true;
    }
    return false;
}

/* Printable, no blanks, and every % begins an escape. Bytes beyond ASCII are let pass: they can only be themselves. */
static bool target_is_clean(struct bytes target)
{
    const char *at = target.at;

    for (size_t i = 0; i < target.n_bytes; i++) {
        unsigned char c = (unsigned char)at[i];

        if (c <= ' ' || c == 0x7f || c == '#')
            return false;
        if (c == '%' && (i + 2 >= target.n_bytes || !is_hex(at[i + 1]) || !is_hex(at[i + 2])))
            return false;
    }
    return true;
}

/* What may stand in a host with its port: no user, no blanks, nothing that ends it. */
static bool host_is_clean(struct bytes host)
{
    const char *at = host.at;

    for (size_t i = 0; i < host.n_bytes; i++) {
        if (!is_token_char(at[i]) && !(at[i] && strchr("[]:(),;=", at[i])))
            return false;
    }
    return true;
}

/* "http://host/path": takes the host off and leaves "/path", or nothing. RFC 9112, 3.2.2. */
static bool host_split(struct bytes *target, struct bytes *out)
{
    const char *at = target->at, *end = at + target->n_bytes, *host;

    if (target->n_bytes > 7 && strncasecmp(at, "http://", 7) == 0)
        at += 7;
    else if (target->n_bytes > 8 && strncasecmp(at, "https://", 8) == 0)
        at += 8;
    else
        return true;
    host = at;
    while (at < end && *at != '/' && *at != '?')
        at++;
    *out = bytes_of(host, (size_t)(at - host));
    *target = bytes_of(at, (size_t)(end - at));
    return out->n_bytes && host_is_clean(*out);
}

/* Nothing but a path is served, except "*" for OPTIONS. */
static bool target_split(struct bytes target, struct request *out)
{
    const char *at, *end, *query;

    if (!host_split(&target, &out->host) || !target_is_clean(target))
        return false;
    at = target.at;
    end = at + target.n_bytes;
    query = target.n_bytes ? memchr(at, '?', target.n_bytes) : NULL;
    out->path = bytes_of(at, (size_t)((query ? query : end) - at));
    out->query = query ? bytes_of(query + 1, (size_t)(end - query - 1)) : bytes_of(NULL, 0);
    if (out->path.n_bytes == 0 && out->host.at)
        out->path = bytes_of_string("/");
    if (bytes_equal(target, bytes_of("*", 1)))
        return strcmp(out->method, "OPTIONS") == 0;
    return out->path.n_bytes && *(const char *)out->path.at == '/';
}

/* "GET /path HTTP/1.1"; returns 0 or the status to refuse with. */
static int line_parse(char *at, char *end, struct request *out)
{
    char *target, *version;

    out->method = at;
    while (at < end && is_token_char(*at))
        at++;
    if (at == out->method || at == end || *at != ' ')
        return 400;
    *at++ = '\0';
    target = at;
    while (at < end && *at != ' ')
        at++;
    version = at + 1;
    if (at == end || at == target || end - version != 8 || memcmp(version, "HTTP/", 5) != 0)
        return 400;
    if (version[5] != '1' || version[6] != '.' || (version[7] != '0' && version[7] != '1'))
        return 505;
    out->is_1_1 = version[7] == '1';
    if (strcmp(out->method, "CONNECT") == 0) /* its address is a host, and no proxy is here */
        return 405;
    return target_split(bytes_of(target, (size_t)(at - target)), out) ? 0 : 400;
}

/* "Name: value"; returns 0 or the status to refuse with. */
static int header_parse(char *at, char *end, struct request *out)
{
    struct rest_header *header = &out->headers[out->n_headers];

    if (out->n_headers == REQUEST_HEADERS_MAX)
        return 431;
    header->name = at;
    for (; at < end && is_token_char(*at); at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    if (at == header->name || at == end || *at != ':') /* also a line that goes on the one before */
        return 400;
    *at++ = '\0';
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *c = at; c < end; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return 400;
    }
    header->value = bytes_of(at, (size_t)(end - at));
    out->n_headers++;
    return 0;
}

static bool length_parse(struct bytes value, uint64_t *out)
{
    const char *at = value.at;
    uint64_t n = 0;

    if (value.n_bytes == 0 || value.n_bytes > 18)
        return false;
    for (size_t i = 0; i < value.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(at[i] - '0');
    }
    *out = n;
    return true;
}

/* Of two, one reader would take the first and another the last. Lists may go on in a second line. */
static bool is_single(const char *name)
{
    static const char *const singles[] = {
        "access-control-request-method",
        "authorization",
        "content-length",
        "content-type",
        "expect",
        "host",
        "if-range",
        "last-event-id",
        "idempotency-key",
        "origin",
        "pilcrow-author",
        "range",
        "sec-websocket-key",
        "sec-websocket-version",
    };

    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        if (strcmp(singles[i], name) == 0)
            return true;
    }
    return false;
}

/* A list that goes on in another line is one list: joined in place, since its lines were longer. `begin`: where the
 * headers stand. RFC 9110, 5.3. */
static void lists_join(char *begin, size_t n, struct request *out)
{
    char copy[REQUEST_HEAD_MAX_BYTES], *to = begin;
    size_t n_kept = 0;

    memcpy(copy, begin, n);
    for (size_t i = 0; i < out->n_headers; i++) {
        out->headers[i].name = copy + (out->headers[i].name - begin);
        out->headers[i].value.at = copy + ((const char *)out->headers[i].value.at - begin);
    }
    for (size_t i = 0; i < out->n_headers; i++) {
        const char *name = out->headers[i].name;
        struct rest_header joined = { .name = to };

        if (!name)
            continue;
        to = stpcpy(to, name) + 1;
        joined.value.at = to;
        for (size_t j = i; j < out->n_headers; j++) {
            if (!out->headers[j].name || strcmp(out->headers[j].name, name) != 0)
                continue;
            if (j > i)
                to = stpcpy(to, ", ");
            to = mempcpy(to, out->headers[j].value.at, out->headers[j].value.n_bytes);
            out->headers[j].name = NULL;
        }
        joined.value.n_bytes = (size_t)(to - (const char *)joined.value.at);
        out->headers[n_kept++] = joined;
    }
    out->n_headers = n_kept;
}

/* Returns 0 or the status to refuse with. */
static int repeats_resolve(char *begin, char *end, struct request *out)
{
    bool has_repeats = false;

    for (size_t i = 1; i < out->n_headers; i++) {
        for (size_t j = 0; j < i; j++) {
            if (*out->headers[i].name != *out->headers[j].name ||
                strcmp(out->headers[i].name, out->headers[j].name) != 0)
                continue;
            if (is_single(out->headers[i].name))
                return 400;
            has_repeats = true;
        }
    }
    if (has_repeats)
        lists_join(begin, (size_t)(end - begin), out);
    return 0;
}

/* Where the body ends; returns 0 or the status to refuse with. */
static int length_find(struct request *out)
{
    struct bytes length = request_header(out, "content-length");

    out->has_length = length.at != NULL;
    out->has_encoding = request_header(out, "transfer-encoding").at != NULL;
    if (out->has_length && !length_parse(length, &out->n_body_bytes))
        return 400;
    return out->has_length && out->has_encoding ? 400 : 0; /* two answers to that question: an old trick */
}

/* What the headers say about the message itself; returns 0 or the status to refuse with. */
static int framing_parse(struct request *out)
{
    struct bytes host = request_header(out, "host"), expect = request_header(out, "expect");
    struct bytes connection = request_header(out, "connection");

    if ((out->is_1_1 && !host.at) || !host_is_clean(host))
        return 400;
    if (!out->host.at)
        out->host = host;
    out->expects_continue = out->is_1_1 && header_has_word(expect, "100-continue");
    out->expects_else = out->is_1_1 && expect.at && !out->expects_continue;
    out->wants_websocket = header_has_word(request_header(out, "upgrade"), "websocket") &&
                           header_has_word(connection, "upgrade") && out->is_1_1;
    out->keep_alive = out->is_1_1 && !header_has_word(connection, "close");
    return length_find(out);
}

static int head_parse(char *at, char *end, struct request *out)
{
    char *headers = NULL;
    int status;

    for (bool is_first = true; at < end; is_first = false) {
        char *line_end = memchr(at, '\n', (size_t)(end - at));

        if (!line_end || line_end == at || line_end[-1] != '\r' || memchr(at, '\r', (size_t)(line_end - at - 1)))
            return 400;
        status = is_first ? line_parse(at, line_end - 1, out) : header_parse(at, line_end - 1, out);
        if (status)
            return status;
        at = line_end + 1;
        if (is_first)
            headers = at;
    }
    status = repeats_resolve(headers, end, out);
    return status ? status : framing_parse(out);
}

enum request_outcome request_parse(char *at, size_t n, struct request *out, int *out_status)
{
    char *end;

    if (n && !is_token_char(*at)) { /* a TLS greeting, for one */
        *out_status = 400;
        return REQUEST_REFUSED;
    }
    end = memmem(at, n < REQUEST_HEAD_MAX_BYTES ? n : REQUEST_HEAD_MAX_BYTES, "\r\n\r\n", 4);
    if (!end && n < REQUEST_HEAD_MAX_BYTES && (n <= REQUEST_TARGET_MAX_BYTES || memchr(at, '\n', n)))
        return REQUEST_PARTIAL;
    if (!memchr(at, '\n', n < REQUEST_TARGET_MAX_BYTES ? n : REQUEST_TARGET_MAX_BYTES)) {
        *out_status = 414;
        return REQUEST_REFUSED;
    }
    if (!end) {
        *out_status = 431;
        return REQUEST_REFUSED;
    }
    memset(out, 0, offsetof(struct request, headers));
    out->n_headers = 0;
    out->has_length = out->has_encoding = out->wants_websocket = false;
    out->n_body_bytes = 0;
    out->n_head_bytes = (size_t)(end - at) + 4;
    *out_status = head_parse(at, end + 2, out);
    return *out_status ? REQUEST_REFUSED : REQUEST_COMPLETE;
}

/* Every line begins behind the end of another. */
bool request_follows(struct bytes input)
{
    const char *at = input.at, *end = at ? memmem(at, input.n_bytes, "\r\n\r\n", 4) : NULL;

    while (end && at < end) {
        if (strncasecmp(at, "upgrade:", 8) == 0)
            return false;
        at = (const char *)memchr(at, '\n', (size_t)(end + 2 - at)) + 1;
    }
    return end;
}
