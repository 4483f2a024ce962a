/* RFC 6902. Each operation is done to a copy of the document before the next is looked at; all of the edits together
 * are the answer. */
#include "api/json_patch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/patching.h"

/* Where a pointer leads. */
struct place {
    struct json_step steps[JSON_PATH_MAX];
    size_t n;
    char *keys;                 /* which the steps point into */
    const struct ot_part *part; /* what lies there; NULL: nothing, but it may be put there */
};

struct run {
    struct patching patching;
    const struct ot_json *operation; /* the one at hand */
    struct place from, path;
    int r;
};

static bool failed(struct run *run, int r, const char *message)
{
    if (!run->r)
        run->r = patching_fail(&run->patching, r, message);
    return false;
}

/* ---- pointers ---------------------------------------------------------------------------------------------------- */

/* "~1" means "/", "~0" means "~". False: something else behind a "~". */
static bool unescape(struct bytes token, char **at, struct bytes *out)
{
    const char *from = token.at, *end = from + token.n_bytes;

    out->at = *at;
    for (; from < end; from++) {
        char c = *from;

        if (c == '~') {
            if (++from == end || (*from != '0' && *from != '1'))
                return false;
            c = *from == '0' ? '~' : '/';
        }
        *(*at)++ = c;
    }
    out->n_bytes = (size_t)(*at - (const char *)out->at);
    return true;
}

static bool pointer_read(struct run *run, struct bytes text, struct place *place)
{
    const char *at = text.at, *end = at + text.n_bytes;
    char *key = place->keys = malloc(text.n_bytes + 1);

    place->n = 0;
    if (!key) {
        run->r = -ENOMEM;
        return false;
    }
    if (at < end && *at != '/')
        return failed(run, PATCH_MALFORMED, "a path begins with '/', or is empty");
    while (at < end) {
        const char *start = at + 1, *stop = memchr(start, '/', (size_t)(end - start));

        at = stop ? stop : end;
        if (place->n == JSON_PATH_MAX)
            return failed(run, PATCH_LIMIT, "a path that is too long");
        if (!unescape(bytes_of(start, (size_t)(at - start)), &key, &place->steps[place->n++].key))
            return failed(run, PATCH_MALFORMED, "in a path '~' is written '~0', and '/' within a name '~1'");
    }
    return true;
}

/* "0", "12"; not "01", which is no position. */
static bool index_read(struct bytes token, size_t *out)
{
    const char *at = token.at;
    size_t index = 0;

    if (!token.n_bytes || token.n_bytes > 15 || (*at == '0' && token.n_bytes > 1))
        return false;
    for (size_t i = 0; i < token.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        index = index * 10 + (size_t)(at[i] - '0');
    }
    *out = index;
    return true;
}

/* One step down. is_end: something may be put where there is nothing yet. */
static bool step_down(struct run *run, struct json_step *step, bool is_end, const struct ot_part **part)
{
    size_t n = ot_part_count(*part);
    bool is_list = ot_part_kind(*part) == OT_JSON_ARRAY;

    if (is_list) {
        if (is_end && bytes_equal(step->key, bytes_of("-", 1)))
            step->index = n;
        else if (!index_read(step->key, &step->index) || step->index > n || (step->index == n && !is_end))
            return failed(run, PATCH_NOT_APPLIED, "the path leads to no place of a list");
        *part = step->index < n ? ot_part_at(*part, step->index) : NULL;
        return true;
    }
    step->index = JSON_STEP_IS_KEY;
    if (ot_part_kind(*part) != OT_JSON_OBJECT)
        return failed(run, PATCH_NOT_APPLIED, "the path leads into what is no object and no list");
    run->r = ot_part_get(*part, step->key.at, step->key.n_bytes, part);
    if (!run->r && !*part && !is_end)
        return failed(run, PATCH_NOT_APPLIED, "there is nothing at the path");
    return !run->r;
}

