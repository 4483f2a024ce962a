#include "api/json_edits.h"

#include <errno.h>

#define OP_MAX_BYTES ((size_t)256 << 20)

void json_edits_init(struct json_edits *edits, const struct ot_type *type, struct ot_snapshot *value,
                     const struct ot_limits *limits, struct ot_error *error)
{
    *edits = (struct json_edits){ .type = type, .value = value, .limits = limits, .error = error };
    edits->is_json1 = strcmp(ot_type_name(type), "json1") == 0;
    buffer_init(&edits->text, OP_MAX_BYTES);
    (void)buffer_append_string(&edits->text, edits->is_json1 ? "null" : "[");
}

void json_edits_finish(struct json_edits *edits)
{
    for (size_t i = 0; i < JSON_EDITS_SIZES; i++)
        ot_op_unref(edits->ops[i]);
    buffer_finish(&edits->text);
}

/* ---- one operation ----------------------------------------------------------------------------------------------- */

static int parse(const struct json_edits *edits, struct bytes text, struct ot_op **out)
{
    struct ot_json *json = NULL;
    struct ot_limits limits = ot_limits_default;
    int r;

    limits.max_depth += 10; /* a value of the greatest depth lies a few levels deep in the operation */
    r = ot_json_parse(text.at, text.n_bytes, &limits, &json, edits->error);
    if (!r)
        r = ot_op_parse(edits->type, json, &ot_limits_default, out, edits->error);
    ot_json_unref(json);
    return r;
}

/* `later` behind what is at that place, which is taken away; nothing may be. Both references are used up. */
static int compose(struct json_edits *edits, size_t i, struct ot_op **later)
{
    struct ot_op *both = NULL;
    int r = edits->ops[i] ? ot_op_compose(edits->ops[i], *later, &ot_limits_default, &both, edits->error) : 0;

    if (r || !edits->ops[i])
        return r;
    ot_op_unref(edits->ops[i]);
    ot_op_unref(*later);
    edits->ops[i] = NULL;
    *later = both;
    return 0;
}

/* As in counting: a place is full or empty, and two of a size make one of the next. */
static int add(struct json_edits *edits, struct ot_op *op)
{
    size_t i = 0;
    int r = 0;

    for (; edits->ops[i] && !r; i++)
        r = compose(edits, i, &op);
    if (r)
        ot_op_unref(op);
    else
        edits->ops[i] = op;
    return r;
}

/* All of them as one, in ops[0]; NULL: there are none. */
static int gather(struct json_edits *edits)
{
    struct ot_op *all = NULL;
    int r = 0;

    for (size_t i = 0; i < JSON_EDITS_SIZES && !r; i++) {
        if (all) {
            r = compose(edits, i, &all);
        } else {
            all = edits->ops[i];
            edits->ops[i] = NULL;
        }
    }
    if (r)
        ot_op_unref(all);
    else
        edits->ops[0] = all;
    return r;
}

int json_edits_operation(struct json_edits *edits, struct ot_op **out)
{
    int r = gather(edits);

    if (r)
        return r;
    if (edits->ops[0]) {
        *out = ot_op_ref(edits->ops[0]);
        return 0;
    }
    (void)buffer_append_string(&edits->text, edits->is_json1 ? "" : "]");
    return edits->text.error ? edits->text.error : parse(edits, buffer_bytes(&edits->text), out);
}

/* ---- one edit ---------------------------------------------------------------------------------------------------- */

static int apply(const struct json_edits *edits, const struct ot_op *op)
{
    return edits->value ? ot_snapshot_apply(edits->value, op, edits->limits, edits->error) : 0;
}

/* text: of json0's component without more ado, of json1's whole operation. */
static int take_json0(struct json_edits *edits, const struct buffer *text)
{
    struct buffer alone;
    struct ot_op *op = NULL;
    int r = 0;

    if (edits->text.n_bytes > 1)
        (void)buffer_append_string(&edits->text, ",");
    (void)buffer_append(&edits->text, text->at, text->n_bytes);
    if (edits->text.error || !edits->value)
        return edits->text.error;
    buffer_init(&alone, OP_MAX_BYTES);
    (void)buffer_append_string(&alone, "[");
    (void)buffer_append(&alone, text->at, text->n_bytes);
    r = buffer_append_string(&alone, "]");
    if (!r)
        r = parse(edits, buffer_bytes(&alone), &op);
    if (!r)
        r = apply(edits, op);
    ot_op_unref(op);
    buffer_finish(&alone);
    return r;
}

static int take_json1(struct json_edits *edits, const struct buffer *text)
{
    struct ot_op *op = NULL;
    int r = parse(edits, buffer_bytes(text), &op);

    if (!r)
        r = apply(edits, op);
    if (!r)
        return add(edits, op);
    ot_op_unref(op);
    return r;
}

static int take(struct json_edits *edits, struct buffer *text, int r)
{
    if (!r)
        r = text->error;
    if (!r)
        r = edits->is_json1 ? take_json1(edits, text) : take_json0(edits, text);
    buffer_finish(text);
    return r;
}

static int write_value(struct buffer *into, const char *before, const struct ot_json *value)
{
    (void)buffer_append_string(into, before);
    return ot_json_write(value, buffer_write, into);
}

