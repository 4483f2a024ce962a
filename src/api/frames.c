#include "api/frames.h"

#include <errno.h>

#define FIRST_BYTES 1024 /* of a frame while it is written; most have fewer */
#define SHORT_BYTES 512  /* a name is shorter; what is longer is not worth room for six times itself */

#define DEFAULT_TYPE "http://sharejs.org/types/JSONv0" /* the one that snapshots leave out */

static struct frame *finished(struct buffer *buffer)
{
    struct frame *frame = frame_of_buffer(buffer);

    buffer_finish(buffer);
    return frame;
}

/* A failure stays in the buffer. */
static void append_string(struct buffer *into, struct bytes text)
{
    char *room;
    int r = 0;

    if (text.n_bytes > SHORT_BYTES) {
        r = ot_json_write_string(text.at, text.n_bytes, buffer_write, into);
    } else if ((room = buffer_room(into, OT_JSON_QUOTED_BYTES(text.n_bytes)))) {
        buffer_grew(into, ot_json_quote(text.at, text.n_bytes, room));
    }
    (void)r;
}

static void append_json(struct buffer *into, const struct ot_json *json)
{
    int r = ot_json_write(json, buffer_write, into);

    (void)r;
}

struct frame *frame_handshake(const char *action, const struct client_id *id)
{
    struct buffer buffer;

    buffer_init(&buffer, 1024);
    (void)buffer_printf(&buffer, "{\"a\":\"%s\",\"protocol\":1,\"protocolMinor\":2,\"id\":\"%s\",\"type\":\"%s\"}",
                        action, id->text, DEFAULT_TYPE);
    return finished(&buffer);
}

static void append_op_head(struct buffer *into, struct store_name name, uint64_t version, const struct op_id *id)
{
    (void)buffer_append_string(into, "{\"a\":\"op\",\"c\":");
    append_string(into, name.collection);
    (void)buffer_append_string(into, ",\"d\":");
    append_string(into, name.id);
    (void)buffer_append_string(into, ",\"v\":");
    (void)buffer_append_u64(into, version);
    (void)buffer_append_string(into, ",\"src\":");
    append_string(into, id->src);
    (void)buffer_append_string(into, ",\"seq\":");
    (void)buffer_append_u64(into, id->seq);
}

struct frame *frame_make_of_op(struct committed_op *op, struct store_name name)
{
    struct op_id id = { op->src, op->seq };
    char first[FIRST_BYTES];
    struct buffer buffer;

    buffer_init_in(&buffer, FRAME_MAX_BYTES, first, sizeof(first));
    append_op_head(&buffer, name, op->version, &id);
    /* The body is an object: its members follow ours, its brace closes both. */
    (void)buffer_append_string(&buffer, op->body.n_bytes > 2 ? "," : "");
    if (!buffer.error)
        op->frame =
            frame_create_of(buffer_bytes(&buffer), bytes_of((const char *)op->body.at + 1, op->body.n_bytes - 1));
    buffer_finish(&buffer);
    return op->frame;
}

struct frame *frame_acknowledgement(struct store_name name, uint64_t version, const struct op_id *id)
{
    char first[FIRST_BYTES];
    struct buffer buffer;

