/* The core's work, always the same: guard.mjs has it counted by callgrind, instruction by instruction.
 *
 *     guard WORK          prepares, then does it in the function `counted`, where the counting is
 *     guard --list        the names
 *
 * The random operations are those of the laws: small ones of every kind. What is prepared is not counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/session.h"
#include "base/world.h"
#include "tests/sim/store_sim.h"
#include "tests/unit/ot/json0_random.h"
#include "tests/unit/ot/json1_random.h"
#include "tests/unit/ot/rich_random.h"

#define N_PAIRS    400
#define N_EDITS    1000
#define N_WRITERS  8
#define N_READERS  50
#define N_ROUNDS   40
#define TEXT_BYTES 100000

/* Also for the generators, which are the laws' and fail tests. */
static void must(bool is_right, const char *what)
{
    if (is_right)
        return;
    (void)fprintf(stderr, "guard: %s\n", what);
    exit(1);
}

/* ---- transform --------------------------------------------------------------------------------------------------- */

static struct pair {
    struct ot_op *left, *right;
} pairs[N_PAIRS];

static void prepare_pairs(struct ot_snapshot *(*document)(struct sim_random *),
                          struct ot_op *(*op)(struct sim_random *, const struct ot_snapshot *))
{
    struct sim_random random = { 1 };

    for (size_t i = 0; i < N_PAIRS; i++) {
        struct ot_snapshot *snapshot = document(&random);

        pairs[i] = (struct pair){ op(&random, snapshot), op(&random, snapshot) };
        ot_snapshot_destroy(snapshot);
    }
}

static struct ot_snapshot *random_text_document(struct sim_random *random)
{
    struct text text = { 0 };
    struct ot_snapshot *snapshot;

    random_text(random, 200, &text);
    snapshot = document_of_bytes(text.at ? text.at : "", text.n_bytes);
    text_free(&text);
    return snapshot;
}

static struct ot_op *random_rich(struct sim_random *random, const struct ot_snapshot *document)
{
    return random_rich_op(random, document, true);
}

static void prepare_text(void)
{
    prepare_pairs(random_text_document, random_op);
}

static void prepare_rich(void)
{
    prepare_pairs(random_rich_document, random_rich);
}

static void prepare_json0(void)
{
    prepare_pairs(random_json0_document, random_json0_op);
}

static void prepare_json1(void)
{
    prepare_pairs(random_json1_document, random_json1_op);
}

static void transform(void)
{
    for (size_t i = 0; i < N_PAIRS; i++) {
        struct ot_op *after = NULL;
        int r = ot_op_transform(pairs[i].left, pairs[i].right, OT_LEFT, NULL, &after, NULL);

        must(r == 0 || r == OT_CONFLICT, "transform");
        ot_op_unref(after);
    }
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static struct ot_snapshot *text;
static struct ot_op *edits[N_EDITS];

static void prepare_edits(void)
{
    struct sim_random random = { 2 };
    char *long_text = malloc(TEXT_BYTES), json[64];

    must(long_text, "no memory");
    memset(long_text, 'x', TEXT_BYTES);
    text = document_of_bytes(long_text, TEXT_BYTES);
    free(long_text);
    for (size_t i = 0; i < N_EDITS; i++) {
        (void)snprintf(json, sizeof(json), "[%zu,\"ab\",{\"d\":1}]", sim_random_below(&random, TEXT_BYTES) + 1);
        edits[i] = op_of(json);
    }
}

static void apply(void)
{
    for (size_t i = 0; i < N_EDITS; i++)
        must(ot_snapshot_apply(text, edits[i], NULL, NULL) == 0, "apply");
}

/* ---- scan -------------------------------------------------------------------------------------------------------- */

static char message[256];

static void prepare_message(void)
{
    (void)snprintf(message, sizeof(message), "%s",
                   "{\"a\":\"op\",\"c\":\"notes\",\"d\":\"a document\",\"v\":123456,\"seq\":789,\"x\":{},"
                   "\"op\":[12345,\"a few words\",{\"d\":3},100,\"\\u00e4 \\n\"]}");
}

static void scan(void)
{
    for (size_t i = 0; i < N_EDITS; i++) {
        struct ot_json *json;
        struct ot_op *op;

        must(ot_json_parse(message, strlen(message), NULL, &json, NULL) == 0, "parse");
        must(ot_op_parse(text_type(), ot_json_get(json, "op", 2), NULL, &op, NULL) == 0, "the operation");
        ot_op_unref(op);
        ot_json_unref(json);
    }
}

/* ---- serve ------------------------------------------------------------------------------------------------------- */

struct client {
    struct peer peer; /* first */
    struct session *session;
    size_t n_frames;
};

static struct server {
    struct sim_disk *disk;
    struct store *store;
    struct hub_config config;
    struct session_context context;
    struct client clients[N_WRITERS + N_READERS];
} server;

static void on_send(struct peer *peer, struct frame *frame, bool is_reply)
{
    ((struct client *)peer)->n_frames++;
}

static void on_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    must(false, reason);
}

