#include "net/dial.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "net/dial_address.h"

#define MESSAGE_MAX_BYTES  ((size_t)256 << 20) /* as much as a server may say at once */
#define QUEUE_MAX_BYTES    ((size_t)256 << 20)
#define RETRY_FIRST_SECOND 0.2
#define RETRY_MAX_SECONDS  10.0
#define REASON_MAX_BYTES   123
#define TOKEN_MAX_BYTES    1024
#define RX_BYTES           65536

struct letter {
    struct list link;
    size_t n_bytes;
    unsigned char room[]; /* LWS_PRE, then the text */
};

struct dial {
    struct dial_config config;
    struct dial_address address;
    char *authorization; /* "Bearer ..."; NULL: none */
    lws_retry_bo_t pings;
    struct lws_context *lws;
    struct lws *wsi;
    ev_timer retry, second;
    double delay_seconds; /* of the next try */
    bool is_under_way;    /* a line is there, or is tried */
    bool is_open, is_closing, is_stopped;
    struct dial_loss loss;
    char reason[REASON_MAX_BYTES + 1];
    struct list queue;
    size_t n_queued_bytes;
    struct buffer inbox;
};

/* ---- the line's end ---------------------------------------------------------------------------------------------- */

static void reason_set(struct dial *dial, const char *at, size_t n)
{
    (void)snprintf(dial->reason, sizeof(dial->reason), "%.*s", (int)(n > REASON_MAX_BYTES ? REASON_MAX_BYTES : n), at);
    for (char *c = dial->reason; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '\x7f')
            *c = '?';
}

static void queue_clear(struct dial *dial)
{
    struct list *node;

    while ((node = list_pop(&dial->queue)))
        free(LIST_ENTRY(node, struct letter, link));
    dial->n_queued_bytes = 0;
}

/* Half of the delay is chance, so that many clients of one server don't come back together. */
static void retry_later(struct dial *dial)
{
    uint32_t chance;

    world_random(dial->config.world, &chance, sizeof(chance));
    ev_timer_set(&dial->retry, dial->delay_seconds * (0.5 + 0.5 * chance / UINT32_MAX), 0.);
    ev_timer_start(dial->config.loop, &dial->retry);
    dial->delay_seconds = dial->delay_seconds * 2 < RETRY_MAX_SECONDS ? dial->delay_seconds * 2 : RETRY_MAX_SECONDS;
}

/* However it came to it; only the first call about a line counts. */
static void line_ended(struct dial *dial)
{
    struct dial_loss loss = dial->loss;

    if (!dial->is_under_way)
        return;
    dial->is_under_way = false;
    dial->wsi = NULL;
    loss.was_open = dial->is_open;
    loss.reason = dial->reason;
    dial->is_open = dial->is_closing = false;
    queue_clear(dial);
    buffer_finish(&dial->inbox);
    if (dial->is_stopped)
        return;
    retry_later(dial);
    dial->config.events->on_lost(dial->config.arg, &loss);
}

