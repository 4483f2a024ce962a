/* What text in a Delta is marked with, and what else than text is in it. */
#include <strings.h>

#include "api/rich_lines.h"

/* ---- what is harmless -------------------------------------------------------------------------------------------- */

static bool begins(struct bytes text, const char *with)
{
    size_t n = strlen(with);

    return text.n_bytes >= n && strncasecmp(text.at, with, n) == 0;
}

/* Browsers leave control characters, and spaces in front, out of an address before they look at its scheme. */
static bool is_clean(struct bytes address)
{
    const unsigned char *at = address.at;

    for (size_t i = 0; i < address.n_bytes; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f)
            return false;
    }
    return address.n_bytes && at[0] != ' ';
}

static bool is_relative(struct bytes address)
{
    const char *at = address.at;

    for (size_t i = 0; i < address.n_bytes && !strchr("/?#", at[i]); i++) {
        if (at[i] == ':')
            return false;
    }
    return true;
}

static bool is_of(struct bytes address, const char *const *schemes, size_t n)
{
    if (!is_clean(address))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (begins(address, schemes[i]))
            return true;
    }
    return is_relative(address);
}

static struct bytes link_of(const struct ot_json *json)
{
    static const char *const schemes[] = { "http:", "https:", "mailto:", "tel:" };
    struct bytes address = rich_string(json);

    return is_of(address, schemes, sizeof(schemes) / sizeof(schemes[0])) ? address : bytes_of(NULL, 0);
}

static struct bytes image_of(const struct ot_json *json)
{
    static const char *const schemes[] = { "http:",
                                           "https:",
                                           "data:image/png;base64,",
                                           "data:image/jpeg;base64,",
                                           "data:image/gif;base64,",
                                           "data:image/webp;base64," };
    struct bytes address = rich_string(json);

    return is_of(address, schemes, sizeof(schemes) / sizeof(schemes[0])) ? address : bytes_of(NULL, 0);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_of(struct bytes text, const char *allowed, bool takes_letters)
{
    const char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++) {
        if (!(at[i] && strchr(allowed, at[i])) && !(takes_letters && is_letter(at[i])))
            return false;
    }
    return text.n_bytes > 0;
}

/* A colour, and nothing that could go on behind one. */
static struct bytes colour_of(const struct ot_json *json)
{
    static const char *const functions[] = { "rgb(", "rgba(", "hsl(", "hsla(" };
    struct bytes text = rich_string(json), rest;
    const char *at = text.at;
    bool is_fine = text.n_bytes <= 32 && all_of(text, "", true);

    if (text.n_bytes > 1 && text.n_bytes <= 9 && at[0] == '#')
        is_fine = all_of(bytes_of(at + 1, text.n_bytes - 1), "0123456789abcdefABCDEF", false);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        size_t n = strlen(functions[i]);

        if (!begins(text, functions[i]) || text.n_bytes > 64 || at[text.n_bytes - 1] != ')')
            continue;
        rest = bytes_of(at + n, text.n_bytes - n - 1);
        is_fine = all_of(rest, "0123456789.,% /", false);
    }
    return is_fine ? text : bytes_of(NULL, 0);
}

/* ---- marks ------------------------------------------------------------------------------------------------------- */

void rich_marks_read(const struct rich_run *run, struct rich_marks *out)
{
    static const struct flag {
        const char *name;
        enum rich_mark mark;
    } flags[] = {
        { "bold", RICH_BOLD },     { "italic", RICH_ITALIC }, { "underline", RICH_UNDERLINE },
        { "strike", RICH_STRIKE }, { "code", RICH_MONO },
    };
    const struct ot_json *attributes = run->attributes, *script = rich_member(attributes, "script");

    *out = (struct rich_marks){ 0 };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (rich_is_on(rich_member(attributes, flags[i].name)))
            out->values[flags[i].mark] = bytes_of("", 0);
    }
    if (rich_is(script, "sub"))
        out->values[RICH_SUB] = bytes_of("", 0);
    if (rich_is(script, "super"))
        out->values[RICH_SUPER] = bytes_of("", 0);
    out->values[RICH_LINK] = link_of(rich_member(attributes, "link"));
    out->values[RICH_COLOR] = colour_of(rich_member(attributes, "color"));
    out->values[RICH_BACKGROUND] = colour_of(rich_member(attributes, "background"));
}

bool rich_has(const struct rich_marks *marks, enum rich_mark mark)
{
    return marks->values[mark].at;
}

unsigned rich_marks_common(const struct rich_marks *a, const struct rich_marks *b)
{
    unsigned n = 0;

    while (n < RICH_MARKS && rich_has(a, n) == rich_has(b, n) && bytes_equal(a->values[n], b->values[n]))
        n++;
    return n;
}

/* ---- embeds ------------------------------------------------------------------------------------------------------ */

/* "40", "40px", "40%". */
static struct bytes size_of(const struct ot_json *json)
{
    struct bytes text = rich_string(json), digits = text;
    const char *at = text.at;

    if (digits.n_bytes > 2 && memcmp(at + digits.n_bytes - 2, "px", 2) == 0)
        digits.n_bytes -= 2;
    else if (digits.n_bytes > 1 && at[digits.n_bytes - 1] == '%')
        digits.n_bytes -= 1;
    return digits.n_bytes <= 8 && all_of(digits, "0123456789.", false) ? text : bytes_of(NULL, 0);
}

void rich_embed_read(const struct rich_run *run, struct rich_embed *out)
{
    const struct ot_json *image = rich_member(run->embed, "image"), *video = rich_member(run->embed, "video");
    const struct ot_json *formula = rich_member(run->embed, "formula");

    *out = (struct rich_embed){ .kind = RICH_UNKNOWN };
    if (image) {
        out->kind = RICH_IMAGE;
        out->value = image_of(image);
        out->alt = rich_string(rich_member(run->attributes, "alt"));
        out->width = size_of(rich_member(run->attributes, "width"));
        out->height = size_of(rich_member(run->attributes, "height"));
    } else if (video) {
        out->kind = RICH_VIDEO;
        out->value = link_of(video);
    } else if (formula) {
        out->kind = RICH_FORMULA;
        out->value = rich_string(formula);
    } else if (ot_json_kind(run->embed) == OT_JSON_OBJECT && ot_json_count(run->embed)) {
        out->value.at = ot_json_key_at(run->embed, 0, &out->value.n_bytes);
    }
}
