/* A load of clients that speak the protocol, and check what they are told.
 *
 *   protocol_load MODE N PORT PID [OPTION...]    against the server with that process id on 127.0.0.1:PORT
 *
 *   submit      N clients, each writes a document of its own
 *   contend     N subscribed clients write one document
 *   fan-out     N subscribed readers of one document; a client more writes it. An operation is on its way until all
 *               readers have it
 *   idle        N subscribed clients, of one document or of --documents: how fast they connect, what each costs
 *   drain       N subscribed readers of --documents, each written by a client more; after --warm the server is sent
 *               SIGTERM. When it has ended, a line is printed, and read: the port and the process of a server of the
 *               same store. The writers come back, send again what was not acknowledged, and all is looked at
 *   open        N clients fetch a document, each again as soon as it is answered
 *   catch-up    N clients subscribe to all operations of a document from version 0 on, again and again
 *
 *   --outstanding K    operations that a writer has on their way (1). With more than one, --foretell or --lenient: who
 *                      makes them for an old version is told again what came since
 *   --foretell         they are made for the version that the ones before will lead to; only a single writer can. Else
 *                      for what is acknowledged
 *   --operations N     so many of each writer, however long that takes, instead of --warm and --seconds
 *   --rate R           so many operations a second instead, at even distances; their times count from when they are due
 *   --text N           characters that documents begin with (0; 1000 for open and catch-up)
 *   --position N       where pieces are inserted (in the middle)
 *   --replace          each operation also takes out what the one before put in (always for open and catch-up)
 *   --history N        operations before the measurement, for open and catch-up (10000)
 *   --documents N      for idle and drain (1)
 *   --follow-all       for idle: then each of the N follows all documents, one after the other
 *   --at-once N        clients that connect at a time (64)
 *   --session OPS --expect TEXT
 *                      submit: these operations instead, one a line, to an empty document, until they are through;
 *                      files. TEXT is what they make of it, as a JSON string
 *   --warm S, --seconds S
 *                      before the measurement (0.5); how long it is (2)
 *   --patience S       how long nothing may come while something is due (10)
 *   --path PATH        of the WebSocket (/v1/ws)
 *   --lenient          others than Pilcrow: versions may come again, or out of order, if only all come
 *   --bare             nobody thinks at the other side: contents are not looked at
 *
 * It prints one JSON object, or says what was told wrongly and exits with 1. Times are in ms: `acknowledged_ms` from
 * sending to the acknowledgement, `told_ms` from there to each reader, or from a question to its answer. `memory` is
 * the server's for each client that joins a document, `memory_with_document` for each that creates one,
 * `memory_of_subscription` for each document more that a client follows. `server_cpu_s` is of PID and of what it
 * started. */
#include "tests/bench/protocol_load.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mode modes[] = {
    { "submit", ACKNOWLEDGED, write_pump, .has_documents_each = true },
    { "contend", ACKNOWLEDGED, write_pump, .subscribes = true },
    { "fan-out", TOLD, write_pump, .subscribes = true, .has_writer_beside = true, .waits_for_readers = true },
    { "idle", ACKNOWLEDGED, NULL, .subscribes = true },
    { "drain", ACKNOWLEDGED, write_pump, .subscribes = true, .has_writer_beside = true, .drains = true },
    { "open", ANSWERED, fetch_pump, .has_writer_beside = true, .has_history = true },
    { "catch-up", TOLD, catch_up_pump, .has_writer_beside = true, .has_history = true },
};

/* ---- before and after -------------------------------------------------------------------------------------------- */

static void prepare_documents(struct load *load)
{
    unsigned long stamp = (unsigned long)(now_ns() >> 10) & 0xffffffff;

    load->documents = calloc(load->n_documents, sizeof(*load->documents));
    if (!load->documents)
        fail("no memory");
    for (unsigned i = 0; i < load->n_documents; i++) {
        struct document *document = &load->documents[i];

        document->number = i;
        document->creator = &load->clients[i];
        ledger_init(&document->ledger, load->n_text, load->position < 0 ? load->n_text / 2 : (size_t)load->position,
                    load->is_replacing);
        buffer_init(&document->head, 256);
        buffer_init(&document->answer, MESSAGE_MAX_BYTES);
        (void)buffer_printf(&document->head, "{\"a\":\"op\",\"c\":\"bench-%08lx\",\"d\":\"%u\",\"v\":", stamp, i);
        document->told = calloc(N_TOLD, sizeof(*document->told));
        if (!document->told)
            fail("no memory");
    }
}

