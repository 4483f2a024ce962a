/* The bare limit: a WebSocket server that answers without thinking. What a load can do against it is what sockets and
 * the disk leave to any server on this machine.
 *
 *   echo [--sync FILE] [--each]     on a free port of 127.0.0.1, which it prints; until SIGTERM
 *
 * Of the protocol it knows so much that protocol_load --bare can talk to it: `init` when a line opens; an operation is
 * acknowledged by its own bytes without its content, and forwarded, as it came and unless it creates, to every other
 * client that subscribed to anything; who fetches gets the bytes of the last create. Everything else comes back as it
 * went.
 *
 *     a round: epoll -> read all that are ready -> write + fdatasync of what came (--sync) -> send all that is to be
 * sent
 *
 * So nothing is acknowledged before it is on the disk, and one sync serves all that came in one round. What came in one
 * round also leaves in one call for each line; with --each, every frame leaves in a call of its own, when it comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/list.h"

#define N_EVENTS       512
#define READ_BYTES     (256 * 1024)
#define LINE_MAX_BYTES (64u << 20)
#define KEPT_BYTES     4096 /* of a line's memory between two messages */

struct peer {
    struct list subscribers, due; /* their links */
    int fd;
    bool is_open, is_subscribed, is_due, waits_for_room;
    struct buffer rest, output; /* what came of a frame that is not whole; what is to be sent */
    size_t n_sent;              /* of output */
};

static struct {
    int epoll, listener, file; /* file -1: nothing is kept */
    bool sends_each;
    struct list subscribers, due;
    struct buffer log, create;
    char input[READ_BYTES];
} server = { .file = -1 };

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static void watch(struct peer *peer, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = peer };

    if (epoll_ctl(server.epoll, operation, peer->fd, &event))
        fail("epoll_ctl");
}

static void put(struct peer *peer, const void *at, size_t n_bytes)
{
    if (buffer_append(&peer->output, at, n_bytes))
        fail("too much to send");
    if (!peer->is_due) {
        peer->is_due = true;
        list_append(&server.due, &peer->due);
    }
}

static void keep_little(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_BYTES)
        buffer_finish(buffer);
    else
        buffer_reset(buffer);
}

static void flush(struct peer *peer)
{
    while (peer->n_sent < peer->output.n_bytes) {
        ssize_t n = send(peer->fd, peer->output.at + peer->n_sent, peer->output.n_bytes - peer->n_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            if (!peer->waits_for_room)
                watch(peer, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            peer->waits_for_room = true;
            return;
        }
        if (n < 0)
            break; /* it has gone, which reading will find */
        peer->n_sent += (size_t)n;
    }
    peer->n_sent = 0;
    keep_little(&peer->output);
}

static void put_frame(struct peer *peer, struct bytes first, struct bytes second)
{
    size_t n = first.n_bytes + second.n_bytes, n_length = n < 126 ? 0 : n < 65536 ? 2 : 8, n_head = 2;
    uint8_t head[10] = { 0x81, (uint8_t)(n_length == 0 ? n : n_length == 2 ? 126 : 127) };

    for (size_t i = n_length; i > 0; i--)
        head[n_head++] = (uint8_t)((uint64_t)n >> 8 * (i - 1));
    put(peer, head, n_head);
    put(peer, first.at, first.n_bytes);
    put(peer, second.at, second.n_bytes);
    if (server.sends_each && !peer->waits_for_room)
        flush(peer);
}

/* ---- what comes -------------------------------------------------------------------------------------------------- */

static const void *find(struct bytes text, const char *words)
{
    return memmem(text.at, text.n_bytes, words, strlen(words));
}

static void forward(const struct peer *from, struct bytes text)
{
    LIST_FOR_EACH (link, &server.subscribers) {
        struct peer *other = LIST_ENTRY(link, struct peer, subscribers);

        if (other != from)
            put_frame(other, text, bytes_of(NULL, 0));
    }
}

static void on_op(struct peer *peer, struct bytes text)
{
    const char *op = find(text, ",\"op\":"), *content = op ? op : find(text, ",\"create\":");

    if (!content)
        fail("an operation without content");
    if (server.file >= 0 && buffer_append(&server.log, text.at, text.n_bytes))
        fail("no memory");
    put_frame(peer, bytes_of(text.at, (size_t)(content - (const char *)text.at)), bytes_of("}", 1));
    if (op) {
        forward(peer, text);
        return;
    }
    buffer_reset(&server.create);
    if (buffer_append(&server.create, text.at, text.n_bytes))
        fail("no memory");
}

static void on_message(struct peer *peer, struct bytes text)
{
    static const char op[] = "{\"a\":\"op\"", fetch[] = "{\"a\":\"f\"";

    if (text.n_bytes > sizeof(op) && memcmp(text.at, op, sizeof(op) - 1) == 0) {
        on_op(peer, text);
    } else if (text.n_bytes > sizeof(fetch) && memcmp(text.at, fetch, sizeof(fetch) - 1) == 0) {
        put_frame(peer, bytes_of(fetch, sizeof(fetch) - 1),
                  bytes_of(server.create.at + sizeof(op) - 1, server.create.n_bytes - (sizeof(op) - 1)));
    } else {
        if (!peer->is_subscribed && find(text, "{\"a\":\"s\"")) {
            peer->is_subscribed = true;
            list_append(&server.subscribers, &peer->subscribers);
        }
        put_frame(peer, text, bytes_of(NULL, 0));
    }
}

/* The load does not look at Sec-WebSocket-Accept; this one goes with the key that it always sends. */
static size_t take_opening(struct peer *peer, char *at, size_t n)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const char *end = memmem(at, n, "\r\n\r\n", 4);

    if (!end)
        return 0;
    peer->is_open = true;
    put(peer, answer, sizeof(answer) - 1);
    put_frame(peer, bytes_of_string("{\"a\":\"init\",\"protocol\":1,\"protocolMinor\":2,\"id\":\"echo\"}"),
              bytes_of(NULL, 0));
    return (size_t)(end + 4 - at);
}

