/* A server that says anything: each line is a frame. A line that begins with + is submitted by the client, one with !
 * cuts the line. The client stays whole: its value can be written, and a server that behaves finds it again. */
#include "tests/fuzz/fuzz.h"

#include "client/client.h"

#include <string.h>

struct end {
    struct client_line line; /* first */
    struct client *client;
    struct client_doc *doc;
    bool is_to_be_cut;
};

static void line_send(struct client_line *line, struct bytes text)
{
    struct ot_json *json = NULL;

    (void)line;
    FUZZ_REQUIRE(ot_json_parse(text.at, text.n_bytes, NULL, &json, NULL) == 0);
    FUZZ_REQUIRE(!ot_json_flaw(json));
    ot_json_unref(json);
}

static void line_cut(struct client_line *line, const char *reason)
{
    FUZZ_REQUIRE(reason);
    ((struct end *)line)->is_to_be_cut = true;
}

static void say(struct end *end, const char *text, size_t n_bytes)
{
    client_on_frame(end->client, text, n_bytes);
    if (end->is_to_be_cut)
        client_on_cut(end->client);
    end->is_to_be_cut = false;
}

static void say_string(struct end *end, const char *text)
{
    say(end, text, strlen(text));
}

static void submit(struct end *end, const char *text, size_t n_bytes)
{
    struct ot_json *json = NULL;
    struct ot_op *op = NULL;

    if (client_value(end->doc) && ot_json_parse(text, n_bytes, NULL, &json, NULL) == 0 &&
        ot_op_parse(ot_snapshot_type(client_value(end->doc)), json, NULL, &op, NULL) == 0)
        FUZZ_REQUIRE(client_submit(end->doc, op) >= 0);
    ot_op_unref(op);
    ot_json_unref(json);
}

static int ignore(void *arg, const char *at, size_t n_bytes)
{
    (void)arg;
    (void)at;
    (void)n_bytes;
    return 0;
}

static void come_back(struct end *end)
{
    client_on_cut(end->client);
    say_string(end, "{\"a\":\"init\",\"protocol\":1,\"id\":\"me\"}");
    say_string(end, "{\"a\":\"hs\",\"protocol\":1,\"id\":\"me\"}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const struct client_events events;
    struct end end = { .line = { line_send, line_cut } };
    const char *at = (const char *)data, *to = at + n_bytes;
    uint64_t version;

    FUZZ_REQUIRE(client_create(&end.line, &end.client) == 0);
    FUZZ_REQUIRE(client_open(end.client, bytes_of("c", 1), bytes_of("d", 1), &events, NULL, &end.doc) == 0);
    come_back(&end);
    while (at < to) {
        const char *next = memchr(at, '\n', (size_t)(to - at));
        size_t n = (size_t)((next ? next : to) - at);

        if (n && *at == '+')
            submit(&end, at + 1, n - 1);
        else if (n && *at == '!')
            come_back(&end);
        else
            say(&end, at, n);
        at = next ? next + 1 : to;
    }
    if (client_value(end.doc))
        FUZZ_REQUIRE(ot_snapshot_write_json(client_value(end.doc), ignore, NULL) == 0);
    come_back(&end);
    say_string(&end, "{\"a\":\"f\",\"c\":\"c\",\"d\":\"d\",\"data\":{\"v\":0,\"type\":null}}");
    FUZZ_REQUIRE(client_version(end.doc, &version));
    client_destroy(end.client);
    return 0;
}
