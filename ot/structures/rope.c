#include "ot/structures/rope_node.h"

#include "ot/json/utf8.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void rope_init(struct rope *rope)
{
    *rope = (struct rope){ .root = NULL };
}

void rope_finish(struct rope *rope)
{
    rope_node_unref(rope->root);
    rope_init(rope);
}

void rope_share(const struct rope *rope, struct rope *out)
{
    *out = *rope;
    if (out->root)
        out->root->n_references++;
}

struct rope rope_of_root(struct rope_node *root)
{
    return (struct rope){ .root = root, .sums = rope_sums_of_node(root) };
}

/* ---- the way down ------------------------------------------------------------------------------------------------ */

/* From the root to a node: every inner node on it, and the child taken. What lies on it is owned. */
struct path {
    size_t n;
    struct {
        struct rope_inner *inner;
        unsigned child;
    } steps[ROPE_MAX_HEIGHT];
};

static struct rope_child *path_child(const struct path *path, size_t i)
{
    return &path->steps[i].inner->children[path->steps[i].child];
}

/* The node at its end, and what its parent says of it. */
static struct rope_node **path_node(const struct path *path, struct rope *rope)
{
    return path->n ? &path_child(path, path->n - 1)->node : &rope->root;
}

static struct rope_sums *path_sums(const struct path *path, struct rope *rope)
{
    return path->n ? &path_child(path, path->n - 1)->sums : &rope->sums;
}

static void path_push(struct path *path, struct rope_inner *inner, unsigned child)
{
    assert(path->n < ROPE_MAX_HEIGHT);
    path->steps[path->n].inner = inner;
    path->steps[path->n++].child = child;
}

/* The child in which a position lies; *at_cp becomes the position in it. Between two children it is the end of the
 * left one. */
static unsigned child_ending_at(const struct rope_inner *inner, size_t *at_cp)
{
    unsigned i = 0;

    while (*at_cp > inner->children[i].sums.n_cps)
        *at_cp -= inner->children[i++].sums.n_cps;
    return i;
}

/* The same; between two children it is the start of the right one. */
static unsigned child_starting_at(const struct rope_inner *inner, size_t *at_cp)
{
    unsigned i = 0;

    while (i + 1u < inner->node.n && *at_cp >= inner->children[i].sums.n_cps)
        *at_cp -= inner->children[i++].sums.n_cps;
    return i;
}

/* ---- inserting --------------------------------------------------------------------------------------------------- */

static bool is_too_full(const struct rope_node *node, size_t n_bytes)
{
    return node->height ? node->n == ROPE_FANOUT : node->n + n_bytes > ROPE_LEAF_BYTES;
}

/* The root, owned and with room below it; a new one above it if need be. */
static int root_prepare(struct rope *rope, size_t n_bytes)
{
    struct rope_node *above;
    int r = 0;

    if (!rope->root)
        rope->root = rope_leaf_create(n_bytes);
    if (!rope->root)
        return -ENOMEM;
    r = rope_node_own(&rope->root);
    if (r || !is_too_full(rope->root, n_bytes))
        return r;
    above = rope_inner_create(rope->root->height + 1u);
    if (!above)
        return -ENOMEM;
    rope_inner_of(above)->children[0] = (struct rope_child){ rope->root, rope->sums };
    above->n = 1;
    rope->root = above;
    return 0;
}

/* To the leaf at *at_cp, splitting what is full on the way, so that a split never has to travel upwards. *at_cp becomes
 * the position in the leaf. */
static int descend_to_insert(struct rope *rope, size_t *at_cp, size_t n_bytes, struct path *path)
{
    int r = root_prepare(rope, n_bytes);

    path->n = 0;
    for (struct rope_node *node = rope->root; !r && node->height; node = *path_node(path, rope)) {
        struct rope_inner *inner = rope_inner_of(node);
        unsigned i = child_ending_at(inner, at_cp);

        r = rope_node_own(&inner->children[i].node);
        if (!r && is_too_full(inner->children[i].node, n_bytes)) {
            bool at_the_end = *at_cp == inner->children[i].sums.n_cps && inner->node.height == 1;

            r = rope_child_split(inner, i, *at_cp);
            if (!r && (at_the_end || *at_cp > inner->children[i].sums.n_cps))
                *at_cp -= inner->children[i++].sums.n_cps;
        }
        path_push(path, inner, i);
    }
    return r ? r : rope_leaf_reserve(path_node(path, rope), n_bytes);
}

