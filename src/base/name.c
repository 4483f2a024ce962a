#include "base/name.h"

#include <stdint.h>

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct bytes refused_names[] = {
    NAME("__proto__"),        NAME("__defineGetter__"), NAME("__defineSetter__"),
    NAME("__lookupGetter__"), NAME("__lookupSetter__"), NAME("constructor"),
    NAME("hasOwnProperty"),   NAME("isPrototypeOf"),    NAME("propertyIsEnumerable"),
    NAME("prototype"),        NAME("toLocaleString"),   NAME("toString"),
    NAME("valueOf"),
};

/* The length of the well-formed sequence at the start of [at, end), 0 if there is none. Table 3-7 of the Unicode
 * standard. */
static size_t utf8_sequence(const unsigned char *at, const unsigned char *end)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    n = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if ((size_t)(end - at) < n)
        return 0;
    switch (at[0]) {
    case 0xe0: low = 0xa0; break;
    case 0xed: high = 0x9f; break;
    case 0xf0: low = 0x90; break;
    case 0xf4: high = 0x8f; break;
    default: break;
    }
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return n;
}

bool bytes_are_utf8(struct bytes text)
{
    const unsigned char *at = text.at, *end = at + text.n_bytes;

    while (at < end) {
        size_t n = utf8_sequence(at, end);

        if (!n)
            return false;
        at += n;
    }
    return true;
}

static bool has_control(struct bytes name)
{
    const unsigned char *at = name.at;

    for (size_t i = 0; i < name.n_bytes; i++)
        if (at[i] < 0x20 || at[i] == 0x7f)
            return true;
    return false;
}

bool name_is_allowed(struct bytes name, size_t max_bytes)
{
    if (name.n_bytes == 0 || name.n_bytes > max_bytes || has_control(name) || !bytes_are_utf8(name))
        return false;
    for (size_t i = 0; i < sizeof(refused_names) / sizeof(refused_names[0]); i++)
        if (bytes_equal(name, refused_names[i]))
            return false;
    return true;
}
