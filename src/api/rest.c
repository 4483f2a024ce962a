#include "api/rest.h"

#include "api/percent.h"
#include "api/rest_inside.h"

/* One row a method of a resource. HEAD is GET; OPTIONS and 405 say which rows there are. */
/* clang-format off */
static const struct route {
    const char *method, *path; /* "*" stands for a name: first a collection, then an id */
    enum right needs;
    const struct rest_action *action;
} routes[] = {
    { "GET",     "/healthz",             RIGHT_NONE,   &rest_healthz },
    { "GET",     "/readyz",              RIGHT_NONE,   &rest_readyz },
    { "GET",     "/openapi.json",        RIGHT_NONE,   &rest_openapi },
    { "GET",     "/metrics",             RIGHT_READ,   &rest_metrics },
    { "GET",     "/v1/me",               RIGHT_READ,   &rest_me },
    { "GET",     "/v1/docs",             RIGHT_READ,   &rest_collections },
    { "GET",     "/v1/docs/*",           RIGHT_READ,   &rest_listing },
    { "POST",    "/v1/docs/*",           RIGHT_WRITE,  &rest_create },
    { "GET",     "/v1/docs/*/*",         RIGHT_READ,   &rest_read },
    { "PUT",     "/v1/docs/*/*",         RIGHT_WRITE,  &rest_put },
    { "PATCH",   "/v1/docs/*/*",         RIGHT_WRITE,  &rest_patch },
    { "DELETE",  "/v1/docs/*/*",         RIGHT_WRITE,  &rest_delete },
    { "GET",     "/v1/docs/*/*/ops",     RIGHT_READ,   &rest_ops },
    { "POST",    "/v1/docs/*/*/ops",     RIGHT_WRITE,  &rest_submit },
    { "GET",     "/v1/docs/*/*/stream",  RIGHT_READ,   &rest_stream },
    { "GET",     "/v1/store",            RIGHT_ADMIN,  &rest_sizes },
    { "POST",    "/v1/compact",          RIGHT_ADMIN,  &rest_compact },
    { "GET",     "/v1/backup",           RIGHT_ADMIN,  &rest_backup },
    { "GET",     "/v1/docs/*/*/history", RIGHT_READ,   &rest_history },
    { "GET",     "/v1/docs/*/*/diff",    RIGHT_READ,   &rest_diff },
    { "POST",    "/v1/docs/*/*/restore", RIGHT_WRITE,  &rest_restore },
    { "GET",     "/v1/logs",             RIGHT_ADMIN,  &rest_logs },
};
/* clang-format on */

const char *const rest_method_names[REST_METHODS] = { "GET",  "HEAD",   "PUT",     "PATCH",
                                                      "POST", "DELETE", "OPTIONS", "OTHER" };

#define N_ROUTES        (sizeof(routes) / sizeof(routes[0]))
#define SEGMENTS_MAX    5
#define ALLOW_MAX_BYTES 256

/* ---- addresses ---------------------------------------------------------------------------------------------------
 *
 *     /v1/docs/notes/a%2Fb/ops      names are decoded after the path has been split
 *     /v1/docs/notes?id=..          a name that programs on the way would change: as a parameter,
 *     /v1/docs/notes//ops?id=..     its segment left empty or, at the end, left out
 */
enum { SEGMENT_COLLECTION = 2, SEGMENT_ID = 3 };

struct segment {
    struct bytes text;
    bool is_parameter;
};

struct address {
    struct segment segments[SEGMENTS_MAX];
    size_t n;
};

static bool is_literal(struct bytes text, const char *literal, size_t n_bytes)
{
    return bytes_equal(text, bytes_of(literal, n_bytes));
}

/* False: more segments than any address of ours has. */
static bool split(struct bytes path, struct address *out)
{
    const char *at = path.at, *end = at + path.n_bytes;

    out->n = 0;
    if (at == end || *at != '/')
        return false;
    while (at < end) {
        const char *start = at + 1, *stop = memchr(start, '/', (size_t)(end - start));

        if (out->n == SEGMENTS_MAX)
            return false;
        at = stop ? stop : end;
        out->segments[out->n++] = (struct segment){ .text = bytes_of(start, (size_t)(at - start)) };
    }
    return true;
}

