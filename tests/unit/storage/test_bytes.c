/* The spelling of what is kept: checksums, keys, batches, segments. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/crc32c.h"
#include "storage/lmdb/batch.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/numbers.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment.h"
#include "tests/sim/random.h"

/* ---- checksums: RFC 3720, B.4 ------------------------------------------------------------------------------------ */

static void crc_of_known_inputs(void **state)
{
    unsigned char zeros[32] = { 0 }, ones[32], ascending[32];

    (void)state;
    for (size_t i = 0; i < 32; i++) {
        ones[i] = 0xff;
        ascending[i] = (unsigned char)i;
    }
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, ascending, 32), 0x46dd794e);
    assert_int_equal(crc32c(0, "", 0), 0);
    assert_int_equal(crc32c_portable(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_portable(0, ascending, 32), 0x46dd794e);
}

static void crc_goes_on_anywhere(void **state)
{
    struct sim_random random = { 1 };
    unsigned char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)sim_random_u64(&random);
    for (size_t n = 0; n < sizeof(bytes); n++) {
        size_t cut = sim_random_below(&random, n + 1);
        uint32_t whole = crc32c(0, bytes, n);

        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, n - cut), whole);
        assert_int_equal(crc32c_portable(0, bytes, n), whole);
        assert_int_equal(crc32c_portable(crc32c_portable(0, bytes, cut), bytes + cut, n - cut), whole);
    }
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void name_keys_are_in_order(void **state)
{
    /* In the order of the names: by collection, then by id. */
    struct store_name names[] = {
        { bytes_of("\0", 1), bytes_of("b", 1) },       { bytes_of("\0\xff", 2), bytes_of("a", 1) },
        { bytes_of("a", 1), bytes_of("\0", 1) },       { bytes_of("a", 1), bytes_of("z\xff", 2) },
        { bytes_of("a\0", 2), bytes_of("\0\0", 2) },   { bytes_of("a\0", 2), bytes_of("a", 1) },
        { bytes_of("a\0b", 3), bytes_of("a", 1) },     { bytes_of("a\1", 2), bytes_of("a", 1) },
        { bytes_of("ab", 2), bytes_of("a", 1) },       { bytes_of("b", 1), bytes_of("a", 1) },
        { bytes_of("\xff\xff", 2), bytes_of("a", 1) },
    };
    size_t n = sizeof(names) / sizeof(names[0]);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct name_key key = name_key_of(names[i]);
        struct store_name split;
        char collection[NAME_BYTES_MAX];

        assert_int_equal(name_key_split(name_key_bytes(&key), collection, &split), 0);
        assert_true(bytes_equal(split.collection, names[i].collection));
        assert_true(bytes_equal(split.id, names[i].id));
        for (size_t k = 0; k < n; k++) {
            struct name_key other = name_key_of(names[k]);
            int order = bytes_compare(name_key_bytes(&key), name_key_bytes(&other));

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

/* An exact copy, so that the address sanitizer sees one byte too many. */
static void *exact(struct bytes bytes)
{
    void *at = malloc(bytes.n_bytes ? bytes.n_bytes : 1);

    assert_non_null(at);
    if (bytes.n_bytes)
        memcpy(at, bytes.at, bytes.n_bytes);
    return at;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

#define N_RECORDS 200

struct sample {
    struct record records[N_RECORDS];
    char bytes[N_RECORDS][64];
};

/* Records as awkward as they come: few and many sources, seqs and times up and down, empty and binary bodies, bodies
 * with numbers and with what only looks like some; of every fourth sample some stand for several. */
static void sample_fill(struct sample *sample, uint64_t seed)
{
    struct sim_random random = { seed };

    for (size_t i = 0; i < N_RECORDS; i++) {
        struct record *record = &sample->records[i];
        char *at = sample->bytes[i];

        for (size_t k = 0; k < 64; k++)
            at[k] = (char)sim_random_u64(&random);
        at[0] = (char)('a' + sim_random_below(&random, 1 + seed % 20));
        record->id.src = bytes_of(at, 1 + (seed % 3 ? 0 : sim_random_below(&random, 20)));
        record->author = bytes_of(at + 20, seed % 2 ? 0 : sim_random_below(&random, 4));
        record->body = bytes_of(at + 24, sim_random_below(&random, 41));
        record->id.seq = sim_random_chance(&random, 100) ? sim_random_u64(&random) : i;
        record->time_ms = sim_random_chance(&random, 100) ? sim_random_u64(&random) : 1000000 + i;
        record->n_merged = seed % 4 == 0 && sim_random_chance(&random, 300) ? sim_random_below(&random, 5000) : 0;
        for (size_t k = 24; seed % 3 == 0 && k < 64; k++)
            at[k] = "0123456789019[,:]}a"[sim_random_below(&random, 19)];
    }
}

static void check_equal(const struct record *a, const struct record *b)
{
    assert_true(bytes_equal(a->id.src, b->id.src));
    assert_true(a->id.seq == b->id.seq);
    assert_true(a->time_ms == b->time_ms);
    assert_true(bytes_equal(a->author, b->author));
    assert_true(bytes_equal(a->body, b->body));
    assert_true(a->n_merged == b->n_merged);
}

static uint64_t sample_end(const struct sample *sample, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        first = record_end(first, &sample->records[i]);
    return first;
}

static int pack(struct segment_writer *writer, uint64_t number, uint64_t first, const struct record *records, size_t n)
{
    return segment_write(writer, number, first, records, n, SEGMENT_LEVEL_QUICK, SEGMENT_LOOSE);
}

static void segments_keep_every_field(void **state)
{
    struct sample *sample = malloc(sizeof(*sample));
    struct segment_writer writer;
    struct segment segment = { 0 };

    (void)state;
    assert_non_null(sample);
    assert_int_equal(segment_writer_init(&writer), 0);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        size_t n = 1 + (size_t)(seed * 7 % N_RECORDS);
        uint64_t first_ms;

        sample_fill(sample, seed);
        assert_int_equal(pack(&writer, seed, 1000 * seed, sample->records, n), 0);
        assert_int_equal(segment_decode(&segment, seed, 1000 * seed, buffer_bytes(&writer.value)), 0);
        assert_int_equal(segment.n, n);
        assert_true(segment.end == sample_end(sample, 1000 * seed, n));
        for (size_t i = 0; i < n; i++)
            check_equal(&segment.records[i], &sample->records[i]);
        assert_int_equal(segment_first_ms(seed, 1000 * seed, buffer_bytes(&writer.value), &first_ms), 0);
        assert_true(first_ms == sample->records[0].time_ms);

        /* Another log's, or of another version: intact, and not what was asked for. */
        assert_int_equal(segment_decode(&segment, seed + 1, 1000 * seed, buffer_bytes(&writer.value)), -EBADMSG);
        assert_int_equal(segment.n, 0);
        assert_int_equal(segment_decode(&segment, seed, 1000 * seed + 1, buffer_bytes(&writer.value)), -EBADMSG);
    }
    segment_finish(&segment);
    segment_writer_finish(&writer);
    free(sample);
}

/* What program of format version 2 wrote: lengths and times as they were then. */
static void segments_of_format_1_are_read(void **state)
{
    struct log_key key = log_key_of_version(3, 9);
    struct segment segment = { 0 };
    struct buffer value;

    (void)state;
    buffer_init(&value, 1000);
    (void)buffer_append(&value, "\0\0\0\0\1\0\1\0\3\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0", 24);
    (void)buffer_append(&value, "\1\1s\2\0\3ann", 9);     /* sources, authors */
    (void)buffer_append(&value, "\0\0\0\0\1\0", 6);       /* of each */
    (void)buffer_append(&value, "\2\2\2\0\x0a\1", 6);     /* seqs 1 2 3; ms 100 105 104 */
    (void)buffer_append(&value, "\4\0\x83\x80\x20hi", 7); /* "hi", "", a mark of 262145 */
    put_le32(value.at, seal_of(DB_LOG, log_key_bytes(&key), bytes_of(value.at + 4, value.n_bytes - 4)));
    assert_int_equal(segment_decode(&segment, 3, 9, buffer_bytes(&value)), 0);
    assert_int_equal(segment.n, 3);
    assert_int_equal(segment.end, 12);
    assert_int_equal(segment_state(buffer_bytes(&value)), SEGMENT_LOOSE);
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(bytes_equal(segment.records[i].id.src, bytes_of_string("s")));
        assert_int_equal(segment.records[i].id.seq, i + 1);
        assert_int_equal(segment.records[i].author.n_bytes, i == 1 ? 3 : 0);
        assert_int_equal(segment.records[i].n_merged, 0);
    }
    assert_int_equal(segment.records[1].time_ms, 105);
    assert_int_equal(segment.records[2].time_ms, 104);
    assert_true(bytes_equal(segment.records[0].body, bytes_of_string("hi")));
    assert_true(body_is_mark(segment.records[2].body));
    assert_int_equal(segment.records[2].body.n_bytes, 262145);
    segment_finish(&segment);
    buffer_finish(&value);
}

static struct row_of_numbers {
    const char *body, *text; /* text: NULL, it is not touched */
} rows_of_numbers[] = {
    { "{\"op\":[1203,\"a\"]}", "{\"op\":[\1,\"a\"]}" },
    { "[0,10,{\"d\":7}]", "[\1,\1,{\"d\":\1}]" },
    { "[007,1]", "[007,\1]" },
    { "[123456789012345678,1234567890123456789]", "[\1,1234567890123456789]" },
    { "[-1,1.5,1e3,\"2\"]", NULL },
    { "17", NULL },
    { "[12", NULL },
    { "\1[3]", NULL },
    { "", NULL },
};

static void numbers_leave_bodies_and_come_back(void **state)
{
    struct numbers out = { 0 }, in = { 0 };
    struct buffer text, differences;

    (void)state;
    buffer_init(&text, 1000);
    buffer_init(&differences, 1000);
    for (size_t i = 0; i < sizeof(rows_of_numbers) / sizeof(rows_of_numbers[0]); i++) {
        struct bytes body = bytes_of_string(rows_of_numbers[i].body);
        char joined[100], *end;
        struct scan scan;

        buffer_reset(&text);
        buffer_reset(&differences);
        assert_int_equal(numbers_split(&out, body, &text, &differences), rows_of_numbers[i].text != NULL);
        if (!rows_of_numbers[i].text) {
            assert_int_equal(text.n_bytes + differences.n_bytes, 0);
            continue;
        }
        assert_true(bytes_equal(buffer_bytes(&text), bytes_of_string(rows_of_numbers[i].text)));
        scan = scan_of(buffer_bytes(&differences));
        end = numbers_join(&in, buffer_bytes(&text), &scan, joined, joined + sizeof(joined));
        assert_non_null(end);
        assert_true(bytes_equal(bytes_of(joined, (size_t)(end - joined)), body));
        assert_int_equal(scan_left(&scan), 0);
        in = out;
    }
    buffer_finish(&text);
    buffer_finish(&differences);
}

/* Nothing is written beyond the room that there is, whatever the text and the numbers say. */
static void numbers_stay_within_their_room(void **state)
{
    struct bytes text = bytes_of_string("[\1,\1]");
    char differences[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2";

    (void)state;
    for (size_t n = 0; n < 30; n++) {
        struct scan scan = scan_of(bytes_of(differences, sizeof(differences) - 1));
        struct numbers numbers = { 0 };
        char *room = exact(bytes_of("                              ", n));

        assert_int_equal(numbers_join(&numbers, text, &scan, room, room + n) != NULL, n >= 23);
        free(room);
    }
}

/* It becomes a key when it is folded. */
static void a_source_that_no_key_takes_is_refused(void **state)
{
    char src[SRC_BYTES_MAX + 1] = "s";
    struct record long_one = { .id = { bytes_of(src, sizeof(src)), 1 } }, record = { 0 };
    struct batch_entry entry = { .kind = ENTRY_APPEND, .number = 3, .from = 9, .n = 1, .n_records = 1 }, is;
    struct buffer buffer;
    size_t next;

    (void)state;
    buffer_init(&buffer, 1000);
    for (int r = -EBADMSG; r <= 0; r += EBADMSG, long_one.id.src.n_bytes--) {
        batch_begin(&buffer);
        batch_add(&buffer, 5, &entry, &long_one);
        assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 5, BATCH_HEAD_BYTES, &next, &is), 0);
        record = (struct record){ 0 };
        assert_int_equal(batch_read_record(&is, 9, &record), r);
    }
    buffer_finish(&buffer);
}