    buffer_init_in(&buffer, FRAME_MAX_BYTES, first, sizeof(first));
    append_op_head(&buffer, name, version, id);
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

int snapshot_write(const struct document_view *view, struct buffer *into)
{
    const char *uri;
    int r;

    (void)buffer_append_string(into, "{\"v\":");
    (void)buffer_append_u64(into, view->version);
    if (!view->type)
        return buffer_append_string(into, ",\"type\":null}");
    (void)buffer_append_string(into, ",\"data\":");
    r = ot_snapshot_write_json(view->snapshot, buffer_write, into);
    if (r)
        return r;
    uri = ot_type_uri(view->type);
    if (strcmp(uri, DEFAULT_TYPE) != 0) {
        (void)buffer_append_string(into, ",\"type\":");
        append_string(into, bytes_of_string(uri));
    }
    return buffer_append_string(into, "}");
}

/* ---- replies ----------------------------------------------------------------------------------------------------- */

static void append_member(struct buffer *into, const struct ot_json *request, const char *key)
{
    const struct ot_json *value = ot_json_get(request, key, strlen(key));

    if (!value || ot_json_flaw(value))
        return;
    (void)buffer_append_string(into, ",\"");
    (void)buffer_append_string(into, key);
    (void)buffer_append_string(into, "\":");
    append_json(into, value);
}

/* 0, "" and null are no request numbers to the clients. */
static bool is_truthy(const struct ot_json *value)
{
    size_t n_bytes = 0;

    if (!value || ot_json_flaw(value))
        return false;
    switch (ot_json_kind(value)) {
    case OT_JSON_NULL:
    case OT_JSON_FALSE: return false;
    case OT_JSON_NUMBER: return ot_json_number(value) != 0;
    case OT_JSON_STRING: (void)ot_json_string(value, &n_bytes); return n_bytes > 0;
    default: return true;
    }
}

struct frame *frame_reply(const struct ot_json *request, struct bytes data)
{
    char first[FIRST_BYTES];
    struct buffer buffer;

    buffer_init_in(&buffer, FRAME_MAX_BYTES, first, sizeof(first));
    (void)buffer_append_string(&buffer, "{\"a\":");
    append_json(&buffer, ot_json_get(request, "a", 1));
    if (is_truthy(ot_json_get(request, "id", 2))) {
        append_member(&buffer, request, "id");
    } else {
        append_member(&buffer, request, "c");
        append_member(&buffer, request, "d");
        if (!data.n_bytes)
            append_member(&buffer, request, "b");
    }
    if (data.n_bytes) {
        (void)buffer_append_string(&buffer, ",\"data\":");
        (void)buffer_append(&buffer, data.at, data.n_bytes);
    }
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

int frame_past(const struct ot_json *request, const struct document_view *view, size_t max_bytes, struct frame **out)
{
    struct buffer buffer;
    int r = 0;

    buffer_init(&buffer, max_bytes);
    (void)buffer_append_string(&buffer, "{\"a\":");
    append_json(&buffer, ot_json_get(request, "a", 1));
    append_member(&buffer, request, "id");
    (void)buffer_append_string(&buffer, ",\"v\":");
    (void)buffer_append_u64(&buffer, view->version);
    (void)buffer_append_string(&buffer, ",\"type\":");
    if (view->type) {
        append_string(&buffer, bytes_of_string(ot_type_uri(view->type)));
        (void)buffer_append_string(&buffer, ",\"data\":");
        r = ot_snapshot_write_json(view->snapshot, buffer_write, &buffer);
    } else {
        (void)buffer_append_string(&buffer, "null");
    }
    (void)buffer_append_string(&buffer, ",\"m\":null}");
    if (buffer.error)
        r = buffer.error;
    *out = r ? NULL : frame_of_buffer(&buffer);
    buffer_finish(&buffer);
    return r || *out ? r : -ENOMEM;
}

/* ---- presence ---------------------------------------------------------------------------------------------------- */

struct frame *frame_channel(const char *action, struct bytes channel, const struct ot_json *seq)
{
    char first[FIRST_BYTES];
    struct buffer buffer;

    buffer_init_in(&buffer, FRAME_MAX_BYTES, first, sizeof(first));
    (void)buffer_printf(&buffer, "{\"a\":\"%s\",\"ch\":", action);
    append_string(&buffer, channel);
    if (seq) {
        (void)buffer_append_string(&buffer, ",\"seq\":");
        append_json(&buffer, seq);
    }
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

static void append_place(struct buffer *into, const struct presence_frame *presence)
{
    (void)buffer_append_string(into, ",\"c\":");
    append_string(into, presence->document.collection);
    (void)buffer_append_string(into, ",\"d\":");
    append_string(into, presence->document.id);
    (void)buffer_append_string(into, ",\"v\":");
    (void)buffer_append_u64(into, presence->version);
    (void)buffer_append_string(into, ",\"t\":");
    append_string(into, presence->type);
}

struct frame *frame_presence(const struct presence_frame *presence)
{
    char first[FIRST_BYTES];
    struct buffer buffer;

