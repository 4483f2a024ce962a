/* What the small values say, and the keys that they are found by. All values are sealed (environment.h). */
#ifndef STORAGE_LMDB_ROWS_H
#define STORAGE_LMDB_ROWS_H

#include "storage/lmdb/code.h"
#include "storage/store.h"

#define NAME_BYTES_MAX 128
#define TYPE_BYTES_MAX 64
#define SRC_BYTES_MAX  64

#define SNAPSHOT_MAX_BYTES  ((size_t)1 << 30)
#define SNAPSHOT_MAX_PACKED (SNAPSHOT_MAX_BYTES + (SNAPSHOT_MAX_BYTES >> 7)) /* what does not pack grows a little */

/* A log as the documents' table has it. Versions below base are gone: a removed log of that name had them. */
struct row {
    uint64_t number, base, head;
    uint64_t created_ms, modified_ms, n_bytes;
    bool exists;
    size_t n_type;
    char type[TYPE_BYTES_MAX];
};

/* An append of [from, from + n) has taken place. */
void row_advance(struct row *row, uint64_t n, uint64_t first_ms, uint64_t last_ms, const struct store_state *after);
void row_encode(const struct row *row, struct buffer *into);
STORE_MUST_CHECK int row_decode(struct bytes value, struct row *out);

/* Borrows the row's type. */
struct store_info row_info(const struct row *row, uint64_t snapshot_version);

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* A name as a key: the collection, with 00 spelled 00 ff, then 00 00, then the id. Ordered by collection, then id. */
#define NAME_KEY_MAX (2 * NAME_BYTES_MAX + 2 + NAME_BYTES_MAX)
struct name_key {
    size_t n_bytes, n_prefix; /* the prefix is shared by all names of the collection */
    char at[NAME_KEY_MAX];
};

struct name_key name_key_of(struct store_name name);

static inline struct bytes name_key_bytes(const struct name_key *key)
{
    return bytes_of(key->at, key->n_bytes);
}

/* Of a key that was read. out: id points into the key; collection is decoded into `collection`. */
STORE_MUST_CHECK int name_key_split(struct bytes key, char collection[NAME_BYTES_MAX], struct store_name *out);

/* A log's number and what else: a version, a chunk, a source. */
#define LOG_KEY_MAX (8 + SRC_BYTES_MAX)
struct log_key {
    size_t n_bytes;
    char at[LOG_KEY_MAX];
};

struct log_key log_key_of(uint64_t number);
struct log_key log_key_of_version(uint64_t number, uint64_t version);
struct log_key log_key_of_chunk(uint64_t number, uint64_t version, uint32_t chunk);
struct log_key log_key_of_src(uint64_t number, struct bytes src);

static inline struct bytes log_key_bytes(const struct log_key *key)
{
    return bytes_of(key->at, key->n_bytes);
}

/* ---- small values ------------------------------------------------------------------------------------------------ */

void source_encode(const struct store_source *source, struct buffer *into);
STORE_MUST_CHECK int source_decode(struct bytes value, struct store_source *out);

/* One more record of the source; *is_known says whether there was one before, and becomes true. */
void source_advance(struct store_source *source, bool *is_known, uint64_t seq, uint64_t version);

/* A snapshot's. Those of format 2 end behind the checksum: they are CODEC_NONE. */
enum snapshot_codec { CODEC_NONE = 0, CODEC_ZSTD = 1 };

struct manifest {
    uint64_t n_bytes; /* of the content, */
    uint32_t n_chunks, crc;
    enum snapshot_codec codec;
    uint64_t base;     /* the version whose content the frame refers to; 0: it is whole */
    uint64_t n_packed; /* bytes in the chunks */
    bool is_hidden;    /* kept only for those that refer to it */
};

#define MANIFEST_MAX_BYTES 70
void manifest_encode(const struct manifest *manifest, struct buffer *into);
STORE_MUST_CHECK int manifest_decode(struct bytes value, struct manifest *out);

/* What the next log and the next batch will be called. */
struct counters {
    uint64_t next_number, next_batch;
};
#define COUNTERS_KEY ".counters"

void counters_encode(const struct counters *counters, struct buffer *into);
STORE_MUST_CHECK int counters_decode(struct bytes value, struct counters *out);

/* A single varint, for DB_COLLECTIONS and DB_REMOVED. */
STORE_MUST_CHECK int number_decode(struct bytes value, uint64_t *out);

#endif
