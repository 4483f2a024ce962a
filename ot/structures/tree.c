#include "ot/structures/tree_node.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- the way down ------------------------------------------------------------------------------------------------ */

/* From the root to a leaf: every inner node on it, and the child taken. What lies on it is owned. */
struct path {
    size_t n;
    struct {
        struct tree_inner *inner;
        size_t child;
    } steps[TREE_MAX_HEIGHT];
};

static struct tree_child *path_child(const struct path *path, size_t i)
{
    return &path->steps[i].inner->children[path->steps[i].child];
}

/* The node at its end. */
static struct tree_node **path_node(const struct path *path, struct tree_node **root)
{
    return path->n ? &path_child(path, path->n - 1)->node : root;
}

static void path_push(struct path *path, struct tree_inner *inner, size_t child)
{
    assert(path->n < TREE_MAX_HEIGHT);
    path->steps[path->n].inner = inner;
    path->steps[path->n++].child = child;
}

static void path_reweigh(const struct path *path, size_t more, size_t less)
{
    for (size_t i = 0; i < path->n; i++)
        path_child(path, i)->weight += more - less;
}

/* The child in which a position lies; *at becomes the position in it. Between two children it is the end of the left
 * one. */
static size_t child_ending_at(const struct tree_inner *inner, size_t *at)
{
    size_t i = 0;

    while (*at > inner->children[i].weight)
        *at -= inner->children[i++].weight;
    return i;
}

/* The same; between two children it is the start of the right one. */
static size_t child_starting_at(const struct tree_inner *inner, size_t *at)
{
    size_t i = 0;

    while (i + 1u < inner->node.n && *at >= inner->children[i].weight)
        *at -= inner->children[i++].weight;
    return i;
}

