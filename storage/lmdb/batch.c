#include "storage/lmdb/batch.h"

#include <errno.h>

#include "storage/crc32c.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"

#define BATCH_FORMAT     1
#define ENTRY_HEAD_BYTES 8

void batch_begin(struct buffer *into)
{
    static const char head[BATCH_HEAD_BYTES];

    buffer_reset(into);
    (void)buffer_append(into, head, sizeof(head));
}

static uint32_t entry_crc(uint64_t batch, const char *at, size_t n_bytes)
{
    char key[8];

    put_be64(key, batch);
    return crc32c(crc32c(0, key, sizeof(key)), at, n_bytes);
}

static bool keeps_marks(enum entry_kind kind)
{
    return kind >= ENTRY_LARGE;
}

static bool keeps_merged(enum entry_kind kind)
{
    return kind >= ENTRY_MERGED;
}

#define ENTRY_NUMBERS  10 /* varints of an entry, at most */
#define RECORD_NUMBERS 6  /* of a record */

static size_t entry_bytes_max(const struct batch_entry *entry, const struct record *records)
{
    size_t n_bytes = ENTRY_HEAD_BYTES + 1 + ENTRY_NUMBERS * VARINT_BYTES_MAX + entry->name.collection.n_bytes +
                     entry->name.id.n_bytes + entry->after.type.n_bytes;

    for (size_t i = 0; i < entry->n_records; i++)
        n_bytes += RECORD_NUMBERS * VARINT_BYTES_MAX + records[i].id.src.n_bytes + records[i].author.n_bytes +
                   body_kept_bytes(records[i].body);
    return n_bytes;
}

static char *put_body(char *at, const struct batch_entry *entry, struct bytes body)
{
    at = put_varint(at, keeps_marks(entry->kind) ? body_length_encode(body) : body.n_bytes);
    if (body_kept_bytes(body))
        memcpy(at, body.at, body.n_bytes);
    return at + body_kept_bytes(body);
}

static char *put_records(char *at, const struct batch_entry *entry, const struct record *records)
{
    uint64_t ms = 0;

    at = put_varint(at, entry->n_records ? records[0].time_ms : 0);
    at = put_varint(at, entry->n_records ? records[entry->n_records - 1].time_ms : 0);
    at = put_varint(at, entry->after.exists);
    at = put_bytes(at, entry->after.type);
    at = put_varint(at, entry->after.n_bytes);
    for (size_t i = 0; i < entry->n_records; i++) {
        at = put_varint(at, records[i].id.seq);
        at = put_varint(at, zigzag(records[i].time_ms - ms));
        at = put_bytes(at, records[i].id.src);
        at = put_bytes(at, records[i].author);
        at = put_body(at, entry, records[i].body);
        if (keeps_merged(entry->kind))
            at = put_varint(at, records[i].n_merged);
        ms = records[i].time_ms;
    }
    return at;
}

void batch_add(struct buffer *into, uint64_t batch, const struct batch_entry *entry, const struct record *records)
{
    char *begins = buffer_room(into, entry_bytes_max(entry, records)), *at;
    size_t n_bytes;

    if (!begins)
        return;
    at = begins + ENTRY_HEAD_BYTES;
    *at++ = (char)entry->kind;
    at = put_varint(at, entry->number);
    at = put_varint(at, entry->from);
    at = put_varint(at, entry->n);
    if (entry_creates(entry->kind)) {
        at = put_bytes(at, entry->name.collection);
        at = put_bytes(at, entry->name.id);
    }
    if (entry->kind != ENTRY_REMOVE)
        at = put_records(at, entry, records);
    n_bytes = (size_t)(at - begins) - ENTRY_HEAD_BYTES;
    put_le32(begins + 4, (uint32_t)n_bytes);
    put_le32(begins, entry_crc(batch, begins + 4, n_bytes + 4));
    buffer_grew(into, n_bytes + ENTRY_HEAD_BYTES);
}

