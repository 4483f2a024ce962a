#include <errno.h>

#include "base/buffer.h"
#include "client/inside.h"

#define FRAME_MAX_BYTES ((size_t)256 << 20) /* the server has a lower ceiling of its own, and says so */

/* A failure stays in the buffer. */
static void note(struct buffer *into, int r)
{
    if (!r || into->error)
        return;
    buffer_finish(into);
    into->error = r;
}

static void member(struct buffer *into, const char *before, struct bytes text)
{
    (void)buffer_append_string(into, before);
    note(into, ot_json_write_string(text.at, text.n_bytes, buffer_write, into));
}

static int send(const struct client *client, struct buffer *text)
{
    int r = text->error;

    if (!r)
        client->line->send(client->line, buffer_bytes(text));
    buffer_finish(text);
    return r ? -ENOMEM : 0;
}

int say_handshake(struct client *client)
{
    struct buffer text;

    buffer_init(&text, FRAME_MAX_BYTES);
    (void)buffer_append_string(&text, "{\"a\":\"hs\"");
    if (client->id[0])
        member(&text, ",\"id\":", bytes_of_string(client->id));
    else
        (void)buffer_append_string(&text, ",\"id\":null");
    (void)buffer_append_string(&text, ",\"protocol\":1,\"protocolMinor\":2}");
    return send(client, &text);
}

static void begin(struct buffer *into, const struct client_doc *doc, const char *action)
{
    buffer_init(into, FRAME_MAX_BYTES);
    member(into, "{\"a\":", bytes_of_string(action));
    member(into, ",\"c\":", doc->collection);
    member(into, ",\"d\":", doc->id);
    if (doc->has_version) {
        (void)buffer_append_string(into, ",\"v\":");
        (void)buffer_append_u64(into, doc->version);
    }
}

int say_document(const struct client_doc *doc, const char *action)
{
    struct buffer text;

    begin(&text, doc, action);
    (void)buffer_append_string(&text, "}");
    return send(doc->client, &text);
}

static void write_change(struct buffer *into, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_EDIT:
        (void)buffer_append_string(into, ",\"op\":");
        note(into, ot_op_write(change->op, buffer_write, into));
        break;
    case CHANGE_CREATE:
        member(into, ",\"create\":{\"type\":", bytes_of_string(ot_type_uri(change->type)));
        if (change->data) {
            (void)buffer_append_string(into, ",\"data\":");
            note(into, ot_json_write(change->data, buffer_write, into));
        }
        (void)buffer_append_string(into, "}");
        break;
    case CHANGE_DELETE:
    case CHANGE_NOTHING: (void)buffer_append_string(into, ",\"del\":true"); break;
    }
}

int say_op(const struct client_doc *doc, const struct own_op *own)
{
    struct buffer text;

    begin(&text, doc, "op");
    if (own->was_sent)
        member(&text, ",\"src\":", bytes_of_string(own->src));
    (void)buffer_append_string(&text, ",\"seq\":");
    (void)buffer_append_u64(&text, own->seq);
    write_change(&text, &own->change);
    (void)buffer_append_string(&text, "}");
    return send(doc->client, &text);
}
