/* Bodies that become documents. */
#include "api/rest_inside.h"

static void refuse_media(struct rest_call *call)
{
    call_refuse(call, 415, "ERR_MEDIA_TYPE_NOT_SUPPORTED", "A document of this type can't be made of such a body.");
}

static const struct kind {
    const char *media, *type;
} kinds[] = {
    { MEDIA_TEXT, "text-unicode" },
    { MEDIA_JSON, "json0" },
    { MEDIA_DELTA, "rich-text" },
};

/* A body of which nothing is said counts as text. */
static const char *type_name_of(struct bytes content_type)
{
    if (!content_type.n_bytes)
        return "text-unicode";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (media_is(content_type, kinds[i].media))
            return kinds[i].type;
    }
    return NULL;
}

const struct ot_type *content_type_of(struct rest_call *call)
{
    char text[64];
    struct bytes name = { NULL, 0 };
    const struct ot_type *type;

    if (parameter_text(call->request.query, "type", text, sizeof(text), &name)) {
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", "Invalid type");
        return NULL;
    }
    if (!name.n_bytes)
        name = bytes_of_string(type_name_of(call_header(&call->request, "content-type")));
    if (!name.n_bytes) {
        refuse_media(call);
        return NULL;
    }
    type = ot_type_find(name.at, name.n_bytes);
    if (!type)
        call_fail(call, DOCUMENT_TYPE_UNKNOWN);
    return type;
}

static bool parse(struct rest_call *call, bool is_text, struct bytes body, struct ot_json **out)
{
    struct ot_error error = { "" };
    struct rest_reply reply;
    int r = is_text ? ot_json_from_text(body.at, body.n_bytes, out)
                    : ot_json_parse(body.at, body.n_bytes, hub_limits(call->context->hub), out, &error);

    if (!r)
        return true;
    if (r < 0)
        reply_trouble(&reply, r, NULL);
    else if (is_text)
        reply_problem(&reply, 400, "ERR_MESSAGE_BADLY_FORMED", "The body is not UTF-8.");
    else
        reply_problem(&reply, 400, "ERR_MESSAGE_BADLY_FORMED", error.message);
    call_reply(call, &reply);
    return false;
}

bool content_parse(struct rest_call *call, const struct ot_type *type, struct bytes body, struct ot_json **out)
{
    struct bytes said = call_header(&call->request, "content-type");
    bool is_text = type_is_text(type);

    if (said.n_bytes && !media_is(said, is_text ? MEDIA_TEXT : MEDIA_JSON)) {
        bool fits = is_text ? media_is(said, MEDIA_JSON) : media_is(said, MEDIA_DELTA);

        if (!fits) {
            refuse_media(call);
            return false;
        }
        is_text = false;
    }
    if (!media_is_utf8(said)) {
        call_refuse(call, 415, "ERR_MEDIA_TYPE_NOT_SUPPORTED", "Only UTF-8 is understood.");
        return false;
    }
    return parse(call, is_text, body, out);
}