/* A frame, unmasked where it stands. 0: it is not whole. */
static size_t take_frame(struct peer *peer, char *at, size_t n_bytes)
{
    const uint8_t *head = (const uint8_t *)at;
    uint64_t n = n_bytes < 2 ? 0 : head[1] & 0x7f;
    size_t n_length = n < 126 ? 0 : n == 126 ? 2 : 8, n_head = 2 + n_length + 4;
    char *payload = at + n_head;

    if (n_bytes < n_head)
        return 0;
    if (n_length)
        n = 0;
    for (size_t i = 0; i < n_length; i++)
        n = n << 8 | head[2 + i];
    if (n > n_bytes - n_head)
        return 0;
    for (size_t i = 0; i < n; i++)
        payload[i] = (char)(payload[i] ^ at[n_head - 4 + (i & 3)]);
    if ((head[0] & 0x0f) == 1)
        on_message(peer, bytes_of(payload, (size_t)n));
    return n_head + (size_t)n;
}

static size_t take(struct peer *peer, char *at, size_t n_bytes)
{
    size_t n_taken = 0, n;

    do {
        n = peer->is_open ? take_frame(peer, at + n_taken, n_bytes - n_taken)
                          : take_opening(peer, at + n_taken, n_bytes - n_taken);
        n_taken += n;
    } while (n > 0);
    return n_taken;
}

static void close_peer(struct peer *peer)
{
    (void)close(peer->fd);
    if (peer->is_subscribed)
        list_remove(&peer->subscribers);
    if (peer->is_due)
        list_remove(&peer->due);
    buffer_finish(&peer->rest);
    buffer_finish(&peer->output);
    free(peer);
}

static void on_input(struct peer *peer)
{
    ssize_t n = recv(peer->fd, server.input, sizeof(server.input), MSG_DONTWAIT);
    char *at = server.input;
    size_t n_bytes = n > 0 ? (size_t)n : 0, n_taken;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close_peer(peer);
        return;
    }
    if (peer->rest.n_bytes) {
        if (buffer_append(&peer->rest, at, n_bytes))
            fail("a frame is too large");
        at = peer->rest.at;
        n_bytes = peer->rest.n_bytes;
    }
    n_taken = take(peer, at, n_bytes);
    if (at == server.input && n_taken < n_bytes) {
        if (buffer_append(&peer->rest, at + n_taken, n_bytes - n_taken))
            fail("a frame is too large");
    } else if (at != server.input) {
        peer->rest.n_bytes -= n_taken;
        memmove(at, at + n_taken, peer->rest.n_bytes);
        if (peer->rest.n_bytes == 0)
            keep_little(&peer->rest);
    }
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void accept_all(void)
{
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
        struct peer *peer;

        if (fd < 0)
            return;
        peer = calloc(1, sizeof(*peer));
        if (!peer)
            fail("calloc");
        peer->fd = fd;
        buffer_init(&peer->rest, LINE_MAX_BYTES);
        buffer_init(&peer->output, LINE_MAX_BYTES);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        watch(peer, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void keep_log(void)
{
    if (server.log.n_bytes == 0)
        return;
    if (write(server.file, server.log.at, server.log.n_bytes) != (ssize_t)server.log.n_bytes || fdatasync(server.file))
        fail("the log");
    buffer_reset(&server.log);
}

static void turn(void)
{
    struct epoll_event events[N_EVENTS];
    int n = epoll_wait(server.epoll, events, N_EVENTS, -1);

    for (int i = 0; i < n; i++) {
        struct peer *peer = events[i].data.ptr;

        if (!peer) {
            accept_all();
            continue;
        }
        if (events[i].events & EPOLLOUT) {
            peer->waits_for_room = false;
            watch(peer, EPOLL_CTL_MOD, EPOLLIN);
            put(peer, NULL, 0);
        }
        if (events[i].events & ~(uint32_t)EPOLLOUT)
            on_input(peer);
    }
    keep_log();
    for (struct list *link; (link = list_pop(&server.due));) {
        struct peer *peer = LIST_ENTRY(link, struct peer, due);

        peer->is_due = false;
        if (!peer->waits_for_room)
            flush(peer);
    }
}

static void start(const char *log)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct epoll_event event = { .events = EPOLLIN };
    socklen_t n = sizeof(address);
    struct rlimit limit;

    list_init(&server.subscribers);
    list_init(&server.due);
    buffer_init(&server.log, LINE_MAX_BYTES);
    buffer_init(&server.create, LINE_MAX_BYTES);
    if (log && (server.file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)) < 0)
        fail(log);
    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        fail("setrlimit");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof(address)) || listen(server.listener, 4096) ||
        getsockname(server.listener, (struct sockaddr *)&address, &n) ||
        epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event))
        fail("listen");
    (void)printf("http://127.0.0.1:%d/\n", ntohs(address.sin_port));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "sync", required_argument, NULL, 's' },
                                             { "each", no_argument, NULL, 'e' },
                                             { 0 } };
    const char *log = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's': log = optarg; break;
        case 'e': server.sends_each = true; break;
        default: return 2;
        }
    }
    start(log);
    for (;;)
        turn();
}
