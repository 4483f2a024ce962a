/* Any bytes as what comes over a line: a head that goes on coming is left as it is; one that is taken lies within what
 * came, says one thing once, and has one end. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "net/request.h"

static bool is_within(struct bytes part, const char *begin, size_t n_bytes)
{
    const char *at = part.at;

    return part.n_bytes == 0 || (at >= begin && part.n_bytes <= n_bytes && at + part.n_bytes <= begin + n_bytes);
}

static void check(const struct request *request, const char *begin, size_t n_bytes)
{
    FUZZ_REQUIRE(request->n_head_bytes <= n_bytes && request->n_head_bytes <= REQUEST_HEAD_MAX_BYTES);
    FUZZ_REQUIRE(is_within(request->query, begin, n_bytes) && is_within(request->host, begin, n_bytes));
    FUZZ_REQUIRE(request->path.n_bytes && strchr("/*", *(const char *)request->path.at));
    FUZZ_REQUIRE(!(request->has_length && request->has_encoding));
    FUZZ_REQUIRE(request->has_length || request->n_body_bytes == 0);
    FUZZ_REQUIRE(!request->is_1_1 || request->host.at);
    FUZZ_REQUIRE(request->n_headers <= REQUEST_HEADERS_MAX);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct rest_header *header = &request->headers[i];

        FUZZ_REQUIRE(is_within(bytes_of(header->name, strlen(header->name) + 1), begin, n_bytes));
        FUZZ_REQUIRE(is_within(header->value, begin, n_bytes));
        FUZZ_REQUIRE(request_header(request, header->name).at == header->value.at);
        FUZZ_REQUIRE(!header->value.n_bytes || !memchr(header->value.at, '\n', header->value.n_bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *copy = malloc(n_bytes + !n_bytes);
    struct request *request = malloc(sizeof(*request));
    int status = 0;

    FUZZ_REQUIRE(copy && request);
    if (n_bytes)
        memcpy(copy, data, n_bytes);
    switch (request_parse(copy, n_bytes, request, &status)) {
    case REQUEST_COMPLETE: check(request, copy, n_bytes); break;
    case REQUEST_PARTIAL: FUZZ_REQUIRE(!n_bytes || memcmp(copy, data, n_bytes) == 0); break;
    case REQUEST_REFUSED: FUZZ_REQUIRE(status >= 400 && status <= 505); break;
    }
    free(request);
    free(copy);
    return 0;
}
