#include "ot/error.h"
#include "ot/json/json_node.h"
#include "ot/json1/json1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* From a tree in a builder to an operation: counted, checked, and moved into one block. */

struct sizes {
    size_t n_nodes, n_components, n_picks, n_drops;
    size_t depth;
    bool has_far_index; /* beyond the largest that an operation may name */
};

/* Measures the live nodes, and leaves the others out of the tree. Returns the flags of all. */
static unsigned measure(struct json1_node *node, size_t depth, struct sizes *sizes)
{
    struct json1_node **link = &node->first;
    unsigned flags = node->flags & JSON1_COMPONENT;

    sizes->n_nodes++;
    sizes->n_components += flags != 0;
    sizes->n_picks += json1_has(node, JSON1_PICK);
    sizes->n_drops += json1_has(node, JSON1_DROP);
    if (json1_is_index(&node->key) && node->key.number > JSON1_MAX_INDEX)
        sizes->has_far_index = true;
    while (*link) {
        struct sizes before = *sizes;
        unsigned below = measure(*link, depth + 1, sizes);

        if (below) {
            link = &(*link)->next;
        } else {
            *sizes = before;
            *link = (*link)->next;
        }
        flags |= below;
    }
    if (depth > sizes->depth)
        sizes->depth = depth;
    node->flags = (uint8_t)((node->flags & JSON1_COMPONENT) | (flags & JSON1_ANY_PICK ? JSON1_PICKS_BELOW : 0) |
                            (flags & (JSON1_ANY_DROP | JSON1_EDIT) ? JSON1_DROPS_BELOW : 0));
    return flags;
}

static int check_sizes(const struct sizes *sizes, const struct ot_limits *limits, struct ot_error *error)
{
    size_t max_depth = limits && limits->max_depth < OT_DEPTH_CEILING ? limits->max_depth : OT_DEPTH_CEILING;

    if (sizes->depth > max_depth)
        return ot_fail(error, OT_LIMIT, "paths of more than %zu keys", max_depth);
    if (limits && sizes->n_components > limits->max_components)
        return ot_fail(error, OT_LIMIT, "more than %zu components", limits->max_components);
    if (sizes->has_far_index)
        return ot_fail(error, OT_LIMIT, "an index of more than 2^31-1");
    if (sizes->n_nodes > UINT32_MAX / sizeof(struct json1_node))
        return ot_fail(error, OT_LIMIT, "an operation of too many parts");
    return 0;
}

/* ---- moving into the block --------------------------------------------------------------------------------------- */

static struct json1_node *move_into(struct json1_op *op, struct json1_node *from, struct json1_node *parent)
{
    struct json1_node *node = &op->nodes[op->n_nodes++], **link = &node->first;

    *node = *from;
    from->key = from->removed = from->inserted = value_of_kind(VALUE_NONE);
    from->edit.op = NULL;
    node->parent = parent;
    node->first = node->next = node->last_met = NULL;
    node->seen = 0;
    for (struct json1_node *child = from->first; child; child = child->next) {
        *link = move_into(op, child, node);
        link = &(*link)->next;
    }
    return node;
}

/* Slots are 0, 1, 2..., each picked once and dropped once. marks: 2 * n_slots, false. */
static bool slots_match(const struct json1_op *op, bool *marks)
{
    for (size_t i = 0; i < op->n_nodes; i++) {
        const struct json1_node *node = &op->nodes[i];
        bool is_picked = node->flags & JSON1_PICK, is_dropped = node->flags & JSON1_DROP;

        if ((is_picked && (node->pick_slot >= op->n_slots || marks[2 * node->pick_slot])) ||
            (is_dropped && (node->drop_slot >= op->n_slots || marks[2 * node->drop_slot + 1])))
            return false;
        if (is_picked)
            marks[2 * node->pick_slot] = true;
        if (is_dropped)
            marks[2 * node->drop_slot + 1] = true;
    }
    return true;
}

static int check_slots(const struct json1_op *op, const struct sizes *sizes, struct ot_error *error)
{
    bool first_marks[64] = { false }, *marks = first_marks, is_right;

    if (sizes->n_picks == sizes->n_drops && !sizes->n_picks)
        return 0;
    if (2 * sizes->n_picks > sizeof(first_marks))
        marks = calloc(2 * sizes->n_picks, sizeof(*marks));
    if (!marks)
        return -ENOMEM;
    is_right = sizes->n_picks == sizes->n_drops && slots_match(op, marks);
    if (marks != first_marks)
        free(marks);
    return is_right ? 0 : ot_fail(error, OT_NOT_APPLIED, "slots are not 0, 1, 2..., each with one p and one d");
}

static int make_op(struct json1_node *tree, const struct sizes *sizes, struct ot_op **out, struct ot_error *error)
{
    size_t n_nodes = sizes->n_components ? sizes->n_nodes : 0;
    struct json1_op *op = malloc(sizeof(*op) + n_nodes * sizeof(op->nodes[0]));
    int r;

    if (!op)
        return -ENOMEM;
    op->base = (struct ot_op){ .type = &json1, .n_references = 1 };
    op->n_nodes = 0;
    op->n_slots = (uint32_t)sizes->n_picks;
    if (n_nodes)
        (void)move_into(op, tree, NULL);
    r = check_slots(op, sizes, error);
    if (r)
        ot_op_unref(&op->base);
    else
        *out = &op->base;
    return r;
}

int json1_finish(struct json1_builder *builder, struct json1_node *tree, const struct ot_limits *limits,
                 struct ot_op **out, struct ot_error *error)
{
    struct sizes sizes = { .depth = 0 };
    int r = builder->r;

    if (r == OT_NOT_APPLIED)
        (void)ot_fail(error, r, "the operations do not fit together");
    if (!r) {
        (void)measure(tree, 0, &sizes);
        r = check_sizes(&sizes, limits, error);
    }
    if (!r)
        r = make_op(tree, &sizes, out, error);
    json1_builder_finish(builder);
    return r;
}
