#include "api/parameter.h"

#include <errno.h>

#include "api/percent.h"
#include "base/timestamp.h"

#define NUMBER_MAX     ((1ull << 53) - 1)
#define TIME_MAX_BYTES 64

/* Keys are compared as they were sent: none of ours needs encoding. */
struct bytes parameter_raw(struct bytes query, const char *key)
{
    const char *at = query.at, *end = at + query.n_bytes;
    size_t n_key = strlen(key);

    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);

        if (n >= n_key && memcmp(at, key, n_key) == 0) {
            if (n == n_key)
                return bytes_of("", 0);
            if (at[n_key] == '=')
                return bytes_of(at + n_key + 1, n - n_key - 1);
        }
        at += n + 1;
    }
    return bytes_of(NULL, 0);
}

int parameter_text(struct bytes query, const char *key, char *into, size_t capacity, struct bytes *out)
{
    struct bytes raw = parameter_raw(query, key);
    size_t n_bytes;
    int r = percent_decode_query(raw, into, capacity, &n_bytes);

    if (!r)
        *out = bytes_of(into, n_bytes);
    return r;
}

int number_parse(struct bytes text, uint64_t *out)
{
    const char *at = text.at;
    uint64_t number = 0;

    if (text.n_bytes == 0 || text.n_bytes > 16)
        return -EINVAL;
    for (size_t i = 0; i < text.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(at[i] - '0');
    }
    if (number > NUMBER_MAX)
        return -EINVAL;
    *out = number;
    return 0;
}

int parameter_number(struct bytes query, const char *key, uint64_t *out)
{
    struct bytes raw = parameter_raw(query, key);

    return raw.at ? number_parse(raw, out) : 0;
}

int parameter_flag(struct bytes query, const char *key, bool *out)
{
    char text[8];
    struct bytes said = { "", 0 };

    if (parameter_text(query, key, text, sizeof(text), &said))
        return -EINVAL;
    *out = bytes_equal(said, bytes_of_string("true"));
    return *out || !said.n_bytes || bytes_equal(said, bytes_of_string("false")) ? 0 : -EINVAL;
}

int parameter_time(struct bytes query, const char *key, uint64_t *out_ms)
{
    struct bytes raw = parameter_raw(query, key);
    char text[TIME_MAX_BYTES];
    size_t n;

    if (!raw.at)
        return 0;
    return percent_decode(raw, text, sizeof(text), &n) ? -EINVAL : time_parse(bytes_of(text, n), out_ms);
}
