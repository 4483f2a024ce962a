#include <stdlib.h>

#include "api/rest_inside.h"

/* ---- the copy ---------------------------------------------------------------------------------------------------- */

static size_t copy_size(const struct rest_request *request)
{
    size_t n = strlen(request->method) + 1 + request->path.n_bytes + request->query.n_bytes +
               request->n_headers * sizeof(struct rest_header);

    for (size_t i = 0; i < request->n_headers; i++)
        n += strlen(request->headers[i].name) + 1 + request->headers[i].value.n_bytes;
    return n;
}

static struct bytes put(char **at, struct bytes from)
{
    struct bytes copy = { *at, from.n_bytes };

    if (from.n_bytes)
        memcpy(*at, from.at, from.n_bytes);
    *at += from.n_bytes;
    return copy;
}

static const char *put_string(char **at, const char *from)
{
    return put(at, bytes_of(from, strlen(from) + 1)).at;
}

/* The headers stand at the start of the copy, for their alignment. */
static void copy_request(char *copy, const struct rest_request *from, struct rest_request *out)
{
    struct rest_header *headers = (struct rest_header *)(void *)copy;
    char *at = copy + from->n_headers * sizeof(*headers);

    *out = (struct rest_request){ .n_headers = from->n_headers,
                                  .headers = headers,
                                  .body_in = from->body_in,
                                  .has_body = from->has_body,
                                  .principal = from->principal,
                                  .has_token = from->has_token,
                                  .wait = from->wait };
    out->method = put_string(&at, from->method);
    out->path = put(&at, from->path);
    out->query = put(&at, from->query);
    for (size_t i = 0; i < from->n_headers; i++) {
        headers[i].name = put_string(&at, from->headers[i].name);
        headers[i].value = put(&at, from->headers[i].value);
    }
}

static struct bytes put_name(char *into, struct bytes from)
{
    return put(&into, from);
}

struct rest_call *call_create(struct rest_context *context, const struct rest_action *action,
                              const struct rest_request *request, struct store_name name)
{
    struct rest_call *call = calloc(1, action->n_bytes);
    char *copy = malloc(copy_size(request));

    if (!call || !copy) {
        free(call);
        free(copy);
        return NULL;
    }
    call->context = context;
    call->action = action;
    call->copy = copy;
    copy_request(copy, request, &call->request);
    call->name.collection = put_name(call->collection, name.collection);
    call->name.id = put_name(call->id, name.id);
    return call;
}

struct bytes call_header(const struct rest_request *request, const char *name)
{
    return rest_header_value(request->headers, request->n_headers, name);
}

int call_keep_body(struct rest_call *call, struct bytes body, struct buffer *into)
{
    struct buffer *from = call->request.body_in;

    if (from) {
        *into = *from;
        buffer_init(from, from->max_bytes);
        return 0;
    }
    buffer_init(into, body.n_bytes);
    return buffer_append(into, body.at, body.n_bytes);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

void call_reply(struct rest_call *call, struct rest_reply *reply)
{
    struct rest_response *response = &reply->response;

    reply_compress(reply, call_header(&call->request, "accept-encoding"));
    response->omit_body = call->is_head;
    if (response->status >= 400)
        call->context->n_problems++;
    if (call->is_wait_preferred)
        reply_header(reply, "preference-applied", "wait=%u", call->wait_seconds);
    call->respond(call->arg, response);
    frame_unref(response->body);
    if (call->action->finish)
        call->action->finish(call);
    document_unref(call->document);
    free(call->waiting);
    free(call->copy);
    free(call);
}

void call_refuse(struct rest_call *call, int status, const char *code, const char *detail)
{
    struct rest_reply reply;

    reply_problem(&reply, status, code, detail);
    call_reply(call, &reply);
}

void call_fail(struct rest_call *call, int r)
{
    struct rest_reply reply;

    reply_trouble(&reply, r, NULL);
    call_reply(call, &reply);
}

void call_fail_version(struct rest_call *call, int r)
{
    if (r == DOCUMENT_VERSION_AHEAD && document_head(call->document))
        call_refuse(call, 404, "ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT",
                    "The document has not come to that version.");
    else
        call_fail(call, r == DOCUMENT_VERSION_AHEAD ? DOCUMENT_MISSING : r);
}

/* ---- what many begin with ---------------------------------------------------------------------------------------- */

bool call_open(struct rest_call *call)
{
    int r = hub_document(call->context->hub, call->name, &call->document);

    if (r)
        call_fail(call, r);
    return !r;
}

bool call_may_write(struct rest_call *call)
{
    if (!call->context->is_draining)
        return true;
    call_refuse(call, 503, "ERR_DRAINING", "The server is stopping. Try again.");
    return false;
}

bool call_may_take(struct rest_call *call, struct bytes body)
{
    if (!call->request.has_body)
        call_refuse(call, 411, "ERR_LENGTH_REQUIRED", "This needs a body. An empty one says Content-Length: 0.");
    else if (body.n_bytes > call->context->body_max_bytes)
        call_refuse(call, 413, "ERR_LIMIT_EXCEEDED", "The body is larger than this server takes.");
    else
        return true;
    return false;
}
