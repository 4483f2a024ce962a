#include <strings.h>

#include "api/rich_markdown.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* One character, and its text around it; '\0': the text ends there. */
struct spot {
    const char *begin, *at, *end;
    char before, after;
};

static bool goes_on(const struct spot *spot, const char *with)
{
    size_t n = strlen(with);

    return (size_t)(spot->end - spot->at) >= n && memcmp(spot->at, with, n) == 0;
}

/* Whether it would be taken for a sign wherever it stands. Addresses would become links by themselves. */
static bool is_sign(const struct spot *spot)
{
    switch (*spot->at) {
    case '\\':
    case '`':
    case '*':
    case '[':
    case ']':
    case '<':
    case '~': return true;
    case '_': return !markdown_is_alnum(spot->before) || !markdown_is_alnum(spot->after);
    case '&': return markdown_is_alnum(spot->after) || spot->after == '#' || !spot->after;
    case '!': return !spot->after;
    case '@': return !is_space(spot->before);
    case ':': return goes_on(spot, "://");
    case '.': return spot->at - spot->begin >= 3 && strncasecmp(spot->at - 3, "www", 3) == 0;
    default: return false;
    }
}

/* Whether it would begin a block, if it is the first on its line: a heading, a quotation, a rule, a list. */
static bool is_block_sign(const struct spot *spot)
{
    char c = *spot->at;

    return c == '#' || c == '>' ||
           ((c == '-' || c == '+') && (is_space(spot->after) || !spot->after || spot->after == c));
}

static bool needs_escape(const struct spot *spot, enum markdown_place place)
{
    char c = *spot->at;

    return is_sign(spot) || (place == MARKDOWN_LINE_START && is_block_sign(spot)) ||
           (place == MARKDOWN_NUMBER && (c == '.' || c == ')')) || (place == MARKDOWN_HEADING && c == '#');
}

void markdown_put_text(struct buffer *into, struct bytes text, enum markdown_place *place)
{
    const char *begin = text.at, *end = begin + text.n_bytes;

    for (const char *at = begin; at < end; at++) {
        const struct spot spot = { begin, at, end, at > begin ? at[-1] : '\0', at + 1 < end ? at[1] : '\0' };

        if (is_control(*at))
            continue;
        if (needs_escape(&spot, *place))
            (void)buffer_append(into, "\\", 1);
        (void)buffer_append(into, at, 1);
        if (*place < MARKDOWN_WITHIN)
            *place = is_digit(*at) ? MARKDOWN_NUMBER : MARKDOWN_WITHIN;
    }
}

void markdown_put_raw(struct buffer *into, struct bytes text)
{
    const char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++) {
        if (!is_control(at[i]))
            (void)buffer_append(into, at + i, 1);
    }
}

/* ---- spaces ------------------------------------------------------------------------------------------------------ */

size_t markdown_space_length(struct bytes text)
{
    static const char *const wide[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };
    const unsigned char *at = text.at;

    if (text.n_bytes && is_space((char)at[0]))
        return 1;
    if (text.n_bytes >= 3 && at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8a)
        return 3;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        size_t n = strlen(wide[i]);

        if (text.n_bytes >= n && memcmp(at, wide[i], n) == 0)
            return n;
    }
    return 0;
}

void markdown_put_spaces(struct buffer *into, struct bytes spaces, bool is_at_end_of_line)
{
    const char *at = spaces.at;

    for (size_t i = 0; i < spaces.n_bytes; i++) {
        if (is_at_end_of_line && is_space(at[i]))
            (void)buffer_append_string(into, at[i] == ' ' ? "&#32;" : "&#9;");
        else
            (void)buffer_append(into, at + i, 1);
    }
}

/* ---- code, addresses --------------------------------------------------------------------------------------------- */

size_t markdown_longest_ticks(struct bytes text)
{
    const char *at = text.at;
    size_t longest = 0, n = 0;

    for (size_t i = 0; i < text.n_bytes; i++) {
        n = at[i] == '`' ? n + 1 : 0;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static void put_ticks(struct buffer *into, size_t n)
{
    while (n--)
        (void)buffer_append(into, "`", 1);
}

void markdown_put_code(struct buffer *into, struct bytes text)
{
    size_t n_ticks = markdown_longest_ticks(text) + 1;
    const char *at = text.at;
    bool is_padded = text.n_bytes && (at[0] == '`' || at[text.n_bytes - 1] == '`');

    if (into->n_bytes && into->at[into->n_bytes - 1] == '`')
        (void)buffer_append_string(into, "<!-- -->"); /* else the two would be one */
    put_ticks(into, n_ticks);
    (void)buffer_append_string(into, is_padded ? " " : "");
    markdown_put_raw(into, text);
    (void)buffer_append_string(into, is_padded ? " " : "");
    put_ticks(into, n_ticks);
}

void markdown_put_address(struct buffer *into, struct bytes address)
{
    const char *at = address.at;

    (void)buffer_append(into, "<", 1);
    for (size_t i = 0; i < address.n_bytes; i++) {
        if (strchr("<>\\&", at[i]))
            (void)buffer_append(into, "\\", 1);
        (void)buffer_append(into, at + i, 1);
    }
    (void)buffer_append(into, ">", 1);
}
