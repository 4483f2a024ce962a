/* The shortest script that leads from one row of pieces to the other (Myers, 1986):
 *
 *     d = 0, 1, 2 ...      so many pieces are put in or taken out
 *     furthest(d, k)       how far in `before` one comes with d of them, on the diagonal k = x - y
 *
 * The rows of `furthest` are kept, and the script is read off them backwards. */
#include "api/pieces.h"

#include <stdlib.h>

#define COMPARISONS_MAX 4000000u /* of a piece with another, long ones counted by their length */
#define COMPARED_BYTES  64u

static bool continues(const char *at)
{
    return ((unsigned char)*at & 0xc0) == 0x80;
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t piece_word_end(struct bytes text, size_t from)
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

size_t piece_line_end(struct bytes text, size_t from)
{
    const char *at = (const char *)text.at + from, *end = memchr(at, '\n', text.n_bytes - from);

    return end ? from + (size_t)(end - at) + 1 : text.n_bytes;
}

bool pieces_cut(struct pieces *pieces, struct bytes text, piece_fn *end)
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

void pieces_finish(struct pieces *pieces)
{
    free(pieces->starts);
    free(pieces->is_changed);
}

struct bytes pieces_part(const struct pieces *pieces, size_t from, size_t to)
{
    return bytes_of((const char *)pieces->text.at + pieces->starts[from], pieces->starts[to] - pieces->starts[from]);
}

/* ---- the shortest script ----------------------------------------------------------------------------------------- */

/* What both have in common at their beginning is left out: pieces are counted from n_start on. */
struct search {
    struct pieces *before, *after;
    size_t n_start, n_before, n_after;
    size_t n_comparisons, n_changes_max;
    ptrdiff_t *rows; /* row d has a place for each of the diagonals -d, -d + 2 ... d, and begins at d (d + 1) / 2 */
    size_t n_places; /* as many as were needed until now: most texts differ in little */
};

static ptrdiff_t *furthest(const struct search *search, ptrdiff_t d, ptrdiff_t k)
{
    return &search->rows[d * (d + 1) / 2 + (d + k) / 2];
}

/* False: no memory. */
static bool has_row(struct search *search, ptrdiff_t d)
{
    size_t n_needed = (size_t)(d + 1) * (size_t)(d + 2) / 2, n_places = 2 * n_needed;
    ptrdiff_t *rows;

    if (n_needed <= search->n_places)
        return true;
    rows = realloc(search->rows, n_places * sizeof(*rows));
    if (!rows)
        return false;
    search->rows = rows;
    search->n_places = n_places;
    return true;
}

/* Whether the way with d changes to diagonal k comes down from k + 1, by putting in a piece of `after`. */
static bool comes_down(const struct search *search, ptrdiff_t d, ptrdiff_t k)
{
    return k == -d || (k != d && *furthest(search, d - 1, k - 1) < *furthest(search, d - 1, k + 1));
}

static bool are_equal(struct search *search, size_t i, size_t j)
{
    struct bytes before = pieces_part(search->before, i, i + 1);

    search->n_comparisons += 1 + before.n_bytes / COMPARED_BYTES;
    return bytes_equal(before, pieces_part(search->after, j, j + 1));
}

static ptrdiff_t follow(struct search *search, ptrdiff_t x, ptrdiff_t k)
{
    size_t i = (size_t)x, j = (size_t)(x - k);

    while (i < search->n_before && j < search->n_after && are_equal(search, search->n_start + i, search->n_start + j)) {
        i++;
        j++;
    }
    return (ptrdiff_t)i;
}

/* Returns the number of changes, -1: too many, or no memory for that many. */
static ptrdiff_t search_forwards(struct search *search)
{
    ptrdiff_t n = (ptrdiff_t)search->n_before, m = (ptrdiff_t)search->n_after;

    for (ptrdiff_t d = 0; d <= (ptrdiff_t)search->n_changes_max && search->n_comparisons < COMPARISONS_MAX; d++) {
        if (!has_row(search, d))
            return -1;
        for (ptrdiff_t k = -d; k <= d; k += 2) {
            ptrdiff_t x = 0;

            if (d)
                x = comes_down(search, d, k) ? *furthest(search, d - 1, k + 1) : *furthest(search, d - 1, k - 1) + 1;
            x = follow(search, x, k);
            *furthest(search, d, k) = x;
            if (x >= n && x - k >= m)
                return d;
        }
    }
    return -1;
}

static void read_backwards(struct search *search, ptrdiff_t d)
{
    ptrdiff_t k = (ptrdiff_t)search->n_before - (ptrdiff_t)search->n_after;

    for (; d > 0; d--) {
        if (comes_down(search, d, k)) {
            k++;
            search->after->is_changed[(ptrdiff_t)search->n_start + *furthest(search, d - 1, k) - k] = true;
        } else {
            k--;
            search->before->is_changed[(ptrdiff_t)search->n_start + *furthest(search, d - 1, k)] = true;
        }
    }
}

/* Leaves out what both have at their beginning and at their end. */
static void trim(struct search *search)
{
    const struct pieces *before = search->before, *after = search->after;
    size_t least = before->n < after->n ? before->n : after->n, n_end = 0;

    while (search->n_start < least && are_equal(search, search->n_start, search->n_start))
        search->n_start++;
    while (n_end < least - search->n_start && are_equal(search, before->n - 1 - n_end, after->n - 1 - n_end))
        n_end++;
    search->n_before = before->n - search->n_start - n_end;
    search->n_after = after->n - search->n_start - n_end;
    search->n_comparisons = 0;
}

bool pieces_compare(struct pieces *before, struct pieces *after, size_t n_changes_max)
{
    struct search search = { .before = before, .after = after, .n_changes_max = n_changes_max };
    ptrdiff_t n_changes;

    trim(&search);
    n_changes = search_forwards(&search);
    if (n_changes >= 0) {
        read_backwards(&search, n_changes);
    } else {
        memset(before->is_changed + search.n_start, true, search.n_before);
        memset(after->is_changed + search.n_start, true, search.n_after);
    }
    free(search.rows);
    return n_changes >= 0;
}
