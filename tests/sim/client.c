/* The npm client: what it says and when, and what it waits for. replica.c is its documents.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

/* The engine must not fail on what it made itself. */
void client_must(int r, const char *what)
{
    if (r)
        sim_violation("clients can follow", "%s: %d", what, r);
}

/* ---- speaking ---------------------------------------------------------------------------------------------------- */

void client_say(struct client *client, const char *format, ...)
{
    static char text[1 << 18];
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof(text))
        abort();
    network_send_up(client->line, text, (size_t)n);
}

static void say_version(char into[32], const struct replica *replica)
{
    if (replica->has_version)
        (void)snprintf(into, 32, "%" PRIu64, replica->version);
    else
        (void)snprintf(into, 32, "null");
}

void client_fetch(struct client *client, struct replica *replica)
{
    char version[32];

    if (!client->is_connected)
        return;
    say_version(version, replica);
    client_say(client, "{\"a\":\"f\",\"c\":\"" RUN_COLLECTION "\",\"d\":\"d%zu\",\"v\":%s}", replica->number, version);
    replica->n_fetches++;
}

static void write_body(const struct own_op *own, struct buffer *body)
{
    switch (own->kind) {
    case OWN_EDIT:
        (void)buffer_append_string(body, "\"op\":");
        client_must(ot_op_write(own->op, buffer_write, body), "writing an operation");
        break;
    case OWN_CREATE:
        (void)buffer_append_string(body, "\"create\":{\"type\":\"");
        (void)buffer_append_string(body, ot_type_uri(own->type));
        (void)buffer_append_string(body, "\",\"data\":");
        client_must(ot_json_write(own->data, buffer_write, body), "writing a document");
        (void)buffer_append_string(body, "}");
        break;
    case OWN_DELETE: (void)buffer_append_string(body, "\"del\":true"); break;
    }
}

static void say_op(struct client *client, const struct replica *replica, const struct own_op *own)
{
    char version[32], src[64] = "";
    struct buffer body;

    say_version(version, replica);
    if (own->was_sent)
        (void)snprintf(src, sizeof(src), ",\"src\":\"%s\"", own->src);
    buffer_init(&body, 1 << 17);
    write_body(own, &body);
    if (body.error)
        abort();
    client_say(client,
               "{\"a\":\"op\",\"c\":\"" RUN_COLLECTION "\",\"d\":\"d%zu\",\"v\":%s%s,\"seq\":%" PRIu64
               ",\"x\":{},%.*s}",
               replica->number, version, src, own->seq, (int)body.n_bytes, body.at);
    buffer_finish(&body);
}

/* One operation of a document is on its way at a time. */
void client_flush(struct client *client, struct replica *replica)
{
    struct own_op *own;
    struct list *node;

    if (!client->is_connected || replica->in_flight)
        return;
    node = list_pop(&replica->waiting);
    if (!node)
        return;
    own = LIST_ENTRY(node, struct own_op, link);
    replica->in_flight = own;
    if (!own->was_sent) {
        own->seq = client->next_seq++;
        (void)snprintf(own->src, sizeof(own->src), "%s", client->id);
        judge_submitted(client->run, replica->number, own->src, own->seq);
    }
    say_op(client, replica, own);
    own->was_resent = own->was_sent;
    own->was_sent = true;
}

static void say_subscribe(struct client *client, struct replica *replica)
{
    char version[32];

    say_version(version, replica);
    client_say(client, "{\"a\":\"s\",\"c\":\"" RUN_COLLECTION "\",\"d\":\"d%zu\",\"v\":%s}", replica->number, version);
    replica->n_subscribes++;
}

