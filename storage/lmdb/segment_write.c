#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/context.h"
#include "storage/lmdb/environment.h"
#include "storage/lmdb/large.h"
#include "storage/lmdb/numbers.h"
#include "storage/lmdb/rows.h"
#include "storage/lmdb/segment_inside.h"

struct segment_column {
    uint32_t src, author;       /* of this record: indices into the tables */
    uint32_t src_at, author_at; /* of table row i: the record that has it first */
    uint64_t src_seq;           /* of table row i: the source's newest seq */
    uint64_t length;            /* of this record's body, with its form */
};

int segment_writer_init(struct segment_writer *writer)
{
    *writer = (struct segment_writer){ .context = context_create() };
    buffer_init_mapped(&writer->payload, SEGMENT_PAYLOAD_MAX_BYTES);
    buffer_init_mapped(&writer->value, SEGMENT_PAYLOAD_MAX_BYTES);
    buffer_init_mapped(&writer->texts, SEGMENT_PAYLOAD_MAX_BYTES);
    buffer_init_mapped(&writer->differences, SEGMENT_PAYLOAD_MAX_BYTES);
    return writer->context ? 0 : -ENOMEM;
}

void segment_writer_shrink(struct segment_writer *writer)
{
    buffer_finish(&writer->payload);
    buffer_finish(&writer->value);
    buffer_finish(&writer->texts);
    buffer_finish(&writer->differences);
    mapped_finish(&writer->columns);
}

void segment_writer_finish(struct segment_writer *writer)
{
    segment_writer_shrink(writer);
    ZSTD_freeCCtx(writer->context);
}

static struct segment_column *columns_of(const struct segment_writer *writer)
{
    return writer->columns.at;
}

/* Names that were read from one segment are the very same bytes. */
static bool is_same(struct bytes a, struct bytes b)
{
    return (a.at == b.at && a.n_bytes == b.n_bytes) || bytes_equal(a, b);
}

/* Whoever wrote last probably writes again: the tables are searched from their end. */
static void columns_index(struct segment_column *columns, const struct record *records, size_t n, size_t *n_sources,
                          size_t *n_authors)
{
    *n_sources = *n_authors = 0;
    for (size_t i = 0; i < n; i++) {
        size_t src = *n_sources, author = *n_authors;

        while (src > 0 && !is_same(records[columns[src - 1].src_at].id.src, records[i].id.src))
            src--;
        if (src == 0) {
            src = ++*n_sources;
            columns[src - 1].src_at = (uint32_t)i;
            columns[src - 1].src_seq = 0;
        }
        while (author > 0 && !is_same(records[columns[author - 1].author_at].author, records[i].author))
            author--;
        if (author == 0) {
            author = ++*n_authors;
            columns[author - 1].author_at = (uint32_t)i;
        }
        columns[i].src = (uint32_t)src - 1;
        columns[i].author = (uint32_t)author - 1;
    }
}

static bool any_merged(const struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].n_merged > 0)
            return true;
    return false;
}

/* The bodies, apart: their lengths go in front of them. Returns what the texts among them were. */
static size_t bodies_write(struct segment_writer *writer, const struct record *records, size_t n)
{
    struct numbers numbers = { 0 };
    size_t n_joined = 0;

    buffer_reset(&writer->texts);
    buffer_reset(&writer->differences);
    for (size_t i = 0; i < n; i++) {
        struct bytes body = records[i].body;
        uint64_t *length = &columns_of(writer)[i].length;
        size_t before = writer->texts.n_bytes;

        if (body_is_mark(body)) {
            *length = (uint64_t)body.n_bytes << 2 | BODY_MARK;
        } else if (numbers_split(&numbers, body, &writer->texts, &writer->differences)) {
            *length = (uint64_t)(writer->texts.n_bytes - before) << 2 | BODY_TEXT;
            n_joined += body.n_bytes;
        } else {
            *length = (uint64_t)body.n_bytes << 2 | BODY_BYTES;
            (void)buffer_append(&writer->texts, body.at, body.n_bytes);
        }
    }
    return n_joined;
}

/* Room for a column of n varints. NULL: the buffer has failed. */
static char *column_begin(struct buffer *into, size_t n)
{
    return buffer_room(into, n * VARINT_BYTES_MAX);
}

static void column_end(struct buffer *into, const char *at)
{
    if (at)
        buffer_grew(into, (size_t)(at - (into->at + into->n_bytes)));
}

