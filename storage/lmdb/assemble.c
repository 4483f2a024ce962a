#include "storage/lmdb/assemble.h"

#include <errno.h>

#include "storage/crc32c.h"
#include "storage/lmdb/rows.h"

static int chunks_append(const struct snapshot_source *source, uint64_t number, uint64_t version,
                         const struct manifest *manifest, struct buffer *into)
{
    int r = 0;

    for (uint32_t i = 0; !r && i < manifest->n_chunks; i++) {
        struct log_key key = log_key_of_chunk(number, version, i);
        struct bytes chunk = { 0 };

        r = source->get(source->arg, DB_CHUNKS, log_key_bytes(&key), &chunk);
        if (!r)
            r = buffer_append(into, chunk.at, chunk.n_bytes);
    }
    return r == -ENOENT ? -EBADMSG : r;
}

int snapshot_assemble(const struct snapshot_source *source, uint64_t number, uint64_t version, struct buffer *into)
{
    struct log_key key = log_key_of_version(number, version);
    struct manifest manifest = { 0 };
    struct bytes value = { 0 };
    int r = source->get(source->arg, DB_SNAPSHOTS, log_key_bytes(&key), &value);

    if (!r)
        r = manifest_decode(value, &manifest);
    if (!r)
        r = chunks_append(source, number, version, &manifest, into);
    if (!r && (into->n_bytes != manifest.n_bytes || crc32c(0, into->at, into->n_bytes) != manifest.crc))
        r = -EBADMSG;
    return r;
}
