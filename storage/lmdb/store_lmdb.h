/* The embedded engine: one LMDB environment in a data directory, one commit thread (the only writer), one worker.
 * docs/store-format.md describes the bytes. */
#ifndef STORAGE_LMDB_STORE_LMDB_H
#define STORAGE_LMDB_STORE_LMDB_H

#include "storage/store.h"

enum store_mode {
    STORE_READ_WRITE, /* creates the directory and the store when missing; one process at a time: -EBUSY */
    STORE_READ_ONLY,  /* also beside a running server; writes answer -EROFS; a missing store is -ENOENT */
};

/* STORE_FOREIGN etc. are outcomes of opening only. */
enum store_open_error {
    STORE_FOREIGN = 100, /* not a store of ours, or of a format that this version does not know */
    STORE_DAMAGED,       /* its first page or its format record is not readable */
};

struct store_lmdb_config {
    const char *path; /* the data directory */
    enum store_mode mode;
    uint64_t max_bytes;      /* ceiling of the data file, also when only reading; 0: 1 TiB */
    void (*wake)(void *arg); /* from any thread, or inside a call: run store_dispatch soon, on the loop thread */
    void *arg;
};

/* Returns 0, -errno or an enum store_open_error, with a sentence for people in why[0..n_why). */
STORE_MUST_CHECK int store_lmdb_open(const struct store_lmdb_config *config, struct store **out, char *why,
                                     size_t n_why);

/* Whether a file, such as a copy that has just been written, is the data file of a store that this version reads. It is
 * only looked at. As store_lmdb_open. */
STORE_MUST_CHECK int store_lmdb_check_file(const char *file, char *why, size_t n_why);

/* From now on, if the process dies of what it reads in the store in `path`, it says so on standard error, with what to
 * do. For a server: it takes SIGSEGV and SIGBUS, and passes them on. */
void store_lmdb_explain_deaths(const char *program, const char *path);

#endif
