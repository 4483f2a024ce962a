/* The engine's sizes. Those of real life suit everybody; tests shrink them to see much happen in little. */
#ifndef STORAGE_LMDB_TUNING_H
#define STORAGE_LMDB_TUNING_H

#include "storage/lmdb/store_lmdb.h"

struct store_lmdb_tuning {
    size_t batch_bytes;                /* appends that share a transaction; a larger one has its own */
    size_t parcel_bytes;               /* what a fold adds to a transaction */
    size_t chunk_bytes;                /* of a snapshot */
    size_t piece_bytes;                /* a larger body is kept apart, in pieces of this size */
    size_t segment_bytes;              /* packed: at about this size a segment is closed */
    size_t segment_payload_bytes;      /* the same before packing, where bytes pack very well */
    size_t fold_bytes, fold_batches;   /* an inbox of this size is folded */
    size_t inbox_bytes, inbox_batches; /* at this size appends wait for folds */
};

extern const struct store_lmdb_tuning store_lmdb_tuning_default;

/* As store_lmdb_open. */
STORE_MUST_CHECK int store_lmdb_open_tuned(const struct store_lmdb_config *config,
                                           const struct store_lmdb_tuning *tuning, struct store **out, char *why,
                                           size_t n_why);

#endif
