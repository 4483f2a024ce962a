/* The inbox, read batch by batch: what can be trusted of it, in the order of the logs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/verify_inside.h"

static int filed_add(struct filed_list *list, const struct filed *filed)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 256;
        struct filed *grown = realloc(list->at, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        list->at = grown;
        list->capacity = capacity;
    }
    list->at[list->n++] = *filed;
    return 0;
}

static int filed_compare(const void *left, const void *right)
{
    const struct filed *a = left, *b = right;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->batch != b->batch)
        return a->batch < b->batch ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void batch_damaged(struct verify *verify, uint64_t batch, const char *what)
{
    verify->inbox.is_whole = false;
    trees_tell(&verify->trees, (struct verify_finding){ .severity = VERIFY_DAMAGE, .database = "inbox" },
               "batch %llu %s: the newest changes of some documents are lost", (unsigned long long)batch, what);
}

/* An entry whose crc does not fit is passed over by its length, as far as that leads to one that fits. */
static int batch_file(struct verify *verify, uint64_t batch, struct bytes value)
{
    size_t offset = BATCH_HEAD_BYTES, next = 0;
    struct batch_head head = { 0 };
    struct batch_entry entry;
    bool is_bad = batch_read(value, batch, &head) != 0;
    uint32_t n_read = 0;
    int r = 0;

    if (is_bad)
        batch_damaged(verify, batch, "has a damaged head");
    else if (head.next_number > verify->counters.next_number)
        verify->counters.next_number = head.next_number;
    while (!r && offset < value.n_bytes) {
        if (batch_read_entry(value, batch, offset, &next, &entry)) {
            if (value.n_bytes - offset < 8)
                break;
            if (!is_bad)
                batch_damaged(verify, batch, "has a damaged entry");
            is_bad = true;
            next = offset + 8 + get_le32((const char *)value.at + offset + 4);
        } else {
            r = filed_add(&verify->inbox,
                          &(struct filed){ entry.number, batch, entry.from, entry.n, offset, entry.kind });
            n_read++;
        }
        offset = next;
    }
    if (!is_bad && (n_read != head.n_entries || offset != value.n_bytes))
        batch_damaged(verify, batch, "does not hold what its head says");
    return r;
}

static uint64_t batch_number(const struct cursor *cursor)
{
    return cursor->key.n_bytes == 8 ? get_be64(cursor->key.at) : 0;
}

static int batches_file(struct verify *verify)
{
    struct cursor *cursor = &verify->cursors[DB_INBOX];
    uint64_t expected = 0, n = 0;
    int r = cursor_seek(cursor, bytes_of("", 0));

    for (; !r; r = cursor_next(cursor)) {
        struct bytes value = { 0 };
        uint64_t batch = batch_number(cursor);

        verify_progress(verify, "inbox", n++, 0);
        if (cursor->key.n_bytes != 8)
            batch_damaged(verify, 0, "has a damaged number");
        else if (n > 1 && batch != expected)
            batch_damaged(verify, expected, "is missing");
        expected = batch + 1;
        r = cursor_sealed(cursor, &value);
        if (r == -ENOMEM)
            return r;
        if (r)
            batch_damaged(verify, batch, "can't be read");
        else
            r = batch_file(verify, batch, value);
        if (r == -ENOMEM)
            return r;
    }
    if (n && verify->counters.next_batch > expected)
        batch_damaged(verify, expected, "is missing");
    if (n && expected > verify->counters.next_batch)
        verify->counters.next_batch = expected;
    return r == -ENOENT ? 0 : r;
}

int inbox_file(struct verify *verify)
{
    int r;

    verify->inbox.is_whole = true;
    r = batches_file(verify);
    if (!r && verify->inbox.n)
        qsort(verify->inbox.at, verify->inbox.n, sizeof(*verify->inbox.at), filed_compare);
    return r;
}

void inbox_of_log(const struct verify *verify, uint64_t number, size_t *from, size_t *to)
{
    size_t low = 0, high = verify->inbox.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (verify->inbox.at[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    *from = low;
    while (low < verify->inbox.n && verify->inbox.at[low].number == number)
        low++;
    *to = low;
}

int inbox_read(struct verify *verify, const struct filed *filed, struct batch_entry *out)
{
    struct cursor *cursor = &verify->cursors[DB_INBOX];
    struct bytes value = { 0 };
    char at[8];
    size_t next;
    int r;

    put_be64(at, filed->batch);
    r = cursor_seek(cursor, bytes_of(at, 8));
    if (r == -ENOENT || (!r && !bytes_equal(cursor->key, bytes_of(at, 8))))
        r = -EBADMSG;
    if (!r)
        r = cursor_sealed(cursor, &value);
    return r ? r : batch_read_entry(value, filed->batch, filed->offset, &next, out);
}
