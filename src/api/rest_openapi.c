/* /openapi.json: what there is to ask, and how it is answered, in the words of OpenAPI 3.1. openapi.json is its source;
 * tests/http/contract.mjs holds every answer of the tests against it. */
#include "api/openapi.h"
#include "api/rest_inside.h"

#define ETAG "\"" EMBEDDED_HASH "\""

static const char servers[] = "\"servers\": [{\"url\": \"";

/* With the path under which all of it lies. */
static void write_document(struct rest_call *call, struct buffer *into)
{
    const char *begin = (const char *)embedded, *end = begin + sizeof(embedded);
    const char *url = memmem(begin, sizeof(embedded), servers, strlen(servers));
    const char *base = call->context->base_path;

    if (url && base && *base) {
        url += strlen(servers);
        (void)buffer_append(into, begin, (size_t)(url - begin));
        (void)buffer_append_string(into, base);
        begin = url + 1; /* in the place of "/" */
    }
    (void)buffer_append(into, begin, (size_t)(end - begin));
}

static void openapi_begin(struct rest_call *call, struct bytes body)
{
    struct bytes known = call_header(&call->request, "if-none-match");
    struct rest_reply reply;
    struct buffer document;

    (void)body;
    buffer_init(&document, 2 * sizeof(embedded));
    if (etags_are_any(known) || etags_have(known, EMBEDDED_HASH)) {
        reply_init(&reply, 304);
    } else {
        reply_init(&reply, 200);
        write_document(call, &document);
        reply_body(&reply, MEDIA_JSON, &document);
    }
    if (reply.response.status < 400) {
        reply_header_constant(&reply, "etag", ETAG);
        reply_header_constant(&reply, "cache-control", "no-cache");
    }
    buffer_finish(&document);
    call_reply(call, &reply);
}

const struct rest_action rest_openapi = { openapi_begin, sizeof(struct rest_call), NULL };
