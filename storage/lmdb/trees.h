/* The databases of a store as lists of leaf pages, in the order of their keys: walked from the root as far as pages can
 * be read, completed with leaves that nothing leads to any more (what they hold is recognised by its seal).
 *
 *     root -> branch -> | leaf | leaf | ....damaged branch.... | leaf |
 *                                        | leaf | leaf |              found in the file: not free, in no tree
 *
 * So what a damaged page costs is what was in it, and no more. Memory: 8 bytes a leaf, two bits a page. */
#ifndef STORAGE_LMDB_TREES_H
#define STORAGE_LMDB_TREES_H

#include "storage/lmdb/environment.h"
#include "storage/lmdb/pages.h"
#include "storage/lmdb/verify.h"

/* A leaf that is not in order, with what of it is: entries whose seals fit, sorted. */
struct mended {
    uint64_t number;
    char *page;
};

struct leaf_list {
    uint64_t *pages;
    size_t n, capacity;
    bool is_found;      /* the tree of trees has it */
    bool is_whole;      /* the walk met nothing that it could not read */
    bool is_disordered; /* something that it met does not stand where it should */
};

struct trees {
    struct pages pages;
    struct leaf_list leaves[N_DBS];
    struct leaf_list others;    /* of the tree of trees, and of the free ones: while they are walked */
    unsigned char *used, *free; /* bits */
    struct mended *mended;
    size_t n_mended;
    const struct verify_config *config; /* who is told */
    struct buffer scratch;
    int r; /* -ENOMEM and the like: nothing is true any more */
};

/* Opens the file and walks all of it. 0, or -errno with a sentence for people. config: its path, and who is told;
 * borrowed. */
STORE_MUST_CHECK int trees_open(const struct verify_config *config, struct trees *out, char *why, size_t n_why);
void trees_close(struct trees *trees);

/* As pages_judge; a file that is too short is gone into: LMDB does not write a page that one transaction took and gave
 * back, so a sound file may lack its last ones, as long as they are free. 0, -EBADMSG, -errno. */
STORE_MUST_CHECK int trees_judge(const char *path, char *why, size_t n_why);

/* A leaf as it can be used. 0, -errno. */
STORE_MUST_CHECK int trees_leaf(struct trees *trees, uint64_t number, char *into);

/* Walks a database from key to key. */
struct cursor {
    struct trees *trees;
    enum db db;
    size_t leaf, index, n; /* nodes of the leaf at hand */
    char *page;
    bool is_loaded;
    struct bytes key; /* valid until the next step */
    struct node node;
    struct buffer value;
};

STORE_MUST_CHECK int cursor_init(struct cursor *cursor, struct trees *trees, enum db db); /* 0, -ENOMEM */
void cursor_finish(struct cursor *cursor);

/* To the first key at or behind `key`; to the next. 0, or -ENOENT: there is none; -errno. */
STORE_MUST_CHECK int cursor_seek(struct cursor *cursor, struct bytes key);
STORE_MUST_CHECK int cursor_next(struct cursor *cursor);
/* What stands there. 0, -EBADMSG (it can't be read, or its seal does not fit), -errno; valid until the next step. */
STORE_MUST_CHECK int cursor_sealed(struct cursor *cursor, struct bytes *out); /* as it is stored */
STORE_MUST_CHECK int cursor_value(struct cursor *cursor, struct bytes *out);  /* what was sealed */

/* Exactly that key; out: valid until the cursor's next step. 0, -ENOENT, -EBADMSG, -errno. */
STORE_MUST_CHECK int cursor_get(struct cursor *cursor, struct bytes key, struct bytes *out);

/* ---- trees.c, leaves.c and free_pages.c between themselves --------------------------------------------------------
 */

#define VALUE_MOST ((size_t)2 << 30)

static inline bool bit_get(const unsigned char *bits, uint64_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}

static inline void bit_set(unsigned char *bits, uint64_t i)
{
    bits[i / 8] = (unsigned char)(bits[i / 8] | 1 << i % 8);
}

static inline void bit_clear(unsigned char *bits, uint64_t i)
{
    bits[i / 8] = (unsigned char)(bits[i / 8] & ~(1 << i % 8));
}

/* Opens the file and walks nothing yet; trees_close. 0, or -errno with a sentence for people. */
STORE_MUST_CHECK int trees_begin(const struct verify_config *config, struct trees *trees, char *why, size_t n_why);

STORE_MUST_CHECK int leaf_add(struct leaf_list *list, uint64_t page);
/* Keeps what is sound in it, in order. */
STORE_MUST_CHECK int leaf_mend(struct trees *trees, enum db db, uint64_t number, const char *page);
/* In the order of their first keys; those that hold nothing go. */
STORE_MUST_CHECK int leaves_sort(struct trees *trees, struct leaf_list *list);
/* Leaves in the file that nothing leads to, into the lists where something is missing. */
STORE_MUST_CHECK int leaves_recover(struct trees *trees);

/* Walks a tree. `into` trees->others: one that is not of our databases; what it has is added. */
void trees_walk_one(struct trees *trees, const char *name, const struct tree_root *root, struct leaf_list *into);
/* Calls `each` for every readable node of the leaves in `others`. */
STORE_MUST_CHECK int trees_each_other(struct trees *trees, int (*each)(struct trees *trees, const struct node *node));

/* Fills trees->free. */
STORE_MUST_CHECK int free_pages_find(struct trees *trees);
/* Then: whether the pages that the file is too short for are all free. */
bool free_pages_are_all_that_lack(const struct trees *trees);

#define FILE_DAMAGE                                                                                                    \
    (struct verify_finding)                                                                                            \
    {                                                                                                                  \
        .severity = VERIFY_DAMAGE, .database = "file"                                                                  \
    }

/* Tells trees->config. */
__attribute__((format(printf, 3, 4))) void trees_tell(const struct trees *trees, struct verify_finding finding,
                                                      const char *format, ...);

#endif
