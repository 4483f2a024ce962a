#include "ot/error.h"
#include "ot/json/utf8.h"
#include "ot/json0/json0.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A component of json0 on a document: everything is checked first, then the way to the place is made one's own and the
 * place changed. Only text is checked while it is edited, in a rope that is put back as it was if it does not fit. */

struct change {
    struct value *root;
    const struct json0_component *component;
    const struct json0_bounds *bounds;
    struct ot_error *error;
    const struct value *path;
    uint32_t n_way;               /* elements of the path that lead to the place */
    uint32_t way[JSON0_MAX_PATH]; /* and where each lies in its container */
    const struct value *place;    /* before it is owned: what holds the element, the text, the number */
    size_t n_removed, n_added;    /* bytes of JSON */
};

static int refuse(const struct change *change, int code, const char *what)
{
    return ot_fail(change->error, code, "component %u: %s", change->component->number, what);
}

static int not_applied(const struct change *change, const char *what)
{
    return refuse(change, OT_NOT_APPLIED, what);
}

/* ---- the way to the place ---------------------------------------------------------------------------------------- */

static bool find_place(struct change *change)
{
    const struct value *place = change->root;

    for (uint32_t i = 0; i < change->n_way; i++) {
        size_t at = 0;

        if (!json0_find(place, &change->path[i], &at))
            return false;
        change->way[i] = (uint32_t)at;
        place = value_at(place, at);
    }
    change->place = place;
    return true;
}

static struct value *own_place(const struct change *change)
{
    struct value *place = change->root;

    for (uint32_t i = 0; place && i < change->n_way; i++)
        place = value_own(place, change->way[i]);
    return place;
}

/* ---- what it may become ------------------------------------------------------------------------------------------ */

static int check_depth(const struct change *change, const struct value *put)
{
    size_t depth = change->n_way + (change->component->n_path > change->bounds->n_skipped);

    if (!value_is_container(put) || change->bounds->max_depth == SIZE_MAX)
        return 0;
    if (depth + value_depth(put) > change->bounds->max_depth)
        return refuse(change, OT_LIMIT, "a document that is nested too deeply");
    return 0;
}

/* Whoever makes a document that is too large smaller is welcome. */
static int check_size(const struct change *change, size_t n_bytes)
{
    if (change->n_added > change->n_removed &&
        n_bytes + change->n_added - change->n_removed > change->bounds->max_bytes)
        return refuse(change, OT_LIMIT, "a document that is too large");
    return 0;
}

static size_t element_bytes(const struct value *value)
{
    return json0_has(value) ? value_json_bytes(value) + 1 : 0;
}

/* Takes what lies there out of the list or object, for good. */
static int drop(struct value *container, size_t i)
{
    struct value dropped;
    int r = value_remove(container, i, &dropped);

    if (!r)
        value_release(&dropped);
    return r;
}

/* ---- li, ld, lm -------------------------------------------------------------------------------------------------- */

static int check_list(struct change *change, size_t *i)
{
    const struct json0_component *component = change->component;
    bool is_insert = component->kind == JSON0_LIST && !json0_has(&component->taken);
    double index = change->path[change->n_way].number, count;

    if (change->place->kind != VALUE_LIST)
        return not_applied(change, "its path leads to no list");
    count = (double)value_count(change->place);
    if (is_insert ? index > count : index >= count)
        return not_applied(change, "an index past the end of the list");
    if (component->kind == JSON0_MOVE && component->to >= count)
        return not_applied(change, "moves an element past the end of the list");
    *i = (size_t)index;
    if (component->kind == JSON0_MOVE)
        return 0;
    change->n_added = element_bytes(&component->put);
    if (!is_insert)
        change->n_removed = element_bytes(value_at(change->place, *i));
    return check_depth(change, &component->put);
}

