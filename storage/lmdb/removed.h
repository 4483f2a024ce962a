/* What stays of a removed log's name: its SHA-256, as the key of the head. */
#ifndef STORAGE_LMDB_REMOVED_H
#define STORAGE_LMDB_REMOVED_H

#include <openssl/sha.h>

#include "storage/lmdb/rows.h"

struct removed_key {
    unsigned char at[SHA256_DIGEST_LENGTH];
};

static inline struct removed_key removed_key_of(struct bytes name_key)
{
    struct removed_key key;

    (void)SHA256(name_key.at, name_key.n_bytes, key.at);
    return key;
}

#endif
