#include "net/response.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define HEAD_MAX_BYTES  (RESPONSE_HOLD_BYTES + 32 * 1024)
#define SIZE_LINE_BYTES 8 /* room for "10000\r\n", and its terminator */
#define CHUNK_MAX_BYTES (SIZE_LINE_BYTES + RESPONSE_PIECE_BYTES + 2)

static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 304, "Not Modified" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

/* What every answer says unless it says otherwise: it is what it says it is, it belongs into no frame and into no other
 * site's page, and nothing in it runs. */
static const struct rest_header precautions[] = {
    { "x-content-type-options", { "nosniff", 7 } },
    { "referrer-policy", { "no-referrer", 11 } },
    { "cross-origin-resource-policy", { "same-origin", 11 } },
    { "content-security-policy", { "default-src 'none'; frame-ancestors 'none'", 42 } },
};

void response_init(struct response *response, unsigned stays_seconds)
{
    buffer_init(&response->head, HEAD_MAX_BYTES);
    response->frame = NULL;
    response->body = bytes_of(NULL, 0);
    response->n_sent = 0;
    response->stream = NULL;
    buffer_init(&response->chunk, CHUNK_MAX_BYTES);
    response->stays_seconds = stays_seconds;
}

void response_finish(struct response *response)
{
    buffer_finish(&response->head);
    frame_unref(response->frame);
    rest_stream_close(response->stream);
    buffer_finish(&response->chunk);
    response_init(response, response->stays_seconds);
}

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Other";
}

static bool answer_says(const struct rest_response *answer, const char *name)
{
    return rest_header_value(answer->headers, answer->n_headers, name).at;
}

/* Never a second line out of one value, whoever put it together. */
static size_t value_length(struct bytes value)
{
    const char *at = value.at;
    size_t n = 0;

    while (n < value.n_bytes && at[n] != '\r' && at[n] != '\n' && at[n] != '\0')
        n++;
    return n;
}

static void header_append(struct buffer *head, const struct rest_header *header)
{
    size_t n_name = strlen(header->name), n_value = value_length(header->value);
    size_t n = n_name + 2 + n_value + 2;
    char *at = buffer_room(head, n);

    if (!at)
        return;
    memcpy(at, header->name, n_name);
    memcpy(at + n_name, ": ", 2);
    if (n_value)
        memcpy(at + n_name + 2, header->value.at, n_value);
    memcpy(at + n - 2, "\r\n", 2);
    buffer_grew(head, n);
}

/* Written once a second. */
static void date_append(struct buffer *head)
{
    static struct {
        time_t second;
        size_t n_bytes;
        char text[48];
    } line;
    time_t now = time(NULL);
    struct tm parts;

    if (now != line.second || !line.n_bytes) {
        line.n_bytes =
            strftime(line.text, sizeof(line.text), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&now, &parts));
        line.second = now;
    }
    (void)buffer_append(head, line.text, line.n_bytes);
}

static void status_append(struct buffer *head, int status)
{
    (void)buffer_append_string(head, "HTTP/1.1 ");
    (void)buffer_append_u64(head, (uint64_t)status);
    (void)buffer_append_string(head, " ");
    (void)buffer_append_string(head, reason_of(status));
    (void)buffer_append_string(head, "\r\n");
}

static void length_append(struct buffer *head, size_t n_bytes)
{
    (void)buffer_append_string(head, "content-length: ");
    (void)buffer_append_u64(head, n_bytes);
    (void)buffer_append_string(head, "\r\n");
}

static void stays_append(struct buffer *head, unsigned seconds)
{
    (void)buffer_append_string(head, "keep-alive: timeout=");
    (void)buffer_append_u64(head, seconds);
    (void)buffer_append_string(head, "\r\n");
}

static void stream_end(struct response *response)
{
    rest_stream_close(response->stream);
    response->stream = NULL;
}

int response_begin(struct response *response, const struct rest_response *answer, const struct bytes *body,
                   enum response_connection connection, const char *extra_header, struct bytes request_id)
{
    struct buffer *head = &response->head;
    bool has_content = answer->status != 204 && answer->status != 304;

