#include "storage/lmdb/chain.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "storage/crc32c.h"
#include "storage/lmdb/context.h"
#include "storage/lmdb/inside.h"

#define LEVEL      6                 /* a tenth smaller than 3, and a millisecond more for a text of 100 kB, */
#define LEVEL_LONG 3                 /* while others wait for the worker */
#define LONG_BYTES ((size_t)1 << 20) /* from here on; matches are looked for further away than tables reach, too */

/* Up to here the tables, some 700 kB, stay for the next one: most snapshots are such, and new pages for each took half
 * of the worker's time with 64 writers of small documents. */
#define KEPT_BYTES ((size_t)1 << 16)

/* ---- links ------------------------------------------------------------------------------------------------------- */

static int view_get(void *arg, enum db db, struct bytes key, struct bytes *out)
{
    const struct view *view = arg;

    return environment_get(view->environment, view->txn, db, key, out);
}

struct chain_source chain_source_of(struct view *view)
{
    return (struct chain_source){ view_get, view, view_unpacker(view) };
}

static int manifest_get(const struct chain_source *source, uint64_t number, uint64_t version, struct manifest *out)
{
    struct log_key key = log_key_of_version(number, version);
    struct bytes value = { 0 };
    int r = source->get(source->arg, DB_SNAPSHOTS, log_key_bytes(&key), &value);

    return r ? r : manifest_decode(value, out);
}

int chain_find(const struct chain_source *source, uint64_t number, uint64_t version, struct chain *out)
{
    out->number = number;
    out->n = 0;
    while (out->n < CHAIN_MAX) {
        struct chain_link *link = &out->links[out->n];
        int r = manifest_get(source, number, version, &link->manifest);

        if (r)
            return r == -ENOENT && out->n ? -EBADMSG : r;
        link->version = version;
        out->n++;
        if (!link->manifest.base)
            return 0;
        if (link->manifest.base >= version)
            break;
        version = link->manifest.base;
    }
    return -EBADMSG;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int read_packed(const struct chain_source *source, uint64_t number, const struct chain_link *link,
                       struct buffer *into)
{
    int r = 0;

    for (uint32_t i = 0; !r && i < link->manifest.n_chunks; i++) {
        struct log_key key = log_key_of_chunk(number, link->version, i);
        struct bytes chunk = { 0 };

        r = source->get(source->arg, DB_CHUNKS, log_key_bytes(&key), &chunk);
        if (!r)
            r = buffer_append(into, chunk.at, chunk.n_bytes);
    }
    if (!r && into->n_bytes != link->manifest.n_packed)
        r = -EBADMSG;
    return r == -ENOENT ? -EBADMSG : r;
}

static int unpack(ZSTD_DCtx *context, struct bytes packed, struct bytes base, size_t n_bytes, struct buffer *into)
{
    char *room = context ? buffer_room(into, n_bytes ? n_bytes : 1) : NULL;
    size_t n;

    if (!room)
        return -ENOMEM;
    n = base.n_bytes ? ZSTD_DCtx_refPrefix(context, base.at, base.n_bytes) : 0;
    if (!ZSTD_isError(n))
        n = ZSTD_decompressDCtx(context, room, n_bytes, packed.at, packed.n_bytes);
    (void)ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters); /* lest the next one refer to it */
    if (ZSTD_isError(n))
        return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
    buffer_grew(into, n);
    return n == n_bytes ? 0 : -EBADMSG;
}

static void buffer_init_like(struct buffer *buffer, size_t max_bytes, const struct buffer *other)
{
    if (other->is_mapped)
        buffer_init_mapped(buffer, max_bytes);
    else
        buffer_init(buffer, max_bytes);
}

/* base: the content that it refers to; becomes its own. */
static int read_link(const struct chain_source *source, uint64_t number, const struct chain_link *link,
                     struct buffer *base)
{
    const struct manifest *manifest = &link->manifest;
    struct buffer packed, content;
    int r;

