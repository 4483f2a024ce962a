/* Live operations of a document, over a WebSocket, for as long as somebody reads them. */
#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/name.h"
#include "cli/shown.h"
#include "client/client.h"
#include "net/dial.h"

#define LINE_MAX_BYTES ((size_t)256 << 20)
#define SRC_SHOWN      8 /* characters, on a terminal */

struct watch {
    struct client_line line; /* first */
    struct cli *cli;
    const char *word; /* the document, as it was named */
    struct ev_loop *loop;
    ev_signal interrupted, terminated;
    ev_io reader; /* of standard output: is he still there? */
    struct dial *dial;
    struct client *client;
    struct client_doc *doc;
    uint64_t n_left; /* operations to print; UINT64_MAX: no end */
    bool is_terminal, was_open, is_lost, is_ended;
    int status;
};

static void end(struct watch *watch, int status)
{
    if (!watch->is_ended)
        watch->status = status;
    watch->is_ended = true;
    ev_break(watch->loop, EVBREAK_ALL);
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static int write_member(struct buffer *into, const char *before, const struct ot_json *value)
{
    if (!value)
        return 0;
    (void)buffer_append_string(into, before);
    return ot_json_write(value, buffer_write, into);
}

static int write_json(const struct client_op *op, struct buffer *into)
{
    static const char *const fields[][2] = {
        { "src", ",\"src\":" },       { "seq", ",\"seq\":" }, { "op", ",\"op\":" },
        { "create", ",\"create\":" }, { "del", ",\"del\":" },
    };
    int r = buffer_printf(into, "{\"v\":%" PRIu64, op->version);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !r; i++)
        r = write_member(into, fields[i][1], ot_json_get(op->frame, fields[i][0], strlen(fields[i][0])));
    return r ? r : buffer_append_string(into, "}");
}

/* What is wider than the terminal ends in dots, not in the middle of a character. */
static void fit(struct buffer *line)
{
    struct winsize size = { .ws_col = 0 };
    size_t n;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20 || line->n_bytes <= size.ws_col)
        return;
    for (n = size.ws_col - 3u; n && ((unsigned char)line->at[n] & 0xc0) == 0x80; n--)
        ;
    line->n_bytes = n;
    (void)buffer_append_string(line, "...");
}

static int write_line(const struct watch *watch, const struct client_op *op, struct buffer *into)
{
    const struct ot_json *src = ot_json_get(op->frame, "src", 3), *create = ot_json_get(op->frame, "create", 6);
    struct bytes who = { "", 0 };
    int r;

    if (src && ot_json_kind(src) == OT_JSON_STRING)
        who.at = ot_json_string(src, &who.n_bytes);
    if (watch->is_terminal)
        (void)buffer_printf(into, "%6" PRIu64 "  %-*.*s  ", op->version, SRC_SHOWN,
                            (int)(who.n_bytes < SRC_SHOWN ? who.n_bytes : SRC_SHOWN), (const char *)who.at);
    else
        (void)buffer_printf(into, "%" PRIu64 "\t%.*s\t", op->version, (int)who.n_bytes, (const char *)who.at);
    r = write_member(into, create ? "create " : "", create ? create : ot_json_get(op->frame, "op", 2));
    if (ot_json_get(op->frame, "del", 3))
        (void)buffer_append_string(into, "delete");
    return r ? r : into->error;
}

static int write_shown(const struct watch *watch, const struct client_op *op, struct buffer *into)
{
    struct buffer line;
    int r;

    buffer_init(&line, LINE_MAX_BYTES);
    r = write_line(watch, op, &line);
    if (!r)
        r = shown_append(buffer_bytes(&line), into);
    buffer_finish(&line);
    if (!r)
        fit(into);
    return r ? r : into->error;
}

static int write_op(const struct watch *watch, const struct client_op *op, struct buffer *into)
{
    if (watch->cli->json)
        return write_json(op, into);
    return watch->is_terminal ? write_shown(watch, op, into) : write_line(watch, op, into);
}

