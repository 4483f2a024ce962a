#include "storage/lmdb/trees.h"
#include "storage/lmdb/batch.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST     32 /* as LMDB's own */
#define KEY_MOST       511
#define PROGRESS_PAGES 256

void trees_tell(const struct trees *trees, struct verify_finding finding, const char *format, ...)
{
    char what[512];
    va_list args;

    if (!trees->config->on_finding)
        return;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    finding.what = what;
    trees->config->on_finding(trees->config->arg, &finding);
}

/* ---- walking one tree -------------------------------------------------------------------------------------------- */

struct walk {
    struct trees *trees;
    const char *name;
    struct leaf_list *into;
    unsigned depth; /* of the leaves, from 1 */
    uint64_t n_entries;
    char *pages[DEPTH_MOST];
    enum db db;
    bool is_ours; /* one of our databases: keys are compared as bytes, values are sealed */
    bool is_odd;  /* something is wrong in the page at hand */
};

/* What lies below is lost to whoever goes by the tree. */
static void walk_lost(struct walk *walk, uint64_t page, const char *why)
{
    trees_tell(walk->trees, FILE_DAMAGE, "page %llu, of database %s, %s", (unsigned long long)page, walk->name, why);
    walk->into->is_whole = false;
}

static void walk_says(struct walk *walk, uint64_t page, const char *what)
{
    trees_tell(walk->trees, FILE_DAMAGE, "page %llu, of database %s: %s", (unsigned long long)page, walk->name, what);
    walk->is_odd = true;
}

/* The pages of a value, which no other may have. */
static void claim_run(struct walk *walk, uint64_t leaf, const struct node *node)
{
    struct trees *trees = walk->trees;
    uint64_t n = pages_run_of(&trees->pages, node->value.n_bytes);

    if (node->child < 2 || node->child >= trees->pages.n_pages || n > trees->pages.n_pages - node->child) {
        walk_says(walk, leaf, "a value lies outside of the file");
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (bit_get(trees->used, node->child + i)) {
            walk_says(walk, leaf, "a value lies where something else is");
            return;
        }
    }
    for (uint64_t i = 0; i < n; i++)
        bit_set(trees->used, node->child + i);
    if (trees->scratch.n_bytes == 0 && !buffer_room(&trees->scratch, trees->pages.page_bytes)) {
        trees->r = -ENOMEM;
        return;
    }
    if (pages_read(&trees->pages, node->child, trees->scratch.at))
        walk_says(walk, node->child, "the head of a value can't be read");
    else if (page_number(trees->scratch.at) != node->child || !(page_flags(trees->scratch.at) & PAGE_OVERFLOW) ||
             page_run(trees->scratch.at) != n)
        walk_says(walk, node->child, "the head of a value is damaged");
}

struct bounds {
    struct bytes low, high; /* at NULL: none */
};

/* Keys ascend, and lie where the page is looked for. */
static void walk_keys(struct walk *walk, uint64_t number, const char *page, size_t n, bool is_branch,
                      const struct bounds *bounds)
{
    struct bytes before = { 0 };
    struct node node;

    for (size_t i = 0; i < n; i++) {
        if (page_node(&walk->trees->pages, page, i, is_branch, &node)) {
            walk_says(walk, number, "an entry does not lie within it");
            return;
        }
        if (is_branch && i == 0)
            continue; /* stands for everything below */
        if (!is_branch && (node.is_odd || (walk->is_ours && node.is_tree)))
            walk_says(walk, number, "an entry is marked as nothing of ours is");
        if ((node.key.n_bytes == 0 && !is_branch) || node.key.n_bytes > KEY_MOST)
            walk_says(walk, number, "a key has an impossible length");
        else if (walk->is_ours && before.at && bytes_compare(before, node.key) >= 0)
            walk_says(walk, number, "keys are not in order, so that they are not found");
        else if (walk->is_ours && ((bounds->low.at && bytes_compare(node.key, bounds->low) < 0) ||
                                   (bounds->high.at && bytes_compare(node.key, bounds->high) >= 0)))
            walk_says(walk, number, "a key lies in the wrong page, where it is not found");
        before = node.key;
    }
}

/* The head of a page. false: it can't be used. */
static bool walk_head(struct walk *walk, uint64_t number, const char *page, bool is_branch, size_t *n)
{
    unsigned kind = page_flags(page) & 0x6f;

    *n = page_count(&walk->trees->pages, page);
    if (*n == SIZE_MAX || *n == 0) {
        walk_lost(walk, number, "holds nothing that can be read");
        return false;
    }
    if (page_number(page) == number && kind == (is_branch ? PAGE_BRANCH : PAGE_LEAF))
        return true;
    walk_lost(walk, number,
              page_number(page) != number ? "says that it is another one" : "says that it is of another kind");
    bit_clear(walk->trees->used, number); /* perhaps it is somebody's */
    return false;
}