    buffer_init_like(&packed, SNAPSHOT_MAX_PACKED, base);
    buffer_init_like(&content, SNAPSHOT_MAX_BYTES, base);
    r = read_packed(source, number, link, manifest->codec == CODEC_NONE ? &content : &packed);
    if (!r && manifest->codec == CODEC_ZSTD)
        r = unpack(source->unpacker, buffer_bytes(&packed), buffer_bytes(base), manifest->n_bytes, &content);
    buffer_finish(&packed);
    buffer_finish(base);
    *base = content;
    return r;
}

static int content_check(const struct manifest *manifest, const struct buffer *content)
{
    return content->n_bytes == manifest->n_bytes && crc32c(0, content->at, content->n_bytes) == manifest->crc
               ? 0
               : -EBADMSG;
}

int chain_read_link(const struct chain_source *source, uint64_t number, const struct chain_link *link,
                    struct buffer *content)
{
    int r = read_link(source, number, link, content);

    return r ? r : content_check(&link->manifest, content);
}

int chain_read(const struct chain_source *source, const struct chain *chain, struct buffer *into)
{
    int r = 0;

    for (size_t i = chain->n; !r && i-- > 0;)
        r = read_link(source, chain->number, &chain->links[i], into);
    return r ? r : content_check(&chain->links[0].manifest, into);
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

static bool may_be_referred_to(const struct chain *chain, size_t n_content)
{
    size_t n_bytes = n_content, n_differences = 0;

    for (size_t i = 0; i < chain->n; i++) {
        n_bytes += chain->links[i].manifest.n_bytes;
        n_differences += chain->links[i].manifest.base ? chain->links[i].manifest.n_packed : 0;
    }
    return chain->n > 0 && chain->n < CHAIN_MAX && n_bytes <= CHAIN_MAX_BYTES &&
           n_differences <= chain->links[chain->n - 1].manifest.n_packed;
}

/* The window must reach from the end of the content to the beginning of what it refers to. */
static int window_log(size_t n_bytes)
{
    int log = 10;

    while (log < 27 && ((size_t)1 << log) < n_bytes)
        log++;
    return log;
}

static size_t compress(ZSTD_CCtx *context, struct bytes base, struct bytes content, char *room, size_t n_room)
{
    size_t n_bytes = base.n_bytes + content.n_bytes;

    (void)ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, n_bytes > LONG_BYTES ? LEVEL_LONG : LEVEL);
    if (base.n_bytes) {
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log(n_bytes));
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, n_bytes > LONG_BYTES);
        (void)ZSTD_CCtx_refPrefix(context, base.at, base.n_bytes);
    }
    return ZSTD_compress2(context, room, n_room, content.at, content.n_bytes);
}

static int pack(struct view *view, struct bytes base, struct bytes content, struct buffer *into)
{
    bool is_kept = base.n_bytes + content.n_bytes <= KEPT_BYTES;
    ZSTD_CCtx *context = is_kept ? view_packer(view) : context_create();
    size_t bound = ZSTD_compressBound(content.n_bytes), n = 0;
    char *room = context ? buffer_room(into, bound) : NULL;

    if (room)
        n = compress(context, base, content, room, bound);
    if (!is_kept)
        ZSTD_freeCCtx(context);
    if (!room || ZSTD_isError(n))
        return -ENOMEM; /* nothing else can happen */
    buffer_grew(into, n);
    return 0;
}

int chain_pack(struct view *view, const struct chain *chain, struct bytes content, struct buffer *into,
               struct manifest *manifest)
{
    bool is_difference = may_be_referred_to(chain, content.n_bytes);
    const struct chain_source source = chain_source_of(view);
    struct buffer base;
    int r = 0;

