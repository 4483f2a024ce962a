#include <errno.h>

#include "api/rest_inside.h"

static void reply_word(struct rest_call *call, const char *word)
{
    struct rest_reply reply;
    struct buffer body;

    reply_init(&reply, 200);
    buffer_init(&body, 64);
    (void)buffer_append_string(&body, word);
    reply_body(&reply, MEDIA_TEXT "; charset=utf-8", &body);
    reply_header(&reply, "cache-control", "no-store");
    buffer_finish(&body);
    call_reply(call, &reply);
}

static void healthz_begin(struct rest_call *call, struct bytes body)
{
    (void)body;
    reply_word(call, "ok\n");
}

const struct rest_action rest_healthz = { healthz_begin, sizeof(struct rest_call), NULL };

static void readyz_begin(struct rest_call *call, struct bytes body)
{
    int r = store_health(hub_store(call->context->hub));

    (void)body;
    if (!call_may_write(call))
        return;
    if (r == -ENOSPC)
        call_refuse(call, 503, "ERR_STORE_FULL", "The store is full. Reading goes on.");
    else if (r)
        call_refuse(call, 503, "ERR_STORE_FAILED", "The last commit failed. Reading goes on.");
    else
        reply_word(call, "ready\n");
}

const struct rest_action rest_readyz = { readyz_begin, sizeof(struct rest_call), NULL };
