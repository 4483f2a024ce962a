#include "storage/lmdb/segment.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/rows.h"

#define SEGMENT_FORMAT    1
#define PAYLOAD_MAX_BYTES ((size_t)1 << 30)
#define ZSTD_LEVEL        3

enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD };

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct segment_column {
    uint32_t src, author;       /* of this record: indices into the tables */
    uint32_t src_at, author_at; /* of table row i: the record that has it first */
    uint64_t src_seq;           /* of table row i: the source's newest seq */
};

int segment_writer_init(struct segment_writer *writer)
{
    *writer = (struct segment_writer){ .context = ZSTD_createCCtx() };
    buffer_init(&writer->payload, PAYLOAD_MAX_BYTES);
    buffer_init(&writer->value, PAYLOAD_MAX_BYTES);
    return writer->context ? 0 : -ENOMEM;
}

void segment_writer_finish(struct segment_writer *writer)
{
    buffer_finish(&writer->payload);
    buffer_finish(&writer->value);
    ZSTD_freeCCtx(writer->context);
    free(writer->columns);
}

static int columns_reserve(struct segment_writer *writer, size_t n)
{
    struct segment_column *grown;

    if (n <= writer->capacity)
        return 0;
    grown = realloc(writer->columns, n * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    writer->columns = grown;
    writer->capacity = n;
    return 0;
}

/* Whoever wrote last probably writes again: the tables are searched from their end. */
static void columns_index(struct segment_column *columns, const struct record *records, size_t n, size_t *n_sources,
                          size_t *n_authors)
{
    *n_sources = *n_authors = 0;
    for (size_t i = 0; i < n; i++) {
        size_t src = *n_sources, author = *n_authors;

        while (src > 0 && !bytes_equal(records[columns[src - 1].src_at].id.src, records[i].id.src))
            src--;
        if (src == 0) {
            src = ++*n_sources;
            columns[src - 1].src_at = (uint32_t)i;
            columns[src - 1].src_seq = 0;
        }
        while (author > 0 && !bytes_equal(records[columns[author - 1].author_at].author, records[i].author))
            author--;
        if (author == 0) {
            author = ++*n_authors;
            columns[author - 1].author_at = (uint32_t)i;
        }
        columns[i].src = (uint32_t)src - 1;
        columns[i].author = (uint32_t)author - 1;
    }
}

static bool any_marks(const struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (body_is_mark(records[i].body))
            return true;
    return false;
}

static void payload_write(struct segment_writer *writer, const struct record *records, size_t n, bool marks)
{
    struct buffer *into = &writer->payload;
    struct segment_column *columns = writer->columns;
    size_t n_sources, n_authors;
    uint64_t ms = records[0].time_ms;

    columns_index(columns, records, n, &n_sources, &n_authors);
    buffer_reset(into);
    append_varint(into, n_sources);
    for (size_t i = 0; i < n_sources; i++)
        append_bytes(into, records[columns[i].src_at].id.src);
    append_varint(into, n_authors);
    for (size_t i = 0; i < n_authors; i++)
        append_bytes(into, records[columns[i].author_at].author);
    for (size_t i = 0; i < n; i++)
        append_varint(into, columns[i].src);
    for (size_t i = 0; i < n; i++)
        append_varint(into, columns[i].author);
    for (size_t i = 0; i < n; i++) {
        uint64_t *seq = &columns[columns[i].src].src_seq;

        append_varint(into, zigzag(records[i].id.seq - *seq));
        *seq = records[i].id.seq;
    }
    for (size_t i = 0; i < n; i++) {
        append_varint(into, zigzag(records[i].time_ms - ms));
        ms = records[i].time_ms;
    }
    for (size_t i = 0; i < n; i++)
        append_varint(into, marks ? body_length_encode(records[i].body) : records[i].body.n_bytes);
    for (size_t i = 0; i < n; i++)
        (void)buffer_append(into, records[i].body.at, body_kept_bytes(records[i].body));
}

/* Behind the head, which stays to be filled in; packed only where that helps. */
static int payload_pack(struct segment_writer *writer, enum compression *compression)
{
    struct buffer *payload = &writer->payload, *value = &writer->value;
    size_t bound = ZSTD_compressBound(payload->n_bytes), n;
    char *room = buffer_room(value, SEGMENT_HEAD_BYTES + bound);

    if (!room)
        return value->error;
    memset(room, 0, SEGMENT_HEAD_BYTES);
    n = ZSTD_compressCCtx(writer->context, room + SEGMENT_HEAD_BYTES, bound, payload->at, payload->n_bytes, ZSTD_LEVEL);
    *compression = COMPRESSION_ZSTD;
    if (ZSTD_isError(n) || n >= payload->n_bytes) {
        *compression = COMPRESSION_NONE;
        n = payload->n_bytes;
        memcpy(room + SEGMENT_HEAD_BYTES, payload->at, n);
    }
    buffer_grew(value, SEGMENT_HEAD_BYTES + n);
    return 0;
}

int segment_write(struct segment_writer *writer, uint64_t number, uint64_t first, const struct record *records,
                  size_t n)
{
    struct log_key key = log_key_of_version(number, first);
    enum compression compression = COMPRESSION_NONE;
    int r = columns_reserve(writer, n);
    bool marks;
    char *at;

    assert(n > 0 && n <= SEGMENT_RECORDS_MAX);
    if (r)
        return r;
    marks = any_marks(records, n);
    payload_write(writer, records, n, marks);
    if (writer->payload.error)
        return writer->payload.error;
    buffer_reset(&writer->value);
    r = payload_pack(writer, &compression);
    if (r)
        return r;

    at = writer->value.at;
    at[4] = SEGMENT_FORMAT;
    at[5] = (char)compression;
    at[6] = (char)marks;
    put_le32(at + 8, (uint32_t)n);
    put_le32(at + 12, (uint32_t)writer->payload.n_bytes);
    put_le64(at + 16, records[0].time_ms);
    put_le32(at, seal_of(DB_LOG, log_key_bytes(&key), bytes_of(at + 4, writer->value.n_bytes - 4)));
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct segment_name {
    struct bytes bytes;
    uint64_t seq;
};

void segment_finish(struct segment *segment)
{
    free(segment->records);
    free(segment->names);
    free(segment->payload);
    ZSTD_freeDCtx(segment->context);
    *segment = (struct segment){ 0 };
}

static int segment_reserve(struct segment *segment, size_t n)
{
    struct record *records;

    if (n <= segment->capacity)
        return 0;
    records = realloc(segment->records, n * sizeof(*records));
    if (!records)
        return -ENOMEM;
    segment->records = records;
    segment->capacity = n;
    return 0;
}

static int payload_unpack(struct segment *segment, struct bytes packed, size_t n_bytes, struct bytes *out)
{
    size_t n;

    if (n_bytes > PAYLOAD_MAX_BYTES)
        return -EBADMSG;
    if (!segment->context && !(segment->context = ZSTD_createDCtx()))
        return -ENOMEM;
    if (n_bytes > segment->payload_capacity) {
        free(segment->payload);
        segment->payload_capacity = 0;
        segment->payload = malloc(n_bytes);
        if (!segment->payload)
            return -ENOMEM;
        segment->payload_capacity = n_bytes;
    }
    n = ZSTD_decompressDCtx(segment->context, segment->payload, n_bytes, packed.at, packed.n_bytes);
    if (ZSTD_isError(n) || n != n_bytes)
        return -EBADMSG;
    *out = bytes_of(segment->payload, n_bytes);
    return 0;
}

/* A table of sources or authors, behind those that are there already. */
static int names_read(struct segment *segment, struct scan *scan)
{
    size_t n = (size_t)scan_varint(scan);
    struct segment_name *grown;

    if (scan->bad || n > segment->n)
        return -EBADMSG;
    grown = realloc(segment->names, (segment->n_names + n + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    segment->names = grown;
    for (size_t i = 0; i < n; i++)
        grown[segment->n_names++] = (struct segment_name){ scan_bytes(scan), 0 };
    return 0;
}

static struct segment_name *name_at(struct segment *segment, struct scan *scan, size_t from, size_t to)
{
    uint64_t index = scan_varint(scan);

    if (index < to - from)
        return &segment->names[from + index];
    scan->bad = true;
    return NULL;
}

static void columns_read(struct segment *segment, struct scan *scan, size_t n_sources, uint64_t first_ms, bool marks)
{
    struct record *records = segment->records;
    struct scan sources = *scan;
    struct segment_name *name;
    uint64_t ms = first_ms;

    for (size_t i = 0; i < segment->n && (name = name_at(segment, scan, 0, n_sources)); i++)
        records[i].id.src = name->bytes;
    for (size_t i = 0; i < segment->n && (name = name_at(segment, scan, n_sources, segment->n_names)); i++)
        records[i].author = name->bytes;
    for (size_t i = 0; i < segment->n && (name = name_at(segment, &sources, 0, n_sources)); i++)
        records[i].id.seq = name->seq += unzigzag(scan_varint(scan));
    for (size_t i = 0; i < segment->n; i++)
        records[i].time_ms = ms += unzigzag(scan_varint(scan));
    for (size_t i = 0; i < segment->n; i++)
        records[i].body.n_bytes = (size_t)scan_varint(scan);
    for (size_t i = 0; i < segment->n; i++)
        records[i].body = marks ? body_take(scan, records[i].body.n_bytes) : scan_take(scan, records[i].body.n_bytes);
    if (scan_left(scan))
        scan->bad = true;
}

static int head_read(uint64_t number, uint64_t first, struct bytes value)
{
    struct log_key key = log_key_of_version(number, first);
    struct bytes head;

    if (value.n_bytes < SEGMENT_HEAD_BYTES || unseal(DB_LOG, log_key_bytes(&key), value, &head))
        return -EBADMSG;
    return ((const char *)value.at)[4] == SEGMENT_FORMAT ? 0 : -EBADMSG;
}

int segment_first_ms(uint64_t number, uint64_t first, struct bytes value, uint64_t *out)
{
    int r = head_read(number, first, value);

    if (!r)
        *out = get_le64((const char *)value.at + 16);
    return r;
}

static int segment_read(struct segment *segment, struct bytes value)
{
    const char *at = value.at;
    struct bytes payload = bytes_of(at + SEGMENT_HEAD_BYTES, value.n_bytes - SEGMENT_HEAD_BYTES);
    struct scan scan;
    size_t n_sources;
    int r;

    segment->n = get_le32(at + 8);
    segment->n_names = 0;
    if (segment->n == 0 || segment->n > SEGMENT_RECORDS_MAX)
        return -EBADMSG;
    r = segment_reserve(segment, segment->n);
    if (!r && at[5] == COMPRESSION_ZSTD)
        r = payload_unpack(segment, payload, get_le32(at + 12), &payload);
    else if (!r && at[5] != COMPRESSION_NONE)
        r = -EBADMSG;
    if (r)
        return r;
    scan = scan_of(payload);
    r = names_read(segment, &scan);
    if (r)
        return r;
    n_sources = segment->n_names;
    r = names_read(segment, &scan);
    if (r)
        return r;
    columns_read(segment, &scan, n_sources, get_le64(at + 16), at[6] != 0);
    return scan.bad ? -EBADMSG : 0;
}

int segment_decode(struct segment *segment, uint64_t number, uint64_t first, struct bytes value)
{
    int r = head_read(number, first, value);

    if (!r)
        r = segment_read(segment, value);
    segment->number = number;
    segment->first = first;
    if (r)
        segment->n = 0;
    return r;
}
