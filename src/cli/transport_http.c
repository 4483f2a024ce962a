#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/transport.h"
#include "net/dial_address.h"

#define CONNECT_SECONDS 10L

struct http {
    struct transport base; /* first */
    CURL *curl;
    char *url;           /* without a slash at the end */
    char *socket_path;   /* of "unix:PATH", else NULL */
    const char *cacert;  /* a file; NULL: those that the machine trusts */
    char *authorization; /* a header's line; NULL: none */

    struct exchange *exchange; /* under way */
    bool has_begun;            /* to be answered */
};

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
    struct http *http = arg;
    long status = 0;

    (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    http->exchange->status = (int)status;
    http->has_begun = true;
    return exchange_answer_piece(http->exchange, bytes_of(at, size * n)) ? 0 : size * n;
}

static size_t on_header(char *at, size_t size, size_t n, void *arg)
{
    const char *colon = memchr(at, ':', size * n), *end = at + size * n, *value;

    if (colon) {
        value = colon + 1;
        while (value < end && *value == ' ')
            value++;
        while (end > value && (end[-1] == '\r' || end[-1] == '\n'))
            end--;
        exchange_answer_header(arg, bytes_of(at, (size_t)(colon - at)), bytes_of(value, (size_t)(end - value)));
    }
    return size * n;
}

/* Of a list that is NULL nothing is left to add to: memory ran out before. */
static struct curl_slist *add_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = list ? curl_slist_append(list, line) : NULL;

    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

static struct curl_slist *headers_of(const struct http *http, const struct exchange *exchange)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no waiting for a 100 */

    for (size_t i = 0; i < exchange->n_headers; i++) {
        char line[512];

        (void)snprintf(line, sizeof(line), "%s: %s", exchange->headers[i].name, exchange->headers[i].value);
        list = add_line(list, line);
    }
    return http->authorization ? add_line(list, http->authorization) : list;
}

/* Everything is set anew for each request; the connection is kept by libcurl. */
static void prepare(struct http *http, struct exchange *exchange, const char *url, struct curl_slist *headers)
{
    CURL *curl = http->curl;

    curl_easy_reset(curl);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    if (http->cacert)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, http->cacert);
    if (http->socket_path)
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket_path);
    if (exchange->has_body) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.n_bytes);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange->body.n_bytes ? exchange->body.at : "");
    }
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static int http_perform(struct transport *transport, struct exchange *exchange, char *why, size_t n_why)
{
    struct http *http = (struct http *)transport;
    struct curl_slist *headers = headers_of(http, exchange);
    struct buffer url;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    buffer_init(&url, 16384);
    (void)buffer_append_string(&url, http->url);
    (void)buffer_append(&url, exchange->target.at, exchange->target.n_bytes);
    http->exchange = exchange;
    http->has_begun = false;
    if (headers && buffer_append(&url, "", 1) == 0) {
        prepare(http, exchange, url.at, headers);
        code = curl_easy_perform(http->curl);
        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    }
    exchange->status = (int)status;
    if (code)
        (void)snprintf(why, n_why, "%s %s: %s", http->socket_path ? http->socket_path : http->url,
                       http->has_begun ? "broke off" : "does not answer", curl_easy_strerror(code));
    curl_slist_free_all(headers);
    buffer_finish(&url);
    return code == CURLE_OK ? 0 : code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ECONNREFUSED;
}

static void http_destroy(struct transport *transport)
{
    struct http *http = (struct http *)transport;

    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    free(http->url);
    free(http->socket_path);
    free(http->authorization);
    free(http);
}

/* What could not be allocated stays NULL. */
static void url_set(struct http *http, const char *url, bool is_unix)
{
    const char *path = url + strlen("unix:");
    size_t n;

    if (!is_unix) {
        http->url = strdup(url);
        return;
    }
    n = dial_address_unix_split(path);
    http->socket_path = strndup(path, n);
    if (asprintf(&http->url, "http://localhost%s", path + n + (path[n] == ':')) < 0)
        http->url = NULL;
}

int transport_http_open(const char *url, const char *token, const char *cacert, struct transport **out)
{
    struct http *http = calloc(1, sizeof(*http));
    bool is_unix = strncmp(url, "unix:", 5) == 0;
    size_t n;

    if (!http)
        return -ENOMEM;
    http->base = (struct transport){ http_perform, http_destroy };
    http->cacert = cacert;
    url_set(http, url, is_unix);
    http->curl = curl_easy_init();
    if (*token && asprintf(&http->authorization, "Authorization: Bearer %s", token) < 0)
        http->authorization = NULL;
    if (!http->url || (is_unix && !http->socket_path) || (*token && !http->authorization) || !http->curl) {
        http_destroy(&http->base);
        return -ENOMEM;
    }
    for (n = strlen(http->url); n && http->url[n - 1] == '/'; n--)
        http->url[n - 1] = '\0';
    *out = &http->base;
    return 0;
}
