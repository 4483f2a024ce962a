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

/* The chain of the snapshot of `version`, hidden or not. -ENOENT: there is none; -EBADMSG: a manifest is missing or
 * damaged. */
STORE_MUST_CHECK int chain_find(struct view *view, uint64_t number, uint64_t version, struct chain *out);

/* The content of its first link, checked. -EBADMSG: something of it is missing or damaged; -ENOMEM. */
STORE_MUST_CHECK int chain_read(struct view *view, const struct chain *chain, struct buffer *into);

/* Packs the content for a new first link in front of the chain; n is 0 where there is nothing to refer to. Says the
 * rest in *manifest, but for its chunks. 0, -ENOMEM. */
STORE_MUST_CHECK int chain_pack(struct view *view, const struct chain *chain, struct bytes content, struct buffer *into,
                                struct manifest *manifest);

/* Puts into the parcel what drops the snapshots strictly between two versions. Those that others outside refer to are
 * hidden; hidden ones that nobody needs any more go, too. Meanwhile no snapshot of that log may be on its way: it might
 * refer to what goes. */
struct parcel;
STORE_MUST_CHECK int snapshot_drop_within(struct parcel *parcel, struct view *view, uint64_t number, uint64_t from,
                                          uint64_t to);

#endif
