#include "api/patching.h"

#include <errno.h>
#include <stdio.h>

/* A document of the greatest depth may come out of the log whatever the limits are now. */
static const struct ot_limits read_limits = { .max_depth = OT_DEPTH_CEILING,
                                              .max_components = 100000,
                                              .max_document_bytes = PATCH_MAX_BYTES };

int patching_fail(struct patching *patching, int r, const char *message)
{
    (void)snprintf(patching->error->message, sizeof(patching->error->message), "%s", message);
    return r;
}

int patching_spend(struct patching *patching, size_t n_bytes)
{
    if (n_bytes > patching->n_bytes_left)
        return patching_fail(patching, PATCH_LIMIT, "this takes more work than a patch may");
    patching->n_bytes_left -= n_bytes;
    return 0;
}

int patching_begin(struct patching *patching, const struct ot_snapshot *before, size_t n_bytes,
                   const struct ot_limits *limits, struct ot_error *error)
{
    int r;

    *patching = (struct patching){ .limits = limits, .error = error, .n_bytes_left = PATCH_MAX_BYTES };
    r = patching_spend(patching, n_bytes);
    if (!r)
        r = ot_snapshot_share(before, &patching->now);
    if (!r)
        json_edits_init(&patching->edits, ot_snapshot_type(before), patching->now, limits, &patching->inner);
    return r;
}

/* What an edit says. */
static int result_of(struct patching *patching, int r)
{
    if (r == -E2BIG || r == OT_LIMIT)
        return patching_fail(patching, PATCH_LIMIT, "the document would be larger, or deeper, than one may be");
    return r > 0 ? patching_fail(patching, PATCH_NOT_APPLIED, patching->inner.message) : r;
}

int patching_end(struct patching *patching, int r, struct ot_op **out)
{
    if (!r)
        r = result_of(patching, json_edits_operation(&patching->edits, out));
    json_edits_finish(&patching->edits);
    ot_snapshot_destroy(patching->now);
    return r;
}

int patching_read(struct patching *patching, const struct ot_part *part, struct ot_json **out)
{
    struct buffer text;
    int r;

    buffer_init(&text, patching->n_bytes_left);
    r = ot_part_write_json(part, buffer_write, &text);
    if (r == -E2BIG)
        r = patching_spend(patching, SIZE_MAX);
    if (!r)
        r = patching_spend(patching, text.n_bytes);
    if (!r)
        r = ot_json_parse(text.at, text.n_bytes, &read_limits, out, NULL);
    buffer_finish(&text);
    return r;
}

static int note(struct patching *patching, const struct json_step *path, size_t n, const struct ot_json *leaves,
                const struct ot_json *enters)
{
    return result_of(patching, json_edits_note(&patching->edits, path, n, leaves, enters));
}

int patching_put(struct patching *patching, const struct json_step *path, size_t n, const struct ot_part *part,
                 const struct ot_json *value)
{
    struct ot_json *leaves = NULL;
    int r = part ? patching_read(patching, part, &leaves) : 0;

    if (!r && !(leaves && ot_json_equal(leaves, value)))
        r = note(patching, path, n, leaves, value);
    ot_json_unref(leaves);
    return r;
}

int patching_remove(struct patching *patching, const struct json_step *path, size_t n, const struct ot_part *part)
{
    struct ot_json *leaves = NULL;
    int r;

    if (!n)
        return patching_fail(patching, PATCH_NOT_APPLIED, "the whole document can't be removed");
    r = patching_read(patching, part, &leaves);
    if (!r)
        r = note(patching, path, n, leaves, NULL);
    ot_json_unref(leaves);
    return r;
}

int patching_move(struct patching *patching, const struct json_step *from, size_t n_from, const struct json_step *to,
                  size_t n_to)
{
    return result_of(patching, json_edits_move(&patching->edits, from, n_from, to, n_to));
}
