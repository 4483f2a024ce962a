#include "api/rest_inside.h"

struct bytes number_write(uint64_t number, unsigned base, char out[NUMBER_BYTES])
{
    char *end = out + NUMBER_BYTES, *at = end;

    do {
        *--at = "0123456789abcdefghijklmnopqrstuvwxyz"[number % base];
        number /= base;
    } while (number);
    return bytes_of(at, (size_t)(end - at));
}

static char *put(char *at, const char *end, struct bytes text)
{
    size_t room = (size_t)(end - at), n = text.n_bytes < room ? text.n_bytes : room;

    memcpy(at, text.at, n);
    return at + n;
}

void etag_write(uint64_t version, uint64_t time_ms, const char *suffix, char out[ETAG_BYTES])
{
    char number[NUMBER_BYTES], *end = out + ETAG_BYTES - 1;
    char *at = put(out, end, bytes_of("v", 1));

    at = put(at, end, number_write(version, 10, number));
    at = put(at, end, bytes_of("-", 1));
    at = put(at, end, number_write(time_ms, 36, number));
    at = put(at, end, bytes_of_string(suffix));
    *at = '\0';
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

void etag_add_gzip(char etag[ETAG_BYTES])
{
    char *end = etag + ETAG_BYTES - 1;

    *put(etag + strlen(etag), end, bytes_of_string(ETAG_GZIP)) = '\0';
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

bool etags_have_form(struct bytes list, bool takes_gzip, char etag[ETAG_BYTES])
{
    if (etags_have(list, etag))
        return true;
    etag_add_gzip(etag);
    return takes_gzip && etags_have(list, etag);
}

/* A form in gzip is a form of the same content. */
static struct bytes without_gzip(struct bytes etag)
{
    size_t n = sizeof(ETAG_GZIP) - 1;
    const char *at = etag.at;

    if (etag.n_bytes > n && memcmp(at + etag.n_bytes - n, ETAG_GZIP, n) == 0)
        etag.n_bytes -= n;
    return etag;
}

bool etags_name(struct bytes list, uint64_t version, uint64_t time_ms)
{
    static const char *const suffixes[] = { "", "-json", "-snapshot", "-html", "-markdown", "-text" };
    struct tag tag;

    while (next_tag(&list, &tag)) {
        for (size_t i = 0; !tag.is_weak && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
            char etag[ETAG_BYTES];

            etag_write(version, time_ms, suffixes[i], etag);
            if (bytes_equal(without_gzip(tag.text), bytes_of_string(etag)))
                return true;
        }
    }
    return false;
}