/* Everything that can fail comes first and keeps the text as it is. */
static int insert_piece(struct rope *rope, size_t at_cp, const char *utf8, size_t n_bytes)
{
    struct rope_sums added = rope_sums_of_text(utf8, n_bytes);
    struct path path;
    struct rope_leaf *leaf;
    size_t at;
    int r = descend_to_insert(rope, &at_cp, n_bytes, &path);

    if (r)
        return r;
    leaf = rope_leaf_of(*path_node(&path, rope));
    at = rope_leaf_offset(leaf, path_sums(&path, rope), at_cp);
    memmove(leaf->text + at + n_bytes, leaf->text + at, leaf->node.n - at);
    memcpy(leaf->text + at, utf8, n_bytes);
    leaf->node.n = (uint16_t)(leaf->node.n + n_bytes);
    for (size_t i = 0; i < path.n; i++)
        rope_sums_add(&path_child(&path, i)->sums, &added);
    rope_sums_add(&rope->sums, &added);
    return 0;
}

static int insert_pieces(struct rope *rope, size_t at_cp, const char *utf8, size_t n_bytes)
{
    while (n_bytes) {
        size_t n = n_bytes <= ROPE_PIECE_BYTES ? n_bytes : utf8_floor(utf8, ROPE_PIECE_BYTES, n_bytes),
               before = rope->sums.n_cps;
        int r = insert_piece(rope, at_cp, utf8, n);

        if (r)
            return r;
        at_cp += rope->sums.n_cps - before;
        utf8 += n;
        n_bytes -= n;
    }
    return 0;
}

int rope_insert(struct rope *rope, size_t at_cp, const char *utf8, size_t n_bytes)
{
    struct rope before;
    int r;

    assert(at_cp <= rope->sums.n_cps && n_bytes <= ROPE_MAX_BYTES - rope->sums.n_bytes);
    if (!n_bytes)
        return 0;
    if (n_bytes <= ROPE_PIECE_BYTES)
        return insert_piece(rope, at_cp, utf8, n_bytes);
    rope_share(rope, &before);
    r = insert_pieces(rope, at_cp, utf8, n_bytes);
    if (r) {
        rope_finish(rope);
        *rope = before;
        return r;
    }
    rope_finish(&before);
    return 0;
}

/* ---- deleting ---------------------------------------------------------------------------------------------------- */

/* Owns every node on the way to a position. */
static int own_path(struct rope *rope, size_t at_cp)
{
    int r = rope_node_own(&rope->root);

    for (struct rope_node *node = rope->root; !r && node->height;) {
        struct rope_inner *inner = rope_inner_of(node);
        unsigned i = child_starting_at(inner, &at_cp);

        r = rope_node_own(&inner->children[i].node);
        node = inner->children[i].node;
    }
    return r;
}

static void path_subtract(const struct path *path, struct rope *rope, struct rope_sums less)
{
    for (size_t i = 0; i < path->n; i++)
        rope_sums_subtract(&path_child(path, i)->sums, &less);
    rope_sums_subtract(&rope->sums, &less);
}

/* What has become small joins a neighbour; a root with one child gives way to it. */
static void tidy(struct rope *rope, const struct path *path)
{
    for (size_t i = path->n; i-- > 0;) {
        struct rope_inner *inner = path->steps[i].inner;
        unsigned child = path->steps[i].child;

        if (child + 1u < inner->node.n)
            rope_children_join(inner, child);
        if (child > 0 && child < inner->node.n)
            rope_children_join(inner, child - 1);
    }
    while (rope->root->height && rope->root->n == 1) {
        struct rope_node *only = rope_inner_of(rope->root)->children[0].node;

        only->n_references++;
        rope_node_unref(rope->root);
        rope->root = only;
    }
}

