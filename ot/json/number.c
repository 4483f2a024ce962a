#include "ot/json/number.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A double is decided by at most 767 digits; one more says whether anything follows. */
#define DIGITS_MAX 768

/* A number's text, taken apart: value = whole.fraction * 10^exponent. */
struct parts {
    bool is_negative;
    const char *whole, *fraction;
    size_t n_whole, n_fraction;
    long exponent; /* as written, cut off where it stops mattering */
};

static size_t n_digits(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - from);
}

/* The digits after 'e' and the sign. NULL: none. */
static const char *take_exponent(const char *at, const char *end, struct parts *out)
{
    bool is_negative = at < end && *at == '-';
    size_t n;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    n = n_digits(at, end);
    for (size_t i = 0; i < n; i++) {
        if (out->exponent < 1000000000)
            out->exponent = out->exponent * 10 + (at[i] - '0');
    }
    if (is_negative)
        out->exponent = -out->exponent;
    return n ? at + n : NULL;
}

/* Where the number ends; NULL: there is none, and *stopped is where that showed. */
static const char *take_parts(const char *at, const char *end, struct parts *out, const char **stopped)
{
    out->is_negative = at < end && *at == '-';
    at += out->is_negative;
    out->whole = at;
    out->n_whole = n_digits(at, end);
    *stopped = at;
    if (out->n_whole > 1 && *at == '0')
        return NULL;
    *stopped = at += out->n_whole;
    if (!out->n_whole)
        return NULL;
    if (at < end && *at == '.') {
        out->fraction = ++at;
        out->n_fraction = n_digits(at, end);
        *stopped = at += out->n_fraction;
        if (!out->n_fraction)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *sign = at + 1;

        at = take_exponent(sign, end, out);
        if (!at)
            *stopped = sign < end && (*sign == '-' || *sign == '+') ? sign + 1 : sign;
    }
    return at;
}

/* Exact while the digits fit a double's 53 bits and the power of ten is itself exact: one rounding in all. */
static bool read_small(const struct parts *parts, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    long exponent = parts->exponent - (long)parts->n_fraction;
    uint64_t digits = 0;

    if (parts->n_whole + parts->n_fraction > 18 || exponent < -22 || exponent > 22)
        return false;
    for (size_t i = 0; i < parts->n_whole; i++)
        digits = digits * 10 + (uint64_t)(parts->whole[i] - '0');
    for (size_t i = 0; i < parts->n_fraction; i++)
        digits = digits * 10 + (uint64_t)(parts->fraction[i] - '0');
    if (digits > (uint64_t)1 << 53)
        return false;
    *out = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    return true;
}

struct digits {
    char text[DIGITS_MAX + 32];
    size_t n;
    long n_left_out;
    bool is_more; /* something other than 0 was left out */
};

static void add_digits(struct digits *digits, const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (digits->n == DIGITS_MAX) {
            digits->n_left_out++;
            digits->is_more = digits->is_more || at[i] != '0';
        } else if (digits->n || at[i] != '0') {
            digits->text[digits->n++] = at[i];
        }
    }
}

/* By strtod, from digits and an exponent alone, because what it takes for the point depends on the locale. */
static double read_large(const struct parts *parts)
{
    struct digits digits = { .n = 0 };
    long exponent;

    add_digits(&digits, parts->whole, parts->n_whole);
    add_digits(&digits, parts->fraction, parts->n_fraction);
    exponent = parts->exponent - (long)parts->n_fraction + digits.n_left_out;
    if (!digits.n || exponent + (long)digits.n < -400)
        return 0;
    if (exponent + (long)digits.n > 400)
        return INFINITY;
    if (digits.is_more) {
        digits.text[digits.n++] = '1';
        exponent--;
    }
    (void)snprintf(digits.text + digits.n, 24, "e%ld", exponent);
    return strtod(digits.text, NULL);
}

