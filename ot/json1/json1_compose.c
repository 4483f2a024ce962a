#include "ot/json1/json1.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Composing. The walk goes through the document between the two operations, where the first has dropped and the second
 * picks; from there it knows what the first picked (its places are before both) and where the second drops (after
 * both). What the first inserts, the second changes in the literal itself. Afterwards the picks of the first and the
 * drops of the second are laid over what the walk wrote. */

/* A slot of the first or of the second operation. */
struct joint {
    const struct json1_node *end; /* first: its pick. second: its drop */
    struct json1_node *held;      /* what the walk wrote below that end */
    uint32_t slot;                /* of the result, or JSON1_NO_SLOT */
};

struct composing {
    const struct json1_op *first, *second;
    const struct ot_limits *limits;
    struct ot_error *error;
    int r;
    struct json1_builder builder;
    struct joint *firsts, *seconds;
    bool *is_edit_done; /* by index of second's node */
    uint32_t n_slots;
};

/* A place between the two operations. */
struct place {
    const struct json1_node *pick1, *drop1, *pick2, *drop2;
    struct json1_node *before, *after; /* where to write, in places before and after both */
    bool is_removed;                   /* second removes something around it */
};

static bool is_insert(const struct place *place)
{
    return json1_has(place->drop1, JSON1_INSERT);
}

static bool is_moved_twice(const struct place *place)
{
    return json1_has(place->pick2, JSON1_PICK);
}

static bool is_removed_here(const struct place *place)
{
    return json1_has(place->pick2, JSON1_REMOVE);
}

/* Whether what is below goes, too. */
static bool is_removed_below(const struct place *place)
{
    return (place->is_removed || is_removed_here(place)) && !is_moved_twice(place);
}

/* ---- at one place ------------------------------------------------------------------------------------------------ */

static void follow_second(struct composing *c, struct place *place)
{
    if (is_moved_twice(place)) {
        struct joint *joint = &c->seconds[place->pick2->pick_slot];

        place->drop2 = joint->end;
        place->after = joint->held = json1_new_tree(&c->builder);
    } else if (is_removed_here(place) || json1_has(place->drop2, JSON1_DROP)) {
        place->drop2 = NULL;
    }
}

static void follow_first(struct composing *c, struct place *place)
{
    if (json1_has(place->drop1, JSON1_DROP)) {
        struct joint *joint = &c->firsts[place->drop1->drop_slot];

        place->pick1 = joint->end;
        place->before = joint->held = json1_new_tree(&c->builder);
        if (!is_removed_below(place)) {
            joint->slot = c->n_slots++;
            json1_write_drop(&c->builder, place->after, joint->slot);
        } else if (place->is_removed && !is_removed_here(place)) {
            json1_write_remove_true(&c->builder, place->before);
        }
    } else if (is_insert(place) || json1_has(place->pick1, JSON1_PICK)) {
        place->pick1 = NULL;
    }
}

/* What second picks or removes here, first did not insert. */
static void write_pick(struct composing *c, const struct place *place)
{
    if (is_moved_twice(place)) {
        struct joint *joint = &c->seconds[place->pick2->pick_slot];

        if (json1_has(place->drop1, JSON1_DROP))
            joint->slot = c->firsts[place->drop1->drop_slot].slot;
        else
            joint->slot = c->n_slots++;
        json1_write_pick(&c->builder, place->before, joint->slot);
    } else if (is_removed_here(place)) {
        json1_write_remove(&c->builder, place->before, &place->pick2->removed);
    }
}

static void write_composed_edit(struct composing *c, const struct place *place)
{
    struct json1_edit edit = { .op = NULL };

    c->r = json1_edit_compose(&place->drop1->edit, &place->drop2->edit, c->limits, &edit, c->error);
    if (c->r)
        return;
    json1_write_edit(&c->builder, place->after, &edit);
    json1_edit_release(&edit);
}

static void write_edit(struct composing *c, const struct place *place)
{
    bool is_first = json1_has(place->drop1, JSON1_EDIT) && !is_removed_below(place);
    bool is_second = json1_has(place->drop2, JSON1_EDIT);

    if (is_second)
        c->is_edit_done[json1_index_in(c->second, place->drop2)] = true;
    if (is_first && is_second)
        write_composed_edit(c, place);
    else if (is_first || is_second)
        json1_write_edit(&c->builder, place->after, is_first ? &place->drop1->edit : &place->drop2->edit);
}

/* ---- below ------------------------------------------------------------------------------------------------------- */

/* What the walk below a place keeps. */
struct children {
    struct json1_follower pick1, drop2;
    const struct json1_node *drop1, *pick2; /* the next ones; both name places between the operations */
    int64_t n_drops1, n_picks2;
    int64_t literal_shift;
    struct value *literal; /* NONE: there is none */
};