static void on_pause(struct peer *peer, bool paused)
{
}

static bool is_full(struct peer *peer)
{
    return false;
}

static const struct peer_interface client_interface = { on_send, on_close, on_pause, is_full };

static void say(struct client *client, const char *words)
{
    session_on_frame(client->session, words, strlen(words));
}

static uint64_t no_time(void *arg)
{
    return 0;
}

static void no_chance(void *arg, void *into, size_t n_bytes)
{
    memset(into, ++*(unsigned char *)arg, n_bytes);
}

static void prepare_server(void)
{
    static unsigned char n;
    static struct world world = { no_time, no_chance, &n };

    server.disk = sim_disk_create();
    server.store = store_sim_open(server.disk, 0, NULL, NULL);
    server.config = hub_defaults;
    server.config.world = &world;
    server.config.store = server.store;
    must(hub_create(&server.config, &server.context.hub) == 0, "no hub");
    memset(&server.context.key, 'k', sizeof(server.context.key));
    server.context.limits = session_limits_default;
    for (size_t i = 0; i < N_WRITERS + N_READERS; i++) {
        struct client *client = &server.clients[i];

        client->peer.interface = &client_interface;
        must(session_create(&server.context, &client->peer, &principal_anyone, bytes_of("", 0), &client->session) == 0,
             "no session");
        say(client, "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}");
        if (i == 0)
            say(client, "{\"a\":\"op\",\"c\":\"notes\",\"d\":\"a\",\"v\":0,\"seq\":1,\"x\":{},\"create\":{\"type\":"
                        "\"http://sharejs.org/types/text-unicode\",\"data\":\"some text\"}}");
        store_sim_settle(server.store);
        say(client, "{\"a\":\"s\",\"c\":\"notes\",\"d\":\"a\",\"v\":null}");
        store_sim_settle(server.store);
        client->n_frames = 0;
    }
}

/* All writers at once, for the same version, so that each is transformed over those before it; to everybody. */
static void serve(void)
{
    char words[160];

    for (size_t round = 0; round < N_ROUNDS; round++) {
        for (size_t i = 0; i < N_WRITERS; i++) {
            (void)snprintf(
                words, sizeof(words),
                "{\"a\":\"op\",\"c\":\"notes\",\"d\":\"a\",\"v\":%zu,\"seq\":%zu,\"x\":{},\"op\":[%zu,\"ab\"]}",
                round * N_WRITERS + 1, round + 2, round + 1 + i % 3);
            say(&server.clients[i], words);
        }
        store_sim_settle(server.store);
    }
}

static void check_served(void)
{
    for (size_t i = 0; i < N_WRITERS + N_READERS; i++)
        must(server.clients[i].n_frames == (size_t)N_WRITERS * N_ROUNDS, "a frame is missing");
}

/* ---- one of them ------------------------------------------------------------------------------------------------- */

static const struct work {
    const char *name;
    void (*prepare)(void);
    void (*work)(void);
    void (*check)(void); /* NULL: nothing is left to look at */
} works[] = {
    { "transform text-unicode", prepare_text, transform, NULL },
    { "transform rich-text", prepare_rich, transform, NULL },
    { "transform json0", prepare_json0, transform, NULL },
    { "transform json1", prepare_json1, transform, NULL },
    { "apply to 100,000 characters", prepare_edits, apply, NULL },
    { "scan a message", prepare_message, scan, NULL },
    { "serve 8 writers and 50 readers", prepare_server, serve, check_served },
};

#define N_WORKS (sizeof(works) / sizeof(works[0]))

void counted(const struct work *work);

__attribute__((noinline)) void counted(const struct work *work)
{
    work->work();
}

int main(int argc, char **argv)
{
    must(argc == 2, "which work? --list names them");
    for (size_t i = 0; i < N_WORKS; i++) {
        if (strcmp(argv[1], "--list") == 0) {
            puts(works[i].name);
        } else if (strcmp(argv[1], works[i].name) == 0) {
            works[i].prepare();
            counted(&works[i]);
            if (works[i].check)
                works[i].check();
            return 0;
        }
    }
    return strcmp(argv[1], "--list") != 0;
}
