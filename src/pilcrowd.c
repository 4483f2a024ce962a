/* The server process: settings, signals, and the order in which things begin and end. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/rest_cache.h"
#include "daemon.h"
#include "memory.h"
#include "storage/lmdb/store_lmdb.h"

#define EXIT_USAGE  2
#define CACHE_BYTES (64 * 1024 * 1024) /* of answers that may be given again */

static const char key_name[] = "client_id_key";

static void fail(struct daemon *daemon, const char *why)
{
    (void)fprintf(stderr, "pilcrowd: %s\n", why);
    daemon->status = EXIT_FAILURE;
    ev_break(daemon->loop, EVBREAK_ALL);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static int listen_all(struct daemon *daemon, char *why, size_t n_why)
{
    int r = 0;

    for (size_t i = 0; !r && i < daemon->config.listen.n; i++)
        r = server_listen(daemon->server, daemon->config.listen.items[i], why, n_why);
    return r;
}

static int server_begin(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    const struct server_config server_config = {
        .loop = daemon->loop,
        .sessions = &daemon->sessions,
        .rest = &daemon->rest,
        .gate = &daemon->gate,
        .world = &world_real,
        .origins = { (const char *const *)config->allow_origin.items, config->allow_origin.n },
        .open_to_everyone = config->open_to_everyone || config->tokens,
        .has_demos = config->demos,
        .message_max_bytes = (size_t)config->max_message,
        .queue_max_bytes = (size_t)config->max_queue,
        .ping_seconds = (unsigned)config->ping_seconds,
        .handshake_seconds = (unsigned)config->handshake_seconds,
        .idle_seconds = (unsigned)config->idle_seconds,
    };

    int r = server_create(&server_config, &daemon->server);

    if (!r)
        server_set_tls(daemon->server, daemon->tls);
    if (!r)
        daemon->tls = NULL;
    return r;
}

static void serve(struct daemon *daemon)
{
    struct retain_rules rules;
    char why[WHY_BYTES] = "the network could not be started", urls[2048];
    int r = server_begin(daemon);

    if (!r)
        r = listen_all(daemon, why, sizeof(why));
    if (r) {
        fail(daemon, why);
        return;
    }
    daemon->stage = SERVING;
    server_urls(daemon->server, urls, sizeof(urls));
    (void)printf("pilcrowd %s is ready at %s\n", PILCROW_VERSION, urls);
    (void)fflush(stdout);
    daemon_read_rules(&daemon->config, &rules);
    retention_begin(&daemon->retention, daemon->loop, daemon->hub, &rules);
    daemon->rest.retention = &daemon->retention.rules;
}

static void on_key_kept(void *arg, int r)
{
    if (r)
        fail(arg, "the store does not take the key of the client ids");
    else
        serve(arg);
}

static void on_key(void *arg, int r, struct bytes value)
{
    struct daemon *daemon = arg;
    struct client_id_key *key = &daemon->sessions.key;

    if (r == 0 && value.n_bytes == sizeof(key->bytes)) {
        memcpy(key->bytes, value.at, sizeof(key->bytes));
        serve(daemon);
        return;
    }
    if (r != STORE_NOT_FOUND) {
        fail(daemon, r ? "the key of the client ids can't be read" : "the key of the client ids is damaged");
        return;
    }
    world_random(&world_real, key->bytes, sizeof(key->bytes));
    r = store_meta_put(daemon->store, bytes_of_string(key_name), bytes_of(key->bytes, sizeof(key->bytes)), on_key_kept,
                       daemon);
    if (r)
        on_key_kept(daemon, r);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
    daemon_terminate(signal->data);
}

static void on_hangup(struct ev_loop *loop, ev_signal *signal, int events)
{
    daemon_reload(signal->data);
}

/* From any thread. */
static void on_work(void *arg)
{
    struct daemon *daemon = arg;

    ev_async_send(daemon->loop, &daemon->wake);
}

static void on_wake(struct ev_loop *loop, ev_async *async, int events)
{
    struct daemon *daemon = async->data;

    store_dispatch(daemon->store);
    helper_dispatch(daemon->helper);
}

/* Before the WebSockets send: the disk works meanwhile. */
static void on_before_sending(struct ev_loop *loop, ev_prepare *handing, int events)
{
    struct daemon *daemon = handing->data;

    if (daemon->store)
        store_dispatch(daemon->store);
}

static void watch(struct daemon *daemon)
{
    ev_prepare_init(&daemon->handing, on_before_sending);
    ev_set_priority(&daemon->handing, 1);
    daemon->handing.data = daemon;
    ev_prepare_start(daemon->loop, &daemon->handing);
    ev_async_init(&daemon->wake, on_wake);
    ev_signal_init(&daemon->terminate, on_terminate, SIGTERM);
    ev_signal_init(&daemon->interrupt, on_terminate, SIGINT);
    ev_signal_init(&daemon->hangup, on_hangup, SIGHUP);
    daemon->wake.data = daemon->terminate.data = daemon->interrupt.data = daemon->hangup.data = daemon;
    daemon_begin_end(daemon);
    ev_async_start(daemon->loop, &daemon->wake);
    ev_signal_start(daemon->loop, &daemon->terminate);
    ev_signal_start(daemon->loop, &daemon->interrupt);
    ev_signal_start(daemon->loop, &daemon->hangup);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Every connection is a descriptor. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* it also runs with fewer */
}

static void set_session_limits(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    struct session_limits *limits = &daemon->sessions.limits;

    *limits = session_limits_default;
    limits->n_unanswered = (size_t)config->max_unanswered;
    limits->unanswered_max_bytes = (size_t)config->max_unanswered_bytes;
    limits->n_snapshots = (size_t)config->max_snapshots;
    limits->n_subscriptions = (size_t)config->max_subscriptions;
    limits->n_bulk = (size_t)config->max_bulk;
    limits->n_presences = (size_t)config->max_presences;
    limits->presence_max_bytes = (size_t)config->max_presence;
    limits->n_queries = (size_t)config->max_queries;
    limits->n_query_documents = (size_t)config->max_query_documents;
    limits->query_max_bytes = (size_t)config->max_query;
}

static void set_hub_config(const struct daemon *daemon, struct hub_config *out)
{
    const struct config *config = &daemon->config;

    *out = hub_defaults;
    out->store = daemon->store;
    out->helper = daemon->helper;
    out->world = &world_real;
    out->limits.max_document_bytes = (size_t)config->max_document;
    out->limits.max_depth = (size_t)config->max_depth;
    out->limits.max_components = (size_t)config->max_components;
    out->work_max_bytes = (size_t)config->max_transform;
    _Static_assert(HUB_TYPES_OFF_MAX >= CONFIG_LIST_MAX, "each of them has its place");
    for (size_t i = 0; i < config->disable_type.n; i++)
        out->types_off[i] = ot_type_find(config->disable_type.items[i], strlen(config->disable_type.items[i]));
}

static int floors_open(struct daemon *daemon, char *why, size_t n_why)
{
    const struct store_lmdb_config store_config = {
        .path = daemon->config.data,
        .mode = STORE_READ_WRITE,
        .max_bytes = daemon->config.max_store,
        .wake = on_work,
        .arg = daemon,
    };
    struct hub_config hub_config;
    int r;

    store_lmdb_explain_deaths("pilcrowd", daemon->config.data);
    r = store_lmdb_open(&store_config, &daemon->store, why, n_why);
    if (r)
        return r;
    r = helper_create(on_work, daemon, &daemon->helper);
    if (r)
        return r;
    r = rest_cache_create(CACHE_BYTES, &daemon->rest.cache);
    if (r)
        return r;
    set_hub_config(daemon, &hub_config);
    r = hub_create(&hub_config, &daemon->hub);
    if (r)
        return r;
    daemon->sessions.hub = daemon->rest.hub = daemon->hub;
    set_session_limits(daemon);
    daemon->rest.sessions = &daemon->sessions;
    daemon->rest.gate = &daemon->gate;
    daemon->rest.started_ms = world_now_ms(&world_real);
    daemon->rest.waits = &daemon->waits;
    daemon->rest.queue_max_bytes = (size_t)daemon->config.max_queue;
    daemon->rest.base_path = daemon->config.base_path;
    daemon->rest.body_max_bytes = (size_t)daemon->config.max_document;
    return store_meta_get(daemon->store, bytes_of_string(key_name), on_key, daemon);
}

/* Everything in the order against that of its beginning. A document that is still in use after all these seconds is
 * waiting for a disk that does not answer: then the process just ends. */
static void floors_close(struct daemon *daemon)
{
    struct hub_figures figures = { 0 };

    server_destroy(daemon->server);
    rest_waits_finish(&daemon->waits);
    helper_destroy(daemon->helper);
    if (daemon->hub)
        hub_figures(daemon->hub, &figures);
    if (figures.n_documents != figures.n_idle) {
        log_warning("pilcrowd", "ending with %zu documents in use", figures.n_documents - figures.n_idle);
        _exit(daemon->status);
    }
    hub_destroy(daemon->hub);
    rest_cache_destroy(daemon->rest.cache);
    store_close(daemon->store);
}

static int run(struct daemon *daemon)
{
    char why[WHY_BYTES] = "out of memory";

    raise_descriptors();
    rest_waits_init(&daemon->waits);
    daemon->loop = ev_default_loop(EVFLAG_AUTO);
    if (!daemon->loop) {
        (void)fprintf(stderr, "pilcrowd: no event loop\n");
        return EXIT_FAILURE;
    }
    watch(daemon);
    if (floors_open(daemon, why, sizeof(why)))
        fail(daemon, why);
    else
        ev_run(daemon->loop, 0);
    floors_close(daemon);
    ev_loop_destroy(daemon->loop);
    return daemon->status;
}

static int run_in_memory(struct daemon *daemon)
{
    char *path;
    int r = memory_create(&path), status;

    if (r) {
        (void)fprintf(stderr, "pilcrowd: no directory in memory: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    free(daemon->config.data);
    daemon->config.data = path;
    status = run(daemon);
    memory_remove(path);
    return status;
}

/* Returns 0, or another number with a sentence in why. */
static int settings_read(struct daemon *daemon, char *why, size_t n_why)
{
    int r = config_read(daemon->argc, daemon->argv, &daemon->config, why, n_why);

    if (r || daemon->config.wants_help || daemon->config.wants_manual || daemon->config.wants_version)
        return r;
    r = daemon_load_tokens(daemon, why, n_why);
    return r ? r : daemon_load_certificate(daemon, why, n_why);
}

static void print_check(const struct config *config)
{
    struct retain_rules rules;

    (void)printf("The settings are in order.\n");
    daemon_read_rules(config, &rules);
    for (size_t i = 0; i < rules.n; i++) {
        const struct retain_rule *rule = &rules.rules[i];

        (void)printf("%.*s: what is older than %" PRIu64 " days is merged.\n", (int)rule->collection.n_bytes,
                     rule->collection.at, rule->days);
    }
}

int main(int argc, char **argv)
{
    struct daemon daemon = { .argc = argc, .argv = argv, .gate = { .world = &world_real } };
    char why[WHY_BYTES] = "out of memory";
    int status = 0;

    if (settings_read(&daemon, why, sizeof(why))) {
        (void)fprintf(stderr, "pilcrowd: %s\n", why);
        status = EXIT_USAGE;
    } else if (daemon.config.wants_help) {
        config_print_help(stdout);
    } else if (daemon.config.wants_manual) {
        config_print_manual(stdout);
    } else if (daemon.config.wants_version) {
        (void)printf("pilcrowd %s\n", PILCROW_VERSION);
    } else if (daemon.config.check_only) {
        print_check(&daemon.config);
    } else {
        log_setup(daemon.config.log_level, daemon.config.log_as_json);
        status = daemon.config.memory ? run_in_memory(&daemon) : run(&daemon);
    }
    gate_replace(&daemon.gate, NULL);
    tls_destroy(daemon.tls);
    config_finish(&daemon.config);
    return status;
}
