/* A batch: what one transaction commits, as one value of the inbox. Pure bytes in, bytes out.
 *
 *     key      batch number, be64
 *     value    | seal | format = 1 | entries, le32 | next log number, le64 |  the seal covers the key and these fields
 *              | entry | entry | ...
 *     entry    | crc, le32 | n_bytes, le32, of what follows | kind | log | from | n | ...
 *     append   ... | first ms | last ms | exists | type | n_bytes | records      create: collection | id before them
 *     record   | seq | ms since the previous one's | src | author | body |
 *              | ... | length, doubled, 1 more for a mark (large.h) | body unless it is one |      ENTRY_LARGE
 *              | ... | that | merged |                                 ENTRY_MERGED, ENTRY_CREATE_MERGED
 *
 * n is how many versions the records lead through: as many as there are records, unless some stand for several.
 * Numbers without a width are varints; bytes have their length in front. An entry's crc covers the batch's number and
 * all of the entry behind it. A remove has neither times nor records; its `from` is the head, its n 0. A create of
 * n 0 has no records and is followed by its remove (store_begin_at). */
#ifndef STORAGE_LMDB_BATCH_H
#define STORAGE_LMDB_BATCH_H

#include "storage/lmdb/code.h"
#include "storage/store.h"

#define BATCH_HEAD_BYTES 20

enum entry_kind {
    ENTRY_APPEND = 1,
    ENTRY_CREATE, /* an append that the log comes into being with */
    ENTRY_REMOVE,
    ENTRY_LARGE,         /* an append, some of whose bodies are kept apart */
    ENTRY_MERGED,        /* an append, some of whose records stand for several; bodies may be kept apart */
    ENTRY_CREATE_MERGED, /* the same, and a create */
};

static inline bool entry_creates(enum entry_kind kind)
{
    return kind == ENTRY_CREATE || kind == ENTRY_CREATE_MERGED;
}

struct batch_entry {
    enum entry_kind kind;
    uint64_t number, from, n; /* versions [from, from + n) */
    size_t n_records;         /* when written */
    struct store_name name;   /* when it creates */
    uint64_t first_ms, last_ms;
    struct store_state after;
    struct scan records; /* when read: for batch_read_record */
};

struct batch_head {
    uint32_t n_entries;
    uint64_t next_number;
};

/* Begins with an empty buffer; then entries; then the head is filled in. The buffer's error tells of failures. */
void batch_begin(struct buffer *into);
/* first_ms and last_ms are taken from the records. */
void batch_add(struct buffer *into, uint64_t batch, const struct batch_entry *entry, const struct record *records);
void batch_finish(struct buffer *into, uint64_t batch, const struct batch_head *head);

/* 0 or -EBADMSG. What is given borrows from the value. */
STORE_MUST_CHECK int batch_read(struct bytes value, uint64_t batch, struct batch_head *out);
/* The entry at offset; *next: the offset of the next one. The first is at BATCH_HEAD_BYTES. */
STORE_MUST_CHECK int batch_read_entry(struct bytes value, uint64_t batch, size_t offset, size_t *next,
                                      struct batch_entry *out);
/* The entry's next record, which is the one of `version`; `record` is the previous one, zeroed before the first. */
STORE_MUST_CHECK int batch_read_record(struct batch_entry *entry, uint64_t version, struct record *record);

#endif
