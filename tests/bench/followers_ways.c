#include "tests/bench/followers.h"

#include <stdio.h>

#include "tests/bench/ws_frame.h"

/* ---- what all ways have in common -------------------------------------------------------------------------------- */

static void told(struct follower *follower, unsigned version, uint64_t written_ns)
{
    struct run *run = follower->run;

    writer_check(&run->writer, follower->number, version, written_ns);
    if (version <= follower->seen)
        fail("follower %u was told version %u after %u", follower->number, version, follower->seen);
    if (follower->seen == 0) {
        run->n_joined++;
    } else if (version != follower->seen + 1 && !run->way->is_polling) {
        fail("follower %u was told version %u after %u: one is lost", follower->number, version, follower->seen);
    } else {
        /* A poll brings all that were written since the one before it. */
        for (unsigned i = follower->seen + 1; i <= version; i++)
            histogram_add(&run->latency, run->received_ns - run->writer.written_ns[i]);
        run->n_told += version - follower->seen;
    }
    follower->seen = version;
}

/* Reads the stamps of a message, which must end with the version that its frame, header or event says. */
static void read_stamps(struct follower *follower, struct bytes message, uint64_t version)
{
    const char *at = message.at, *end = at + message.n_bytes;

    while ((at = memchr(at, '@', (size_t)(end - at)))) {
        unsigned stamped;
        unsigned long long written_ns;
        char stamp[STAMP_BYTES + 1];

        if (end - at < STAMP_BYTES)
            fail("follower %u was told half a stamp", follower->number);
        memcpy(stamp, at, STAMP_BYTES);
        stamp[STAMP_BYTES] = 0;
        if (sscanf(stamp, "@%u %llu;", &stamped, &written_ns) != 2)
            fail("follower %u was told what is no stamp: %s", follower->number, stamp);
        told(follower, stamped, written_ns);
        at += STAMP_BYTES;
    }
    if (version != follower->seen)
        fail("follower %u has version %u of a message that is said to lead to %llu", follower->number, follower->seen,
             (unsigned long long)version);
}

/* The number behind the first occurrence of these words; 0: they do not occur. */
static uint64_t number_after(struct bytes message, const char *words)
{
    const char *at = memmem(message.at, message.n_bytes, words, strlen(words));
    const char *end = (const char *)message.at + message.n_bytes;
    uint64_t number = 0;

    for (at = at ? at + strlen(words) : end; at < end && *at >= '0' && *at <= '9'; at++)
        number = 10 * number + (uint64_t)(*at - '0');
    return number;
}

static void read_line(struct follower *follower)
{
    if (!line_read(&follower->line))
        fail("the line of follower %u was closed", follower->number);
}

__attribute__((format(printf, 2, 3))) static void ask(struct follower *follower, const char *format, ...)
{
    char target[256];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(target, sizeof(target), format, arguments);
    va_end(arguments);
    (void)buffer_printf(&follower->line.output, "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", DOCUMENT, target,
                        follower->run->port);
    if (follower->etag[0] && !follower->run->is_unconditional)
        (void)buffer_printf(&follower->line.output, "If-None-Match: %s\r\n", follower->etag);
    (void)buffer_append_string(&follower->line.output, "\r\n");
    line_flush(&follower->line);
    follower->run->traffic.n_requests++;
    follower->is_asking = true;
    follower->answer = (struct http_reader){ 0 };
    buffer_reset(&follower->body);
}

/* Reads on; true as soon as the answer is whole. */
static bool read_answer(struct follower *follower)
{
    struct line *line = &follower->line;
    ssize_t n = http_reader_feed(&follower->answer, buffer_bytes(&line->input), &follower->body);

    if (n < 0)
        fail("follower %u: no HTTP: %s", follower->number, strerror((int)-n));
    line_take(line, (size_t)n);
    if (follower->answer.state != HTTP_READER_DONE)
        return false;
    if (line->input.n_bytes && follower->answer.status != 101)
        fail("follower %u: something came that it did not ask for", follower->number);
    follower->is_asking = false;
    return true;
}

static void refused(struct follower *follower)
{
    fail("follower %u was answered %d: %.*s", follower->number, follower->answer.status, (int)follower->body.n_bytes,
         follower->body.at ? follower->body.at : "");
}

/* ---- polling: is it still what I have? --------------------------------------------------------------------------- */

void poll_ask(struct follower *follower)
{
    ask(follower, "%s", "");
}

