/* The pages that LMDB lists as free. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/trees.h"

static void free_page(struct trees *trees, uint64_t page)
{
    if (page < 2 || page >= trees->pages.n_pages)
        trees_tell(trees, FILE_DAMAGE, "page %llu is listed as free and is not in the file", (unsigned long long)page);
    else if (bit_get(trees->used, page))
        trees_tell(trees, FILE_DAMAGE, "page %llu is in use and listed as free: the next writes would destroy it",
                   (unsigned long long)page);
    else if (bit_get(trees->free, page))
        trees_tell(trees, FILE_DAMAGE, "page %llu is listed as free twice: two values would be written there",
                   (unsigned long long)page);
    else
        bit_set(trees->free, page);
}

static int free_found(struct trees *trees, const struct node *node)
{
    size_t n_bytes = node->value.n_bytes;
    struct buffer list;
    uint64_t n = 0, page;
    int r = 0;

    buffer_init(&list, VALUE_MOST);
    if (n_bytes > VALUE_MOST || n_bytes / 8 > trees->pages.n_pages + 1 || !buffer_room(&list, n_bytes + 1))
        r = -EBADMSG;
    else if (node->child != PAGE_NONE)
        r = pages_read_value(&trees->pages, node->child, n_bytes, list.at);
    else
        memcpy(list.at, node->value.at, n_bytes);
    if (!r && n_bytes >= 8)
        memcpy(&n, list.at, 8);
    if (r || n_bytes < 8 || n != n_bytes / 8 - 1) {
        trees_tell(trees, FILE_DAMAGE, "a list of free pages is damaged");
        trees->others.is_whole = false;
        n = 0;
    }
    for (uint64_t i = 1; i <= n; i++) {
        memcpy(&page, list.at + 8 * i, 8);
        free_page(trees, page);
    }
    buffer_finish(&list);
    return 0;
}

int free_pages_find(struct trees *trees)
{
    trees->others.n = 0;
    trees_walk_one(trees, "free", &trees->pages.free, &trees->others);
    return trees->r ? trees->r : trees_each_other(trees, free_found);
}

bool free_pages_are_all_that_lack(const struct trees *trees)
{
    const struct pages *pages = &trees->pages;

    for (uint64_t i = pages->n_pages_in_file; i < pages->n_pages; i++)
        if (i < 2 || !bit_get(trees->free, i))
            return false;
    return true;
}

int trees_judge(const char *path, char *why, size_t n_why)
{
    struct verify_config config = { .path = path };
    struct trees trees;
    char unreadable[PATH_MAX + 160];
    int r = pages_judge(path, why, n_why);

    if (r != -ENODATA)
        return r;
    r = trees_begin(&config, &trees, unreadable, sizeof(unreadable));
    if (r)
        return r;
    r = free_pages_find(&trees);
    if (!r && !free_pages_are_all_that_lack(&trees))
        r = -EBADMSG;
    trees_close(&trees);
    return r;
}
