#include <assert.h>

#include "base/log.h"
#include "daemon.h"

/* Each was looked at when the settings were read. */
void daemon_read_rules(const struct config *config, struct retain_rules *out)
{
    out->n = 0;
    for (size_t i = 0; i < config->retention.n; i++) {
        const char *flaw = retain_rules_add(out, bytes_of_string(config->retention.items[i]));

        assert(!flaw);
        (void)flaw;
    }
}

int daemon_load_tokens(struct daemon *daemon, char *why, size_t n_why)
{
    struct tokens *tokens;
    int r;

    if (!daemon->config.tokens)
        return 0;
    r = tokens_read(daemon->config.tokens, &tokens, why, n_why);
    if (!r)
        gate_replace(&daemon->gate, tokens);
    return r;
}

static void tokens_reload(struct daemon *daemon)
{
    char why[WHY_BYTES] = "out of memory";

    if (!daemon->config.tokens)
        return;
    if (daemon_load_tokens(daemon, why, sizeof(why))) {
        log_error("pilcrowd", "the tokens stay as they are: %s", why);
        return;
    }
    log_info("pilcrowd", "the tokens have been read again");
    if (daemon->server)
        server_recheck(daemon->server);
}

int daemon_load_certificate(struct daemon *daemon, char *why, size_t n_why)
{
    struct tls *tls;
    int r;

    if (!daemon->config.tls_cert)
        return 0;
    r = tls_read(daemon->config.tls_cert, daemon->config.tls_key, &tls, why, n_why);
    if (r)
        return r;
    if (daemon->server) {
        server_set_tls(daemon->server, tls);
    } else {
        tls_destroy(daemon->tls);
        daemon->tls = tls;
    }
    return 0;
}

static void tls_reload(struct daemon *daemon)
{
    char why[WHY_BYTES] = "out of memory";

    if (!daemon->config.tls_cert)
        return;
    if (daemon_load_certificate(daemon, why, sizeof(why)))
        log_error("pilcrowd", "the certificate stays as it is: %s", why);
    else
        log_info("pilcrowd", "the certificate has been read again");
}

static void settings_follow(struct daemon *daemon, const struct config *config)
{
    struct retain_rules rules;

    log_setup(config->log_level, config->log_as_json);
    if (daemon->stage != SERVING)
        return;
    daemon_read_rules(config, &rules);
    retention_set_rules(&daemon->retention, &rules);
}

void daemon_reload(struct daemon *daemon)
{
    struct config config;
    char why[WHY_BYTES] = "out of memory";

    if (config_read(daemon->argc, daemon->argv, &config, why, sizeof(why)))
        log_error("pilcrowd", "the settings stay as they are: %s", why);
    else
        settings_follow(daemon, &config);
    config_finish(&config);
    tokens_reload(daemon);
    tls_reload(daemon);
}
