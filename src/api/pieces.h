/* Texts in pieces, and which pieces two of them do not have in common.
 *
 *     before   | a | b | c |   | d |         a row of words, or of lines
 *     after    | a |   | c | x | d |
 *                    ^       ^               is_changed
 */
#ifndef API_PIECES_H
#define API_PIECES_H

#include <stdbool.h>

#include "base/bytes.h"

/* Piece i is [starts[i], starts[i + 1]) of the text, which is borrowed. */
struct pieces {
    struct bytes text;
    size_t n, *starts;
    bool *is_changed;
};

typedef size_t piece_fn(struct bytes text, size_t from); /* where the piece that begins there ends */

/* A word and the space behind it. Where no spaces are written, in Chinese say, each character is one. */
size_t piece_word_end(struct bytes text, size_t from);
size_t piece_line_end(struct bytes text, size_t from);

/* False: no memory. pieces_finish either way. */
__attribute__((warn_unused_result)) bool pieces_cut(struct pieces *pieces, struct bytes text, piece_fn *end);
void pieces_finish(struct pieces *pieces);

struct bytes pieces_part(const struct pieces *pieces, size_t from, size_t to);

/* Marks the fewest pieces that are to be taken out of `before` and put into `after`. False: more than n_changes_max, or
 * too long to look for; then all are marked between what both have in common at their beginning and at their end. */
bool pieces_compare(struct pieces *before, struct pieces *after, size_t n_changes_max);

#endif