    buffer_init_in(&buffer, FRAME_MAX_BYTES, first, sizeof(first));
    (void)buffer_append_string(&buffer, "{\"a\":\"p\",\"ch\":");
    append_string(&buffer, presence->channel);
    (void)buffer_append_string(&buffer, ",\"src\":");
    append_string(&buffer, presence->src);
    (void)buffer_append_string(&buffer, ",\"id\":");
    append_string(&buffer, presence->id);
    (void)buffer_append_string(&buffer, ",\"p\":");
    if (presence->value)
        append_json(&buffer, presence->value);
    else
        (void)buffer_append_string(&buffer, "null");
    (void)buffer_append_string(&buffer, ",\"pv\":");
    (void)buffer_append_u64(&buffer, presence->pv);
    if (presence->is_of_document)
        append_place(&buffer, presence);
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

static void append_query_head(struct buffer *into, const struct ot_json *id)
{
    (void)buffer_append_string(into, "{\"a\":\"q\",\"id\":");
    append_json(into, id);
}

struct frame *frame_query_difference(const struct ot_json *id, struct bytes difference)
{
    struct buffer buffer;

    buffer_init(&buffer, FRAME_MAX_BYTES);
    append_query_head(&buffer, id);
    (void)buffer_append_string(&buffer, ",\"diff\":");
    (void)buffer_append(&buffer, difference.at, difference.n_bytes);
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

struct frame *frame_query_error(const struct ot_json *id, const struct refusal *refusal, const char *message)
{
    struct buffer buffer;
    int r;

    buffer_init(&buffer, 4096);
    append_query_head(&buffer, id);
    (void)buffer_append_string(&buffer, ",\"error\":");
    r = refusal_write(refusal, message, &buffer);
    (void)r; /* stays in the buffer */
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static bool is_always_echoed(struct bytes key)
{
    static const char *const keys[] = { "a", "c", "d", "b", "id", "ch", "seq", "pv", "v", "src" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (bytes_equal(key, bytes_of_string(keys[i])))
            return true;
    return false;
}

static void append_echo(struct buffer *into, struct bytes key, const struct ot_json *value, size_t echo_max_bytes)
{
    struct buffer text;

    if (ot_json_flaw(value) || bytes_equal(key, bytes_of_string("error")))
        return;
    buffer_init(&text, is_always_echoed(key) ? FRAME_MAX_BYTES : echo_max_bytes);
    append_json(&text, value);
    if (!text.error) {
        append_string(into, key);
        (void)buffer_append_string(into, ":");
        (void)buffer_append(into, text.at, text.n_bytes);
        (void)buffer_append_string(into, ",");
    }
    buffer_finish(&text);
}

struct frame *frame_refusal(const struct ot_json *request, const struct refusal *refusal, const char *message,
                            size_t echo_max_bytes)
{
    struct buffer buffer;
    int r;

    buffer_init(&buffer, FRAME_MAX_BYTES);
    (void)buffer_append_string(&buffer, "{");
    for (size_t i = 0; i < ot_json_count(request); i++) {
        struct bytes key;

        key.at = ot_json_key_at(request, i, &key.n_bytes);
        append_echo(&buffer, key, ot_json_at(request, i), echo_max_bytes);
    }
    (void)buffer_append_string(&buffer, "\"error\":");
    r = refusal_write(refusal, message, &buffer);
    (void)r; /* stays in the buffer */
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}

struct frame *frame_error(const struct refusal *refusal, const char *message)
{
    struct buffer buffer;
    int r;

    buffer_init(&buffer, 4096);
    (void)buffer_append_string(&buffer, "{\"error\":");
    r = refusal_write(refusal, message, &buffer);
    (void)r; /* stays in the buffer */
    (void)buffer_append_string(&buffer, "}");
    return finished(&buffer);
}
