#include "ot/json1/json1.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>

/* Inverting: what is picked is dropped and the other way round, at the same places, which change sides with it. Edits
 * have to be carried back to where their value was before. What was inserted and then edited goes as it was in the end.
 */

/* A slot of the operation. */
struct held {
    const struct json1_node *pick;
    struct json1_node *edits; /* inverted ones inside the value, by places before; NULL: none */
};

struct inverting {
    const struct json1_op *op;
    struct ot_error *error;
    int r;
    struct json1_builder builder;
    struct held *held;
    bool *is_carried; /* by index of the node: its edit is not of an inserted value */
    bool has_carried;
};

/* ---- turning round ----------------------------------------------------------------------------------------------- */

/* *literal: the inserted value around, as far as it lies here; NONE: none. True: edits changed it. */
static bool turn(struct inverting *inverting, const struct json1_node *node, struct json1_node *out,
                 struct value *literal);

static void turn_component(struct inverting *inverting, const struct json1_node *node, struct json1_node *out)
{
    if (node->flags & JSON1_PICK) {
        json1_write_drop(&inverting->builder, out, node->pick_slot);
        inverting->held[node->pick_slot].pick = node;
    }
    if (node->flags & JSON1_REMOVE)
        json1_write_insert(&inverting->builder, out, &node->removed);
    if (node->flags & JSON1_DROP)
        json1_write_pick(&inverting->builder, out, node->drop_slot);
}

static bool turn_edit(struct inverting *inverting, const struct json1_node *node, struct value *literal)
{
    if (literal->kind == VALUE_NONE) {
        inverting->is_carried[json1_index_in(inverting->op, node)] = true;
        inverting->has_carried = true;
        return false;
    }
    inverting->r = json1_edit_apply(&node->edit, literal, &ot_limits_default, inverting->error);
    return true;
}

static void turn_child(struct inverting *inverting, const struct json1_node *child, struct json1_node *out,
                       struct value *literal, int64_t shift, bool *is_changed)
{
    size_t i = 0;
    struct value part = json1_part(literal, &child->key, shift, &i);

    if (turn(inverting, child, json1_down(&inverting->builder, out, &child->key), &part) && !inverting->r) {
        inverting->r = json1_replace_part(literal, i, &part);
        *is_changed = true;
    }
    value_release(&part);
}

static bool turn(struct inverting *inverting, const struct json1_node *node, struct json1_node *out,
                 struct value *literal)
{
    bool is_changed = false;
    int64_t n_dropped = 0;

    turn_component(inverting, node, out);
    if (node->flags & JSON1_ANY_DROP) {
        value_release(literal);
        *literal = node->flags & JSON1_INSERT ? value_share(&node->inserted) : value_of_kind(VALUE_NONE);
    }
    if (node->flags & JSON1_EDIT)
        is_changed = turn_edit(inverting, node, literal);
    for (const struct json1_node *child = node->first; !inverting->r && child; child = child->next) {
        turn_child(inverting, child, out, literal, -n_dropped, &is_changed);
        if (json1_is_index(&child->key))
            n_dropped += json1_has(child, JSON1_ANY_DROP);
    }
    if (!(node->flags & JSON1_ANY_DROP))
        return is_changed;
    if (node->flags & JSON1_INSERT)
        json1_write_remove(&inverting->builder, out, literal);
    return false;
}

/* ---- carrying edits back ----------------------------------------------------------------------------------------- */

/* A place after the operation, what was picked where it comes from, and where to write by places before. */
struct place {
    const struct json1_node *pick, *drop;
    struct json1_node *out;
};

static void carry_edit(struct inverting *inverting, const struct place *place)
{
    struct json1_edit edit = { .op = NULL };

    inverting->r = json1_edit_invert(&place->drop->edit, &edit, inverting->error);
    if (inverting->r)
        return;
    json1_write_edit(&inverting->builder, place->out, &edit);
    json1_edit_release(&edit);
}

static void carry(struct inverting *inverting, struct place place)
{
    struct json1_follower picks;
    int64_t n_dropped = 0;

    if (place.drop->flags & JSON1_DROP) {
        struct held *held = &inverting->held[place.drop->drop_slot];

        place.pick = held->pick;
        place.out = held->edits = json1_new_tree(&inverting->builder);
    }
    if ((place.drop->flags & JSON1_EDIT) && inverting->is_carried[json1_index_in(inverting->op, place.drop)])
        carry_edit(inverting, &place);
    picks = json1_follow(place.pick, FOLLOW_MIDDLE_PICKS);
    for (const struct json1_node *child = place.drop->first; !inverting->r && child; child = child->next) {
        struct place inner = { .drop = child };

        if (json1_is_index(&child->key)) {
            int64_t middle = json1_index(child) - n_dropped;

            inner.pick = json1_follow_index(&picks, middle);
            inner.out = json1_down_index(&inverting->builder, place.out, middle + picks.n_passed);
            n_dropped += json1_has(child, JSON1_ANY_DROP);
        } else {
            inner.pick = json1_follow_key(&picks, &child->key);
            inner.out = json1_down(&inverting->builder, place.out, &child->key);
        }
        carry(inverting, inner);
    }
}

/* Edits inside what was moved are laid where it was picked. */
static void lay(struct inverting *inverting, const struct json1_node *node, struct json1_node *out)
{
    if ((node->flags & JSON1_PICK) && inverting->held[node->pick_slot].edits)
        json1_merge(&inverting->builder, out, inverting->held[node->pick_slot].edits);
    for (const struct json1_node *child = node->first; child; child = child->next) {
        if (child->flags & JSON1_PICKS_BELOW)
            lay(inverting, child, json1_down(&inverting->builder, out, &child->key));
    }
}

/* ---- invert ------------------------------------------------------------------------------------------------------ */

static struct json1_node *run(struct inverting *inverting)
{
    const struct json1_node *root = inverting->op->nodes;
    struct json1_node *out = json1_new_tree(&inverting->builder);
    struct value literal = value_of_kind(VALUE_NONE);

    (void)turn(inverting, root, out, &literal);
    value_release(&literal);
    if (inverting->r || !inverting->has_carried)
        return out;
    carry(inverting, (struct place){ root, root, out });
    if (!inverting->r && !inverting->builder.r)
        lay(inverting, root, out);
    return out;
}

int json1_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    struct inverting inverting = { .op = json1_op_of(op), .error = error };
    struct json1_node *tree = NULL;

    if (!inverting.op->n_nodes) {
        *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
        return 0;
    }
    json1_builder_init(&inverting.builder);
    inverting.held = calloc(inverting.op->n_slots + 1, sizeof(*inverting.held));
    inverting.is_carried = calloc(inverting.op->n_nodes, sizeof(*inverting.is_carried));
    if (!inverting.held || !inverting.is_carried)
        inverting.r = -ENOMEM;
    else
        tree = run(&inverting);
    if (inverting.r)
        json1_builder_finish(&inverting.builder);
    else
        inverting.r = json1_finish(&inverting.builder, tree, NULL, out, error);
    free(inverting.held);
    free(inverting.is_carried);
    return inverting.r;
}
