#include "storage/lmdb/absence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/batch.h"
#include "storage/lmdb/pages.h"

#define DEPTH_MOST 32
#define KEY_MOST   511

struct path {
    struct pages pages;
    char *page;
    struct bytes key, low, high; /* what is below lies in [low, high); at NULL: no bound */
    char low_at[KEY_MOST], high_at[KEY_MOST];
    enum db db;
    const struct tree_root *root;
    bool looks_only; /* at the keys of the page that the key, */
    bool is_low;     /* or the one below it, belongs to */
};

static void bound_set(struct bytes *bound, char at[KEY_MOST], struct bytes key)
{
    memcpy(at, key.at, key.n_bytes);
    *bound = bytes_of(at, key.n_bytes);
}

static bool in_order(const struct path *path, struct bytes before, struct bytes key)
{
    return (!before.at || bytes_compare(before, key) < 0) && (!path->low.at || bytes_compare(path->low, key) <= 0) &&
           (!path->high.at || bytes_compare(key, path->high) < 0);
}

/* The page, with all of its keys looked at. */
static int page_take(struct path *path, uint64_t number, bool is_branch, size_t *n)
{
    const char *page = path->page;
    struct bytes before = { 0 };
    struct node node;
    int r = pages_read(&path->pages, number, path->page);

    if (r)
        return r;
    if (page_number(page) != number || (page_flags(page) & 0x6f) != (is_branch ? PAGE_BRANCH : PAGE_LEAF))
        return -EBADMSG;
    *n = page_count(&path->pages, page);
    if (*n == 0 || !page_adds_up(&path->pages, page, is_branch))
        return -EBADMSG;
    for (size_t i = 0; i < *n; i++) {
        if (page_node(&path->pages, page, i, is_branch, &node) || node.key.n_bytes > KEY_MOST)
            return -EBADMSG;
        if (is_branch && i == 0)
            continue; /* it has no key of its own */
        if (!in_order(path, before, node.key))
            return -EBADMSG;
        before = node.key;
    }
    return 0;
}

static int branch_follow(struct path *path, uint64_t *number)
{
    struct node node = { 0 }, below = { 0 };
    size_t n, i;
    int r = page_take(path, *number, true, &n);

    if (!r)
        r = page_node(&path->pages, path->page, 0, true, &below);
    for (i = 1; !r && i < n; i++, below = node) {
        r = page_node(&path->pages, path->page, i, true, &node);
        if (r || bytes_compare(node.key, path->key) > (path->is_low ? -1 : 0))
            break;
    }
    if (r)
        return r;
    if (i < n)
        bound_set(&path->high, path->high_at, node.key);
    if (i > 1)
        bound_set(&path->low, path->low_at, below.key);
    *number = below.child;
    return 0;
}

/* Of a batch only the head is sealed with its key. */
static int seal_check(const struct path *path, struct bytes key, struct bytes sealed)
{
    struct bytes value;

    if (path->db == DB_INBOX && sealed.n_bytes > BATCH_HEAD_BYTES)
        sealed.n_bytes = BATCH_HEAD_BYTES;
    return unseal(path->db, key, sealed, &value);
}

/* A key beside the place: it is what was sealed. */
static int neighbour_check(struct path *path, const struct node *node)
{
    struct bytes sealed = node->value;
    char *at;
    int r;

    if (node->child == PAGE_NONE)
        return seal_check(path, node->key, sealed);
    if (pages_run_of(&path->pages, sealed.n_bytes) > path->pages.n_pages)
        return -EBADMSG;
    at = malloc(sealed.n_bytes + 1);
    if (!at)
        return -ENOMEM;
    r = pages_read_value(&path->pages, node->child, sealed.n_bytes, at);
    if (!r)
        r = seal_check(path, node->key, bytes_of(at, sealed.n_bytes));
    free(at);
    return r;
}

static int path_walk(struct path *path);

/* The page on the other side of a bound keeps to it as well: a branch whose key has changed leads past others. */
static int beyond_check(const struct path *path, struct bytes bound, bool is_low)
{
    struct path beyond = {
        .pages = path->pages, .key = bound, .db = path->db, .root = path->root, .looks_only = true, .is_low = is_low
    };

    return bound.at ? path_walk(&beyond) : 0;
}

/* 0: it is there. */
static int leaf_look(struct path *path, uint64_t number)
{
    struct node node, before = { 0 };
    size_t n, i;
    int r = page_take(path, number, false, &n), order = 0;

    if (r || path->looks_only)
        return r;
    for (i = 0; i < n; i++, before = node) {
        r = page_node(&path->pages, path->page, i, false, &node);
        order = r ? 0 : bytes_compare(node.key, path->key);
        if (r || order == 0)
            return r;
        if (order > 0)
            break;
    }
    r = i < n ? neighbour_check(path, &node) : beyond_check(path, path->high, false);
    if (!r)
        r = before.key.at ? neighbour_check(path, &before) : beyond_check(path, path->low, true);
    return r ? r : -ENOENT;
}

static int path_walk(struct path *path)
{
    const struct tree_root *root = path->root;
    uint64_t number = root->page;
    int r = 0;

    if (root->page == PAGE_NONE)
        return root->n_entries ? -EBADMSG : -ENOENT;
    if (root->depth == 0 || root->depth > DEPTH_MOST)
        return -EBADMSG;
    path->page = malloc(path->pages.page_bytes);
    if (!path->page)
        return -ENOMEM;
    for (unsigned level = 1; !r && level < root->depth; level++)
        r = branch_follow(path, &number);
    if (!r)
        r = leaf_look(path, number);
    free(path->page);
    return r;
}

/* The record of the database, in the tree of trees. */
static int root_find(const struct environment *environment, MDB_txn *txn, enum db db, struct tree_root *out)
{
    MDB_val key = val_of(bytes_of_string(environment_db_name(db))), value;
    int r = environment_errno(mdb_get(txn, environment->main, &key, &value));

    return r ? r : tree_root_read(bytes_of_val(value), out);
}

/* 0: it is there; -ENOENT: it is not. */
static int walk_from_root(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key)
{
    struct tree_root root = { 0 };
    struct path path = { .key = key, .db = db, .root = &root };
    MDB_envinfo info = { 0 };
    MDB_stat stat = { 0 };
    int code = mdb_env_info(environment->env, &info), r;

    if (!code)
        code = mdb_env_stat(environment->env, &stat);
    if (!code)
        code = mdb_env_get_fd(environment->env, &path.pages.fd);
    r = code ? environment_errno(code) : root_find(environment, txn, db, &root);
    if (r)
        return r == -ENOENT ? -EBADMSG : r;
    path.pages.page_bytes = stat.ms_psize;
    path.pages.n_pages = info.me_last_pgno + 1;
    return path_walk(&path);
}

/* Its pages are not in the file yet. */
static bool is_writing(const struct environment *environment, MDB_txn *txn)
{
    MDB_envinfo info;

    return !mdb_env_info(environment->env, &info) && mdb_txn_id(txn) > info.me_last_txnid;
}

int absence_prove(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key)
{
    int r = is_writing(environment, txn) ? -ENOENT : walk_from_root(environment, txn, db, key);

    return r ? r : -EBADMSG; /* it is there, and LMDB did not find it */
}

int presence_prove(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key)
{
    int r = is_writing(environment, txn) ? 0 : walk_from_root(environment, txn, db, key);

    return r == -ENOENT ? -EBADMSG : r;
}
