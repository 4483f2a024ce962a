/* Own listening sockets, so that TCP, unix sockets and whatever else gives descriptors are served alike. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "net/inside.h"
#include "net/tls_line.h"

#define BACKLOG         1024
#define ACCEPTS_AT_ONCE 64
#define PAUSE_SECONDS   2 /* when there are no descriptors left */

static const char unix_prefix[] = "unix:";

/* ---- accepting --------------------------------------------------------------------------------------------------- */

static void on_pause_over(struct wheel_timer *timer)
{
    struct listener *listener = LIST_ENTRY(timer, struct listener, pause);

    ev_io_start(listener->server->config.loop, &listener->acceptor);
}

void listener_pause(struct listener *listener, int error)
{
    if (!ev_is_active(&listener->acceptor))
        return;
    log_warning("net", "no connection can be taken for a moment: %s", strerror(error));
    ev_io_stop(listener->server->config.loop, &listener->acceptor);
    wheel_set(&listener->server->wheel, &listener->pause, PAUSE_SECONDS);
}

static void on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct listener *listener = watcher->data;
    const int yes = 1;

    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
            listener_pause(listener, errno);
        if (fd < 0)
            return;
        if (!listener->path)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)); /* slower without, no more */
        if (listener->speaks_tls)
            tls_line_open(listener->server, listener, fd);
        else
            http_open(listener->server, listener, fd);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const char *base_path(const struct server *server)
{
    return server->config.rest->base_path ? server->config.rest->base_path : "";
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool is_port(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n <= 5 && strspn(text, "0123456789") == n && strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* "ADDR:PORT" or "[ADDR]:PORT" into two strings. */
static bool address_split(const char *address, char *host, size_t n_host, const char **port)
{
    const char *colon = strrchr(address, ':'), *from = address, *to = colon;

    if (!colon || !is_port(colon + 1))
        return false;
    if (*from == '[' && to[-1] == ']') {
        from++;
        to--;
    } else if (memchr(from, ':', (size_t)(to - from))) {
        return false;
    }
    if ((size_t)(to - from) >= n_host || to == from)
        return false;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    *port = colon + 1;
    return true;
}

static int tcp_bind(struct listener *listener, const struct addrinfo *found)
{
    struct sockaddr_storage real = { .ss_family = AF_UNSPEC };
    socklen_t n_real = sizeof(real);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    const int yes = 1;

    listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
        bind(listener->fd, found->ai_addr, found->ai_addrlen) || listen(listener->fd, BACKLOG) ||
        getsockname(listener->fd, (struct sockaddr *)&real, &n_real))
        return -errno;
    if (getnameinfo((struct sockaddr *)&real, n_real, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return -EINVAL;
    (void)snprintf(listener->url, sizeof(listener->url),
                   real.ss_family == AF_INET6 ? "http%s://[%s]:%s%s/" : "http%s://%s:%s%s/",
                   listener->speaks_tls ? "s" : "", host, port, base_path(listener->server));
    return 0;
}

static int tcp_listen(struct listener *listener, const char *address, char *why, size_t n_why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    const char *port;
    char host[256];
    int r;

    if (!address_split(address, host, sizeof(host), &port)) {
        (void)snprintf(why, n_why, "'%s' is no address to listen on: ADDR:PORT, [ADDR]:PORT or unix:PATH", address);
        return -EINVAL;
    }
    r = getaddrinfo(host, port, &hints, &found);
    if (r) {
        (void)snprintf(why, n_why, "cannot listen on %s: %s", address, gai_strerror(r));
        return -EINVAL;
    }
    listener->is_loopback = is_loopback(found->ai_addr);
    r = -EPERM;
    if (!listener->is_loopback && !listener->server->config.open_to_everyone) {
        (void)snprintf(why, n_why,
                       "refusing to listen on %s: anybody who reaches it could read and change everything; "
                       "--tokens says who may, --open-to-everyone that this is meant",
                       address);
        goto out;
    }
    listener->speaks_tls = listener->server->tls != NULL;
    r = tcp_bind(listener, found);
    if (r)
        (void)snprintf(why, n_why, "cannot listen on %s: %s", address, strerror(-r));
out:
    freeaddrinfo(found);
    return r;
}

/* A socket that a killed server has left behind is in nobody's use. */
static void unix_clear(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) && errno == ECONNREFUSED)
        (void)unlink(address->sun_path); /* a failure shows in bind */
    (void)close(fd);
}

static int unix_bind(struct listener *listener, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *base = base_path(listener->server);

    if (strlen(path) == 0 || strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    unix_clear(&address);
    if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)))
        return -errno;
    listener->path = strdup(path); /* from now on ours to remove */
    if (!listener->path)
        return -ENOMEM;
    if (listen(listener->fd, BACKLOG))
        return -errno;
    (void)snprintf(listener->url, sizeof(listener->url), *base ? "unix:%s:%s" : "unix:%s", path, base);
    return 0;
}

static int unix_listen(struct listener *listener, const char *path, char *why, size_t n_why)
{
    int r = unix_bind(listener, path);

    if (r)
        (void)snprintf(why, n_why, "cannot listen on unix:%s: %s", path, strerror(-r));
    return r;
}

int listener_open(struct server *server, const char *address, char *why, size_t n_why)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    int r;

    if (!listener)
        return -ENOMEM;
    listener->server = server;
    listener->fd = -1;
    list_init(&listener->link);
    wheel_timer_init(&listener->pause, on_pause_over);
    ev_init(&listener->acceptor, on_connection);
    if (strncmp(address, unix_prefix, sizeof(unix_prefix) - 1) == 0)
        r = unix_listen(listener, address + sizeof(unix_prefix) - 1, why, n_why);
    else
        r = tcp_listen(listener, address, why, n_why);
    if (r)
        goto out;

    ev_io_set(&listener->acceptor, listener->fd, EV_READ);
    listener->acceptor.data = listener;
    ev_io_start(server->config.loop, &listener->acceptor);
    list_append(&server->listeners, &listener->link);
    listener = NULL;
out:
    listener_close(listener);
    return r;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    ev_io_stop(listener->server->config.loop, &listener->acceptor);
    wheel_clear(&listener->pause);
    list_remove(&listener->link);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    if (listener->path)
        (void)unlink(listener->path);
    free(listener->path);
    free(listener);
}
