#include "ot/json1/json1_transform.h"

#include <errno.h>
#include <stdlib.h>

/* Transforming, phases 5 and 6: what was written inside the values that other moves gets its place. */

/* ---- 5: what was picked there ------------------------------------------------------------------------------------ */

/* `out`: the same place, after other, in the answer. A cancelled move leaves its value where other put it: it goes. */
static void lay_picks(struct transform *t, const struct json1_node *other, struct json1_node *out)
{
    if (other->flags & JSON1_DROP) {
        const struct theirs *slot = &t->theirs[other->drop_slot];

        if (slot->is_cancelled && !slot->is_discarded)
            json1_write_remove_true(&t->builder, out);
        if (slot->held_picks)
            json1_merge(&t->builder, out, slot->held_picks);
    }
    for (const struct json1_node *child = other->first; child; child = child->next) {
        if (child->flags & JSON1_DROPS_BELOW)
            lay_picks(t, child, json1_down(&t->builder, out, &child->key));
    }
}

/* ---- 6: what was dropped there ----------------------------------------------------------------------------------- */

static void find_drops(struct transform *t, const struct json1_node *tree)
{
    if (tree->flags & JSON1_DROP)
        t->answers[tree->drop_slot].drop = tree;
    for (const struct json1_node *child = tree->first; child; child = child->next)
        find_drops(t, child);
}

/* The answer is walked as phase 5 left it, while it is written to. */
static void mark_answer(struct transform *t)
{
    json1_mark_seen(t->answer);
    find_drops(t, t->answer);
    for (size_t i = 0; i < t->other->n_slots; i++) {
        if (t->theirs[i].held_drops) {
            json1_mark_seen(t->theirs[i].held_drops);
            find_drops(t, t->theirs[i].held_drops);
        }
    }
}

struct late_place {
    const struct json1_node *other;               /* as a drop */
    const struct json1_node *out_pick, *out_drop; /* of the answer */
    struct json1_node *out;
};

static void follow_answer(struct transform *t, struct late_place *place)
{
    unsigned picks = place->out_pick ? json1_seen_flags(place->out_pick) : 0;
    unsigned drops = place->out_drop ? json1_seen_flags(place->out_drop) : 0;

    if (picks & JSON1_PICK) {
        struct answer *slot = &t->answers[place->out_pick->pick_slot];

        place->out_drop = slot->drop;
        place->out = slot->late = json1_new_tree(&t->builder);
        t->has_late = true;
    } else if ((picks & JSON1_REMOVE) || (drops & JSON1_ANY_DROP)) {
        place->out_drop = NULL;
    }
}

static void lay_drops(struct transform *t, struct late_place place)
{
    struct json1_follower picks, drops;
    const struct json1_node *held =
        place.other->flags & JSON1_DROP ? t->theirs[place.other->drop_slot].held_drops : NULL;

    follow_answer(t, &place);
    if (held) {
        json1_merge(&t->builder, place.out, held);
        place.out_drop = held;
    }
    picks = json1_follow(place.out_pick, FOLLOW_RAW_PICKS);
    drops = json1_follow(place.out_drop, FOLLOW_MIDDLE_DROPS);
    picks.only_seen = drops.only_seen = true;
    for (const struct json1_node *child = place.other->first; child; child = child->next) {
        struct late_place inner = { .other = child, .out_pick = json1_follow_key(&picks, &child->key) };

        if (json1_is_index(&child->key)) {
            int64_t middle = json1_index(child) - picks.n_passed;

            inner.out_drop = json1_follow_index(&drops, middle);
            inner.out = json1_down_index(&t->builder, place.out, middle + drops.n_passed);
        } else {
            inner.out_drop = json1_follow_key(&drops, &child->key);
            inner.out = json1_down(&t->builder, place.out, &child->key);
        }
        lay_drops(t, inner);
    }
}

/* Merges each late tree where the answer, as it was when the walk began, drops its slot. */
static void lay_late(struct transform *t, struct json1_node *out)
{
    if (json1_seen_flags(out) & JSON1_DROP) {
        struct answer *slot = &t->answers[out->drop_slot];

        if (slot->late)
            json1_merge(&t->builder, out, slot->late);
        slot->late = NULL;
    }
    for (struct json1_node *child = out->first; child; child = child->next) {
        if (child->seen & JSON1_SEEN_NODE)
            lay_late(t, child);
    }
}

/* ---- what can't be laid ------------------------------------------------------------------------------------------ */

static void mark_cycle(struct transform *t, const struct json1_node *late, bool *is_in_cycle)
{
    if (late->flags & JSON1_DROP) {
        uint32_t slot = t->answers[late->drop_slot].slot_of_op;

        is_in_cycle[slot] = true;
        t->conflict->are_mine[json1_index_in(t->op, t->mine[slot].drop)] = true;
        t->conflict->mine = t->mine[slot].drop;
    }
    for (const struct json1_node *child = late->first; child; child = child->next)
        mark_cycle(t, child, is_in_cycle);
}

static int set_cycle(struct transform *t)
{
    bool *is_in_cycle = calloc(t->op->n_slots + 1, sizeof(*is_in_cycle));
    struct json1_conflict *conflict = t->conflict;

    conflict->are_mine = calloc(t->op->n_nodes, sizeof(*conflict->are_mine));
    conflict->are_theirs = calloc(t->other->n_nodes, sizeof(*conflict->are_theirs));
    if (!is_in_cycle || !conflict->are_mine || !conflict->are_theirs) {
        free(is_in_cycle);
        return -ENOMEM;
    }
    conflict->kind = CONFLICT_CYCLE;
    for (size_t i = 0; i < t->n_answer_slots; i++) {
        if (t->answers[i].late)
            mark_cycle(t, t->answers[i].late, is_in_cycle);
    }
    for (size_t i = 0; i < t->other->n_slots; i++) {
        const struct theirs *slot = &t->theirs[i];

        if (slot->inside != JSON1_NO_SLOT && is_in_cycle[slot->inside] && !slot->is_cancelled &&
            json1_moves_away(t, slot))
            conflict->are_theirs[json1_index_in(t->other, slot->drop)] = true;
    }
    free(is_in_cycle);
    return OT_CONFLICT;
}

static void finish_late(struct transform *t)
{
    bool is_left = false;

    for (size_t i = 0; i < t->n_answer_slots; i++) {
        if (t->answers[i].late && !json1_is_live(t->answers[i].late))
            t->answers[i].late = NULL;
    }
    json1_mark_seen(t->answer);
    lay_late(t, t->answer);
    for (size_t i = 0; i < t->n_answer_slots; i++)
        is_left |= t->answers[i].late != NULL;
    if (is_left)
        t->r = set_cycle(t);
}

void json1_transform_late(struct transform *t)
{
    const struct json1_node *other = t->other->nodes;

    if (t->has_cancelled || t->has_held_picks)
        lay_picks(t, other, t->answer);
    if (!t->builder.r && (t->has_cancelled || t->has_held_drops)) {
        mark_answer(t);
        lay_drops(t, (struct late_place){ other, t->answer, t->answer, t->answer });
    }
    if (!t->builder.r && t->has_late)
        finish_late(t);
}
