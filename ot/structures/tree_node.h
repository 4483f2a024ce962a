/* The nodes of a tree, and what can be done to one of them. Internal to ot/structures/. */
#ifndef OT_TREE_NODE_H
#define OT_TREE_NODE_H

#include "ot/structures/tree.h"

/* Few, because copying a node touches what each of its entries holds. */
#define TREE_FANOUT 16

struct tree_node {
    uint32_t n_references;
    uint8_t height;   /* 0: a leaf; children are one lower */
    uint8_t n;        /* entries or children */
    uint8_t capacity; /* leaf: entries it has room for */
};

struct tree_leaf {
    struct tree_node node;
    uint64_t entries[];
};

struct tree_child {
    struct tree_node *node;
    size_t weight;
};

struct tree_inner {
    struct tree_node node;
    struct tree_child children[TREE_FANOUT];
};

static inline struct tree_inner *tree_inner_of(struct tree_node *node)
{
    return (struct tree_inner *)(void *)node;
}

static inline const struct tree_inner *tree_inner_in(const struct tree_node *node)
{
    return (const struct tree_inner *)(const void *)node;
}

static inline void *tree_entry(const struct tree_kind *kind, struct tree_node *leaf, size_t i)
{
    return (char *)((struct tree_leaf *)(void *)leaf)->entries + i * kind->entry_bytes;
}

static inline const void *tree_entry_in(const struct tree_kind *kind, const struct tree_node *leaf, size_t i)
{
    return (const char *)((const struct tree_leaf *)(const void *)leaf)->entries + i * kind->entry_bytes;
}

static inline size_t tree_weigh(const struct tree_kind *kind, const void *entry)
{
    return kind->weight ? kind->weight(entry) : 1;
}

struct tree_node *tree_leaf_create(const struct tree_kind *kind, size_t capacity); /* empty; NULL without memory */
struct tree_node *tree_inner_create(unsigned height);

/* All of these answer 0 or -ENOMEM, and keep the sequence as it is. */

/* Puts a copy of its own in the place of a node that others hold, too. */
__attribute__((warn_unused_result)) int tree_node_own(const struct tree_kind *kind, struct tree_node **node);
/* Room for n entries more in an owned leaf. */
__attribute__((warn_unused_result)) int tree_leaf_reserve(const struct tree_kind *kind, struct tree_node **leaf,
                                                          size_t n);
/* Divides the owned child i, a position in which is at, into i and i + 1. The inner node is owned, not full. */
__attribute__((warn_unused_result)) int tree_child_split(const struct tree_kind *kind, struct tree_inner *inner,
                                                         size_t i, size_t at);

/* Joins children i and i + 1 of an owned inner node if both are small; leaves them alone without memory. */
void tree_children_join(const struct tree_kind *kind, struct tree_inner *inner, size_t i);
void tree_child_remove(const struct tree_kind *kind, struct tree_inner *inner, size_t i); /* and lets go of it */

#endif