size_t number_read(const char *at, const char *end, double *out, bool *is_cut)
{
    struct parts parts = { .whole = at };
    const char *stopped = at, *after;
    double number;

    after = take_parts(at, end, &parts, &stopped);
    *is_cut = !after && stopped == end;
    if (!after)
        return NUMBER_READ_BAD;
    if (!read_small(&parts, &number))
        number = read_large(&parts);
    *out = number != 0 && parts.is_negative ? -number : number;
    return (size_t)(after - at);
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* digits[0..n) with the decimal point behind digits[point - 1]; n_places of precision asked for. */
struct shortest {
    char digits[24];
    int n, point;
};

/* The nearest decimal of that many digits. */
static void round_to(double number, int n_places, struct shortest *out)
{
    char text[40];
    const char *at = text;

    (void)snprintf(text, sizeof(text), "%.*e", n_places - 1, number);
    for (out->n = 0; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') /* whatever the locale puts for the point is left out */
            out->digits[out->n++] = *at;
    }
    out->point = (int)strtol(at + 1, NULL, 10) + 1;
}

static bool reads_as(const struct shortest *shortest, double number)
{
    char text[48];

    (void)snprintf(text, sizeof(text), "%.*se%d", shortest->n, shortest->digits, shortest->point - shortest->n);
    return strtod(text, NULL) == number;
}

static void increment(struct shortest *shortest)
{
    int i = shortest->n;

    while (i > 0 && shortest->digits[i - 1] == '9')
        shortest->digits[--i] = '0';
    if (i > 0) {
        shortest->digits[i - 1]++;
    } else {
        shortest->digits[0] = '1';
        shortest->point++;
    }
}

/* Below a power of two the doubles lie closer together than above it, so there the nearest decimal of n digits may
 * read as a neighbour while the next one up does not. */
static bool is_power_of_two(double number)
{
    int exponent;

    return frexp(number, &exponent) == 0.5;
}

static void find_shortest(double number, struct shortest *out)
{
    /* Up to 15 digits survive the way through a normal double; so the 15 are right if any fewer are. */
    int n_places = number < DBL_MIN * 1e16 ? 1 : 15;

    for (;; n_places++) {
        round_to(number, n_places, out);
        if (reads_as(out, number) || n_places == 17)
            break;
        if (is_power_of_two(number)) {
            increment(out);
            if (reads_as(out, number))
                break;
        }
    }
    while (out->n > 1 && out->digits[out->n - 1] == '0')
        out->n--;
}

static char *put(char *at, const char *from, int n)
{
    if (n > 0)
        memcpy(at, from, (size_t)n);
    return at + (n > 0 ? n : 0);
}

static char *put_zeros(char *at, int n)
{
    return put(at, "000000000000000000000", n);
}

/* The four cases of ECMAScript's Number::toString. */
static char *put_shortest(char *at, const struct shortest *s)
{
    if (s->point > 21 || s->point < -5) {
        at = put(at, s->digits, 1);
        if (s->n > 1)
            at = put(put(at, ".", 1), s->digits + 1, s->n - 1);
        return at + snprintf(at, 6, "e%+d", s->point - 1);
    }
    if (s->point <= 0)
        return put(put_zeros(put(at, "0.", 2), -s->point), s->digits, s->n);
    if (s->n <= s->point)
        return put_zeros(put(at, s->digits, s->n), s->point - s->n);
    return put(put(put(at, s->digits, s->point), ".", 1), s->digits + s->point, s->n - s->point);
}

static size_t format_integer(uint64_t integer, char *into)
{
    char digits[20];
    size_t i = sizeof(digits);

    do
        digits[--i] = (char)('0' + integer % 10);
    while (integer /= 10);
    memcpy(into, digits + i, sizeof(digits) - i);
    return sizeof(digits) - i;
}

size_t number_format(double number, char *into)
{
    struct shortest shortest;
    char *at = into;

    if (number < 0) {
        *at++ = '-';
        number = -number;
    }
    if (number <= NUMBER_MAX_INTEGER && number == (double)(int64_t)number)
        return (size_t)(at - into) + format_integer((uint64_t)number, at);
    find_shortest(number, &shortest);
    return (size_t)(put_shortest(at, &shortest) - into);
}