/* Where the pointer leads in that value; to a place where something may be put when `adds`. */
static bool find(struct run *run, const struct ot_snapshot *in, bool adds, struct place *place)
{
    place->part = ot_snapshot_part(in);
    for (size_t i = 0; i < place->n; i++) {
        if (!step_down(run, &place->steps[i], adds && i + 1 == place->n, &place->part))
            return false;
    }
    return true;
}

static bool is_in_list(const struct place *place)
{
    return place->n && place->steps[place->n - 1].index != JSON_STEP_IS_KEY;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void add(struct run *run, const struct ot_json *value)
{
    struct place *path = &run->path;

    if (find(run, run->patching.now, true, path))
        run->r = patching_put(&run->patching, path->steps, path->n, is_in_list(path) ? NULL : path->part, value);
}

static void do_add(struct run *run)
{
    add(run, ot_json_get(run->operation, "value", 5));
}

static void do_replace(struct run *run)
{
    struct place *path = &run->path;

    if (find(run, run->patching.now, false, path))
        run->r =
            patching_put(&run->patching, path->steps, path->n, path->part, ot_json_get(run->operation, "value", 5));
}

static void do_remove(struct run *run)
{
    struct place *path = &run->path;

    if (find(run, run->patching.now, false, path))
        run->r = patching_remove(&run->patching, path->steps, path->n, path->part);
}

static void do_test(struct run *run)
{
    struct ot_json *value = NULL;

    if (find(run, run->patching.now, false, &run->path))
        run->r = patching_read(&run->patching, run->path.part, &value);
    if (run->r == PATCH_NOT_APPLIED)
        run->r = PATCH_TEST_FAILED; /* what is not there is not equal */
    else if (!run->r && !ot_json_equal(value, ot_json_get(run->operation, "value", 5)))
        (void)failed(run, PATCH_TEST_FAILED, "it is another value");
    ot_json_unref(value);
}

static void do_copy(struct run *run)
{
    struct ot_json *value = NULL;

    if (find(run, run->patching.now, false, &run->from))
        run->r = patching_read(&run->patching, run->from.part, &value);
    if (!run->r)
        add(run, value);
    ot_json_unref(value);
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

static bool is_beginning(const struct place *beginning, const struct place *of)
{
    for (size_t i = 0; i < beginning->n; i++) {
        if (i == of->n || !bytes_equal(beginning->steps[i].key, of->steps[i].key))
            return false;
    }
    return true;
}

static bool are_of_one_list(const struct place *a, const struct place *b)
{
    if (a->n != b->n || !is_in_list(a) || !is_in_list(b))
        return false;
    for (size_t i = 0; i + 1 < a->n; i++) {
        if (!bytes_equal(a->steps[i].key, b->steps[i].key))
            return false;
    }
    return true;
}

/* Where it is to go is told by what there is without it. is_free: nothing has to go for it. */
static void find_without(struct run *run, const struct ot_json *value, bool *is_free)
{
    struct patching *patching = &run->patching;
    struct ot_snapshot *rest = NULL;
    struct json_edits edits;

    run->r = ot_snapshot_share(patching->now, &rest);
    if (run->r)
        return;
    json_edits_init(&edits, patching->edits.type, rest, patching->limits, &patching->inner);
    run->r = json_edits_note(&edits, run->from.steps, run->from.n, value, NULL);
    json_edits_finish(&edits);
    if (run->r > 0)
        run->r = patching_fail(patching, PATCH_NOT_APPLIED, patching->inner.message);
    else if (!run->r && find(run, rest, true, &run->path))
        *is_free = is_in_list(&run->path) || !run->path.part;
    ot_snapshot_destroy(rest);
}

static void remove_and_add(struct run *run, const struct ot_json *value)
{
    const struct place *from = &run->from;

    if (run->path.n)
        run->r = patching_remove(&run->patching, from->steps, from->n, from->part);
    if (!run->r)
        add(run, value);
}

/* Of one list. */
static bool is_there_already(const struct place *from, const struct place *path)
{
    return from->steps[from->n - 1].index == path->steps[path->n - 1].index;
}

static void move(struct run *run)
{
    struct place *from = &run->from, *path = &run->path;
    struct ot_json *value = NULL;
    bool is_free = false, is_within = false;

    run->r = patching_read(&run->patching, from->part, &value);
    if (!run->r)
        find_without(run, value, &is_free);
    if (run->r)
        goto out;
    is_within = is_free && are_of_one_list(from, path);
    if (is_within && is_there_already(from, path))
        goto out; /* the last one, to the end */
    if (is_within || (is_free && run->patching.edits.is_json1))
        run->r = patching_move(&run->patching, from->steps, from->n, path->steps, path->n);
    else
        remove_and_add(run, value);
out:
    ot_json_unref(value);
}

static void do_move(struct run *run)
{
    if (!find(run, run->patching.now, false, &run->from))
        return;
    if (!is_beginning(&run->from, &run->path))
        move(run);
    else if (run->from.n != run->path.n)
        (void)failed(run, PATCH_NOT_APPLIED, "nothing can be moved into itself");
}

/* ---- the patch --------------------------------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    bool has_from, has_value;
    void (*run)(struct run *run);
} kinds[] = {
    { "add", false, true, do_add },   { "remove", false, false, do_remove }, { "replace", false, true, do_replace },
    { "move", true, false, do_move }, { "copy", true, false, do_copy },      { "test", false, true, do_test },
};

static struct bytes text_of(const struct ot_json *operation, const char *key)
{
    const struct ot_json *member = ot_json_get(operation, key, strlen(key));
    struct bytes text = { NULL, 0 };

    if (member && ot_json_kind(member) == OT_JSON_STRING)
        text.at = ot_json_string(member, &text.n_bytes);
    return text;
}

static const struct kind *kind_of(const struct ot_json *operation)
{
    struct bytes name = text_of(operation, "op");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (bytes_equal(name, bytes_of_string(kinds[i].name)))
            return &kinds[i];
    }
    return NULL;
}

static bool operation_read(struct run *run, const struct kind *kind)
{
    struct bytes path = text_of(run->operation, "path"), from = text_of(run->operation, "from");

    if (!kind)
        return failed(run, PATCH_MALFORMED, "'op' is add, remove, replace, move, copy or test");
    if (!path.at || (kind->has_from && !from.at))
        return failed(run, PATCH_MALFORMED, kind->has_from ? "'path' and 'from' are texts" : "'path' is a text");
    if (kind->has_value && !ot_json_get(run->operation, "value", 5))
        return failed(run, PATCH_MALFORMED, "there is no 'value'");
    return pointer_read(run, path, &run->path) && (!kind->has_from || pointer_read(run, from, &run->from));
}

static void run_operation(struct run *run, size_t number)
{
    const struct kind *kind = kind_of(run->operation);
    struct ot_error *error = run->patching.error;
    struct ot_error reason;

    if (operation_read(run, kind))
        kind->run(run);
    free(run->path.keys);
    free(run->from.keys);
    run->path.keys = run->from.keys = NULL;
    if (run->r <= 0)
        return;
    reason = *error;
    (void)snprintf(error->message, sizeof(error->message), "Operation %zu%s%s%s: %.100s", number, kind ? " (" : "",
                   kind ? kind->name : "", kind ? ")" : "", reason.message);
}

static void run_all(struct run *run, const struct ot_json *patch)
{
    size_t n = ot_json_count(patch);

    if (ot_json_kind(patch) != OT_JSON_ARRAY)
        (void)failed(run, PATCH_MALFORMED, "A JSON Patch is a list of operations");
    else if (n > PATCH_MAX_OPERATIONS)
        (void)failed(run, PATCH_LIMIT, "These are too many operations for one patch");
    for (size_t i = 0; !run->r && i < n; i++) {
        run->operation = ot_json_at(patch, i);
        run_operation(run, i);
    }
}

int json_patch(const struct ot_snapshot *before, const struct ot_json *patch, size_t n_bytes,
               const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct run *run = calloc(1, sizeof(*run));
    int r = run ? patching_begin(&run->patching, before, n_bytes, limits, error) : -ENOMEM;

    if (!r) {
        run_all(run, patch);
        r = patching_end(&run->patching, run->r, out);
    }
    free(run);
    return r;
}