static void ids_write(struct segment_writer *writer, const struct record *records, size_t n, bool has_sources,
                      bool has_authors)
{
    struct segment_column *columns = columns_of(writer);
    char *at = column_begin(&writer->payload, 3 * n);

    for (size_t i = 0; at && has_sources && i < n; i++)
        at = put_varint(at, columns[i].src);
    for (size_t i = 0; at && has_authors && i < n; i++)
        at = put_varint(at, columns[i].author);
    for (size_t i = 0; at && i < n; i++) {
        uint64_t *seq = &columns[columns[i].src].src_seq;

        at = put_varint(at, zigzag(records[i].id.seq - *seq));
        *seq = records[i].id.seq;
    }
    column_end(&writer->payload, at);
}

static void names_write(struct segment_writer *writer, const struct record *records, size_t n)
{
    struct buffer *into = &writer->payload;
    struct segment_column *columns = columns_of(writer);
    size_t n_sources, n_authors;

    columns_index(columns, records, n, &n_sources, &n_authors);
    append_varint(into, n_sources);
    for (size_t i = 0; i < n_sources; i++)
        append_bytes(into, records[columns[i].src_at].id.src);
    append_varint(into, n_authors);
    for (size_t i = 0; i < n_authors; i++)
        append_bytes(into, records[columns[i].author_at].author);
    ids_write(writer, records, n, n_sources > 1, n_authors > 1);
}

/* What lies between two keystrokes is noise in its low bits: they stand alone, so that the rest packs. */
static void times_write(struct buffer *into, const struct record *records, size_t n)
{
    uint64_t ms = records[0].time_ms;
    char *lows = buffer_room(into, n + n * VARINT_BYTES_MAX), *at = lows ? lows + n : NULL;

    for (size_t i = 0; lows && i < n; i++) {
        lows[i] = (char)((records[i].time_ms - ms) & 0xff);
        at = put_varint(at, (records[i].time_ms - ms) >> 8);
        ms = records[i].time_ms;
    }
    column_end(into, at);
}

static void lengths_write(struct segment_writer *writer, size_t n)
{
    char *at = column_begin(&writer->payload, n);

    for (size_t i = 0; at && i < n; i++)
        at = put_varint(at, columns_of(writer)[i].length);
    column_end(&writer->payload, at);
}

static void payload_write(struct segment_writer *writer, const struct record *records, size_t n, bool merged)
{
    struct buffer *into = &writer->payload;
    size_t n_joined;

    buffer_reset(into);
    names_write(writer, records, n);
    times_write(into, records, n);
    for (size_t i = 0; merged && i < n; i++)
        append_varint(into, records[i].n_merged);
    n_joined = bodies_write(writer, records, n);
    lengths_write(writer, n);
    append_varint(into, n_joined);
    append_bytes(into, buffer_bytes(&writer->differences));
    (void)buffer_append(into, writer->texts.at, writer->texts.n_bytes);
    if (!into->error)
        into->error = writer->differences.error ? writer->differences.error : writer->texts.error;
}

/* Behind the head, which stays to be filled in; packed only where that helps. */
static int payload_pack(struct segment_writer *writer, int level, enum compression *compression)
{
    struct buffer *payload = &writer->payload, *value = &writer->value;
    size_t bound = ZSTD_compressBound(payload->n_bytes), n;
    char *room = buffer_room(value, SEGMENT_HEAD_BYTES + bound);

    if (!room)
        return value->error;
    memset(room, 0, SEGMENT_HEAD_BYTES);
    n = ZSTD_compressCCtx(writer->context, room + SEGMENT_HEAD_BYTES, bound, payload->at, payload->n_bytes, level);
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
                  size_t n, int level, enum segment_state state)
{
    struct log_key key = log_key_of_version(number, first);
    enum compression compression = COMPRESSION_NONE;
    int r = mapped_reserve(&writer->columns, n * sizeof(struct segment_column));
    bool merged;
    char *at;

    assert(n > 0 && n <= SEGMENT_RECORDS_MAX);
    if (r)
        return r;
    merged = any_merged(records, n);
    payload_write(writer, records, n, merged);
    if (writer->payload.error)
        return writer->payload.error;
    buffer_reset(&writer->value);
    r = payload_pack(writer, level, &compression);
    if (r)
        return r;

    at = writer->value.at;
    at[4] = SEGMENT_FORMAT;
    at[5] = (char)compression;
    at[6] = (char)(merged ? SEGMENT_MERGED : 0);
    at[7] = (char)state;
    put_le32(at + 8, (uint32_t)n);
    put_le32(at + 12, (uint32_t)writer->payload.n_bytes);
    put_le64(at + 16, records[0].time_ms);
    put_le32(at, seal_of(DB_LOG, log_key_bytes(&key), bytes_of(at + 4, writer->value.n_bytes - 4)));
    return 0;
}