/* Code and reason, as they lie in a close frame. */
static void note_close(struct dial *dial, const unsigned char *at, size_t n_bytes)
{
    if (n_bytes < 2)
        return;
    dial->loss.close_code = at[0] << 8 | at[1];
    if (n_bytes > 2)
        reason_set(dial, (const char *)at + 2, n_bytes - 2);
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static void on_receive(struct dial *dial, const char *at, size_t n_bytes)
{
    bool is_last = lws_is_final_fragment(dial->wsi) && lws_remaining_packet_payload(dial->wsi) == 0;

    if (dial->is_closing)
        return;
    if (lws_frame_is_binary(dial->wsi)) {
        dial_cut(dial, "the server sends what is no text");
        return;
    }
    if (buffer_append(&dial->inbox, at, n_bytes)) {
        dial_cut(dial, dial->inbox.error == -E2BIG ? "the server sends too large a message" : "out of memory");
        return;
    }
    if (!is_last)
        return;
    dial->delay_seconds = RETRY_FIRST_SECOND; /* this is a server that works */
    dial->config.events->on_message(dial->config.arg, dial->inbox.at, dial->inbox.n_bytes);
    buffer_finish(&dial->inbox);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static struct letter *letter_create(struct bytes text)
{
    struct letter *letter = malloc(sizeof(*letter) + LWS_PRE + text.n_bytes);

    if (!letter)
        return NULL;
    letter->n_bytes = text.n_bytes;
    memcpy(letter->room + LWS_PRE, text.at, text.n_bytes);
    return letter;
}

void dial_send(struct dial *dial, struct bytes text)
{
    struct letter *letter;

    if (!dial->is_open || dial->is_closing)
        return;
    letter = text.n_bytes <= QUEUE_MAX_BYTES - dial->n_queued_bytes ? letter_create(text) : NULL;
    if (!letter) {
        dial_cut(dial, "out of memory");
        return;
    }
    list_append(&dial->queue, &letter->link);
    dial->n_queued_bytes += letter->n_bytes;
    (void)lws_callback_on_writable(dial->wsi); /* fails on a line that is going down anyway */
}

/* Returns 0, or -1: libwebsockets closes. What the socket does not take, it keeps. */
static int on_writable(struct dial *dial)
{
    struct list *node;
    struct letter *letter;
    int n;

    if (dial->is_closing) {
        lws_close_reason(dial->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    node = list_pop(&dial->queue);
    if (!node)
        return 0;
    letter = LIST_ENTRY(node, struct letter, link);
    dial->n_queued_bytes -= letter->n_bytes;
    n = lws_write(dial->wsi, letter->room + LWS_PRE, letter->n_bytes, LWS_WRITE_TEXT);
    free(letter);
    if (!list_is_empty(&dial->queue))
        (void)lws_callback_on_writable(dial->wsi);
    return n < 0 ? -1 : 0;
}

/* ---- libwebsockets calls ----------------------------------------------------------------------------------------- */

static int on_handshake_header(const struct dial *dial, struct lws *wsi, unsigned char **at, size_t n_room)
{
    if (!dial->authorization)
        return 0;
    return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, (unsigned char *)dial->authorization,
                                        (int)strlen(dial->authorization), at, *at + n_room);
}

static void on_connection_error(struct dial *dial, struct lws *wsi, const char *what, size_t n_what)
{
    static const char untrusted[] = "no TLS: its certificate is not one that is trusted, or something worse";

    dial->loss.http_status = (int)lws_http_client_http_response(wsi);
    if (dial->loss.http_status == 101)
        dial->loss.http_status = 0;
    if (what && strncmp(what, "connect SSL err", 15) == 0) /* and no word about the cause */
        reason_set(dial, untrusted, strlen(untrusted));
    else if (what)
        reason_set(dial, what, n_what);
    line_ended(dial);
}

static void on_established(struct dial *dial)
{
    dial->is_open = true;
    reason_set(dial, "the line broke", strlen("the line broke"));
    if (dial->config.events->on_open)
        dial->config.events->on_open(dial->config.arg);
}

static int on_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n_in)
{
    struct dial *dial = wsi ? lws_get_opaque_user_data(wsi) : NULL;

    if (!dial || dial->wsi != wsi)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return on_handshake_header(dial, wsi, in, n_in);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: on_connection_error(dial, wsi, in, n_in); return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED: on_established(dial); return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: on_receive(dial, in, n_in); return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE: return on_writable(dial);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: note_close(dial, in, n_in); return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY: line_ended(dial); return 0;
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {
    { .name = "pilcrow", .callback = on_callback, .per_session_data_size = 1, .rx_buffer_size = RX_BYTES },
    { .name = NULL },
};

/* ---- trying ------------------------------------------------------------------------------------------------------ */

/* Of a unix socket that nobody listens on libwebsockets never tells. 0 or -errno. */
static int unix_probe(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, r;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
    (void)close(fd);
    return r;
}

static void try(struct dial *dial)
{
    struct lws_client_connect_info info = {
        .context = dial->lws,
        .address = dial->address.host,
        .port = dial->address.port,
        .ssl_connection = (dial->address.is_tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
        .path = dial->address.path,
        .host = dial->address.authority,
        .local_protocol_name = protocols[0].name,
        .alpn = "http/1.1",
        .ietf_version_or_minus_one = -1,
        .opaque_user_data = dial,
        .retry_and_idle_policy = &dial->pings,
        .pwsi = &dial->wsi,
    };

    int r = dial->address.host[0] == '+' ? unix_probe(dial->address.host + 1) : 0;
    const char *reason = r ? strerror(-r) : "no connection";

    dial->loss = (struct dial_loss){ .http_status = 0 };
    reason_set(dial, reason, strlen(reason));
    dial->is_under_way = true;
    if (r || !lws_client_connect_via_info(&info))
        line_ended(dial);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    try(timer->data);
}

/* Its own deadlines are looked at then. */
static void on_second(struct ev_loop *loop, ev_timer *timer, int events)
{
    lws_cancel_service(((struct dial *)timer->data)->lws);
}

void dial_cut(struct dial *dial, const char *reason)
{
    if (!dial->is_open || dial->is_closing)
        return;
    dial->is_closing = true;
    reason_set(dial, reason, strlen(reason));
    queue_clear(dial);
    (void)lws_callback_on_writable(dial->wsi);
}

void dial_stop(struct dial *dial)
{
    dial->is_stopped = true;
    ev_timer_stop(dial->config.loop, &dial->retry);
    dial_cut(dial, "");
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void on_lws_log(int level, const char *line)
{
    log_debug("lws", "%s", line);
}

static int lws_start(struct dial *dial)
{
    void *loops[] = { dial->config.loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBEV,
        .foreign_loops = loops,
        .gid = -1,
        .uid = -1,
        .fd_limit_per_thread = 16, /* else it makes room for as many as the process may have */
        .vhost_name = "pilcrow",
        .http_proxy_address = "", /* else it takes http_proxy from the environment, and does not read it as others do */
    };

    if (dial->address.is_tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = dial->config.cacert;
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    dial->lws = lws_create_context(&info);
    return dial->lws ? 0 : -EIO;
}

static int authorization_set(struct dial *dial, const char *token)
{
    size_t n = token ? strlen(token) : 0;

    if (!token)
        return 0;
    if (n > TOKEN_MAX_BYTES || strpbrk(token, "\r\n"))
        return -EINVAL;
    return asprintf(&dial->authorization, "Bearer %s", token) < 0 ? -ENOMEM : 0;
}

int dial_create(const struct dial_config *config, struct dial **out)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    int r = -ENOMEM;

    if (!dial)
        goto out;
    dial->config = *config;
    dial->delay_seconds = RETRY_FIRST_SECOND;
    dial->pings = (lws_retry_bo_t){ .secs_since_valid_ping = (uint16_t)config->ping_seconds,
                                    .secs_since_valid_hangup = (uint16_t)(2 * config->ping_seconds) };
    list_init(&dial->queue);
    buffer_init(&dial->inbox, MESSAGE_MAX_BYTES);
    ev_timer_init(&dial->retry, on_retry, 0., 0.);
    ev_timer_init(&dial->second, on_second, 1., 1.);
    dial->retry.data = dial->second.data = dial;
    r = dial_address_parse(config->url, &dial->address) ? authorization_set(dial, config->token) : -EINVAL;
    if (!r)
        r = lws_start(dial);
    if (r)
        goto out;
    ev_timer_start(config->loop, &dial->retry);
    ev_timer_start(config->loop, &dial->second);

    *out = dial;
    dial = NULL;
out:
    dial_destroy(dial);
    return r;
}

void dial_destroy(struct dial *dial)
{
    if (!dial)
        return;
    dial->is_stopped = true;
    if (dial->lws)
        lws_context_destroy(dial->lws); /* calls back about the line */
    ev_timer_stop(dial->config.loop, &dial->retry);
    ev_timer_stop(dial->config.loop, &dial->second);
    queue_clear(dial);
    buffer_finish(&dial->inbox);
    free(dial->authorization);
    free(dial);
}
