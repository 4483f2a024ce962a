#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/json0/json0.h"

#include <string.h>

/* One component of json0 over another.
 *
 * A component of lists or objects happens *at* the last element of its path, in the container before it. Where the
 * other one's container lies on the way of this one, k is the element of this path that names something in that
 * container: the two meet there. If that element is also the end of this path, both happen in the same container
 * (same). */

/* What a change inside of a value counts for: it copies the way to the place. */
#define CHANGE_STEPS 64

#define NOWHERE ((size_t)-1)
#define ROOT    ((size_t)-2) /* the other one is about the whole document */

struct meeting {
    struct json0_work *work;
    struct json0_list *out;
    struct json0_component component; /* as it becomes */
    const struct json0_component *over;
    enum ot_side side;
    size_t k;
    bool same;
    bool is_here;    /* both name the same element or key */
    bool is_changed; /* the component, or out */
};

enum outcome {
    KEPT,
    GONE, /* or put into out already */
};

/* Where `over` acts on the way of the path, by the element of the path: see above. */
static size_t meeting_at(struct json0_work *work, const struct json0_component *component,
                         const struct json0_component *over)
{
    uint32_t n = json0_depth(over);

    if (n == 0)
        return ROOT;
    if (json0_depth(component) < n || !json0_is_same_path(work, component->path, over->path, n - 1))
        return NOWHERE;
    return n - 1;
}

/* ---- indexes of this component ----------------------------------------------------------------------------------- */

static double index_of(const struct meeting *meeting)
{
    double index = 0;

    (void)json0_index(&meeting->component.path[meeting->k], &index);
    return index;
}

static double other_index(const struct meeting *meeting)
{
    return meeting->over->path[meeting->k].number;
}

static void set_index(struct meeting *meeting, double index)
{
    struct json0_component *component = &meeting->component;
    struct value *path;

    if (index == index_of(meeting))
        return;
    if (index > NUMBER_MAX_INTEGER)
        json0_fail(meeting->work, OT_LIMIT, "an index of more than 2^53-1");
    path = json0_take(meeting->work, component->n_path * sizeof(*path));
    if (!path)
        return;
    memcpy(path, component->path, component->n_path * sizeof(*path));
    path[meeting->k] = value_number(index);
    component->path = path;
    meeting->is_changed = true;
}

static void set_target(struct meeting *meeting, double to)
{
    if (to > NUMBER_MAX_INTEGER)
        json0_fail(meeting->work, OT_LIMIT, "an index of more than 2^53-1");
    meeting->component.to = to;
    meeting->is_changed = true;
}

static void set_taken(struct meeting *meeting, struct value taken)
{
    meeting->component.taken = taken;
    meeting->is_changed = true;
}

static bool has_put(const struct json0_component *component)
{
    return component->kind >= JSON0_LIST && component->kind != JSON0_MOVE && json0_has(&component->put);
}

static bool has_taken(const struct json0_component *component)
{
    return component->kind >= JSON0_LIST && component->kind != JSON0_MOVE && json0_has(&component->taken);
}

static bool moves_here(const struct meeting *meeting)
{
    return meeting->same && meeting->component.kind == JSON0_MOVE;
}

static bool inserts_here(const struct meeting *meeting)
{
    return meeting->same && meeting->component.kind == JSON0_LIST && !has_taken(&meeting->component);
}

/* ---- over li, ld ------------------------------------------------------------------------------------------------- */

static enum outcome over_list_replace(struct meeting *meeting)
{
    struct json0_component *component = &meeting->component;

    if (!meeting->is_here)
        return KEPT;
    if (!meeting->same)
        return GONE;
    if (component->kind != JSON0_LIST || !has_taken(component))
        return KEPT;
    if (!has_put(component) || meeting->side == OT_RIGHT)
        return GONE;
    set_taken(meeting, meeting->over->put);
    return KEPT;
}

static enum outcome over_list_insert(struct meeting *meeting)
{
    double i = index_of(meeting), j = other_index(meeting);
    bool is_tie = i == j && inserts_here(meeting);

    if (is_tie ? meeting->side == OT_RIGHT : j <= i)
        set_index(meeting, i + 1);
    if (moves_here(meeting) && j <= meeting->component.to)
        set_target(meeting, meeting->component.to + 1);
    return KEPT;
}

static enum outcome over_list_delete(struct meeting *meeting)
{
    double i = index_of(meeting), j = other_index(meeting);
    struct json0_component *component = &meeting->component;

