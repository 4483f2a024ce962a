/* Pages of other origins: what a browser lets them send here, and read of the answer. Those that --allow-origin names
 * and no others; tokens come in `Authorization`, never in cookies, so nothing is said of credentials.
 * Source: the Fetch standard's CORS protocol. */
#include <stdio.h>

#include "net/inside.h"

static const char may_be_sent[] =
    "access-control-allow-headers: Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "If-Range, Last-Event-ID, Pilcrow-Author, Prefer, Range\r\n"
    "access-control-max-age: 3600\r\n";

static const char may_be_read[] =
    "access-control-expose-headers: Accept-Patch, Allow, Content-Range, ETag, Link, Location, Pilcrow-Request-Id, "
    "Pilcrow-Version, Preference-Applied, Retry-After, WWW-Authenticate\r\n";

void http_cors_note(struct http *http)
{
    const struct request *request = &http->request;
    struct bytes origin = request_header(request, "origin");

    http->reader_origin[0] = '\0';
    if (origin.n_bytes < sizeof(http->reader_origin) && origin_is_allowed(&http->server->config.origins, origin)) {
        memcpy(http->reader_origin, origin.at, origin.n_bytes);
        http->reader_origin[origin.n_bytes] = '\0';
    }
    http->is_preflight =
        strcmp(request->method, "OPTIONS") == 0 && request_header(request, "access-control-request-method").at;
}

/* Of a preflight's answer: the route's methods. */
static struct bytes methods_of(const struct rest_response *answer)
{
    for (size_t i = 0; i < answer->n_headers; i++) {
        if (strcmp(answer->headers[i].name, "allow") == 0)
            return answer->headers[i].value;
    }
    return bytes_of("", 0);
}

void http_cors_write(struct http *http, const struct rest_response *answer, struct buffer *into)
{
    if (!http->server->config.origins.n_allowed)
        return;
    (void)buffer_append_string(into, "vary: Origin\r\n"); /* what is kept for one is not for another */
    if (!http->reader_origin[0])
        return;
    (void)buffer_printf(into, "access-control-allow-origin: %s\r\n", http->reader_origin);
    if (http->is_preflight) {
        struct bytes methods = methods_of(answer);

        (void)buffer_printf(into, "access-control-allow-methods: %.*s\r\n", (int)methods.n_bytes,
                            (const char *)methods.at);
        (void)buffer_append_string(into, may_be_sent);
    } else {
        (void)buffer_append_string(into, may_be_read);
    }
    http->reader_origin[0] = '\0';
}
