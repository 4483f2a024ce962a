/* JSON values: both are walked side by side, with a stack of the containers that are open. Where they part, one of
 *
 *     leave    what is at the path goes               json0 od, ld     json1 r
 *     enter    something comes to be there            json0 oi, li     json1 i
 *     replace  both
 *
 * is noted, each for the value that the ones before have made. In lists what is equal at both ends stays; in between
 * elements are compared in pairs, and what is left over goes or comes. */
#include <errno.h>
#include <stdlib.h>

#include "api/difference.h"

#define DEPTH_MAX     256 /* of what ot/ reads: 200 */
#define OP_MAX_BYTES  ((size_t)256 << 20)
#define INDEX_IS_NONE SIZE_MAX
#define N_SIZES       64

struct level {
    const struct ot_json *before, *after;
    size_t i;        /* member of before, and behind its last, of after; position in a list */
    size_t n_paired; /* of a list: up to here elements are compared in pairs */
    size_t n_end;    /* of a list: so many at its end stay */

    /* Where the walk goes on below. */
    struct bytes key;
    size_t index; /* INDEX_IS_NONE: it is a key */
};

struct walk {
    const struct ot_type *type;
    bool is_json1;
    struct ot_error *error;
    struct level levels[DEPTH_MAX];
    size_t n;
    struct buffer text;         /* of json0's operation */
    struct ot_op *ops[N_SIZES]; /* json1's, of 1, 2, 4, 8... notes; the largest are the first. Composed one after the
                                 * other, each would copy all before it */
    int r;
};

/* ---- noting ------------------------------------------------------------------------------------------------------ */

static int write_value(struct buffer *into, const char *before, const struct ot_json *value)
{
    (void)buffer_append_string(into, before);
    return ot_json_write(value, buffer_write, into);
}

/* "a",3,"b" */
static int write_path(const struct walk *walk, struct buffer *into)
{
    int r = 0;

    for (size_t i = 0; i < walk->n && !r; i++) {
        const struct level *level = &walk->levels[i];

        (void)buffer_append_string(into, i ? "," : "");
        r = level->index == INDEX_IS_NONE ? ot_json_write_string(level->key.at, level->key.n_bytes, buffer_write, into)
                                          : buffer_append_u64(into, level->index);
    }
    return r ? r : into->error;
}

static int note_json0(struct walk *walk, const struct ot_json *leaves, const struct ot_json *enters)
{
    bool is_in_list = walk->n && walk->levels[walk->n - 1].index != INDEX_IS_NONE;
    struct buffer *text = &walk->text;
    int r;

    (void)buffer_append_string(text, text->n_bytes > 1 ? ",{\"p\":[" : "{\"p\":[");
    r = write_path(walk, text);
    (void)buffer_append_string(text, "]");
    if (!r && leaves)
        r = write_value(text, is_in_list ? ",\"ld\":" : ",\"od\":", leaves);
    if (!r && enters)
        r = write_value(text, is_in_list ? ",\"li\":" : ",\"oi\":", enters);
    return r ? r : buffer_append_string(text, "}");
}

static int op_parse(const struct walk *walk, const struct buffer *text, struct ot_op **out)
{
    struct ot_json *json = NULL;
    struct ot_limits limits = ot_limits_default;
    int r;

    limits.max_depth += 10; /* a value of the greatest depth lies a few levels deep in the operation */
    r = ot_json_parse(text->at, text->n_bytes, &limits, &json, walk->error);
    if (!r)
        r = ot_op_parse(walk->type, json, &ot_limits_default, out, walk->error);
    ot_json_unref(json);
    return r;
}

/* `later` behind what is at that place, which is taken away; NULL: nothing is. Both references are used up. */
static int compose(struct walk *walk, size_t i, struct ot_op **later)
{
    struct ot_op *both = NULL;
    int r = walk->ops[i] ? ot_op_compose(walk->ops[i], *later, &ot_limits_default, &both, walk->error) : 0;

    if (r || !walk->ops[i])
        return r;
    ot_op_unref(walk->ops[i]);
    ot_op_unref(*later);
    walk->ops[i] = NULL;
    *later = both;
    return 0;
}