    if (moves_here(meeting)) {
        if (i == j)
            return GONE;
        if (j < component->to || (j == component->to && i < j))
            set_target(meeting, component->to - 1);
    }
    if (j < i)
        set_index(meeting, i - 1);
    if (i != j)
        return KEPT;
    if (json0_depth(meeting->over) < json0_depth(component))
        return GONE;
    if (!has_taken(component))
        return KEPT;
    set_taken(meeting, value_of_kind(VALUE_NONE));
    return has_put(component) ? KEPT : GONE;
}

/* ---- over lm ----------------------------------------------------------------------------------------------------- */

/* Both move one element. */
static enum outcome move_same(struct meeting *meeting, double from)
{
    double to = meeting->over->to;

    if (meeting->side == OT_RIGHT)
        return GONE;
    set_index(meeting, to);
    if (meeting->component.to == from)
        set_target(meeting, to);
    return KEPT;
}

/* Where a move's target goes; from, to: of this one, before; i, j: of the other. */
static double moved_target(double from, double to, double i, double j, enum ot_side side)
{
    double moved = to;

    if (to > i || (to == i && to > from))
        moved--;
    if (to > j)
        return moved + 1;
    if (to < j)
        return moved;
    if ((j > i && to > from) || (j < i && to < from)) /* both the same way, to one place */
        return side == OT_RIGHT ? moved + 1 : moved;
    return to > from ? moved + 1 : moved;
}

static enum outcome move_over_move(struct meeting *meeting)
{
    double from = index_of(meeting), to = meeting->component.to, i = other_index(meeting), j = meeting->over->to;
    double moved_from = from;

    if (i == j)
        return KEPT;
    if (from == i)
        return move_same(meeting, from);
    if (from > i)
        moved_from--;
    if (from > j || (from == j && i > j))
        moved_from++;
    set_index(meeting, moved_from);
    set_target(meeting, moved_target(from, to, i, j, meeting->side) + (from == j && i > j && from == to ? 1 : 0));
    return KEPT;
}

static enum outcome over_move(struct meeting *meeting)
{
    double at = index_of(meeting), i = other_index(meeting), j = meeting->over->to, moved = at;

    if (moves_here(meeting))
        return move_over_move(meeting);
    if (inserts_here(meeting)) {
        moved -= at > i;
        moved += at > j;
    } else if (at == i) { /* what happens to an element follows it */
        moved = j;
    } else {
        moved -= at > i;
        moved += at > j || (at == j && i > j);
    }
    set_index(meeting, moved);
    return KEPT;
}

/* ---- over oi, od ------------------------------------------------------------------------------------------------- */

static enum outcome over_object_insert(struct meeting *meeting)
{
    struct json0_component taken = meeting->component;

    if (!has_put(&meeting->component))
        return KEPT;
    if (meeting->side == OT_RIGHT)
        return GONE;
    taken.kind = JSON0_OBJECT;
    taken.put = value_of_kind(VALUE_NONE);
    taken.taken = meeting->over->put;
    json0_append(meeting->work, meeting->out, &taken);
    meeting->is_changed = true;
    return KEPT;
}

static enum outcome over_object(struct meeting *meeting)
{
    struct json0_component *component = &meeting->component;
    bool sets_same = meeting->same && component->kind == JSON0_OBJECT && has_put(component);

