#include "tests/unit/storage/place.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* The thread sanitizer leaves little room for large maps. */
#define MAX_BYTES ((uint64_t)1 << 30)

const struct store_lmdb_tuning place_tiny_tuning = {
    .batch_bytes = 600,
    .parcel_bytes = 2000,
    .chunk_bytes = 70000,
    .piece_bytes = 100000,
    .segment_bytes = 200,
    .segment_payload_bytes = 400,
    .fold_bytes = SIZE_MAX,
    .fold_batches = 2,
    .inbox_bytes = SIZE_MAX,
    .inbox_batches = 6,
};

struct place *place_create(void)
{
    struct place *place = calloc(1, sizeof(*place));
    const char *parent = getenv("TMPDIR");

    assert_non_null(place);
    (void)snprintf(place->path, sizeof(place->path), "%s/pilcrow-store-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(place->path));
    return place;
}

void place_destroy(struct place *place)
{
    DIR *directory = opendir(place->path);
    struct dirent *entry;
    char file[512];

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        (void)snprintf(file, sizeof(file), "%s/%s", place->path, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(file), 0);
    }
    (void)closedir(directory);
    assert_int_equal(rmdir(place->path), 0);
    free(place);
}

static struct store_lmdb_config config_of(const struct place *place, struct store_loop *loop, enum store_mode mode)
{
    return (struct store_lmdb_config){ place->path, mode, MAX_BYTES, loop_wake, loop };
}

struct store *place_open(struct place *place, struct store_loop *loop, const struct store_lmdb_tuning *tuning)
{
    struct store_lmdb_config config = config_of(place, loop, STORE_READ_WRITE);
    struct store *store;
    char why[256] = "";

    if (store_lmdb_open_tuned(&config, tuning, &store, why, sizeof(why)))
        fail_msg("%s", why);
    return store;
}

int place_try_open(struct place *place, struct store_loop *loop, enum store_mode mode, struct store **out, char *why)
{
    struct store_lmdb_config config = config_of(place, loop, mode);

    return store_lmdb_open(&config, out, why, 256);
}