static void walk_leaf(struct walk *walk, uint64_t number, const char *page, size_t n)
{
    struct node node;

    walk->n_entries += n;
    if (leaf_add(walk->into, number))
        walk->trees->r = -ENOMEM;
    else if (walk->is_odd && walk->is_ours)
        walk->trees->r = leaf_mend(walk->trees, walk->db, number, page);
    walk->into->is_disordered |= walk->is_odd;
    for (size_t i = 0; i < n && !walk->trees->r; i++)
        if (!page_node(&walk->trees->pages, page, i, false, &node) && node.child != PAGE_NONE)
            claim_run(walk, number, &node);
}

static bool walk_enter(struct walk *walk, uint64_t number, unsigned level)
{
    struct trees *trees = walk->trees;

    if (number < 2 || number >= trees->pages.n_pages) {
        walk_lost(walk, number, "is not in the file");
        return false;
    }
    if (bit_get(trees->used, number)) {
        walk_lost(walk, number, "belongs to something else as well");
        return false;
    }
    if (!walk->pages[level] && !(walk->pages[level] = malloc(trees->pages.page_bytes))) {
        trees->r = -ENOMEM;
        return false;
    }
    if (pages_read(&trees->pages, number, walk->pages[level])) {
        walk_lost(walk, number, "can't be read");
        return false;
    }
    bit_set(trees->used, number);
    if (number % PROGRESS_PAGES == 0 && trees->config->on_progress)
        trees->config->on_progress(trees->config->arg, walk->name, walk->into->n, 0);
    return true;
}

/* The page of a level, ready to go through what is below. false: there is nothing to go through. */
static bool walk_page(struct walk *walk, uint64_t number, unsigned level, const struct bounds *bounds, size_t *n)
{
    bool is_branch = level + 1 < walk->depth;
    const char *page;

    if (!walk_enter(walk, number, level))
        return false;
    page = walk->pages[level];
    if (!walk_head(walk, number, page, is_branch, n))
        return false;
    walk->is_odd = false;
    if (!page_adds_up(&walk->trees->pages, page, is_branch))
        walk_says(walk, number, "its entries are not what its head says");
    walk_keys(walk, number, page, *n, is_branch, bounds);
    walk->into->is_disordered |= walk->is_odd;
    if (!is_branch)
        walk_leaf(walk, number, page, *n);
    return is_branch;
}

static bool branch_child(struct walk *walk, const char *page, size_t i, size_t n, struct bounds *bounds, uint64_t *out)
{
    struct node node, next;

    if (page_node(&walk->trees->pages, page, i, true, &node)) {
        walk->into->is_whole = false;
        return false;
    }
    if (i > 0)
        bounds->low = node.key;
    if (i + 1 < n && !page_node(&walk->trees->pages, page, i + 1, true, &next))
        bounds->high = next.key;
    *out = node.child;
    return true;
}

/* bounds[l] are those of the page at level l; they point into the pages above it. */
static void walk_below(struct walk *walk, uint64_t root)
{
    struct bounds bounds[DEPTH_MOST] = { 0 };
    size_t n[DEPTH_MOST], at[DEPTH_MOST] = { 0 };
    unsigned level = 0;
    uint64_t child;
    bool enters;

    if (!walk_page(walk, root, 0, &bounds[0], &n[0]))
        return;
    while (!walk->trees->r) {
        if (at[level] == n[level]) {
            if (level-- == 0)
                return;
            continue;
        }
        bounds[level + 1] = bounds[level];
        enters = branch_child(walk, walk->pages[level], at[level]++, n[level], &bounds[level + 1], &child) &&
                 walk_page(walk, child, level + 1, &bounds[level + 1], &n[level + 1]);
        if (enters)
            at[++level] = 0;
    }
}

void trees_walk_one(struct trees *trees, const char *name, const struct tree_root *root, struct leaf_list *into)
{
    struct walk walk = { .trees = trees, .name = name, .into = into, .depth = root->depth };
    ptrdiff_t db = into - trees->leaves;

    into->is_found = into->is_whole = true;
    walk.is_ours = into != &trees->others;
    walk.db = walk.is_ours ? (enum db)db : N_DBS;
    if (root->page != PAGE_NONE && (root->depth == 0 || root->depth > DEPTH_MOST))
        walk_lost(&walk, root->page, "lies in a tree of an impossible depth");
    else if (root->page != PAGE_NONE)
        walk_below(&walk, root->page);
    if (into->is_whole && walk.n_entries != root->n_entries)
        trees_tell(trees, FILE_DAMAGE, "database %s says that it has %llu entries, but has %llu", name,
                   (unsigned long long)root->n_entries, (unsigned long long)walk.n_entries);
    if (into->is_disordered && walk.is_ours && !trees->r)
        trees->r = leaves_sort(trees, into);
    for (size_t i = 0; i < DEPTH_MOST; i++)
        free(walk.pages[i]);
}

/* ---- the tree of trees ------------------------------------------------------------------------------------------- */

