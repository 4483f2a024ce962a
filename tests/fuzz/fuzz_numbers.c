/* Any bytes as bodies, a line each: taken apart and put together again they are the same bytes, in just the room they
 * had, and every number has been used up. As texts and numbers they are put together without leaving their room. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "storage/lmdb/numbers.h"

#define BODIES_MAX 64

/* One body after the other, with what those before it said. */
static void there_and_back(const char *at, const char *end)
{
    struct numbers split = { 0 }, join = { 0 };
    struct buffer text, differences;

    for (int i = 0; i < BODIES_MAX && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct bytes body = bytes_of(at, (size_t)((newline ? newline : end) - at));
        char *room = malloc(body.n_bytes + 1);
        struct scan scan;

        FUZZ_REQUIRE(room);
        buffer_init(&text, SIZE_MAX / 2);
        buffer_init(&differences, SIZE_MAX / 2);
        if (numbers_split(&split, body, &text, &differences)) {
            scan = scan_of(buffer_bytes(&differences));
            FUZZ_REQUIRE(text.n_bytes <= body.n_bytes);
            FUZZ_REQUIRE(numbers_join(&join, buffer_bytes(&text), &scan, room, room + body.n_bytes) ==
                         room + body.n_bytes);
            FUZZ_REQUIRE(!scan.bad && scan_left(&scan) == 0 && memcmp(room, body.at, body.n_bytes) == 0);
        } else {
            FUZZ_REQUIRE(text.n_bytes == 0 && differences.n_bytes == 0);
        }
        FUZZ_REQUIRE(memcmp(&split, &join, sizeof(split)) == 0);
        buffer_finish(&text);
        buffer_finish(&differences);
        free(room);
        at += body.n_bytes + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    const char *at = (const char *)data;
    struct numbers numbers = { 0 };
    size_t n_text = n_bytes / 2;
    struct scan scan = scan_of(bytes_of(at + n_text, n_bytes - n_text));
    char *room = malloc(n_bytes + 1), *ends;

    FUZZ_REQUIRE(room);
    there_and_back(at, at + n_bytes);
    ends = numbers_join(&numbers, bytes_of(at, n_text), &scan, room, room + n_bytes);
    FUZZ_REQUIRE(!ends || (ends >= room && ends <= room + n_bytes));
    free(room);
    return 0;
}
