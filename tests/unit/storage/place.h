/* A temporary data directory. */
#ifndef UNIT_STORAGE_PLACE_H
#define UNIT_STORAGE_PLACE_H

#include "storage/lmdb/tuning.h"
#include "tests/lib/store_loop.h"

struct place {
    char path[64];
};

/* Folds every other batch, into segments of a few records. */
extern const struct store_lmdb_tuning place_tiny_tuning;

struct place *place_create(void); /* nothing is in it yet */
void place_destroy(struct place *place);

/* Opens for writing; must succeed. */
struct store *place_open(struct place *place, struct store_loop *loop, const struct store_lmdb_tuning *tuning);
/* As store_lmdb_open; why: 256 bytes. */
int place_try_open(struct place *place, struct store_loop *loop, enum store_mode mode, struct store **out, char *why);

#endif
