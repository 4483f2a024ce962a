/* /openapi.json: what there is to ask, and how it is answered, in the words of OpenAPI 3.1. openapi.json is its source;
 * tests/http/contract.mjs holds every answer of the tests against it. It is made once in each form (rest_cache.h). */
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

/* Compressing it takes most of a millisecond, and anybody may ask. False: it could not be made, and reply says so. */
static bool reply_document(struct rest_reply *reply, struct rest_call *call, bool takes_gzip, bool *is_gzip)
{
    struct rest_cache *cache = call->context->cache;
    struct rest_body body = rest_cache_find_contract(cache, takes_gzip);
    struct buffer document;

    *is_gzip = body.is_gzip;
    reply_init(reply, 200);
    if (body.frame) {
        reply->response.body = frame_ref(body.frame);
        reply_header_constant(reply, "content-type", MEDIA_JSON);
        if (body.is_gzip)
            reply_header_constant(reply, "content-encoding", "gzip");
        return true;
    }
    buffer_init(&document, 2 * sizeof(embedded));
    write_document(call, &document);
    reply_body(reply, MEDIA_JSON, &document);
    buffer_finish(&document);
    if (reply->response.status != 200)
        return false;
    *is_gzip = takes_gzip && reply_gzip(reply);
    if (*is_gzip == takes_gzip) /* else there was no memory for it this time */
        rest_cache_keep_contract(cache, takes_gzip, (struct rest_body){ reply->response.body, *is_gzip });
    return true;
}

static void openapi_begin(struct rest_call *call, struct bytes body)
{
    bool takes_gzip = accepts_gzip(call_header(&call->request, "accept-encoding")), is_made = true, is_gzip;
    struct bytes known = call_header(&call->request, "if-none-match");
    char etag[ETAG_BYTES] = EMBEDDED_HASH;
    struct rest_reply reply;

    (void)body;
    if (etags_are_any(known) || etags_have_form(known, takes_gzip, etag)) {
        reply_init(&reply, 304);
    } else {
        is_made = reply_document(&reply, call, takes_gzip, &is_gzip);
        memcpy(etag, EMBEDDED_HASH, sizeof(EMBEDDED_HASH));
        if (is_gzip)
            etag_add_gzip(etag);
    }
    if (is_made) {
        reply_etag_text(&reply, etag);
        reply_header_constant(&reply, "cache-control", "no-cache");
        reply_header_constant(&reply, "vary", "Accept-Encoding");
    }
    call_reply(call, &reply);
}

const struct rest_action rest_openapi = { openapi_begin, sizeof(struct rest_call), NULL };
