/* The nodes of a rope, and what can be done to one of them. Internal to ot/structures/. */
#ifndef OT_ROPE_NODE_H
#define OT_ROPE_NODE_H

#include "ot/structures/rope.h"

#include <stdbool.h>

#define ROPE_LEAF_BYTES  512 /* a leaf's text at most */
#define ROPE_PIECE_BYTES 240 /* inserted at once at most: fits into either half of a split leaf */
#define ROPE_FANOUT      16

struct rope_node {
    uint32_t n_references;
    uint16_t height;   /* 0: a leaf; children are one lower */
    uint16_t n;        /* leaf: bytes; inner: children */
    uint16_t capacity; /* leaf: bytes it has room for */
};

struct rope_leaf {
    struct rope_node node;
    char text[];
};

struct rope_child {
    struct rope_node *node;
    struct rope_sums sums;
};

struct rope_inner {
    struct rope_node node;
    struct rope_child children[ROPE_FANOUT];
};

static inline struct rope_leaf *rope_leaf_of(struct rope_node *node)
{
    return (struct rope_leaf *)(void *)node;
}

static inline struct rope_inner *rope_inner_of(struct rope_node *node)
{
    return (struct rope_inner *)(void *)node;
}

struct rope_sums rope_sums_of_text(const char *utf8, size_t n_bytes);
struct rope_sums rope_sums_of_node(struct rope_node *node);
void rope_sums_add(struct rope_sums *sums, const struct rope_sums *more);
void rope_sums_subtract(struct rope_sums *sums, const struct rope_sums *less);

/* The bytes of the first n_cps of a leaf of these sums. */
size_t rope_leaf_offset(const struct rope_leaf *leaf, const struct rope_sums *sums, size_t n_cps);

struct rope_node *rope_leaf_create(size_t capacity); /* empty; NULL without memory */
struct rope_node *rope_inner_create(unsigned height);
void rope_node_unref(struct rope_node *node); /* NULL is fine */

/* All of these answer 0 or -ENOMEM, and keep the text as it is. */

/* Puts a copy of its own in the place of a node that others hold, too. */
__attribute__((warn_unused_result)) int rope_node_own(struct rope_node **node);
/* Room for n_bytes more in an owned leaf. */
__attribute__((warn_unused_result)) int rope_leaf_reserve(struct rope_node **leaf, size_t n_bytes);
/* Divides the owned child i, a position in which is at_cp, into i and i + 1. The inner node is owned, not full. */
__attribute__((warn_unused_result)) int rope_child_split(struct rope_inner *inner, unsigned i, size_t at_cp);

/* Joins children i and i + 1 of an owned inner node if both are small; leaves them alone without memory. */
void rope_children_join(struct rope_inner *inner, unsigned i);
void rope_child_remove(struct rope_inner *inner, unsigned i); /* and lets go of it */

#endif
