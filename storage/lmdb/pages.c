#include "storage/lmdb/pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/lmdb/directory.h"
#include "storage/lmdb/environment.h"

#define NODE_HEAD_BYTES  8
#define META_MAGIC       0xbeefc0deu
#define META_VERSION     1
#define ROOT_BYTES       48
#define META_BYTES       (PAGE_HEAD_BYTES + 24 + 2 * ROOT_BYTES + 16)
#define PAGE_BYTES_LEAST 256
#define PAGE_BYTES_MOST  65536
#define MAP_BYTES        ((size_t)1 << 40)
#define CACHED_PAGES     1024
#define PIN_TRIES        20 /* a busy writer beside us writes each meta page anew with every second commit */

#define NODE_BIG  1
#define NODE_TREE 2

static uint16_t get_u16(const char *at)
{
    uint16_t n;

    memcpy(&n, at, sizeof(n));
    return n;
}

static uint32_t get_u32(const char *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof(n));
    return n;
}

static uint64_t get_u64(const char *at)
{
    uint64_t n;

    memcpy(&n, at, sizeof(n));
    return n;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int read_at(int fd, char *into, size_t n_bytes, uint64_t offset)
{
    while (n_bytes > 0) {
        ssize_t n = pread(fd, into, n_bytes, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EBADMSG;
        into += n;
        n_bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int pages_read(struct pages *pages, uint64_t number, char *into)
{
    size_t slot = (size_t)(number % CACHED_PAGES);
    char *at;
    int r = 0;

    if (number >= pages->n_pages)
        return -EBADMSG;
    if (!pages->cache)
        return read_at(pages->fd, into, pages->page_bytes, number * pages->page_bytes);
    at = pages->cache + slot * pages->page_bytes;
    if (pages->cached[slot] != number) {
        pages->cached[slot] = PAGE_NONE;
        r = read_at(pages->fd, at, pages->page_bytes, number * pages->page_bytes);
        if (!r)
            pages->cached[slot] = number;
    }
    if (!r)
        memcpy(into, at, pages->page_bytes);
    return r;
}

int pages_read_value(struct pages *pages, uint64_t number, size_t n_bytes, char *into)
{
    uint64_t n = pages_run_of(pages, n_bytes);

    if (number >= pages->n_pages || n > pages->n_pages - number)
        return -EBADMSG;
    return read_at(pages->fd, into, n_bytes, number * pages->page_bytes + PAGE_HEAD_BYTES);
}

/* ---- what a page says -------------------------------------------------------------------------------------------- */

uint64_t page_number(const char *page)
{
    return get_u64(page);
}

unsigned page_flags(const char *page)
{
    return get_u16(page + 10);
}

uint32_t page_run(const char *page)
{
    return get_u32(page + 12);
}

size_t page_count(const struct pages *pages, const char *page)
{
    size_t lower = get_u16(page + 12);

    if (lower < PAGE_HEAD_BYTES || lower % 2 || lower > pages->page_bytes)
        return SIZE_MAX;
    return (lower - PAGE_HEAD_BYTES) / 2;
}

int page_node(const struct pages *pages, const char *page, size_t i, bool is_branch, struct node *out)
{
    size_t at = get_u16(page + PAGE_HEAD_BYTES + 2 * i), left, n_key;
    uint64_t low, flags;
    const char *node = page + at;

    if (at < PAGE_HEAD_BYTES || at + NODE_HEAD_BYTES > pages->page_bytes)
        return -EBADMSG;
    low = get_u16(node) | (uint64_t)get_u16(node + 2) << 16;
    flags = get_u16(node + 4);
    n_key = get_u16(node + 6);
    left = pages->page_bytes - at - NODE_HEAD_BYTES;
    if (n_key > left)
        return -EBADMSG;
    *out = (struct node){ .key = bytes_of(node + NODE_HEAD_BYTES, n_key), .child = PAGE_NONE };
    left -= n_key;
    node += NODE_HEAD_BYTES + n_key;
    if (is_branch) {
        out->child = low | flags << 32;
        return 0;
    }
    out->is_odd = flags & ~(uint64_t)(NODE_BIG | NODE_TREE);
    out->is_tree = flags & NODE_TREE;
    out->value = bytes_of(node, (size_t)low);
    if (!(flags & NODE_BIG))
        return low <= left ? 0 : -EBADMSG;
    if (left < sizeof(uint64_t))
        return -EBADMSG;
    out->child = get_u64(node);
    out->value.at = NULL;
    return 0;
}

bool page_adds_up(const struct pages *pages, const char *page, bool is_branch)
{
    size_t n = page_count(pages, page), n_bytes = 0;
    struct node node;

    for (size_t i = 0; n != SIZE_MAX && i < n; i++) {
        size_t own;

        if (page_node(pages, page, i, is_branch, &node))
            return false;
        own = NODE_HEAD_BYTES + node.key.n_bytes;
        if (!is_branch)
            own += node.child == PAGE_NONE ? node.value.n_bytes : sizeof(uint64_t);
        n_bytes += own + own % 2;
    }
    return n != SIZE_MAX && get_u16(page + 14) + n_bytes == pages->page_bytes;
}

uint16_t page_offset(const char *page, size_t i)
{
    return get_u16(page + PAGE_HEAD_BYTES + 2 * i);
}

static void put_u16(char *at, uint16_t n)
{
    memcpy(at, &n, sizeof(n));
}

void page_offsets_clear(char *page)
{
    put_u16(page + 12, PAGE_HEAD_BYTES);
}

void page_offset_add(char *page, uint16_t offset)
{
    uint16_t lower = get_u16(page + 12);

    put_u16(page + lower, offset);
    put_u16(page + 12, (uint16_t)(lower + 2));
}

int tree_root_read(struct bytes value, struct tree_root *out)
{
    const char *at = value.at;

    if (value.n_bytes != ROOT_BYTES)
        return -EBADMSG;
    *out = (struct tree_root){
        .flags = get_u16(at + 4), .depth = get_u16(at + 6), .n_entries = get_u64(at + 32), .page = get_u64(at + 40)
    };
    return 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static int refuse(int r, char *why, size_t n_why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, n_why, format, args);
    va_end(args);
    return r;
}

struct meta {
    size_t page_bytes;
    uint64_t number, txn, last_page;
    struct tree_root free, main;
};

static int meta_read(int fd, uint64_t offset, struct meta *out)
{
    char bytes[META_BYTES], *at = bytes + PAGE_HEAD_BYTES;
    int r = read_at(fd, bytes, sizeof(bytes), offset);

    if (r)
        return r;
    if (!(page_flags(bytes) & 8) || get_u32(at) != META_MAGIC || get_u32(at + 4) != META_VERSION)
        return -EBADMSG;
    out->number = page_number(bytes);
    out->page_bytes = get_u32(at + 24);
    if (out->page_bytes < PAGE_BYTES_LEAST || out->page_bytes > PAGE_BYTES_MOST ||
        (out->page_bytes & (out->page_bytes - 1)))
        return -EBADMSG;
    r = tree_root_read(bytes_of(at + 24, ROOT_BYTES), &out->free);
    if (!r)
        r = tree_root_read(bytes_of(at + 24 + ROOT_BYTES, ROOT_BYTES), &out->main);
    out->last_page = get_u64(at + 24 + 2 * ROOT_BYTES);
    out->txn = get_u64(at + 32 + 2 * ROOT_BYTES);
    if (!r && ((out->free.flags & 0xff) != TREE_FLAGS_FREE || out->main.flags)) /* above are the environment's */
        r = -EBADMSG;
    return r;
}

/* Commits write the two in turn, so one is always the other's successor. */
static bool metas_agree(const struct meta metas[2])
{
    const struct meta *even = &metas[0], *odd = &metas[1];

    return even->txn % 2 == 0 && odd->txn % 2 == 1 && even->page_bytes == odd->page_bytes &&
           (even->txn + 1 == odd->txn || odd->txn + 1 == even->txn);
}

/* A commit between the two readings looks like damage. */
static int metas_check(int fd)
{
    struct meta metas[2] = { 0 };
    int r = -EBADMSG;

    for (int i = 0; r && i < PIN_TRIES; i++) {
        r = meta_read(fd, 0, &metas[0]);
        if (!r)
            r = meta_read(fd, metas[0].page_bytes, &metas[1]);
        if (!r && (metas[0].number != 0 || metas[1].number != 1 || !metas_agree(metas)))
            r = -EBADMSG;
    }
    return r;
}

/* The one of `txn`; 0: the newer one. */
static int meta_choose(int fd, uint64_t txn, struct meta *out)
{
    struct meta metas[2] = { 0 };
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE), n = 0;
    int r = meta_read(fd, 0, &metas[0]);

    if (!r) {
        page_bytes = metas[0].page_bytes;
        n = 1;
    }
    if (!meta_read(fd, page_bytes, &metas[n]))
        n++;
    r = -EBADMSG;
    for (size_t i = 0; i < n; i++)
        if (txn ? metas[i].txn == txn : r || metas[i].txn > out->txn) {
            *out = metas[i];
            r = 0;
        }
    return r;
}

/* LMDB's reader, which holds the moment. Its meta page may already be another's when we come to read it. */
static int pin(struct pages *pages, const char *path, struct meta *out)
{
    int code, r = metas_check(pages->fd);

    if (r)
        return r; /* LMDB would believe what they say of the size of pages */
    code = mdb_env_create(&pages->env);
    r = -EBADMSG;
    if (!code)
        code = mdb_env_set_mapsize(pages->env, MAP_BYTES);
    if (!code)
        code = mdb_env_open(pages->env, path, MDB_RDONLY | MDB_NOTLS, 0600);
    if (!code)
        code = mdb_txn_begin(pages->env, NULL, MDB_RDONLY, &pages->txn);
    for (int i = 0; !code && r && i < PIN_TRIES; i++) {
        r = meta_choose(pages->fd, mdb_txn_id(pages->txn), out);
        if (r) {
            mdb_txn_reset(pages->txn);
            code = mdb_txn_renew(pages->txn);
        }
    }
    if (code) {
        mdb_env_close(pages->env);
        pages->env = NULL;
        pages->txn = NULL;
    }
    return code ? environment_errno(code) : r;
}

static int measure(struct pages *pages, const struct meta *meta)
{
    struct stat stat;

    if (fstat(pages->fd, &stat))
        return -errno;
    assert(meta->page_bytes);
    pages->page_bytes = meta->page_bytes;
    pages->n_pages_in_file = (uint64_t)stat.st_size / pages->page_bytes;
    pages->n_pages = meta->last_page + 1;
    if (meta->last_page >= MAP_BYTES / pages->page_bytes)
        pages->n_pages = pages->n_pages_in_file;
    pages->free = meta->free;
    pages->main = meta->main;
    pages->cache = malloc(CACHED_PAGES * pages->page_bytes);
    pages->cached = malloc(CACHED_PAGES * sizeof(*pages->cached));
    if (!pages->cache || !pages->cached)
        return -ENOMEM;
    for (size_t i = 0; i < CACHED_PAGES; i++)
        pages->cached[i] = PAGE_NONE;
    return 0;
}

int pages_open(const char *path, struct pages *out, char *why, size_t n_why)
{
    struct pages pages = { .fd = -1, .lock_fd = -1 };
    struct meta meta = { 0 };
    char file[PATH_MAX];
    int r = directory_path(file, path, "data.mdb");

    if (!r)
        r = directory_share(path, &pages.lock_fd); /* waits while a compaction changes the files */
    if (!r)
        pages.fd = open(file, O_RDONLY | O_CLOEXEC);
    if (r || pages.fd < 0) {
        r = r ? r : -errno;
        r = refuse(r, why, n_why, "can't open %s: %s", file, strerror(-r));
        goto out;
    }
    if (pin(&pages, path, &meta) && meta_choose(pages.fd, 0, &meta)) {
        r = refuse(-EBADMSG, why, n_why, "neither of the first two pages of %s says what the file is", file);
        goto out;
    }
    r = measure(&pages, &meta);
    if (r) {
        r = refuse(r, why, n_why, "can't read %s: %s", file, strerror(-r));
        goto out;
    }
    *out = pages;
    return 0;
out:
    pages_close(&pages);
    return r;
}

int pages_judge(const char *path, char *why, size_t n_why)
{
    struct meta meta = { 0 };
    struct stat stat;
    char file[PATH_MAX];
    int r = directory_path(file, path, "data.mdb"), fd = r ? -1 : open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return r ? r : -errno;
    if (metas_check(fd) || meta_choose(fd, 0, &meta))
        r = refuse(-EBADMSG, why, n_why,
                   "the first page of %s or the second, which say where everything is, can't be read", file);
    else if (fstat(fd, &stat))
        r = -errno;
    else if (meta.last_page >= (uint64_t)stat.st_size / meta.page_bytes)
        r = refuse(meta.last_page < MAP_BYTES / meta.page_bytes ? -ENODATA : -EBADMSG, why, n_why,
                   "%s is cut off: it has %llu bytes, and pages up to number %llu of %zu bytes", file,
                   (unsigned long long)stat.st_size, (unsigned long long)meta.last_page, meta.page_bytes);
    (void)close(fd);
    return r;
}

void pages_close(struct pages *pages)
{
    mdb_txn_abort(pages->txn);
    if (pages->env)
        mdb_env_close(pages->env);
    if (pages->fd >= 0)
        (void)close(pages->fd);
    if (pages->lock_fd >= 0)
        (void)close(pages->lock_fd);
    free(pages->cache);
    free(pages->cached);
    *pages = (struct pages){ .fd = -1, .lock_fd = -1 };
}
