#include "api/unified.h"

#include <errno.h>

#include "api/pieces.h"

#define CONTEXT     3u
#define CHANGES_MAX 1500u /* lines; comparing takes up to 18 MB then */

/* Lines [from, to) of each. */
struct range {
    size_t from, to;
};

struct change {
    struct range before, after;
};

/* The next change at or behind these two lines, which stand beside each other. False: there is none. */
static bool next_change(const struct pieces *before, const struct pieces *after, size_t i, size_t j, struct change *out)
{
    while (i < before->n && j < after->n && !before->is_changed[i] && !after->is_changed[j]) {
        i++;
        j++;
    }
    *out = (struct change){ { i, i }, { j, j } };
    while (out->before.to < before->n && before->is_changed[out->before.to])
        out->before.to++;
    while (out->after.to < after->n && after->is_changed[out->after.to])
        out->after.to++;
    return out->before.to > i || out->after.to > j;
}

static void write_line(struct buffer *into, char sign, const struct pieces *pieces, size_t i)
{
    struct bytes line = pieces_part(pieces, i, i + 1);

    (void)buffer_append(into, &sign, 1);
    (void)buffer_append(into, line.at, line.n_bytes);
    if (((const char *)line.at)[line.n_bytes - 1] != '\n')
        (void)buffer_append_string(into, "\n\\ No newline at end of file\n");
}

static void write_lines(struct buffer *into, char sign, const struct pieces *pieces, struct range range)
{
    for (size_t i = range.from; i < range.to; i++)
        write_line(into, sign, pieces, i);
}

/* Lines count from 1; a range without lines is named by the line before it. */
static void write_range(struct buffer *into, char sign, struct range range)
{
    size_t n = range.to - range.from;

    (void)buffer_printf(into, " %c%zu,%zu", sign, n ? range.from + 1 : range.from, n);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Changes with no more than twice the context between them make one hunk. Moves *change to the first behind it; false:
 * there is none. */
static bool write_hunk(struct buffer *into, const struct pieces *before, const struct pieces *after,
                       struct change *change)
{
    size_t n_context = least(CONTEXT, change->before.from);
    struct change first = *change, last = first, next;
    struct range common;
    bool has_next;
    size_t n_after;

    while ((has_next = next_change(before, after, last.before.to, last.after.to, &next)) &&
           next.before.from - last.before.to <= 2 * CONTEXT)
        last = next;
    n_after = least(CONTEXT, before->n - last.before.to);
    (void)buffer_append_string(into, "@@");
    write_range(into, '-', (struct range){ first.before.from - n_context, last.before.to + n_after });
    write_range(into, '+', (struct range){ first.after.from - n_context, last.after.to + n_after });
    (void)buffer_append_string(into, " @@\n");
    common = (struct range){ first.before.from - n_context, first.before.from };
    for (next = first;; (void)next_change(before, after, next.before.to, next.after.to, &next)) {
        common.to = next.before.from;
        write_lines(into, ' ', before, common);
        write_lines(into, '-', before, next.before);
        write_lines(into, '+', after, next.after);
        common.from = next.before.to;
        if (next.before.to == last.before.to && next.after.to == last.after.to)
            break;
    }
    write_lines(into, ' ', before, (struct range){ last.before.to, last.before.to + n_after });
    return has_next && next_change(before, after, last.before.to, last.after.to, change);
}

/* A blank in a name wants a tab behind it, so that patch knows its end. */
static void write_name(struct buffer *into, const char *mark, struct bytes name)
{
    (void)buffer_append_string(into, mark);
    (void)buffer_append(into, name.at, name.n_bytes);
    (void)buffer_append_string(into, name.n_bytes && memchr(name.at, ' ', name.n_bytes) ? "\t\n" : "\n");
}

void unified_write(const struct unified_text *before, const struct unified_text *after, struct buffer *into)
{
    struct pieces old, new;
    struct change change;
    bool is_cut = pieces_cut(&old, before->text, piece_line_end);

    is_cut = pieces_cut(&new, after->text, piece_line_end) && is_cut;
    if (!is_cut) {
        buffer_finish(into);
        into->error = -ENOMEM;
    } else {
        (void)pieces_compare(&old, &new, CHANGES_MAX);
        if (next_change(&old, &new, 0, 0, &change)) {
            write_name(into, "--- ", before->name);
            write_name(into, "+++ ", after->name);
            while (write_hunk(into, &old, &new, &change))
                ;
        }
    }
    pieces_finish(&old);
    pieces_finish(&new);
}
