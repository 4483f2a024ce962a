#include "tests/bench/protocol_load.h"
#include "tests/bench/ws_frame.h"

static const size_t n_begun = sizeof("{\"a\":\"op\"") - 1; /* of a document's head: what is another in other requests */

static void say(struct client *client, struct bytes message)
{
    ws_append_frame(&client->line.output, WS_TEXT, message);
    line_flush(&client->line);
}

void client_open(struct client *client)
{
    struct load *load = client->load;

    line_open(&client->line, load->epoll, client, &load->traffic, load->port);
    ws_append_opening(&client->line.output, load->path, load->port);
    line_flush(&client->line);
}

void client_ask(struct client *client, const char *action, const char *version)
{
    struct buffer *scratch = &client->load->scratch;
    struct bytes head = buffer_bytes(&client->document->head);

    buffer_reset(scratch);
    (void)buffer_printf(scratch, "{\"a\":\"%s\"", action);
    (void)buffer_append(scratch, (const char *)head.at + n_begun, head.n_bytes - n_begun);
    (void)buffer_printf(scratch, "%s}", version);
    say(client, buffer_bytes(scratch));
    client->asked_ns = now_ns();
    client->is_asking = true;
}

void client_follow_all(struct client *client)
{
    struct load *load = client->load;
    struct buffer *scratch = &load->scratch;
    struct bytes head = buffer_bytes(&client->document->head);
    const char *named = memmem(head.at, head.n_bytes, ",\"d\":", 5);

    buffer_reset(scratch);
    (void)buffer_append_string(scratch, "{\"a\":\"bs\"");
    (void)buffer_append(scratch, (const char *)head.at + n_begun, (size_t)(named - (const char *)head.at) - n_begun);
    for (unsigned i = 0; i < load->n_documents; i++)
        (void)buffer_printf(scratch, i ? ",\"%u\"" : ",\"b\":[\"%u\"", i);
    (void)buffer_append_string(scratch, "]}");
    say(client, buffer_bytes(scratch));
    client->is_asking = true;
}

static void ready(struct client *client)
{
    client->state = CLIENT_READY;
    client->load->n_ready++;
}

static void join(struct client *client)
{
    bool is_beside = client->load->mode->has_writer_beside && client == client->document->creator;

    if (!client->load->mode->subscribes || is_beside) {
        ready(client);
        return;
    }
    client->state = CLIENT_SUBSCRIBING;
    client_ask(client, "s", "null");
}

static void shake_hands(struct client *client)
{
    struct buffer *scratch = &client->load->scratch;
    const char *quote = client->id[0] ? "\"" : "";

    buffer_reset(scratch);
    (void)buffer_printf(scratch, "{\"a\":\"hs\",\"id\":%s%s%s,\"protocol\":1,\"protocolMinor\":2}", quote,
                        client->id[0] ? client->id : "null", quote);
    say(client, buffer_bytes(scratch));
}

/* Of who comes back it must be the one that he had. */
static void note_id(struct client *client, struct bytes text)
{
    static const char member[] = "\"id\":\"";
    const char *end = (const char *)text.at + text.n_bytes;
    const char *at = memmem(text.at, text.n_bytes, member, strlen(member));
    const char *quote = at ? memchr(at + strlen(member), '"', (size_t)(end - at) - strlen(member)) : NULL;
    size_t n = quote ? (size_t)(quote - at) - strlen(member) : 0;

    if (n == 0 || n >= sizeof(client->id))
        fail("client %u was given no id", client->number);
    if (client->id[0] && memcmp(client->id, at + strlen(member), n) != 0)
        fail("client %u came back and was given another id", client->number);
    memcpy(client->id, at + strlen(member), n);
}

static void on_first_messages(struct client *client, const struct message *message, struct bytes text)
{
    if (client->state == CLIENT_OPENING && message_is(message, "init")) {
        client->state = CLIENT_SHAKING;
        shake_hands(client);
    } else if (client->state == CLIENT_SHAKING && message_is(message, "hs")) {
        if (client->id[0]) {
            note_id(client, text);
            ready(client);
            write_again(client);
        } else if (client == client->document->creator) {
            if (!client->load->is_bare)
                note_id(client, text);
            client->state = CLIENT_CREATING;
            write_create(client);
        } else {
            join(client);
        }
    } else if (client->state == CLIENT_CREATING && message_is(message, "op")) {
        told_op(client, message, text);
        join(client);
    } else if (client->state == CLIENT_SUBSCRIBING && message_is(message, "s")) {
        read_joined(client, message);
        ready(client);
    } else {
        fail("client %u did not ask for %.*s", client->number, (int)message->action.n_bytes,
             (const char *)message->action.at);
    }
}