/* The entry of a leaf in which a position lies, the number of entries at its end. */
static size_t entry_starting_at(const struct tree_kind *kind, const struct tree_node *leaf, size_t *at)
{
    size_t i = 0;

    if (!kind->weight) {
        i = *at < leaf->n ? *at : leaf->n;
        *at -= i;
        return i;
    }
    while (i < leaf->n) {
        size_t weight = kind->weight(tree_entry_in(kind, leaf, i));

        if (*at < weight)
            break;
        *at -= weight;
        i++;
    }
    return i;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

const void *tree_at(const struct tree_kind *kind, const struct tree_node *root, size_t *at)
{
    size_t i;

    if (!root)
        return NULL;
    while (root->height)
        root = tree_inner_in(root)->children[child_starting_at(tree_inner_in(root), at)].node;
    i = entry_starting_at(kind, root, at);
    return i < root->n ? tree_entry_in(kind, root, i) : NULL;
}

static const void *first_entry(const struct tree_kind *kind, const struct tree_node *node)
{
    while (node->height)
        node = tree_inner_in(node)->children[0].node;
    return tree_entry_in(kind, node, 0);
}

/* The number of children, after the first, that begin with the key or less: where the key would be found. */
static size_t child_holding(const struct tree_kind *kind, const struct tree_inner *inner,
                            int (*compare)(const void *key, const void *entry), const void *key)
{
    size_t from = 0, to = inner->node.n - 1u;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (compare(key, first_entry(kind, inner->children[middle + 1].node)) < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

bool tree_search(const struct tree_kind *kind, const struct tree_node *root,
                 int (*compare)(const void *key, const void *entry), const void *key, size_t *at)
{
    size_t from = 0, to;

    *at = 0;
    if (!root)
        return false;
    while (root->height) {
        const struct tree_inner *inner = tree_inner_in(root);
        size_t i = child_holding(kind, inner, compare, key);

        for (size_t before = 0; before < i; before++)
            *at += inner->children[before].weight;
        root = inner->children[i].node;
    }
    to = root->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int c = compare(key, tree_entry_in(kind, root, middle));

        if (c == 0) {
            *at += middle;
            return true;
        }
        if (c < 0)
            to = middle;
        else
            from = middle + 1;
    }
    *at += from;
    return false;
}

/* ---- inserting --------------------------------------------------------------------------------------------------- */

/* The root, owned and with room below it; a new one above it if need be. */
static int root_prepare(const struct tree_kind *kind, struct tree_node **root)
{
    struct tree_node *above;
    int r;

    if (!*root)
        *root = tree_leaf_create(kind, 1);
    if (!*root)
        return -ENOMEM;
    r = tree_node_own(kind, root);
    if (r || (*root)->n < TREE_FANOUT)
        return r;
    above = tree_inner_create((*root)->height + 1u);
    if (!above)
        return -ENOMEM;
    tree_inner_of(above)->children[0] = (struct tree_child){ *root, tree_weight(kind, *root) };
    above->n = 1;
    *root = above;
    return 0;
}

int tree_reserve(const struct tree_kind *kind, struct tree_node **root, size_t n)
{
    *root = tree_leaf_create(kind, n < TREE_FANOUT ? n : TREE_FANOUT);
    return *root ? 0 : -ENOMEM;
}

/* To the leaf at *at, splitting what is full on the way, so that a split never has to travel upwards. A leaf that was
 * divided has room, so none stays empty behind a failure. */
static int descend_to_insert(const struct tree_kind *kind, struct tree_node **root, size_t *at, struct path *path)
{
    int r = root_prepare(kind, root);

    path->n = 0;
    for (struct tree_node *node = *root; !r && node->height; node = *path_node(path, root)) {
        struct tree_inner *inner = tree_inner_of(node);
        size_t i = child_ending_at(inner, at);

        r = tree_node_own(kind, &inner->children[i].node);
        if (!r && inner->children[i].node->n == TREE_FANOUT) {
            bool at_the_end = inner->node.height == 1 && *at == inner->children[i].weight;

            r = tree_child_split(kind, inner, i, *at);
            if (!r && (at_the_end || *at > inner->children[i].weight))
                *at -= inner->children[i++].weight;
        }
        path_push(path, inner, i);
    }
    return r ? r : tree_leaf_reserve(kind, path_node(path, root), 1);
}

int tree_insert(const struct tree_kind *kind, struct tree_node **root, size_t at, const void *entry)
{
    struct path path;
    struct tree_node *leaf;
    size_t i;
    int r = descend_to_insert(kind, root, &at, &path);

    if (r)
        return r;
    leaf = *path_node(&path, root);
    i = entry_starting_at(kind, leaf, &at);
    assert(at == 0);
    memmove(tree_entry(kind, leaf, i + 1), tree_entry(kind, leaf, i), (leaf->n - i) * kind->entry_bytes);
    memcpy(tree_entry(kind, leaf, i), entry, kind->entry_bytes);
    leaf->n++;
    path_reweigh(&path, tree_weigh(kind, entry), 0);
    return 0;
}

/* ---- changing one entry ------------------------------------------------------------------------------------------ */

/* To the entry in which *at lies, owning what is on the way; NULL without memory. */
static void *descend_to_own(const struct tree_kind *kind, struct tree_node **root, size_t *at, struct path *path)
{
    path->n = 0;
    for (;;) {
        struct tree_node **node = path_node(path, root);

        if (tree_node_own(kind, node) != 0)
            return NULL;
        if (!(*node)->height)
            return tree_entry(kind, *node, entry_starting_at(kind, *node, at));
        path_push(path, tree_inner_of(*node), child_starting_at(tree_inner_of(*node), at));
    }
}

void *tree_own(const struct tree_kind *kind, struct tree_node **root, size_t *at)
{
    struct path path;

    return descend_to_own(kind, root, at, &path);
}

int tree_replace(const struct tree_kind *kind, struct tree_node **root, size_t at, const void *entry, void *out)
{
    struct path path;
    void *old = descend_to_own(kind, root, &at, &path);

    if (!old)
        return -ENOMEM;
    path_reweigh(&path, tree_weigh(kind, entry), tree_weigh(kind, old));
    memcpy(out, old, kind->entry_bytes);
    memcpy(old, entry, kind->entry_bytes);
    return 0;
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

/* Nodes that are empty go, what has become small joins a neighbour, a root with one child gives way to it. */
static void tidy(const struct tree_kind *kind, struct tree_node **root, const struct path *path)
{
    for (size_t i = path->n; i-- > 0;) {
        struct tree_inner *inner = path->steps[i].inner;
        size_t child = path->steps[i].child;

        if (!inner->children[child].node->n)
            tree_child_remove(kind, inner, child);
        if (child + 1u < inner->node.n)
            tree_children_join(kind, inner, child);
        if (child > 0 && child < inner->node.n)
            tree_children_join(kind, inner, child - 1);
    }
    while ((*root)->height && (*root)->n == 1) {
        struct tree_node *only = tree_share(tree_inner_of(*root)->children[0].node);

        tree_release(kind, *root);
        *root = only;
    }
    if (!(*root)->n) {
        tree_release(kind, *root);
        *root = NULL;
    }
}

int tree_remove(const struct tree_kind *kind, struct tree_node **root, size_t at, void *out)
{
    struct path path;
    char *entry = descend_to_own(kind, root, &at, &path), *end;
    struct tree_node *leaf;

    if (!entry)
        return -ENOMEM;
    leaf = *path_node(&path, root);
    end = tree_entry(kind, leaf, leaf->n);
    memcpy(out, entry, kind->entry_bytes);
    memmove(entry, entry + kind->entry_bytes, (size_t)(end - entry) - kind->entry_bytes);
    leaf->n--;
    path_reweigh(&path, 0, tree_weigh(kind, out));
    tidy(kind, root, &path);
    return 0;
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

/* Down to a leaf, by positions or by first children. */
static void cursor_descend(struct tree_cursor *cursor, const struct tree_node *node, size_t *at)
{
    while (node->height) {
        size_t i = child_starting_at(tree_inner_in(node), at);

        cursor->path[cursor->depth].node = node;
        cursor->path[cursor->depth++].child = i;
        node = tree_inner_in(node)->children[i].node;
    }
    cursor->leaf = node;
    cursor->next = entry_starting_at(cursor->kind, node, at);
}

void tree_cursor_init(struct tree_cursor *cursor, const struct tree_kind *kind, const struct tree_node *root,
                      size_t *at)
{
    cursor->kind = kind;
    cursor->leaf = NULL;
    cursor->next = 0;
    cursor->depth = 0;
    if (root)
        cursor_descend(cursor, root, at);
}

const void *tree_cursor_next(struct tree_cursor *cursor)
{
    size_t at = 0, depth = cursor->depth;

    if (!cursor->leaf)
        return NULL;
    if (cursor->next < cursor->leaf->n)
        return tree_entry_in(cursor->kind, cursor->leaf, cursor->next++);
    while (depth && cursor->path[depth - 1].child + 1u == cursor->path[depth - 1].node->n)
        depth--;
    if (!depth)
        return NULL;
    cursor->depth = depth;
    cursor_descend(cursor, tree_inner_in(cursor->path[depth - 1].node)->children[++cursor->path[depth - 1].child].node,
                   &at);
    return tree_entry_in(cursor->kind, cursor->leaf, cursor->next++);
}
