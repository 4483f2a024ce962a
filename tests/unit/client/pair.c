#include "tests/unit/client/pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/alloc_fault.h"

struct packet {
    struct list link;
    size_t n_bytes;
    char text[];
};

static void push(struct list *list, const void *at, size_t n_bytes)
{
    struct packet *packet;

    alloc_fault_pause();
    packet = sim_alloc(sizeof(*packet) + n_bytes);
    alloc_fault_resume();
    packet->n_bytes = n_bytes;
    memcpy(packet->text, at, n_bytes);
    list_append(list, &packet->link);
}

static void drop(struct list *list)
{
    struct list *node;

    while ((node = list_pop(list)))
        free(LIST_ENTRY(node, struct packet, link));
}

/* ---- the two ends ------------------------------------------------------------------------------------------------ */

static struct end *end_of_peer(struct peer *peer)
{
    return LIST_ENTRY(peer, struct end, peer);
}

static void peer_on_send(struct peer *peer, struct frame *frame, bool is_reply)
{
    (void)is_reply;
    push(&end_of_peer(peer)->down, frame->content, frame->n_bytes);
}

static void peer_on_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    (void)code;
    (void)reason;
    end_of_peer(peer)->is_to_be_cut = true;
}

static void peer_on_pause(struct peer *peer, bool paused)
{
    (void)peer;
    (void)paused;
}

static bool peer_is_never_full(struct peer *peer)
{
    (void)peer;
    return false;
}

static const struct peer_interface peer_interface = { peer_on_send, peer_on_close, peer_on_pause, peer_is_never_full };

static void line_send(struct client_line *line, struct bytes text)
{
    struct end *end = (struct end *)line;

    assert_non_null(end->session);
    push(&end->up, text.at, text.n_bytes);
}

static void line_cut(struct client_line *line, const char *reason)
{
    struct end *end = (struct end *)line;

    assert_non_null(reason);
    end->is_to_be_cut = true;
    end->n_bad++;
}

/* ---- what the program is told ------------------------------------------------------------------------------------ */

static void on_snapshot(struct client_doc *doc, void *arg)
{
    struct end *end = arg;

    end->n_snapshots++;
    assert_true(client_version(doc, &end->next_version));
}

static void on_op(struct client_doc *doc, const struct client_op *op, void *arg)
{
    struct end *end = arg;

    (void)doc;
    end->n_ops++;
    assert_int_equal(op->version, end->next_version);
    end->next_version++;
}

static void on_acknowledged(struct client_doc *doc, uint64_t version, void *arg)
{
    struct end *end = arg;

    (void)doc;
    end->n_acknowledged++;
    assert_int_equal(version, end->next_version);
    end->next_version++;
}

static void on_refused(struct client_doc *doc, const struct client_refusal *refusal, void *arg)
{
    struct end *end = arg;

    (void)doc;
    end->n_refused++;
    (void)snprintf(end->code, sizeof(end->code), "%.*s", (int)refusal->code.n_bytes, (const char *)refusal->code.at);
}

static const struct client_events events = { on_snapshot, on_op, on_acknowledged, on_refused };

