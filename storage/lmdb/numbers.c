#include "storage/lmdb/numbers.h"

#include <string.h>

#define STAND_IN   '\1'
#define DIGITS_MAX 18

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint64_t *place_of(struct numbers *numbers, size_t i)
{
    return &numbers->at[i < NUMBERS_PLACES ? i : NUMBERS_PLACES - 1];
}

/* How many digits at `at` are a number; 0: none. */
static size_t number_length(const char *at, const char *end, uint64_t *out)
{
    size_t n = 0;

    for (*out = 0; at + n < end && n <= DIGITS_MAX && is_digit(at[n]); n++)
        *out = *out * 10 + (uint64_t)(at[n] - '0');
    if (n == 0 || n > DIGITS_MAX || (n > 1 && at[0] == '0') || at + n == end)
        return 0;
    return at[n] == ',' || at[n] == ']' || at[n] == '}' ? n : 0;
}

/* A text is never longer than its body, and most are so short that it is quickest byte by byte. */
bool numbers_split(struct numbers *numbers, struct bytes body, struct buffer *text, struct buffer *differences)
{
    const char *at = body.at ? body.at : "", *end = at + body.n_bytes;
    char *begins = memchr(at, STAND_IN, body.n_bytes) ? NULL : buffer_room(text, body.n_bytes), *into = begins;
    size_t n_numbers = 0;

    while (begins && at < end) {
        char before = *into++ = *at++;
        uint64_t number;
        size_t n = before == ',' || before == '[' || before == ':' ? number_length(at, end, &number) : 0;

        if (n > 0) {
            uint64_t *place = place_of(numbers, n_numbers++);

            *into++ = STAND_IN;
            append_varint(differences, zigzag(number - *place));
            *place = number;
            at += n;
        }
    }
    if (n_numbers > 0)
        buffer_grew(text, (size_t)(into - begins));
    return n_numbers > 0;
}

/* Behind the number; NULL: there is no room. */
static char *put_number(char *at, const char *end, uint64_t number)
{
    char digits[NUMBERS_DIGITS_MAX];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (sizeof(digits) - i > (size_t)(end - at))
        return NULL;
    while (i < sizeof(digits))
        *at++ = digits[i++];
    return at;
}

/* Most texts are so short that it is quickest byte by byte. */
char *numbers_join(struct numbers *numbers, struct bytes text, struct scan *differences, char *at, const char *end)
{
    const char *from = text.at ? text.at : "", *text_end = from + text.n_bytes;

    for (size_t i = 0; at && from < text_end; from++) {
        if (*from == STAND_IN) {
            uint64_t *place = place_of(numbers, i++);

            *place += unzigzag(scan_varint(differences));
            at = put_number(at, end, *place);
        } else {
            if (at == end)
                return NULL;
            *at++ = *from;
        }
    }
    return at;
}
