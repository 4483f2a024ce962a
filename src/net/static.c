/* The embedded application: pages and what they load. */
#include <stdlib.h>

#include "api/gzip.h"
#include "net/assets.h"
#include "net/inside.h"

#define NONCE_MARK  "__CSP_NONCE__"
#define NONCE_BYTES 16
#define ETAG_BYTES  64

struct page {
    char nonce[2 * NONCE_BYTES + 1];
    char policy[768];
};

/* "/d/{collection}/{id}" with neither part empty. */
static bool is_editor_path(struct bytes path)
{
    const char *at = path.at, *end = at + path.n_bytes, *slash;

    if (path.n_bytes < 6 || memcmp(at, "/d/", 3) != 0)
        return false;
    slash = memchr(at + 3, '/', path.n_bytes - 3);
    return slash && slash > at + 3 && slash + 1 < end && !memchr(slash + 1, '/', (size_t)(end - slash - 1));
}

static bool is_demo_path(struct bytes path)
{
    return path.n_bytes >= 7 && memcmp(path.at, "/demos/", 7) == 0;
}

static const struct asset *asset_find(const struct server *server, struct bytes path)
{
    if (is_demo_path(path) && !server->config.has_demos)
        return NULL;
    if (server->config.has_demos && bytes_equal(path, bytes_of_string("/")))
        path = bytes_of_string("/?demos");
    else if (is_editor_path(path))
        path = bytes_of_string("/d/");
    else if (bytes_equal(path, bytes_of_string("/d/")))
        return NULL;
    for (size_t i = 0; i < n_assets; i++) {
        if (bytes_equal(bytes_of_string(assets[i].path), path))
            return &assets[i];
    }
    return NULL;
}

static void answer_add(struct rest_response *answer, const char *name, const char *value)
{
    answer->headers[answer->n_headers++] = (struct rest_header){ name, bytes_of_string(value) };
}

/* WebSockets are named with the host, since not every browser counts them to 'self'. */
static void page_init(struct page *page, const struct http *http)
{
    struct bytes host = request_header(&http->request, "host");
    const char *at = host.at;
    unsigned char random[NONCE_BYTES];
    char sockets[300] = "";

    world_random(http->server->config.world, random, sizeof(random));
    for (size_t i = 0; i < NONCE_BYTES; i++)
        (void)snprintf(page->nonce + 2 * i, 3, "%02x", random[i]);

    for (size_t i = 0; i < host.n_bytes; i++) {
        if (!at[i] || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", at[i]))
            host.n_bytes = 0;
    }
    if (host.n_bytes && host.n_bytes < 128)
        (void)snprintf(sockets, sizeof(sockets), " ws://%.*s wss://%.*s", (int)host.n_bytes, at, (int)host.n_bytes, at);
    (void)snprintf(
        page->policy, sizeof(page->policy),
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' data:; "
        "font-src 'self'; manifest-src 'self'; connect-src 'self'%s; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'",
        page->nonce, sockets);
}

/* The page with its nonce in place of every mark; NULL without memory. */
static struct frame *page_write(const struct page *page, const struct asset *asset)
{
    const char *at = (const char *)asset->bytes, *end = at + asset->n_bytes;
    struct frame *frame;
    struct buffer html;

    buffer_init(&html, asset->n_bytes * 4 + 1);
    while (at < end) {
        const char *mark = memmem(at, (size_t)(end - at), NONCE_MARK, strlen(NONCE_MARK));

        (void)buffer_append(&html, at, (size_t)((mark ? mark : end) - at));
        if (!mark)
            break;
        (void)buffer_append_string(&html, page->nonce);
        at = mark + strlen(NONCE_MARK);
    }
    frame = frame_of_buffer(&html);
    buffer_finish(&html);
    return frame;
}

static bool is_page(const struct asset *asset)
{
    return strncmp(asset->type, "text/html", 9) == 0;
}

static bool has_nonce(const struct asset *asset)
{
    return is_page(asset) && memmem(asset->bytes, asset->n_bytes, NONCE_MARK, strlen(NONCE_MARK));
}

static void page_serve(struct http *http, const struct asset *asset, struct rest_response *answer)
{
    struct page page;

    page_init(&page, http);
    answer_add(answer, "content-security-policy", page.policy);
    if (!has_nonce(asset)) {
        const struct bytes body = bytes_of(asset->bytes, asset->n_bytes);

        answer_add(answer, "cache-control", "no-cache");
        http_answer(http, answer, &body);
        return;
    }
    answer_add(answer, "cache-control", "no-store");
    answer->body = page_write(&page, asset);
    if (answer->body)
        http_answer(http, answer, NULL);
    else
        http_refuse(http, 503, "ERR_STORE_FAILED", "This server is out of memory; try again soon.");
    frame_unref(answer->body);
}

static bool etag_matches(struct bytes if_none_match, const char *etag)
{
    return if_none_match.n_bytes && memmem(if_none_match.at, if_none_match.n_bytes, etag, strlen(etag));
}

static void file_serve(struct http *http, const struct asset *asset, struct rest_response *answer)
{
    const struct request *request = &http->request;
    struct bytes body = bytes_of(asset->bytes, asset->n_bytes);
    bool is_gzip = asset->gzip && accepts_gzip(request_header(request, "accept-encoding"));
    char etag[ETAG_BYTES];

    (void)snprintf(etag, sizeof(etag), "%.*s%s\"", (int)strlen(asset->etag) - 1, asset->etag, is_gzip ? "-gzip" : "");
    answer_add(answer, "etag", etag);
    answer_add(answer, "vary", "accept-encoding");
    answer_add(answer, "cache-control", asset->is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (etag_matches(request_header(request, "if-none-match"), etag))
        answer->status = 304;
    if (is_gzip) {
        body = bytes_of(asset->gzip, asset->n_gzip);
        answer_add(answer, "content-encoding", "gzip");
    }
    http_answer(http, answer, &body);
}

/* For whoever leaves the slash out; relative, so that it holds below any base path. */
static void demos_redirect(struct http *http)
{
    struct rest_response answer = { .status = 308 };

    answer_add(&answer, "location", "demos/");
    http_answer(http, &answer, NULL);
}

bool static_serve(struct http *http)
{
    const struct request *request = &http->request;
    const struct asset *asset = asset_find(http->server, request->path);
    bool is_head = strcmp(request->method, "HEAD") == 0;
    struct rest_response answer = { .status = 200, .omit_body = is_head };

    if (http->server->config.has_demos && bytes_equal(request->path, bytes_of_string("/demos"))) {
        demos_redirect(http);
        return true;
    }
    if (!asset)
        return false;
    if (!is_head && strcmp(request->method, "GET") != 0) {
        http->extra_header = "allow: GET, HEAD\r\n";
        http_refuse(http, 405, "ERR_METHOD_NOT_ALLOWED", "Pages can only be read.");
        return true;
    }
    answer_add(&answer, "content-type", asset->type);
    if (is_page(asset))
        page_serve(http, asset, &answer);
    else
        file_serve(http, asset, &answer);
    return true;
}
