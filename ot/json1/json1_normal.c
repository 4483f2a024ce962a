#include "ot/json1/json1.h"

#include <errno.h>
#include <stdlib.h>

/* Normal form: slots are numbered in the order in which a walk meets them, picks before drops, and edits of text that
 * do nothing are left out. Nodes stand in the order of that walk. */

static uint32_t renumber(uint32_t *slots, uint32_t *n_met, uint32_t slot)
{
    if (slots[slot] == JSON1_NO_SLOT)
        slots[slot] = (*n_met)++;
    return slots[slot];
}

static bool is_normal(const struct json1_op *op, uint32_t *slots)
{
    uint32_t n_met = 0;

    for (size_t i = 0; i < op->n_nodes; i++) {
        const struct json1_node *node = &op->nodes[i];

        if ((node->flags & JSON1_PICK) && renumber(slots, &n_met, node->pick_slot) != node->pick_slot)
            return false;
        if ((node->flags & JSON1_DROP) && renumber(slots, &n_met, node->drop_slot) != node->drop_slot)
            return false;
        if ((node->flags & JSON1_EDIT) && json1_edit_is_empty(&node->edit))
            return false;
    }
    return true;
}

struct normalizing {
    struct json1_builder builder;
    uint32_t *slots, n_met;
};

static void write_normal(struct normalizing *normalizing, const struct json1_node *node, struct json1_node *out)
{
    struct json1_builder *builder = &normalizing->builder;

    if (node->flags & JSON1_REMOVE)
        json1_write_remove(builder, out, &node->removed);
    if (node->flags & JSON1_PICK)
        json1_write_pick(builder, out, renumber(normalizing->slots, &normalizing->n_met, node->pick_slot));
    if (node->flags & JSON1_INSERT)
        json1_write_insert(builder, out, &node->inserted);
    if (node->flags & JSON1_DROP)
        json1_write_drop(builder, out, renumber(normalizing->slots, &normalizing->n_met, node->drop_slot));
    if (node->flags & JSON1_EDIT)
        json1_write_edit(builder, out, &node->edit);
    for (const struct json1_node *child = node->first; child; child = child->next)
        write_normal(normalizing, child, json1_down(builder, out, &child->key));
}

static void forget(uint32_t *slots, size_t n_slots)
{
    for (size_t i = 0; i < n_slots; i++)
        slots[i] = JSON1_NO_SLOT;
}

static int normalize(const struct json1_op *op, uint32_t *slots, struct ot_op **out, struct ot_error *error)
{
    struct normalizing normalizing = { .slots = slots };
    struct json1_node *tree;

    json1_builder_init(&normalizing.builder);
    tree = json1_new_tree(&normalizing.builder);
    write_normal(&normalizing, op->nodes, tree);
    return json1_finish(&normalizing.builder, tree, NULL, out, error);
}

int json1_normalized(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    const struct json1_op *mine = json1_op_of(op);
    uint32_t *slots = malloc((mine->n_slots + 1) * sizeof(*slots));
    int r = 0;

    if (!slots)
        return -ENOMEM;
    forget(slots, mine->n_slots);
    if (is_normal(mine, slots)) {
        *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
    } else {
        forget(slots, mine->n_slots);
        r = normalize(mine, slots, out, error);
    }
    free(slots);
    return r;
}
