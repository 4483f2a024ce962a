/* A large body, kept apart from its record, in pieces. The record has a mark in its place, in batches and in segments:
 * its length.
 *
 *     key      log, be64 | version, be64 | piece, be32
 *     value    | seal | one zstd frame |              the seal covers the key, as everywhere
 *
 * Pieces 0, 1, ... one behind the other are the body. Those without a record are leftovers, and the note in DB_META
 * says of which versions there may be some. */
#ifndef STORAGE_LMDB_LARGE_H
#define STORAGE_LMDB_LARGE_H

#include <zstd.h>

#include "storage/lmdb/code.h"
#include "storage/store.h"

/* Within the engine a body that is kept apart has a length and no bytes. */
static inline struct bytes body_mark(size_t n_bytes)
{
    return (struct bytes){ .at = NULL, .n_bytes = n_bytes };
}

static inline bool body_is_mark(struct bytes body)
{
    return !body.at && body.n_bytes > 0;
}

/* What is kept beside the record's other fields. */
static inline size_t body_kept_bytes(struct bytes body)
{
    return body.at ? body.n_bytes : 0;
}

/* Lengths where there may be marks: doubled, the lowest bit says that it is one. */
static inline uint64_t body_length_encode(struct bytes body)
{
    return (uint64_t)body.n_bytes << 1 | body_is_mark(body);
}

/* The body itself, or a mark; what does not fit makes the scan bad. */
static inline struct bytes body_take(struct scan *scan, uint64_t length)
{
    if (!(length & 1))
        return scan_take(scan, (size_t)(length >> 1));
    if (length == 1 || length >> 1 > STORE_RECORD_MAX_BYTES)
        scan->bad = true;
    return body_mark(scan->bad ? 0 : (size_t)(length >> 1));
}

/* Into an empty buffer, whose error tells of failures. */
void piece_pack(ZSTD_CCtx *context, struct bytes bytes, struct buffer *into);

/* Appends what it holds, at most max_bytes and at least one. 0, -EBADMSG, -ENOMEM, -E2BIG. */
STORE_MUST_CHECK int piece_unpack(ZSTD_DCtx *context, struct bytes packed, size_t max_bytes, struct buffer *into);

/* Which pieces a staged append has written, while its record is not there: those of [from, from + n). */
struct staged_note {
    uint64_t number, from, n;
};
#define STAGED_KEY ".staged"

void staged_note_encode(const struct staged_note *note, struct buffer *into);
STORE_MUST_CHECK int staged_note_decode(struct bytes value, struct staged_note *out);

#endif
