/* Addresses of servers: every row is what somebody may write behind --server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/dial_address.h"

static struct row {
    const char *name, *url, *want; /* want: "host port authority path tls", or NULL: it is none */
} rows[] = {
    { "a name and a port", "http://localhost:8080", "localhost 8080 localhost:8080 /v1/ws 0" },
    { "a slash at the end", "http://localhost:8080/", "localhost 8080 localhost:8080 /v1/ws 0" },
    { "the usual port", "http://docs.example.org", "docs.example.org 80 docs.example.org /v1/ws 0" },
    { "TLS", "https://docs.example.org", "docs.example.org 443 docs.example.org /v1/ws 1" },
    { "as a WebSocket", "ws://127.0.0.1:1", "127.0.0.1 1 127.0.0.1:1 /v1/ws 0" },
    { "as a WebSocket over TLS", "wss://a:65535/x", "a 65535 a:65535 /x/v1/ws 1" },
    { "below a path", "https://example.org/docs/here//", "example.org 443 example.org /docs/here/v1/ws 1" },
    { "an IPv6 address", "http://[::1]:8080", "::1 8080 [::1]:8080 /v1/ws 0" },
    { "an IPv6 address, the usual port", "http://[fe80::1]", "fe80::1 80 [fe80::1] /v1/ws 0" },
    { "nothing before the name", "localhost:8080", "localhost 8080 localhost:8080 /v1/ws 0" },
    { "a unix socket", "unix:/run/pilcrow.sock", "+/run/pilcrow.sock 0 localhost /v1/ws 0" },
    { "a unix socket, below a path", "unix:/run/pilcrow.sock:/docs/", "+/run/pilcrow.sock 0 localhost /docs/v1/ws 0" },
    { "a unix socket without a path", "unix:", NULL },
    { "another scheme", "ftp://localhost", NULL },
    { "nothing", "", NULL },
    { "no name", "http://", NULL },
    { "no name before the port", "http://:80", NULL },
    { "no port behind the colon", "http://a:", NULL },
    { "port 0", "http://a:0", NULL },
    { "a port too high", "http://a:65536", NULL },
    { "a port that is none", "http://a:8x", NULL },
    { "a bracket that stays open", "http://[::1", NULL },
    { "something behind the bracket", "http://[::1]8080", NULL },
    { "a password", "http://me:secret@a", NULL },
    { "a query", "http://a/?x", NULL },
    { "a fragment", "http://a/#x", NULL },
    { "what would be a unix socket to others", "http://+a", NULL },
};

static void reads(void **state)
{
    const struct row *row = *state;
    struct dial_address address;
    char got[2048];

    if (!dial_address_parse(row->url, &address)) {
        assert_null(row->want);
        return;
    }
    (void)snprintf(got, sizeof(got), "%s %u %s %s %d", address.host, address.port, address.authority, address.path,
                   address.is_tls);
    assert_non_null(row->want);
    assert_string_equal(got, row->want);
}

/* As long as fits, and one more. */
static void names_have_a_ceiling(void **state)
{
    struct dial_address address;
    char url[600] = "http://";

    (void)state;
    memset(url + 7, 'a', sizeof(address.host) - 1);
    assert_true(dial_address_parse(url, &address));
    memset(url + 7, 'a', sizeof(address.host));
    assert_false(dial_address_parse(url, &address));
    (void)snprintf(url, sizeof(url), "http://a/%0*d", (int)sizeof(address.path), 0);
    assert_false(dial_address_parse(url, &address));
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
    size_t n = 0;

    for (; n < sizeof(rows) / sizeof(rows[0]); n++)
        tests[n] = (struct CMUnitTest){ .name = rows[n].name, .test_func = reads, .initial_state = &rows[n] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(names_have_a_ceiling);
    return _cmocka_run_group_tests("dial_address", tests, n, NULL, NULL);
}
