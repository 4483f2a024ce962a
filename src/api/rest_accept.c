/* Which representation a client prefers, and in which coding; RFC 9110, 12.5.1 and 12.5.3. */
#include <strings.h>

#include "api/gzip.h"
#include "api/rest_inside.h"

#define WHOLE 1000 /* q=1 */

static struct bytes trim(struct bytes text)
{
    const char *at = text.at;
    size_t n = text.n_bytes;

    while (n && (*at == ' ' || *at == '\t')) {
        at++;
        n--;
    }
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    return bytes_of(at, n);
}

struct bytes header_next_part(struct bytes *text, char separator)
{
    const char *at = text->at;
    const char *stop = text->n_bytes ? memchr(at, separator, text->n_bytes) : NULL;
    struct bytes part = bytes_of(at, stop ? (size_t)(stop - at) : text->n_bytes);

    *text = stop ? bytes_of(stop + 1, text->n_bytes - part.n_bytes - 1) : bytes_of(NULL, 0);
    return trim(part);
}

static bool is_word(struct bytes text, const char *word, size_t n_word)
{
    return text.n_bytes == n_word && strncasecmp(text.at, word, n_word) == 0;
}

/* "0.8" in thousandths; what is no such number counts as 0. */
static int quality_of(struct bytes text)
{
    const char *at = text.at;
    int quality, place = 100;

    if (!text.n_bytes || (at[0] != '0' && at[0] != '1'))
        return 0;
    quality = at[0] == '1' ? WHOLE : 0;
    for (size_t i = 2; i < text.n_bytes && place; i++, place /= 10) {
        if (at[1] != '.' || at[i] < '0' || at[i] > '9')
            return 0;
        quality += place * (at[i] - '0');
    }
    return quality > WHOLE ? WHOLE : quality;
}

/* How exactly a range names an offer: 3 it does, 2 by its first half, 1 by "*", 0 not at all. */
static int exactness_of(struct bytes range, const char *offer)
{
    size_t n_half = strcspn(offer, "/") + 1;
    const char *at = range.at;

    if (is_word(range, offer, strlen(offer)))
        return 3;
    if (range.n_bytes == n_half + 1 && at[n_half] == '*' && strncasecmp(at, offer, n_half) == 0)
        return 2;
    return is_word(range, "*/*", 3) || is_word(range, "*", 1) ? 1 : 0;
}

/* What the most exact of the ranges says. */
static int quality_for(struct bytes accept, const char *offer)
{
    int exactness = 0, quality = 0;

    while (accept.n_bytes) {
        struct bytes range = header_next_part(&accept, ','), media = header_next_part(&range, ';');
        int found = exactness_of(media, offer), q = WHOLE;

        while (range.n_bytes) {
            struct bytes parameter = header_next_part(&range, ';'), name = header_next_part(&parameter, '=');

            if (is_word(name, "q", 1))
                q = quality_of(trim(parameter));
        }
        if (found > exactness) {
            exactness = found;
            quality = q;
        }
    }
    return quality;
}

int accept_choose(struct bytes accept, const char *const *offers, size_t n_offers)
{
    int chosen = -1, best = 0;

    if (trim(accept).n_bytes == 0)
        return 0;
    for (size_t i = 0; i < n_offers; i++) {
        int quality = quality_for(accept, offers[i]);

        if (quality > best) {
            best = quality;
            chosen = (int)i;
        }
    }
    return chosen;
}

/* Plain is preferred only by those who name it, or everything. */
bool accepts_gzip(struct bytes accept_encoding)
{
    int quality = quality_for(accept_encoding, "gzip");

    return quality && quality >= quality_for(accept_encoding, "identity");
}

bool media_is(struct bytes content_type, const char *media)
{
    return is_word(header_next_part(&content_type, ';'), media, strlen(media));
}

bool media_is_utf8(struct bytes content_type)
{
    (void)header_next_part(&content_type, ';');
    while (content_type.n_bytes) {
        struct bytes parameter = header_next_part(&content_type, ';'), name = header_next_part(&parameter, '=');
        struct bytes value = trim(parameter);

        if (value.n_bytes >= 2 && *(const char *)value.at == '"')
            value = bytes_of((const char *)value.at + 1, value.n_bytes - 2);
        if (is_word(name, "charset", 7) && !is_word(value, "utf-8", 5) && !is_word(value, "utf8", 4) &&
            !is_word(value, "us-ascii", 8))
            return false;
    }
    return true;
}
