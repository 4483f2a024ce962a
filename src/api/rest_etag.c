#include <inttypes.h>
#include <stdio.h>

#include "api/rest_inside.h"

static const char *base36(uint64_t number, char out[16])
{
    char *at = out + 15;

    *at = '\0';
    do {
        *--at = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
        number /= 36;
    } while (number);
    return at;
}

void etag_write(uint64_t version, uint64_t time_ms, const char *suffix, char out[ETAG_BYTES])
{
    char digits[16];

    (void)snprintf(out, ETAG_BYTES, "v%" PRIu64 "-%s%s", version, base36(time_ms, digits), suffix);
}

bool etags_are_any(struct bytes list)
{
    return bytes_equal(list, bytes_of("*", 1));
}

struct tag {
    struct bytes text; /* without its quotes */
    bool is_weak;
};

/* Takes the next well-formed tag off the list; false: there is none. */
static bool next_tag(struct bytes *list, struct tag *out)
{
    const char *at = list->at, *end = at + list->n_bytes, *stop;

    while (at < end && (*at == ' ' || *at == '\t' || *at == ','))
        at++;
    out->is_weak = end - at > 2 && at[0] == 'W' && at[1] == '/';
    if (out->is_weak)
        at += 2;
    if (at >= end || *at != '"')
        return false;
    at++;
    stop = memchr(at, '"', (size_t)(end - at));
    if (!stop)
        return false;
    out->text = bytes_of(at, (size_t)(stop - at));
    *list = bytes_of(stop + 1, (size_t)(end - stop - 1));
    return true;
}

bool etags_have(struct bytes list, const char *etag)
{
    struct tag tag;

    while (next_tag(&list, &tag)) {
        if (bytes_equal(tag.text, bytes_of_string(etag)))
            return true;
    }
    return false;
}

bool etags_name(struct bytes list, uint64_t version, uint64_t time_ms)
{
    static const char *const suffixes[] = { "", "-json", "-snapshot" };
    struct tag tag;

    while (next_tag(&list, &tag)) {
        for (size_t i = 0; !tag.is_weak && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
            char etag[ETAG_BYTES];

            etag_write(version, time_ms, suffixes[i], etag);
            if (bytes_equal(tag.text, bytes_of_string(etag)))
                return true;
        }
    }
    return false;
}
