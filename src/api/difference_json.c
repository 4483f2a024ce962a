/* JSON values: both are walked side by side, with a stack of the containers that are open. Where they part, an edit is
 * noted (json_edits.h). In lists what is equal at both ends stays; in between elements are compared in pairs, and what
 * is left over goes or comes. */
#include <errno.h>
#include <stdlib.h>

#include "api/difference.h"
#include "api/json_edits.h"

struct level {
    const struct ot_json *before, *after;
    size_t i;        /* member of before, and behind its last, of after; position in a list */
    size_t n_paired; /* of a list: up to here elements are compared in pairs */
    size_t n_end;    /* of a list: so many at its end stay */
};

struct walk {
    struct json_edits edits;
    struct level levels[JSON_PATH_MAX];
    struct json_step path[JSON_PATH_MAX]; /* where the walk goes on below each */
    size_t n;
    int r;
};

static void note(struct walk *walk, const struct ot_json *leaves, const struct ot_json *enters)
{
    if (!walk->r)
        walk->r = json_edits_note(&walk->edits, walk->path, walk->n, leaves, enters);
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

static bool are_both(const struct ot_json *before, const struct ot_json *after, enum ot_json_kind kind)
{
    return ot_json_kind(before) == kind && ot_json_kind(after) == kind;
}

static void list_open(struct level *level)
{
    size_t n = ot_json_count(level->before), m = ot_json_count(level->after), least = n < m ? n : m;

    while (level->i < least && ot_json_equal(ot_json_at(level->before, level->i), ot_json_at(level->after, level->i)))
        level->i++;
    while (level->n_end < least - level->i && ot_json_equal(ot_json_at(level->before, n - 1 - level->n_end),
                                                            ot_json_at(level->after, m - 1 - level->n_end)))
        level->n_end++;
    level->n_paired = least - level->n_end;
}

/* What is at the path of the levels: equal, or different, or to be looked into. */
static void compare(struct walk *walk, const struct ot_json *before, const struct ot_json *after)
{
    bool are_lists = are_both(before, after, OT_JSON_ARRAY);

    if (ot_json_equal(before, after))
        return;
    if (!are_lists && !are_both(before, after, OT_JSON_OBJECT)) {
        note(walk, before, after);
        return;
    }
    if (walk->n == JSON_PATH_MAX) {
        walk->r = OT_LIMIT;
        return;
    }
    walk->levels[walk->n] = (struct level){ .before = before, .after = after };
    walk->path[walk->n].index = are_lists ? 0 : JSON_STEP_IS_KEY;
    if (are_lists)
        list_open(&walk->levels[walk->n]);
    walk->n++;
}

/* The next step in an object. False: it is done. */
static bool object_step(struct walk *walk, struct level *level)
{
    struct bytes *key = &walk->path[walk->n - 1].key;
    size_t n = ot_json_count(level->before), i = level->i++;
    bool is_in_before = i < n;
    const struct ot_json *from = is_in_before ? level->before : level->after, *value, *other;

    if (!is_in_before && i - n >= ot_json_count(level->after))
        return false;
    i = is_in_before ? i : i - n;
    key->at = ot_json_key_at(from, i, &key->n_bytes);
    value = ot_json_at(from, i);
    other = ot_json_get(is_in_before ? level->after : level->before, key->at, key->n_bytes);
    if (is_in_before && other)
        compare(walk, value, other);
    else if (is_in_before)
        note(walk, value, NULL);
    else if (!other)
        note(walk, NULL, value);
    return true;
}

static bool list_step(struct walk *walk, struct level *level)
{
    struct json_step *step = &walk->path[walk->n - 1];
    size_t n = ot_json_count(level->before), m = ot_json_count(level->after), i = level->i++;

    step->index = i;
    if (i < level->n_paired) {
        compare(walk, ot_json_at(level->before, i), ot_json_at(level->after, i));
    } else if (i < n - level->n_end) { /* those before it have gone */
        step->index = level->n_paired;
        note(walk, ot_json_at(level->before, i), NULL);
    } else if (i < m - level->n_end) {
        note(walk, NULL, ot_json_at(level->after, i));
    } else {
        return false;
    }
    return true;
}

static void walk_all(struct walk *walk)
{
    while (walk->n && !walk->r) {
        struct level *level = &walk->levels[walk->n - 1];
        bool is_list = ot_json_kind(level->before) == OT_JSON_ARRAY;

        if (!(is_list ? list_step(walk, level) : object_step(walk, level)))
            walk->n--;
    }
}

int difference_of_values(const struct ot_type *type, const struct ot_json *before, const struct ot_json *after,
                         struct ot_op **out, struct ot_error *error)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    int r;

    if (!walk)
        return -ENOMEM;
    json_edits_init(&walk->edits, type, NULL, NULL, error);
    compare(walk, before, after);
    walk_all(walk);
    r = walk->r ? walk->r : json_edits_operation(&walk->edits, out);
    json_edits_finish(&walk->edits);
    free(walk);
    return r;
}
