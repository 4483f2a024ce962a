#include "tests/bench/protocol_load.h"

static bool is_reader(const struct client *client)
{
    return client != client->document->creator;
}

void read_joined(struct client *client, const struct message *message)
{
    struct message snapshot;

    client->is_asking = false;
    client->is_subscribed = true;
    client->version = 1;
    if (client->load->is_bare)
        return;
    if (!message->data.at || !message_read(message->data, &snapshot) || snapshot.version != 1)
        fail("client %u subscribed to a document that is not at version 1", client->number);
}

/* The first snapshot is held against the ledger, all others against the first. */
static void check_snapshot(struct client *client, struct bytes data)
{
    struct load *load = client->load;
    struct document *document = client->document;
    struct message snapshot;

    if (load->is_bare || (document->answer.n_bytes && bytes_equal(data, buffer_bytes(&document->answer))))
        return;
    if (!data.at || !message_read(data, &snapshot) || snapshot.version < 0 || !snapshot.data.at)
        fail("client %u was answered without a snapshot", client->number);
    if (load->expected.at) {
        if (snapshot.version != document->n_sent || !bytes_equal(snapshot.data, load->expected))
            fail("the session ends at version %lld, or in another text than it should", (long long)snapshot.version);
    } else {
        ledger_check(&document->ledger, (size_t)snapshot.version, snapshot.data);
    }
    buffer_reset(&document->answer);
    if (buffer_append(&document->answer, data.at, data.n_bytes))
        fail("no memory");
}

static void answered(struct client *client)
{
    struct load *load = client->load;

    client->is_asking = false;
    load->n_counted[ANSWERED]++;
    if (load->is_measuring)
        histogram_add(&load->told, load->at_ns - client->asked_ns);
}

void read_answer(struct client *client, const struct message *message)
{
    if (!client->is_asking) {
        fail("client %u did not ask for %.*s", client->number, (int)message->action.n_bytes,
             (const char *)message->action.at);
    } else if (message_is(message, "f")) {
        check_snapshot(client, message->data);
        answered(client);
    } else if (message_is(message, "s")) {
        if (client->version != client->document->n_sent)
            fail("client %u has caught up, and knows %u versions of %u", client->number, client->version,
                 client->document->n_sent);
        client_ask(client, "u", "null");
    } else if (message_is(message, "u") || message_is(message, "bs")) {
        answered(client);
    }
}

void fetch_pump(struct client *client)
{
    if (is_reader(client) && !client->is_asking)
        client_ask(client, "f", "null");
}

void catch_up_pump(struct client *client)
{
    if (!is_reader(client) || client->is_asking)
        return;
    client->version = 0;
    client_ask(client, "s", "0");
}
