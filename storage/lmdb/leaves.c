#include "storage/lmdb/trees.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/batch.h"

#define KEY_MOST 511

int leaf_add(struct leaf_list *list, uint64_t page)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint64_t *grown = realloc(list->pages, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        list->pages = grown;
        list->capacity = capacity;
    }
    list->pages[list->n++] = page;
    return 0;
}

/* ---- leaves as they can be used ---------------------------------------------------------------------------------- */

int trees_leaf(struct trees *trees, uint64_t number, char *into)
{
    for (size_t i = 0; i < trees->n_mended; i++)
        if (trees->mended[i].number == number) {
            memcpy(into, trees->mended[i].page, trees->pages.page_bytes);
            return 0;
        }
    return pages_read(&trees->pages, number, into);
}

/* Whether its seal fits, as a value of that database. */
static bool node_is_sound(struct trees *trees, enum db db, const struct node *node)
{
    struct bytes sealed = node->value, value;

    if (node->key.n_bytes == 0 || node->key.n_bytes > KEY_MOST || sealed.n_bytes > VALUE_MOST ||
        pages_run_of(&trees->pages, sealed.n_bytes) > trees->pages.n_pages)
        return false;
    if (node->child != PAGE_NONE) {
        buffer_reset(&trees->scratch);
        if (!buffer_room(&trees->scratch, sealed.n_bytes + 1) ||
            pages_read_value(&trees->pages, node->child, sealed.n_bytes, trees->scratch.at))
            return false;
        sealed.at = trees->scratch.at;
    }
    if (db == DB_INBOX && sealed.n_bytes > BATCH_HEAD_BYTES)
        sealed.n_bytes = BATCH_HEAD_BYTES;
    return !unseal(db, node->key, sealed, &value);
}

struct place {
    uint64_t page; /* or the offset of a node */
    size_t n_key;
    char key[KEY_MOST];
};

static int place_compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return bytes_compare(bytes_of(a->key, a->n_key), bytes_of(b->key, b->n_key));
}

static void place_set(struct place *place, uint64_t page, struct bytes key)
{
    place->page = page;
    place->n_key = key.n_bytes;
    memcpy(place->key, key.at, key.n_bytes);
}

int leaf_mend(struct trees *trees, enum db db, uint64_t number, const char *page)
{
    size_t n = page_count(&trees->pages, page), n_kept = 0;
    struct mended *grown = realloc(trees->mended, (trees->n_mended + 1) * sizeof(*grown));
    struct place *kept = malloc((n + 1) * sizeof(*kept));
    char *copy = malloc(trees->pages.page_bytes);
    struct node node;

    if (grown)
        trees->mended = grown;
    if (!grown || !kept || !copy) {
        free(kept);
        free(copy);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        if (!page_node(&trees->pages, page, i, false, &node) && node_is_sound(trees, db, &node))
            place_set(&kept[n_kept++], page_offset(page, i), node.key);
    qsort(kept, n_kept, sizeof(*kept), place_compare);
    memcpy(copy, page, trees->pages.page_bytes);
    page_offsets_clear(copy);
    for (size_t i = 0; i < n_kept; i++)
        page_offset_add(copy, (uint16_t)kept[i].page);
    trees->mended[trees->n_mended++] = (struct mended){ number, copy };
    free(kept);
    return 0;
}

static bool leaf_first_key(struct trees *trees, uint64_t number, char *page, struct place *out)
{
    struct node node;
    size_t n = trees_leaf(trees, number, page) ? SIZE_MAX : page_count(&trees->pages, page);

    for (size_t i = 0; n != SIZE_MAX && i < n; i++)
        if (!page_node(&trees->pages, page, i, false, &node) && node.key.n_bytes <= KEY_MOST) {
            place_set(out, number, node.key);
            return true;
        }
    return false;
}

int leaves_sort(struct trees *trees, struct leaf_list *list)
{
    struct place *places = malloc((list->n + 1) * sizeof(*places));
    char *page = malloc(trees->pages.page_bytes);
    size_t n = 0;

    for (size_t i = 0; places && page && i < list->n; i++)
        n += leaf_first_key(trees, list->pages[i], page, &places[n]);
    free(page);
    if (!places || !page) {
        free(places);
        return -ENOMEM;
    }
    qsort(places, n, sizeof(*places), place_compare);
    for (size_t i = 0; i < n; i++)
        list->pages[i] = places[i].page;
    list->n = n;
    free(places);
    return 0;
}

/* ---- leaves that nothing leads to -------------------------------------------------------------------------------- */

/* Which database a leaf is of, by the seals of what is in it. */
static bool leaf_recognise(struct trees *trees, const char *page, enum db *out)
{
    size_t n = page_count(&trees->pages, page);
    struct node node;

    for (size_t i = 0; n != SIZE_MAX && i < n; i++) {
        if (page_node(&trees->pages, page, i, false, &node))
            continue;
        for (size_t db = 0; db < N_DBS; db++)
            if (node_is_sound(trees, (enum db)db, &node)) {
                *out = (enum db)db;
                return true;
            }
    }
    return false;
}

static bool leaf_is_ordered(const struct trees *trees, const char *page)
{
    size_t n = page_count(&trees->pages, page);
    struct bytes before = { 0 };
    struct node node;

    for (size_t i = 0; i < n; i++, before = node.key)
        if (page_node(&trees->pages, page, i, false, &node) || (before.at && bytes_compare(before, node.key) >= 0))
            return false;
    return true;
}

static bool is_lost(const struct trees *trees, uint64_t number)
{
    return number >= 2 && number < trees->pages.n_pages && !bit_get(trees->used, number) &&
           !bit_get(trees->free, number);
}

/* Whether the page that lies at `at` is one that nothing leads to and that was not given up: it may have been written
 * to a wrong place, or only its number is damaged. What was given up is of another time. */
static bool page_is_missed(struct trees *trees, uint64_t at, const char *page, char *other)
{
    uint64_t number = page_number(page);

    if (number == at || is_lost(trees, number) || !is_lost(trees, at))
        return is_lost(trees, number);
    return number >= trees->pages.n_pages || pages_read(&trees->pages, number, other) || page_number(other) == number;
}

/* Only when something is lost; in a sound file every page is in a tree or free. */
int leaves_recover(struct trees *trees)
{
    char *page = malloc(trees->pages.page_bytes), *other = malloc(trees->pages.page_bytes);
    uint64_t n_found = 0;
    int r = page && other ? 0 : -ENOMEM;
    enum db db;

    for (uint64_t i = 2; !r && i < trees->pages.n_pages; i++) {
        if (bit_get(trees->used, i) || pages_read(&trees->pages, i, page) || !page_is_missed(trees, i, page, other) ||
            !leaf_recognise(trees, page, &db) || (!trees->others.is_whole && trees->leaves[db].is_whole))
            continue; /* without the lists of free pages nobody knows what was given up */
        r = leaf_add(&trees->leaves[db], i);
        if (!r && !leaf_is_ordered(trees, page))
            r = leaf_mend(trees, db, i, page);
        trees->leaves[db].is_disordered = true;
        n_found++;
    }
    free(page);
    free(other);
    for (size_t i = 0; !r && i < N_DBS; i++)
        if (trees->leaves[i].is_disordered)
            r = leaves_sort(trees, &trees->leaves[i]);
    if (n_found)
        trees_tell(trees, (struct verify_finding){ .severity = VERIFY_LEFTOVER, .database = "file" },
                   "%llu pages that nothing leads to any more were found in the file and are looked at",
                   (unsigned long long)n_found);
    return r;
}