/* The next key of drop1's and pick2's children together. False: there are no more. */
static bool next_child(struct children *children, struct place *out)
{
    const struct json1_node *drop1 = children->drop1, *pick2 = children->pick2;
    int c = !drop1 ? 1 : !pick2 ? -1 : json1_key_compare(&drop1->key, &pick2->key);

    if (!drop1 && !pick2)
        return false;
    out->drop1 = c <= 0 ? drop1 : NULL;
    out->pick2 = c >= 0 ? pick2 : NULL;
    if (out->drop1)
        children->drop1 = drop1->next;
    if (out->pick2)
        children->pick2 = pick2->next;
    return true;
}

static bool walk(struct composing *c, struct place place, struct value *literal);

static void step_index(struct composing *c, const struct place *place, struct children *children, struct place *inner,
                       int64_t index)
{
    bool is_new = json1_has(inner->drop1, JSON1_ANY_DROP), is_picked = json1_has(inner->pick2, JSON1_ANY_PICK);
    int64_t middle1 = index - children->n_drops1, middle2 = index - children->n_picks2;

    inner->drop2 = json1_follow_index(&children->drop2, middle2);
    inner->after = json1_down_index(&c->builder, place->after, middle2 + children->drop2.n_passed);
    inner->pick1 = json1_follow_index(&children->pick1, middle1);
    inner->before = json1_down_index(&c->builder, place->before, middle1 + children->pick1.n_passed);
    if (is_new || (is_picked && !is_removed_below(place)))
        children->literal_shift--;
    children->n_drops1 += is_new;
    children->n_picks2 += is_picked;
}

static void step_key(struct composing *c, const struct place *place, struct children *children, struct place *inner,
                     const struct value *key)
{
    inner->drop2 = json1_follow_key(&children->drop2, key);
    inner->after = json1_down(&c->builder, place->after, key);
    inner->pick1 = json1_follow_key(&children->pick1, key);
    inner->before = json1_down(&c->builder, place->before, key);
}

/* Walks one child. Returns whether that changed the literal here. */
static bool step(struct composing *c, const struct place *place, struct children *children, struct place *inner)
{
    const struct value *key = inner->drop1 ? &inner->drop1->key : &inner->pick2->key;
    struct value part = value_of_kind(VALUE_NONE);
    bool is_changed;
    size_t i = 0;

    inner->is_removed = is_removed_below(place);
    if (!json1_has(inner->drop1, JSON1_ANY_DROP))
        part = json1_part(children->literal, key, children->literal_shift, &i);
    if (json1_is_index(key))
        step_index(c, place, children, inner, (int64_t)key->number);
    else
        step_key(c, place, children, inner, key);
    is_changed = walk(c, *inner, &part) && !inner->is_removed;
    if (is_changed && !c->r)
        c->r = json1_replace_part(children->literal, i, &part);
    value_release(&part);
    return is_changed;
}

static bool walk_children(struct composing *c, const struct place *place, struct value *literal)
{
    struct children children = { .pick1 = json1_follow(place->pick1, FOLLOW_MIDDLE_PICKS),
                                 .drop2 = json1_follow(place->drop2, FOLLOW_MIDDLE_DROPS),
                                 .drop1 = place->drop1 ? place->drop1->first : NULL,
                                 .pick2 = place->pick2 ? place->pick2->first : NULL,
                                 .literal = literal };
    bool is_changed = false;
    struct place inner;

    while (!c->r && !c->builder.r && next_child(&children, &inner)) {
        if (json1_has(inner.drop1, JSON1_DROPS_BELOW) || json1_has(inner.pick2, JSON1_PICKS_BELOW))
            is_changed |= step(c, place, &children, &inner);
    }
    return is_changed;
}

/* *literal: what first inserted that is here now, or NONE; becomes what is left of it. Returns whether it changed. */
static bool walk(struct composing *c, struct place place, struct value *literal)
{
    bool had_literal = literal->kind != VALUE_NONE, is_changed, is_moved = is_moved_twice(&place);
    bool is_left = !place.is_removed && !is_removed_here(&place);
    bool is_inserted;

    follow_second(c, &place);
    follow_first(c, &place);
    if (is_insert(&place)) {
        value_release(literal);
        *literal = value_share(&place.drop1->inserted);
    }
    is_inserted = is_moved ? literal->kind != VALUE_NONE : is_insert(&place) && is_left;
    if (literal->kind == VALUE_NONE)
        write_pick(c, &place);
    write_edit(c, &place);
    is_changed = walk_children(c, &place, literal);
    if (is_inserted)
        json1_write_insert(&c->builder, place.after, literal);
    if (is_inserted || is_moved || !is_left) {
        value_release(literal);
        return had_literal;
    }
    return is_changed;
}

/* ---- laying the rest over it ------------------------------------------------------------------------------------- */

