#include "ot/json1/json1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Building trees: nodes come from chunks, and go all at once. */

struct json1_chunk {
    struct json1_chunk *next;
    size_t n_nodes; /* all in use, but in the newest */
    struct json1_node nodes[];
};

#define N_FIRST_NODES      (sizeof(((struct json1_builder *)NULL)->first_nodes) / sizeof(struct json1_node))
#define MAX_NODES_IN_CHUNK 1024

void json1_builder_init(struct json1_builder *builder)
{
    builder->r = 0;
    builder->chunks = NULL;
    builder->next = builder->first_nodes;
    builder->end = builder->first_nodes + N_FIRST_NODES;
}

static void release_nodes(struct json1_node *nodes, const struct json1_node *end)
{
    for (struct json1_node *node = nodes; node < end; node++)
        json1_node_release(node);
}

void json1_builder_finish(struct json1_builder *builder)
{
    const struct json1_node *end = builder->next;

    while (builder->chunks) {
        struct json1_chunk *chunk = builder->chunks, *older = chunk->next;

        release_nodes(chunk->nodes, end);
        end = older ? older->nodes + older->n_nodes : builder->first_nodes + N_FIRST_NODES;
        builder->chunks = older;
        free(chunk);
    }
    release_nodes(builder->first_nodes, end);
    builder->next = builder->first_nodes;
}

static int add_chunk(struct json1_builder *builder)
{
    size_t n_nodes = builder->chunks ? 2 * builder->chunks->n_nodes : 2 * N_FIRST_NODES;
    struct json1_chunk *chunk;

    if (n_nodes > MAX_NODES_IN_CHUNK)
        n_nodes = MAX_NODES_IN_CHUNK;
    chunk = malloc(sizeof(*chunk) + n_nodes * sizeof(chunk->nodes[0]));
    if (!chunk)
        return -ENOMEM;
    chunk->next = builder->chunks;
    chunk->n_nodes = n_nodes;
    builder->chunks = chunk;
    builder->next = chunk->nodes;
    builder->end = chunk->nodes + n_nodes;
    return 0;
}

struct json1_node *json1_new_tree(struct json1_builder *builder)
{
    struct json1_node *node;

    if (!builder->r && builder->next == builder->end)
        builder->r = add_chunk(builder);
    if (builder->r)
        return NULL;
    node = builder->next++;
    memset(node, 0, sizeof(*node));
    return node;
}

/* ---- going down -------------------------------------------------------------------------------------------------- */

static struct json1_node *add_child(struct json1_builder *builder, struct json1_node *parent, struct json1_node *before,
                                    const struct value *key)
{
    struct json1_node *child = json1_new_tree(builder);

    if (!child)
        return NULL;
    child->key = value_share(key);
    child->parent = parent;
    child->next = before ? before->next : parent->first;
    if (before)
        before->next = child;
    else
        parent->first = child;
    parent->last_met = child;
    return child;
}

/* Walks mostly go down in order, so the search begins where the last one ended. */
struct json1_node *json1_down(struct json1_builder *builder, struct json1_node *parent, const struct value *key)
{
    struct json1_node *before = NULL, *child;
    int c = 1;

    if (!parent)
        return NULL;
    child = parent->first;
    if (parent->last_met) {
        c = json1_key_compare(&parent->last_met->key, key);
        if (c == 0)
            return parent->last_met;
        if (c < 0) {
            before = parent->last_met;
            child = before->next;
        }
    }
    while (child && (c = json1_key_compare(&child->key, key)) < 0) {
        before = child;
        child = child->next;
    }
    if (child && c == 0) {
        parent->last_met = child;
        return child;
    }
    return add_child(builder, parent, before, key);
}

struct json1_node *json1_down_index(struct json1_builder *builder, struct json1_node *parent, int64_t index)
{
    struct value key = json1_index_key(index);

    if (index < 0 && !builder->r)
        builder->r = OT_NOT_APPLIED;
    return builder->r ? NULL : json1_down(builder, parent, &key);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Whether there is a node, and nothing of the kind on it: what was written before must be the same. */
static bool may_write(struct json1_builder *builder, const struct json1_node *node, unsigned flags, bool is_same)
{
    if (!node || builder->r)
        return false;
    if (!(node->flags & flags))
        return true;
    if (!is_same)
        builder->r = OT_NOT_APPLIED;
    return false;
}

void json1_write_pick(struct json1_builder *builder, struct json1_node *node, uint32_t slot)
{
    if (!may_write(builder, node, JSON1_ANY_PICK, json1_has(node, JSON1_PICK) && node->pick_slot == slot))
        return;
    node->flags |= JSON1_PICK;
    node->pick_slot = slot;
}

void json1_write_drop(struct json1_builder *builder, struct json1_node *node, uint32_t slot)
{
    if (!may_write(builder, node, JSON1_ANY_DROP, json1_has(node, JSON1_DROP) && node->drop_slot == slot))
        return;
    node->flags |= JSON1_DROP;
    node->drop_slot = slot;
}

void json1_write_remove(struct json1_builder *builder, struct json1_node *node, const struct value *removed)
{
    if (!may_write(builder, node, JSON1_ANY_PICK,
                   json1_has(node, JSON1_REMOVE) && value_equal(&node->removed, removed)))
        return;
    node->flags |= JSON1_REMOVE;
    node->removed = value_share(removed);
}

void json1_write_remove_true(struct json1_builder *builder, struct json1_node *node)
{
    struct value removed = value_of_kind(VALUE_TRUE);

    json1_write_remove(builder, node, &removed);
}

void json1_write_insert(struct json1_builder *builder, struct json1_node *node, const struct value *inserted)
{
    if (!may_write(builder, node, JSON1_ANY_DROP,
                   json1_has(node, JSON1_INSERT) && value_equal(&node->inserted, inserted)))
        return;
    node->flags |= JSON1_INSERT;
    node->inserted = value_share(inserted);
}

void json1_write_edit_even_empty(struct json1_builder *builder, struct json1_node *node, const struct json1_edit *edit)
{
    if (!may_write(builder, node, JSON1_EDIT,
                   json1_has(node, JSON1_EDIT) && node->edit.op == edit->op && node->edit.added == edit->added))
        return;
    node->flags |= JSON1_EDIT;
    node->edit = *edit;
    if (edit->op)
        (void)ot_op_ref(edit->op);
}

void json1_write_edit(struct json1_builder *builder, struct json1_node *node, const struct json1_edit *edit)
{
    if (!json1_edit_is_empty(edit))
        json1_write_edit_even_empty(builder, node, edit);
}

static void merge_component(struct json1_builder *builder, struct json1_node *node, const struct json1_node *from)
{
    if (from->flags & JSON1_PICK)
        json1_write_pick(builder, node, from->pick_slot);
    if (from->flags & JSON1_REMOVE)
        json1_write_remove(builder, node, &from->removed);
    if (from->flags & JSON1_DROP)
        json1_write_drop(builder, node, from->drop_slot);
    if (from->flags & JSON1_INSERT)
        json1_write_insert(builder, node, &from->inserted);
    if (from->flags & JSON1_EDIT)
        json1_write_edit_even_empty(builder, node, &from->edit);
}

void json1_merge(struct json1_builder *builder, struct json1_node *node, const struct json1_node *tree)
{
    merge_component(builder, node, tree);
    for (const struct json1_node *child = tree->first; child; child = child->next)
        json1_merge(builder, json1_down(builder, node, &child->key), child);
}
