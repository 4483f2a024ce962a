/* What both kinds of patches (json_patch.h) have in common: the document as it is so far, and what the work costs.
 * Nobody else includes it. All results are those of a patch_fn. */
#ifndef API_PATCHING_H
#define API_PATCHING_H

#include "api/json_edits.h"
#include "api/json_patch.h"

struct patching {
    struct ot_snapshot *now; /* as the edits so far have made it */
    struct json_edits edits;
    struct ot_error inner; /* theirs */
    const struct ot_limits *limits;
    struct ot_error *error; /* the caller's */
    size_t n_bytes_left;
};

OT_MUST_CHECK int patching_begin(struct patching *patching, const struct ot_snapshot *before, size_t n_bytes,
                                 const struct ot_limits *limits, struct ot_error *error);
/* r: how it went so far. Frees what it holds. */
OT_MUST_CHECK int patching_end(struct patching *patching, int r, struct ot_op **out);

OT_MUST_CHECK int patching_fail(struct patching *patching, int r, const char *message);
OT_MUST_CHECK int patching_spend(struct patching *patching, size_t n_bytes);
/* A part of what is there now, copied. */
OT_MUST_CHECK int patching_read(struct patching *patching, const struct ot_part *part, struct ot_json **out);

/* Puts the value there; part: what lies there now, which goes unless it is equal, or NULL. */
OT_MUST_CHECK int patching_put(struct patching *patching, const struct json_step *path, size_t n,
                               const struct ot_part *part, const struct ot_json *value);
OT_MUST_CHECK int patching_remove(struct patching *patching, const struct json_step *path, size_t n,
                                  const struct ot_part *part);
OT_MUST_CHECK int patching_move(struct patching *patching, const struct json_step *from, size_t n_from,
                                const struct json_step *to, size_t n_to);

#endif
