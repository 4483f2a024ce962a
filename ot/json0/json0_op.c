#include "ot/json0/json0.h"

#include <math.h>
#include <string.h>

/* Gathering components, as compose, transform and normalize of json0 do it; compose and invert. */

static struct json0_component *last_of(const struct json0_list *list)
{
    return &json0_components(list)[list->n - 1];
}

static void push(struct json0_work *work, struct json0_list *list, const struct json0_component *component)
{
    struct json0_component copy = *component, *added = json0_list_add(work, list, sizeof(copy));

    if (!added)
        return;
    if (copy.kind == JSON0_TEXT)
        copy.parts.capacity = 0;
    *added = copy;
}

/* ---- two that become one ----------------------------------------------------------------------------------------- */

/* A copy of the parts that may be changed. What was borrowed must not grow in place. */
static void own_parts(struct json0_work *work, struct json0_list *parts)
{
    struct json0_list own = { .n = parts->n, .capacity = parts->n + 2 };

    if (parts->capacity)
        return;
    own.items = json0_take(work, own.capacity * sizeof(struct json0_part));
    if (!own.items)
        return;
    if (own.n) {
        memcpy(own.items, parts->items, own.n * sizeof(struct json0_part));
        json0_parts(&own)[own.n - 1].capacity = 0;
    }
    *parts = own;
}

/* Legacy text has one part to a component. */
static void append_legacy(struct json0_work *work, struct json0_list *list, const struct json0_component *component)
{
    struct json0_component *last = last_of(list);

    own_parts(work, &last->parts);
    json0_append_part(work, &last->parts, json0_parts(&component->parts));
    if (last->parts.n > 1) {
        last->parts.n = 1;
        push(work, list, component);
    }
}

static void append_text(struct json0_work *work, struct json0_list *list, const struct json0_component *component)
{
    struct json0_component *last = last_of(list);

    if (component->is_legacy) {
        append_legacy(work, list, component);
        return;
    }
    own_parts(work, &last->parts);
    for (uint32_t i = 0; i < component->parts.n && !work->r; i++)
        json0_append_part(work, &last->parts, &json0_parts(&component->parts)[i]);
}

static void add(struct json0_work *work, struct json0_component *last, const struct json0_component *component)
{
    double sum = last->addend + component->addend;

    if (isfinite(sum))
        last->addend = sum;
    else
        json0_fail(work, OT_NOT_APPLIED, "adds up to a number out of range");
}

/* What is inserted and at once deleted leaves no trace. Lists and objects are never taken for the same. */
static bool cancels_insert(const struct json0_component *last, const struct json0_component *component)
{
    return json0_has(&last->put) && json0_has(&component->taken) && !json0_has(&component->put) &&
           !value_is_container(&last->put) && value_equal(&last->put, &component->taken);
}

static void take_back(struct json0_list *list)
{
    struct json0_component *last = last_of(list);

    if (json0_has(&last->taken))
        last->put = value_of_kind(VALUE_NONE);
    else
        list->n--;
}

static bool merge_object(struct json0_list *list, const struct json0_component *component)
{
    struct json0_component *last = last_of(list);

    if (!json0_has(&last->put)) {
        if (json0_has(&component->taken))
            return false;
        last->put = component->put;
        return true;
    }
    if (!json0_has(&component->taken))
        return false;
    if (json0_has(&component->put))
        last->put = component->put;
    else
        take_back(list);
    return true;
}

static bool goes_nowhere(const struct json0_component *component)
{
    return component->kind == JSON0_MOVE && component->path[component->n_path - 1].number == component->to;
}

/* False: the component stands for itself. */
static bool merge(struct json0_work *work, struct json0_list *list, const struct json0_component *component)
{
    struct json0_component *last;

    if (!list->n)
        return false;
    last = last_of(list);
    if (last->is_legacy != component->is_legacy || last->n_path != component->n_path ||
        !json0_is_same_path(work, last->path, component->path, last->n_path))
        return false;
    if (goes_nowhere(component))
        return true;
    if (last->kind != component->kind)
        return false;
    switch ((enum json0_kind)last->kind) {
    case JSON0_TEXT: append_text(work, list, component); return true;
    case JSON0_ADD: add(work, last, component); return true;
    case JSON0_OBJECT: return merge_object(list, component);
    case JSON0_LIST:
        if (!cancels_insert(last, component))
            return false;
        take_back(list);
        return true;
    case JSON0_MOVE: break;
    }
    return false;
}

