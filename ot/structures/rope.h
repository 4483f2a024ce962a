/* A rope: text as a B+tree, so that editing in the middle of ten megabytes costs what it costs in ten lines.
 *
 *             | 812 cp | 640 cp | 700 cp |          inner: what each child sums up to, in bytes, code points and
 *              /          |          \              characters beyond the BMP
 *     | 400 | 412 |   | 640 |    | 300 | 400 |
 *       |     |         |          |     |
 *     "..."  "..."    "..."      "..."  "..."       leaf: UTF-8, cut at characters only, ROPE_LEAF_BYTES at most
 *
 * Positions and lengths are code points (n_cps, at_cp), ranges half-open. A part whose bytes equal its code points is
 * ASCII, so no flag is kept. The caller vouches for valid UTF-8 and for positions within the text.
 *
 * Nodes are counted and never changed while two ropes hold them: rope_share is O(1), and editing one copies the path to
 * the edit. Counts are touched by rope_share, _finish and edits only: reading a rope, on whatever thread, touches none,
 * as long as nobody edits or finishes that very rope meanwhile.
 *
 * Edits return 0, or -ENOMEM with the rope as it was. Internal to ot/. */
#ifndef OT_ROPE_H
#define OT_ROPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rope_node;

struct rope_sums {
    uint32_t n_bytes, n_cps, n_astral; /* UTF-16 units: n_cps + n_astral */
};

struct rope {
    struct rope_node *root; /* NULL: empty */
    struct rope_sums sums;
};

#define ROPE_MAX_BYTES UINT32_MAX /* the caller's ceiling lies below it */

void rope_init(struct rope *rope);
void rope_finish(struct rope *rope);
void rope_share(const struct rope *rope, struct rope *out);
struct rope rope_of_root(struct rope_node *root); /* for whoever keeps roots alone; counts up what is missing */

__attribute__((warn_unused_result)) int rope_insert(struct rope *rope, size_t at_cp, const char *utf8, size_t n_bytes);
__attribute__((warn_unused_result)) int rope_delete(struct rope *rope, size_t from_cp, size_t to_cp);

/* Between the units of a position; O(log n). */
size_t rope_byte_at(const struct rope *rope, size_t at_cp);
size_t rope_utf16_at(const struct rope *rope, size_t at_cp);
bool rope_cp_at_utf16(const struct rope *rope, size_t at_unit, size_t *out_cp); /* false: inside a surrogate pair */

/* ---- reading ----------------------------------------------------------------------------------------------------- */

#define ROPE_MAX_HEIGHT 24

/* Walks a rope that nobody changes meanwhile. Holds no reference. */
struct rope_cursor {
    size_t depth;
    struct {
        struct rope_node *node;
        unsigned child;
    } path[ROPE_MAX_HEIGHT];
    const char *at; /* what is left of the current leaf */
    size_t n_bytes;
};

void rope_cursor_init(struct rope_cursor *cursor, const struct rope *rope, size_t at_cp);

/* Up to max_bytes more of the text, contiguous, cut anywhere; returns how many lie at *out, 0 at the end. */
size_t rope_cursor_read(struct rope_cursor *cursor, size_t max_bytes, const char **out);

#endif
