/* /openapi.json: what there is to ask, and how it is answered, in the words of OpenAPI 3.1. openapi.json is its source;
 * tests/http/contract.mjs holds every answer of the tests against it. */
#include "api/gzip.h"
#include "api/openapi.h"
#include "api/rest_inside.h"

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
    bool takes_gzip = accepts_gzip(call_header(&call->request, "accept-encoding"));
    struct bytes known = call_header(&call->request, "if-none-match");
    char etag[ETAG_BYTES] = EMBEDDED_HASH;
    struct rest_reply reply;
    struct buffer document;

    (void)body;
    buffer_init(&document, 2 * sizeof(embedded));
    if (etags_are_any(known) || etags_have_form(known, takes_gzip, etag)) {
        reply_init(&reply, 304);
    } else {
        reply_init(&reply, 200);
        write_document(call, &document);
        reply_body(&reply, MEDIA_JSON, &document);
        memcpy(etag, EMBEDDED_HASH, sizeof(EMBEDDED_HASH));
        if (takes_gzip && reply.response.status == 200 && reply_gzip(&reply))
            etag_add_gzip(etag);
    }
    if (reply.response.status < 400) {
        reply_etag_text(&reply, etag);
        reply_header_constant(&reply, "cache-control", "no-cache");
        reply_header_constant(&reply, "vary", "Accept-Encoding");
    }
    buffer_finish(&document);
    call_reply(call, &reply);
}

const struct rest_action rest_openapi = { openapi_begin, sizeof(struct rest_call), NULL };
