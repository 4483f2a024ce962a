/* Walking the lists of leaves that trees.c has made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/batch.h"
#include "storage/lmdb/trees.h"

int cursor_init(struct cursor *cursor, struct trees *trees, enum db db)
{
    *cursor = (struct cursor){ .trees = trees, .db = db, .page = malloc(trees->pages.page_bytes) };
    buffer_init(&cursor->value, VALUE_MOST);
    return cursor->page ? 0 : -ENOMEM;
}

void cursor_finish(struct cursor *cursor)
{
    free(cursor->page);
    buffer_finish(&cursor->value);
}

/* A page that could be read once and can't any more is passed over. */
static bool cursor_load(struct cursor *cursor, size_t leaf)
{
    const struct leaf_list *list = &cursor->trees->leaves[cursor->db];

    cursor->leaf = leaf;
    cursor->n = 0;
    cursor->is_loaded = true;
    if (leaf >= list->n || trees_leaf(cursor->trees, list->pages[leaf], cursor->page))
        return false;
    cursor->n = page_count(&cursor->trees->pages, cursor->page);
    if (cursor->n == SIZE_MAX)
        cursor->n = 0;
    return cursor->n > 0;
}

/* The node at leaf and index, or the next one that can be read. */
static int cursor_settle(struct cursor *cursor)
{
    size_t n_leaves = cursor->trees->leaves[cursor->db].n;

    for (; cursor->leaf < n_leaves; cursor->index = 0, (void)cursor_load(cursor, cursor->leaf + 1))
        for (; cursor->index < cursor->n; cursor->index++)
            if (!page_node(&cursor->trees->pages, cursor->page, cursor->index, false, &cursor->node)) {
                cursor->key = cursor->node.key;
                return 0;
            }
    return -ENOENT;
}

int cursor_next(struct cursor *cursor)
{
    cursor->index++;
    return cursor_settle(cursor);
}

static bool leaf_begins_behind(struct cursor *cursor, size_t leaf, struct bytes key)
{
    struct node node;

    if (!cursor_load(cursor, leaf))
        return false;
    for (size_t i = 0; i < cursor->n; i++)
        if (!page_node(&cursor->trees->pages, cursor->page, i, false, &node))
            return bytes_compare(node.key, key) > 0;
    return false;
}

int cursor_seek(struct cursor *cursor, struct bytes key)
{
    size_t low = 0, high = cursor->trees->leaves[cursor->db].n;
    int r;

    while (low < high) { /* to the first leaf that begins behind it */
        size_t middle = low + (high - low) / 2;

        if (leaf_begins_behind(cursor, middle, key))
            high = middle;
        else
            low = middle + 1;
    }
    (void)cursor_load(cursor, low ? low - 1 : 0);
    cursor->index = 0;
    r = cursor_settle(cursor);
    while (!r && bytes_compare(cursor->key, key) < 0)
        r = cursor_next(cursor);
    return r;
}

int cursor_sealed(struct cursor *cursor, struct bytes *out)
{
    const struct node *node = &cursor->node;
    int r;

    if (node->child == PAGE_NONE) {
        *out = node->value;
        return 0;
    }
    buffer_reset(&cursor->value);
    if (pages_run_of(&cursor->trees->pages, node->value.n_bytes) > cursor->trees->pages.n_pages)
        return -EBADMSG;
    if (!buffer_room(&cursor->value, node->value.n_bytes + 1))
        return cursor->value.error;
    r = pages_read_value(&cursor->trees->pages, node->child, node->value.n_bytes, cursor->value.at);
    if (!r)
        *out = bytes_of(cursor->value.at, node->value.n_bytes);
    return r;
}

int cursor_value(struct cursor *cursor, struct bytes *out)
{
    struct bytes sealed = { 0 };
    int r = cursor_sealed(cursor, &sealed);

    return r ? r : unseal(cursor->db, cursor->key, sealed, out);
}

int cursor_get(struct cursor *cursor, struct bytes key, struct bytes *out)
{
    int r = cursor_seek(cursor, key);

    if (!r && !bytes_equal(cursor->key, key))
        r = -ENOENT;
    return r ? r : cursor_value(cursor, out);
}
