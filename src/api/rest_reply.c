#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "api/gzip.h"
#include "api/percent.h"
#include "api/rest_inside.h"
#include "base/helper.h"

void reply_init(struct rest_reply *reply, int status)
{
    reply->response = (struct rest_response){ .status = status };
    reply->n_text = 0;
}

static void add(struct rest_reply *reply, const char *name, struct bytes value)
{
    struct rest_response *response = &reply->response;

    if (response->n_headers < REST_HEADERS_MAX)
        response->headers[response->n_headers++] = (struct rest_header){ name, value };
}

void reply_header(struct rest_reply *reply, const char *name, const char *format, ...)
{
    size_t room = sizeof(reply->text) - reply->n_text;
    char *at = reply->text + reply->n_text;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(at, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room)
        return;
    reply->n_text += (size_t)n + 1;
    add(reply, name, bytes_of(at, (size_t)n));
}

/* Several in one value, where formatting would take most of the time of an answer. */
static void add_text(struct rest_reply *reply, const char *name, const struct bytes *parts, size_t n_parts)
{
    char *from = reply->text + reply->n_text, *at = from;

    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n_bytes > (size_t)(reply->text + sizeof(reply->text) - at))
            return;
        memcpy(at, parts[i].at, parts[i].n_bytes);
        at += parts[i].n_bytes;
    }
    reply->n_text += (size_t)(at - from);
    add(reply, name, bytes_of(from, (size_t)(at - from)));
}

void reply_header_constant(struct rest_reply *reply, const char *name, const char *value)
{
    add(reply, name, bytes_of_string(value));
}

void reply_body(struct rest_reply *reply, const char *content_type, const struct buffer *body)
{
    struct frame *frame = frame_of_buffer(body);

    if (!frame) {
        reply_trouble(reply, body->error ? body->error : -ENOMEM, NULL);
        return;
    }
    reply->response.body = frame;
    reply_header_constant(reply, "content-type", content_type);
}

bool reply_gzip(struct rest_reply *reply)
{
    struct frame *body = reply->response.body, *compressed = gzip_frame(bytes_of(body->content, body->n_bytes));

    if (!compressed)
        return false;
    frame_unref(body);
    reply->response.body = compressed;
    reply_header_constant(reply, "content-encoding", "gzip");
    return true;
}

void reply_compress(struct rest_reply *reply, struct bytes accept_encoding)
{
    const struct rest_response *response = &reply->response;
    const struct frame *body = response->body;

    if (response->status != 200 || !body || body->n_bytes < GZIP_WORTH_BYTES || body->n_bytes > HELPER_WORTH_BYTES ||
        rest_header_value(response->headers, response->n_headers, "vary").at ||
        rest_header_value(response->headers, response->n_headers, "etag").at)
        return;
    reply_header_constant(reply, "vary", "Accept-Encoding");
    if (accepts_gzip(accept_encoding))
        (void)reply_gzip(reply);
}

void reply_etag_text(struct rest_reply *reply, const char *etag)
{
    const struct bytes quote = bytes_of("\"", 1), parts[] = { quote, bytes_of_string(etag), quote };

    add_text(reply, "etag", parts, 3);
}

void reply_etag(struct rest_reply *reply, uint64_t version, uint64_t time_ms, const char *suffix)
{
    char etag[ETAG_BYTES];

    etag_write(version, time_ms, suffix, etag);
    reply_etag_text(reply, etag);
}

void reply_version(struct rest_reply *reply, uint64_t version)
{
    char number[NUMBER_BYTES];
    const struct bytes digits = number_write(version, 10, number);

    add_text(reply, "pilcrow-version", &digits, 1);
}

void reply_caching(struct rest_reply *reply, const struct principal *principal, bool is_immutable)
{
    reply_header_constant(reply, "cache-control",
                          !is_immutable           ? "no-cache"
                          : principal->is_account ? "private, max-age=31536000, immutable"
                                                  : "public, max-age=31536000, immutable");
}

void write_base(struct buffer *into, const struct rest_call *call)
{
    if (call->context->base_path)
        (void)buffer_append_string(into, call->context->base_path);
}

/* What clients take for a step, percent-encoded too, before they send it. RFC 3986, 5.2.4. */
static bool is_step(struct bytes name)
{
    return bytes_equal(name, bytes_of_string(".")) || bytes_equal(name, bytes_of_string(".."));
}

static char write_parameter(struct buffer *into, char mark, const char *key, struct bytes name)
{
    if (!is_step(name))
        return mark;
    (void)buffer_printf(into, "%c%s=", mark, key);
    percent_encode(name, into);
    return '&';
}

char write_collection_address(struct buffer *into, const struct rest_call *call, struct bytes collection)
{
    write_base(into, call);
    (void)buffer_append_string(into, "/v1/docs/");
    percent_encode(is_step(collection) ? bytes_of(NULL, 0) : collection, into);
    return write_parameter(into, '?', "collection", collection);
}

char write_address(struct buffer *into, const struct rest_call *call, const char *resource)
{
    struct bytes collection = call->name.collection, id = call->name.id;
    char mark;

    write_base(into, call);
    (void)buffer_append_string(into, "/v1/docs/");
    percent_encode(is_step(collection) ? bytes_of(NULL, 0) : collection, into);
    (void)buffer_append_string(into, "/");
    percent_encode(is_step(id) ? bytes_of(NULL, 0) : id, into);
    (void)buffer_append_string(into, resource);
    mark = write_parameter(into, '?', "collection", collection);
    return write_parameter(into, mark, "id", id);
}

void write_member(struct buffer *into, const char *before, struct bytes text)
{
    int r;

    (void)buffer_append_string(into, before);
    r = ot_json_write_string(text.at, text.n_bytes, buffer_write, into);
    (void)r; /* stays in the buffer */
}
