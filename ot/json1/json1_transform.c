#include "ot/json1/json1_transform.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Transforming: phases 1 to 3, and what holds all of them together. */

void json1_set_conflict(struct transform *t, enum json1_conflict_kind kind, const struct json1_node *mine,
                        const struct json1_node *theirs)
{
    if (t->r)
        return;
    t->r = OT_CONFLICT;
    t->conflict->kind = kind;
    t->conflict->mine = mine;
    t->conflict->theirs = theirs;
}

/* ---- 1: other's picks -------------------------------------------------------------------------------------------- */

/* `removed`: op's remove that takes this place away. */
static void scan_picks(struct transform *t, const struct json1_node *other, const struct json1_node *op,
                       const struct json1_node *removed)
{
    struct json1_follower of_op = json1_follow(op, FOLLOW_RAW);

    if (json1_has(op, JSON1_REMOVE))
        removed = op;
    if (op && (op->flags & JSON1_PICK)) {
        removed = NULL;
        t->mine[op->pick_slot].other_here = other;
    }
    if (other->flags & JSON1_PICK) {
        struct theirs *slot = &t->theirs[other->pick_slot];

        slot->op_here = op;
        slot->pick = other;
        slot->op_remove = removed;
        slot->is_cancelled = removed != NULL;
        t->has_cancelled |= slot->is_cancelled;
        if (op && (op->flags & JSON1_PICK)) {
            slot->both = op->pick_slot;
            t->mine[op->pick_slot].is_both = true;
        }
    }
    for (const struct json1_node *child = other->first; child; child = child->next) {
        const struct json1_node *inner = json1_follow_key(&of_op, &child->key);

        if (json1_has(child, JSON1_PICKS_BELOW) || json1_has(inner, JSON1_PICKS_BELOW))
            scan_picks(t, child, inner, removed);
    }
}

/* ---- 2: other's drops -------------------------------------------------------------------------------------------- */

/* Where phase 2 is: the node of other as a drop, and what both operations pick where this place comes from. */
struct drop_place {
    const struct json1_node *op_pick, *other_pick, *other_drop;
    uint32_t inside;                  /* op's innermost pick around */
    const struct json1_node *removed; /* op's remove that takes the place away */
};

static void scan_moved_here(struct transform *t, struct drop_place *place)
{
    struct theirs *slot = &t->theirs[place->other_drop->drop_slot];

    slot->drop = place->other_drop;
    slot->inside = place->inside;
    place->op_pick = slot->op_here;
    place->other_pick = slot->pick;
    if (slot->is_cancelled) {
        slot->is_discarded = place->removed != NULL;
        place->removed = slot->op_remove;
    } else if (place->removed && json1_moves_away(t, slot)) {
        json1_set_conflict(t, CONFLICT_REMOVED, NULL, place->other_drop);
    }
}

static void scan_written_here(struct transform *t, struct drop_place *place)
{
    if (place->other_drop->flags & JSON1_DROP) {
        scan_moved_here(t, place);
    } else if (place->other_drop->flags & JSON1_INSERT) {
        place->op_pick = place->other_pick = NULL;
        if (place->removed)
            json1_set_conflict(t, CONFLICT_REMOVED, NULL, place->other_drop);
    }
    if (json1_has(place->op_pick, JSON1_REMOVE)) {
        place->removed = place->op_pick;
    } else if (place->op_pick && (place->op_pick->flags & JSON1_PICK)) {
        place->inside = place->op_pick->pick_slot;
        place->removed = NULL;
    }
    if ((place->other_drop->flags & JSON1_EDIT) && place->removed)
        json1_set_conflict(t, CONFLICT_REMOVED, NULL, place->other_drop);
}

static void scan_drops(struct transform *t, struct drop_place place)
{
    struct json1_follower of_other, of_op;
    int64_t n_dropped = 0;

    scan_written_here(t, &place);
    of_other = json1_follow(place.other_pick, FOLLOW_MIDDLE_PICKS);
    of_op = json1_follow(place.op_pick, FOLLOW_RAW);
    for (const struct json1_node *child = place.other_drop->first; !t->r && child; child = child->next) {
        struct drop_place inner = place;

        if (!(child->flags & JSON1_DROPS_BELOW))
            continue;
        inner.other_drop = child;
        if (json1_is_index(&child->key)) {
            int64_t middle = json1_index(child) - n_dropped;

            inner.other_pick = json1_follow_index(&of_other, middle);
            inner.op_pick = json1_follow_index(&of_op, middle + of_other.n_passed);
            n_dropped += (child->flags & JSON1_ANY_DROP) != 0;
        } else {
            inner.other_pick = json1_follow_key(&of_other, &child->key);
            inner.op_pick = json1_follow_key(&of_op, &child->key);
        }
        scan_drops(t, inner);
    }
}

/* ---- 3: op's picks ----------------------------------------------------------------------------------------------- */

struct pick_place {
    const struct json1_node *op, *other_pick, *other_drop;
    struct json1_node *out;
    const struct json1_node *removed; /* other's remove that took the place away */
    bool is_moved;                    /* other moved this very value */
};

static void follow_other(struct transform *t, struct pick_place *place)
{
    place->is_moved = false;
    if (place->other_pick && (place->other_pick->flags & JSON1_PICK)) {
        struct theirs *slot = &t->theirs[place->other_pick->pick_slot];

        place->other_drop = slot->drop;
        place->out = slot->held_picks = json1_new_tree(&t->builder);
        place->is_moved = t->has_held_picks = true;
        place->removed = NULL;
    } else if (json1_has(place->other_pick, JSON1_REMOVE)) {
        place->other_drop = NULL;
        place->removed = place->other_pick;
    } else if (json1_has(place->other_drop, JSON1_ANY_DROP)) {
        place->other_drop = NULL;
    }
}