static int put_element(const struct change *change, struct value *list, size_t i)
{
    struct value put = value_share(&change->component->put), *place;
    int r = 0;

    if (!json0_has(&change->component->taken)) {
        r = value_insert(list, i, put);
    } else {
        place = value_own(list, i);
        if (place) {
            value_release(place);
            *place = put;
        }
        r = place ? 0 : -ENOMEM;
    }
    if (r)
        value_release(&put);
    return r;
}

/* When the second half can't be done for lack of memory, the list is what it was: it was shared. */
static int move_element(const struct change *change, struct value *list, size_t i)
{
    struct value before, moved;
    int r;

    if (change->component->to == (double)i)
        return 0;
    before = value_share(list);
    r = value_remove(list, i, &moved);
    if (!r) {
        r = value_insert(list, (size_t)change->component->to, moved);
        if (r)
            value_release(&moved);
    }
    if (r) {
        value_release(list);
        *list = before;
        return r;
    }
    value_release(&before);
    return 0;
}

static int change_list(struct change *change, size_t *n_bytes)
{
    const struct json0_component *component = change->component;
    struct value *list;
    size_t i = 0;
    int r = check_list(change, &i);

    if (!r)
        r = check_size(change, *n_bytes);
    if (r)
        return r;
    list = own_place(change);
    if (!list)
        return -ENOMEM;
    if (component->kind == JSON0_MOVE)
        return move_element(change, list, i);
    return json0_has(&component->put) ? put_element(change, list, i) : drop(list, i);
}

/* ---- oi, od ------------------------------------------------------------------------------------------------------ */

static int change_root(struct change *change, size_t *n_bytes)
{
    const struct value *put = &change->component->put;
    int r = check_depth(change, put);

    change->n_added = value_json_bytes(put);
    change->n_removed = value_json_bytes(change->root);
    if (!r)
        r = check_size(change, *n_bytes);
    if (r)
        return r;
    value_release(change->root);
    *change->root = value_share(put);
    return 0;
}

static int set_member(struct value *object, const struct value *key, const struct value *put)
{
    struct value own_key = value_share(key), value = value_share(put);
    int r = value_set(object, own_key, value);

    if (r) {
        value_release(&own_key);
        value_release(&value);
    }
    return r;
}

/* A member that is taken away must be there; one that is replaced need not. */
static int check_object(struct change *change, const struct value *key, size_t *i)
{
    const struct value *put = &change->component->put;
    size_t name = value_text_sums(key).n_bytes + 3;
    bool is_there;

    if (change->place->kind != VALUE_OBJECT)
        return not_applied(change, "its path leads to no object");
    is_there = value_find(change->place, key, i);
    if (!is_there && !json0_has(put))
        return not_applied(change, "the object has no such member");
    change->n_removed = is_there ? element_bytes(value_at(change->place, *i)) + name : 0;
    change->n_added = json0_has(put) ? element_bytes(put) + name : 0;
    return check_depth(change, put);
}

static int change_object(struct change *change, size_t *n_bytes)
{
    const struct value *key = &change->path[change->n_way], *put = &change->component->put;
    struct value *object;
    size_t i = 0;
    int r = check_object(change, key, &i);

    if (!r)
        r = check_size(change, *n_bytes);
    if (r)
        return r;
    object = own_place(change);
    if (!object)
        return -ENOMEM;
    return json0_has(put) ? set_member(object, key, put) : drop(object, i);
}

/* ---- na ---------------------------------------------------------------------------------------------------------- */