static void a_segment_that_leads_nowhere_is_refused(void **state)
{
    struct record records[2] = { { .n_merged = UINT64_MAX - 20 }, { .n_merged = 30 } };
    struct segment_writer writer;
    struct segment segment = { 0 };

    (void)state;
    assert_int_equal(segment_writer_init(&writer), 0);
    for (size_t i = 0; i < 2; i++)
        records[i].id.src = records[i].author = records[i].body = bytes_of_string("");
    assert_int_equal(pack(&writer, 1, 5, records, 2), 0);
    assert_int_equal(segment_decode(&segment, 1, 5, buffer_bytes(&writer.value)), -EBADMSG);
    assert_int_equal(pack(&writer, 1, 5, records, 1), 0);
    assert_int_equal(segment_decode(&segment, 1, 5, buffer_bytes(&writer.value)), 0);
    segment_finish(&segment);
    segment_writer_finish(&writer);
}

static void records_of_a_batch_may_stand_for_several(void **state)
{
    struct sample *sample = malloc(sizeof(*sample));
    struct batch_entry entry = { .kind = ENTRY_CREATE_MERGED,
                                 .number = 3,
                                 .from = 9,
                                 .n_records = 50,
                                 .name = { bytes_of_string("notes"), bytes_of_string("a") } },
                       is;
    struct record record = { 0 };
    struct buffer buffer;
    uint64_t version = 9;
    size_t next;

    (void)state;
    assert_non_null(sample);
    sample_fill(sample, 4);
    buffer_init(&buffer, 100000);
    entry.n = sample_end(sample, 9, 50) - 9;
    for (int round = 0; round < 2; round++) {
        batch_begin(&buffer);
        batch_add(&buffer, 5, &entry, sample->records);
        batch_finish(&buffer, 5, &(struct batch_head){ 1, 4 });
        assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 5, BATCH_HEAD_BYTES, &next, &is), 0);
        assert_true(is.n == entry.n);
        record = (struct record){ 0 };
        version = 9;
        for (size_t i = 0; i < 50; i++, version = record_end(version, &record)) {
            assert_int_equal(batch_read_record(&is, version, &record), 0);
            check_equal(&record, &sample->records[i]);
        }
        assert_true(version == 9 + entry.n);
        entry.kind = ENTRY_MERGED;
    }
    /* One that would lead beyond what the entry says. */
    entry.n_records = 1;
    entry.n = 1;
    sample->records[0].n_merged = 1;
    batch_begin(&buffer);
    batch_add(&buffer, 5, &entry, sample->records);
    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 5, BATCH_HEAD_BYTES, &next, &is), 0);
    record = (struct record){ 0 };
    assert_int_equal(batch_read_record(&is, 9, &record), -EBADMSG);
    buffer_finish(&buffer);
    free(sample);
}