/* "a",3,"b" */
static int write_path(struct buffer *into, const struct json_step *path, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && !r; i++) {
        (void)buffer_append_string(into, i ? "," : "");
        r = path[i].index == JSON_STEP_IS_KEY
                ? ot_json_write_string(path[i].key.at, path[i].key.n_bytes, buffer_write, into)
                : buffer_append_u64(into, path[i].index);
    }
    return r ? r : into->error;
}

static int write_json0(struct buffer *into, const struct json_step *path, size_t n, const struct ot_json *leaves,
                       const struct ot_json *enters)
{
    bool is_in_list = n && path[n - 1].index != JSON_STEP_IS_KEY;
    int r;

    (void)buffer_append_string(into, "{\"p\":[");
    r = write_path(into, path, n);
    (void)buffer_append_string(into, "]");
    if (!r && leaves)
        r = write_value(into, is_in_list ? ",\"ld\":" : ",\"od\":", leaves);
    if (!r && enters)
        r = write_value(into, is_in_list ? ",\"li\":" : ",\"oi\":", enters);
    return r ? r : buffer_append_string(into, "}");
}

static int write_json1(struct buffer *into, const struct json_step *path, size_t n, const struct ot_json *leaves,
                       const struct ot_json *enters)
{
    int r;

    (void)buffer_append_string(into, "[");
    r = write_path(into, path, n);
    (void)buffer_append_string(into, n ? ",{" : "{");
    if (leaves)
        (void)buffer_append_string(into, enters ? "\"r\":true," : "\"r\":true");
    if (!r && enters)
        r = write_value(into, "\"i\":", enters);
    return r ? r : buffer_append_string(into, "}]");
}

int json_edits_note(struct json_edits *edits, const struct json_step *path, size_t n, const struct ot_json *leaves,
                    const struct ot_json *enters)
{
    struct buffer text;

    buffer_init(&text, OP_MAX_BYTES);
    return take(edits, &text, (edits->is_json1 ? write_json1 : write_json0)(&text, path, n, leaves, enters));
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

static bool are_same(const struct json_step *a, const struct json_step *b)
{
    return a->index == b->index && (a->index != JSON_STEP_IS_KEY || bytes_equal(a->key, b->key));
}

/* Positions stand before names, and these in the order of their UTF-16 units, which is that of their bytes but for what
 * lies beyond the surrogates. */
static bool comes_first(const struct json_step *a, const struct json_step *b)
{
    const unsigned char *x = a->key.at, *y = b->key.at;
    size_t i = 0;

    if (a->index != JSON_STEP_IS_KEY || b->index != JSON_STEP_IS_KEY)
        return a->index < b->index;
    while (i < a->key.n_bytes && i < b->key.n_bytes && x[i] == y[i])
        i++;
    if (i == a->key.n_bytes || i == b->key.n_bytes)
        return i == a->key.n_bytes;
    if (x[i] >= 0xee && y[i] >= 0xee && (x[i] >= 0xf0) != (y[i] >= 0xf0))
        return x[i] >= 0xf0;
    return x[i] < y[i];
}

/* What is behind the common part of two paths: the rest of one, and what happens at its end. */
static int write_rest(struct buffer *into, const char *before, const struct json_step *rest, size_t n, const char *what)
{
    int r;

    (void)buffer_append_string(into, before);
    r = write_path(into, rest, n);
    (void)buffer_append_string(into, n ? "," : "");
    return r ? r : buffer_append_string(into, what);
}

/* [prefix, [..., {"p":0}], [..., {"d":0}]], or in one line where one path is the beginning of the other. */
static int write_move(struct buffer *into, const struct json_step *from, size_t n_from, const struct json_step *to,
                      size_t n_to)
{
    static const char *const what[] = { "{\"p\":0}", "{\"d\":0}" };
    size_t n = 0, ends[] = { n_from, n_to };
    const struct json_step *paths[] = { from, to };
    bool is_line, to_first;
    int r;

    while (n < n_from && n < n_to && are_same(&from[n], &to[n]))
        n++;
    is_line = n == n_from || n == n_to;
    to_first = is_line ? n == n_to : comes_first(&to[n], &from[n]);
    (void)buffer_append_string(into, "[");
    r = write_path(into, from, n);
    for (size_t i = 0; i < 2 && !r; i++) {
        size_t which = to_first ? 1 - i : i;

        (void)buffer_append_string(into, (n || i) ? "," : "");
        r = write_rest(into, is_line ? "" : "[", paths[which] + n, ends[which] - n, what[which]);
        (void)buffer_append_string(into, is_line ? "" : "]");
    }
    return r ? r : buffer_append_string(into, "]");
}

int json_edits_move(struct json_edits *edits, const struct json_step *from, size_t n_from, const struct json_step *to,
                    size_t n_to)
{
    struct buffer text;
    int r;

    buffer_init(&text, OP_MAX_BYTES);
    if (edits->is_json1) {
        r = write_move(&text, from, n_from, to, n_to);
    } else {
        (void)buffer_append_string(&text, "{\"p\":[");
        r = write_path(&text, from, n_from);
        (void)buffer_append_string(&text, "],\"lm\":");
        (void)buffer_append_u64(&text, to[n_to - 1].index);
        (void)buffer_append_string(&text, "}");
    }
    return take(edits, &text, r);
}