static void leaf_delete(struct rope *rope, const struct path *path, size_t from_cp, size_t to_cp)
{
    struct rope_leaf *leaf = rope_leaf_of(*path_node(path, rope));
    const struct rope_sums *sums = path_sums(path, rope);
    size_t from = rope_leaf_offset(leaf, sums, from_cp), to = rope_leaf_offset(leaf, sums, to_cp);
    struct rope_sums deleted = rope_sums_of_text(leaf->text + from, to - from);

    memmove(leaf->text + from, leaf->text + to, leaf->node.n - to);
    leaf->node.n = (uint16_t)(leaf->node.n - (to - from));
    path_subtract(path, rope, deleted);
}

/* Deletes the start of [from_cp, to_cp), as much as one node holds of it: a node that lies wholly within goes as it is.
 * Returns how much that was. Both ends of the range are owned, so nothing needs memory. */
static size_t delete_start(struct rope *rope, size_t from_cp, size_t to_cp)
{
    struct path path;
    size_t at_cp = from_cp, before = rope->sums.n_cps, n_cps;
    struct rope_node *node = rope->root;

    path.n = 0;
    while (node->height && (at_cp > 0 || path_sums(&path, rope)->n_cps > to_cp - from_cp)) {
        path_push(&path, rope_inner_of(node), child_starting_at(rope_inner_of(node), &at_cp));
        node = *path_node(&path, rope);
    }
    n_cps = path_sums(&path, rope)->n_cps - at_cp;
    if (n_cps > to_cp - from_cp)
        n_cps = to_cp - from_cp;
    if (path.n && n_cps == path_sums(&path, rope)->n_cps) {
        path_subtract(&path, rope, *path_sums(&path, rope));
        rope_child_remove(path.steps[path.n - 1].inner, path.steps[path.n - 1].child);
    } else if (path.n || n_cps < rope->sums.n_cps) {
        leaf_delete(rope, &path, at_cp, at_cp + n_cps);
    } else {
        rope_finish(rope);
    }
    if (rope->root)
        tidy(rope, &path);
    return before - rope->sums.n_cps;
}

