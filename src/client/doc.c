#include <errno.h>
#include <stdlib.h>

#include "client/inside.h"

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int doc_open(struct client *client, struct bytes collection, struct bytes id, const struct client_events *events,
                    void *arg, struct client_doc **out)
{
    struct client_doc *doc = calloc(1, sizeof(*doc) + collection.n_bytes + id.n_bytes);
    char *names;

    if (!doc)
        return -ENOMEM;
    names = (char *)(doc + 1);
    memcpy(names, collection.at, collection.n_bytes);
    memcpy(names + collection.n_bytes, id.at, id.n_bytes);
    doc->collection = bytes_of(names, collection.n_bytes);
    doc->id = bytes_of(names + collection.n_bytes, id.n_bytes);
    doc->client = client;
    doc->events = events;
    doc->arg = arg;
    list_init(&doc->own);
    list_append(&client->docs, &doc->link);
    *out = doc;
    return 0;
}

static int doc_begin(struct client_doc *doc, struct client_doc **out)
{
    int r = doc->client->is_connected ? doc_come_back(doc) : 0;

    if (r) {
        client_close(doc);
        return r;
    }
    *out = doc;
    return 0;
}

int client_open(struct client *client, struct bytes collection, struct bytes id, const struct client_events *events,
                void *arg, struct client_doc **out)
{
    struct client_doc *doc;
    int r = doc_open(client, collection, id, events, arg, &doc);

    if (r)
        return r;
    doc->has_value = true;
    return doc_begin(doc, out);
}

int client_follow(struct client *client, struct bytes collection, struct bytes id, uint64_t from,
                  const struct client_events *events, void *arg, struct client_doc **out)
{
    struct client_doc *doc;
    int r = doc_open(client, collection, id, events, arg, &doc);

    if (r)
        return r;
    doc->has_version = from != CLIENT_NOW;
    doc->version = from;
    return doc_begin(doc, out);
}

void client_close(struct client_doc *doc)
{
    struct client *client = doc->client;

    if (client->is_connected && say_document(doc, "u"))
        client->line->cut(client->line, "out of memory");
    doc_forget(doc);
    list_remove(&doc->link);
    free(doc);
}

bool client_version(const struct client_doc *doc, uint64_t *out)
{
    if (doc->has_version)
        *out = doc->version;
    return doc->has_version;
}

const struct ot_snapshot *client_value(const struct client_doc *doc)
{
    return doc->value;
}

