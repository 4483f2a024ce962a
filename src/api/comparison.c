#include "api/comparison.h"

#include <string.h>

#include "api/difference.h"
#include "api/frames.h"
#include "api/unified.h"

/* A document of the greatest depth may come out of the log whatever the limits are now. */
static const struct ot_limits read_limits = { .max_depth = OT_DEPTH_CEILING,
                                              .max_components = 100000,
                                              .max_document_bytes = FRAME_MAX_BYTES };

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static int write_text(const struct ot_snapshot *snapshot, struct buffer *into)
{
    return snapshot ? ot_snapshot_write_text(snapshot, buffer_write, into) : 0;
}

static int compare_texts(struct comparison *comparison)
{
    struct unified_text before = { .name = comparison->names[0] }, after = { .name = comparison->names[1] };
    struct buffer texts[2];
    int r;

    buffer_init(&texts[0], FRAME_MAX_BYTES);
    buffer_init(&texts[1], FRAME_MAX_BYTES);
    r = write_text(comparison->before, &texts[0]);
    if (!r)
        r = write_text(comparison->after, &texts[1]);
    before.text = buffer_bytes(&texts[0]);
    after.text = buffer_bytes(&texts[1]);
    if (!r && comparison->as == COMPARISON_LINES)
        unified_write(&before, &after, &comparison->written);
    else if (!r)
        difference_of_texts(before.text, after.text, &comparison->written);
    buffer_finish(&texts[0]);
    buffer_finish(&texts[1]);
    return r ? r : comparison->written.error;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static int read_content(const struct ot_snapshot *snapshot, struct ot_json **out)
{
    struct buffer text;
    int r;

    buffer_init(&text, FRAME_MAX_BYTES);
    r = ot_snapshot_write_json(snapshot, buffer_write, &text);
    if (!r)
        r = ot_json_parse(text.at, text.n_bytes, &read_limits, out, NULL);
    buffer_finish(&text);
    return r;
}

static int compare_values(struct comparison *comparison)
{
    bool is_rich = strcmp(ot_type_name(comparison->type), "rich-text") == 0;
    struct ot_json *before = NULL, *after = NULL;
    struct ot_op *op = NULL;
    int r = read_content(comparison->before, &before);

    if (!r)
        r = read_content(comparison->after, &after);
    if (!r && is_rich)
        r = difference_of_deltas(before, after, &comparison->written);
    else if (!r)
        r = difference_of_values(comparison->type, before, after, &op, &comparison->error);
    if (op)
        r = ot_op_write(op, buffer_write, &comparison->written);
    ot_op_unref(op);
    ot_json_unref(before);
    ot_json_unref(after);
    return r;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* Of megabytes of JSON that takes as long as a turn of the loop may. */
static void give_back_after(struct comparison *comparison)
{
    ot_snapshot_destroy(comparison->after);
    comparison->after = NULL;
}

static int read_operation(struct comparison *comparison)
{
    const struct buffer *written = &comparison->written;
    struct ot_limits deeper = *comparison->limits;

    deeper.max_depth += 10; /* a value of the greatest depth lies a few levels deep in an operation */
    return written->error ? written->error
                          : ot_json_parse(written->at, written->n_bytes, &deeper, &comparison->operation, NULL);
}

static void work(struct errand *errand)
{
    struct comparison *comparison = LIST_ENTRY(errand, struct comparison, errand);
    bool is_text = strcmp(ot_type_name(comparison->type), "text-unicode") == 0;

    comparison->r = is_text ? compare_texts(comparison) : compare_values(comparison);
    if (!comparison->r && comparison->limits)
        comparison->operation_r = read_operation(comparison);
    if (comparison->after_is_sole)
        give_back_after(comparison);
}

static void done(struct errand *errand)
{
    struct comparison *comparison = LIST_ENTRY(errand, struct comparison, errand);

    comparison->on_done(comparison);
}

static size_t size_of(const struct ot_snapshot *snapshot)
{
    return snapshot ? ot_snapshot_size(snapshot) : 0;
}

void comparison_run(struct comparison *comparison, struct helper *helper)
{
    bool is_large = size_of(comparison->before) + size_of(comparison->after) >= HELPER_WORTH_BYTES;

    buffer_init(&comparison->written, FRAME_MAX_BYTES);
    comparison->errand = (struct errand){ .work = work, .done = done };
    helper_do(is_large ? helper : NULL, &comparison->errand);
}

bool comparison_is_noop(const struct comparison *comparison)
{
    static const char *const nothing[] = { "[]", "null", "{\"ops\":[]}" };

    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        if (bytes_equal(buffer_bytes(&comparison->written), bytes_of_string(nothing[i])))
            return true;
    return false;
}

int comparison_operation(struct comparison *comparison, struct ot_json **out)
{
    if (!comparison->operation_r) {
        *out = comparison->operation;
        comparison->operation = NULL;
    }
    return comparison->operation_r;
}

bool comparison_is_large(const struct comparison *comparison)
{
    return comparison->written.n_bytes >= HELPER_WORTH_BYTES;
}

void comparison_finish(struct comparison *comparison)
{
    ot_snapshot_destroy(comparison->before);
    ot_snapshot_destroy(comparison->after);
    comparison->before = comparison->after = NULL;
    ot_json_unref(comparison->operation);
    comparison->operation = NULL;
    buffer_finish(&comparison->written);
}
