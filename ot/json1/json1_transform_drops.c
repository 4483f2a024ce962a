#include "ot/json1/json1_transform.h"

/* Transforming, phase 4: op's drops, inserts and edits, written at their places after both operations.
 *
 * The walk goes by op's places after. For each it knows what op and other pick where the place comes from, and what
 * other drops there. In lists five systems of indexes run side by side:
 *
 *     op's after --(op's drops)--> op's middle --(op's picks)--> before --(other's picks)--> other's middle
 *          --(other's drops)--> other's after --(the answer's own picks and drops)--> where to write */

struct place {
    const struct json1_node *op_pick, *op_drop, *other_pick, *other_drop;
    struct json1_node *out;
    const struct json1_node *removed; /* other's remove that took the place away */
};

/* ---- at one place ------------------------------------------------------------------------------------------------ */

/* What other puts at the place: nothing when that move is cancelled. */
static bool is_taken_by_other(const struct transform *t, const struct json1_node *drop)
{
    return json1_has(drop, JSON1_INSERT) || (json1_has(drop, JSON1_DROP) && !t->theirs[drop->drop_slot].is_cancelled);
}

static bool is_identical(const struct transform *t, const struct json1_node *op, const struct json1_node *other)
{
    if (other->flags & JSON1_INSERT)
        return (op->flags & JSON1_INSERT) && value_equal(&op->inserted, &other->inserted);
    return (op->flags & JSON1_DROP) && t->theirs[other->drop_slot].both == op->drop_slot;
}

static bool collides(const struct transform *t, const struct json1_node *other)
{
    return (other->flags & JSON1_INSERT) || json1_moves_away(t, &t->theirs[other->drop_slot]);
}

/* slot: NULL for an insert. */
static void write_drop(struct transform *t, const struct place *place, const struct mine *slot)
{
    if (!slot) {
        json1_write_insert(&t->builder, place->out, &place->op_drop->inserted);
        return;
    }
    json1_write_pick(&t->builder, slot->written, t->n_answer_slots);
    json1_write_drop(&t->builder, place->out, t->n_answer_slots);
    t->answers[t->n_answer_slots++].slot_of_op = place->op_drop->drop_slot;
}

/* op drops or inserts here, and what it drops was not taken away. *is_same: other puts the same here. */
static bool drop_live(struct transform *t, const struct place *place, const struct mine *slot, bool *is_same)
{
    if (place->other_drop && is_taken_by_other(t, place->other_drop)) {
        *is_same = is_identical(t, place->op_drop, place->other_drop);
        if (!*is_same && collides(t, place->other_drop))
            json1_set_conflict(t, CONFLICT_COLLISION, place->op_drop, place->other_drop);
    }
    if (*is_same || t->r)
        return false;
    if (place->removed) {
        json1_set_conflict(t, CONFLICT_REMOVED, place->op_drop, NULL);
        return false;
    }
    write_drop(t, place, slot);
    return true;
}

/* Writes what op drops or inserts here, if it still does: true; and goes on to where that comes from. */
static bool drop_here(struct transform *t, struct place *place)
{
    bool is_move = place->op_drop->flags & JSON1_DROP, wrote = false, is_same = false;
    struct mine *slot = is_move ? &t->mine[place->op_drop->drop_slot] : NULL;

    if (slot)
        slot->drop = place->op_drop;
    if (!slot || slot->written)
        wrote = drop_live(t, place, slot, &is_same);
    else if (slot->other_remove)
        place->removed = slot->other_remove;
    if (slot) {
        place->op_pick = slot->pick;
        place->other_pick = slot->other_here;
        place->other_drop = slot->other_drop;
    } else {
        place->op_pick = place->other_pick = NULL;
        if (!is_same)
            place->other_drop = NULL;
    }
    return wrote;
}