static void print(struct watch *watch, struct buffer *line)
{
    (void)buffer_append_string(line, "\n");
    if (fwrite(line->at, 1, line->n_bytes, stdout) == line->n_bytes && fflush(stdout) == 0)
        return;
    if (errno == EPIPE) /* nobody reading any more is no failure */
        end(watch, CLI_OK);
    else
        end(watch, cli_say(CLI_FAILED, "standard output: %s", strerror(errno)));
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static void on_op(struct client_doc *doc, const struct client_op *op, void *arg)
{
    struct watch *watch = arg;
    struct buffer line;
    int r;

    if (watch->is_ended)
        return;
    buffer_init(&line, LINE_MAX_BYTES);
    r = write_op(watch, op, &line);
    if (r)
        end(watch, cli_say(CLI_FAILED, "%s", strerror(-r)));
    else
        print(watch, &line);
    buffer_finish(&line);
    if (watch->n_left != UINT64_MAX && --watch->n_left == 0)
        end(watch, CLI_OK);
}

static void on_snapshot(struct client_doc *doc, void *arg)
{
    const struct watch *watch = arg;
    uint64_t version = 0;

    (void)client_version(doc, &version);
    if (version)
        (void)cli_say(0, "watching %s from version %" PRIu64, watch->word, version);
    else
        (void)cli_say(0, "there is no %s yet; waiting for it", watch->word);
}

static void on_refused(struct client_doc *doc, const struct client_refusal *refusal, void *arg)
{
    bool is_allowed = !bytes_equal(refusal->code, bytes_of_string("ERR_NOT_ALLOWED"));

    end(arg, cli_say(is_allowed ? CLI_FAILED : CLI_NOT_ALLOWED, "%.*s (%.*s)", (int)refusal->message.n_bytes,
                     (const char *)refusal->message.at, (int)refusal->code.n_bytes, (const char *)refusal->code.at));
}

static const struct client_events client_events = { .on_snapshot = on_snapshot,
                                                    .on_op = on_op,
                                                    .on_refused = on_refused };

/* ---- the line ---------------------------------------------------------------------------------------------------- */

static void line_send(struct client_line *line, struct bytes text)
{
    dial_send(((struct watch *)line)->dial, text);
}

static void line_cut(struct client_line *line, const char *reason)
{
    dial_cut(((struct watch *)line)->dial, reason);
}

static void on_open(void *arg)
{
    struct watch *watch = arg;

    if (watch->is_lost)
        (void)cli_say(0, "the line is back");
    watch->was_open = true;
    watch->is_lost = false;
}

static void on_message(void *arg, const char *text, size_t n_bytes)
{
    client_on_frame(((struct watch *)arg)->client, text, n_bytes);
}

static void on_lost(void *arg, const struct dial_loss *loss)
{
    struct watch *watch = arg;
    const char *server = watch->cli->server;

    client_on_cut(watch->client);
    if (loss->http_status == 401 && !*watch->cli->token)
        end(watch, cli_say(CLI_NOT_ALLOWED, "this server wants a token; --token-file names the file that holds it"));
    else if (loss->http_status == 401)
        end(watch, cli_say(CLI_NOT_ALLOWED, "this token is not valid at %s", server));
    else if (loss->http_status == 403)
        end(watch, cli_say(CLI_NOT_ALLOWED, "%s does not allow this", server));
    else if (!watch->was_open && loss->http_status)
        end(watch, cli_say(CLI_UNAVAILABLE, "%s answers %d", server, loss->http_status));
    else if (!watch->was_open)
        end(watch, cli_say(CLI_UNAVAILABLE, "%s does not answer: %s", server, loss->reason));
    else if (!watch->is_lost)
        (void)cli_say(0, "the line is lost (%s); trying again", loss->reason);
    watch->is_lost = true;
}

static const struct dial_events dial_events = { on_open, on_message, on_lost };

/* ---- who wants it to end ----------------------------------------------------------------------------------------- */

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
    end(signal->data, CLI_OK);
}

/* A pipe's reader who leaves is noticed at once, not only with the next operation. */
static void on_reader(struct ev_loop *loop, ev_io *io, int events)
{
    struct pollfd output = { .fd = STDOUT_FILENO };

    if (poll(&output, 1, 0) > 0)
        end(io->data, CLI_OK);
    else
        ev_io_stop(loop, io); /* it says something; we don't listen */
}

