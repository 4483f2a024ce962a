/* Any bytes as the entries of a batch, under checksums that fit: each is refused, or it is records, which are written
 * and read again as the same ones. The input is entries one behind the other, each a length of two bytes and so many.
 *
 *     entry   | kind | log | from | n | ... | */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "storage/crc32c.h"
#include "storage/lmdb/batch.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"

#define BATCH       9
#define RECORDS_MAX 64

static void write_again(const struct batch_entry *entry, const struct record *records, size_t n)
{
    struct batch_head head = { .n_entries = 1 };
    struct batch_entry again = *entry;
    struct record record = { 0 };
    struct buffer value;
    uint64_t version = entry->from;
    size_t next;

    again.n_records = n;
    buffer_init(&value, SIZE_MAX / 2);
    batch_begin(&value);
    batch_add(&value, BATCH, &again, records);
    batch_finish(&value, BATCH, &head);
    FUZZ_REQUIRE(batch_read(buffer_bytes(&value), BATCH, &head) == 0 && head.n_entries == 1);
    FUZZ_REQUIRE(batch_read_entry(buffer_bytes(&value), BATCH, BATCH_HEAD_BYTES, &next, &again) == 0);
    FUZZ_REQUIRE(next == value.n_bytes && again.number == entry->number && again.from == entry->from &&
                 again.n == entry->n && again.kind == entry->kind);
    for (size_t i = 0; i < n; i++) {
        FUZZ_REQUIRE(batch_read_record(&again, version, &record) == 0);
        FUZZ_REQUIRE(record.id.seq == records[i].id.seq && record.time_ms == records[i].time_ms);
        FUZZ_REQUIRE(bytes_equal(record.id.src, records[i].id.src) && bytes_equal(record.author, records[i].author));
        FUZZ_REQUIRE(record.body.n_bytes == records[i].body.n_bytes && record.n_merged == records[i].n_merged);
        FUZZ_REQUIRE(body_is_mark(record.body) == body_is_mark(records[i].body));
        version = record_end(version, &record);
    }
    buffer_finish(&value);
}

/* As the fold reads them. */
static void read_records(struct batch_entry *entry)
{
    const struct batch_entry whole = *entry;
    struct record records[RECORDS_MAX], record = { 0 };
    uint64_t version = entry->from;
    size_t n = 0;

    for (; n < RECORDS_MAX && version < entry->from + entry->n; version = record_end(version, &record)) {
        if (batch_read_record(entry, version, &record))
            return;
        FUZZ_REQUIRE(record.id.src.n_bytes <= SRC_BYTES_MAX); /* it becomes a key */
        FUZZ_REQUIRE(record_end(version, &record) > version && record_end(version, &record) <= entry->from + entry->n);
        records[n++] = record;
    }
    if (version == entry->from + entry->n && entry->kind != ENTRY_REMOVE)
        write_again(&whole, records, n);
}

static void read_entries(struct bytes value)
{
    size_t offset = BATCH_HEAD_BYTES;
    struct batch_entry entry;
    int r = 0;

    while (offset < value.n_bytes && !r) {
        r = batch_read_entry(value, BATCH, offset, &offset, &entry);
        FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
        if (!r)
            read_records(&entry);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct batch_head head = { 0 };
    struct buffer value;
    char key[8], *copy;

    put_be64(key, BATCH);
    buffer_init(&value, SIZE_MAX / 2);
    batch_begin(&value);
    while (n_bytes >= 2) {
        size_t n = data[0] | (size_t)data[1] << 8;
        char entry[8];

        n = n > n_bytes - 2 ? n_bytes - 2 : n;
        put_le32(entry + 4, (uint32_t)n);
        put_le32(entry, crc32c(crc32c(crc32c(0, key, 8), entry + 4, 4), data + 2, n));
        (void)buffer_append(&value, entry, sizeof(entry));
        (void)buffer_append(&value, data + 2, n);
        data += 2 + n;
        n_bytes -= 2 + n;
    }
    batch_finish(&value, BATCH, &head);
    copy = malloc(value.n_bytes); /* exact: one byte too many is seen */
    FUZZ_REQUIRE(copy && !value.error);
    memcpy(copy, value.at, value.n_bytes);
    read_entries(bytes_of(copy, value.n_bytes));
    free(copy);
    buffer_finish(&value);
    return 0;
}
