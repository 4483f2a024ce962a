/* Snapshots as they lie in the store: packed, most of them as what differs from the one before.
 *
 *     DB_SNAPSHOTS   whole <- difference <- difference      whole <- difference        manifests, by version
 *     DB_CHUNKS      of each, the frame in pieces
 *
 * A chain has at most CHAIN_MAX members, of at most CHAIN_MAX_BYTES together, so that reading the last one costs no
 * more than that; contents too large for it are always whole. A new chain is begun, too, when the differences weigh
 * more than the whole one that they lead back to: then it pays.
 *
 * A member that nobody is to read any more, but that others refer to, is hidden, and goes when the last of them has
 * gone. */
#ifndef STORAGE_LMDB_CHAIN_H
#define STORAGE_LMDB_CHAIN_H

#include "storage/lmdb/view.h"

#define CHAIN_MAX       16
#define CHAIN_MAX_BYTES ((size_t)64 << 20)

struct chain_link {
    uint64_t version;
    struct manifest manifest;
};

/* What a snapshot is made of: links[0], itself, down to links[n - 1], which is whole. */
struct chain {
    uint64_t number;
    size_t n;
    struct chain_link links[CHAIN_MAX];
};

/* Where manifests and chunks are read from: a moment of the store, or its leaves (verify.h). */
struct chain_source {
    /* As environment_get: what was sealed, valid until the next call. */
    int (*get)(void *arg, enum db db, struct bytes key, struct bytes *out);
    void *arg;
    ZSTD_DCtx *unpacker; /* NULL: -ENOMEM */
};
struct chain_source chain_source_of(struct view *view);

/* The chain of the snapshot of `version`, hidden or not. -ENOENT: there is none; -EBADMSG: a manifest is missing or
 * damaged. */
STORE_MUST_CHECK int chain_find(const struct chain_source *source, uint64_t number, uint64_t version,
                                struct chain *out);

/* The content of its first link, checked. -EBADMSG: something of it is missing or damaged; -ENOMEM. */
STORE_MUST_CHECK int chain_read(const struct chain_source *source, const struct chain *chain, struct buffer *into);

/* The same of one link. content: of what it refers to (empty: nothing); becomes its own, or, after a failure, nothing
 * of use. For whoever goes from link to link. */
STORE_MUST_CHECK int chain_read_link(const struct chain_source *source, uint64_t number, const struct chain_link *link,
                                     struct buffer *content);

/* Packs the content for a new first link in front of the chain; n is 0 where there is nothing to refer to. Says the
 * rest in *manifest, but for its chunks. 0, -ENOMEM. */
STORE_MUST_CHECK int chain_pack(struct view *view, const struct chain *chain, struct bytes content, struct buffer *into,
                                struct manifest *manifest);

/* Puts into the parcel what drops the snapshots that lie within one of records[0..n), the first of version `from`.
 * Those that others outside refer to are hidden; hidden ones that nobody needs any more go, too. Meanwhile no snapshot
 * of that log may be on its way: it might refer to what goes. */
struct parcel;
STORE_MUST_CHECK int snapshot_drop_within(struct parcel *parcel, struct view *view, uint64_t number, uint64_t from,
                                          const struct record *records, size_t n);

#endif
