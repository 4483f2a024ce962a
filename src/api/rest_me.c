/* Who is asking, as this server sees it: {"principal":"ink","rights":["read","write"]}. */
#include "api/rest_inside.h"

#define BODY_MAX_BYTES 1024

static void me_begin(struct rest_call *call, struct bytes body)
{
    const struct principal *principal = &call->request.principal;
    const char *before = ",\"rights\":[";
    struct rest_reply reply;
    struct buffer json;

    (void)body;
    buffer_init(&json, BODY_MAX_BYTES);
    write_member(&json, "{\"principal\":", principal_name(principal));
    for (enum right right = RIGHT_READ; right <= RIGHT_ADMIN; right = right_next(right)) {
        if (!principal_may(principal, right))
            continue;
        write_member(&json, before, bytes_of_string(right_name(right)));
        before = ",";
    }
    (void)buffer_append_string(&json, "]}\n");
    reply_init(&reply, 200);
    reply_body(&reply, MEDIA_JSON, &json);
    reply_header(&reply, "cache-control", "no-store");
    buffer_finish(&json);
    call_reply(call, &reply);
}

const struct rest_action rest_me = { me_begin, sizeof(struct rest_call), NULL };