static void marks_stand_for_bodies_that_are_kept_apart(void **state)
{
    struct bytes bodies[] = { bytes_of_string("small"), body_mark(70000), bytes_of_string(""),
                              body_mark(STORE_RECORD_MAX_BYTES) };
    struct batch_entry entry = { .kind = ENTRY_LARGE, .number = 3, .from = 9, .n = 4, .n_records = 4 }, is;
    struct record records[4] = { 0 }, record = { 0 };
    struct segment segment = { 0 };
    struct segment_writer writer;
    struct buffer buffer;
    size_t next;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        records[i] = (struct record){ { bytes_of_string("s"), i }, i, bytes_of_string(""), bodies[i] };
    buffer_init(&buffer, 1000);
    batch_begin(&buffer);
    batch_add(&buffer, 5, &entry, records);
    batch_finish(&buffer, 5, &(struct batch_head){ 1, 4 });
    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 5, BATCH_HEAD_BYTES, &next, &is), 0);
    assert_int_equal(segment_writer_init(&writer), 0);
    assert_int_equal(pack(&writer, 3, 9, records, 4), 0);
    assert_int_equal(segment_decode(&segment, 3, 9, buffer_bytes(&writer.value)), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(batch_read_record(&is, 9 + i, &record), 0);
        for (size_t k = 0; k < 2; k++) {
            struct bytes body = k ? segment.records[i].body : record.body;

            assert_int_equal(body.n_bytes, bodies[i].n_bytes);
            assert_int_equal(body_is_mark(body), body_is_mark(bodies[i]));
            assert_true(body_is_mark(body) || bytes_equal(body, bodies[i]));
        }
    }
    buffer_finish(&buffer);
    segment_finish(&segment);
    segment_writer_finish(&writer);
}

