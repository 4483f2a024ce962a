#include "tests/bench/followers.h"

#include <stdio.h>

#include "tests/bench/ws_frame.h"

static void next_stamp(struct writer *writer, char *out)
{
    if (++writer->version >= MAX_VERSIONS)
        fail("the writer has no room for more versions");
    writer->written_ns[writer->version] = now_ns();
    (void)snprintf(out, STAMP_BYTES + 1, STAMP_FORMAT, writer->version,
                   (unsigned long long)writer->written_ns[writer->version]);
}

static void say(struct writer *writer, const char *message)
{
    ws_append_frame(&writer->line.output, WS_TEXT, bytes_of_string(message));
    line_flush(&writer->line);
}

static void create(struct writer *writer)
{
    static const char words[] = "a line of a text that stays as it is. ";
    char stamp[STAMP_BYTES + 1], text[TEXT_BYTES - STAMP_BYTES + 1], message[TEXT_BYTES + 256];

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = words[i % (sizeof(words) - 1)];
    text[sizeof(text) - 1] = 0;
    next_stamp(writer, stamp);
    (void)snprintf(message, sizeof(message),
                   "{\"a\":\"op\",\"c\":\"bench\",\"d\":\"told\",\"v\":null,\"seq\":1,"
                   "\"create\":{\"type\":\"text-unicode\",\"data\":\"%s%s\"}}",
                   stamp, text);
    say(writer, message);
    writer->is_waiting = true;
}

static void replace(struct writer *writer)
{
    unsigned from = writer->version;
    char stamp[STAMP_BYTES + 1], message[256];

    next_stamp(writer, stamp);
    (void)snprintf(message, sizeof(message),
                   "{\"a\":\"op\",\"c\":\"bench\",\"d\":\"told\",\"v\":%u,\"seq\":%u,\"op\":[\"%s\",{\"d\":%d}]}", from,
                   writer->version, stamp, STAMP_BYTES);
    say(writer, message);
    writer->is_waiting = true;
}

void writer_open(struct writer *writer, struct run *run)
{
    writer->due_ns = UINT64_MAX;
    line_open(&writer->line, run->epoll, writer, &run->writer_traffic, run->port);
    ws_append_opening(&writer->line.output, WEB_SOCKET, run->port);
    line_flush(&writer->line);
}

static bool contains(struct bytes message, const char *words)
{
    return memmem(message.at, message.n_bytes, words, strlen(words));
}

static void on_message(struct writer *writer, struct bytes message)
{
    uint64_t at = now_ns();

    if (contains(message, "\"error\""))
        fail("the writer was refused: %.*s", (int)message.n_bytes, (const char *)message.at);
    if (contains(message, "\"a\":\"init\"")) {
        say(writer, "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}");
    } else if (contains(message, "\"a\":\"hs\"")) {
        create(writer);
    } else if (contains(message, "\"a\":\"op\"")) {
        if (writer->version > 1)
            histogram_add(&writer->acknowledged, at - writer->written_ns[writer->version]);
        writer->is_waiting = false;
    }
}

void writer_on_input(struct writer *writer)
{
    struct line *line = &writer->line;
    struct ws_frame frame;
    size_t taken = 0;

    if (!line_read(line))
        fail("the writer's line was closed");
    if (!writer->is_open) {
        ssize_t n = http_reader_feed(&writer->answer, buffer_bytes(&line->input), &line->output);

        if (n < 0 || (writer->answer.status && writer->answer.status != 101))
            fail("the writer's WebSocket was answered %d", writer->answer.status);
        line_take(line, (size_t)n);
        writer->is_open = writer->answer.state == HTTP_READER_DONE;
    }
    while (writer->is_open && ws_next_frame(bytes_of(line->input.at + taken, line->input.n_bytes - taken), &frame)) {
        if (frame.opcode == WS_PING) {
            ws_append_frame(&line->output, WS_PONG, frame.payload);
            line_flush(line);
        } else if (frame.opcode == WS_CLOSE) {
            fail("the server closed the writer's WebSocket");
        } else if (frame.opcode == WS_TEXT) {
            on_message(writer, frame.payload);
        }
        taken += frame.n_bytes;
    }
    line_take(line, taken);
}

void writer_start(struct writer *writer, uint64_t from_ns)
{
    writer->due_ns = from_ns + random_between(0, writer->pause_ns);
}

void writer_stop(struct writer *writer)
{
    writer->due_ns = UINT64_MAX;
}

void writer_tick(struct writer *writer, uint64_t at_ns)
{
    if (at_ns < writer->due_ns || writer->is_waiting)
        return;
    replace(writer);
    writer->due_ns += random_between(writer->pause_ns / 2, writer->pause_ns * 3 / 2);
}

void writer_check(const struct writer *writer, unsigned follower, unsigned version, uint64_t written_ns)
{
    if (version == 0 || version > writer->version)
        fail("follower %u was told version %u, which was not written", follower, version);
    if (writer->written_ns[version] != written_ns)
        fail("follower %u was told something else as version %u than was written", follower, version);
}