static void on_message(struct client *client, struct bytes text)
{
    struct message message;

    if (client->state == CLIENT_READY && told_before(client, text))
        return;
    if (!message_read(text, &message) || !message.action.at)
        fail("client %u was told %.*s", client->number, (int)text.n_bytes, (const char *)text.at);
    if (message.error.at)
        fail("client %u was refused: %.*s", client->number, (int)message.error.n_bytes, (const char *)message.error.at);
    if (client->state != CLIENT_READY) {
        on_first_messages(client, &message, text);
    } else if (message_is(&message, "op")) {
        told_op(client, &message, text);
    } else {
        read_answer(client, &message);
    }
}

static void on_part(struct client *client, const struct ws_frame *frame)
{
    struct buffer *parts = &client->parts;

    if (buffer_append(parts, frame->payload.at, frame->payload.n_bytes))
        fail("a message to client %u is too large", client->number);
    if (!frame->is_last)
        return;
    on_message(client, buffer_bytes(parts));
    buffer_finish(parts);
}

/* 1001: the server is going away. */
static void on_goodbye(struct client *client, struct bytes why)
{
    if (why.n_bytes < 2 || memcmp(why.at, "\x03\xe9", 2) != 0)
        fail("client %u was sent away for another reason", client->number);
    client->state = CLIENT_CLOSED;
    client->is_subscribed = false;
    ws_append_frame(&client->line.output, WS_CLOSE, bytes_of(why.at, 2));
}

static void on_end(struct client *client)
{
    if (client->state != CLIENT_CLOSED)
        fail("the line of client %u was closed", client->number);
    line_close(&client->line);
    client->line.fd = -1;
    client->load->n_closed++;
}

static void on_frame(struct client *client, const struct ws_frame *frame)
{
    if (frame->opcode == WS_TEXT && frame->is_last)
        on_message(client, frame->payload);
    else if (frame->opcode == WS_TEXT || frame->opcode == WS_CONTINUATION)
        on_part(client, frame);
    else if (frame->opcode == WS_CLOSE && client->load->is_draining)
        on_goodbye(client, frame->payload);
    else if (frame->opcode == WS_PING)
        ws_append_frame(&client->line.output, WS_PONG, frame->payload);
    else
        fail("client %u got a frame of kind %d", client->number, (int)frame->opcode);
}

/* The answer to the opening request. False: it is not whole yet. */
static bool is_open(struct client *client)
{
    struct line *line = &client->line;
    struct http_reader *answer = &client->answer;
    ssize_t n;

    if (answer->state == HTTP_READER_DONE)
        return true;
    n = http_reader_feed(answer, buffer_bytes(&line->input), &line->output); /* 101 has no body */
    if (n < 0 || (answer->status && answer->status != 101))
        fail("the WebSocket of client %u was answered %d", client->number, answer->status);
    line_take(line, (size_t)n);
    return answer->state == HTTP_READER_DONE;
}

void client_on_input(struct client *client)
{
    struct line *line = &client->line;
    struct ws_frame frame;
    size_t taken = 0;
    bool is_there = line_read(line);

    if (!is_there && !client->load->is_draining)
        fail("the line of client %u was closed", client->number);
    if (!is_open(client))
        return;
    while (ws_next_part(bytes_of(line->input.at + taken, line->input.n_bytes - taken), &frame)) {
        on_frame(client, &frame);
        taken += frame.n_bytes;
    }
    line_take(line, taken);
    if (!is_there) {
        on_end(client);
        return;
    }
    if (client->load->pump && client->state == CLIENT_READY) {
        client->load->pump(client);
        if (client->load->mode->waits_for_readers)
            client->load->pump(client->document->creator);
    }
    line_flush(line);
}
