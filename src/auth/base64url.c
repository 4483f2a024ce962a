#include "auth/base64url.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_write(const unsigned char *from, size_t n_bytes, char *out)
{
    for (size_t i = 0; i < n_bytes; i += 3) {
        unsigned n = (unsigned)from[i] << 16 | (unsigned)from[i + 1] << 8 | from[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = digits[n >> shift & 63];
    }
    *out = '\0';
}

bool base64url_read(const char *text, unsigned char *out, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i += 3) {
        unsigned n = 0;

        for (int j = 0; j < 4; j++, text++) {
            const char *digit = *text ? strchr(digits, *text) : NULL;

            if (!digit)
                return false;
            n = n << 6 | (unsigned)(digit - digits);
        }
        out[i] = (unsigned char)(n >> 16);
        out[i + 1] = (unsigned char)(n >> 8);
        out[i + 2] = (unsigned char)n;
    }
    return true;
}
