#include "ot/structures/tree_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- making, sharing, letting go --------------------------------------------------------------------------------- */

struct tree_node *tree_leaf_create(const struct tree_kind *kind, size_t capacity)
{
    struct tree_node *leaf = malloc(sizeof(struct tree_leaf) + capacity * kind->entry_bytes);

    if (leaf)
        *leaf = (struct tree_node){ .n_references = 1, .capacity = (uint8_t)capacity };
    return leaf;
}

struct tree_node *tree_inner_create(unsigned height)
{
    struct tree_inner *inner = malloc(sizeof(*inner));

    if (!inner)
        return NULL;
    inner->node = (struct tree_node){ .n_references = 1, .height = (uint8_t)height };
    return &inner->node;
}

struct tree_node *tree_share(struct tree_node *root)
{
    if (root)
        root->n_references++;
    return root;
}

void tree_release(const struct tree_kind *kind, struct tree_node *root)
{
    if (!root || --root->n_references)
        return;
    for (size_t i = 0; i < root->n; i++) {
        if (root->height)
            tree_release(kind, tree_inner_of(root)->children[i].node);
        else
            kind->release(tree_entry(kind, root, i));
    }
    free(root);
}

static size_t weight_between(const struct tree_kind *kind, const struct tree_node *node, size_t from, size_t to)
{
    size_t weight = 0;

    if (!node->height && !kind->weight)
        return to - from;
    for (size_t i = from; i < to; i++)
        weight += node->height ? tree_inner_in(node)->children[i].weight : kind->weight(tree_entry_in(kind, node, i));
    return weight;
}

size_t tree_weight(const struct tree_kind *kind, const struct tree_node *root)
{
    return root ? weight_between(kind, root, 0, root->n) : 0;
}

static struct tree_node *leaf_copy(const struct tree_kind *kind, const struct tree_node *leaf)
{
    struct tree_node *copy = tree_leaf_create(kind, leaf->n ? leaf->n : 1);

    if (!copy)
        return NULL;
    copy->n = leaf->n;
    memcpy(tree_entry(kind, copy, 0), tree_entry_in(kind, leaf, 0), leaf->n * kind->entry_bytes);
    for (size_t i = 0; i < copy->n; i++)
        kind->hold(tree_entry(kind, copy, i));
    return copy;
}

static struct tree_node *inner_copy(const struct tree_node *inner)
{
    struct tree_node *copy = tree_inner_create(inner->height);

    if (!copy)
        return NULL;
    copy->n = inner->n;
    for (size_t i = 0; i < copy->n; i++) {
        tree_inner_of(copy)->children[i] = tree_inner_in(inner)->children[i];
        (void)tree_share(tree_inner_of(copy)->children[i].node);
    }
    return copy;
}

int tree_node_own(const struct tree_kind *kind, struct tree_node **node)
{
    struct tree_node *copy;

    if ((*node)->n_references == 1)
        return 0;
    copy = (*node)->height ? inner_copy(*node) : leaf_copy(kind, *node);
    if (!copy)
        return -ENOMEM;
    (*node)->n_references--;
    *node = copy;
    return 0;
}

int tree_leaf_reserve(const struct tree_kind *kind, struct tree_node **leaf, size_t n)
{
    size_t needed = (*leaf)->n + n, capacity = 2 * (size_t)(*leaf)->capacity;
    struct tree_node *grown;

    if (needed <= (*leaf)->capacity)
        return 0;
    if (capacity < needed)
        capacity = needed;
    if (capacity > TREE_FANOUT)
        capacity = TREE_FANOUT;
    grown = realloc(*leaf, sizeof(struct tree_leaf) + capacity * kind->entry_bytes);
    if (!grown)
        return -ENOMEM;
    grown->capacity = (uint8_t)capacity;
    *leaf = grown;
    return 0;
}

/* ---- dividing and joining ---------------------------------------------------------------------------------------- */

/* Moves the last of a node's entries or children behind those of another, which has room. */
static void move_last(const struct tree_kind *kind, struct tree_node *from, size_t n, struct tree_node *to)
{
    if (from->height)
        memcpy(&tree_inner_of(to)->children[to->n], &tree_inner_of(from)->children[from->n - n],
               n * sizeof(struct tree_child));
    else
        memcpy(tree_entry(kind, to, to->n), tree_entry(kind, from, from->n - n), n * kind->entry_bytes);
    from->n = (uint8_t)(from->n - n);
    to->n = (uint8_t)(to->n + n);
}

int tree_child_split(const struct tree_kind *kind, struct tree_inner *inner, size_t i, size_t at)
{
    struct tree_child *child = &inner->children[i];
    struct tree_node *left = child->node, *right;
    /* What arrives at the end of a leaf begins a new one, so that appending leaves full leaves. */
    size_t n_right = !left->height && at == child->weight ? 0 : left->n / 2;

    right = left->height ? tree_inner_create(left->height) : tree_leaf_create(kind, n_right ? n_right : 1);
    if (!right)
        return -ENOMEM;
    move_last(kind, left, n_right, right);
    memmove(child + 2, child + 1, (inner->node.n - i - 1u) * sizeof(*child));
    inner->node.n++;
    child[1] = (struct tree_child){ right, tree_weight(kind, right) };
    child->weight -= child[1].weight;
    return 0;
}

static void close_gap(struct tree_inner *inner, size_t i)
{
    memmove(&inner->children[i], &inner->children[i + 1], (inner->node.n - i - 1u) * sizeof(inner->children[0]));
    inner->node.n--;
}

void tree_child_remove(const struct tree_kind *kind, struct tree_inner *inner, size_t i)
{
    tree_release(kind, inner->children[i].node);
    close_gap(inner, i);
}

/* Half full together: so the next change there does not divide them again. */
void tree_children_join(const struct tree_kind *kind, struct tree_inner *inner, size_t i)
{
    struct tree_child *left = &inner->children[i], *right = left + 1;

    if (left->node->n + right->node->n > TREE_FANOUT / 2)
        return;
    if (tree_node_own(kind, &left->node) != 0 || tree_node_own(kind, &right->node) != 0)
        return;
    if (!left->node->height && tree_leaf_reserve(kind, &left->node, right->node->n) != 0)
        return;
    move_last(kind, right->node, right->node->n, left->node);
    left->weight += right->weight;
    tree_child_remove(kind, inner, i + 1);
}
