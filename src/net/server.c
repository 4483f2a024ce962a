#include "net/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "net/inside.h"
#include "net/tls_line.h"

#define GOODBYES_AT_ONCE 500

/* What clients provoke inside libwebsockets is no news for the person on call. */
static void on_lws_log(int level, const char *line)
{
    log_debug("lws", "%s", line);
}

static void on_second(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct server *server = timer->data;

    wheel_tick(&server->wheel);
    rest_waits_second(server->config.rest->waits);
    lws_cancel_service(
        server->lws); /* its own deadlines, such as for the answer to a close frame, are looked at then */
}

static void on_before_sleep(struct ev_loop *loop, ev_prepare *sender, int events)
{
    websockets_send(sender->data);
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct server *server = timer->data;

    if (!rest_waits_rest(server->config.rest->waits))
        ev_timer_stop(loop, timer);
}

static void on_resting(void *arg)
{
    struct server *server = arg;

    ev_timer_again(server->config.loop, &server->rest);
}

static int lws_start(struct server *server)
{
    static const lws_retry_bo_t no_keepalive_policy; /* the wheel pings; the built-in policy is slow at scale */
    void *loops[] = { server->config.loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = websocket_protocols,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .foreign_loops = loops,
        .gid = -1,
        .uid = -1,
        .user = server,
        .retry_and_idle_policy = &no_keepalive_policy,
        .vhost_name = "pilcrow",
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    server->lws = lws_create_context(&info);
    if (!server->lws)
        return -EIO;
    server->vhost = lws_create_vhost(server->lws, &info);
    return server->vhost ? 0 : -EIO;
}

/* What has to be looked for when it is asked for. */
static void server_figures(void *arg, struct rest_figures *out)
{
    const struct server *server = arg;

    *out = server->figures;
    LIST_FOR_EACH (link, &server->https) {
        out->n_https++;
        out->n_http_queued_bytes += http_queued_bytes(LIST_ENTRY(link, struct http, link));
    }
    LIST_FOR_EACH (link, &server->websockets) {
        out->n_websockets++;
        out->n_websocket_queued_bytes += websocket_queued_bytes(websocket_of_link(link));
    }
}

int server_create(const struct server_config *config, struct server **out)
{
    struct server *server = calloc(1, sizeof(*server));
    int r = -ENOMEM;

    if (!server)
        goto out;
    server->config = *config;
    http_note_init(&server->notes, config->world);
    config->rest->carrier_figures = server_figures;
    config->rest->carrier = server;
    wheel_init(&server->wheel);
    list_init(&server->listeners);
    list_init(&server->https);
    list_init(&server->websockets);
    list_init(&server->unsent);
    ev_prepare_init(&server->sender, on_before_sleep);
    server->sender.data = server;
    list_init(&server->tls_lines);
    ev_timer_init(&server->second, on_second, 1., 1.);
    ev_timer_init(&server->rest, on_rest, 0., REST_REST_MS / 1e3);
    server->second.data = server->rest.data = server;
    config->rest->waits->on_resting = on_resting;
    config->rest->waits->arg = server;
    r = lws_start(server);
    if (r)
        goto out;
    ev_timer_start(config->loop, &server->second);
    ev_prepare_start(config->loop, &server->sender);

    *out = server;
    server = NULL;
out:
    server_destroy(server);
    return r;
}

int server_listen(struct server *server, const char *address, char *why, size_t n_why)
{
    return listener_open(server, address, why, n_why);
}

void server_urls(const struct server *server, char *out, size_t n_out)
{
    size_t n = 0;

    out[0] = '\0';
    LIST_FOR_EACH (link, &server->listeners) {
        const struct listener *listener = LIST_ENTRY(link, struct listener, link);

        if (n < n_out)
            n += (size_t)snprintf(out + n, n_out - n, "%s%s", n ? " " : "", listener->url);
    }
}

static void listeners_close(struct server *server)
{
    while (!list_is_empty(&server->listeners))
        listener_close(LIST_ENTRY(server->listeners.next, struct listener, link));
}

static void tls_lines_each(struct server *server, void (*each)(struct tls_line *))
{
    struct list all, *link;

    list_take(&server->tls_lines, &all);
    while ((link = list_pop(&all))) {
        list_append(&server->tls_lines, link);
        each(tls_line_of_link(link));
    }
}

static void https_each(struct server *server, void (*each)(struct http *))
{
    struct list all, *link;

    list_take(&server->https, &all);
    while ((link = list_pop(&all))) {
        list_append(&server->https, link);
        each(LIST_ENTRY(link, struct http, link));
    }
}

void server_drain(struct server *server)
{
    server->is_draining = true;
    listeners_close(server);
    https_each(server, http_retire);
    tls_lines_each(server, tls_line_retire);
    rest_waits_drain(server->config.rest->waits);
    LIST_FOR_EACH (link, &server->websockets)
        websocket_stop_reading(websocket_of_link(link));
}

void server_recheck(struct server *server)
{
    LIST_FOR_EACH (link, &server->websockets)
        websocket_recheck(websocket_of_link(link));
    https_each(server, http_recheck_waiting);
}

bool server_is_answered(const struct server *server)
{
    LIST_FOR_EACH (link, &server->https) {
        if (!http_is_answered(LIST_ENTRY(link, struct http, link)))
            return false;
    }
    return true;
}

/* libwebsockets keeps the deadlines of those that close in a list, and goes through it for each one more. */
bool server_say_goodbye(struct server *server)
{
    size_t n = 0;

    LIST_FOR_EACH (link, &server->websockets) {
        n += websocket_say_goodbye(websocket_of_link(link));
        if (n == GOODBYES_AT_ONCE)
            break;
    }
    return n > 0;
}

bool server_is_left(const struct server *server)
{
    return server->n_connections == 0 && list_is_empty(&server->tls_lines);
}

void server_set_tls(struct server *server, struct tls *tls)
{
    tls_destroy(server->tls);
    server->tls = tls;
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    server->config.rest->carrier_figures = NULL;
    listeners_close(server);
    https_each(server, http_destroy);
    if (server->lws)
        lws_context_destroy(server->lws);     /* calls back for every WebSocket */
    tls_lines_each(server, tls_line_destroy); /* behind those whose ends they hold */
    tls_destroy(server->tls);
    ev_timer_stop(server->config.loop, &server->second);
    ev_prepare_stop(server->config.loop, &server->sender);
    ev_timer_stop(server->config.loop, &server->rest);
    free(server);
}
