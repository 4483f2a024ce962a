/* The alphabet that all stored bytes are spelled in: big-endian integers in keys, so that bytewise order is numeric
 * order; little-endian ones at fixed places in values; varints (seven bits a byte, the low ones first) elsewhere.
 *
 * A scan reads spelled bytes and never past their end: once something does not fit, `bad` stays set and everything
 * reads as 0 or empty, so that one look at the end suffices. */
#ifndef STORAGE_LMDB_CODE_H
#define STORAGE_LMDB_CODE_H

#include <stdint.h>

#include "base/buffer.h"

struct scan {
    const char *at, *end;
    bool bad;
};

static inline void put_be64(char *at, uint64_t n)
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        at[i] = (char)(n & 0xff);
}

static inline void put_be32(char *at, uint32_t n)
{
    for (int i = 3; i >= 0; i--, n >>= 8)
        at[i] = (char)(n & 0xff);
}

static inline uint64_t get_be64(const void *at)
{
    const unsigned char *p = at;
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n = n << 8 | p[i];
    return n;
}

static inline void put_le32(char *at, uint32_t n)
{
    for (int i = 0; i < 4; i++, n >>= 8)
        at[i] = (char)(n & 0xff);
}

static inline uint32_t get_le32(const void *at)
{
    const unsigned char *p = at;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void put_le64(char *at, uint64_t n)
{
    put_le32(at, (uint32_t)n);
    put_le32(at + 4, (uint32_t)(n >> 32));
}

static inline uint64_t get_le64(const void *at)
{
    return get_le32(at) | (uint64_t)get_le32((const char *)at + 4) << 32;
}

/* Small numbers of either sign as small numbers. */
static inline uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t unzigzag(uint64_t n)
{
    return n >> 1 ^ -(n & 1);
}

#define VARINT_BYTES_MAX 10

/* Returns where it ends. */
static inline char *put_varint(char *at, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        *at++ = (char)(n | 0x80);
    *at++ = (char)n;
    return at;
}

static inline char *put_bytes(char *at, struct bytes bytes)
{
    at = put_varint(at, bytes.n_bytes);
    if (bytes.n_bytes)
        memcpy(at, bytes.at, bytes.n_bytes);
    return at + bytes.n_bytes;
}

/* The buffer's error tells of failures. */
static inline void append_varint(struct buffer *buffer, uint64_t n)
{
    char at[VARINT_BYTES_MAX];

    (void)buffer_append(buffer, at, (size_t)(put_varint(at, n) - at));
}

static inline void append_bytes(struct buffer *buffer, struct bytes bytes)
{
    append_varint(buffer, bytes.n_bytes);
    (void)buffer_append(buffer, bytes.at, bytes.n_bytes);
}

static inline struct scan scan_of(struct bytes bytes)
{
    const char *at = bytes.at ? bytes.at : "";

    return (struct scan){ .at = at, .end = at + bytes.n_bytes };
}

static inline size_t scan_left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static inline struct bytes scan_take(struct scan *scan, size_t n_bytes)
{
    struct bytes bytes = bytes_of(scan->at, n_bytes);

    if (scan->bad || n_bytes > scan_left(scan)) {
        scan->bad = true;
        return bytes_of(NULL, 0);
    }
    scan->at += n_bytes;
    return bytes;
}

static inline uint64_t scan_varint(struct scan *scan)
{
    uint64_t n = 0;

    for (unsigned shift = 0; !scan->bad && shift < 64; shift += 7) {
        unsigned char byte;

        if (scan->at == scan->end)
            break;
        byte = (unsigned char)*scan->at++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return n;
    }
    scan->bad = true;
    return 0;
}

static inline struct bytes scan_bytes(struct scan *scan)
{
    return scan_take(scan, (size_t)scan_varint(scan));
}

static inline unsigned char scan_u8(struct scan *scan)
{
    struct bytes byte = scan_take(scan, 1);

    return byte.at ? *(const unsigned char *)byte.at : 0;
}

#endif
