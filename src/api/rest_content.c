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

void content_parse(struct rest_write *write, const struct ot_type *type, const struct rest_parse *how)
{
    struct bytes said = call_header(&write->call.request, "content-type");
    bool is_text = type_is_text(type);
    struct rest_parse content = *how;

    if (said.n_bytes && !media_is(said, is_text ? MEDIA_TEXT : MEDIA_JSON)) {
        bool fits = is_text ? media_is(said, MEDIA_JSON) : media_is(said, MEDIA_DELTA);

        if (!fits) {
            refuse_media(&write->call);
            return;
        }
        is_text = false;
    }
    if (!media_is_utf8(said)) {
        call_refuse(&write->call, 415, "ERR_MEDIA_TYPE_NOT_SUPPORTED", "Only UTF-8 is understood.");
        return;
    }
    content.type = type;
    content.is_text = is_text;
    content.refusal = is_text ? "The body is not UTF-8." : NULL;
    write_parse(write, &content);
}

void content_create(struct rest_write *write)
{
    const struct rest_parse *parse = &write->parse;

    write_submit(write, &(struct submission){ .kind = STEP_CREATE,
                                              .version = DOCUMENT_NOW,
                                              .type = bytes_of_string(ot_type_uri(parse->type)),
                                              .data = parse->json,
                                              .is_large = parse->is_large });
}
