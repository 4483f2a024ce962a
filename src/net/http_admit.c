/* Whether the head of a request is let in: what it may ask, from where, and who asks. */
#include "api/parameter.h"
#include "net/inside.h"

#define SECRET_MAX_BYTES 1024

static const char *const methods[] = { "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS" };
const char http_allow_header[] = "allow: GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS\r\n";

static bool method_is_known(const char *method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i], method) == 0)
            return true;
    }
    return false;
}

static bool method_passes(struct http *http)
{
    if (method_is_known(http->request.method))
        return true;
    http->extra_header = http_allow_header;
    http_refuse_and_close(http, 405, "ERR_METHOD_NOT_ALLOWED", "This server does not know that method.");
    return false;
}

static bool method_writes(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "OPTIONS") != 0;
}

static bool method_needs_body(const char *method)
{
    return strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0;
}

/* Whether it came from where it may come from; if not, it has been answered. */
static bool origin_passes(struct http *http)
{
    const struct request *request = &http->request;
    bool checks_origin = request->wants_websocket || method_writes(request->method);

    switch (origin_check(&http->server->config.origins, request->host, request_header(request, "origin"),
                         http->is_loopback, http->is_tls, checks_origin)) {
    case ORIGIN_FINE: return true;
    case ORIGIN_FOREIGN_HOST:
        http_refuse_and_close(http, 403, "ERR_NOT_ALLOWED",
                              "This address is for this machine only; --allow-origin names others that may use it.");
        return false;
    case ORIGIN_FOREIGN_ORIGIN:
        http_refuse_and_close(http, 403, "ERR_NOT_ALLOWED",
                              "Pages of that origin may not use this server; --allow-origin names those that may.");
        return false;
    }
    return false;
}

/* Who asks. A browser's page can set no header on a WebSocket, so there the token may be a parameter (RFC 6750, 2.3);
 * nowhere else, for addresses are logged and passed on. */
static void http_identify(struct http *http)
{
    const struct request *request = &http->request;
    struct bytes access_token = bytes_of(NULL, 0);
    char secret[SECRET_MAX_BYTES];

    if (request->wants_websocket &&
        parameter_text(request->query, "access_token", secret, sizeof(secret), &access_token))
        access_token = bytes_of(NULL, 0); /* no token is so long, or so written */
    gate_check(http->server->config.gate, request_header(request, "authorization"), access_token, &http->caller);
}

bool http_is_nobodys(const struct http *http)
{
    return http->caller.principal.rights == RIGHT_NONE;
}

void http_recheck(struct http *http)
{
    struct caller *caller = &http->caller;

    if (caller->has_token && !gate_holds(http->server->config.gate, caller))
        caller->principal = principal_nobody;
}

/* Whether a body, if any, can be read; if not, it has been answered. */
static bool framing_passes(struct http *http)
{
    const struct request *request = &http->request;

    if (request->expects_else)
        http_refuse_and_close(http, 417, "ERR_MESSAGE_BADLY_FORMED", "Nothing but 100-continue is understood.");
    else if (request->has_encoding)
        http_refuse_and_close(http, 411, "ERR_LENGTH_REQUIRED",
                              "Send Content-Length; transfer encodings are not read.");
    else if (method_needs_body(request->method) && !request->has_length)
        http_refuse_and_close(http, 411, "ERR_LENGTH_REQUIRED", "Send Content-Length, also for an empty body.");
    else if (request->n_body_bytes > http->server->config.rest->body_max_bytes)
        http_refuse_and_close(http, 413, "ERR_LIMIT_EXCEEDED", "The body is larger than this server takes.");
    else
        return true;
    return false;
}

static bool is_websocket_path(struct bytes path)
{
    return bytes_equal(path, bytes_of_string("/v1/ws")) || bytes_equal(path, bytes_of_string("/"));
}

/* RFC 6455, 4.2.1. Returns whether it may go on; if not, it has been answered. */
static bool upgrade_passes(struct http *http)
{
    const struct request *request = &http->request;
    struct bytes key = request_header(request, "sec-websocket-key");

    if (!is_websocket_path(request->path)) {
        http_refuse_and_close(http, 404, "ERR_NOT_FOUND", "WebSockets are at /v1/ws.");
    } else if (strcmp(request->method, "GET") != 0 || key.n_bytes != 24 || request->n_body_bytes ||
               request->has_encoding) {
        http_refuse_and_close(http, 400, "ERR_MESSAGE_BADLY_FORMED", "This is no WebSocket handshake.");
    } else if (!bytes_equal(request_header(request, "sec-websocket-version"), bytes_of_string("13"))) {
        http->extra_header = "upgrade: websocket\r\nsec-websocket-version: 13\r\n";
        http_refuse_and_close(http, 426, "ERR_MESSAGE_BADLY_FORMED", "Only version 13 of the WebSocket protocol.");
    } else if (http->server->is_draining) {
        http_refuse_and_close(http, 503, "ERR_DRAINING", "This server is going away; try again soon.");
    } else if (http_is_nobodys(http)) {
        http_refuse_nobody(http);
    } else {
        return true;
    }
    return false;
}

/* OPTIONS * asks about the server as a whole. RFC 9110, 9.3.7. */
static bool is_about_all(const struct http *http)
{
    return bytes_equal(http->request.path, bytes_of("*", 1));
}

static void answer_about_all(struct http *http)
{
    const struct rest_response answer = { .status = 204 };

    http->extra_header = http_allow_header;
    http->keeps_alive = false;
    http_answer(http, &answer, NULL);
}

static bool websocket_is_asked_for(struct http *http)
{
    if (!bytes_equal(http->request.path, bytes_of_string("/v1/ws")))
        return true;
    http->extra_header = "upgrade: websocket\r\n";
    http_refuse_and_close(http, 426, "ERR_MESSAGE_BADLY_FORMED", "At this address there is nothing but a WebSocket.");
    return false;
}

bool http_admit(struct http *http)
{
    if (!method_passes(http) || !origin_passes(http))
        return false;
    if (is_about_all(http)) {
        answer_about_all(http);
        return false;
    }
    if (!http_enter_base(http))
        return false;
    http_identify(http);
    if (http->request.wants_websocket)
        return upgrade_passes(http);
    return framing_passes(http) && websocket_is_asked_for(http);
}
