/* Any bytes as a segment, under a seal that fits: it is refused, or it is records of which another segment is made that
 * holds the same ones. Whatever it says of sizes, no more is taken from memory than its payload may be.
 *
 *     | format | compression | marks | state | records, le32 | payload bytes, le32 | first ms, le64 | payload | */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment.h"

#define NUMBER 7
#define FIRST  100

static bool same(const struct record *a, const struct record *b)
{
    return a->id.seq == b->id.seq && a->time_ms == b->time_ms && a->n_merged == b->n_merged &&
           bytes_equal(a->id.src, b->id.src) && bytes_equal(a->author, b->author) &&
           body_is_mark(a->body) == body_is_mark(b->body) &&
           (body_is_mark(a->body) ? a->body.n_bytes == b->body.n_bytes : bytes_equal(a->body, b->body));
}

static void write_again(const struct segment *segment)
{
    struct segment_writer writer;
    struct segment again = { 0 };

    FUZZ_REQUIRE(segment_writer_init(&writer) == 0);
    FUZZ_REQUIRE(
        segment_write(&writer, NUMBER, FIRST, segment->records, segment->n, SEGMENT_LEVEL_QUICK, SEGMENT_TIGHT) == 0);
    FUZZ_REQUIRE(segment_decode(&again, NUMBER, FIRST, buffer_bytes(&writer.value)) == 0);
    FUZZ_REQUIRE(again.n == segment->n && again.end == segment->end);
    for (size_t i = 0; i < again.n; i++)
        FUZZ_REQUIRE(same(&again.records[i], &segment->records[i]));
    segment_finish(&again);
    segment_writer_finish(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct log_key key = log_key_of_version(NUMBER, FIRST);
    struct segment segment = { 0 };
    char *value = malloc(SEAL_BYTES + n_bytes);
    int r;

    FUZZ_REQUIRE(value);
    if (n_bytes)
        memcpy(value + SEAL_BYTES, data, n_bytes);
    put_le32(value, seal_of(DB_LOG, log_key_bytes(&key), bytes_of(value + SEAL_BYTES, n_bytes)));
    r = segment_decode(&segment, NUMBER, FIRST, bytes_of(value, SEAL_BYTES + n_bytes));
    FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
    FUZZ_REQUIRE(r == 0 || segment.n == 0);
    if (r == 0)
        write_again(&segment);
    segment_finish(&segment);
    free(value);
    return 0;
}
