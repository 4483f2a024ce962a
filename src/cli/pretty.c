#include "cli/pretty.h"

static void new_line(struct buffer *into, size_t n_levels)
{
    (void)buffer_append_string(into, "\n");
    while (n_levels--)
        (void)buffer_append_string(into, "  ");
}

/* Where the string that begins at `at` ends. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

void pretty_write(struct bytes compact, struct buffer *into)
{
    const char *at = compact.at, *end = at + compact.n_bytes, *next;
    size_t n_levels = 0;

    for (; at < end; at = next) {
        bool is_empty = at + 1 < end && (*at == '{' || *at == '[') && (at[1] == '}' || at[1] == ']');

        next = *at == '"' ? string_end(at, end) : is_empty ? at + 2 : at + 1;
        if (*at == '}' || *at == ']')
            new_line(into, --n_levels);
        (void)buffer_append(into, at, (size_t)(next - at));
        if (*at == ':')
            (void)buffer_append_string(into, " ");
        else if (*at == ',')
            new_line(into, n_levels);
        else if ((*at == '{' || *at == '[') && !is_empty)
            new_line(into, ++n_levels);
    }
    (void)buffer_append_string(into, "\n");
}