static void pieces_are_one_body(void **state)
{
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    struct sim_random random = { 3 };
    struct buffer packed, body;
    char bytes[3000];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i < 2000 ? 'a' : (char)sim_random_u64(&random);
    buffer_init(&packed, 10000);
    buffer_init(&body, 10000);
    for (size_t at = 0; at < sizeof(bytes); at += 1000) {
        piece_pack(packer, bytes_of(bytes + at, 1000), &packed);
        assert_int_equal(piece_unpack(unpacker, buffer_bytes(&packed), 999, &body), -EBADMSG);
        assert_int_equal(piece_unpack(unpacker, buffer_bytes(&packed), 1000, &body), 0);
    }
    assert_true(bytes_equal(buffer_bytes(&body), bytes_of(bytes, sizeof(bytes))));
    for (size_t n = 0; n < packed.n_bytes; n++) {
        char *cut = malloc(n + 1);

        assert_non_null(cut);
        memcpy(cut, packed.at, n);
        assert_int_equal(piece_unpack(unpacker, bytes_of(cut, n), 1000, &body), -EBADMSG);
        free(cut);
    }
    assert_int_equal(body.n_bytes, sizeof(bytes));
    buffer_finish(&packed);
    buffer_finish(&body);
    ZSTD_freeCCtx(packer);
    ZSTD_freeDCtx(unpacker);
}

