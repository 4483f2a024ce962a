#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    SSL_CTX *context;
    bool wants_password; /* its key is encrypted */
};

/* Without it OpenSSL would ask on the terminal. */
static int no_password(char *into, int n_into, int is_for_writing, void *arg)
{
    struct tls *tls = arg;

    tls->wants_password = true;
    return -1;
}

/* A client that offers other protocols only is told so. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n,
                   void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, in, in_n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* No session is kept here: what resumes is in the client's ticket. */
static void context_set(SSL_CTX *context)
{
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
}

/* What OpenSSL complained of first is the cause. */
static int complain(const char *file, const char *what, char *why, size_t n_why)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);

    (void)snprintf(why, n_why, "%s: %s: %s", file, what, reason ? reason : "unknown trouble");
    ERR_clear_error();
    return TLS_UNUSABLE;
}

static int context_load(struct tls *tls, const char *certificate, const char *key, char *why, size_t n_why)
{
    int r;

    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(tls->context, no_password);
    SSL_CTX_set_default_passwd_cb_userdata(tls->context, tls);
    if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
        return complain(certificate, "no certificate that can be used", why, n_why);
    if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) == 1)
        return 0;
    r = complain(key, "no key of that certificate", why, n_why);
    if (tls->wants_password)
        (void)snprintf(why, n_why, "%s: the key is encrypted, and nobody is asked for its password", key);
    return r;
}

int tls_read(const char *certificate, const char *key, struct tls **out, char *why, size_t n_why)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    int r = -ENOMEM;

    if (!tls)
        return r;
    tls->context = SSL_CTX_new(TLS_server_method());
    if (!tls->context)
        goto out;
    context_set(tls->context);
    r = context_load(tls, certificate, key, why, n_why);
    if (r)
        goto out;

    *out = tls;
    tls = NULL;
out:
    tls_destroy(tls);
    return r;
}

void tls_destroy(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context); /* counted: each connection holds it, too */
    free(tls);
}

SSL *tls_meet(struct tls *tls, int fd)
{
    SSL *ssl = SSL_new(tls->context);

    if (ssl && SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}