static void take_parameter(struct address *address, size_t i, struct bytes value)
{
    if (!value.at || address->n < i || (address->n > i && address->segments[i].text.n_bytes))
        return;
    address->segments[i] = (struct segment){ value, true };
    if (address->n == i)
        address->n++;
}

static bool address_read(const struct rest_request *request, struct address *out)
{
    if (!split(request->path, out))
        return false;
    if (out->n > 1 && is_literal(out->segments[0].text, "v1", 2) && is_literal(out->segments[1].text, "docs", 4)) {
        if (out->n > SEGMENT_COLLECTION)
            take_parameter(out, SEGMENT_COLLECTION, parameter_raw(request->query, "collection"));
        take_parameter(out, SEGMENT_ID, parameter_raw(request->query, "id"));
    }
    if (out->n > 1 && !out->segments[out->n - 1].text.n_bytes && !out->segments[out->n - 1].is_parameter)
        out->n--; /* a slash at the end */
    return true;
}

/* Most rows differ at the first letter. */
static bool segment_matches(struct bytes text, const char **pattern)
{
    const char *at = text.at, *end = at + text.n_bytes;
    bool is_any = **pattern == '*';

    for (; !is_any && at < end && *at == **pattern; at++)
        (*pattern)++;
    if (is_any)
        (*pattern)++;
    return (is_any || at == end) && (**pattern == '/' || **pattern == '\0');
}