int rope_delete(struct rope *rope, size_t from_cp, size_t to_cp)
{
    int r;

    assert(from_cp <= to_cp && to_cp <= rope->sums.n_cps);
    if (from_cp == to_cp)
        return 0;
    r = own_path(rope, from_cp);
    if (!r)
        r = own_path(rope, to_cp);
    if (r)
        return r;
    while (from_cp < to_cp)
        to_cp -= delete_start(rope, from_cp, to_cp);
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

size_t rope_byte_at(const struct rope *rope, size_t at_cp)
{
    struct rope_node *node = rope->root;
    struct rope_sums sums = rope->sums;
    size_t n_bytes = 0;

    if (!node)
        return 0;
    while (node->height) {
        const struct rope_inner *inner = rope_inner_of(node);
        unsigned i = child_starting_at(inner, &at_cp);

        for (unsigned before = 0; before < i; before++)
            n_bytes += inner->children[before].sums.n_bytes;
        sums = inner->children[i].sums;
        node = inner->children[i].node;
    }
    return n_bytes + rope_leaf_offset(rope_leaf_of(node), &sums, at_cp);
}

size_t rope_utf16_at(const struct rope *rope, size_t at_cp)
{
    struct rope_node *node = rope->root;
    struct rope_sums sums = rope->sums;
    size_t n_units = at_cp;
    const struct rope_leaf *leaf;

    if (!sums.n_astral)
        return at_cp;
    while (node->height) {
        const struct rope_inner *inner = rope_inner_of(node);
        unsigned i = child_starting_at(inner, &at_cp);

        for (unsigned before = 0; before < i; before++)
            n_units += inner->children[before].sums.n_astral;
        sums = inner->children[i].sums;
        node = inner->children[i].node;
    }
    leaf = rope_leaf_of(node);
    return n_units + (sums.n_astral ? utf8_count_astral(leaf->text, rope_leaf_offset(leaf, &sums, at_cp)) : 0);
}

/* In a leaf: characters are passed while there is room for them. */
static bool leaf_cp_at_utf16(const struct rope_leaf *leaf, size_t at_unit, size_t *out_cp)
{
    size_t n_cps = 0;

    for (size_t i = 0; i < leaf->node.n && at_unit; n_cps++) {
        size_t n_units = (unsigned char)leaf->text[i] >= 0xf0 ? 2 : 1;

        if (at_unit < n_units)
            return false;
        at_unit -= n_units;
        do
            i++;
        while (i < leaf->node.n && !utf8_is_start(leaf->text[i]));
    }
    *out_cp += n_cps;
    return true;
}

bool rope_cp_at_utf16(const struct rope *rope, size_t at_unit, size_t *out_cp)
{
    struct rope_node *node = rope->root;
    struct rope_sums sums = rope->sums;
    size_t n_cps = 0;

    while (sums.n_astral && node->height) {
        const struct rope_inner *inner = rope_inner_of(node);
        unsigned i = 0;

        for (; i + 1u < node->n; i++) {
            const struct rope_sums *before = &inner->children[i].sums;

            if (at_unit < (size_t)before->n_cps + before->n_astral)
                break;
            at_unit -= (size_t)before->n_cps + before->n_astral;
            n_cps += before->n_cps;
        }
        sums = inner->children[i].sums;
        node = inner->children[i].node;
    }
    if (!sums.n_astral)
        n_cps += at_unit;
    else if (!leaf_cp_at_utf16(rope_leaf_of(node), at_unit, &n_cps))
        return false;
    *out_cp = n_cps;
    return true;
}

void rope_cursor_init(struct rope_cursor *cursor, const struct rope *rope, size_t at_cp)
{
    struct rope_node *node = rope->root;
    struct rope_sums sums = rope->sums;
    size_t at;

    cursor->depth = 0;
    cursor->n_bytes = 0;
    if (!node)
        return;
    while (node->height) {
        const struct rope_inner *inner = rope_inner_of(node);
        unsigned i = child_starting_at(inner, &at_cp);

        cursor->path[cursor->depth].node = node;
        cursor->path[cursor->depth++].child = i;
        sums = inner->children[i].sums;
        node = inner->children[i].node;
    }
    at = rope_leaf_offset(rope_leaf_of(node), &sums, at_cp);
    cursor->at = rope_leaf_of(node)->text + at;
    cursor->n_bytes = node->n - at;
}

/* To the first leaf of the next child of the lowest node that has one. */
static bool next_leaf(struct rope_cursor *cursor)
{
    struct rope_node *node;

    while (cursor->depth && cursor->path[cursor->depth - 1].child + 1u == cursor->path[cursor->depth - 1].node->n)
        cursor->depth--;
    if (!cursor->depth)
        return false;
    node = cursor->path[cursor->depth - 1].node;
    node = rope_inner_of(node)->children[++cursor->path[cursor->depth - 1].child].node;
    for (; node->height; node = rope_inner_of(node)->children[0].node) {
        cursor->path[cursor->depth].node = node;
        cursor->path[cursor->depth++].child = 0;
    }
    cursor->at = rope_leaf_of(node)->text;
    cursor->n_bytes = node->n;
    return true;
}

size_t rope_cursor_read(struct rope_cursor *cursor, size_t max_bytes, const char **out)
{
    size_t n;

    while (!cursor->n_bytes) {
        if (!next_leaf(cursor))
            return 0;
    }
    n = cursor->n_bytes < max_bytes ? cursor->n_bytes : max_bytes;
    *out = cursor->at;
    cursor->at += n;
    cursor->n_bytes -= n;
    return n;
}
