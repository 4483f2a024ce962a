/* Problems, RFC 9457. `code` is what programs look at; `detail` is for people: no path, no stack, no content. */
#include <errno.h>
#include <stdio.h>

#include "api/refusal.h"
#include "api/rest_inside.h"

#define PROBLEM_MAX_BYTES 4096
#define PROBLEM_END       "}\n"

static const struct title {
    int status;
    const char *text;
} titles[] = {
    { 400, "Bad request" },
    { 401, "Not signed in" },
    { 403, "Not allowed" },
    { 404, "Not found" },
    { 405, "Method not allowed" },
    { 406, "Not acceptable" },
    { 408, "Took too long" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length required" },
    { 412, "Precondition failed" },
    { 413, "Too large" },
    { 414, "Address too long" },
    { 415, "Media type not supported" },
    { 416, "Range not satisfiable" },
    { 417, "Expectation failed" },
    { 422, "Does not apply" },
    { 426, "Upgrade required" },
    { 428, "Precondition required" },
    { 431, "Header fields too large" },
    { 500, "Internal error" },
    { 501, "Not implemented" },
    { 503, "Unavailable" },
    { 505, "HTTP version not supported" },
    { 507, "Store full" },
};

static const char *title_of(int status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status)
            return titles[i].text;
    }
    return "Error";
}

void reply_problem(struct rest_reply *reply, int status, const char *code, const char *detail)
{
    struct buffer body;

    reply_init(reply, status);
    buffer_init(&body, PROBLEM_MAX_BYTES);
    (void)buffer_printf(&body, "{\"type\":\"about:blank\",\"status\":%d", status);
    write_member(&body, ",\"title\":", bytes_of_string(title_of(status)));
    write_member(&body, ",\"code\":", bytes_of_string(code));
    if (detail && *detail)
        write_member(&body, ",\"detail\":", bytes_of_string(detail));
    (void)buffer_append_string(&body, PROBLEM_END);
    reply->response.body = frame_of_buffer(&body); /* without memory the status says it */
    reply->response.is_problem = reply->response.body;
    buffer_finish(&body);
    reply_header(reply, "content-type", MEDIA_PROBLEM);
    reply_header(reply, "cache-control", "no-store");
    if (status == 503)
        reply_header(reply, "retry-after", "1");
}

void reply_nobody(struct rest_reply *reply, bool has_token)
{
    reply_problem(reply, 401, "ERR_NOT_ALLOWED",
                  has_token ? "This token is not valid here." : "This server wants to know who you are: send a token.");
    reply_header(reply, "www-authenticate", "Bearer realm=\"pilcrow\"%s", has_token ? ", error=\"invalid_token\"" : "");
}

void reply_not_allowed(struct rest_reply *reply, enum right needs)
{
    char detail[64];

    (void)snprintf(detail, sizeof(detail), "This wants the right '%s', which you do not have.", right_name(needs));
    reply_problem(reply, 403, "ERR_NOT_ALLOWED", detail);
    reply_header(reply, "www-authenticate", "Bearer realm=\"pilcrow\", error=\"insufficient_scope\", scope=\"%s\"",
                 right_name(needs));
}

static const int statuses[] = {
    [DOCUMENT_VERSION_AHEAD] = 409, [DOCUMENT_EXISTS] = 409,       [DOCUMENT_MISSING] = 404,
    [DOCUMENT_WAS_DELETED] = 409,   [DOCUMENT_TYPE_UNKNOWN] = 415, [DOCUMENT_BAD_OP] = 400,
    [DOCUMENT_NOT_APPLIED] = 422,   [DOCUMENT_OP_CONFLICT] = 409,  [DOCUMENT_LIMIT] = 413,
    [DOCUMENT_SEQ_TOO_OLD] = 409,   [DOCUMENT_OPS_GONE] = 410,     [DOCUMENT_CHANGED] = 412,
    [DOCUMENT_ID_REUSED] = 422,
};

static const struct trouble {
    int r, status;
    const char *code, *detail;
} troubles[] = {
    { -ENOSPC, 507, "ERR_STORE_FULL", "The store is full. Nothing was written." },
    { -E2BIG, 413, "ERR_LIMIT_EXCEEDED", "The answer would exceed a limit of this server." },
    { -EBADMSG, 500, "ERR_STORE_DAMAGED", "What the store holds of this document is damaged." },
    { -ESHUTDOWN, 503, "ERR_DRAINING", "The server is stopping. Try again." },
    { -ENOTSUP, 501, "ERR_NOT_SUPPORTED", "This store has tools of its own for that." },
    { -EROFS, 503, "ERR_STORE_FAILED", "The store was opened for reading only." },
    { -ENOMEM, 503, "ERR_STORE_FAILED", "The server is out of memory. Try again." },
    { 0, 503, "ERR_STORE_FAILED", "The store failed. Try again." },
};

void reply_trouble(struct rest_reply *reply, int r, const char *detail)
{
    const struct trouble *trouble = troubles;

    if (r > 0) {
        const struct refusal *refusal = refusal_of_document(r);

        reply_problem(reply, statuses[r], refusal->code, detail && *detail ? detail : refusal->message);
        return;
    }
    while (trouble->r && trouble->r != r)
        trouble++;
    reply_problem(reply, trouble->status, trouble->code, trouble->detail);
}

struct frame *rest_problem_name(const struct frame *problem, struct bytes request_id)
{
    size_t n_end = strlen(PROBLEM_END);
    struct frame *named;
    struct buffer body;

    buffer_init(&body, problem->n_bytes + PROBLEM_MAX_BYTES);
    (void)buffer_append(&body, problem->content, problem->n_bytes - n_end);
    write_member(&body, ",\"request\":", request_id);
    (void)buffer_append_string(&body, PROBLEM_END);
    named = frame_of_buffer(&body);
    buffer_finish(&body);
    return named;
}

void rest_refuse_nobody(bool has_token, rest_respond_fn *respond, void *arg)
{
    struct rest_reply reply;

    reply_nobody(&reply, has_token);
    respond(arg, &reply.response);
    frame_unref(reply.response.body);
}

void rest_problem(int status, const char *code, const char *detail, rest_respond_fn *respond, void *arg)
{
    struct rest_reply reply;

    reply_problem(&reply, status, code, detail);
    respond(arg, &reply.response);
    frame_unref(reply.response.body);
}