void batch_finish(struct buffer *into, uint64_t batch, const struct batch_head *head)
{
    char key[8];

    if (into->error)
        return;
    into->at[4] = BATCH_FORMAT;
    put_le32(into->at + 8, head->n_entries);
    put_le64(into->at + 12, head->next_number);
    put_be64(key, batch);
    put_le32(into->at, seal_of(DB_INBOX, bytes_of(key, 8), bytes_of(into->at + 4, BATCH_HEAD_BYTES - 4)));
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

int batch_read(struct bytes value, uint64_t batch, struct batch_head *out)
{
    const char *at = value.at;
    char key[8];
    struct bytes head;

    if (value.n_bytes < BATCH_HEAD_BYTES)
        return -EBADMSG;
    put_be64(key, batch);
    if (unseal(DB_INBOX, bytes_of(key, 8), bytes_of(at, BATCH_HEAD_BYTES), &head) || at[4] != BATCH_FORMAT)
        return -EBADMSG;
    out->n_entries = get_le32(at + 8);
    out->next_number = get_le64(at + 12);
    return 0;
}

int batch_read_entry(struct bytes value, uint64_t batch, size_t offset, size_t *next, struct batch_entry *out)
{
    const char *at = (const char *)value.at + offset;
    struct batch_entry entry = { 0 };
    struct scan scan;
    size_t n_bytes;

    if (offset > value.n_bytes || value.n_bytes - offset < ENTRY_HEAD_BYTES)
        return -EBADMSG;
    n_bytes = get_le32(at + 4);
    if (n_bytes > value.n_bytes - offset - ENTRY_HEAD_BYTES || get_le32(at) != entry_crc(batch, at + 4, n_bytes + 4))
        return -EBADMSG;

    scan = scan_of(bytes_of(at + ENTRY_HEAD_BYTES, n_bytes));
    entry.kind = scan_u8(&scan);
    entry.number = scan_varint(&scan);
    entry.from = scan_varint(&scan);
    entry.n = scan_varint(&scan);
    if (entry_creates(entry.kind)) {
        entry.name.collection = scan_bytes(&scan);
        entry.name.id = scan_bytes(&scan);
    }
    if (entry.kind != ENTRY_REMOVE) {
        entry.first_ms = scan_varint(&scan);
        entry.last_ms = scan_varint(&scan);
        entry.after.exists = scan_varint(&scan) != 0;
        entry.after.type = scan_bytes(&scan);
        entry.after.n_bytes = scan_varint(&scan);
    }
    entry.records = scan;
    if (scan.bad || entry.kind < ENTRY_APPEND || entry.kind > ENTRY_CREATE_MERGED || entry.n > UINT64_MAX - entry.from)
        return -EBADMSG;
    if (entry.after.type.n_bytes > TYPE_BYTES_MAX || entry.name.collection.n_bytes > NAME_BYTES_MAX ||
        entry.name.id.n_bytes > NAME_BYTES_MAX)
        return -EBADMSG;
    *next = offset + ENTRY_HEAD_BYTES + n_bytes;
    *out = entry;
    return 0;
}

int batch_read_record(struct batch_entry *entry, uint64_t version, struct record *record)
{
    struct scan *scan = &entry->records;

    record->id.seq = scan_varint(scan);
    record->time_ms += unzigzag(scan_varint(scan));
    record->id.src = scan_bytes(scan);
    record->author = scan_bytes(scan);
    record->body = keeps_marks(entry->kind) ? body_take(scan, scan_varint(scan)) : scan_bytes(scan);
    record->n_merged = keeps_merged(entry->kind) ? scan_varint(scan) : 0;
    if (scan->bad || record->id.src.n_bytes > SRC_BYTES_MAX)
        return -EBADMSG;
    return record->n_merged >= entry->from + entry->n - version ? -EBADMSG : 0;
}