/* Those with a version go into one map, those without into one list; a group of one is a plain `s`. */
static void resubscribe(struct client *client, bool has_version)
{
    struct replica *group[RUN_DOCUMENTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < client->run->n_documents; i++)
        if (client->replicas[i].wants_stream && client->replicas[i].has_version == has_version)
            group[n++] = &client->replicas[i];
    if (n == 1) {
        say_subscribe(client, group[0]);
        return;
    }
    if (n == 0)
        return;
    if (has_version)
        client_say(client, "{\"a\":\"bs\",\"c\":\"" RUN_COLLECTION "\",\"b\":{\"d0\":%" PRIu64 ",\"d1\":%" PRIu64 "}}",
                   group[0]->version, group[1]->version);
    else
        client_say(client, "{\"a\":\"bs\",\"c\":\"" RUN_COLLECTION "\",\"b\":[\"d0\",\"d1\"]}");
    for (size_t i = 0; i < n; i++)
        group[i]->n_subscribes++;
}

void client_toggle_stream(struct client *client, struct replica *replica)
{
    if (!client->is_connected || replica->n_subscribes || replica->n_unsubscribes)
        return;
    replica->wants_stream = !replica->wants_stream;
    if (replica->wants_stream) {
        say_subscribe(client, replica);
        return;
    }
    client_say(client, "{\"a\":\"u\",\"c\":\"" RUN_COLLECTION "\",\"d\":\"d%zu\"}", replica->number);
    replica->n_unsubscribes++;
}

/* ---- answers come in --------------------------------------------------------------------------------------------- */

static void take_answer(size_t *n_unanswered, const struct client *client, const char *what)
{
    if (*n_unanswered == 0)
        sim_violation("one reply each", "client %zu is answered a %s that it did not ask", client->number, what);
    --*n_unanswered;
}

static void on_snapshot(struct replica *replica, const struct ot_json *frame, size_t *n_unanswered, const char *what)
{
    const struct ot_json *data = ot_json_get(frame, "data", 4);

    if (ot_json_get(frame, "error", 5))
        sim_violation("reading is not refused", "client %zu, a %s", replica->client->number, what);
    take_answer(n_unanswered, replica->client, what);
    if (data)
        replica_ingest(replica, data);
    client_flush(replica->client, replica);
}

static void on_bulk(struct client *client, const struct ot_json *frame)
{
    const struct ot_json *data = ot_json_get(frame, "data", 4);

    for (size_t i = 0; i < client->run->n_documents; i++) {
        const char name[] = { 'd', (char)('0' + i) };

        take_answer(&client->replicas[i].n_subscribes, client, "bs");
        client->replicas[i].is_subscribed = true;
        if (data)
            replica_ingest(&client->replicas[i], ot_json_get(data, name, 2));
    }
}

/* In that moment: first what is left to be sent, last the subscriptions. */
static void on_handshake(struct client *client, const struct ot_json *frame)
{
    size_t n_bytes;
    const char *id = ot_json_string(ot_json_get(frame, "id", 2), &n_bytes);

    take_answer(&client->n_handshakes, client, "hs");
    if (client->is_connected)
        return;
    if (client->id[0] && !bytes_equal(bytes_of(id, n_bytes), bytes_of_string(client->id)))
        sim_violation("ids are kept", "client %zu comes back as %.*s", client->number, (int)n_bytes, id);
    (void)snprintf(client->id, sizeof(client->id), "%.*s", (int)n_bytes, id);
    client->is_connected = true;
    for (size_t i = 0; i < client->run->n_documents; i++)
        client_flush(client, &client->replicas[i]);
    resubscribe(client, true);
    resubscribe(client, false);
    for (size_t i = 0; i < client->run->n_documents; i++)
        if (client->replicas[i].was_refused)
            client_fetch(client, &client->replicas[i]);
    for (size_t i = 0; i <= client->run->n_documents; i++)
        presence_on_connected(&client->presences[i]);
}

static void say_handshake(struct client *client)
{
    if (client->id[0])
        client_say(client, "{\"a\":\"hs\",\"id\":\"%s\",\"protocol\":1,\"protocolMinor\":2}", client->id);
    else
        client_say(client, "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}");
    client->n_handshakes++;
}