void json0_append(struct json0_work *work, struct json0_list *list, const struct json0_component *component)
{
    if (work->r)
        return;
    work->number = component->number;
    if (!merge(work, list, component))
        push(work, list, component);
}

/* ---- compose ----------------------------------------------------------------------------------------------------- */

int json0_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                     struct ot_op **out, struct ot_error *error)
{
    struct json0_list list = { .n = 0 }, components = json0_components_of(first);
    struct json0_work work;

    json0_work_init(&work, error);
    for (uint32_t i = 0; i < components.n; i++)
        push(&work, &list, &json0_components(&components)[i]);
    components = json0_components_of(second);
    for (uint32_t i = 0; i < components.n; i++)
        json0_append(&work, &list, &json0_components(&components)[i]);
    return json0_finish(&work, &list, limits, out);
}

/* ---- invert ------------------------------------------------------------------------------------------------------ */

static void invert_parts(struct json0_work *work, struct json0_list *parts)
{
    struct json0_list inverse = { .n = 0 };

    for (uint32_t i = parts->n; i-- > 0;) {
        struct json0_part *part = json0_list_add(work, &inverse, sizeof(*part));

        if (!part)
            return;
        *part = json0_parts(parts)[i];
        part->is_insert = !part->is_insert;
    }
    *parts = inverse;
}

static void invert_move(struct json0_work *work, struct json0_component *component)
{
    uint32_t last = component->n_path - 1;
    struct value *path = json0_take(work, component->n_path * sizeof(*path));

    if (!path)
        return;
    memcpy(path, component->path, component->n_path * sizeof(*path));
    path[last] = value_number(component->to);
    component->to = component->path[last].number;
    component->path = path;
}

static void invert(struct json0_work *work, struct json0_component *component)
{
    struct value put;

    switch ((enum json0_kind)component->kind) {
    case JSON0_TEXT: invert_parts(work, &component->parts); break;
    case JSON0_ADD: component->addend = 0 - component->addend; break;
    case JSON0_MOVE: invert_move(work, component); break;
    case JSON0_LIST:
    case JSON0_OBJECT:
        put = component->put;
        component->put = component->taken;
        component->taken = put;
        break;
    }
}

int json0_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    static const struct ot_limits none = { SIZE_MAX, SIZE_MAX, SIZE_MAX };
    struct json0_list list = { .n = 0 }, components = json0_components_of(op);
    struct json0_work work;

    json0_work_init(&work, error);
    for (uint32_t i = components.n; i-- > 0;) {
        struct json0_component component = json0_components(&components)[i];

        invert(&work, &component);
        push(&work, &list, &component);
    }
    return json0_finish(&work, &list, &none, out);
}

static void add_parts(struct ot_amount *amount, const struct json0_list *parts)
{
    for (uint32_t i = 0; i < parts->n; i++) {
        const struct json0_part *part = &json0_parts(parts)[i];

        *(part->is_insert ? &amount->n_inserted : &amount->n_deleted) += part->n_units;
    }
}

struct ot_amount json0_op_amount(const struct ot_op *op)
{
    const struct json0_op *own = json0_op_of(op);
    struct ot_amount amount = { 0, 0 };

    for (uint32_t i = 0; i < own->n_components; i++) {
        const struct json0_component *component = &own->components[i];

        switch ((enum json0_kind)component->kind) {
        case JSON0_TEXT: add_parts(&amount, &component->parts); break;
        case JSON0_MOVE: break;
        case JSON0_ADD:
            amount.n_inserted++;
            amount.n_deleted++;
            break;
        case JSON0_LIST:
        case JSON0_OBJECT:
            amount.n_inserted += json0_has(&component->put);
            amount.n_deleted += json0_has(&component->taken);
            break;
        }
    }
    return amount;
}