static void lay_first(struct composing *c, const struct json1_node *first, struct json1_node *out)
{
    if (first->flags & JSON1_PICK) {
        const struct joint *joint = &c->firsts[first->pick_slot];

        if (joint->slot != JSON1_NO_SLOT)
            json1_write_pick(&c->builder, out, joint->slot);
        if (joint->held)
            json1_merge(&c->builder, out, joint->held);
    } else if (first->flags & JSON1_REMOVE) {
        json1_write_remove(&c->builder, out, &first->removed);
    }
    for (const struct json1_node *child = first->first; child; child = child->next) {
        if (child->flags & JSON1_PICKS_BELOW)
            lay_first(c, child, json1_down(&c->builder, out, &child->key));
    }
}

static void lay_second(struct composing *c, const struct json1_node *second, struct json1_node *out)
{
    if (second->flags & JSON1_DROP) {
        const struct joint *joint = &c->seconds[second->drop_slot];

        if (joint->slot != JSON1_NO_SLOT)
            json1_write_drop(&c->builder, out, joint->slot);
        if (joint->held)
            json1_merge(&c->builder, out, joint->held);
    } else if (second->flags & JSON1_INSERT) {
        json1_write_insert(&c->builder, out, &second->inserted);
    }
    if ((second->flags & JSON1_EDIT) && !c->is_edit_done[json1_index_in(c->second, second)])
        json1_write_edit(&c->builder, out, &second->edit);
    for (const struct json1_node *child = second->first; child; child = child->next) {
        if (child->flags & JSON1_DROPS_BELOW)
            lay_second(c, child, json1_down(&c->builder, out, &child->key));
    }
}

/* ---- compose ----------------------------------------------------------------------------------------------------- */

static void find_ends(struct composing *c)
{
    for (size_t i = 0; c->first->n_slots && i < c->first->n_nodes; i++) {
        const struct json1_node *node = &c->first->nodes[i];

        if (node->flags & JSON1_PICK)
            c->firsts[node->pick_slot] = (struct joint){ .end = node, .slot = JSON1_NO_SLOT };
    }
    for (size_t i = 0; c->second->n_slots && i < c->second->n_nodes; i++) {
        const struct json1_node *node = &c->second->nodes[i];

        if (node->flags & JSON1_DROP)
            c->seconds[node->drop_slot] = (struct joint){ .end = node, .slot = JSON1_NO_SLOT };
    }
}

/* All slots in one block, which is on the stack when it is small. */
static int prepare(struct composing *c, void *first, size_t n_first)
{
    size_t n_slots = (size_t)c->first->n_slots + c->second->n_slots;
    size_t n_bytes = n_slots * sizeof(*c->firsts) + c->second->n_nodes * sizeof(*c->is_edit_done);
    char *block = n_bytes <= n_first ? first : malloc(n_bytes);

    if (!block)
        return -ENOMEM;
    memset(block, 0, n_bytes);
    c->firsts = (struct joint *)(void *)block;
    c->seconds = c->firsts + c->first->n_slots;
    c->is_edit_done = (bool *)(c->firsts + n_slots);
    find_ends(c);
    return 0;
}

static struct json1_node *run(struct composing *c)
{
    const struct json1_node *first = c->first->nodes, *second = c->second->nodes;
    struct json1_node *after = json1_new_tree(&c->builder), *before = NULL;
    struct value literal = value_of_kind(VALUE_NONE);

    if (second->flags & JSON1_PICKS_BELOW) /* nothing else is written there */
        before = json1_new_tree(&c->builder);
    (void)walk(c, (struct place){ first, first, second, second, before, after, false }, &literal);
    value_release(&literal);
    if (c->r || c->builder.r)
        return after;
    if (before)
        json1_merge(&c->builder, after, before);
    lay_first(c, first, after);
    lay_second(c, second, after);
    return after;
}

/* But for the builder's nodes, which are set as they are used. */
static void init(struct composing *c, const struct json1_op *first, const struct json1_op *second)
{
    c->first = first;
    c->second = second;
    c->n_slots = 0;
    c->r = 0;
    json1_builder_init(&c->builder);
}

int json1_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                  struct ot_op **out, struct ot_error *error)
{
    uint64_t block[128]; /* aligned for all that prepare puts there */
    struct json1_node *result;
    struct composing c;

    if (!json1_op_of(first)->n_nodes || !json1_op_of(second)->n_nodes) {
        *out = ot_op_ref((struct ot_op *)(uintptr_t)(json1_op_of(first)->n_nodes ? first : second));
        return 0;
    }
    init(&c, json1_op_of(first), json1_op_of(second));
    c.limits = limits;
    c.error = error;
    c.r = prepare(&c, block, sizeof(block));
    if (c.r)
        return c.r;
    result = run(&c);
    if (c.r)
        json1_builder_finish(&c.builder);
    else
        c.r = json1_finish(&c.builder, result, limits, out, error);
    if ((void *)c.firsts != (void *)block)
        free(c.firsts);
    return c.r;
}