    buffer_init_mapped(&base, SNAPSHOT_MAX_BYTES);
    if (is_difference)
        r = chain_read(&source, chain, &base);
    if (r == -EBADMSG || base.n_bytes == 0) { /* what can't be read is not built on */
        is_difference = false;
        buffer_reset(&base);
        r = 0;
    }
    if (!r)
        r = pack(view, buffer_bytes(&base), content, into);
    buffer_finish(&base);
    *manifest = (struct manifest){ .n_bytes = content.n_bytes,
                                   .crc = crc32c(0, content.at, content.n_bytes),
                                   .codec = CODEC_ZSTD,
                                   .base = is_difference ? chain->links[0].version : 0,
                                   .n_packed = into->n_bytes };
    return r;
}

/* ---- dropping ---------------------------------------------------------------------------------------------------- */

static void drop(struct parcel *parcel, uint64_t number, uint64_t version)
{
    struct log_key key = log_key_of_version(number, version), first = log_key_of_chunk(number, version, 0);
    struct log_key last = log_key_of_chunk(number, version, UINT32_MAX);

    parcel_delete(parcel, DB_SNAPSHOTS, log_key_bytes(&key));
    parcel_delete_range(parcel, DB_CHUNKS, log_key_bytes(&first), log_key_bytes(&last), SIZE_MAX);
}

static void hide(struct parcel *parcel, uint64_t number, uint64_t version, struct manifest manifest)
{
    struct log_key key = log_key_of_version(number, version);
    struct buffer value;

    if (manifest.is_hidden)
        return;
    manifest.is_hidden = true;
    buffer_init(&value, MANIFEST_MAX_BYTES);
    manifest_encode(&manifest, &value);
    parcel_put_encoded(parcel, DB_SNAPSHOTS, log_key_bytes(&key), &value);
    buffer_finish(&value);
}

/* What the first snapshot at or above a version refers to; 0: nothing, or it can't be told. */
static int base_above(struct view *view, uint64_t number, uint64_t version, uint64_t *out)
{
    struct log_key key = log_key_of_version(number, version);
    struct bytes found, sealed, value;
    struct manifest manifest;
    int r = view_at_or_behind(view, DB_SNAPSHOTS, log_key_bytes(&key), 8, &found, &sealed);

    if (!r)
        r = unseal(DB_SNAPSHOTS, found, sealed, &value);
    if (!r)
        r = manifest_decode(value, &manifest);
    *out = r ? 0 : manifest.base;
    return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* The records that snapshots may lie within, from the last one down. */
struct within {
    const struct record *records;
    size_t i;
    uint64_t begins, ends;
};

/* Of versions that descend. */
static bool lies_within(struct within *within, uint64_t version)
{
    while (version <= within->begins && within->i > 0) {
        within->ends = within->begins;
        within->begins -= 1 + within->records[--within->i].n_merged;
    }
    return version > within->begins && version < within->ends;
}

/* Downward: what one refers to is always the next one below, so each knows from the one above that stays whether it is
 * wanted. It ends at the first below `from` that anybody may read. One that is damaged can't be read, nor what refers
 * to it. */
int snapshot_drop_within(struct parcel *parcel, struct view *view, uint64_t number, uint64_t from,
                         const struct record *records, size_t n)
{
    uint64_t version = records_end(from, records, n), wanted = 0;
    struct within within = { records, n, version, version };
    int r = base_above(view, number, version, &wanted);

    while (!r && version > 0) {
        struct manifest manifest = { 0 };
        bool goes, is_damaged;

        r = view_manifest(view, number, version - 1, &version, &manifest);
        is_damaged = r == -EBADMSG && version > from;
        if ((r && !is_damaged) || (version <= from && !manifest.is_hidden))
            break;
        r = 0;
        goes = lies_within(&within, version) || manifest.is_hidden;
        if (goes && (is_damaged || version != wanted))
            drop(parcel, number, version);
        else if (goes)
            hide(parcel, number, version, manifest);
        if (!goes || version == wanted)
            wanted = manifest.base;
    }
    if (r && r != -ENOENT && (r != -EBADMSG || !version))
        return r;
    return parcel->ops.error;
}
