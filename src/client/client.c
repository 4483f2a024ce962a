#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/inside.h"

/* A document of the greatest depth lies a few levels deep in its frame. */
static const struct ot_limits frame_limits = { .max_depth = 210,
                                               .max_components = 100000,
                                               .max_document_bytes = (size_t)64 << 20 };

int client_create(struct client_line *line, struct client **out)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client)
        return -ENOMEM;
    client->line = line;
    client->next_seq = 1;
    list_init(&client->docs);
    *out = client;
    return 0;
}

void client_destroy(struct client *client)
{
    if (!client)
        return;
    client->is_connected = false;
    while (!list_is_empty(&client->docs))
        client_close(LIST_ENTRY(client->docs.next, struct client_doc, link));
    free(client);
}

void client_on_cut(struct client *client)
{
    client->is_connected = false;
    LIST_FOR_EACH (node, &client->docs) {
        struct client_doc *doc = LIST_ENTRY(node, struct client_doc, link);

        doc->is_fetching = doc->is_in_flight = false;
    }
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static bool may_speak(const struct ot_json *frame, struct bytes *id)
{
    uint64_t protocol;

    *id = json_text(ot_json_get(frame, "id", 2));
    return json_integer(frame, "protocol", &protocol) && protocol == 1 && id->n_bytes > 0 &&
           id->n_bytes <= CLIENT_ID_MAX_BYTES;
}

static int on_init(struct client *client, const struct ot_json *frame)
{
    struct bytes id;

    return may_speak(frame, &id) ? say_handshake(client) : CLIENT_BAD_FRAME;
}

static int on_handshake(struct client *client, const struct ot_json *frame)
{
    struct bytes id;
    int r = 0;

    if (client->is_connected || !may_speak(frame, &id))
        return CLIENT_BAD_FRAME;
    (void)snprintf(client->id, sizeof(client->id), "%.*s", (int)id.n_bytes, (const char *)id.at);
    client->is_connected = true;
    for (struct list *node = client->docs.next; node != &client->docs && !r; node = node->next)
        r = doc_come_back(LIST_ENTRY(node, struct client_doc, link));
    return r;
}

/* Frames about a document that was closed meanwhile are nobody's. */
static struct client_doc *doc_find(struct client *client, const struct ot_json *frame)
{
    struct bytes collection = json_text(ot_json_get(frame, "c", 1)), id = json_text(ot_json_get(frame, "d", 1));

    LIST_FOR_EACH (node, &client->docs) {
        struct client_doc *doc = LIST_ENTRY(node, struct client_doc, link);

        if (bytes_equal(doc->collection, collection) && bytes_equal(doc->id, id))
            return doc;
    }
    return NULL;
}

static int on_op(struct client *client, const struct ot_json *frame)
{
    struct client_doc *doc = doc_find(client, frame);

    return doc ? doc_on_op(doc, frame) : 0;
}

static int on_read(struct client *client, const struct ot_json *frame)
{
    struct client_doc *doc = doc_find(client, frame);

    return doc ? doc_on_read(doc, frame) : 0;
}

static int dispatch(struct client *client, const struct ot_json *frame)
{
    static const struct {
        const char *action;
        int (*take)(struct client *client, const struct ot_json *frame);
    } rows[] = { { "init", on_init }, { "hs", on_handshake }, { "op", on_op }, { "f", on_read }, { "s", on_read } };
    struct bytes action = json_text(ot_json_get(frame, "a", 1));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (bytes_equal(action, bytes_of_string(rows[i].action)))
            return rows[i].take(client, frame);
    return 0; /* what we did not ask for */
}

void client_on_frame(struct client *client, const char *text, size_t n_bytes)
{
    struct ot_json *frame = NULL;
    int r = ot_json_parse(text, n_bytes, &frame_limits, &frame, NULL);

    if (!r)
        r = ot_json_flaw(frame) || ot_json_kind(frame) != OT_JSON_OBJECT ? CLIENT_BAD_FRAME : dispatch(client, frame);
    ot_json_unref(frame);
    if (r)
        client->line->cut(client->line, r < 0 ? "out of memory" : "the server does not keep to the protocol");
}
