/* Versions in groups, for people: what one author did without a longer pause.
 *
 *     versions    0       1   2   3       9      10  11
 *     groups      | ink:  | ink:      | paper:   | ink:
 *                 | create| edit      | edit     | delete      a create, a delete and a restore stand alone
 *
 * A restore is an edit or a create whose src ends with "@" and the version it went back to; no other src of HTTP does,
 * and no connection's id begins with "~". */
#ifndef API_HISTORY_H
#define API_HISTORY_H

#include "doc/op.h"

#define HISTORY_AUTHOR_BYTES 64

enum history_kind { HISTORY_EDIT, HISTORY_CREATE, HISTORY_DELETE, HISTORY_RESTORE };

struct history_group {
    enum history_kind kind;
    uint64_t from, to; /* versions: it led from there to there */
    uint64_t first_ms, last_ms;
    uint64_t n_operations;
    struct ot_amount amount;
    uint64_t restored; /* a restore: the version whose content it brought back */
    size_t n_author;   /* bytes */
    char author[HISTORY_AUTHOR_BYTES];
};

/* A group of that one operation, which may stand for several. amount: what it put in and took out. */
void history_group_of(const struct committed_op *op, struct ot_amount amount, struct history_group *out);

/* Whether `later` belongs to the group that comes directly before it. */
bool history_joins(const struct history_group *earlier, const struct history_group *later, uint64_t pause_ms);

/* Makes one of the two, in `earlier`. */
void history_join(struct history_group *earlier, const struct history_group *later);

/* {"from","to","author","kind","first","last","operations","inserted","deleted"}, of a restore "restored", too. */
void history_write(const struct history_group *group, struct buffer *into);

/* The src of a restore to that version, made of the src that the request would have otherwise; cut when it is long. */
void history_restore_src(char *src, size_t capacity, uint64_t version);

#endif
