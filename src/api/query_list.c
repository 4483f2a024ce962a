#include "api/query_list.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16

void query_list_init(struct query_list *list, size_t n_max)
{
    *list = (struct query_list){ .n_max = n_max };
}

void query_list_finish(struct query_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->entries[i]);
    free(list->entries);
    query_list_init(list, list->n_max);
}

struct query_entry *query_list_find(const struct query_list *list, struct bytes id, size_t *at)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(query_entry_id(list->entries[middle]), id);

        if (order == 0) {
            *at = middle;
            return list->entries[middle];
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return NULL;
}

static int grow(struct query_list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    struct query_entry **entries = realloc(list->entries, capacity * sizeof(struct query_entry *));

    if (!entries)
        return -ENOMEM;
    list->entries = entries;
    list->capacity = capacity;
    return 0;
}

int query_list_add(struct query_list *list, struct bytes id, size_t at, struct query_entry **out)
{
    struct query_entry *entry;

    if (list->n >= list->n_max)
        return -E2BIG;
    if (list->n == list->capacity && grow(list))
        return -ENOMEM;
    entry = calloc(1, sizeof(*entry) + id.n_bytes);
    if (!entry)
        return -ENOMEM;
    entry->n_id = (uint8_t)id.n_bytes;
    memcpy(entry->id, id.at, id.n_bytes);
    memmove(&list->entries[at + 1], &list->entries[at], (list->n - at) * sizeof(struct query_entry *));
    list->entries[at] = entry;
    list->n++;
    *out = entry;
    return 0;
}

void query_list_remove(struct query_list *list, size_t at)
{
    free(list->entries[at]);
    list->n--;
    memmove(&list->entries[at], &list->entries[at + 1], (list->n - at) * sizeof(struct query_entry *));
}

void query_list_purge(struct query_list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (list->entries[i]->exists)
            list->entries[n++] = list->entries[i];
        else
            free(list->entries[i]);
    }
    list->n = n;
}

/* ---- the difference ---------------------------------------------------------------------------------------------- */

static void write_removal(struct buffer *into, size_t at, size_t n)
{
    if (n)
        (void)buffer_printf(into, "%s{\"type\":\"remove\",\"index\":%zu,\"howMany\":%zu}", into->n_bytes > 1 ? "," : "",
                            at, n);
}

static void write_removals(struct query_entry *const *known, size_t n, struct buffer *into)
{
    size_t n_kept = 0, n_gone = 0;

    for (size_t i = 0; i < n; i++) {
        if (!known[i] || !known[i]->exists) {
            n_gone++;
            continue;
        }
        write_removal(into, n_kept, n_gone);
        n_gone = 0;
        n_kept++;
    }
    write_removal(into, n_kept, n_gone);
}

static void write_insertions(const struct query_list *list, query_write_fn *write, struct buffer *into)
{
    bool is_open = false; /* the values of neighbours stand in one list */
    size_t index = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct query_entry *entry = list->entries[i];
        bool is_new = entry->exists && !entry->stays;

        if (is_new && is_open)
            (void)buffer_append_string(into, ",");
        else if (is_new)
            (void)buffer_printf(into, "%s{\"type\":\"insert\",\"index\":%zu,\"values\":[", into->n_bytes > 1 ? "," : "",
                                index);
        else if (entry->exists && is_open)
            (void)buffer_append_string(into, "]}");
        if (is_new)
            write(entry, into);
        if (entry->exists) {
            is_open = is_new;
            index++;
        }
    }
    if (is_open)
        (void)buffer_append_string(into, "]}");
}

void query_list_difference(const struct query_list *list, struct query_entry *const *known, size_t n,
                           query_write_fn *write, struct buffer *into)
{
    (void)buffer_append_string(into, "[");
    write_removals(known, n, into);
    write_insertions(list, write, into);
    if (into->n_bytes > 1)
        (void)buffer_append_string(into, "]");
    else if (!into->error)
        buffer_reset(into);
}
