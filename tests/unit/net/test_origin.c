/* Who may use a server: every row is what a browser, or somebody pretending to be one, sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/origin.h"

static const char *const allowed[] = { "https://docs.example.org", "http://lan.example:8000" };
static const struct origin_policy policy = { allowed, 2 };

enum where { LOOPBACK, PUBLIC, PUBLIC_TLS };
enum what { READS, WRITES };

static struct row {
    const char *name, *host, *origin;
    enum where where;
    enum what what;
    enum origin_verdict want;
} rows[] = {
    { "no page at all, such as curl", "127.0.0.1:8080", NULL, LOOPBACK, WRITES, ORIGIN_FINE },
    { "its own page", "127.0.0.1:8080", "http://127.0.0.1:8080", LOOPBACK, WRITES, ORIGIN_FINE },
    { "its own page by name", "localhost:8080", "http://localhost:8080", LOOPBACK, WRITES, ORIGIN_FINE },
    { "its own page by IPv6", "[::1]:8080", "http://[::1]:8080", LOOPBACK, WRITES, ORIGIN_FINE },
    { "its own page, the port unsaid", "localhost", "http://localhost:80", LOOPBACK, WRITES, ORIGIN_FINE },
    { "capitals do not matter", "LOCALHOST:8080", "http://localhost:8080", LOOPBACK, WRITES, ORIGIN_FINE },
    { "another loopback address", "127.3.2.1:8080", "", LOOPBACK, READS, ORIGIN_FINE },
    { "a name under localhost", "pilcrow.localhost:8080", "", LOOPBACK, READS, ORIGIN_FINE },

    { "another server's page writes", "127.0.0.1:8080", "http://evil.example", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "another port is another page", "127.0.0.1:8080", "http://127.0.0.1:9090", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "a page from a file", "127.0.0.1:8080", "null", LOOPBACK, WRITES, ORIGIN_FOREIGN_ORIGIN },
    { "another server's page reads: the browser hides it", "127.0.0.1:8080", "http://evil.example", LOOPBACK, READS,
      ORIGIN_FINE },
    { "an origin that only begins well", "127.0.0.1:8080", "http://127.0.0.1:8080.evil.example", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "an origin with a user", "127.0.0.1:8080", "http://127.0.0.1:8080@evil.example", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "two origins", "127.0.0.1:8080", "http://127.0.0.1:8080 http://evil.example", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "an empty origin", "127.0.0.1:8080", "", LOOPBACK, WRITES, ORIGIN_FOREIGN_ORIGIN },
    { "an origin with a path", "127.0.0.1:8080", "http://127.0.0.1:8080/", LOOPBACK, WRITES, ORIGIN_FOREIGN_ORIGIN },
    { "an origin without a scheme", "127.0.0.1:8080", "127.0.0.1:8080", LOOPBACK, WRITES, ORIGIN_FOREIGN_ORIGIN },

    { "a name that was given our address", "evil.example:8080", "http://evil.example:8080", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_HOST },
    { "the same, only reading", "evil.example:8080", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "no host", "", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "a host that only begins well", "127.0.0.1.evil.example", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "a host that only ends well", "evillocalhost", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "a host with a user", "localhost@evil.example", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "a host with an odd port", "localhost:80x", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },
    { "a host that is a bracket", "[::1]evil.example", "", LOOPBACK, READS, ORIGIN_FOREIGN_HOST },

    { "a proxy's host that was allowed", "docs.example.org", "https://docs.example.org", LOOPBACK, WRITES,
      ORIGIN_FINE },
    { "the same, the port said", "docs.example.org:443", "https://docs.example.org", LOOPBACK, WRITES, ORIGIN_FINE },
    { "an allowed page on loopback", "127.0.0.1:8080", "https://docs.example.org", LOOPBACK, WRITES, ORIGIN_FINE },
    { "an allowed page with a port", "127.0.0.1:8080", "http://lan.example:8000", LOOPBACK, WRITES, ORIGIN_FINE },
    { "allowed with https, not with http", "127.0.0.1:8080", "http://docs.example.org", LOOPBACK, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "allowed with another port", "127.0.0.1:8080", "http://lan.example", LOOPBACK, WRITES, ORIGIN_FOREIGN_ORIGIN },

    { "a public listener takes any host", "pilcrow.example", "https://pilcrow.example", PUBLIC, WRITES, ORIGIN_FINE },
    { "a public listener, another page", "pilcrow.example", "https://evil.example", PUBLIC, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "over TLS, its own page", "pilcrow.example", "https://pilcrow.example", PUBLIC_TLS, WRITES, ORIGIN_FINE },
    { "over TLS, its own page, a port", "pilcrow.example:8443", "https://pilcrow.example:8443", PUBLIC_TLS, WRITES,
      ORIGIN_FINE },
    { "over TLS, a page in the clear", "pilcrow.example", "http://pilcrow.example", PUBLIC_TLS, WRITES,
      ORIGIN_FOREIGN_ORIGIN },
    { "over TLS, an allowed page in the clear", "pilcrow.example", "http://lan.example:8000", PUBLIC_TLS, WRITES,
      ORIGIN_FINE },
    { "a public listener, no host", "", "https://evil.example", PUBLIC, WRITES, ORIGIN_FOREIGN_ORIGIN },
};

static void is_judged(void **state)
{
    const struct row *row = *state;

    assert_int_equal(origin_check(&policy, bytes_of_string(row->host), bytes_of_string(row->origin),
                                  row->where == LOOPBACK, row->where == PUBLIC_TLS, row->what == WRITES),
                     row->want);
}

static void a_zero_byte_ends_no_host(void **state)
{
    assert_int_equal(
        origin_check(&policy, bytes_of("localhost\0.evil.example", 23), bytes_of(NULL, 0), true, false, false),
        ORIGIN_FOREIGN_HOST);
}

static void only_named_pages_read_answers(void **state)
{
    assert_true(origin_is_allowed(&policy, bytes_of_string("https://docs.example.org")));
    assert_true(origin_is_allowed(&policy, bytes_of_string("http://lan.example:8000")));
    assert_false(origin_is_allowed(&policy, bytes_of_string("http://docs.example.org")));
    assert_false(origin_is_allowed(&policy, bytes_of_string("http://127.0.0.1:8080")));
    assert_false(origin_is_allowed(&policy, bytes_of_string("https://docs.example.org\r\nA: b")));
    assert_false(origin_is_allowed(&policy, bytes_of_string("null")));
    assert_false(origin_is_allowed(&policy, bytes_of(NULL, 0)));
}

static void wellformed_is_scheme_host_and_port(void **state)
{
    assert_true(origin_is_wellformed(bytes_of_string("https://docs.example.org")));
    assert_true(origin_is_wellformed(bytes_of_string("http://[::1]:80")));
    assert_false(origin_is_wellformed(bytes_of_string("docs.example.org")));
    assert_false(origin_is_wellformed(bytes_of_string("https://docs.example.org/")));
    assert_false(origin_is_wellformed(bytes_of_string("https://")));
    assert_false(origin_is_wellformed(bytes_of_string("*")));
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
    struct CMUnitTest tests[N_ROWS + 3] = {
        [N_ROWS] = cmocka_unit_test(a_zero_byte_ends_no_host),
        [N_ROWS + 1] = cmocka_unit_test(wellformed_is_scheme_host_and_port),
        [N_ROWS + 2] = cmocka_unit_test(only_named_pages_read_answers),
    };

    for (size_t i = 0; i < N_ROWS; i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = is_judged, .initial_state = &rows[i] };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
