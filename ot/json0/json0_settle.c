#include "ot/json0/json0.h"
#include "ot/structures/value_document.h"

#include <string.h>

/* List positions that are named by decimal strings. */

bool json0_index_of_text(const char *utf8, size_t n_bytes, double *out)
{
    double index = 0;

    if (!n_bytes || n_bytes > VALUE_SHORT_BYTES || (utf8[0] == '0' && n_bytes > 1))
        return false;
    for (size_t i = 0; i < n_bytes; i++) {
        if (utf8[i] < '0' || utf8[i] > '9')
            return false;
        index = index * 10 + (utf8[i] - '0');
    }
    *out = index;
    return true;
}

bool json0_index(const struct value *element, double *out)
{
    if (element->kind == VALUE_SHORT)
        return json0_index_of_text(element->short_text, element->n_short, out);
    if (element->kind != VALUE_NUMBER)
        return false;
    *out = element->number;
    return true;
}

bool json0_find(const struct value *container, const struct value *element, size_t *out)
{
    double index;

    if (container->kind == VALUE_OBJECT)
        return value_is_text(element) && value_find(container, element, out);
    if (container->kind != VALUE_LIST || !json0_index(element, &index) || index >= (double)value_count(container))
        return false;
    *out = (size_t)index;
    return true;
}

/* ---- settle ------------------------------------------------------------------------------------------------------ */

/* What leads nowhere is left to json0_apply to refuse. */
static void settle_way(struct json0_work *work, struct json0_component *component, const struct value *place)
{
    struct value *path = json0_take(work, component->n_path * sizeof(*path));
    uint32_t n_way = json0_n_way(component);
    size_t at;

    if (!path)
        return;
    if (component->n_path)
        memcpy(path, component->path, component->n_path * sizeof(*path));
    for (uint32_t i = 0; i < n_way && json0_find(place, &path[i], &at); i++) {
        if (place->kind == VALUE_LIST)
            path[i] = value_number((double)at);
        place = value_at(place, at);
    }
    component->path = path;
}

/* Each component for what the ones before it leave. */
static void settle_all(struct json0_work *work, const struct json0_list *components, struct value *root,
                       struct json0_list *out)
{
    const struct json0_bounds none = { 0, SIZE_MAX, SIZE_MAX };
    size_t n_bytes = 0;

    for (uint32_t i = 0; i < components->n; i++) {
        struct json0_component *component = json0_list_add(work, out, sizeof(*component));

        if (!component)
            return;
        *component = json0_components(components)[i];
        settle_way(work, component, root);
        if (!work->r && i + 1 < components->n)
            work->r = json0_apply(root, component, &none, &n_bytes, work->error);
    }
}

int json0_op_settle(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                    struct ot_error *error)
{
    static const struct ot_limits none = { SIZE_MAX, SIZE_MAX, SIZE_MAX };
    struct json0_list list = { .n = 0 }, components = json0_components_of(op);
    struct json0_work work;
    struct value root;
    int r;

    if (!json0_op_of(op)->has_digits) {
        *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
        return 0;
    }
    json0_work_init(&work, error);
    root = value_share(value_document_root(before));
    settle_all(&work, &components, &root, &list);
    r = json0_finish(&work, &list, &none, out);
    value_release(&root);
    return r;
}
