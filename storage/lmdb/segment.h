/* A segment: neighbouring records of one log, packed. Pure bytes in, bytes out.
 *
 *     key      log, be64 | first version, be64
 *     value    | seal | format = 1 | compression | marks | 0 | records, le32 | payload bytes, le32 | first ms, le64 |
 *              | payload, as it is (compression 0) or as one zstd frame (1) |
 *     payload  | sources | authors |                    a count, then each with its length in front
 *              | source of each | author of each |      as indices
 *              | seq of each |                          zigzag, since the same source's previous one
 *              | ms of each |                           zigzag, since the previous record's
 *              | length of each | bodies |            marks 1: some may be kept apart, lengths are as in large.h
 *
 * Columns, because like compresses well beside like; versions are implied. The seal covers log and first version. */
#ifndef STORAGE_LMDB_SEGMENT_H
#define STORAGE_LMDB_SEGMENT_H

#include <zstd.h>

#include "storage/lmdb/code.h"
#include "storage/store.h"

#define SEGMENT_HEAD_BYTES  24
#define SEGMENT_RECORDS_MAX 4096

struct segment_name;   /* a source or an author while a segment is read */
struct segment_column; /* a record's places in the tables while one is written */

/* Records that were read. Reused from segment to segment. */
struct segment {
    uint64_t number, first; /* versions [first, first + n) */
    size_t n, capacity;
    struct record *records; /* borrow from payload, or from the value that was decoded */
    struct segment_name *names;
    size_t n_names;
    char *payload;
    size_t payload_capacity;
    ZSTD_DCtx *context;
};

/* Begin with a zeroed one. */
void segment_finish(struct segment *segment);

/* 0, -EBADMSG, -ENOMEM; after a failure the segment is empty. */
STORE_MUST_CHECK int segment_decode(struct segment *segment, uint64_t number, uint64_t first, struct bytes value);

/* The time of the first record, without unpacking. */
STORE_MUST_CHECK int segment_first_ms(uint64_t number, uint64_t first, struct bytes value, uint64_t *out);

/* What it takes to write them. Reused from segment to segment. */
struct segment_writer {
    struct buffer payload, value; /* value: what was packed last */
    ZSTD_CCtx *context;
    struct segment_column *columns;
    size_t capacity;
};

STORE_MUST_CHECK int segment_writer_init(struct segment_writer *writer);
void segment_writer_finish(struct segment_writer *writer);

/* Packs n records, at most SEGMENT_RECORDS_MAX, into writer->value. 0, -ENOMEM, -E2BIG (more than a value may hold). */
STORE_MUST_CHECK int segment_write(struct segment_writer *writer, uint64_t number, uint64_t first,
                                   const struct record *records, size_t n);

#endif
