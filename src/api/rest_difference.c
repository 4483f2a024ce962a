/* What both have in common at their beginning and at their end stays; what lies between is replaced. */
#include "api/rest_inside.h"

static bool continues(const char *at)
{
    return ((unsigned char)*at & 0xc0) == 0x80;
}

static uint64_t count_code_points(const char *at, size_t n_bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < n_bytes; i++)
        n += !continues(at + i);
    return n;
}

static size_t common_start(struct bytes a, struct bytes b)
{
    const char *x = a.at, *y = b.at;
    size_t n = 0, n_max = a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes;

    while (n < n_max && x[n] == y[n])
        n++;
    /* Not in the middle of a character of either. */
    while (n && ((n < a.n_bytes && continues(x + n)) || (n < b.n_bytes && continues(y + n))))
        n--;
    return n;
}

static size_t common_end(struct bytes a, struct bytes b, size_t n_start)
{
    const char *x = (const char *)a.at + a.n_bytes, *y = (const char *)b.at + b.n_bytes;
    size_t n = 0, n_max = (a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes) - n_start;

    while (n < n_max && x[-1 - (ptrdiff_t)n] == y[-1 - (ptrdiff_t)n])
        n++;
    while (n && continues(x - n))
        n--;
    return n;
}

void difference_write(struct bytes before, struct bytes after, struct buffer *into)
{
    size_t n_start = common_start(before, after), n_end = common_end(before, after, n_start);
    size_t n_removed = before.n_bytes - n_start - n_end, n_added = after.n_bytes - n_start - n_end;
    const char *separator = "";

    (void)buffer_append_string(into, "[");
    if (n_start && (n_removed || n_added)) {
        (void)buffer_append_u64(into, count_code_points(before.at, n_start));
        separator = ",";
    }
    if (n_added) {
        (void)buffer_append_string(into, separator);
        write_member(into, "", bytes_of((const char *)after.at + n_start, n_added));
        separator = ",";
    }
    if (n_removed) {
        (void)buffer_append_string(into, separator);
        (void)buffer_append_string(into, "{\"d\":");
        (void)buffer_append_u64(into, count_code_points((const char *)before.at + n_start, n_removed));
        (void)buffer_append_string(into, "}");
    }
    (void)buffer_append_string(into, "]");
}