/* As in counting: a place is full or empty, and two of a size make one of the next. */
static int add(struct walk *walk, struct ot_op *op)
{
    size_t i = 0;
    int r = 0;

    for (; walk->ops[i] && !r; i++)
        r = compose(walk, i, &op);
    if (r)
        ot_op_unref(op);
    else
        walk->ops[i] = op;
    return r;
}

/* All of them as one, in ops[0]; NULL: there are none. */
static int gather(struct walk *walk)
{
    struct ot_op *all = NULL;
    int r = 0;

    for (size_t i = 0; i < N_SIZES && !r; i++) {
        if (all) {
            r = compose(walk, i, &all);
        } else {
            all = walk->ops[i];
            walk->ops[i] = NULL;
        }
    }
    if (r)
        ot_op_unref(all);
    else
        walk->ops[0] = all;
    return r;
}

static int note_json1(struct walk *walk, const struct ot_json *leaves, const struct ot_json *enters)
{
    struct ot_op *op = NULL;
    struct buffer text;
    int r;

    buffer_init(&text, OP_MAX_BYTES);
    (void)buffer_append_string(&text, "[");
    r = write_path(walk, &text);
    (void)buffer_append_string(&text, walk->n ? ",{" : "{");
    if (leaves)
        (void)buffer_append_string(&text, enters ? "\"r\":true," : "\"r\":true");
    if (!r && enters)
        r = write_value(&text, "\"i\":", enters);
    if (!r)
        r = buffer_append_string(&text, "}]");
    if (!r)
        r = op_parse(walk, &text, &op);
    if (!r)
        r = add(walk, op);
    buffer_finish(&text);
    return r;
}

static void note(struct walk *walk, const struct ot_json *leaves, const struct ot_json *enters)
{
    if (!walk->r)
        walk->r = walk->is_json1 ? note_json1(walk, leaves, enters) : note_json0(walk, leaves, enters);
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
    if (walk->n == DEPTH_MAX) {
        walk->r = OT_LIMIT;
        return;
    }
    walk->levels[walk->n] = (struct level){ .before = before, .after = after, .index = are_lists ? 0 : INDEX_IS_NONE };
    if (are_lists)
        list_open(&walk->levels[walk->n]);
    walk->n++;
}

/* The next step in an object. False: it is done. */
static bool object_step(struct walk *walk, struct level *level)
{
    size_t n = ot_json_count(level->before), i = level->i++;
    bool is_in_before = i < n;
    const struct ot_json *from = is_in_before ? level->before : level->after, *value, *other;

    if (!is_in_before && i - n >= ot_json_count(level->after))
        return false;
    i = is_in_before ? i : i - n;
    level->key.at = ot_json_key_at(from, i, &level->key.n_bytes);
    value = ot_json_at(from, i);
    other = ot_json_get(is_in_before ? level->after : level->before, level->key.at, level->key.n_bytes);
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
    size_t n = ot_json_count(level->before), m = ot_json_count(level->after), i = level->i++;

    level->index = i;
    if (i < level->n_paired) {
        compare(walk, ot_json_at(level->before, i), ot_json_at(level->after, i));
    } else if (i < n - level->n_end) { /* those before it have gone */
        level->index = level->n_paired;
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
    walk->type = type;
    walk->is_json1 = strcmp(ot_type_name(type), "json1") == 0;
    walk->error = error;
    buffer_init(&walk->text, OP_MAX_BYTES);
    (void)buffer_append_string(&walk->text, walk->is_json1 ? "null" : "[");
    compare(walk, before, after);
    walk_all(walk);
    r = walk->r ? walk->r : gather(walk);
    if (!r && walk->ops[0]) {
        *out = ot_op_ref(walk->ops[0]);
    } else if (!r) {
        (void)buffer_append_string(&walk->text, walk->is_json1 ? "" : "]");
        r = walk->text.error ? walk->text.error : op_parse(walk, &walk->text, out);
    }
    for (size_t i = 0; i < N_SIZES; i++)
        ot_op_unref(walk->ops[i]);
    buffer_finish(&walk->text);
    free(walk);
    return r;
}
