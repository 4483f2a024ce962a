#include "ot/json1/json1.h"

#include <errno.h>

/* What walks through values share. */

bool json1_find(const struct value *container, const struct value *key, int64_t shift, size_t *i)
{
    int64_t index;

    if (container->kind == VALUE_OBJECT && value_is_text(key))
        return value_find(container, key, i);
    if (container->kind != VALUE_LIST || !json1_is_index(key))
        return false;
    index = (int64_t)key->number + shift;
    if (index < 0 || (uint64_t)index >= value_count(container))
        return false;
    *i = (size_t)index;
    return true;
}

struct value json1_part(const struct value *container, const struct value *key, int64_t shift, size_t *i)
{
    return json1_find(container, key, shift, i) ? value_share(value_at(container, *i)) : value_of_kind(VALUE_NONE);
}

int json1_replace_part(struct value *container, size_t i, struct value *part)
{
    struct value *own, old;
    int r;

    if (part->kind == VALUE_NONE) {
        r = value_remove(container, i, &old);
        if (!r)
            value_release(&old);
        return r;
    }
    own = value_own(container, i);
    if (!own)
        return -ENOMEM;
    value_release(own);
    *own = value_move(part);
    return 0;
}
