#include <stdio.h>
#include <strings.h>

#include "cli/transport.h"

#define TARGET_MAX_BYTES 8192
#define ANSWER_MAX_BYTES ((size_t)512 << 20)

void exchange_init(struct exchange *exchange, const char *method)
{
    *exchange = (struct exchange){ .method = method };
    buffer_init(&exchange->target, TARGET_MAX_BYTES);
    buffer_init(&exchange->answer, ANSWER_MAX_BYTES);
}

void exchange_finish(struct exchange *exchange)
{
    buffer_finish(&exchange->target);
    buffer_finish(&exchange->answer);
}

void exchange_header(struct exchange *exchange, const char *name, const char *value)
{
    exchange->headers[exchange->n_headers++] = (struct exchange_header){ name, value };
}

static bool is_named(struct bytes name, const char *wanted)
{
    return name.n_bytes == strlen(wanted) && strncasecmp(name.at, wanted, name.n_bytes) == 0;
}

static void keep(char *into, size_t n_into, struct bytes value)
{
    (void)snprintf(into, n_into, "%.*s", (int)value.n_bytes, (const char *)value.at);
}

void exchange_answer_header(struct exchange *exchange, struct bytes name, struct bytes value)
{
    if (is_named(name, "etag"))
        keep(exchange->etag, sizeof(exchange->etag), value);
    else if (is_named(name, "pilcrow-version"))
        keep(exchange->version, sizeof(exchange->version), value);
    else if (is_named(name, "content-type"))
        keep(exchange->media, sizeof(exchange->media), value);
    else if (is_named(name, "link"))
        exchange->has_next = memmem(value.at, value.n_bytes, "rel=\"next\"", 10) != NULL;
}

int exchange_answer_piece(struct exchange *exchange, struct bytes piece)
{
    if (exchange->sink && exchange->status < 300)
        return exchange->sink(exchange->sink_arg, piece);
    return buffer_append(&exchange->answer, piece.at, piece.n_bytes);
}
