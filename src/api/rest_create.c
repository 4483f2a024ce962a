/* POST to a collection: a document under an id that nobody has used; of an Idempotency-Key always the same. */
#include "api/rest_inside.h"

static void on_created(struct rest_write *write)
{
    write_reply_place(write, 201);
}

static void take_id(struct rest_write *write)
{
    struct rest_call *call = &write->call;
    char id[ID_CHARS + 1];

    if (write->is_sole)
        who_id_of_src(write->src, id);
    else
        who_fresh_id(hub_world(call->context->hub), id);
    memcpy(call->id, id, ID_CHARS);
    call->name.id = bytes_of(call->id, ID_CHARS);
}

static void on_parsed(struct rest_write *write)
{
    take_id(write);
    if (!call_open(&write->call))
        return;
    write->on_written = on_created;
    content_create(write);
}

static void create_begin(struct rest_call *call, struct bytes body)
{
    struct rest_write *write = (struct rest_write *)call;
    const struct ot_type *type;

    if (!call_may_write(call) || !call_may_take(call, body) || !write_read_key(write, body))
        return;
    type = content_type_of(call);
    if (type)
        content_parse(write, type, &(struct rest_parse){ .body = body, .on_parsed = on_parsed });
}

const struct rest_action rest_create = { create_begin, sizeof(struct rest_write), write_finish };
