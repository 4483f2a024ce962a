/* Whether a key is not there, or only not found. Seals can't tell: there is nothing that is sealed. So the way to where
 * the key would be is walked once more, and everything on it is held against what it must be, which LMDB does not do:
 *
 *     root -> | b | k |      each page is the one that it says it is, and of the kind that its depth asks for
 *              -> | b | d | f |     keys in order, within the bounds that lead here; "e": d and f sealed, so not there;
 *                                          behind f: the next page begins with k, or later
 *
 * Where something was not found, which is seldom; and for each page of a listing, whose entries are read one after the
 * other: what a page has lost is no gap to them. */
#ifndef STORAGE_LMDB_ABSENCE_H
#define STORAGE_LMDB_ABSENCE_H

#include "storage/lmdb/environment.h"

/* In a transaction that reads. -ENOENT: it is not there (or the transaction writes: then nobody can tell). -EBADMSG:
 * the database is damaged there. -errno. */
STORE_MUST_CHECK int absence_prove(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key);
/* That the pages that lead to a key that was found have all their entries. 0, -EBADMSG, -errno. */
STORE_MUST_CHECK int presence_prove(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key);

#endif
