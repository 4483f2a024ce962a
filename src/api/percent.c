#include "api/percent.h"

#include <errno.h>

static int digit_of(char hex)
{
    if (hex >= '0' && hex <= '9')
        return hex - '0';
    if (hex >= 'a' && hex <= 'f')
        return hex - 'a' + 10;
    if (hex >= 'A' && hex <= 'F')
        return hex - 'A' + 10;
    return -1;
}

static int decode(struct bytes from, char plus, char *into, size_t capacity, size_t *out)
{
    const char *at = from.at;
    size_t n = 0;

    for (size_t i = 0; i < from.n_bytes; i++) {
        char c = at[i] == '+' ? plus : at[i];

        if (c == '%') {
            int high = i + 2 < from.n_bytes ? digit_of(at[i + 1]) : -1;
            int low = i + 2 < from.n_bytes ? digit_of(at[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -EINVAL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (n == capacity)
            return -E2BIG;
        into[n++] = c;
    }
    *out = n;
    return 0;
}

int percent_decode(struct bytes from, char *into, size_t capacity, size_t *out)
{
    return decode(from, '+', into, capacity, out);
}

int percent_decode_query(struct bytes from, char *into, size_t capacity, size_t *out)
{
    return decode(from, ' ', into, capacity, out);
}

static bool is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~", c) != NULL);
}

void percent_encode(struct bytes from, struct buffer *into)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *at = from.at;

    for (size_t i = 0; i < from.n_bytes; i++) {
        char escape[3] = { '%', digits[at[i] >> 4], digits[at[i] & 15] };

        if (is_plain(at[i]))
            (void)buffer_append(into, &at[i], 1);
        else
            (void)buffer_append(into, escape, sizeof(escape));
    }
}
