/* The pieces that HTTP requests are read with: escapes, Accept, entity tags, queries, and the smallest replacement. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/gzip.h"
#include "api/percent.h"
#include "api/rest_inside.h"

#define EACH(row, rows) for (size_t row = 0; row < sizeof(rows) / sizeof((rows)[0]); row++)

/* A copy of exactly that length, so that the address sanitizer sees one byte too many. */
static struct bytes exactly(const char *text)
{
    size_t n = strlen(text);
    char *copy = malloc(n + !n);

    memcpy(copy, text, n);
    return bytes_of(copy, n);
}

static void let_go(struct bytes bytes)
{
    free((void *)(uintptr_t)bytes.at);
}

static void percent_encoding_is_read(void **state)
{
    static const struct {
        const char *from, *to; /* to NULL: refused */
    } rows[] = {
        { "", "" },       { "abc", "abc" },       { "a%2Fb", "a/b" }, { "%e2%82%ac", "\xe2\x82\xac" },
        { "a+b", "a+b" }, { "%", NULL },          { "a%2", NULL },    { "%zz", NULL },
        { "%2g", NULL },  { "%25%32%46", "%2F" },
    };

    EACH(i, rows)
    {
        struct bytes from = exactly(rows[i].from);
        char into[32];
        size_t n = 0;
        int r = percent_decode(from, into, sizeof(into), &n);

        if (rows[i].to) {
            assert_int_equal(r, 0);
            assert_true(bytes_equal(bytes_of(into, n), bytes_of_string(rows[i].to)));
        } else {
            assert_int_equal(r, -EINVAL);
        }
        let_go(from);
    }
}

static void percent_encoding_has_a_ceiling(void **state)
{
    char into[3];
    size_t n;

    assert_int_equal(percent_decode(bytes_of_string("abc"), into, sizeof(into), &n), 0);
    assert_int_equal(percent_decode(bytes_of_string("abcd"), into, sizeof(into), &n), -E2BIG);
}

static void what_is_encoded_is_decoded(void **state)
{
    char every[256], back[256];
    struct buffer encoded;
    size_t n;

    for (int i = 0; i < 256; i++)
        every[i] = (char)i;
    buffer_init(&encoded, 1024);
    percent_encode(bytes_of(every, sizeof(every)), &encoded);
    assert_int_equal(percent_decode(buffer_bytes(&encoded), back, sizeof(back), &n), 0);
    assert_int_equal(n, sizeof(every));
    assert_memory_equal(back, every, sizeof(every));
    buffer_finish(&encoded);
}

static void accept_chooses(void **state)
{
    static const char *const offers[] = { "text/plain", "application/json", "application/vnd.pilcrow.snapshot+json" };
    static const struct {
        const char *accept;
        int chosen;
    } rows[] = {
        { "", 0 },
        { "*/*", 0 },
        { "text/plain", 0 },
        { "TEXT/Plain", 0 },
        { "application/json", 1 },
        { "application/*", 1 },
        { "application/vnd.pilcrow.snapshot+json", 2 },
        { "text/plain;q=0.2, application/json;q=0.9", 1 },
        { "text/html, application/xhtml+xml, */*;q=0.8", 0 },
        { "image/png", -1 },
        { "text/plain;q=0", -1 },
        { "*/*;q=0", -1 },
        { "*/*, text/plain;q=0", 1 },
    };

    EACH(i, rows)
    {
        struct bytes accept = exactly(rows[i].accept);

        assert_int_equal(accept_choose(accept, offers, 3), rows[i].chosen);
        let_go(accept);
    }
}

static void gzip_is_for_those_who_want_it(void **state)
{
    static const struct {
        const char *accept;
        bool takes_gzip;
    } rows[] = {
        { "", false },
        { "gzip", true },
        { "GZip", true },
        { "deflate, gzip", true },
        { " br ; q=1.0 , gzip ; q=0.8", true },
        { "gzip;q=0.001", true },
        { "*", true },
        { "*;q=0, gzip", true },
        { "gzip, identity", true },
        { "gzip;q=0", false },
        { "gzip;q=0.0", false },
        { "gzip;q=x", false },
        { "gzip;q=0, *", false },
        { "*;q=0", false },
        { "identity", false },
        { "identity, gzip;q=0.5", false },
        { "gzipped, xgzip", false },
        { ",;=,gzip;", true },
    };

    EACH(i, rows)
    {
        struct bytes accept = exactly(rows[i].accept);

        assert_int_equal(accepts_gzip(accept), rows[i].takes_gzip);
        let_go(accept);
    }
}