    response->stream = answer->stream;
    if (answer->body)
        response->frame = frame_ref(answer->body);
    if (body)
        response->body = *body;
    else if (answer->body)
        response->body = bytes_of(answer->body->content, answer->body->n_bytes);

    status_append(head, answer->status);
    date_append(head);
    header_append(head, &(struct rest_header){ "pilcrow-request-id", request_id });
    for (size_t i = 0; i < answer->n_headers; i++)
        header_append(head, &answer->headers[i]);
    for (size_t i = 0; i < sizeof(precautions) / sizeof(precautions[0]); i++) {
        if (!answer_says(answer, precautions[i].name))
            header_append(head, &precautions[i]);
    }
    if (extra_header)
        (void)buffer_append_string(head, extra_header);
    response->is_chunked = connection != RESPONSE_UNFRAMED;
    if (answer->stream && response->is_chunked)
        (void)buffer_append_string(head, "transfer-encoding: chunked\r\n");
    else if (!answer->stream && has_content && (response->body.at || !answer->omit_body))
        length_append(head, response->body.n_bytes);
    if (connection != RESPONSE_STAYS)
        (void)buffer_append_string(head, "connection: close\r\n");
    else if (response->stays_seconds)
        stays_append(head, response->stays_seconds);
    if (!has_content || answer->omit_body) {
        response->body = bytes_of(NULL, 0);
        stream_end(response);
    }
    return buffer_append(head, "\r\n", 2);
}

int response_hold(struct response *response)
{
    int r;

    if (response->stream || response->head.n_bytes + response->body.n_bytes > RESPONSE_HOLD_BYTES)
        return -E2BIG;
    r = buffer_append(&response->head, response->body.at, response->body.n_bytes);
    response->body = bytes_of(NULL, 0);
    frame_unref(response->frame);
    response->frame = NULL;
    return r;
}

int response_say(struct response *response, struct bytes bytes)
{
    return buffer_append(&response->head, bytes.at, bytes.n_bytes);
}

int response_rest(const struct response *response, struct iovec pieces[2])
{
    size_t n_head = response->head.n_bytes, n_sent = response->n_sent;
    size_t n_head_sent = n_sent < n_head ? n_sent : n_head, n_body_sent = n_sent - n_head_sent;
    int n = 0;

    if (n_head_sent < n_head)
        pieces[n++] = (struct iovec){ response->head.at + n_head_sent, n_head - n_head_sent };
    if (n_body_sent < response->body.n_bytes) {
        union {
            const char *read;
            char *write;
        } body = { (const char *)response->body.at + n_body_sent };

        pieces[n++] = (struct iovec){ body.write, response->body.n_bytes - n_body_sent };
    }
    return n;
}

/* Room for the size is left in front of the piece, as the piece is there first. */
static struct bytes chunk_close(char *at, size_t n_piece)
{
    char size[SIZE_LINE_BYTES];
    size_t n_size = (size_t)snprintf(size, sizeof(size), "%zx\r\n", n_piece);
    char *begin = at + SIZE_LINE_BYTES - n_size;

    memcpy(begin, size, n_size);
    memcpy(at + SIZE_LINE_BYTES + n_piece, "\r\n", 2);
    return bytes_of(begin, n_size + n_piece + 2);
}

int response_refill(struct response *response)
{
    char *at = buffer_room(&response->chunk, CHUNK_MAX_BYTES);
    ssize_t n = at ? rest_stream_read(response->stream, at + SIZE_LINE_BYTES, RESPONSE_PIECE_BYTES) : -ENOMEM;

    if (n < 0) {
        buffer_finish(&response->chunk); /* who waits for news, waits with nothing in hand */
        return (int)n;
    }
    buffer_finish(&response->head);
    response->n_sent = 0;
    if (n && response->is_chunked)
        response->body = chunk_close(at, (size_t)n);
    else if (n)
        response->body = bytes_of(at + SIZE_LINE_BYTES, (size_t)n);
    else
        response->body = bytes_of_string(response->is_chunked ? "0\r\n\r\n" : "");
    if (!n)
        stream_end(response);
    return 0;
}
