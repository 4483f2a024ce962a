/* Borrowed bytes: an address and a length, owned by somebody else. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const void *at;
    size_t n_bytes;
};

static inline struct bytes bytes_of(const void *at, size_t n_bytes)
{
    return (struct bytes){ at, n_bytes };
}

/* A C string without its terminator; NULL is the empty string. */
static inline struct bytes bytes_of_string(const char *string)
{
    return (struct bytes){ string, string ? strlen(string) : 0 };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n_bytes == b.n_bytes && (a.n_bytes == 0 || memcmp(a.at, b.at, a.n_bytes) == 0);
}

/* Bytewise order, a prefix before what it begins: <0, 0, >0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes;
    int order = n ? memcmp(a.at, b.at, n) : 0;

    return order ? order : (a.n_bytes > b.n_bytes) - (a.n_bytes < b.n_bytes);
}

#endif