static void poll_on_input(struct follower *follower)
{
    struct http_reader *answer = &follower->answer;

    read_line(follower);
    if (!read_answer(follower))
        return;
    if (answer->status == 304) {
        follower->run->n_unchanged++;
    } else if (answer->status == 200) {
        if (answer->version != follower->seen)
            read_stamps(follower, buffer_bytes(&follower->body), answer->version);
        memcpy(follower->etag, answer->etag, sizeof(follower->etag));
    } else {
        refused(follower);
    }
}

/* ---- long-polling: what is there behind the version I have? It is answered as soon as there is something.
 * ------------ */

static void long_poll_begin(struct follower *follower)
{
    ask(follower, "/ops?from=%u&wait=%d", follower->seen, WAIT_SECONDS);
}

static void long_poll_on_input(struct follower *follower)
{
    read_line(follower);
    if (!read_answer(follower))
        return;
    if (follower->answer.status == 200)
        read_stamps(follower, buffer_bytes(&follower->body), number_after(buffer_bytes(&follower->body), "\"to\":"));
    else if (follower->answer.status != 204)
        refused(follower);
    long_poll_begin(follower);
}

/* ---- Server-Sent Events ------------------------------------------------------------------------------------------ */

static void events_begin(struct follower *follower)
{
    ask(follower, "%s", "/stream");
}

static void events_on_input(struct follower *follower)
{
    struct buffer *body = &follower->body;
    const char *end;

    read_line(follower);
    if (read_answer(follower) || (follower->answer.status && follower->answer.status != 200))
        refused(follower);
    while (body->n_bytes && (end = memmem(body->at, body->n_bytes, "\n\n", 2))) {
        struct bytes event = bytes_of(body->at, (size_t)(end - body->at));

        if (memchr(event.at, '@', event.n_bytes))
            read_stamps(follower, event, number_after(event, "id: "));
        body->n_bytes -= event.n_bytes + 2;
        memmove(body->at, end + 2, body->n_bytes);
    }
}

/* ---- WebSocket --------------------------------------------------------------------------------------------------- */

static void socket_begin(struct follower *follower)
{
    ws_append_opening(&follower->line.output, WEB_SOCKET, follower->run->port);
    line_flush(&follower->line);
    follower->run->traffic.n_requests++;
}

static void socket_say(struct follower *follower, const char *message)
{
    ws_append_frame(&follower->line.output, WS_TEXT, bytes_of_string(message));
    line_flush(&follower->line);
    follower->run->traffic.n_requests++;
}

static void socket_on_message(struct follower *follower, struct bytes message)
{
    /* The fields that say what it is stand before a document's or an operation's content. */
    struct bytes head = bytes_of(message.at, message.n_bytes < 200 ? message.n_bytes : 200);

    if (memmem(head.at, head.n_bytes, "\"a\":\"init\"", 10))
        socket_say(follower, "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}");
    else if (memmem(head.at, head.n_bytes, "\"a\":\"hs\"", 8))
        socket_say(follower, "{\"a\":\"s\",\"c\":\"bench\",\"d\":\"told\",\"v\":null}");
    else if (memmem(head.at, head.n_bytes, "\"a\":\"s\"", 7))
        read_stamps(follower, message, number_after(head, "\"v\":"));
    else if (memmem(head.at, head.n_bytes, "\"a\":\"op\"", 8))
        read_stamps(follower, message, number_after(head, "\"v\":") + 1);
    else
        fail("follower %u was told %.*s", follower->number, (int)head.n_bytes, (const char *)head.at);
}

static void socket_on_frame(struct follower *follower, const struct ws_frame *frame)
{
    if (frame->opcode == WS_TEXT) {
        socket_on_message(follower, frame->payload);
    } else if (frame->opcode == WS_PING) {
        ws_append_frame(&follower->line.output, WS_PONG, frame->payload);
        line_flush(&follower->line);
    } else {
        fail("follower %u got a frame of kind %d", follower->number, (int)frame->opcode);
    }
}

static void socket_on_input(struct follower *follower)
{
    struct line *line = &follower->line;
    struct ws_frame frame;
    size_t taken = 0;

    read_line(follower);
    if (follower->answer.state != HTTP_READER_DONE) {
        if (!read_answer(follower))
            return;
        if (follower->answer.status != 101)
            refused(follower);
    }
    while (ws_next_frame(bytes_of(line->input.at + taken, line->input.n_bytes - taken), &frame)) {
        socket_on_frame(follower, &frame);
        taken += frame.n_bytes;
    }
    line_take(line, taken);
}

static const struct way ways[] = {
    { "polling", true, poll_ask, poll_on_input },
    { "long-polling", false, long_poll_begin, long_poll_on_input },
    { "events", false, events_begin, events_on_input },
    { "websocket", false, socket_begin, socket_on_input },
};

const struct way *way_named(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    return NULL;
}