/* Other picks or removes where the place comes from: it is to be found, and written, where other drops it. */
static void follow_other(struct transform *t, struct place *place)
{
    const struct json1_node *pick = place->other_pick;
    struct theirs *slot = json1_has(pick, JSON1_PICK) ? &t->theirs[pick->pick_slot] : NULL;

    if (slot ? slot->is_cancelled : !json1_has(place->op_pick, JSON1_REMOVE)) {
        place->other_drop = NULL;
        place->removed = pick;
        return;
    }
    if (!slot)
        return;
    place->other_drop = slot->drop;
    if (!json1_moves_away(t, slot))
        return;
    if (!slot->held_drops)
        slot->held_drops = json1_new_tree(&t->builder);
    t->has_held_drops = true;
    place->out = slot->held_drops;
    place->removed = NULL;
}

static void edit_here(struct transform *t, const struct place *place)
{
    struct json1_edit edit = { .op = NULL };

    if (place->removed) {
        json1_set_conflict(t, CONFLICT_REMOVED, place->op_drop, NULL);
        return;
    }
    if (!json1_has(place->other_drop, JSON1_EDIT)) {
        json1_write_edit(&t->builder, place->out, &place->op_drop->edit);
        return;
    }
    t->r = json1_edit_transform(&place->op_drop->edit, &place->other_drop->edit, t->side, t->limits, &edit, t->error);
    if (t->r)
        return;
    json1_write_edit(&t->builder, place->out, &edit);
    json1_edit_release(&edit);
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* The children of a place, in step. */
struct children {
    const struct json1_node *op_pick, *other_drop; /* the next ones */
    struct json1_follower other_pick;
    int64_t n_op_drops, n_op_picks, n_other_drops;
    int64_t answer_shift; /* the answer's drops before, less its picks and what it takes from other's drops */
};

/* Whether a pick or remove of op stands in the answer as well, before the place. */
static bool is_pick_of_answer(const struct transform *t, const struct json1_node *pick)
{
    const struct mine *slot;

    if (pick->flags & JSON1_REMOVE)
        return !t->is_cancelled_remove[json1_index_in(t->op, pick)];
    slot = &t->mine[pick->pick_slot];
    return slot->written && (t->side == OT_RIGHT || !slot->is_both);
}

/* op's node where element `middle` of its middle was before. */
static const struct json1_node *pass_op_picks(const struct transform *t, struct children *children, int64_t middle,
                                              bool is_new)
{
    for (; children->op_pick && json1_is_index(&children->op_pick->key); children->op_pick = children->op_pick->next) {
        const struct json1_node *pick = children->op_pick;
        int64_t at = json1_index(pick) - children->n_op_picks;
        bool is_pick = json1_has(pick, JSON1_ANY_PICK);

        if (at > middle)
            return NULL;
        if (at == middle && (!is_pick || (t->side == OT_LEFT && is_new)))
            return pick;
        if (is_pick) {
            children->n_op_picks++;
            children->answer_shift -= is_pick_of_answer(t, pick);
        }
    }
    return NULL;
}

/* A drop or insert of other that lies before the place. */
static void count_other_drop(const struct transform *t, struct children *children, const struct json1_node *drop)
{
    children->n_other_drops++;
    if (drop->flags & JSON1_DROP) {
        const struct theirs *slot = &t->theirs[drop->drop_slot];

        children->answer_shift -= slot->is_cancelled || !json1_moves_away(t, slot);
    }
}

/* Other's node where element `middle` of its middle is afterwards. */
static const struct json1_node *pass_other_drops(const struct transform *t, struct children *children, int64_t middle,
                                                 bool is_new, bool other_picks)
{
    for (; children->other_drop && json1_is_index(&children->other_drop->key);
         children->other_drop = children->other_drop->next) {
        const struct json1_node *drop = children->other_drop;
        int64_t at = json1_index(drop) - children->n_other_drops;
        bool is_drop = json1_has(drop, JSON1_ANY_DROP);

        if (at > middle)
            return NULL;
        if (at == middle && (!is_drop || (t->side == OT_LEFT && is_new)))
            return drop;
        if (at == middle && t->side == OT_LEFT && other_picks)
            return NULL;
        if (is_drop)
            count_other_drop(t, children, drop);
    }
    return NULL;
}

static bool walk(struct transform *t, struct place place);

static void walk_index(struct transform *t, const struct place *place, struct children *children,
                       const struct json1_node *child)
{
    struct place inner = *place;
    bool is_new = child->flags & JSON1_ANY_DROP;
    int64_t middle = json1_index(child) - children->n_op_drops, before;

    inner.op_drop = child;
    inner.op_pick = pass_op_picks(t, children, middle, is_new);
    before = middle + children->n_op_picks;
    inner.other_pick = json1_follow_index(&children->other_pick, before);
    middle = before - children->other_pick.n_passed;
    inner.other_drop = pass_other_drops(t, children, middle, is_new, json1_has(inner.other_pick, JSON1_ANY_PICK));
    inner.out = json1_down_index(&t->builder, place->out, middle + children->n_other_drops + children->answer_shift);
    if (is_new) {
        inner.op_pick = inner.other_pick = inner.other_drop = NULL;
        children->n_op_drops++;
    }
    children->answer_shift += walk(t, inner);
}

/* ---- objects and the walk ---------------------------------------------------------------------------------------- */

static const struct json1_node *pass_to_key(const struct json1_node **child, const struct value *key)
{
    int c = -1;

    while (*child && (c = json1_key_compare(&(*child)->key, key)) < 0)
        *child = (*child)->next;
    return *child && c == 0 ? *child : NULL;
}

static void walk_key(struct transform *t, const struct place *place, struct children *children,
                     const struct json1_node *child)
{
    (void)walk(t, (struct place){ .op_drop = child,
                                  .op_pick = pass_to_key(&children->op_pick, &child->key),
                                  .other_pick = json1_follow_key(&children->other_pick, &child->key),
                                  .other_drop = pass_to_key(&children->other_drop, &child->key),
                                  .out = json1_down(&t->builder, place->out, &child->key),
                                  .removed = place->removed });
}

static void walk_children(struct transform *t, const struct place *place)
{
    struct children children = { .op_pick = place->op_pick ? place->op_pick->first : NULL,
                                 .other_drop = place->other_drop ? place->other_drop->first : NULL,
                                 .other_pick = json1_follow(place->other_pick, FOLLOW_RAW_PICKS) };

    /* What op does not write to matters only where other's moves are held. */
    for (const struct json1_node *child = place->op_drop->first; !t->r && child; child = child->next) {
        if (!(child->flags & JSON1_DROPS_BELOW) && !json1_has(place->other_pick, JSON1_PICKS_BELOW))
            continue;
        if (json1_is_index(&child->key))
            walk_index(t, place, &children, child);
        else
            walk_key(t, place, &children, child);
    }
}

/* Whether it wrote a drop or insert at the place itself. */
static bool walk(struct transform *t, struct place place)
{
    bool is_new = place.op_drop->flags & JSON1_ANY_DROP, wrote = false;

    if (is_new)
        wrote = drop_here(t, &place);
    else if (json1_has(place.op_pick, JSON1_ANY_PICK))
        place.op_pick = place.other_pick = place.other_drop = NULL;
    if (json1_has(place.other_pick, JSON1_ANY_PICK))
        follow_other(t, &place);
    else if (!is_new && json1_has(place.other_drop, JSON1_ANY_DROP))
        place.other_drop = NULL;
    if (!t->r && (place.op_drop->flags & JSON1_EDIT))
        edit_here(t, &place);
    if (!t->r)
        walk_children(t, &place);
    return wrote;
}

void json1_transform_drops(struct transform *t)
{
    const struct json1_node *op = t->op->nodes, *other = t->other->nodes;

    if ((op->flags & JSON1_DROPS_BELOW) || (other->flags & JSON1_PICKS_BELOW))
        (void)walk(t, (struct place){ op, op, other, other, t->answer, NULL });
}
