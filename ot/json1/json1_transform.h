/* What the phases of transform hand on to each other. Internal to ot/json1/.
 *
 * `op` is transformed over `other`. Each phase walks one of the two trees and follows the other one in step:
 *
 *     1  other's picks            in places before          what op does to what other moves
 *     2  other's drops            in places after other     whether they land in what op removes
 *     3  op's picks               before                    written at their places after other
 *     4  op's drops and edits     after op                  written at their places after both
 *     5  other's drops again      after other               what 3 wrote inside what other moves is laid there
 *     6  the same                 after other               what 4 wrote inside what other moves is laid there, unless
 *                                                           the answer moves that place, too */
#ifndef OT_JSON1_TRANSFORM_H
#define OT_JSON1_TRANSFORM_H

#include "ot/json1/json1.h"

/* A slot of op. */
struct mine {
    const struct json1_node *pick, *drop;  /* of op */
    const struct json1_node *other_here;   /* other's node where op picks */
    const struct json1_node *other_drop;   /* other's node where, after other, what op picks lies */
    const struct json1_node *other_remove; /* other's remove that takes it away */
    struct json1_node *written;            /* the pick of the answer; NULL: none */
    bool is_both;                          /* other picks the same value */
};

/* A slot of other. */
struct theirs {
    const struct json1_node *pick, *drop; /* of other */
    const struct json1_node *op_here;     /* op's node where other picks */
    const struct json1_node *op_remove;   /* op's remove that takes it away: the move is cancelled */
    bool is_cancelled;
    bool is_discarded;                          /* cancelled, and op removes where it goes to */
    uint32_t both;                              /* the slot of op that picks the same value, or JSON1_NO_SLOT */
    uint32_t inside;                            /* the slot of op inside of which it is dropped, or JSON1_NO_SLOT */
    struct json1_node *held_picks, *held_drops; /* trees to be laid where it is dropped; NULL: nothing */
};

/* A slot of the answer. */
struct answer {
    uint32_t slot_of_op;
    const struct json1_node *drop; /* where the answer, as phase 4 left it, drops it */
    struct json1_node *late;       /* a tree to be laid there, by phase 6 */
};

struct transform {
    const struct json1_op *op, *other;
    enum ot_side side;
    const struct ot_limits *limits;
    struct ot_error *error;
    int r; /* the first failure ends the walks */

    struct json1_conflict *conflict;
    struct json1_builder builder;
    struct json1_node *answer;

    struct mine *mine;
    struct theirs *theirs;
    struct answer *answers;    /* as many as op has slots */
    bool *is_cancelled_remove; /* by index of op's node */
    uint32_t n_answer_slots;
    bool has_held_picks, has_held_drops, has_cancelled, has_late;
};

/* Notes a conflict, and ends the walks. */
void json1_set_conflict(struct transform *t, enum json1_conflict_kind kind, const struct json1_node *mine,
                        const struct json1_node *theirs);

/* Whether other moves the slot for good: op does not move the same value, or loses. */
static inline bool json1_moves_away(const struct transform *t, const struct theirs *slot)
{
    return t->side == OT_RIGHT || slot->both == JSON1_NO_SLOT;
}

void json1_transform_drops(struct transform *t); /* phase 4 */
void json1_transform_late(struct transform *t);  /* phases 5 and 6 */

#endif