/* ---- life -------------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(void *arg)
{
    return ((struct pair *)arg)->now_ms++;
}

static void chance(void *arg, void *into, size_t n_bytes)
{
    struct pair *pair = arg;
    unsigned char *at = into;

    while (n_bytes--)
        *at++ = (unsigned char)(pair->n_random++ * 37 + 11);
}

static void start(struct pair *pair)
{
    pair->store = store_sim_open(pair->disk, 0, NULL, NULL);
    pair->config.store = pair->store;
    assert_int_equal(hub_create(&pair->config, &pair->hub), 0);
    pair->context.hub = pair->hub;
}

static void stop(struct pair *pair)
{
    LIST_FOR_EACH (node, &pair->ends)
        pair_cut(LIST_ENTRY(node, struct end, link));
    store_sim_settle(pair->store);
    hub_destroy(pair->hub);
    store_close(pair->store);
}

int pair_setup(void **state)
{
    struct pair *pair = sim_alloc(sizeof(*pair));

    pair->disk = sim_disk_create();
    pair->now_ms = 1000;
    pair->world = (struct world){ now_ms, chance, pair };
    pair->config = hub_defaults;
    pair->config.world = &pair->world;
    pair->context.limits = session_limits_default;
    memset(&pair->context.key, 'k', sizeof(pair->context.key));
    list_init(&pair->ends);
    start(pair);
    *state = pair;
    return 0;
}

int pair_teardown(void **state)
{
    struct pair *pair = *state;
    struct list *node;

    (void)alloc_fault_disarm();
    stop(pair);
    while ((node = list_pop(&pair->ends))) {
        struct end *end = LIST_ENTRY(node, struct end, link);

        client_destroy(end->client);
        free(end);
    }
    sim_disk_destroy(pair->disk);
    free(pair);
    return 0;
}

void pair_restart(struct pair *pair)
{
    stop(pair);
    start(pair);
}

static struct end *join(struct pair *pair)
{
    struct end *end = sim_alloc(sizeof(*end));

    end->line = (struct client_line){ line_send, line_cut };
    end->peer.interface = &peer_interface;
    end->pair = pair;
    list_init(&end->up);
    list_init(&end->down);
    list_append(&pair->ends, &end->link);
    assert_int_equal(client_create(&end->line, &end->client), 0);
    return end;
}

struct end *pair_join(struct pair *pair)
{
    struct end *end = join(pair);

    assert_int_equal(client_open(end->client, bytes_of_string("c"), bytes_of_string("d"), &events, end, &end->doc), 0);
    return end;
}

struct end *pair_follow(struct pair *pair, uint64_t from)
{
    struct end *end = join(pair);

    end->next_version = from;
    assert_int_equal(
        client_follow(end->client, bytes_of_string("c"), bytes_of_string("d"), from, &events, end, &end->doc), 0);
    return end;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

void pair_connect(struct end *end)
{
    assert_null(end->session);
    end->is_to_be_cut = false;
    alloc_fault_pause();
    assert_int_equal(
        session_create(&end->pair->context, &end->peer, &principal_anyone, bytes_of(NULL, 0), &end->session), 0);
    alloc_fault_resume();
}

void pair_cut(struct end *end)
{
    struct session *session = end->session;

    if (!session)
        return;
    end->session = NULL;
    session_end(session);
    drop(&end->up);
    drop(&end->down);
    client_on_cut(end->client);
}

static void deliver(struct end *end, struct packet *packet, bool up)
{
    if (up)
        session_on_frame(end->session, packet->text, packet->n_bytes);
    else
        client_on_frame(end->client, packet->text, packet->n_bytes);
    free(packet);
    store_sim_settle(end->pair->store);
    if (end->is_to_be_cut)
        pair_cut(end);
}

bool pair_step(struct end *end, bool up)
{
    struct list *node = list_pop(up ? &end->up : &end->down);

    if (node)
        deliver(end, LIST_ENTRY(node, struct packet, link), up);
    return node != NULL;
}

void pair_settle(struct pair *pair)
{
    bool goes_on = true;

    while (goes_on) {
        goes_on = false;
        LIST_FOR_EACH (node, &pair->ends) {
            struct end *end = LIST_ENTRY(node, struct end, link);

            while (pair_step(end, true) || pair_step(end, false))
                goes_on = true;
        }
    }
}

void pair_inject(struct end *end, const char *text)
{
    push(&end->down, text, strlen(text));
    while (pair_step(end, false))
        ;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static struct ot_json *parse(const char *text)
{
    struct ot_json *json = NULL;

    assert_int_equal(ot_json_parse(text, strlen(text), NULL, &json, NULL), 0);
    return json;
}

void pair_create(struct end *end, const char *type, const char *data)
{
    struct ot_json *json = parse(data);

    assert_int_equal(client_submit_create(end->doc, ot_type_find(type, strlen(type)), json), 0);
    ot_json_unref(json);
}

int pair_submit(struct end *end, const char *type, const char *text)
{
    struct ot_json *json;
    struct ot_op *op = NULL;
    int r;

    alloc_fault_pause();
    json = parse(text);
    assert_int_equal(ot_op_parse(ot_type_find(type, strlen(type)), json, NULL, &op, NULL), 0);
    ot_json_unref(json);
    alloc_fault_resume();
    r = client_submit(end->doc, op);
    ot_op_unref(op);
    return r;
}

char *pair_value(struct end *end)
{
    struct buffer buffer;

    buffer_init(&buffer, 1 << 24);
    if (client_value(end->doc))
        assert_int_equal(ot_snapshot_write_json(client_value(end->doc), buffer_write, &buffer), 0);
    else
        assert_int_equal(buffer_append_string(&buffer, "none"), 0);
    assert_int_equal(buffer_append(&buffer, "", 1), 0);
    return buffer.at;
}

void pair_expect(struct end *end, uint64_t version, const char *value)
{
    char *got = pair_value(end);
    uint64_t at = 0;

    assert_true(client_version(end->doc, &at));
    assert_string_equal(got, value);
    assert_int_equal(at, version);
    free(got);
}
