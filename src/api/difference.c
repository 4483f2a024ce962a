/* Texts: what both have in common at their beginning and at their end stays. Between, they are cut into words, and what
 * few of them changed (pieces.h) is written as an operation. */
#include "api/difference.h"

#include "api/pieces.h"

/* What is beyond is replaced as one piece: the server compares on its loop, and 2 MB take 0.04 s. */
#define SEARCHED_MAX_BYTES ((size_t)2 << 20) /* that differ, first to last */
#define CHANGES_MAX        500u              /* words, or lines; comparing takes up to 2 MB then */

static bool continues(const char *at)
{
    return ((unsigned char)*at & 0xc0) == 0x80;
}

static uint64_t count_code_points(const char *at, size_t n_bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < n_bytes; i++)
        n += !continues(at + i);
    return n;
}

static size_t common_start(struct bytes a, struct bytes b)
{
    const char *x = a.at, *y = b.at;
    size_t n = 0, n_max = a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes;

    while (n < n_max && x[n] == y[n])
        n++;
    /* Not in the middle of a character of either. */
    while (n && ((n < a.n_bytes && continues(x + n)) || (n < b.n_bytes && continues(y + n))))
        n--;
    return n;
}

static size_t common_end(struct bytes a, struct bytes b, size_t n_start)
{
    const char *x = (const char *)a.at + a.n_bytes, *y = (const char *)b.at + b.n_bytes;
    size_t n = 0, n_max = (a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes) - n_start;

    while (n < n_max && x[-1 - (ptrdiff_t)n] == y[-1 - (ptrdiff_t)n])
        n++;
    while (n && continues(x - n))
        n--;
    return n;
}

static struct bytes part(struct bytes text, size_t from, size_t to)
{
    return bytes_of((const char *)text.at + from, to - from);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct script {
    struct buffer *into;
    uint64_t n_skipped; /* code points, not written yet */
    const char *separator;
};

static void component_begin(struct script *script)
{
    (void)buffer_append_string(script->into, script->separator);
    script->separator = ",";
}

static void keep(struct script *script, struct bytes text)
{
    script->n_skipped += count_code_points(text.at, text.n_bytes);
}

static void replace_all(struct script *script, struct bytes before, struct bytes after)
{
    if (script->n_skipped && (before.n_bytes || after.n_bytes)) {
        component_begin(script);
        (void)buffer_append_u64(script->into, script->n_skipped);
        script->n_skipped = 0;
    }
    if (after.n_bytes) {
        component_begin(script);
        if (ot_json_write_string(after.at, after.n_bytes, buffer_write, script->into))
            return; /* the buffer knows why */
    }
    if (before.n_bytes) {
        component_begin(script);
        (void)buffer_printf(script->into, "{\"d\":%llu}",
                            (unsigned long long)count_code_points(before.at, before.n_bytes));
    }
}

/* What begins or ends alike stays. */
static void replace(struct script *script, struct bytes before, struct bytes after)
{
    size_t n_start = common_start(before, after), n_end = common_end(before, after, n_start);

    keep(script, part(before, 0, n_start));
    replace_all(script, part(before, n_start, before.n_bytes - n_end), part(after, n_start, after.n_bytes - n_end));
    keep(script, part(before, before.n_bytes - n_end, before.n_bytes));
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static void write_changes(const struct pieces *before, const struct pieces *after, struct script *script)
{
    size_t i = 0, j = 0;

    while (i < before->n || j < after->n) {
        size_t from_i = i, from_j = j;

        while (i < before->n && before->is_changed[i])
            i++;
        while (j < after->n && after->is_changed[j])
            j++;
        replace(script, pieces_part(before, from_i, i), pieces_part(after, from_j, j));
        for (from_i = i; i < before->n && j < after->n && !before->is_changed[i] && !after->is_changed[j]; i++)
            j++;
        keep(script, pieces_part(before, from_i, i));
    }
}

/* False: nothing was written. */
static bool write_by(piece_fn *end, struct bytes removed, struct bytes added, struct script *script)
{
    struct pieces before, after;
    bool is_cut = pieces_cut(&before, removed, end);
    bool is_found;

    is_cut = pieces_cut(&after, added, end) && is_cut;
    is_found = is_cut && pieces_compare(&before, &after, CHANGES_MAX);
    if (is_found)
        write_changes(&before, &after, script);
    pieces_finish(&before);
    pieces_finish(&after);
    return is_found;
}

void difference_of_texts(struct bytes before, struct bytes after, struct buffer *into)
{
    size_t n_start = common_start(before, after), n_end = common_end(before, after, n_start);
    struct bytes removed = part(before, n_start, before.n_bytes - n_end);
    struct bytes added = part(after, n_start, after.n_bytes - n_end);
    struct script script = { into, 0, "" };

    (void)buffer_append_string(into, "[");
    keep(&script, part(before, 0, n_start));
    if (!removed.n_bytes || !added.n_bytes || removed.n_bytes + added.n_bytes > SEARCHED_MAX_BYTES ||
        (!write_by(piece_word_end, removed, added, &script) && !write_by(piece_line_end, removed, added, &script)))
        replace_all(&script, removed, added);
    (void)buffer_append_string(into, "]");
}