    if (!meeting->is_here)
        return KEPT;
    if (!has_taken(meeting->over))
        return component->kind == JSON0_OBJECT ? over_object_insert(meeting) : KEPT;
    if (!sets_same)
        return GONE;
    if (!has_put(meeting->over)) {
        set_taken(meeting, value_of_kind(VALUE_NONE));
        return KEPT;
    }
    set_taken(meeting, meeting->over->put);
    return meeting->side == OT_RIGHT ? GONE : KEPT;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void text_over_text(struct meeting *meeting)
{
    struct json0_component component = meeting->component;
    struct json0_list parts = { .n = 0 };

    json0_transform_lists(meeting->work, &json0_part_scheme, &component.parts, &meeting->over->parts, meeting->side,
                          &parts);
    if (!component.is_legacy) {
        component.parts = parts;
        if (parts.n)
            json0_append(meeting->work, meeting->out, &component);
        return;
    }
    for (uint32_t i = 0; i < parts.n && !meeting->work->r; i++) {
        component.parts = (struct json0_list){ .items = &json0_parts(&parts)[i], .n = 1 };
        json0_append(meeting->work, meeting->out, &component);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static enum outcome over_list(struct meeting *meeting)
{
    const struct json0_component *component = &meeting->component;
    bool is_key = meeting->same && component->kind == JSON0_OBJECT;
    double index;

    if (is_key || !json0_index(&component->path[meeting->k], &index))
        return KEPT; /* one of the two does not fit the document */
    if (meeting->over->kind == JSON0_MOVE)
        return over_move(meeting);
    if (!has_taken(meeting->over))
        return over_list_insert(meeting);
    return has_put(meeting->over) ? over_list_replace(meeting) : over_list_delete(meeting);
}

static bool takes_what_holds(struct json0_work *work, const struct json0_component *component,
                             const struct json0_component *over)
{
    return has_taken(component) && json0_depth(over) > component->n_path &&
           json0_is_same_path(work, component->path, over->path, component->n_path);
}

/* What the other one did inside of what this one takes away belongs to what it takes. */
static void change_taken(struct meeting *meeting)
{
    struct json0_component *component = &meeting->component;
    const struct json0_bounds bounds = { component->n_path, SIZE_MAX, SIZE_MAX };
    struct ot_error error;
    size_t n_bytes = 0;
    struct value taken;
    int r;

    if (!takes_what_holds(meeting->work, component, meeting->over))
        return;
    json0_spend(meeting->work, CHANGE_STEPS);
    taken = value_share(&component->taken);
    r = json0_apply(&taken, meeting->over, &bounds, &n_bytes, &error);
    if (r < 0)
        meeting->work->r = meeting->work->r ? meeting->work->r : r;
    else if (r || !json0_has(&taken))
        json0_fail(meeting->work, OT_NOT_APPLIED, "takes away another value than the one that was changed meanwhile");
    json0_own(meeting->work, &taken);
    set_taken(meeting, taken);
}

static bool is_here(struct meeting *meeting)
{
    const struct json0_component *component = &meeting->component, *over = meeting->over;

    if (meeting->k == ROOT)
        return true;
    return meeting->k < component->n_path && meeting->k < over->n_path &&
           json0_is_same_path(meeting->work, &component->path[meeting->k], &over->path[meeting->k], 1);
}

static enum outcome over_any(struct meeting *meeting)
{
    const struct json0_component *over = meeting->over;

    if (over->kind == JSON0_ADD || over->kind == JSON0_TEXT)
        return KEPT;
    if (meeting->k != ROOT && meeting->k >= meeting->component.n_path)
        return KEPT; /* one of the two does not fit the document */
    meeting->same = json0_depth(&meeting->component) == json0_depth(over);
    meeting->is_here = is_here(meeting);
    return over->kind == JSON0_OBJECT ? over_object(meeting) : over_list(meeting);
}

static enum outcome meet(struct meeting *meeting, struct json0_work *work, struct json0_list *out,
                         const struct json0_component *component, const struct json0_component *over, enum ot_side side)
{
    meeting->work = work;
    meeting->out = out;
    meeting->component = *component;
    meeting->over = over;
    meeting->side = side;
    meeting->is_changed = false;
    work->number = component->number;
    json0_spend(work, 1);
    meeting->k = meeting_at(work, component, over);
    change_taken(meeting);
    if (work->r || meeting->k == NOWHERE)
        return KEPT;
    if (component->kind == JSON0_TEXT && over->kind == JSON0_TEXT && component->n_path == over->n_path) {
        text_over_text(meeting);
        return GONE;
    }
    return over_any(meeting);
}

static void append_item(struct json0_work *work, struct json0_list *list, const void *item)
{
    json0_append(work, list, item);
}

static void transform_item(struct json0_work *work, struct json0_list *list, const void *item, const void *over,
                           enum ot_side side)
{
    struct meeting meeting;

    if (meet(&meeting, work, list, item, over, side) == KEPT)
        json0_append(work, list, &meeting.component);
}

const struct json0_scheme json0_component_scheme = {
    .item_bytes = sizeof(struct json0_component),
    .append = append_item,
    .transform = transform_item,
};

/* One component over one, as nearly always. Most are not touched at all: then the operation stays what it is. */
static bool transform_one(struct json0_work *work, struct json0_list *list, const struct json0_component *component,
                          const struct json0_component *over, enum ot_side side)
{
    struct meeting meeting;

    if (meet(&meeting, work, list, component, over, side) != KEPT)
        return true;
    if (meeting.is_changed || work->r)
        json0_append(work, list, &meeting.component);
    return meeting.is_changed || work->r;
}

int json0_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                       const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct json0_list left = json0_components_of(op), right = json0_components_of(other), list = { .n = 0 };
    bool is_changed = right.n > 0;
    struct json0_work work;

    json0_work_init(&work, error);
    if (left.n == 1 && right.n == 1)
        is_changed = transform_one(&work, &list, left.items, right.items, side);
    else if (is_changed)
        json0_transform_lists(&work, &json0_component_scheme, &left, &right, side, &list);
    if (is_changed)
        return json0_finish(&work, &list, limits, out);
    json0_work_end(&work);
    *out = ot_op_ref((struct ot_op *)(uintptr_t)op);
    return 0;
}