static void a_damaged_segment_is_refused(void **state)
{
    struct sample *sample = malloc(sizeof(*sample));
    struct segment_writer writer;
    struct segment segment = { 0 };
    struct bytes whole;

    (void)state;
    assert_non_null(sample);
    sample_fill(sample, 5);
    assert_int_equal(segment_writer_init(&writer), 0);
    assert_int_equal(pack(&writer, 1, 2, sample->records, 20), 0);
    whole = buffer_bytes(&writer.value);
    for (size_t n = 0; n < whole.n_bytes; n++) {
        char *cut = exact(bytes_of(whole.at, n)), *flipped = exact(whole);

        assert_int_equal(segment_decode(&segment, 1, 2, bytes_of(cut, n)), -EBADMSG);
        flipped[n] = (char)(flipped[n] ^ 1 << n % 8);
        assert_int_equal(segment_decode(&segment, 1, 2, bytes_of(flipped, whole.n_bytes)), -EBADMSG);
        free(cut);
        free(flipped);
    }
    segment_finish(&segment);
    segment_writer_finish(&writer);
    free(sample);
}

static void batch_of_three(struct buffer *into, const struct sample *sample, uint64_t number)
{
    struct batch_entry created = { .kind = ENTRY_CREATE,
                                   .number = 7,
                                   .from = 3,
                                   .n = 20,
                                   .n_records = 20,
                                   .name = { bytes_of_string("notes"), bytes_of_string("a") },
                                   .after = { true, bytes_of_string("text"), 99 } };
    struct batch_entry appended = { .kind = ENTRY_APPEND, .number = 6, .from = 1ull << 40, .n = 1, .n_records = 1 };
    struct batch_entry removed = { .kind = ENTRY_REMOVE, .number = 7, .from = 23 };

    batch_begin(into);
    batch_add(into, number, &created, sample->records);
    batch_add(into, number, &appended, sample->records + 50);
    batch_add(into, number, &removed, NULL);
    batch_finish(into, number, &(struct batch_head){ 3, 8 });
    assert_int_equal(into->error, 0);
}

