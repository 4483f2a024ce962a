#include "ot/json/utf8.h"

#include <string.h>

#define ONES 0x0101010101010101ull

/* The second byte decides about overlongs, surrogates and the upper end; the table holds what each first byte allows.
 * The bytes after it are plain continuations. */
static bool second_is_allowed(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0 && second <= 0xbf;
    case 0xed: return second >= 0x80 && second <= 0x9f;
    case 0xf0: return second >= 0x90 && second <= 0xbf;
    case 0xf4: return second >= 0x80 && second <= 0x8f;
    default: return second >= 0x80 && second <= 0xbf;
    }
}

static size_t length_by_first(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_character(const char *at, const char *end, bool *is_cut)
{
    size_t n_left = (size_t)(end - at), n = n_left ? length_by_first((unsigned char)*at) : 0;

    *is_cut = n_left < n || !n_left;
    if (n > 1 && n_left > 1 && !second_is_allowed((unsigned char)at[0], (unsigned char)at[1]))
        n = 0;
    for (size_t i = 2; i < n && i < n_left; i++) {
        if (utf8_is_start(at[i]))
            n = 0;
    }
    if (!n && n_left)
        *is_cut = false;
    return *is_cut ? 0 : n;
}

static uint64_t load(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

bool utf8_is_valid(const char *at, size_t n_bytes)
{
    const char *end = at + n_bytes;

    while (at < end) {
        bool is_cut;
        size_t n = 8;

        if (end - at < 8 || load(at) & (ONES << 7))
            n = utf8_character(at, end, &is_cut);
        if (!n)
            return false;
        at += n;
    }
    return true;
}

/* In how many of eight bytes the lowest bit is set. */
static size_t ones(uint64_t word)
{
    return (size_t)((word & ONES) * ONES >> 56);
}

/* Continuation bytes of eight: bit 7 set, bit 6 clear. */
static size_t continuations(uint64_t word)
{
    return ones((word >> 7) & (~word >> 6));
}

size_t utf8_count(const char *at, size_t n_bytes)
{
    size_t n_continuations = 0, i = 0;

    for (; i + 8 <= n_bytes; i += 8)
        n_continuations += continuations(load(at + i));
    for (; i < n_bytes; i++)
        n_continuations += !utf8_is_start(at[i]);
    return n_bytes - n_continuations;
}

size_t utf8_count_astral(const char *at, size_t n_bytes)
{
    size_t n = 0, i = 0;

    for (; i + 8 <= n_bytes; i += 8) {
        uint64_t word = load(at + i);

        n += ones((word >> 7) & (word >> 6) & (word >> 5) & (word >> 4));
    }
    for (; i < n_bytes; i++)
        n += (unsigned char)at[i] >= 0xf0;
    return n;
}

size_t utf8_offset(const char *at, size_t n_bytes, size_t n_cps)
{
    size_t i = 0;

    for (; i + 8 <= n_bytes; i += 8) {
        size_t n_starts = 8 - continuations(load(at + i));

        if (n_starts > n_cps)
            break;
        n_cps -= n_starts;
    }
    for (; i < n_bytes; i++) {
        if (utf8_is_start(at[i]) && n_cps-- == 0)
            break;
    }
    return i;
}

size_t utf8_put(char *at, uint32_t cp)
{
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n; i-- > 1; cp >>= 6)
        at[i] = (char)(0x80 | (cp & 0x3f));
    at[0] = (char)(first[n] | cp);
    return n;
}
