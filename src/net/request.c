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

/* "http://host/path" means "/path"; nothing else but a path is served, except "*" for OPTIONS. */
static bool target_split(struct bytes target, struct request *out)
{
    const char *at = target.at, *end = at + target.n_bytes, *query;

    if (target.n_bytes > 7 && strncasecmp(at, "http://", 7) == 0) {
        at = memchr(at + 7, '/', target.n_bytes - 7);
        if (!at)
            return false;
    }
    if (!target_is_clean(bytes_of(at, (size_t)(end - at))) || (*at != '/' && !(*at == '*' && end - at == 1)))
        return false;
    query = memchr(at, '?', (size_t)(end - at));
    out->path = bytes_of(at, (size_t)((query ? query : end) - at));
    out->query = query ? bytes_of(query + 1, (size_t)(end - query - 1)) : bytes_of(NULL, 0);
    return true;
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

/* What the headers say about the message itself; returns 0 or the status to refuse with. */
static int framing_parse(struct request *out)
{
    size_t n_hosts = 0, n_lengths = 0;
    struct bytes connection = request_header(out, "connection");

    for (size_t i = 0; i < out->n_headers; i++) {
        const char *name = out->headers[i].name;

        n_hosts += *name == 'h' && strcmp(name, "host") == 0;
        n_lengths += *name == 'c' && strcmp(name, "content-length") == 0;
    }
    if (n_hosts > 1 || (out->is_1_1 && n_hosts == 0) || n_lengths > 1)
        return 400;
    out->has_length = n_lengths == 1;
    if (out->has_length && !length_parse(request_header(out, "content-length"), &out->n_body_bytes))
        return 400;
    out->has_encoding = request_header(out, "transfer-encoding").n_bytes > 0;
    if (out->has_encoding && out->has_length) /* two answers to "where does it end": an old trick */
        return 400;
    out->expects_continue = out->is_1_1 && header_has_word(request_header(out, "expect"), "100-continue");
    out->wants_websocket = header_has_word(request_header(out, "upgrade"), "websocket") &&
                           header_has_word(connection, "upgrade") && out->is_1_1;
    out->keep_alive = out->is_1_1 && !header_has_word(connection, "close");
    return 0;
}

static int head_parse(char *at, char *end, struct request *out)
{
    for (bool is_first = true; at < end; is_first = false) {
        char *line_end = memchr(at, '\n', (size_t)(end - at));
        int status;

        if (!line_end || line_end == at || line_end[-1] != '\r' || memchr(at, '\r', (size_t)(line_end - at - 1)))
            return 400;
        status = is_first ? line_parse(at, line_end - 1, out) : header_parse(at, line_end - 1, out);
        if (status)
            return status;
        at = line_end + 1;
    }
    return framing_parse(out);
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
    out->has_length = out->has_encoding = out->expects_continue = out->wants_websocket = false;
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