int trees_each_other(struct trees *trees, int (*each)(struct trees *trees, const struct node *node))
{
    char *page = malloc(trees->pages.page_bytes);
    struct node node;
    int r = page ? 0 : -ENOMEM;

    for (size_t i = 0; !r && i < trees->others.n; i++) {
        size_t n = pages_read(&trees->pages, trees->others.pages[i], page) ? 0 : page_count(&trees->pages, page);

        /* SIZE_MAX: it was in order when it was walked, and is another one by now */
        for (size_t k = 0; !r && n != SIZE_MAX && k < n; k++)
            if (!page_node(&trees->pages, page, k, false, &node))
                r = each(trees, &node);
    }
    free(page);
    return r;
}

static int tree_found(struct trees *trees, const struct node *node)
{
    struct tree_root root;

    if (node->child != PAGE_NONE || tree_root_read(node->value, &root))
        return 0;
    for (size_t i = 0; i < N_DBS; i++)
        if (bytes_equal(node->key, bytes_of_string(environment_db_name((enum db)i))) && !trees->leaves[i].is_whole) {
            trees_walk_one(trees, environment_db_name((enum db)i), &root, &trees->leaves[i]);
            if (!node->is_tree || root.flags)
                trees_tell(trees, FILE_DAMAGE, "database %s is not marked as one", environment_db_name((enum db)i));
            return trees->r;
        }
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static bool trees_are_whole(const struct trees *trees)
{
    for (size_t i = 0; i < N_DBS; i++)
        if (!trees->leaves[i].is_whole)
            return false;
    return true;
}

/* Where the tree of trees is damaged that was told. A store of format 1 has no large bodies: whoever reads the format
 * record tells. */
static void trees_miss(struct trees *trees)
{
    for (size_t i = 0; i < N_DBS; i++)
        if (!trees->leaves[i].is_found && trees->others.is_whole) {
            if (i == DB_LARGE)
                trees->leaves[i].is_whole = true;
            else
                trees_tell(trees, FILE_DAMAGE, "database %s is not found", environment_db_name((enum db)i));
        }
}

/* In a sound file every page is in a tree or free. */
static void trees_count(const struct trees *trees)
{
    uint64_t n = 0;

    for (uint64_t i = 2; i < trees->pages.n_pages; i++)
        n += !bit_get(trees->used, i) && !bit_get(trees->free, i);
    if (n)
        trees_tell(trees, (struct verify_finding){ .severity = VERIFY_LEFTOVER, .database = "file" },
                   "%llu pages are in no tree and not free", (unsigned long long)n);
}

static int trees_walk(struct trees *trees)
{
    const struct pages *pages = &trees->pages;
    char why[PATH_MAX + 160];
    int judgement = pages_judge(trees->config->path, why, sizeof(why)), r;

    if (judgement == -EBADMSG)
        trees_tell(trees, FILE_DAMAGE, "%s", why);
    trees_walk_one(trees, "main", &pages->main, &trees->others);
    r = trees->r ? trees->r : trees_each_other(trees, tree_found);
    if (r)
        return r;
    trees_miss(trees);
    r = free_pages_find(trees);
    if (r)
        return r;
    if (judgement == -ENODATA && !free_pages_are_all_that_lack(trees))
        trees_tell(trees, FILE_DAMAGE, "%s", why);
    trees_count(trees);
    return trees_are_whole(trees) ? 0 : leaves_recover(trees);
}

int trees_begin(const struct verify_config *config, struct trees *trees, char *why, size_t n_why)
{
    int r;

    *trees = (struct trees){ .config = config };
    r = pages_open(config->path, &trees->pages, why, n_why);
    if (r)
        return r;
    buffer_init(&trees->scratch, VALUE_MOST);
    trees->used = calloc(1, trees->pages.n_pages / 8 + 1);
    trees->free = calloc(1, trees->pages.n_pages / 8 + 1);
    if (trees->used && trees->free)
        return 0;
    trees_close(trees);
    (void)snprintf(why, n_why, "can't read the store in %s: %s", config->path, strerror(ENOMEM));
    return -ENOMEM;
}

int trees_open(const struct verify_config *config, struct trees *out, char *why, size_t n_why)
{
    struct trees trees;
    int r = trees_begin(config, &trees, why, n_why);

    if (r)
        return r;
    r = trees_walk(&trees);
    if (r) {
        (void)snprintf(why, n_why, "can't read the store in %s: %s", config->path, strerror(-r));
        trees_close(&trees);
        return r;
    }
    *out = trees;
    return 0;
}

void trees_close(struct trees *trees)
{
    for (size_t i = 0; i < N_DBS; i++)
        free(trees->leaves[i].pages);
    for (size_t i = 0; i < trees->n_mended; i++)
        free(trees->mended[i].page);
    free(trees->mended);
    free(trees->others.pages);
    free(trees->used);
    free(trees->free);
    buffer_finish(&trees->scratch);
    pages_close(&trees->pages);
}