static bool matches(const struct address *address, const char *pattern)
{
    size_t i = 0;

    for (; *pattern; i++) {
        pattern++;
        if (i == address->n || !segment_matches(address->segments[i].text, &pattern))
            return false;
    }
    return i == address->n;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool name_read(const struct segment *segment, char into[NAME_MAX_BYTES], struct bytes *out)
{
    size_t n_bytes;
    int r = segment->is_parameter ? percent_decode_query(segment->text, into, NAME_MAX_BYTES, &n_bytes)
                                  : percent_decode(segment->text, into, NAME_MAX_BYTES, &n_bytes);

    if (r)
        return false;
    *out = bytes_of(into, n_bytes);
    return name_is_allowed(*out, NAME_MAX_BYTES);
}

struct names {
    char collection[NAME_MAX_BYTES], id[NAME_MAX_BYTES];
    struct store_name name;
};

/* What is wrong; NULL: nothing. */
static const char *names_read(const struct address *address, struct names *out)
{
    out->name = (struct store_name){ { "", 0 }, { "", 0 } };
    if (address->n > SEGMENT_COLLECTION &&
        !name_read(&address->segments[SEGMENT_COLLECTION], out->collection, &out->name.collection))
        return "Invalid collection";
    if (address->n > SEGMENT_ID && !name_read(&address->segments[SEGMENT_ID], out->id, &out->name.id))
        return "Invalid id";
    return NULL;
}

/* ---- dispatching ------------------------------------------------------------------------------------------------- */

void client_reply(const struct rest_client *client, struct rest_reply *reply)
{
    if (reply->response.status >= 400)
        client->context->n_problems++;
    reply->response.omit_body = strcmp(client->request->method, "HEAD") == 0;
    client->respond(client->arg, &reply->response);
    frame_unref(reply->response.body);
}

static void refuse(const struct rest_client *to, int status, const char *code, const char *detail)
{
    struct rest_reply reply;

    reply_problem(&reply, status, code, detail);
    client_reply(to, &reply);
}

/* To a method that the resource does not have, OPTIONS among them. */
static void answer_methods(const struct rest_client *to, const struct address *address)
{
    struct rest_reply reply;
    struct buffer allow;
    bool can_patch = false;

    buffer_init(&allow, ALLOW_MAX_BYTES);
    (void)buffer_append_string(&allow, "OPTIONS");
    for (size_t i = 0; i < N_ROUTES; i++) {
        if (!matches(address, routes[i].path))
            continue;
        (void)buffer_printf(&allow, ", %s%s", routes[i].method, strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
        can_patch = can_patch || routes[i].action == &rest_patch;
    }
    if (strcmp(to->request->method, "OPTIONS") == 0)
        reply_init(&reply, 204);
    else
        reply_problem(&reply, 405, "ERR_METHOD_NOT_ALLOWED", "This resource does not have that method.");
    reply_header(&reply, "allow", "%.*s", (int)allow.n_bytes, allow.at);
    if (can_patch)
        reply_header(&reply, "accept-patch", ACCEPT_PATCH);
    client_reply(to, &reply);
    buffer_finish(&allow);
}

/* A body that would be taken for something else is not taken. RFC 9110, 8.4 and 14.5. */
static bool body_is_whole(const struct rest_client *to)
{
    const struct rest_request *request = to->request;
    struct bytes coding = rest_header_value(request->headers, request->n_headers, "content-encoding");

    if (request->has_body && coding.n_bytes && !bytes_equal(coding, bytes_of_string("identity"))) {
        refuse(to, 415, "ERR_MEDIA_TYPE_NOT_SUPPORTED", "Send the body as it is; content codings are not read.");
        return false;
    }
    if (request->has_body && rest_header_value(request->headers, request->n_headers, "content-range").at) {
        refuse(to, 400, "ERR_MESSAGE_BADLY_FORMED", "Send the whole body; parts are not put together.");
        return false;
    }
    return true;
}

static void begin(const struct rest_client *to, const struct rest_action *action, const struct address *address)
{
    struct rest_call *call;
    struct names names;
    const char *wrong = names_read(address, &names);

    if (wrong) {
        refuse(to, 400, "ERR_MESSAGE_BADLY_FORMED", wrong);
        return;
    }
    if (!body_is_whole(to))
        return;
    if (action->at_once && action->at_once(to, names.name))
        return;
    call = call_create(to->context, action, to->request, names.name);
    if (!call) {
        refuse(to, 503, "ERR_STORE_FAILED", "The server is out of memory. Try again.");
        return;
    }
    call->respond = to->respond;
    call->arg = to->arg;
    call->is_head = strcmp(to->request->method, "HEAD") == 0;
    action->begin(call, to->request->body);
}

/* Whether he may; if not, he has been answered. What else is wrong with a request is nobody's business. */
static bool may(const struct rest_client *to, enum right needs)
{
    const struct principal *principal = &to->request->principal;
    struct rest_reply reply;

    if (principal_may(principal, needs))
        return true;
    if (principal->rights == RIGHT_NONE)
        reply_nobody(&reply, to->request->has_token);
    else
        reply_not_allowed(&reply, needs);
    client_reply(to, &reply);
    return false;
}

static bool is_api(const struct address *address)
{
    return address->n && is_literal(address->segments[0].text, "v1", 2);
}

/* No row says what is needed here. */
static void answer_unrouted(const struct rest_client *to, const struct address *address, bool is_known)
{
    bool is_open = !is_api(address) || strcmp(to->request->method, "OPTIONS") == 0;

    if (!may(to, is_open ? RIGHT_NONE : RIGHT_READ))
        return;
    if (is_known)
        answer_methods(to, address);
    else
        refuse(to, 404, "ERR_NOT_FOUND", "There is nothing at this address.");
}

void rest_handle(struct rest_context *context, const struct rest_request *request, rest_respond_fn *respond, void *arg)
{
    const struct rest_client to = { context, request, respond, arg };
    const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    const struct route *route = NULL;
    struct address address;
    bool is_known = false;

    if (!address_read(request, &address)) {
        answer_unrouted(&to, &address, false);
        return;
    }
    for (size_t i = 0; i < N_ROUTES && !route; i++) {
        if (!matches(&address, routes[i].path))
            continue;
        is_known = true;
        if (strcmp(routes[i].method, method) == 0)
            route = &routes[i];
    }
    if (!route)
        answer_unrouted(&to, &address, is_known);
    else if (may(&to, route->needs))
        begin(&to, route->action, &address);
}
