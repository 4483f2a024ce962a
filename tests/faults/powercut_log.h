/* What the recorder (powercut.c, preloaded) writes down and the driver reads: everything that happened to the store's
 * file, in order, and the marks that the workload made in between. The file is born as new.mdb and moved to data.mdb.
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
    POWERCUT_TRUNCATE,       /* to offset */
    POWERCUT_RENAME,         /* it has its name */
    POWERCUT_SYNC_DIRECTORY, /* and keeps it */
    POWERCUT_MARK,
};

struct powercut_event {
    uint32_t kind, reserved;
    uint64_t offset, n_bytes;
};

/* What is recorded as if it had not been there, as it would be in a program that leaves it out. */
enum powercut_sabotage {
    SABOTAGE_NOTHING,
    SABOTAGE_EVERY_SYNC,
    SABOTAGE_DATA_SYNC, /* fsync, fdatasync of the file */
    SABOTAGE_META_SYNC, /* O_DSYNC */
};

/* ---- marks of the workload --------------------------------------------------------------------------------------- */

enum mark_kind {
    MARK_APPENDED = 1, /* acknowledged: the log's head is `version` */
    MARK_REMOVING,     /* about to ask for it: from then on records below `version` may be gone */
    MARK_REMOVED,      /* acknowledged: they are */
    MARK_SNAPSHOT,     /* acknowledged: there is one at `version` */
    MARK_META,         /* acknowledged: the small value is `version` */
};

struct mark {
    uint32_t kind, log;
    uint64_t version;
};

/* Of the recorder, for the workload; absent when it is not preloaded. */
void powercut_mark(const void *at, size_t n_bytes) __attribute__((weak));

#endif
