/* Texts: what both have in common at their beginning and at their end stays. Between, they are cut into words, and the
 * shortest script that leads from one row of words to the other is looked for (Myers, 1986):
 *
 *     d = 0, 1, 2 ...      so many words are put in or taken out
 *     furthest(d, k)       how far in `before` one comes with d of them, on the diagonal k = x - y
 *
 * The rows of `furthest` are kept, and the script is read off them backwards. */
#include "api/difference.h"

#include <stdlib.h>

/* What is beyond is replaced as one piece: the server compares on its loop, and 2 MB take 0.04 s. */
#define SEARCHED_MAX_BYTES ((size_t)2 << 20) /* that differ, first to last */
#define CHANGES_MAX        500u              /* words, or lines; the rows take 2 MB then */
#define COMPARISONS_MAX    4000000u

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

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* A text in pieces: piece i is [starts[i], starts[i + 1]). */
struct pieces {
    struct bytes text;
    size_t n, *starts;
    bool *is_changed;
};

typedef size_t piece_fn(struct bytes text, size_t from); /* where the piece that begins there ends */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A word and the space behind it. Where no spaces are written, in Chinese say, each character is one. */
static size_t word_end(struct bytes text, size_t from)
{
    const char *at = text.at;
    bool is_sign = (unsigned char)at[from] >= 0xe3; /* U+3000 and above */
    size_t to = from + 1;

    while (to < text.n_bytes && (is_sign ? continues(at + to) : !is_space(at[to]) && (unsigned char)at[to] < 0xe3))
        to++;
    while (to < text.n_bytes && continues(at + to))
        to++;
    while (to < text.n_bytes && is_space(at[to]))
        to++;
    return to;
}

static size_t line_end(struct bytes text, size_t from)
{
    const char *at = (const char *)text.at + from, *end = memchr(at, '\n', text.n_bytes - from);

    return end ? from + (size_t)(end - at) + 1 : text.n_bytes;
}

static bool pieces_cut(struct pieces *pieces, struct bytes text, piece_fn *end)
{
    size_t n = 0;

    for (size_t at = 0; at < text.n_bytes; at = end(text, at))
        n++;
    pieces->text = text;
    pieces->n = n;
    pieces->starts = calloc(n + 1, sizeof(*pieces->starts));
    pieces->is_changed = calloc(n + 1, sizeof(*pieces->is_changed));
    if (!pieces->starts || !pieces->is_changed)
        return false;
    for (size_t i = 0; i < n; i++)
        pieces->starts[i + 1] = end(text, pieces->starts[i]);
    return true;
}

static void pieces_finish(struct pieces *pieces)
{
    free(pieces->starts);
    free(pieces->is_changed);
}

static struct bytes pieces_part(const struct pieces *pieces, size_t from, size_t to)
{
    return part(pieces->text, pieces->starts[from], pieces->starts[to]);
}

/* ---- the shortest script ----------------------------------------------------------------------------------------- */

struct search {
    struct pieces before, after;
    size_t n_comparisons;
    ptrdiff_t *rows; /* row d has 2 d + 1 places, from diagonal -d on, and begins at d * d */
};

static ptrdiff_t *furthest(const struct search *search, ptrdiff_t d, ptrdiff_t k)
{
    return &search->rows[d * d + d + k];
}

/* Whether the way with d changes to diagonal k comes down from k + 1, by putting in a piece of `after`. */
static bool comes_down(const struct search *search, ptrdiff_t d, ptrdiff_t k)
{
    return k == -d || (k != d && *furthest(search, d - 1, k - 1) < *furthest(search, d - 1, k + 1));
}

static ptrdiff_t follow(struct search *search, ptrdiff_t x, ptrdiff_t k)
{
    size_t i = (size_t)x, j = (size_t)(x - k);

    while (i < search->before.n && j < search->after.n &&
           bytes_equal(pieces_part(&search->before, i, i + 1), pieces_part(&search->after, j, j + 1))) {
        search->n_comparisons++;
        i++;
        j++;
    }
    return (ptrdiff_t)i;
}

/* Returns the number of changes, -1: too many. */
static ptrdiff_t search_forwards(struct search *search)
{
    ptrdiff_t n = (ptrdiff_t)search->before.n, m = (ptrdiff_t)search->after.n;

    for (ptrdiff_t d = 0; d <= (ptrdiff_t)CHANGES_MAX && search->n_comparisons < COMPARISONS_MAX; d++)
        for (ptrdiff_t k = -d; k <= d; k += 2) {
            ptrdiff_t x = 0;

            if (d)
                x = comes_down(search, d, k) ? *furthest(search, d - 1, k + 1) : *furthest(search, d - 1, k - 1) + 1;
            x = follow(search, x, k);
            *furthest(search, d, k) = x;
            if (x >= n && x - k >= m)
                return d;
        }
    return -1;
}

static void read_backwards(struct search *search, ptrdiff_t d)
{
    ptrdiff_t k = (ptrdiff_t)search->before.n - (ptrdiff_t)search->after.n;

    for (; d > 0; d--) {
        if (comes_down(search, d, k)) {
            k++;
            search->after.is_changed[*furthest(search, d - 1, k) - k] = true;
        } else {
            k--;
            search->before.is_changed[*furthest(search, d - 1, k)] = true;
        }
    }
}

static void write_changes(const struct search *search, struct script *script)
{
    const struct pieces *before = &search->before, *after = &search->after;
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
static bool write_by(piece_fn *end, struct bytes before, struct bytes after, struct script *script)
{
    struct search search = { .rows = calloc((CHANGES_MAX + 1) * (CHANGES_MAX + 1), sizeof(*search.rows)) };
    bool is_cut = pieces_cut(&search.before, before, end) && pieces_cut(&search.after, after, end);
    ptrdiff_t n_changes = is_cut && search.rows ? search_forwards(&search) : -1;

    if (n_changes >= 0) {
        read_backwards(&search, n_changes);
        write_changes(&search, script);
    }
    pieces_finish(&search.before);
    pieces_finish(&search.after);
    free(search.rows);
    return n_changes >= 0;
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
        (!write_by(word_end, removed, added, &script) && !write_by(line_end, removed, added, &script)))
        replace_all(&script, removed, added);
    (void)buffer_append_string(into, "]");
}
