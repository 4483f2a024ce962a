#include "tests/bench/http_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LINE_MAX_BYTES 4096

/* The value of a header line, if it is of that name. */
static const char *header_value(const char *line, const char *name)
{
    size_t n = strlen(name);

    if (strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    return line + n + 1 + strspn(line + n + 1, " ");
}

static void read_header(struct http_reader *reader, const char *line)
{
    const char *value;

    if ((value = header_value(line, "content-length"))) {
        reader->has_length = true;
        reader->n_left = strtoull(value, NULL, 10);
    } else if ((value = header_value(line, "transfer-encoding"))) {
        reader->is_chunked = strcasecmp(value, "chunked") == 0;
    } else if ((value = header_value(line, "pilcrow-version"))) {
        reader->version = strtoull(value, NULL, 10);
    } else if ((value = header_value(line, "etag"))) {
        (void)snprintf(reader->etag, sizeof(reader->etag), "%s", value);
    }
}

static void end_head(struct http_reader *reader)
{
    bool has_body = reader->status >= 200 && reader->status != 204 && reader->status != 304;

    if (!has_body)
        reader->state = HTTP_READER_DONE;
    else if (reader->is_chunked)
        reader->state = HTTP_READER_SIZE;
    else if (!reader->has_length)
        reader->state = HTTP_READER_ENDLESS;
    else
        reader->state = reader->n_left ? HTTP_READER_BODY : HTTP_READER_DONE;
}

static int read_size(struct http_reader *reader, const char *line)
{
    char *end;
    uint64_t size = strtoull(line, &end, 16);

    if (end == line)
        return -EPROTO;
    reader->n_left = size + 2; /* its end of line */
    reader->state = size ? HTTP_READER_CHUNK : HTTP_READER_TRAILER;
    return 0;
}

static int read_line(struct http_reader *reader, const char *line)
{
    if (reader->state == HTTP_READER_SIZE)
        return read_size(reader, line);
    if (reader->state == HTTP_READER_TRAILER) {
        if (!*line)
            reader->state = HTTP_READER_DONE;
        return 0;
    }
    if (!reader->status) {
        if (strncmp(line, "HTTP/1.1 ", 9) != 0)
            return -EPROTO;
        reader->status = (int)strtol(line + 9, NULL, 10);
        return reader->status < 100 || reader->status > 599 ? -EPROTO : 0;
    }
    if (*line)
        read_header(reader, line);
    else
        end_head(reader);
    return 0;
}

static ssize_t feed_line(struct http_reader *reader, struct bytes input)
{
    const char *end = input.n_bytes ? memchr(input.at, '\n', input.n_bytes) : NULL;
    size_t n = end ? (size_t)(end - (const char *)input.at) : 0;
    char line[LINE_MAX_BYTES];
    int r;

    if (!end)
        return 0;
    if (n == 0 || n >= sizeof(line) || end[-1] != '\r')
        return -EPROTO;
    memcpy(line, input.at, n - 1);
    line[n - 1] = 0;
    r = read_line(reader, line);
    return r ? r : (ssize_t)n + 1;
}

static ssize_t feed_body(struct http_reader *reader, struct bytes input, struct buffer *body)
{
    size_t end_of_line = reader->state == HTTP_READER_CHUNK ? 2 : 0;
    uint64_t n_wanted = reader->n_left > end_of_line ? reader->n_left - end_of_line : 0;
    size_t n = input.n_bytes < reader->n_left ? input.n_bytes : (size_t)reader->n_left;
    int r = buffer_append(body, input.at, n < n_wanted ? n : (size_t)n_wanted);

    if (r)
        return r;
    reader->n_left -= n;
    if (reader->n_left == 0)
        reader->state = reader->state == HTTP_READER_CHUNK ? HTTP_READER_SIZE : HTTP_READER_DONE;
    return (ssize_t)n;
}

static ssize_t feed_some(struct http_reader *reader, struct bytes input, struct buffer *body)
{
    int r;

    switch (reader->state) {
    case HTTP_READER_HEAD:
    case HTTP_READER_SIZE:
    case HTTP_READER_TRAILER: return feed_line(reader, input);
    case HTTP_READER_BODY:
    case HTTP_READER_CHUNK: return feed_body(reader, input, body);
    case HTTP_READER_ENDLESS: r = buffer_append(body, input.at, input.n_bytes); return r ? r : (ssize_t)input.n_bytes;
    case HTTP_READER_DONE: break;
    }
    return 0;
}

ssize_t http_reader_feed(struct http_reader *reader, struct bytes input, struct buffer *body)
{
    size_t taken = 0;

    for (;;) {
        struct bytes rest = bytes_of((const char *)input.at + taken, input.n_bytes - taken);
        ssize_t n = rest.n_bytes ? feed_some(reader, rest, body) : 0;

        if (n < 0)
            return n;
        if (n == 0)
            return (ssize_t)taken;
        taken += (size_t)n;
    }
}
