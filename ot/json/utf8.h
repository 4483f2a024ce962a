/* UTF-8 by bytes: a code point starts at every byte that is no continuation (10xxxxxx). Internal to ot/. */
#ifndef OT_UTF8_H
#define OT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the character at the start of [at, end): 1 to 4. 0: none that is valid (overlong, surrogate, beyond
 * U+10FFFF, or cut: then *is_cut). */
size_t utf8_character(const char *at, const char *end, bool *is_cut);
bool utf8_is_valid(const char *at, size_t n_bytes);

/* Of valid text only: */
size_t utf8_count(const char *at, size_t n_bytes);                /* code points */
size_t utf8_count_astral(const char *at, size_t n_bytes);         /* of them, those above U+FFFF */
size_t utf8_offset(const char *at, size_t n_bytes, size_t n_cps); /* the bytes of the first n_cps, n_bytes at most */

/* Writes a code point that is no surrogate; returns its 1 to 4 bytes. */
size_t utf8_put(char *at, uint32_t cp);

static inline bool utf8_is_start(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The last start of a character at or before at[i]; at[i] may lie one beyond the text when i is its length. */
static inline size_t utf8_floor(const char *at, size_t i, size_t n_bytes)
{
    while (i > 0 && i < n_bytes && !utf8_is_start(at[i]))
        i--;
    return i;
}

#endif
