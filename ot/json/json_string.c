/* Strings: where they lie in the arena's copy of the text, and what their escapes stand for. */
#include "ot/json/json_parse.h"
#include "ot/json/plain.h"
#include "ot/json/utf8.h"

static void take_text(struct json_parser *p, struct ot_json *string, size_t n_bytes)
{
    memmove(json_byte(p->arena, string->at) + string->n, p->at, n_bytes);
    string->n += (uint32_t)n_bytes;
    p->at += n_bytes;
}

/* Four hexadecimal digits at `at` into *out. */
static int take_hex(struct json_parser *p, uint32_t *out)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++, p->at++) {
        unsigned char c = p->at < json_end(p) ? (unsigned char)*p->at : 0;

        if (p->at == json_end(p))
            return JSON_CUT;
        if (c >= '0' && c <= '9')
            unit = unit * 16 + (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            unit = unit * 16 + ((c | 0x20u) - 'a' + 10);
        else
            return json_bad(p, "a bad \\u escape");
    }
    *out = unit;
    return 0;
}

static bool is_high(uint32_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

static bool is_low(uint32_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

/* Behind \u: one unit, or both of a pair. A lone surrogate marks the string and is left out. */
static int take_unicode(struct json_parser *p, struct ot_json *string, bool is_key)
{
    uint32_t unit = 0, low = 0;
    int r = take_hex(p, &unit);

    if (r)
        return r;
    if (is_high(unit) && json_end(p) - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u') {
        p->at += 2;
        r = take_hex(p, &low); /* if it is not the other half, the string is flawed whatever it is */
        if (r)
            return r;
    }
    if (is_high(unit) && is_low(low))
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
    if ((unit & 0xfffff800) == 0xd800 || (!unit && is_key))
        string->flaw = OT_NOT_APPLIED;
    else
        string->n += (uint32_t)utf8_put(json_byte(p->arena, string->at) + string->n, unit);
    return 0;
}

static int take_escape(struct json_parser *p, struct ot_json *string, bool is_key)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    p->at++;
    if (p->at == json_end(p))
        return JSON_CUT;
    if (*p->at == 'u') {
        p->at++;
        return take_unicode(p, string, is_key);
    }
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (letters[i] == *p->at) {
            json_byte(p->arena, string->at)[string->n++] = letters[i + 1];
            p->at++;
            return 0;
        }
    }
    return json_bad(p, "an unknown escape");
}

static int take_beyond_ascii(struct json_parser *p, struct ot_json *string)
{
    const char *at = p->at;
    bool is_cut = false;

    while (at < json_end(p) && (unsigned char)*at >= 0x80) {
        size_t n = utf8_character(at, json_end(p), &is_cut);

        if (!n)
            return is_cut ? JSON_CUT : json_bad(p, "invalid UTF-8");
        at += n;
    }
    take_text(p, string, (size_t)(at - p->at));
    return 0;
}

int json_string_rest(struct json_parser *p, bool is_key, struct ot_json *string)
{
    int r = 0;

    while (!r) {
        if (p->at == json_end(p))
            return JSON_CUT;
        if (*p->at == '"')
            break;
        if (*p->at == '\\')
            r = take_escape(p, string, is_key);
        else if ((unsigned char)*p->at < 0x20)
            r = json_bad(p, "a control character");
        else
            r = take_beyond_ascii(p, string);
        if (!r)
            take_text(p, string, (size_t)(plain_end(p->at) - p->at));
    }
    return r;
}
