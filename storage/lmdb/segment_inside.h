/* What writing and reading a segment share. */
#ifndef STORAGE_LMDB_SEGMENT_INSIDE_H
#define STORAGE_LMDB_SEGMENT_INSIDE_H

#include "storage/lmdb/segment.h"

#define SEGMENT_FORMAT            2
#define SEGMENT_PAYLOAD_MAX_BYTES ((size_t)1 << 30)

enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD };
enum body_form { BODY_BYTES, BODY_MARK, BODY_TEXT };

#endif
