#include "ot/rich/delta.h"

/* Attributes of text: {"bold":true,"link":"https://..."}. Mostly one of the two sides comes out as it is, and is
 * shared.
 */

bool delta_attributes_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == VALUE_NONE || a->items == b->items || value_equal(a, b);
}

static bool has(const struct value *attributes, const struct value *name)
{
    return attributes->kind == VALUE_OBJECT && value_get(attributes, name);
}

static int set_shared(struct value *object, const struct value *name, const struct value *value)
{
    struct value shared_name = value_share(name), shared = value_share(value);
    int r = value_set(object, shared_name, shared);

    if (r) {
        value_release(&shared_name);
        value_release(&shared);
    }
    return r;
}

/* Hands an object over; an empty one counts as none. */
static int give(struct value *object, int r, struct value *out)
{
    if (r || value_count(object) == 0)
        value_release(object);
    if (!r)
        *out = *object;
    return r;
}

/* What is left of attributes without some of their names. */
static int without(const struct value *attributes,
                   bool (*goes)(const struct value *, const struct value *, const void *), const void *arg,
                   struct value *out)
{
    struct value object = value_share(attributes), removed;
    int r = 0;

    for (size_t i = value_count(attributes); !r && i-- > 0;) {
        if (!goes(value_key_at(attributes, i), value_at(attributes, i), arg))
            continue;
        r = value_remove(&object, i, &removed);
        if (!r)
            value_release(&removed);
    }
    return give(&object, r, out);
}

static bool is_null(const struct value *name, const struct value *value, const void *arg)
{
    (void)name;
    (void)arg;
    return value->kind == VALUE_NULL;
}

static bool is_named_by(const struct value *name, const struct value *value, const void *attributes)
{
    (void)value;
    return has(attributes, name);
}

int delta_attributes_without_nulls(const struct value *attributes, struct value *out)
{
    if (attributes->kind == VALUE_NONE) {
        *out = delta_none;
        return 0;
    }
    return without(attributes, is_null, NULL, out);
}

/* The members of `from` that `unless` does not name. */
static int add_missing(struct value *object, const struct value *from, const struct value *unless)
{
    const struct value *name, *value;
    struct value_walk walk;
    int r = 0;

    value_walk_init(&walk, from);
    while (!r && (value = value_walk_next(&walk, &name))) {
        if (!has(unless, name))
            r = set_shared(object, name, value);
    }
    return r;
}

int delta_attributes_compose(const struct value *first, const struct value *second, bool keeps_null, struct value *out)
{
    struct value object;
    int r = 0;

    if (second->kind == VALUE_NONE || (keeps_null && first->kind == VALUE_NONE)) {
        *out = delta_share(second->kind == VALUE_NONE ? first : second);
        return 0;
    }
    if (keeps_null)
        object = value_share(second);
    else
        r = without(second, is_null, NULL, &object);
    if (r)
        return r;
    if (object.kind == VALUE_NONE)
        object = value_of_kind(VALUE_OBJECT);
    if (first->kind == VALUE_OBJECT)
        r = add_missing(&object, first, second);
    return give(&object, r, out);
}

int delta_attributes_transform(const struct value *mine, const struct value *theirs, bool theirs_wins,
                               struct value *out)
{
    if (!theirs_wins || mine->kind == VALUE_NONE || theirs->kind == VALUE_NONE) {
        *out = delta_share(mine);
        return 0;
    }
    return without(mine, is_named_by, theirs, out);
}

/* As JavaScript's === sees it: no list and no object is the same as another. */
static bool is_same(const struct value *a, const struct value *b)
{
    return !value_is_container(a) && value_equal(a, b);
}

int delta_attributes_invert(const struct value *applied, const struct value *before, struct value *out)
{
    const struct value null = value_of_kind(VALUE_NULL), *name, *value;
    struct value object = value_of_kind(VALUE_OBJECT);
    struct value_walk walk;
    int r = 0;

    value_walk_init(&walk, applied);
    while (!r && (value = value_walk_next(&walk, &name))) {
        const struct value *old = before->kind == VALUE_OBJECT ? value_get(before, name) : NULL;

        if (!old || !is_same(old, value))
            r = set_shared(&object, name, old ? old : &null);
    }
    return give(&object, r, out);
}
