/* What the workload writes: computed from log and version alone, so that the driver knows what must be read. */
#ifndef FAULTS_POWERCUT_CONTENT_H
#define FAULTS_POWERCUT_CONTENT_H

#include <stdio.h>

#include "storage/lmdb/tuning.h"
#include "tests/sim/random.h"

#define CONTENT_LOGS         40
#define CONTENT_MAX_BYTES    6000
#define CONTENT_MAX_VERSIONS 2000

/* Small enough that everything happens often: folds, parcels of several logs, snapshots of several chunks. */
static const struct store_lmdb_tuning content_tuning = {
    .batch_bytes = 4000,
    .parcel_bytes = 6000,
    .chunk_bytes = 4000,
    .piece_bytes = 2000,
    .segment_bytes = 1500,
    .segment_payload_bytes = 4000,
    .fold_bytes = SIZE_MAX,
    .fold_batches = 12,
    .inbox_bytes = SIZE_MAX,
    .inbox_batches = 60,
};

static inline struct sim_random content_random(uint32_t log, uint64_t version, uint64_t what)
{
    return (struct sim_random){ (uint64_t)log << 48 ^ version << 8 ^ what };
}

static inline size_t content_bytes(char *into, struct sim_random *random, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        into[i] = (char)('a' + sim_random_below(random, 17));
    return n_bytes;
}

/* into: CONTENT_MAX_BYTES. */
static inline struct record content_record(uint32_t log, uint64_t version, char *into)
{
    struct sim_random random = content_random(log, version, 1);
    size_t n = sim_random_below(&random, 20) ? sim_random_below(&random, 120) : sim_random_below(&random, 5900);

    return (struct record){ { bytes_of_string(version % 3 ? "one" : "other"), version + 1 },
                            1000 + version,
                            bytes_of_string(log % 2 ? "ann" : ""),
                            bytes_of(into, content_bytes(into, &random, n)) };
}

/* Merges put one record in the place of so many, from a multiple of it on. */
static const uint64_t content_merges[] = { 4, 16 };

/* The one in the place of those of [from, from + n). into: CONTENT_MAX_BYTES. */
static inline struct record content_merged(uint32_t log, uint64_t from, uint64_t n, char *into)
{
    struct record record = content_record(log, from + n - 1, into);
    struct sim_random random = content_random(log, from, 10 + n);

    record.body = bytes_of(into, content_bytes(into, &random, sim_random_below(&random, 200 * (size_t)n)));
    record.n_merged = n - 1;
    return record;
}

/* Of every other log those of all versions are much alike, so that they are kept as differences. into: 4 *
 * CONTENT_MAX_BYTES. */
static inline struct bytes content_snapshot(uint32_t log, uint64_t version, char *into)
{
    bool is_alike = log % 2 == 0;
    struct sim_random random = content_random(log, is_alike ? 0 : version, 2),
                      changes = content_random(log, version, 3);
    size_t n_bytes = content_bytes(into, &random, 100 + sim_random_below(&random, 4 * (size_t)CONTENT_MAX_BYTES - 100));

    for (size_t i = 0; i < 10; i++)
        into[sim_random_below(&changes, n_bytes)] = (char)('A' + sim_random_below(&changes, 20));
    return bytes_of(into, n_bytes);
}

struct content_name {
    char id[16];
};

static inline struct content_name content_name_of(uint32_t log)
{
    struct content_name name;

    (void)snprintf(name.id, sizeof(name.id), "%u", log);
    return name;
}

static inline struct store_name content_store_name(const struct content_name *name)
{
    return (struct store_name){ bytes_of_string("notes"), bytes_of_string(name->id) };
}

#endif