static void write_pick_here(struct transform *t, const struct pick_place *place)
{
    if (place->op->flags & JSON1_PICK) {
        struct mine *slot = &t->mine[place->op->pick_slot];

        slot->pick = place->op;
        slot->other_remove = place->removed;
        slot->other_drop = place->other_drop;
        if (!place->removed && !(t->side == OT_RIGHT && place->is_moved))
            slot->written = place->out;
    } else if (place->op->flags & JSON1_REMOVE) {
        if (!place->removed)
            json1_write_remove_true(&t->builder, place->out);
        if (place->removed || place->is_moved)
            t->is_cancelled_remove[json1_index_in(t->op, place->op)] = true;
    }
}

static void write_picks(struct transform *t, struct pick_place place)
{
    struct json1_follower picks, drops;

    follow_other(t, &place);
    write_pick_here(t, &place);
    picks = json1_follow(place.other_pick, FOLLOW_RAW_PICKS);
    drops = json1_follow(place.other_drop, FOLLOW_MIDDLE_DROPS);
    for (const struct json1_node *child = place.op->first; child; child = child->next) {
        struct pick_place inner = place;

        if (!(child->flags & JSON1_PICKS_BELOW))
            continue;
        inner.op = child;
        inner.other_pick = json1_follow_key(&picks, &child->key);
        if (json1_is_index(&child->key)) {
            int64_t middle = json1_index(child) - picks.n_passed;

            inner.other_drop = json1_has(inner.other_pick, JSON1_ANY_PICK) ? NULL : json1_follow_index(&drops, middle);
            inner.out = json1_down_index(&t->builder, place.out, middle + drops.n_passed);
        } else {
            inner.other_drop = json1_follow_key(&drops, &child->key);
            inner.out = json1_down(&t->builder, place.out, &child->key);
        }
        write_picks(t, inner);
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static size_t slots_bytes(const struct transform *t)
{
    return t->op->n_slots * (sizeof(*t->mine) + sizeof(*t->answers)) + t->other->n_slots * sizeof(*t->theirs) +
           t->op->n_nodes * sizeof(*t->is_cancelled_remove);
}

/* All slots in one block, which is on the stack when it is small. */
static int prepare(struct transform *t, void *first, size_t n_first)
{
    size_t n_bytes = slots_bytes(t);
    char *block = n_bytes <= n_first ? first : malloc(n_bytes);

    if (!block)
        return -ENOMEM;
    memset(block, 0, n_bytes);
    t->mine = (struct mine *)(void *)block;
    t->theirs = (struct theirs *)(void *)(t->mine + t->op->n_slots);
    t->answers = (struct answer *)(void *)(t->theirs + t->other->n_slots);
    t->is_cancelled_remove = (bool *)(t->answers + t->op->n_slots);
    for (size_t i = 0; i < t->other->n_slots; i++)
        t->theirs[i].both = t->theirs[i].inside = JSON1_NO_SLOT;
    t->answer = json1_new_tree(&t->builder);
    return 0;
}

/* What neither moves nor removes needs no looking at: most operations insert and edit. */
static void run(struct transform *t)
{
    const struct json1_node *op = t->op->nodes, *other = t->other->nodes;

    if (t->op->n_slots || t->other->n_slots)
        scan_picks(t, other, op, NULL);
    if ((op->flags & JSON1_PICKS_BELOW) || t->other->n_slots)
        scan_drops(
            t, (struct drop_place){ .op_pick = op, .other_pick = other, .other_drop = other, .inside = JSON1_NO_SLOT });
    if (t->r)
        return;
    if (op->flags & JSON1_PICKS_BELOW)
        write_picks(t, (struct pick_place){ .op = op, .other_pick = other, .other_drop = other, .out = t->answer });
    json1_transform_drops(t);
    if (!t->r && !t->builder.r)
        json1_transform_late(t);
}

/* But for the builder's nodes, which are set as they are used. */
static void init(struct transform *t, const struct json1_op *op, const struct json1_op *other, enum ot_side side)
{
    t->op = op;
    t->other = other;
    t->side = side;
    t->r = 0;
    t->n_answer_slots = 0;
    t->has_held_picks = t->has_held_drops = t->has_cancelled = t->has_late = false;
    json1_builder_init(&t->builder);
}

static int same(const struct json1_op *op, struct ot_op **out)
{
    *out = ot_op_ref((struct ot_op *)(uintptr_t)&op->base);
    return 0;
}

int json1_try_transform(const struct json1_op *op, const struct json1_op *other, enum ot_side side,
                        const struct ot_limits *limits, struct json1_conflict *conflict, struct ot_op **out,
                        struct ot_error *error)
{
    uint64_t first[128]; /* aligned for all that prepare puts there */
    struct transform t;

    if (!op->n_nodes || !other->n_nodes)
        return same(op, out);
    init(&t, op, other, side);
    t.limits = limits;
    t.error = error;
    t.conflict = conflict;
    t.r = prepare(&t, first, sizeof(first));
    if (t.r)
        return t.r;
    run(&t);
    if (t.r)
        json1_builder_finish(&t.builder);
    else
        t.r = json1_finish(&t.builder, t.answer, limits, out, error);
    if ((void *)t.mine != (void *)first)
        free(t.mine);
    return t.r;
}