static void batches_keep_every_field(void **state)
{
    struct sample *sample = malloc(sizeof(*sample));
    struct buffer buffer;
    struct batch_head head;
    struct batch_entry entry;
    struct record record = { 0 };
    size_t offset = BATCH_HEAD_BYTES;

    (void)state;
    assert_non_null(sample);
    sample_fill(sample, 3);
    buffer_init(&buffer, 1 << 20);
    batch_of_three(&buffer, sample, 77);
    assert_int_equal(batch_read(buffer_bytes(&buffer), 77, &head), 0);
    assert_int_equal(head.n_entries, 3);
    assert_int_equal(head.next_number, 8);

    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 77, offset, &offset, &entry), 0);
    assert_int_equal(entry.kind, ENTRY_CREATE);
    assert_int_equal(entry.number, 7);
    assert_int_equal(entry.from, 3);
    assert_int_equal(entry.n, 20);
    assert_true(bytes_equal(entry.name.id, bytes_of_string("a")));
    assert_true(bytes_equal(entry.after.type, bytes_of_string("text")));
    assert_int_equal(entry.after.n_bytes, 99);
    assert_true(entry.first_ms == sample->records[0].time_ms && entry.last_ms == sample->records[19].time_ms);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(batch_read_record(&entry, 3 + i, &record), 0);
        check_equal(&record, &sample->records[i]);
    }
    assert_int_equal(batch_read_record(&entry, 23, &record), -EBADMSG);

    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 77, offset, &offset, &entry), 0);
    assert_true(entry.from == 1ull << 40);
    assert_false(entry.after.exists);
    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 77, offset, &offset, &entry), 0);
    assert_int_equal(entry.kind, ENTRY_REMOVE);
    assert_int_equal(offset, buffer.n_bytes);
    assert_int_equal(batch_read_entry(buffer_bytes(&buffer), 77, offset, &offset, &entry), -EBADMSG);
    buffer_finish(&buffer);
    free(sample);
}

/* Whether head and all entries are accepted. */
static bool batch_is_sound(struct bytes value, uint64_t number)
{
    struct batch_head head;
    struct batch_entry entry;
    size_t offset = BATCH_HEAD_BYTES;
    int r = batch_read(value, number, &head);

    for (uint32_t i = 0; !r && i < head.n_entries; i++)
        r = batch_read_entry(value, number, offset, &offset, &entry);
    return !r && offset == value.n_bytes;
}

