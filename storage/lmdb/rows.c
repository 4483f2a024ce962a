#include "storage/lmdb/rows.h"

#include <assert.h>
#include <errno.h>

/* ---- documents --------------------------------------------------------------------------------------------------- */

void row_advance(struct row *row, uint64_t n, uint64_t first_ms, uint64_t last_ms, const struct store_state *after)
{
    if (after->exists && !row->exists)
        row->created_ms = first_ms;
    row->modified_ms = last_ms;
    row->head += n;
    row->exists = after->exists;
    row->n_bytes = after->n_bytes;
    row->n_type = after->type.n_bytes;
    if (row->n_type)
        memcpy(row->type, after->type.at, row->n_type);
}

void row_encode(const struct row *row, struct buffer *into)
{
    append_varint(into, row->number);
    append_varint(into, row->base);
    append_varint(into, row->head);
    append_varint(into, row->created_ms);
    append_varint(into, row->modified_ms);
    append_varint(into, row->n_bytes);
    append_varint(into, row->exists);
    append_bytes(into, bytes_of(row->type, row->n_type));
}

int row_decode(struct bytes value, struct row *out)
{
    struct scan scan = scan_of(value);
    struct row row = { .number = scan_varint(&scan) };
    struct bytes type;

    row.base = scan_varint(&scan);
    row.head = scan_varint(&scan);
    row.created_ms = scan_varint(&scan);
    row.modified_ms = scan_varint(&scan);
    row.n_bytes = scan_varint(&scan);
    row.exists = scan_varint(&scan) != 0;
    type = scan_bytes(&scan);
    if (scan.bad || type.n_bytes > TYPE_BYTES_MAX || row.base > row.head)
        return -EBADMSG;
    row.n_type = type.n_bytes;
    if (row.n_type)
        memcpy(row.type, type.at, row.n_type);
    *out = row;
    return 0;
}

struct store_info row_info(const struct row *row, uint64_t snapshot_version)
{
    return (struct store_info){
        .first = row->base,
        .head = row->head,
        .created_ms = row->created_ms,
        .modified_ms = row->modified_ms,
        .snapshot_version = snapshot_version,
        .state = { row->exists, bytes_of(row->type, row->n_type), row->n_bytes },
    };
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

struct name_key name_key_of(struct store_name name)
{
    const char *collection = name.collection.at;
    struct name_key key;
    size_t n = 0;

    assert(name.collection.n_bytes <= NAME_BYTES_MAX && name.id.n_bytes <= NAME_BYTES_MAX);
    for (size_t i = 0; i < name.collection.n_bytes; i++) {
        key.at[n++] = collection[i];
        if (!collection[i])
            key.at[n++] = (char)0xff;
    }
    key.at[n++] = 0;
    key.at[n++] = 0;
    key.n_prefix = n;
    if (name.id.n_bytes)
        memcpy(key.at + n, name.id.at, name.id.n_bytes);
    key.n_bytes = n + name.id.n_bytes;
    return key;
}

int name_key_split(struct bytes key, char collection[NAME_BYTES_MAX], struct store_name *out)
{
    const char *at = key.at;
    size_t i = 0, n = 0;

    for (;; n++) {
        if (i + 1 >= key.n_bytes || n > NAME_BYTES_MAX)
            return -EBADMSG;
        if (!at[i] && !at[i + 1])
            break;
        if (n == NAME_BYTES_MAX)
            return -EBADMSG;
        collection[n] = at[i];
        i += at[i] ? 1 : 2;
    }
    out->collection = bytes_of(collection, n);
    out->id = bytes_of(at + i + 2, key.n_bytes - i - 2);
    return 0;
}

struct log_key log_key_of(uint64_t number)
{
    struct log_key key = { .n_bytes = 8 };

    put_be64(key.at, number);
    return key;
}

struct log_key log_key_of_version(uint64_t number, uint64_t version)
{
    struct log_key key = { .n_bytes = 16 };

    put_be64(key.at, number);
    put_be64(key.at + 8, version);
    return key;
}

struct log_key log_key_of_chunk(uint64_t number, uint64_t version, uint32_t chunk)
{
    struct log_key key = { .n_bytes = 20 };

    put_be64(key.at, number);
    put_be64(key.at + 8, version);
    put_be32(key.at + 16, chunk);
    return key;
}

struct log_key log_key_of_src(uint64_t number, struct bytes src)
{
    struct log_key key = { .n_bytes = 8 + src.n_bytes };

    assert(src.n_bytes <= SRC_BYTES_MAX);
    put_be64(key.at, number);
    if (src.n_bytes)
        memcpy(key.at + 8, src.at, src.n_bytes);
    return key;
}

/* ---- small values ------------------------------------------------------------------------------------------------ */

void source_encode(const struct store_source *source, struct buffer *into)
{
    append_varint(into, source->highest_seq);
    append_varint(into, source->highest_version);
    append_varint(into, source->newest_version);
}

int source_decode(struct bytes value, struct store_source *out)
{
    struct scan scan = scan_of(value);
    struct store_source source = { .highest_seq = scan_varint(&scan) };

    source.highest_version = scan_varint(&scan);
    source.newest_version = scan_varint(&scan);
    if (scan.bad)
        return -EBADMSG;
    *out = source;
    return 0;
}

void source_advance(struct store_source *source, bool *is_known, uint64_t seq, uint64_t version)
{
    source->newest_version = version;
    if (!*is_known || seq > source->highest_seq) {
        source->highest_seq = seq;
        source->highest_version = version;
    }
    *is_known = true;
}

void manifest_encode(const struct manifest *manifest, struct buffer *into)
{
    append_varint(into, manifest->n_bytes);
    append_varint(into, manifest->n_chunks);
    append_varint(into, manifest->crc);
    append_varint(into, manifest->codec);
    append_varint(into, manifest->base);
    append_varint(into, manifest->n_packed);
    append_varint(into, manifest->is_hidden);
}

int manifest_decode(struct bytes value, struct manifest *out)
{
    struct scan scan = scan_of(value);
    struct manifest manifest = { .n_bytes = scan_varint(&scan) };

    manifest.n_chunks = (uint32_t)scan_varint(&scan);
    manifest.crc = (uint32_t)scan_varint(&scan);
    manifest.n_packed = manifest.n_bytes;
    if (scan_left(&scan)) {
        manifest.codec = (enum snapshot_codec)scan_varint(&scan);
        manifest.base = scan_varint(&scan);
        manifest.n_packed = scan_varint(&scan);
        manifest.is_hidden = scan_varint(&scan) != 0;
    }
    if (scan.bad || manifest.codec > CODEC_ZSTD || manifest.n_bytes > SNAPSHOT_MAX_BYTES ||
        manifest.n_packed > SNAPSHOT_MAX_PACKED)
        return -EBADMSG;
    *out = manifest;
    return 0;
}

void counters_encode(const struct counters *counters, struct buffer *into)
{
    append_varint(into, counters->next_number);
    append_varint(into, counters->next_batch);
}

int counters_decode(struct bytes value, struct counters *out)
{
    struct scan scan = scan_of(value);
    struct counters counters = { .next_number = scan_varint(&scan) };

    counters.next_batch = scan_varint(&scan);
    if (scan.bad)
        return -EBADMSG;
    *out = counters;
    return 0;
}

int number_decode(struct bytes value, uint64_t *out)
{
    struct scan scan = scan_of(value);
    uint64_t number = scan_varint(&scan);

    if (scan.bad)
        return -EBADMSG;
    *out = number;
    return 0;
}