static void watch_for_the_end(struct watch *watch)
{
    struct stat output;

    (void)signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&watch->interrupted, on_signal, SIGINT);
    ev_signal_init(&watch->terminated, on_signal, SIGTERM);
    ev_io_init(&watch->reader, on_reader, STDOUT_FILENO, EV_READ);
    watch->interrupted.data = watch->terminated.data = watch->reader.data = watch;
    ev_signal_start(watch->loop, &watch->interrupted);
    ev_signal_start(watch->loop, &watch->terminated);
    if (fstat(STDOUT_FILENO, &output) == 0 && (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode)))
        ev_io_start(watch->loop, &watch->reader);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool number_parse(const char *word, uint64_t least, uint64_t *out)
{
    char *end_of_it;

    if (!word)
        return true;
    errno = 0;
    *out = strtoull(word, &end_of_it, 10);
    return *word >= '0' && *word <= '9' && !*end_of_it && !errno && *out >= least && *out < UINT64_MAX;
}

static int watch_run(struct watch *watch, const struct doc *doc, uint64_t from)
{
    const struct dial_config config = {
        .loop = watch->loop,
        .world = &world_real,
        .url = watch->cli->server,
        .token = *watch->cli->token ? watch->cli->token : NULL,
        .cacert = watch->cli->options[OPTION_CACERT],
        .ping_seconds = DIAL_PING_SECONDS,
        .events = &dial_events,
        .arg = watch,
    };
    int r = client_create(&watch->line, &watch->client);

    if (!r)
        r = client_follow(watch->client, bytes_of(doc->collection, doc->n_collection), bytes_of(doc->id, doc->n_id),
                          from, &client_events, watch, &watch->doc);
    if (!r)
        r = dial_create(&config, &watch->dial);
    if (r == -EINVAL)
        return cli_say(CLI_USAGE, "%s is no server: http://HOST:PORT, https://HOST or unix:PATH", watch->cli->server);
    if (r)
        return cli_say(CLI_FAILED, "%s", strerror(-r));
    watch_for_the_end(watch);
    (void)ev_run(watch->loop, 0);
    return watch->status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct watch watch = { .line = { line_send, line_cut }, .cli = cli, .n_left = UINT64_MAX };
    uint64_t from = CLIENT_NOW;
    struct doc doc;
    int status;

    if (n_words != 1 || !number_parse(cli->options[OPTION_FROM], 0, &from) ||
        !number_parse(cli->options[OPTION_COUNT], 1, &watch.n_left))
        return cli_usage(&command_watch);
    if (cli->data)
        return cli_say(CLI_USAGE, "watch needs a server (--server): a store by itself tells nobody of what is written");
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    watch.word = words[0];
    watch.is_terminal = isatty(STDOUT_FILENO);
    watch.loop = ev_loop_new(EVFLAG_AUTO);
    if (!watch.loop)
        return cli_say(CLI_FAILED, "no event loop");
    status = watch_run(&watch, &doc, from);
    dial_destroy(watch.dial);
    client_destroy(watch.client);
    ev_loop_destroy(watch.loop);
    return status;
}

const struct command command_watch = {
    "watch",
    "DOC",
    "live operations, one a line",
    "    pilcrow watch notes/diary\n"
    "    pilcrow watch notes/diary --from 0 --json | jq .op\n"
    "    pilcrow watch notes/diary --count 1 >/dev/null && echo somebody writes\n\n"
    "Each line is the version an operation was made for, who made it, and the operation; --json: v, src, seq, and op,\n"
    "create or del, as HTTP's /ops has them. Begins with what is done from now on; --from with what leads on from\n"
    "that version. Waits for a document that is not there. When the line breaks it comes back and goes on where it "
    "was,\n"
    "without a gap and without repeating. Ends after --count operations, with ^C, or when nobody reads any more.\n",
    ACCESS_LINE,
    run,
    OPTIONS(OPTION_FROM, OPTION_COUNT),
    .group = GROUP_HISTORY,
};
