/* A sequence of entries as a B+tree that is shared copy-on-write: what lists, objects and rich text lie in.
 *
 *                  | 5 | 4 | 6 |              inner: what each child weighs
 *                 /      |      \
 *       | a b c d e |  | f g h i |  | j k l m n o |        leaf: entries side by side
 *
 * What an entry is, its tree's kind says: how many bytes, what it holds, and what it *weighs*: 1 in lists, the length
 * of a run in rich text. A position is the weight of all that lies before it; every entry weighs something. O(log n)
 * for everything but walking.
 *
 * A tree is a pointer to its root; NULL is the empty one. Nodes are counted and never changed while two trees hold
 * them: tree_share is O(1), and changing one copies the way to the change. Counts are touched by tree_share, _release
 * and changes only, so another thread may read a tree that nobody changes or releases meanwhile.
 *
 * Changes return 0, or -ENOMEM with the tree as it was. The caller vouches for positions. Internal to ot/. */
#ifndef OT_TREE_H
#define OT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_node;

struct tree_kind {
    size_t entry_bytes;                  /* a multiple of 8, 64 at most */
    size_t (*weight)(const void *entry); /* NULL: each weighs 1 */
    void (*hold)(const void *entry);     /* the entry was copied: count what it holds once more */
    void (*release)(void *entry);        /* the entry goes */
};

struct tree_node *tree_share(struct tree_node *root);
void tree_release(const struct tree_kind *kind, struct tree_node *root);

size_t tree_weight(const struct tree_kind *kind, const struct tree_node *root);

/* The entry in which position *at lies; *at becomes the position in it. NULL at the end. Borrowed until the next
 * change. */
const void *tree_at(const struct tree_kind *kind, const struct tree_node *root, size_t *at);

/* The same, and nobody else holds it or what is above it afterwards, so it may be changed; not what it weighs. NULL: no
 * memory. */
__attribute__((warn_unused_result)) void *tree_own(const struct tree_kind *kind, struct tree_node **root, size_t *at);

/* Puts an entry where another begins, or at the end. It is moved into the tree: what it holds is the tree's on success.
 */
__attribute__((warn_unused_result)) int tree_insert(const struct tree_kind *kind, struct tree_node **root, size_t at,
                                                    const void *entry);

/* Makes the first of n insertions, n > 0, into an empty tree cheaper. Until that one the tree can only be released. */
__attribute__((warn_unused_result)) int tree_reserve(const struct tree_kind *kind, struct tree_node **root, size_t n);

/* Takes out the entry that begins at a position, and moves it into *out. */
__attribute__((warn_unused_result)) int tree_remove(const struct tree_kind *kind, struct tree_node **root, size_t at,
                                                    void *out);

/* Moves an entry into the place of the one that begins at a position, which moves into *out; it may weigh something
 * else. */
__attribute__((warn_unused_result)) int tree_replace(const struct tree_kind *kind, struct tree_node **root, size_t at,
                                                     const void *entry, void *out);

/* For sorted trees: the position of the first entry that is not less than the key, into *at; true when it is equal.
 * compare(key, entry): less, equal or greater than 0. Each entry weighs 1. */
bool tree_search(const struct tree_kind *kind, const struct tree_node *root,
                 int (*compare)(const void *key, const void *entry), const void *key, size_t *at);

/* ---- walking ----------------------------------------------------------------------------------------------------- */

#define TREE_MAX_HEIGHT 24

/* Walks a tree that nobody changes meanwhile. Holds no reference. */
struct tree_cursor {
    const struct tree_kind *kind;
    const struct tree_node *leaf;
    size_t next; /* entry of the leaf */
    size_t depth;
    struct {
        const struct tree_node *node;
        size_t child;
    } path[TREE_MAX_HEIGHT];
};

/* Before the entry in which position *at lies; *at becomes the position in it. */
void tree_cursor_init(struct tree_cursor *cursor, const struct tree_kind *kind, const struct tree_node *root,
                      size_t *at);
const void *tree_cursor_next(struct tree_cursor *cursor); /* NULL at the end */

#endif