static int change_number(struct change *change)
{
    struct value *place;
    double sum;

    if (change->place->kind != VALUE_NUMBER)
        return not_applied(change, "its path leads to no number");
    sum = change->place->number + change->component->addend;
    if (!isfinite(sum))
        return not_applied(change, "adds up to a number out of range");
    place = own_place(change);
    if (!place)
        return -ENOMEM;
    *place = value_number(sum);
    return 0;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static bool reads(const struct rope *rope, size_t at_cp, const char *text, size_t n_bytes)
{
    struct rope_cursor cursor;
    const char *at;

    rope_cursor_init(&cursor, rope, at_cp);
    while (n_bytes) {
        size_t n = rope_cursor_read(&cursor, n_bytes, &at);

        if (!n || memcmp(at, text, n) != 0)
            return false;
        text += n;
        n_bytes -= n;
    }
    return true;
}

static int edit(const struct change *change, struct rope *rope, const struct json0_part *part)
{
    size_t at_cp;

    if (part->at > (size_t)rope->sums.n_cps + rope->sums.n_astral)
        return not_applied(change, "an offset past the end of the text");
    if (!rope_cp_at_utf16(rope, part->at, &at_cp))
        return not_applied(change, "an offset inside a surrogate pair");
    if (part->is_insert)
        return rope_insert(rope, at_cp, part->text, part->n_bytes);
    if (!reads(rope, at_cp, part->text, part->n_bytes))
        return not_applied(change, "names another text than it deletes");
    return rope_delete(rope, at_cp, at_cp + utf8_count(part->text, part->n_bytes));
}

static int edit_all(const struct change *change, struct rope *rope)
{
    const struct json0_list *parts = &change->component->parts;
    struct rope before;
    int r = 0;

    if (parts->n == 1)
        return edit(change, rope, json0_parts(parts));
    rope_share(rope, &before);
    for (uint32_t i = 0; !r && i < parts->n; i++)
        r = edit(change, rope, &json0_parts(parts)[i]);
    if (r) {
        rope_finish(rope);
        *rope = before;
        return r;
    }
    rope_finish(&before);
    return 0;
}

/* Exact, as deleted text is what it says; and no text holds more than a rope can. */
static int check_text(struct change *change, size_t n_bytes)
{
    const struct json0_list *parts = &change->component->parts;

    if (!value_is_text(change->place))
        return not_applied(change, "its path leads to no text");
    for (uint32_t i = 0; i < parts->n; i++) {
        const struct json0_part *part = &json0_parts(parts)[i];

        *(part->is_insert ? &change->n_added : &change->n_removed) += part->n_bytes;
    }
    if (value_text_sums(change->place).n_bytes + change->n_added > ROPE_MAX_BYTES / 2)
        return refuse(change, OT_LIMIT, "a text that is too long");
    return check_size(change, n_bytes);
}

static int change_text(struct change *change, size_t *n_bytes)
{
    struct value *place;
    struct rope rope;
    int r = check_text(change, *n_bytes);

    if (r)
        return r;
    place = own_place(change);
    r = place ? value_take_rope(place, &rope) : -ENOMEM;
    if (r)
        return r;
    r = edit_all(change, &rope);
    value_put_rope(place, &rope);
    return r;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int apply(struct change *change, size_t *n_bytes)
{
    switch ((enum json0_kind)change->component->kind) {
    case JSON0_TEXT: return change_text(change, n_bytes);
    case JSON0_ADD: return change_number(change);
    case JSON0_OBJECT: return change_object(change, n_bytes);
    default: return change_list(change, n_bytes);
    }
}

int json0_apply(struct value *root, const struct json0_component *component, const struct json0_bounds *bounds,
                size_t *n_bytes, struct ot_error *error)
{
    uint32_t n_path = component->n_path - (uint32_t)bounds->n_skipped;
    bool is_inside = component->kind <= JSON0_ADD;
    struct change change;
    int r;

    change.root = root;
    change.place = root;
    change.component = component;
    change.bounds = bounds;
    change.error = error;
    change.path = component->path + bounds->n_skipped;
    change.n_way = is_inside || !n_path ? n_path : n_path - 1;
    change.n_removed = change.n_added = 0;
    if (!is_inside && !n_path) {
        r = change_root(&change, n_bytes);
    } else {
        r = find_place(&change) ? apply(&change, n_bytes) : not_applied(&change, "its path leads nowhere");
    }
    if (!r)
        *n_bytes = *n_bytes + change.n_added - change.n_removed;
    return r;
}