bool client_is_settled(const struct client_doc *doc)
{
    return list_is_empty(&doc->own);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void tell_refused(struct client_doc *doc, struct client_refusal refusal)
{
    if (doc->events->on_refused)
        doc->events->on_refused(doc, &refusal, doc->arg);
}

/* What was sent and not answered goes first, as the subscription's catch-up may hold its acknowledgement. */
int doc_come_back(struct client_doc *doc)
{
    int r = doc_flush(doc);

    return r ? r : say_document(doc, "s");
}

/* Asks for what is missing; once, however often that is noticed. */
static int fetch(struct client_doc *doc)
{
    int r = doc->is_fetching ? 0 : say_document(doc, "f");

    doc->is_fetching = doc->is_fetching || !r;
    return r;
}

/* json0 is what snapshots and creates do not name. */
static int type_read(const struct ot_json *json, const struct ot_type **out)
{
    struct bytes name = json ? json_text(json) : bytes_of_string("json0");

    *out = name.at ? ot_type_find(name.at, name.n_bytes) : NULL;
    return *out || (json && ot_json_kind(json) == OT_JSON_NULL) ? 0 : CLIENT_BAD_FRAME;
}

static int snapshot_take(struct client_doc *doc, const struct ot_json *snapshot, uint64_t version)
{
    struct ot_snapshot *value = NULL;
    const struct ot_type *type = NULL;
    int r = doc->has_value ? type_read(ot_json_get(snapshot, "type", 4), &type) : 0;

    if (!r && type)
        r = ot_snapshot_create(type, ot_json_get(snapshot, "data", 4), &ot_limits_default, &value, NULL);
    if (r)
        return r < 0 ? r : CLIENT_BAD_FRAME;
    doc->value = value;
    doc->type = type;
    doc->version = version;
    doc->has_version = true;
    if (doc->events->on_snapshot)
        doc->events->on_snapshot(doc, doc->arg);
    return doc_flush(doc);
}

static struct client_refusal refusal_read(const struct ot_json *error)
{
    return (struct client_refusal){ .code = json_text(ot_json_get(error, "code", 4)),
                                    .message = json_text(ot_json_get(error, "message", 7)) };
}

int doc_on_read(struct client_doc *doc, const struct ot_json *frame)
{
    const struct ot_json *error = ot_json_get(frame, "error", 5), *data = ot_json_get(frame, "data", 4);
    uint64_t version;

    if (bytes_equal(json_text(ot_json_get(frame, "a", 1)), bytes_of_string("f")))
        doc->is_fetching = false;
    if (error) {
        struct client_refusal refusal = refusal_read(error);

        refusal.is_reading = true;
        tell_refused(doc, refusal);
        return 0;
    }
    if (!data)
        return 0; /* the operations came before */
    if (!json_integer(data, "v", &version))
        return CLIENT_BAD_FRAME;
    if (!doc->has_version)
        return snapshot_take(doc, data, version);
    return version > doc->version ? fetch(doc) : 0;
}

/* ---- what is forgotten ------------------------------------------------------------------------------------------- */

/* The answer to an earlier fetch, by a version that no longer counts, is dropped as well: a fresh one is asked. */
static int roll_back(struct client_doc *doc, struct client_refusal refusal)
{
    int r;

    doc_forget(doc);
    doc->is_fetching = false;
    r = fetch(doc);
    tell_refused(doc, refusal);
    return r;
}

static int roll_back_over(struct client_doc *doc, int over)
{
    static const char *const codes[][2] = {
        [OVER_CREATED] = { "ERR_DOC_ALREADY_CREATED", "Somebody else has created the document" },
        [OVER_DELETED] = { "ERR_DOC_WAS_DELETED", "Somebody else has deleted the document" },
        [OVER_CONFLICT] = { "ERR_OT_TRANSFORM_CONFLICT", "Somebody else has written to the same place" },
    };

    return roll_back(doc, (struct client_refusal){ .code = bytes_of_string(codes[over][0]),
                                                   .message = bytes_of_string(codes[over][1]) });
}

/* ---- operations come in ------------------------------------------------------------------------------------------ */

static bool is_in_flight(const struct client_doc *doc, const struct ot_json *frame)
{
    const struct own_op *own = doc_in_flight(doc);
    uint64_t seq;

    return own && json_integer(frame, "seq", &seq) && seq == own->seq &&
           bytes_equal(json_text(ot_json_get(frame, "src", 3)), bytes_of_string(own->src));
}

/* The src of a first sending is not repeated in its refusal. */
static int on_refusal(struct client_doc *doc, const struct ot_json *frame)
{
    const struct own_op *own = doc_in_flight(doc);
    uint64_t seq;

    if (!own || !json_integer(frame, "seq", &seq) || seq != own->seq)
        return 0;
    return roll_back(doc, refusal_read(ot_json_get(frame, "error", 5)));
}

static int acknowledge(struct client_doc *doc, uint64_t version)
{
    struct own_op *own = doc_in_flight(doc);

    if (version < doc->version)
        return CLIENT_BAD_FRAME; /* we would have met it on the way here */
    if (version > doc->version)
        return fetch(doc);
    if (own->change.kind != CHANGE_EDIT)
        doc->type = own->change.type;
    doc->version++;
    doc->is_in_flight = false;
    doc->n_own--;
    own_destroy(own);
    if (doc->events->on_acknowledged)
        doc->events->on_acknowledged(doc, version, doc->arg);
    return doc_flush(doc);
}

static int change_read(const struct client_doc *doc, const struct ot_json *frame, struct change *change)
{
    const struct ot_json *op = ot_json_get(frame, "op", 2), *create = ot_json_get(frame, "create", 6);
    struct ot_json *data;
    int r = 0;

    if (op) {
        change->kind = CHANGE_EDIT;
        r = doc->type ? ot_op_parse(doc->type, op, &ot_limits_default, &change->op, NULL) : CLIENT_BAD_FRAME;
    } else if (create) {
        change->kind = CHANGE_CREATE;
        r = type_read(ot_json_get(create, "type", 4), &change->type);
        if (!r && !change->type)
            r = CLIENT_BAD_FRAME;
        data = ot_json_get(create, "data", 4);
        change->data = data ? ot_json_ref(data) : NULL;
    } else if (ot_json_get(frame, "del", 3)) {
        change->kind = CHANGE_DELETE;
    }
    return r > 0 ? CLIENT_BAD_FRAME : r;
}

static void tell_op(struct client_doc *doc, const struct ot_json *frame, const struct ot_op *op)
{
    const struct client_op told = { doc->version - 1, frame, op };

    if (doc->events->on_op)
        doc->events->on_op(doc, &told, doc->arg);
}

/* What they make of the document at our version, and what that makes of ours. */
static int take(struct client_doc *doc, const struct ot_json *frame)
{
    struct change change = { .kind = CHANGE_NOTHING };
    const struct ot_type *type = doc->type;
    int r = change_read(doc, frame, &change);

    if (r)
        goto out;
    if (change.kind == CHANGE_CREATE || change.kind == CHANGE_DELETE)
        type = change.type;
    r = own_over(doc, &change);
    if (r > 0) {
        r = roll_back_over(doc, r);
        goto out;
    }
    if (!r)
        r = value_apply(doc, &change);
    own_settle(doc, r == 0);
    if (r) {
        r = r < 0 ? r : CLIENT_BAD_FRAME;
        goto out;
    }
    doc->type = type;
    doc->version++;
    tell_op(doc, frame, change.op);
out:
    change_finish(&change);
    return r;
}

/* An acknowledgement of what was forgotten: the operation itself was not sent with it. */
static bool is_hollow(const struct client_doc *doc, const struct ot_json *frame)
{
    return !ot_json_get(frame, "op", 2) && !ot_json_get(frame, "create", 6) && !ot_json_get(frame, "del", 3) &&
           bytes_equal(json_text(ot_json_get(frame, "src", 3)), bytes_of_string(doc->client->id));
}

int doc_on_op(struct client_doc *doc, const struct ot_json *frame)
{
    uint64_t version;

    if (ot_json_get(frame, "error", 5))
        return on_refusal(doc, frame);
    if (!json_integer(frame, "v", &version))
        return CLIENT_BAD_FRAME;
    if (is_in_flight(doc, frame))
        return acknowledge(doc, version);
    if (!doc->has_version || version < doc->version)
        return 0;
    if (version > doc->version || is_hollow(doc, frame))
        return fetch(doc);
    if (doc->has_value)
        return take(doc, frame);
    doc->version++;
    tell_op(doc, frame, NULL);
    return 0;
}
