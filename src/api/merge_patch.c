/* RFC 7396. The patch is walked with a stack of the objects of it that are open; beside each of them lies an object of
 * the document. */
#include "api/json_patch.h"

#include <errno.h>
#include <stdlib.h>

#include "api/patching.h"

struct level {
    const struct ot_json *object; /* of the patch */
    size_t i;                     /* its next member */
};

struct run {
    struct patching patching;
    struct level levels[JSON_PATH_MAX];
    struct json_step path[JSON_PATH_MAX];
    size_t n; /* levels that are open */
    int r;
};

static bool is_object(const struct ot_json *value)
{
    return ot_json_kind(value) == OT_JSON_OBJECT;
}

/* ---- what enters whole ------------------------------------------------------------------------------------------- */

/* The next member that is something, and what stands before it. False: that was the last. */
static bool next_member(struct level *level, struct buffer *into, const struct ot_json **out, bool *is_first)
{
    size_t n_bytes;
    const char *key;

    for (; level->i < ot_json_count(level->object); level->i++) {
        *out = ot_json_at(level->object, level->i);
        if (ot_json_kind(*out) == OT_JSON_NULL)
            continue;
        key = ot_json_key_at(level->object, level->i++, &n_bytes);
        (void)buffer_append_string(into, *is_first ? "" : ",");
        if (!ot_json_write_string(key, n_bytes, buffer_write, into))
            (void)buffer_append_string(into, ":");
        *is_first = false;
        return true;
    }
    return false;
}

/* Without the members that are null: there is nothing that they could remove. In lists they are elements. */
static int write_clean(struct run *run, const struct ot_json *value, struct buffer *into)
{
    struct level *levels = run->levels + run->n;
    size_t n = 0, n_max = JSON_PATH_MAX - run->n;
    bool is_first = true;

    if (n_max == 0)
        return OT_LIMIT;
    levels[n++] = (struct level){ value, 0 };
    (void)buffer_append_string(into, "{");
    while (n && !into->error) {
        const struct ot_json *member;

        if (!next_member(&levels[n - 1], into, &member, &is_first)) {
            (void)buffer_append_string(into, "}");
            is_first = false;
            n--;
        } else if (!is_object(member)) {
            if (ot_json_write(member, buffer_write, into))
                break; /* the buffer knows why */
        } else if (n == n_max) {
            return OT_LIMIT;
        } else {
            levels[n++] = (struct level){ member, 0 };
            (void)buffer_append_string(into, "{");
            is_first = true;
        }
    }
    return into->error;
}

static void put_clean(struct run *run, const struct ot_part *part, const struct ot_json *value)
{
    struct ot_json *clean = NULL;
    struct buffer text;

    buffer_init(&text, PATCH_MAX_BYTES);
    run->r = write_clean(run, value, &text);
    if (!run->r)
        run->r = ot_json_parse(text.at, text.n_bytes, NULL, &clean, NULL);
    if (run->r > 0)
        run->r = patching_fail(&run->patching, PATCH_LIMIT, "This is nested too deeply");
    if (!run->r)
        run->r = patching_put(&run->patching, run->path, run->n, part, clean);
    ot_json_unref(clean);
    buffer_finish(&text);
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

/* What lies at the path; NULL: nothing. */
static const struct ot_part *find(struct run *run)
{
    const struct ot_part *part = ot_snapshot_part(run->patching.now);

    for (size_t i = 0; i < run->n && part && !run->r; i++)
        run->r = ot_part_get(part, run->path[i].key.at, run->path[i].key.n_bytes, &part);
    return part;
}

/* What is at the path becomes what the patch says. */
static void merge(struct run *run, const struct ot_json *value)
{
    const struct ot_part *part = find(run);

    if (run->r)
        return;
    if (run->n && ot_json_kind(value) == OT_JSON_NULL)
        run->r = part ? patching_remove(&run->patching, run->path, run->n, part) : 0;
    else if (!is_object(value))
        run->r = patching_put(&run->patching, run->path, run->n, part, value);
    else if (!part || ot_part_kind(part) != OT_JSON_OBJECT)
        put_clean(run, part, value);
    else if (run->n == JSON_PATH_MAX)
        run->r = patching_fail(&run->patching, PATCH_LIMIT, "This is nested too deeply");
    else
        run->levels[run->n++] = (struct level){ value, 0 };
}

static void walk(struct run *run)
{
    while (run->n && !run->r) {
        struct level *level = &run->levels[run->n - 1];
        struct json_step *step = &run->path[run->n - 1];
        size_t i = level->i++;

        if (i == ot_json_count(level->object)) {
            run->n--;
            continue;
        }
        step->index = JSON_STEP_IS_KEY;
        step->key.at = ot_json_key_at(level->object, i, &step->key.n_bytes);
        merge(run, ot_json_at(level->object, i));
    }
}

int merge_patch(const struct ot_snapshot *before, const struct ot_json *patch, size_t n_bytes,
                const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct run *run = calloc(1, sizeof(*run));
    int r = run ? patching_begin(&run->patching, before, n_bytes, limits, error) : -ENOMEM;

    if (!r) {
        merge(run, patch);
        walk(run);
        r = patching_end(&run->patching, run->r, out);
    }
    free(run);
    return r;
}
