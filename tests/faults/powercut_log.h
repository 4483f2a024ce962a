/* What the recorder (powercut.c, preloaded) writes down and the driver reads: everything that happened to the store's
 * files, in order, and the marks that the workload made in between. The store is born as new.mdb and moved to data.mdb;
 * a compaction writes compact.mdb and moves that there; backups are written to backup.mdb, one over the other.
 *
 *     | event | n_bytes of what was written or marked | event | ... */
#ifndef FAULTS_POWERCUT_LOG_H
#define FAULTS_POWERCUT_LOG_H

#include <stddef.h>
#include <stdint.h>

#define POWERCUT_DIRECTORY "PILCROW_POWERCUT_DIRECTORY" /* its absolute path */
#define POWERCUT_LOG       "PILCROW_POWERCUT_LOG"       /* where to write */
#define POWERCUT_SABOTAGE  "PILCROW_POWERCUT_SABOTAGE"  /* an enum powercut_sabotage */

enum powercut_kind {
    POWERCUT_WRITE = 1,
    POWERCUT_WRITE_SYNCED,   /* through a descriptor with O_DSYNC: durable when it returns */
    POWERCUT_SYNC,           /* whatever was written before is durable */
    POWERCUT_TRUNCATE,       /* to offset, or unlinked; nothing was in it that anybody counts on */
    POWERCUT_RENAME,         /* it is data.mdb now */
    POWERCUT_SYNC_DIRECTORY, /* and stays it */
    POWERCUT_MARK,
};

enum powercut_file { POWERCUT_DATA, POWERCUT_NEW, POWERCUT_COMPACT, POWERCUT_BACKUP, POWERCUT_N_FILES };

static const char *const powercut_names[POWERCUT_N_FILES] = { "data.mdb", "new.mdb", "compact.mdb", "backup.mdb" };

struct powercut_event {
    uint32_t kind, file; /* as it is called then; RENAME: as it was called before */
    uint64_t offset, n_bytes;
};

/* What is recorded as if it had not been there, as it would be in a program that leaves it out. */
enum powercut_sabotage {
    SABOTAGE_NOTHING,
    SABOTAGE_EVERY_SYNC,
    SABOTAGE_DATA_SYNC, /* fsync, fdatasync of the files */
    SABOTAGE_COPY_SYNC, /* of compact.mdb alone */
    SABOTAGE_DIRECTORY_SYNC,
    SABOTAGE_META_SYNC, /* O_DSYNC */
};

/* ---- marks of the workload --------------------------------------------------------------------------------------- */

enum mark_kind {
    MARK_APPENDED = 1, /* acknowledged: the log's head is `version` */
    MARK_BEGINNING,    /* about to ask for a removal, or to begin there: from then on the log may begin at `version` */
    MARK_BEGUN,        /* acknowledged: it does */
    MARK_SNAPSHOT,     /* acknowledged: there is one at `version` */
    MARK_MERGING,      /* about to ask for it: n records from `version` on may be one */
    MARK_MERGED,       /* acknowledged: they are */
    MARK_META,         /* acknowledged: the small value is `version` */
    MARK_BACKING_UP,   /* about to ask for it: backup.mdb is worth nothing */
    MARK_BACKED_UP,    /* acknowledged, and synced: it is a store */
};

struct mark {
    uint32_t kind, log;
    uint64_t version, n;
};

/* Of the recorder, for the workload; absent when it is not preloaded. */
void powercut_mark(const void *at, size_t n_bytes) __attribute__((weak));

#endif