static void on_document(struct client *client, struct bytes action, const struct ot_json *frame)
{
    struct replica *replica;
    size_t document;

    if (!run_document_of(frame, &document))
        sim_violation("frames are whole", "no document in a %.*s", (int)action.n_bytes, (const char *)action.at);
    replica = &client->replicas[document];
    if (bytes_equal(action, bytes_of_string("op"))) {
        replica_on_op(replica, frame);
    } else if (bytes_equal(action, bytes_of_string("f"))) {
        on_snapshot(replica, frame, &replica->n_fetches, "f");
    } else if (bytes_equal(action, bytes_of_string("s"))) {
        replica->is_subscribed = true;
        on_snapshot(replica, frame, &replica->n_subscribes, "s");
    } else if (bytes_equal(action, bytes_of_string("u"))) {
        replica->is_subscribed = false;
        take_answer(&replica->n_unsubscribes, client, "u");
    } else {
        sim_violation("frames are known", "%.*s", (int)action.n_bytes, (const char *)action.at);
    }
}

void client_on_frame(struct client *client, const char *text, size_t n_bytes)
{
    struct ot_json *frame = NULL;
    struct bytes action;

    client_must(ot_json_parse(text, n_bytes, &ot_limits_default, &frame, NULL), "reading a frame");
    action.at = ot_json_string(ot_json_get(frame, "a", 1), &action.n_bytes);
    if (bytes_equal(action, bytes_of_string("init")))
        say_handshake(client);
    else if (bytes_equal(action, bytes_of_string("hs")))
        on_handshake(client, frame);
    else if (bytes_equal(action, bytes_of_string("bs")))
        on_bulk(client, frame);
    else if (!presence_on_frame(client, action, frame))
        on_document(client, action, frame);
    presence_go_on(client);
    ot_json_unref(frame);
}

/* ---- the line ---------------------------------------------------------------------------------------------------- */

void client_on_line(struct client *client, struct line *line)
{
    client->line = line;
    say_handshake(client);
}

void client_on_cut(struct client *client)
{
    client->line = NULL;
    client->is_connected = false;
    client->n_handshakes = 0;
    for (size_t i = 0; i < client->run->n_documents; i++) {
        struct replica *replica = &client->replicas[i];

        replica->n_subscribes = replica->n_fetches = replica->n_unsubscribes = 0;
        replica->is_subscribed = false;
        if (!replica->in_flight)
            continue;
        list_prepend(&replica->waiting, &replica->in_flight->link);
        replica->in_flight = NULL;
    }
    for (size_t i = 0; i <= client->run->n_documents; i++)
        presence_on_cut(&client->presences[i]);
}

bool client_is_at_rest(const struct client *client)
{
    if (!client->is_connected || client->n_handshakes)
        return false;
    for (size_t i = 0; i < client->run->n_documents; i++)
        if (!replica_is_idle(&client->replicas[i]))
            return false;
    for (size_t i = 0; i <= client->run->n_documents; i++)
        if (!presence_is_at_rest(&client->presences[i]))
            return false;
    return true;
}

void client_init(struct client *client, struct run *run, size_t number, unsigned generation)
{
    *client = (struct client){
        .run = run, .number = number, .generation = generation, .next_seq = 1, .next_presence_seq = 1
    };
    for (size_t i = 0; i < run->n_documents; i++) {
        struct replica *replica = &client->replicas[i];

        replica->client = client;
        replica->number = i;
        list_init(&replica->waiting);
        replica->wants_stream = !run->scenario->creates_race;
    }
    for (size_t i = 0; i <= run->n_documents; i++)
        presence_init(&client->presences[i], client, i);
}

void client_finish(struct client *client)
{
    for (size_t i = 0; i < client->run->n_documents; i++)
        replica_forget(&client->replicas[i], true);
    for (size_t i = 0; i <= client->run->n_documents; i++)
        presence_finish(&client->presences[i]);
}

void client_replace(struct client *client)
{
    run_trace(client->run, "%c goes for good", (char)('A' + client->number));
    if (client->line)
        network_cut(client->line);
    client_finish(client);
    client_init(client, client->run, client->number, client->generation + 1);
}