static void a_damaged_batch_is_refused(void **state)
{
    struct sample *sample = malloc(sizeof(*sample));
    struct buffer buffer;

    (void)state;
    assert_non_null(sample);
    sample_fill(sample, 3);
    buffer_init(&buffer, 1 << 20);
    batch_of_three(&buffer, sample, 77);
    assert_true(batch_is_sound(buffer_bytes(&buffer), 77));
    assert_false(batch_is_sound(buffer_bytes(&buffer), 78));
    for (size_t n = 0; n < buffer.n_bytes; n++) {
        char *cut = exact(bytes_of(buffer.at, n)), *flipped = exact(buffer_bytes(&buffer));

        assert_false(batch_is_sound(bytes_of(cut, n), 77));
        flipped[n] = (char)(flipped[n] ^ 1 << n % 8);
        assert_false(batch_is_sound(bytes_of(flipped, buffer.n_bytes), 77));
        free(cut);
        free(flipped);
    }
    buffer_finish(&buffer);
    free(sample);
}

static void numbers_of_every_size(void **state)
{
    struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 100);
    for (unsigned shift = 0; shift < 64; shift++)
        for (uint64_t off = 0; off < 3; off++) {
            uint64_t n = (1ull << shift) - 1 + off;
            struct scan scan;

            buffer_reset(&buffer);
            append_varint(&buffer, n);
            append_varint(&buffer, zigzag(-n));
            scan = scan_of(buffer_bytes(&buffer));
            assert_true(scan_varint(&scan) == n);
            assert_true(unzigzag(scan_varint(&scan)) == -n);
            assert_false(scan.bad);
            assert_int_equal(scan_left(&scan), 0);
            assert_true(scan_varint(&scan) == 0);
            assert_true(scan.bad);
        }
    buffer_finish(&buffer);
}

static void rows_keep_every_field(void **state)
{
    struct row row = { .number = 1, .base = 5, .head = 1ull << 50 }, read;
    struct store_state after = { true, bytes_of_string("rich"), 12345 };
    struct buffer buffer;

    (void)state;
    row_advance(&row, 3, 70, 90, &after);
    buffer_init(&buffer, 1000);
    row_encode(&row, &buffer);
    assert_int_equal(row_decode(buffer_bytes(&buffer), &read), 0);
    assert_true(read.head == (1ull << 50) + 3);
    assert_int_equal(read.created_ms, 70);
    assert_int_equal(read.modified_ms, 90);
    assert_int_equal(read.n_bytes, 12345);
    assert_true(read.exists);
    assert_int_equal(read.base, 5);
    assert_true(bytes_equal(bytes_of(read.type, read.n_type), bytes_of_string("rich")));
    for (size_t n = 0; n < buffer.n_bytes; n++)
        assert_int_equal(row_decode(bytes_of(buffer.at, n), &read), -EBADMSG);
    buffer_finish(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_known_inputs),
        cmocka_unit_test(crc_goes_on_anywhere),
        cmocka_unit_test(name_keys_are_in_order),
        cmocka_unit_test(segments_keep_every_field),
        cmocka_unit_test(segments_of_format_1_are_read),
        cmocka_unit_test(numbers_leave_bodies_and_come_back),
        cmocka_unit_test(numbers_stay_within_their_room),
        cmocka_unit_test(a_source_that_no_key_takes_is_refused),
        cmocka_unit_test(a_segment_that_leads_nowhere_is_refused),
        cmocka_unit_test(records_of_a_batch_may_stand_for_several),
        cmocka_unit_test(a_damaged_segment_is_refused),
        cmocka_unit_test(batches_keep_every_field),
        cmocka_unit_test(a_damaged_batch_is_refused),
        cmocka_unit_test(numbers_of_every_size),
        cmocka_unit_test(rows_keep_every_field),
        cmocka_unit_test(pieces_are_one_body),
        cmocka_unit_test(marks_stand_for_bodies_that_are_kept_apart),
    };

    return cmocka_run_group_tests_name("stored bytes", tests, NULL, NULL);
}
