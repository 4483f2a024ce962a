/* Whether the files of a store say what they should: pages, trees, seals, and that all of it fits together. It only
 * reads, beside a running server as well, and never through LMDB's trees, so that it comes to an end on a file that
 * would kill LMDB. (LMDB opens the file and holds the moment: whoever must not be killed by that calls from a process
 * of his own.) docs/store-format.md says what is looked at; what a crash leaves behind is no damage. */
#ifndef STORAGE_LMDB_VERIFY_H
#define STORAGE_LMDB_VERIFY_H

#include "storage/store.h"

enum verify_severity {
    VERIFY_LEFTOVER, /* something lies there that nothing leads to: room, no more */
    VERIFY_DAMAGE,   /* answers may be missing or wrong, or the next writes may do harm */
};

struct verify_finding {
    enum verify_severity severity;
    const char *database;   /* "docs"; "file": of the pages themselves */
    struct store_name name; /* the document's; empty: none, or it is lost */
    uint64_t number;        /* of its log; 0: none */
    uint64_t from, to;      /* versions; both 0: none in particular */
    const char *what;       /* a sentence without its full stop */
};

struct verify_config {
    const char *path;
    /* Borrowed until it returns. May be NULL. */
    void (*on_finding)(void *arg, const struct verify_finding *finding);
    /* Now and then, at least for every few megabytes that are read: what is at work. May be NULL. */
    void (*on_progress)(void *arg, const char *what, uint64_t n_done, uint64_t n_total);
    void *arg;
};

/* 0: looked at everything, on_finding has been told; -errno (-ENOMEM, -ENOENT, -EBADMSG: nothing of the file can be
 * read) or STORE_FOREIGN (a later format: it is no damage that this version can't read it), with a sentence for people
 * in why[0..n_why). */
STORE_MUST_CHECK int verify_store(const struct verify_config *config, char *why, size_t n_why);

/* A log, with what of it can still be read. */
struct verify_log {
    uint64_t number;
    struct store_name name; /* empty: it is lost */
    bool is_known;          /* `info` is right; else it says what the records say */
    struct store_info info;
    const uint64_t *snapshots; /* versions that it has snapshots of, ascending; from verify_each_log only */
    size_t n_snapshots;
};

/* Every log with a number above `after`, in order of their numbers, until `each` returns other than 0, which is what is
 * returned then. Otherwise as verify_store. */
STORE_MUST_CHECK int verify_each_log(const struct verify_config *config, uint64_t after,
                                     int (*each)(void *arg, const struct verify_log *log), void *arg, char *why,
                                     size_t n_why);

/* What is still readable. The calls of each log come one behind the other. The records without a gap, from log's
 * info.first on, come twice: first to be looked at, then, once it is known how far they reach, to be kept. */
struct salvage {
    int (*on_look)(void *arg, const struct verify_log *log, uint64_t version, const struct record *record);
    /* why: NULL, all of the log is there. */
    int (*on_log)(void *arg, const struct verify_log *log, uint64_t reached, const char *why);
    int (*on_record)(void *arg, uint64_t version, const struct record *record);
    /* The newest whole snapshot of a version that the records do not reach, if there is one. */
    int (*on_snapshot)(void *arg, const struct verify_log *log, uint64_t version, struct bytes snapshot);
    void *arg;
};

/* As verify_each_log. */
STORE_MUST_CHECK int verify_salvage(const struct verify_config *config, const struct salvage *salvage, char *why,
                                    size_t n_why);

#endif
