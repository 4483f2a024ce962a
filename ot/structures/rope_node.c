#include "ot/structures/rope_node.h"

#include "ot/json/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- sums -------------------------------------------------------------------------------------------------------- */

struct rope_sums rope_sums_of_text(const char *utf8, size_t n_bytes)
{
    return (struct rope_sums){ .n_bytes = (uint32_t)n_bytes,
                               .n_cps = (uint32_t)utf8_count(utf8, n_bytes),
                               .n_astral = (uint32_t)utf8_count_astral(utf8, n_bytes) };
}

void rope_sums_add(struct rope_sums *sums, const struct rope_sums *more)
{
    sums->n_bytes += more->n_bytes;
    sums->n_cps += more->n_cps;
    sums->n_astral += more->n_astral;
}

void rope_sums_subtract(struct rope_sums *sums, const struct rope_sums *less)
{
    sums->n_bytes -= less->n_bytes;
    sums->n_cps -= less->n_cps;
    sums->n_astral -= less->n_astral;
}

struct rope_sums rope_sums_of_node(struct rope_node *node)
{
    struct rope_sums sums = { 0 };

    if (!node->height)
        return rope_sums_of_text(rope_leaf_of(node)->text, node->n);
    for (unsigned i = 0; i < node->n; i++)
        rope_sums_add(&sums, &rope_inner_of(node)->children[i].sums);
    return sums;
}