static void what_does_not_get_smaller_is_not_compressed(void **state)
{
    char same[GZIP_WORTH_BYTES], random[GZIP_WORTH_BYTES];
    struct frame *frame;

    memset(same, 'x', sizeof(same));
    world_random(&world_real, random, sizeof(random));
    assert_null(gzip_frame(bytes_of(same, sizeof(same) - 1)));
    assert_null(gzip_frame(bytes_of(random, sizeof(random))));
    frame = gzip_frame(bytes_of(same, sizeof(same)));
    assert_non_null(frame);
    assert_true(frame->n_bytes < sizeof(same) / 10);
    frame_unref(frame);
}

static void entity_tags_are_found(void **state)
{
    char etag[ETAG_BYTES];
    char list[128];

    etag_write(12, 1700000000000, "", etag);
    (void)snprintf(list, sizeof(list), "\"other\", W/\"%s\" , \"more\"", etag);
    assert_true(etags_have(bytes_of_string(list), etag));
    assert_false(etags_have(bytes_of_string("\"other\", \"more\""), etag));
    assert_false(etags_have(bytes_of_string("\""), etag));
    assert_false(etags_have(bytes_of_string(""), etag));
    assert_true(etags_are_any(bytes_of_string("*")));
    assert_false(etags_are_any(bytes_of_string("\"*\"")));

    (void)snprintf(list, sizeof(list), "\"%s\"", etag);
    assert_true(etags_name(bytes_of_string(list), 12, 1700000000000));
    assert_false(etags_name(bytes_of_string(list), 13, 1700000000000));
    assert_false(etags_name(bytes_of_string(list), 12, 1700000000001));
    (void)snprintf(list, sizeof(list), "\"%s-json-gzip\"", etag);
    assert_true(etags_name(bytes_of_string(list), 12, 1700000000000));
    (void)snprintf(list, sizeof(list), "\"%s-gzip-gzip\"", etag);
    assert_false(etags_name(bytes_of_string(list), 12, 1700000000000));
    (void)snprintf(list, sizeof(list), "W/\"%s\"", etag);
    assert_false(etags_name(bytes_of_string(list), 12, 1700000000000)); /* If-Match compares strongly */
}

static void numbers_in_queries_are_whole(void **state)
{
    static const struct {
        const char *query;
        int r;
        uint64_t value;
    } rows[] = {
        { "", 0, 77 },
        { "v=5", 0, 5 },
        { "a=1&v=12&b=2", 0, 12 },
        { "vv=5", 0, 77 },
        { "v=", -EINVAL, 77 },
        { "v=-1", -EINVAL, 77 },
        { "v=1.5", -EINVAL, 77 },
        { "v=0x1", -EINVAL, 77 },
        { "v=9007199254740991", 0, 9007199254740991 },
        { "v=9007199254740992", -EINVAL, 77 },
        { "v=99999999999999999999", -EINVAL, 77 },
    };

    EACH(i, rows)
    {
        uint64_t value = 77;
        struct bytes query = exactly(rows[i].query);

        assert_int_equal(parameter_number(query, "v", &value), rows[i].r);
        assert_int_equal(value, rows[i].value);
        let_go(query);
    }
}

static void times_are_rfc_3339(void **state)
{
    char text[TIME_BYTES];

    time_write(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    time_write(1795582800123, text);
    assert_string_equal(text, "2026-11-25T05:00:00.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encoding_is_read),
        cmocka_unit_test(percent_encoding_has_a_ceiling),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(accept_chooses),
        cmocka_unit_test(entity_tags_are_found),
        cmocka_unit_test(numbers_in_queries_are_whole),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(gzip_is_for_those_who_want_it),
        cmocka_unit_test(what_does_not_get_smaller_is_not_compressed),
    };

    return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
