/* The path that everything lies under: taken off here, so that nobody further in knows of it; what is emitted has it
 * from rest_context. */
#include "net/inside.h"

/* "/p" itself: what pages name relative to themselves would lie beside it. */
static void redirect_into(struct http *http, const char *base)
{
    struct rest_response answer = { .status = 308, .n_headers = 1 };
    struct bytes query = http->request.query;
    struct buffer location;

    buffer_init(&location, REQUEST_TARGET_MAX_BYTES + 256);
    (void)buffer_printf(&location, "%s/%s", base, query.n_bytes ? "?" : "");
    (void)buffer_append(&location, query.at, query.n_bytes);
    answer.headers[0] = (struct rest_header){ "location", buffer_bytes(&location) };
    http->keeps_alive = false;
    http_answer(http, &answer, NULL);
    buffer_finish(&location);
}

bool http_enter_base(struct http *http)
{
    const char *base = http->server->config.rest->base_path;
    struct bytes *path = &http->request.path;
    size_t n = base ? strlen(base) : 0;

    if (n == 0)
        return true;
    if (path->n_bytes < n || memcmp(path->at, base, n) != 0)
        goto outside;
    *path = bytes_of((const char *)path->at + n, path->n_bytes - n);
    if (path->n_bytes == 0) {
        redirect_into(http, base);
        return false;
    }
    if (*(const char *)path->at == '/')
        return true;
outside:
    http_refuse_and_close(http, 404, "ERR_NOT_FOUND", "This server's addresses begin with another path.");
    return false;
}