static void prepare(struct load *load)
{
    const struct mode *mode = load->mode;

    assert(mode);
    if (mode->has_documents_each)
        load->n_documents = load->n;
    load->n_clients = load->n + (mode->has_writer_beside || !mode->pump ? load->n_documents : 0);
    load->n_readers = mode->waits_for_readers ? load->n : 0;
    raise_descriptors(load->n_clients);
    buffer_init(&load->scratch, MESSAGE_MAX_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->clients = calloc(load->n_clients, sizeof(*load->clients));
    if (load->epoll < 0 || !load->clients)
        fail("no memory");
    prepare_documents(load);
    for (unsigned i = 0; i < load->n_clients; i++) {
        struct client *client = &load->clients[i];

        *client = (struct client){ .load = load, .number = i, .document = &load->documents[i % load->n_documents] };
        buffer_init(&client->parts, MESSAGE_MAX_BYTES);
    }
}

static void finish(struct load *load)
{
    for (unsigned i = 0; i < load->n_clients; i++) {
        line_close(&load->clients[i].line);
        buffer_finish(&load->clients[i].parts);
        free(load->clients[i].slots);
    }
    for (unsigned i = 0; i < load->n_documents; i++) {
        ledger_finish(&load->documents[i].ledger);
        buffer_finish(&load->documents[i].head);
        buffer_finish(&load->documents[i].answer);
        free(load->documents[i].told);
    }
    free(load->clients);
    free(load->documents);
    buffer_finish(&load->scratch);
    (void)close(load->epoll);
}

static struct bytes file_at(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    void *at;

    if (fd < 0 || fstat(fd, &stat))
        fail("%s: %s", path, strerror(errno));
    at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        fail("%s: %s", path, strerror(errno));
    (void)close(fd);
    return bytes_of(at, (size_t)stat.st_size);
}

static uint32_t lines_of(struct bytes text)
{
    uint32_t n = 0;

    for (size_t i = 0; i < text.n_bytes; i++)
        n += ((const char *)text.at)[i] == '\n';
    return n;
}

static unsigned count_of(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

static uint64_t ns_of(const char *seconds)
{
    return (uint64_t)(strtod(seconds, NULL) * (double)SECOND);
}

static bool take_option(struct load *load, int option)
{
    switch (option) {
    case 'k': load->outstanding = count_of(optarg); break;
    case 'f': load->is_foretelling = true; break;
    case 'n': load->most = count_of(optarg); break;
    case 'r': load->interval_ns = (uint64_t)((double)SECOND / strtod(optarg, NULL)); break;
    case 't': load->n_text = count_of(optarg); break;
    case 'p': load->position = strtol(optarg, NULL, 10); break;
    case 'e': load->is_replacing = true; break;
    case 'h': load->history = count_of(optarg); break;
    case 'd': load->n_documents = count_of(optarg); break;
    case 'a': load->at_once = count_of(optarg); break;
    case 'g': load->follows_all = true; break;
    case 'o':
        load->session = file_at(optarg);
        load->most = lines_of(load->session);
        break;
    case 'x': load->expected = file_at(optarg); break;
    case 'w': load->warm_ns = ns_of(optarg); break;
    case 's': load->measured_ns = ns_of(optarg); break;
    case 'y': load->patience_ns = ns_of(optarg); break;
    case 'u': load->path = optarg; break;
    case 'l': load->is_lenient = true; break;
    case 'b': load->is_bare = true; break;
    default: return false;
    }
    return true;
}

static void read_arguments(struct load *load, char **arguments)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(arguments[0], modes[i].name) == 0)
            load->mode = &modes[i];
    load->n = count_of(arguments[1]);
    load->port = (int)count_of(arguments[2]);
    load->server = (pid_t)count_of(arguments[3]);
    if (!load->mode || load->n == 0 || load->n_documents == 0 || load->outstanding == 0)
        fail("protocol_load: no such mode, or nothing to do");
    if (load->outstanding >= MAX_OUTSTANDING)
        fail("protocol_load: at most %d operations on their way", MAX_OUTSTANDING - 1);
    if (load->is_foretelling && load->mode->pump && load->mode->subscribes && !load->mode->has_writer_beside)
        fail("protocol_load: only a single writer knows what his operations will lead to");
    if (load->is_bare && load->mode->pump == catch_up_pump)
        fail("protocol_load: who does not think has no history to catch up with");
    if (load->follows_all && (load->mode->pump || load->n < 2 || load->n_documents < 2))
        fail("protocol_load: two clients that are idle, and two documents, at the least");
    if (load->most != UINT32_MAX && load->mode->pump != write_pump)
        fail("protocol_load: nobody writes");
    if (load->mode->has_history) {
        load->is_replacing = true;
        load->n_text = load->n_text ? load->n_text : 1000;
    } else {
        load->history = 0;
    }
}

static void read_options(struct load *load, int argc, char **argv)
{
    static const struct option options[] = { { "outstanding", required_argument, NULL, 'k' },
                                             { "foretell", no_argument, NULL, 'f' },
                                             { "operations", required_argument, NULL, 'n' },
                                             { "rate", required_argument, NULL, 'r' },
                                             { "text", required_argument, NULL, 't' },
                                             { "position", required_argument, NULL, 'p' },
                                             { "replace", no_argument, NULL, 'e' },
                                             { "history", required_argument, NULL, 'h' },
                                             { "documents", required_argument, NULL, 'd' },
                                             { "at-once", required_argument, NULL, 'a' },
                                             { "follow-all", no_argument, NULL, 'g' },
                                             { "session", required_argument, NULL, 'o' },
                                             { "expect", required_argument, NULL, 'x' },
                                             { "warm", required_argument, NULL, 'w' },
                                             { "seconds", required_argument, NULL, 's' },
                                             { "patience", required_argument, NULL, 'y' },
                                             { "path", required_argument, NULL, 'u' },
                                             { "lenient", no_argument, NULL, 'l' },
                                             { "bare", no_argument, NULL, 'b' },
                                             { 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(load, option))
            exit(2);
    if (argc - optind != 4 || !load->session.at != !load->expected.at)
        fail("protocol_load MODE N PORT PID [OPTION...]");
    read_arguments(load, argv + optind);
}

int main(int argc, char **argv)
{
    static struct load load = { .outstanding = 1,
                                .n_documents = 1,
                                .at_once = 64,
                                .history = 10000,
                                .position = -1,
                                .most = UINT32_MAX,
                                .warm_ns = SECOND / 2,
                                .measured_ns = 2 * SECOND,
                                .patience_ns = 10 * SECOND,
                                .path = "/v1/ws" };

    read_options(&load, argc, argv);
    prepare(&load);
    load_run(&load);
    finish(&load);
    return 0;
}
