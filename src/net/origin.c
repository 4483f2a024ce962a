#include "net/origin.h"

#include <ctype.h>
#include <strings.h>

/* "host:port" taken apart; the port is empty where it is not written. */
struct authority {
    struct bytes host, port;
};

static bool bytes_are(struct bytes a, struct bytes b)
{
    return a.n_bytes == b.n_bytes && (a.n_bytes == 0 || strncasecmp(a.at, b.at, a.n_bytes) == 0);
}

static bool bytes_are_text(struct bytes a, const char *text)
{
    return bytes_are(a, bytes_of_string(text));
}

static bool is_digits(struct bytes text)
{
    const char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
    }
    return true;
}

static bool is_host_char(char c)
{
    return isalnum((unsigned char)c) || strchr("-._~[]:", c) != NULL;
}

/* Nothing in it that could mean something else to somebody else: no user, no path, no blanks. */
static bool authority_split(struct bytes text, struct authority *out)
{
    const char *at = text.at;
    size_t n_host = text.n_bytes;

    for (size_t i = 0; i < text.n_bytes; i++) {
        if (!at[i] || !is_host_char(at[i]))
            return false;
    }
    while (n_host > 0 && at[n_host - 1] != ':' && at[n_host - 1] != ']')
        n_host--;
    if (n_host == 0 || at[n_host - 1] == ']') {
        *out = (struct authority){ text, bytes_of(NULL, 0) };
        return text.n_bytes > 0 && (n_host == 0 || n_host == text.n_bytes);
    }
    *out = (struct authority){ bytes_of(at, n_host - 1), bytes_of(at + n_host, text.n_bytes - n_host) };
    return out->host.n_bytes > 0 && out->port.n_bytes <= 5 && is_digits(out->port);
}

static bool origin_split(struct bytes origin, struct bytes *scheme, struct authority *authority)
{
    const char *at = origin.at;
    size_t n = 0;

    while (n < origin.n_bytes && isalnum((unsigned char)at[n]))
        n++;
    if (n == 0 || origin.n_bytes < n + 4 || memcmp(at + n, "://", 3) != 0)
        return false;
    *scheme = bytes_of(at, n);
    return authority_split(bytes_of(at + n + 3, origin.n_bytes - n - 3), authority);
}

bool origin_is_wellformed(struct bytes text)
{
    struct bytes scheme;
    struct authority authority;

    return origin_split(text, &scheme, &authority);
}

static bool port_is_default(struct bytes scheme, struct bytes port)
{
    return port.n_bytes == 0 || (bytes_are_text(scheme, "http") && bytes_are_text(port, "80")) ||
           (bytes_are_text(scheme, "https") && bytes_are_text(port, "443"));
}

static bool ports_are_same(struct bytes scheme, struct bytes a, struct bytes b)
{
    return bytes_are(a, b) || (port_is_default(scheme, a) && port_is_default(scheme, b));
}

/* scheme: the origin's; Host does not tell its own. */
static bool authorities_are_same(struct bytes scheme, struct authority a, struct authority b)
{
    return bytes_are(a.host, b.host) && ports_are_same(scheme, a.port, b.port);
}

static bool is_loopback_name(struct bytes host)
{
    const char *at = host.at;

    if (bytes_are_text(host, "localhost") || bytes_are_text(host, "[::1]"))
        return true;
    if (host.n_bytes > 10 && bytes_are(bytes_of(at + host.n_bytes - 10, 10), bytes_of_string(".localhost")))
        return true;
    if (host.n_bytes < 9 || memcmp(at, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < host.n_bytes; i++) {
        if (at[i] != '.' && (at[i] < '0' || at[i] > '9')) /* "127.0.0.1.evil.example" */
            return false;
    }
    return true;
}

static bool host_is_allowed(const struct origin_policy *policy, struct authority host)
{
    for (size_t i = 0; i < policy->n_allowed; i++) {
        struct bytes scheme;
        struct authority allowed;

        if (origin_split(bytes_of_string(policy->allowed[i]), &scheme, &allowed) &&
            authorities_are_same(scheme, host, allowed))
            return true;
    }
    return false;
}

static bool page_is_allowed(const struct origin_policy *policy, struct bytes scheme, struct authority origin)
{
    for (size_t i = 0; i < policy->n_allowed; i++) {
        struct bytes allowed_scheme;
        struct authority allowed;

        if (origin_split(bytes_of_string(policy->allowed[i]), &allowed_scheme, &allowed) &&
            bytes_are(scheme, allowed_scheme) && authorities_are_same(scheme, origin, allowed))
            return true;
    }
    return false;
}

bool origin_is_allowed(const struct origin_policy *policy, struct bytes origin)
{
    struct bytes scheme;
    struct authority page;

    return origin_split(origin, &scheme, &page) && page_is_allowed(policy, scheme, page);
}

enum origin_verdict origin_check(const struct origin_policy *policy, struct bytes host, struct bytes origin,
                                 bool is_loopback, bool is_tls, bool checks_origin)
{
    struct authority own, page;
    struct bytes scheme;
    bool has_host = authority_split(host, &own);

    if (is_loopback && !(has_host && (is_loopback_name(own.host) || host_is_allowed(policy, own))))
        return ORIGIN_FOREIGN_HOST;
    if (!checks_origin || !origin.at)
        return ORIGIN_FINE;
    if (!origin_split(origin, &scheme, &page)) /* also "null" */
        return ORIGIN_FOREIGN_ORIGIN;
    if (has_host && authorities_are_same(scheme, own, page) && (!is_tls || bytes_are_text(scheme, "https")))
        return ORIGIN_FINE;
    return page_is_allowed(policy, scheme, page) ? ORIGIN_FINE : ORIGIN_FOREIGN_ORIGIN;
}
