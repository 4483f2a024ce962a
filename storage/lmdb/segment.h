/* A segment: neighbouring records of one log, packed. Pure bytes in, bytes out.
 *
 *     key      log, be64 | first version, be64
 *     value    | seal | format = 2 | compression | marks | state | records, le32 | payload bytes, le32 |
 *              | first ms, le64 | payload, as it is (compression 0) or as one zstd frame (1) |
 *     payload  | sources | authors |              a count, then each with its length in front
 *              | source of each | author of each  as indices; each only when there are several to choose from
 *              | seq of each |                    zigzag, since the same source's previous one
 *              | ms of each |                     since the previous record's: the low byte of each,
 *              | ms of each |                     then the rest of each
 *              | merged of each |                 with SEGMENT_MERGED
 *              | length of each |                 4 * length + 0: bytes, 1: a mark (large.h), 2: a text (numbers.h)
 *              | bytes of the texts' bodies |
 *              | numbers | bodies and texts |     numbers: with their length in front
 *
 * Columns, because like compresses well beside like; versions are implied. The seal covers log and first version.
 *
 * Format 1 is only read. There the sources and authors of each are always told, ms of each is one zigzag number; length
 * of each, with SEGMENT_MARKS as in large.h, and bodies end it. */
#ifndef STORAGE_LMDB_SEGMENT_H
#define STORAGE_LMDB_SEGMENT_H

#include <zstd.h>

#include "base/mapped.h"
#include "storage/lmdb/code.h"
#include "storage/store.h"

#define SEGMENT_HEAD_BYTES  24
#define SEGMENT_RECORDS_MAX 16384

enum segment_marks {
    SEGMENT_MARKS = 1,  /* format 1: bodies may be kept apart */
    SEGMENT_MERGED = 2, /* records may stand for several */
};

enum segment_state {
    SEGMENT_LOOSE,     /* by the fold, in passing */
    SEGMENT_TIGHT,     /* by repacking, as many records as its pages hold; or no more followed that were not tight */
    SEGMENT_TIGHT_LAST /* by repacking, all that there was */
};

struct segment_name;   /* a source or an author while a segment is read */
struct segment_column; /* a record's places in the tables while one is written */

/* Records that were read. Reused from segment to segment. */
struct segment {
    uint64_t number, first, end; /* versions [first, end) */
    size_t n;                    /* less where records stand for several */
    struct record *records;      /* borrow from payload, joined, or the value that was decoded */
    struct segment_name *names;
    size_t n_names;
    struct mapped room, payload, joined; /* room: of the records */
    ZSTD_DCtx *context;
};

/* Begin with a zeroed one. */
void segment_finish(struct segment *segment);

/* 0, -EBADMSG, -ENOMEM; after a failure the segment is empty. */
STORE_MUST_CHECK int segment_decode(struct segment *segment, uint64_t number, uint64_t first, struct bytes value);

/* Which record holds the version, and where that one begins. */
static inline size_t segment_index(const struct segment *segment, uint64_t version, uint64_t *begins)
{
    size_t i = 0;

    if (segment->end - segment->first == segment->n) {
        *begins = version;
        return (size_t)(version - segment->first);
    }
    for (*begins = segment->first; record_end(*begins, &segment->records[i]) <= version; i++)
        *begins = record_end(*begins, &segment->records[i]);
    return i;
}

/* Of a value that need not be sound. */
enum segment_state segment_state(struct bytes value);
size_t segment_payload_bytes(struct bytes value); /* unpacked */

/* The time of the first record, without unpacking. */
STORE_MUST_CHECK int segment_first_ms(uint64_t number, uint64_t first, struct bytes value, uint64_t *out);

/* What it takes to write them. Reused from segment to segment. */
struct segment_writer {
    struct buffer payload, value; /* value: what was packed last */
    struct buffer texts, differences;
    ZSTD_CCtx *context;
    struct mapped columns;
};

STORE_MUST_CHECK int segment_writer_init(struct segment_writer *writer);
void segment_writer_shrink(struct segment_writer *writer); /* gives back what it grew; value with it */
void segment_writer_finish(struct segment_writer *writer);

#define SEGMENT_LEVEL_QUICK 3  /* of zstd; what the fold does beside everything else */
#define SEGMENT_LEVEL_TIGHT 15 /* what is worth it when much time goes by before they are written again */

/* Packs n records, at most SEGMENT_RECORDS_MAX, into writer->value. 0, -ENOMEM, -E2BIG (more than a value may hold). */
STORE_MUST_CHECK int segment_write(struct segment_writer *writer, uint64_t number, uint64_t first,
                                   const struct record *records, size_t n, int level, enum segment_state state);

#endif
