/* Last words. LMDB reads its file through a map and believes it: on a damaged one it may end the process, by a signal
 * or by an assertion. Then one line says what happened and what to do, and the process ends as it would have.
 *
 *     pilcrowd: the store in DIR seems to be damaged: SIGBUS, ..., while reading notes/a. Run: pilcrow --data DIR check
 *
 * Said only when the thread that dies is inside the store's files. A signal that somebody sent, and an assertion of our
 * own, are none of ours. */
#ifndef STORAGE_LMDB_GUARD_H
#define STORAGE_LMDB_GUARD_H

#include <lmdb.h>

#include "storage/store.h"

/* This thread goes into the files, "writing" say, and comes out again. what: a literal. Who is inside may enter anew,
 * to do something else. */
void guard_enter(const char *what);
void guard_leave(void);
/* It reads this document now; until it leaves. */
void guard_reading(struct store_name name);

/* LMDB's assertions in this environment end in last words, too. */
void guard_asserts(MDB_env *env);

#endif
