#include "storage/lmdb/segment.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/numbers.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment_inside.h"

struct segment_name {
    struct bytes bytes;
    uint64_t seq;
};

void segment_finish(struct segment *segment)
{
    mapped_finish(&segment->room);
    mapped_finish(&segment->payload);
    mapped_finish(&segment->joined);
    free(segment->names);
    ZSTD_freeDCtx(segment->context);
    *segment = (struct segment){ 0 };
}

/* As much as was ever asked for and no more, so that a sanitizer sees who reads on behind it. */
static int room_reserve(struct mapped *room, size_t n_bytes)
{
    return n_bytes <= room->n_bytes ? 0 : mapped_resize(room, n_bytes);
}

static int bytes_reserve(struct mapped *bytes, size_t n_bytes)
{
    return n_bytes > SEGMENT_PAYLOAD_MAX_BYTES ? -EBADMSG : room_reserve(bytes, n_bytes);
}

static int payload_unpack(struct segment *segment, struct bytes packed, size_t n_bytes, struct bytes *out)
{
    size_t n;
    int r = bytes_reserve(&segment->payload, n_bytes);

    if (r)
        return r;
    if (!segment->context && !(segment->context = ZSTD_createDCtx()))
        return -ENOMEM;
    n = ZSTD_decompressDCtx(segment->context, segment->payload.at, n_bytes, packed.at, packed.n_bytes);
    if (ZSTD_isError(n) || n != n_bytes)
        return -EBADMSG;
    *out = bytes_of(segment->payload.at, n_bytes);
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

/* The next of a column of indices into the names [from, to). Where there is only one name, and no column, that one. */
static struct segment_name *name_next(struct segment *segment, struct scan *column, size_t from, size_t to,
                                      bool has_column)
{
    uint64_t index = has_column ? scan_varint(column) : 0;

    if (index < to - from)
        return &segment->names[from + index];
    column->bad = true;
    return NULL;
}

static void ids_read(struct segment *segment, struct scan *scan, size_t n_sources, bool always_columns)
{
    bool has_sources = always_columns || n_sources > 1,
         has_authors = always_columns || segment->n_names - n_sources > 1;
    struct record *records = segment->records;
    struct scan sources = *scan;
    struct segment_name *name;

    for (size_t i = 0; i < segment->n && (name = name_next(segment, scan, 0, n_sources, has_sources)); i++)
        records[i].id.src = name->bytes;
    for (size_t i = 0; i < segment->n && (name = name_next(segment, scan, n_sources, segment->n_names, has_authors));
         i++)
        records[i].author = name->bytes;
    for (size_t i = 0; i < segment->n && (name = name_next(segment, &sources, 0, n_sources, has_sources)); i++)
        records[i].id.seq = name->seq += unzigzag(scan_varint(scan));
}

static void times_read(struct segment *segment, struct scan *scan, uint64_t first_ms)
{
    struct bytes lows = scan_take(scan, segment->n);
    uint64_t ms = first_ms;

    for (size_t i = 0; !scan->bad && i < segment->n; i++)
        segment->records[i].time_ms = ms += scan_varint(scan) << 8 | ((const unsigned char *)lows.at)[i];
}

/* n_merged of each, and so where the segment ends. */
static void merged_read(struct segment *segment, struct scan *scan, bool merged)
{
    for (size_t i = 0; i < segment->n; i++) {
        uint64_t n = merged ? scan_varint(scan) : 0;

        segment->records[i].n_merged = n;
        if (n >= UINT64_MAX - segment->end)
            scan->bad = true;
        segment->end += n + 1;
    }
}

/* A body from the end of the scan, or put together at *at. */
static struct bytes body_read(struct scan *scan, uint64_t length, struct numbers *numbers, struct scan *differences,
                              char **at, const char *end)
{
    size_t n_bytes = (size_t)(length >> 2);
    char *begins = *at, *ends;

    switch (length & 3) {
    case BODY_BYTES: return scan_take(scan, n_bytes);
    case BODY_MARK: scan->bad |= n_bytes == 0 || n_bytes > STORE_RECORD_MAX_BYTES; return body_mark(n_bytes);
    case BODY_TEXT:
        ends = begins ? numbers_join(numbers, scan_take(scan, n_bytes), differences, begins, end) : NULL;
        if (ends) {
            *at = ends;
            return bytes_of(begins, (size_t)(ends - begins));
        }
    }
    scan->bad = true;
    return bytes_of(NULL, 0);
}

static int bodies_read(struct segment *segment, struct scan *scan)
{
    size_t n_joined = (size_t)scan_varint(scan);
    struct scan differences = scan_of(scan_bytes(scan));
    struct numbers numbers = { 0 };
    int r = scan->bad || n_joined / NUMBERS_DIGITS_MAX > scan_left(scan) ? -EBADMSG
                                                                         : bytes_reserve(&segment->joined, n_joined);
    char *at, *end;

    if (r)
        return r;
    at = n_joined > 0 ? segment->joined.at : NULL;
    end = n_joined > 0 ? at + n_joined : NULL;
    for (size_t i = 0; !scan->bad && i < segment->n; i++) {
        struct bytes *body = &segment->records[i].body;

        *body = body_read(scan, body->n_bytes, &numbers, &differences, &at, end);
    }
    return scan->bad || scan_left(scan) || differences.bad || scan_left(&differences) || at != end ? -EBADMSG : 0;
}

static int columns_read(struct segment *segment, struct scan *scan, size_t n_sources, const char *head)
{
    ids_read(segment, scan, n_sources, false);
    times_read(segment, scan, get_le64(head + 16));
    merged_read(segment, scan, head[6] & SEGMENT_MERGED);
    for (size_t i = 0; i < segment->n; i++)
        segment->records[i].body.n_bytes = (size_t)scan_varint(scan);
    return bodies_read(segment, scan);
}

static int columns_read_1(struct segment *segment, struct scan *scan, size_t n_sources, const char *head)
{
    struct record *records = segment->records;
    bool marks = head[6] & SEGMENT_MARKS;
    uint64_t ms = get_le64(head + 16);

    ids_read(segment, scan, n_sources, true);
    for (size_t i = 0; i < segment->n; i++)
        records[i].time_ms = ms += unzigzag(scan_varint(scan));
    merged_read(segment, scan, false);
    for (size_t i = 0; i < segment->n; i++)
        records[i].body.n_bytes = (size_t)scan_varint(scan);
    for (size_t i = 0; i < segment->n; i++)
        records[i].body = marks ? body_take(scan, records[i].body.n_bytes) : scan_take(scan, records[i].body.n_bytes);
    return scan->bad || scan_left(scan) ? -EBADMSG : 0;
}

static int head_read(uint64_t number, uint64_t first, struct bytes value)
{
    struct log_key key = log_key_of_version(number, first);
    struct bytes head;

    if (value.n_bytes < SEGMENT_HEAD_BYTES || unseal(DB_LOG, log_key_bytes(&key), value, &head))
        return -EBADMSG;
    return ((const char *)value.at)[4] == SEGMENT_FORMAT || ((const char *)value.at)[4] == 1 ? 0 : -EBADMSG;
}

enum segment_state segment_state(struct bytes value)
{
    const char *at = value.at;

    return value.n_bytes < SEGMENT_HEAD_BYTES || at[4] != SEGMENT_FORMAT ? SEGMENT_LOOSE : (enum segment_state)at[7];
}

size_t segment_payload_bytes(struct bytes value)
{
    return value.n_bytes < SEGMENT_HEAD_BYTES ? 0 : get_le32((const char *)value.at + 12);
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
    r = room_reserve(&segment->room, segment->n * sizeof(*segment->records));
    segment->records = segment->room.at;
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
    return at[4] == 1 ? columns_read_1(segment, &scan, n_sources, at) : columns_read(segment, &scan, n_sources, at);
}

int segment_decode(struct segment *segment, uint64_t number, uint64_t first, struct bytes value)
{
    int r = head_read(number, first, value);

    segment->number = number;
    segment->first = segment->end = first;
    if (!r)
        r = segment_read(segment, value);
    if (r) {
        segment->n = 0;
        segment->end = first;
    }
    return r;
}
