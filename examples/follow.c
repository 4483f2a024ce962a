/* Prints a text and every operation on it; with words behind it, types them at its beginning and leaves.
 *
 *     follow http://127.0.0.1:8080 notes diary [WORDS]
 *
 * In this tree the client is two static libraries, client and dial; examples/meson.build links them. */
#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"
#include "net/dial.h"

struct program {
    struct client_line line; /* first */
    struct ev_loop *loop;
    struct dial *dial;
    struct client *client;
    const char *words; /* NULL: only reads */
};

static int print(void *arg, const char *at, size_t n_bytes)
{
    return fwrite(at, 1, n_bytes, arg) == n_bytes ? 0 : -1;
}

static void must(int r)
{
    if (r)
        exit(1);
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static void write_at_the_beginning(struct client_doc *doc, const char *words)
{
    struct ot_json *json = NULL;
    struct ot_op *op = NULL;
    char text[1000];

    (void)snprintf(text, sizeof(text), "[\"%s\"]", words);
    must(ot_json_parse(text, strlen(text), NULL, &json, NULL));
    must(ot_op_parse(ot_snapshot_type(client_value(doc)), json, NULL, &op, NULL));
    must(client_submit(doc, op));
    ot_op_unref(op);
    ot_json_unref(json);
}

static void on_snapshot(struct client_doc *doc, void *arg)
{
    const struct program *program = arg;

    if (!client_value(doc))
        return;
    must(ot_snapshot_write_text(client_value(doc), print, stdout));
    if (program->words)
        write_at_the_beginning(doc, program->words);
}

static void on_op(struct client_doc *doc, const struct client_op *op, void *arg)
{
    (void)printf("\n%llu: ", (unsigned long long)op->version);
    if (op->op)
        must(ot_op_write(op->op, print, stdout));
    must(fflush(stdout));
}

static void on_acknowledged(struct client_doc *doc, uint64_t version, void *arg)
{
    ev_break(((struct program *)arg)->loop, EVBREAK_ALL);
}

/* ---- the line ---------------------------------------------------------------------------------------------------- */

static void line_send(struct client_line *line, struct bytes text)
{
    dial_send(((struct program *)line)->dial, text);
}

static void line_cut(struct client_line *line, const char *reason)
{
    dial_cut(((struct program *)line)->dial, reason);
}

static void on_message(void *arg, const char *text, size_t n_bytes)
{
    client_on_frame(((struct program *)arg)->client, text, n_bytes);
}

static void on_lost(void *arg, const struct dial_loss *loss)
{
    (void)fprintf(stderr, "%s; trying again\n", loss->reason);
    client_on_cut(((struct program *)arg)->client);
}

int main(int argc, char **argv)
{
    static const struct client_events client_events = { on_snapshot, on_op, on_acknowledged, NULL };
    static const struct dial_events dial_events = { NULL, on_message, on_lost };
    struct program program = { .line = { line_send, line_cut }, .loop = EV_DEFAULT };
    struct dial_config config = { program.loop, &world_real,       argv[1],      NULL,
                                  NULL,         DIAL_PING_SECONDS, &dial_events, &program };
    struct client_doc *doc = NULL;

    if (argc < 4)
        return 2;
    program.words = argv[4];
    must(client_create(&program.line, &program.client));
    must(client_open(program.client, bytes_of_string(argv[2]), bytes_of_string(argv[3]), &client_events, &program,
                     &doc));
    must(dial_create(&config, &program.dial));
    (void)ev_run(program.loop, 0);
    dial_destroy(program.dial);
    client_destroy(program.client);
    return 0;
}
