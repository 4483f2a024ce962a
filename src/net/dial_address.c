#include "net/dial_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_PATH "/v1/ws"

static const struct scheme {
    const char *prefix;
    uint16_t port;
    bool is_tls;
} schemes[] = {
    { "http://", 80, false }, { "ws://", 80, false }, { "https://", 443, true },
    { "wss://", 443, true },  { "", 80, false },
};

/* Only what fits whole. */
static bool copy(char *into, size_t n_into, const char *at, size_t n)
{
    if (n >= n_into)
        return false;
    memcpy(into, at, n);
    into[n] = '\0';
    return true;
}

static bool port_parse(const char *at, size_t n, uint16_t *out)
{
    unsigned long port = 0;

    if (n == 0 || n > 5 || strspn(at, "0123456789") < n)
        return false;
    port = strtoul(at, NULL, 10);
    *out = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

/* HOST, HOST:PORT, [ADDR] or [ADDR]:PORT */
static bool authority_parse(const char *at, size_t n, struct dial_address *out)
{
    bool is_bracketed = n && *at == '[';
    const char *end = at + n, *host = at + is_bracketed;
    const char *host_end = memchr(host, is_bracketed ? ']' : ':', (size_t)(end - host));
    const char *rest = host_end ? host_end + is_bracketed : end;

    if (is_bracketed && !host_end)
        return false;
    host_end = host_end ? host_end : end;
    if (host_end == host || !copy(out->host, sizeof(out->host), host, (size_t)(host_end - host)) ||
        !copy(out->authority, sizeof(out->authority), at, n))
        return false;
    if (strpbrk(out->authority, "@ \t") || out->host[0] == '+') /* a + is ours, of unix sockets */
        return false;
    return rest == end || (*rest == ':' && port_parse(rest + 1, (size_t)(end - rest - 1), &out->port));
}

/* Without the slashes at its end. */
static bool base_copy(const char *base, struct dial_address *out)
{
    size_t n = strlen(base);
    int n_path;

    while (n && base[n - 1] == '/')
        n--;
    n_path = snprintf(out->path, sizeof(out->path), "%.*s" SOCKET_PATH, (int)n, base);
    return n_path > 0 && (size_t)n_path < sizeof(out->path);
}

static bool unix_parse(const char *path, struct dial_address *out)
{
    size_t n = dial_address_unix_split(path);

    out->host[0] = '+';
    (void)snprintf(out->authority, sizeof(out->authority), "localhost");
    return n && copy(out->host + 1, sizeof(out->host) - 1, path, n) && base_copy(path + n + (path[n] == ':'), out);
}

size_t dial_address_unix_split(const char *path)
{
    const char *base = strstr(path, ":/");

    return base ? (size_t)(base - path) : strlen(path);
}

bool dial_address_parse(const char *url, struct dial_address *out)
{
    const struct scheme *scheme;
    const char *at;
    size_t n;

    *out = (struct dial_address){ .port = 0 };
    if (strncmp(url, "unix:", 5) == 0)
        return unix_parse(url + 5, out);
    for (scheme = schemes; strncmp(url, scheme->prefix, strlen(scheme->prefix)) != 0; scheme++)
        ; /* the last fits anything */
    at = url + strlen(scheme->prefix);
    if (strpbrk(url, "?#") || strstr(at, "://"))
        return false;
    out->port = scheme->port;
    out->is_tls = scheme->is_tls;
    n = strcspn(at, "/");
    return authority_parse(at, n, out) && base_copy(at + n, out);
}
