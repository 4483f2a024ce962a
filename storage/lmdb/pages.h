/* The data file as LMDB's pages, read without LMDB: for whoever must not be killed, led astray or held for ever by what
 * is damaged in it. Nothing that is read is believed: every offset, number and length is held against its bounds.
 *
 *     file     | meta | meta | page | page | ...            a page: its number, flags, lower, upper, n places of nodes
 *     branch   | key, child | key, child | ...              child i holds keys from its key up to that of the next
 *     leaf     | key, value | key, number of pages that hold the value | ...
 *
 * That is the format of LMDB 0.9 (data version 1) on a machine like the one that wrote it. While pages are open, LMDB's
 * own reader holds the moment that is read, so that a server beside us does not write over it, and the directory's
 * lock of those who read holds the file, so that no other is put in its place. */
#ifndef STORAGE_LMDB_PAGES_H
#define STORAGE_LMDB_PAGES_H

#include <lmdb.h>
#include <stdbool.h>

#include "storage/store.h"

#define PAGE_NONE       UINT64_MAX
#define PAGE_HEAD_BYTES 16

/* A tree as the record that leads to it describes it. */
struct tree_root {
    uint64_t page; /* PAGE_NONE: it is empty */
    uint64_t n_entries;
    unsigned depth, flags; /* flags: how keys are compared; of ours none is set, of the free pages they are numbers */
};
#define TREE_FLAGS_FREE 8

struct pages {
    int fd, lock_fd;
    MDB_env *env; /* NULL: LMDB can't open it; what is read may then be written over by a server beside us */
    MDB_txn *txn;
    size_t page_bytes;
    uint64_t n_pages, n_pages_in_file; /* in use; whole ones that the file has */
    struct tree_root free, main;
    char *cache; /* NULL: every page is read anew */
    uint64_t *cached;
};

/* 0 or -errno (-EBADMSG: no page says what the file is), with a sentence in why[0..n_why). path: the data directory. */
STORE_MUST_CHECK int pages_open(const char *path, struct pages *out, char *why, size_t n_why);
void pages_close(struct pages *pages);

/* Whether the two first pages agree, and the file is as long as they say: what LMDB does not look at. Cheap; beside a
 * server as well. 0; with a sentence in why[0..n_why): -EBADMSG, they do not; -ENODATA, the file is shorter; -errno. */
STORE_MUST_CHECK int pages_judge(const char *path, char *why, size_t n_why);

/* Page `number` into `into`, page_bytes long. 0, or -errno: -EBADMSG, it is not in the file. */
STORE_MUST_CHECK int pages_read(struct pages *pages, uint64_t number, char *into);
/* Bytes behind the head of a run of pages. */
STORE_MUST_CHECK int pages_read_value(struct pages *pages, uint64_t number, size_t n_bytes, char *into);

enum page_kind { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4 };

/* What its head says. */
uint64_t page_number(const char *page);
unsigned page_flags(const char *page); /* an enum page_kind, or something that has no place in our trees */
uint32_t page_run(const char *page);   /* of PAGE_OVERFLOW: how many pages it goes on */
/* Nodes of a branch or a leaf; SIZE_MAX: lower makes no sense. */
size_t page_count(const struct pages *pages, const char *page);

struct node {
    struct bytes key;   /* in the page */
    uint64_t child;     /* of a branch; of a leaf: the first page of the value; PAGE_NONE: it is here */
    struct bytes value; /* of a leaf: here, or only its length */
    bool is_tree;       /* the value is the record of a tree */
    bool is_odd;        /* marked as nothing of ours is */
};

/* Node i of n. 0, or -EBADMSG: it does not lie within its page. */
STORE_MUST_CHECK int page_node(const struct pages *pages, const char *page, size_t i, bool is_branch, struct node *out);

/* Whether its nodes fill what lies behind upper: one too few, and it is not all of them. */
bool page_adds_up(const struct pages *pages, const char *page, bool is_branch);

/* Where node i lies in its page; and a copy of a page with other nodes, of those that lie in it. */
uint16_t page_offset(const char *page, size_t i);
void page_offsets_clear(char *page);
void page_offset_add(char *page, uint16_t offset); /* not more than there were */

/* 0 or -EBADMSG. */
STORE_MUST_CHECK int tree_root_read(struct bytes value, struct tree_root *out);

static inline uint64_t pages_run_of(const struct pages *pages, size_t n_bytes)
{
    return (PAGE_HEAD_BYTES + (uint64_t)n_bytes + pages->page_bytes - 1) / pages->page_bytes;
}

#endif