size_t rope_leaf_offset(const struct rope_leaf *leaf, const struct rope_sums *sums, size_t n_cps)
{
    if (sums->n_bytes == sums->n_cps)
        return n_cps;
    return utf8_offset(leaf->text, leaf->node.n, n_cps);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct rope_node *rope_leaf_create(size_t capacity)
{
    struct rope_leaf *leaf = malloc(sizeof(*leaf) + capacity);

    if (!leaf)
        return NULL;
    leaf->node = (struct rope_node){ .n_references = 1, .capacity = (uint16_t)capacity };
    return &leaf->node;
}

struct rope_node *rope_inner_create(unsigned height)
{
    struct rope_inner *inner = malloc(sizeof(*inner));

    if (!inner)
        return NULL;
    inner->node = (struct rope_node){ .n_references = 1, .height = (uint16_t)height };
    return &inner->node;
}

/* Recurses as deep as the tree is high. */
void rope_node_unref(struct rope_node *node)
{
    if (!node || --node->n_references)
        return;
    for (unsigned i = 0; node->height && i < node->n; i++)
        rope_node_unref(rope_inner_of(node)->children[i].node);
    free(node);
}

static struct rope_node *leaf_copy(struct rope_node *from)
{
    struct rope_node *copy = rope_leaf_create(from->capacity);

    if (!copy)
        return NULL;
    copy->n = from->n;
    memcpy(rope_leaf_of(copy)->text, rope_leaf_of(from)->text, from->n);
    return copy;
}

/* Moves count children of one node to the end of another, which becomes one more holder of each. */
static void children_append(struct rope_inner *to, const struct rope_inner *from, unsigned first, unsigned count)
{
    memcpy(to->children + to->node.n, from->children + first, count * sizeof(to->children[0]));
    for (unsigned i = 0; i < count; i++)
        from->children[first + i].node->n_references++;
    to->node.n = (uint16_t)(to->node.n + count);
}

static struct rope_node *inner_copy(struct rope_node *from)
{
    struct rope_node *copy = rope_inner_create(from->height);

    if (copy)
        children_append(rope_inner_of(copy), rope_inner_of(from), 0, from->n);
    return copy;
}

int rope_node_own(struct rope_node **node)
{
    struct rope_node *copy;

    if ((*node)->n_references == 1)
        return 0;
    copy = (*node)->height ? inner_copy(*node) : leaf_copy(*node);
    if (!copy)
        return -ENOMEM;
    rope_node_unref(*node);
    *node = copy;
    return 0;
}

int rope_leaf_reserve(struct rope_node **leaf, size_t n_bytes)
{
    size_t needed = (*leaf)->n + n_bytes, capacity = 2 * (size_t)(*leaf)->capacity;
    struct rope_leaf *grown;

    if (needed <= (*leaf)->capacity)
        return 0;
    if (capacity > ROPE_LEAF_BYTES)
        capacity = ROPE_LEAF_BYTES;
    if (capacity < needed)
        capacity = needed;
    grown = realloc(*leaf, sizeof(*grown) + capacity);
    if (!grown)
        return -ENOMEM;
    grown->node.capacity = (uint16_t)capacity;
    *leaf = &grown->node;
    return 0;
}

/* ---- children ---------------------------------------------------------------------------------------------------- */

static void children_move(struct rope_inner *inner, unsigned from, unsigned to)
{
    unsigned count = inner->node.n - from;

    memmove(inner->children + to, inner->children + from, count * sizeof(inner->children[0]));
    inner->node.n = (uint16_t)(inner->node.n + to - from);
}

/* In the middle; but text that arrives at the end of a leaf begins a new one, so that writing on leaves full leaves. */
static struct rope_node *leaf_split(struct rope_node *leaf, const struct rope_sums *sums, size_t at_cp)
{
    char *text = rope_leaf_of(leaf)->text;
    size_t at = at_cp == sums->n_cps ? leaf->n : utf8_floor(text, leaf->n / 2, leaf->n);
    struct rope_node *right = rope_leaf_create(ROPE_LEAF_BYTES);

    if (!right)
        return NULL;
    right->n = (uint16_t)(leaf->n - at);
    memcpy(rope_leaf_of(right)->text, text + at, right->n);
    leaf->n = (uint16_t)at;
    return right;
}

static struct rope_node *inner_split(struct rope_node *node)
{
    struct rope_node *right = rope_inner_create(node->height);
    unsigned half = node->n / 2;

    if (!right)
        return NULL;
    children_append(rope_inner_of(right), rope_inner_of(node), half, node->n - half);
    for (unsigned i = half; i < node->n; i++)
        rope_inner_of(node)->children[i].node->n_references--; /* moved, not copied */
    node->n = (uint16_t)half;
    return right;
}

int rope_child_split(struct rope_inner *inner, unsigned i, size_t at_cp)
{
    struct rope_child *child = &inner->children[i];
    struct rope_node *left = child->node,
                     *right = left->height ? inner_split(left) : leaf_split(left, &child->sums, at_cp);

    if (!right)
        return -ENOMEM;
    children_move(inner, i + 1, i + 2);
    inner->children[i + 1] = (struct rope_child){ right, rope_sums_of_node(right) };
    rope_sums_subtract(&child->sums, &inner->children[i + 1].sums);
    return 0;
}

void rope_child_remove(struct rope_inner *inner, unsigned i)
{
    rope_node_unref(inner->children[i].node);
    children_move(inner, i + 1, i);
}

static int append(struct rope_node **left, struct rope_node *right)
{
    int r = rope_node_own(left);

    if (r)
        return r;
    if (right->height) {
        children_append(rope_inner_of(*left), rope_inner_of(right), 0, right->n);
        return 0;
    }
    r = rope_leaf_reserve(left, right->n);
    if (r)
        return r;
    memcpy(rope_leaf_of(*left)->text + (*left)->n, rope_leaf_of(right)->text, right->n);
    (*left)->n = (uint16_t)((*left)->n + right->n);
    return 0;
}

/* Half full together: so the next edit there does not divide them again. */
void rope_children_join(struct rope_inner *inner, unsigned i)
{
    struct rope_child *left = &inner->children[i], *right = left + 1;
    unsigned most = right->node->height ? ROPE_FANOUT / 2 : ROPE_LEAF_BYTES / 2;

    if ((unsigned)left->node->n + right->node->n > most || append(&left->node, right->node) != 0)
        return;
    rope_sums_add(&left->sums, &right->sums);
    rope_child_remove(inner, i + 1);
}
