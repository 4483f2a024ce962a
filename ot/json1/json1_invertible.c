#include "ot/json1/json1.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>

/* Making an operation hold what it takes away: removed values, and the text that edits delete. */

/* A slot of the operation. */
struct held {
    const struct json1_node *pick;
    struct value value; /* as it was before picks inside it */
};

struct filling {
    struct ot_error *error;
    int r;
    struct json1_builder builder;
    struct held *held;
};

static bool needs_filling(const struct json1_op *op)
{
    for (size_t i = 0; i < op->n_nodes; i++) {
        if ((op->nodes[i].flags & JSON1_REMOVE) || op->nodes[i].edit.op)
            return true;
    }
    return false;
}

/* What stays as it is. */
static void copy(struct filling *filling, const struct json1_node *node, struct json1_node *out)
{
    if (node->flags & JSON1_PICK)
        json1_write_pick(&filling->builder, out, node->pick_slot);
    if (node->flags & JSON1_DROP)
        json1_write_drop(&filling->builder, out, node->drop_slot);
    if (node->flags & JSON1_INSERT)
        json1_write_insert(&filling->builder, out, &node->inserted);
    if ((node->flags & JSON1_EDIT) && !node->edit.op)
        json1_write_edit(&filling->builder, out, &node->edit);
    for (const struct json1_node *child = node->first; child; child = child->next)
        copy(filling, child, json1_down(&filling->builder, out, &child->key));
}

/* ---- removed values ---------------------------------------------------------------------------------------------- */

/* *here: the value at the node, or NONE; becomes what picks and removes leave of it. True: they changed it. */
static bool fill_removes(struct filling *filling, const struct json1_node *node, struct json1_node *out,
                         struct value *here)
{
    bool is_changed = false;
    int64_t n_taken = 0;

    if (node->flags & JSON1_PICK)
        filling->held[node->pick_slot] = (struct held){ node, value_share(here) };
    for (const struct json1_node *child = node->first; !filling->r && child; child = child->next) {
        struct value part;
        size_t i = 0;

        if (!(child->flags & JSON1_PICKS_BELOW))
            continue;
        part = json1_part(here, &child->key, -n_taken, &i);
        if (fill_removes(filling, child, json1_down(&filling->builder, out, &child->key), &part) && !filling->r) {
            n_taken += part.kind == VALUE_NONE && here->kind == VALUE_LIST;
            filling->r = json1_replace_part(here, i, &part);
            is_changed = true;
        }
        value_release(&part);
    }
    if (node->flags & JSON1_REMOVE)
        json1_write_remove(&filling->builder, out, here);
    if (!(node->flags & JSON1_ANY_PICK))
        return is_changed;
    value_release(here);
    return true;
}

/* ---- deleted text ------------------------------------------------------------------------------------------------ */

/* A place after the operation, what was picked where it comes from, and the value there: as it was before, or in an
 * inserted literal. NULL: none. */
struct place {
    const struct json1_node *pick, *drop;
    const struct value *value;
    bool is_literal;
};

static void fill_edit(struct filling *filling, const struct place *place, struct json1_node *out)
{
    struct json1_edit edit = { .op = NULL };

    filling->r = json1_edit_make_invertible(&place->drop->edit, place->value, &edit, filling->error);
    if (filling->r)
        return;
    json1_write_edit_even_empty(&filling->builder, out, &edit);
    json1_edit_release(&edit);
}

static const struct value *value_below(const struct value *value, const struct value *key)
{
    size_t i = 0;

    return value && json1_find(value, key, 0, &i) ? value_at(value, i) : NULL;
}

static void fill_edits(struct filling *filling, struct place place, struct json1_node *out)
{
    struct json1_follower picks;
    int64_t n_dropped = 0;

    if (place.drop->flags & JSON1_INSERT) {
        place = (struct place){ NULL, place.drop, &place.drop->inserted, true };
    } else if (place.drop->flags & JSON1_DROP) {
        const struct held *held = &filling->held[place.drop->drop_slot];

        place = (struct place){ held->pick, place.drop, &held->value, false };
    }
    if (place.drop->edit.op)
        fill_edit(filling, &place, out);
    picks = json1_follow(place.pick, FOLLOW_MIDDLE_PICKS);
    for (const struct json1_node *child = place.drop->first; !filling->r && child; child = child->next) {
        struct place inner = { .drop = child, .is_literal = place.is_literal };
        struct value key = child->key;

        if (json1_is_index(&key)) {
            int64_t middle = json1_index(child) - n_dropped;

            inner.pick = json1_follow_index(&picks, middle);
            key = json1_index_key(middle + (place.is_literal ? 0 : picks.n_passed));
            n_dropped += json1_has(child, JSON1_ANY_DROP);
        } else {
            inner.pick = json1_follow_key(&picks, &key);
        }
        inner.value = value_below(place.value, &key);
        if (child->flags & JSON1_DROPS_BELOW)
            fill_edits(filling, inner, json1_down(&filling->builder, out, &child->key));
    }
}

/* ---- make invertible --------------------------------------------------------------------------------------------- */

static int fill(const struct json1_op *op, const struct value *document, struct held *held, struct ot_op **out,
                struct ot_error *error)
{
    struct filling filling = { .error = error, .held = held };
    struct value here = value_share(document);
    struct json1_node *tree;

    json1_builder_init(&filling.builder);
    tree = json1_new_tree(&filling.builder);
    copy(&filling, op->nodes, tree);
    (void)fill_removes(&filling, op->nodes, tree, &here);
    value_release(&here);
    if (!filling.r)
        fill_edits(&filling, (struct place){ op->nodes, op->nodes, document, false }, tree);
    if (filling.r)
        json1_builder_finish(&filling.builder);
    else
        filling.r = json1_finish(&filling.builder, tree, NULL, out, error);
    return filling.r;
}

/* Whether the operation applies: everything after can rely on it. */
static int check_fits(const struct json1_op *op, const struct value *document, struct ot_error *error)
{
    static const struct ot_limits no_limits = { SIZE_MAX, SIZE_MAX, ROPE_MAX_BYTES / 2 };
    struct value after = value_share(document);
    size_t n_bytes = 0;
    int r = json1_apply(op, &after, &n_bytes, &no_limits, error);

    value_release(&after);
    return r;
}

int json1_make_invertible_on(const struct ot_op *op, const struct value *document, struct ot_op **out,
                             struct ot_error *error)
{
    const struct json1_op *mine = json1_op_of(op);
    struct held *held;
    int r = check_fits(mine, document, error);

    if (r)
        return r;
    if (!needs_filling(mine)) {
        *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
        return 0;
    }
    held = calloc(mine->n_slots + 1, sizeof(*held));
    if (!held)
        return -ENOMEM;
    r = fill(mine, document, held, out, error);
    for (size_t i = 0; i < mine->n_slots; i++)
        value_release(&held[i].value);
    free(held);
    return r;
}
