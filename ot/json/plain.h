/* Plain text in JSON: what stands in a string as it is. Looked at eight bytes at a time. Internal to ot/json/. */
#ifndef OT_PLAIN_H
#define OT_PLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAIN_ONES 0x0101010101010101ull
#define PLAIN_HIGH (PLAIN_ONES * 0x80)

/* The first byte is the lowest, on every machine. */
static inline uint64_t plain_load(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

/* Of eight bytes the quotes, backslashes and control characters, each marked by its highest bit. Right up to the first
 * mark: what lies above it may be marked for nothing, by the borrow. */
static inline uint64_t plain_marks(uint64_t word)
{
    uint64_t control = word - PLAIN_ONES * 0x20, quote = (word ^ PLAIN_ONES * '"') - PLAIN_ONES,
             backslash = (word ^ PLAIN_ONES * '\\') - PLAIN_ONES;

    return (control | quote | backslash) & ~word & PLAIN_HIGH;
}

/* How many bytes lie before the first mark; marks is not 0. */
static inline size_t plain_before(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

/* The first byte that is a quote, an escape, a control character or no ASCII. There is one, and behind it may be read
 * seven bytes more. */
static inline const char *plain_end(const char *at)
{
    for (;; at += 8) {
        uint64_t word = plain_load(at), marks = plain_marks(word) | (word & PLAIN_HIGH);

        if (marks)
            return at + plain_before(marks);
    }
}

#endif
