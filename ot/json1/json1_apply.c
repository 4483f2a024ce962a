#include "ot/error.h"
#include "ot/json/json_node.h"
#include "ot/json1/json1.h"

#include <errno.h>
#include <stdlib.h>

/* Applying: first all picks and removes, children before their parents; then drops, inserts and edits, parents before
 * their children. */

struct slot {
    struct value value; /* NONE: not picked yet, or dropped */
    size_t depth;       /* at which it was picked */
};

struct applying {
    struct value *root;
    struct slot *slots;
    size_t max_depth;
    size_t n_added, n_removed; /* bytes of JSON */
    const struct ot_limits *limits;
    struct ot_error *error;
};

static int not_applied(const struct applying *applying, const struct json1_node *node, const char *what)
{
    char place[JSON1_PLACE_BYTES];

    return ot_fail(applying->error, OT_NOT_APPLIED, "at %s: %s", json1_place(node, place), what);
}

/* What a key costs in the JSON around its value. */
static size_t key_bytes(const struct json1_node *node)
{
    if (!node->parent)
        return 0;
    return json1_is_index(&node->key) ? 1 : 1 + value_text_sums(&node->key).n_bytes + 3;
}

static bool takes_key(const struct value *container, const struct value *key)
{
    return container->kind == (json1_is_index(key) ? VALUE_LIST : VALUE_OBJECT);
}

/* ---- picks ------------------------------------------------------------------------------------------------------- */

/* Puts aside what was taken out. */
static void keep(struct applying *applying, const struct json1_node *node, struct value taken, size_t depth)
{
    applying->n_removed += key_bytes(node);
    if (node->flags & JSON1_PICK) {
        applying->slots[node->pick_slot] = (struct slot){ taken, depth };
        return;
    }
    applying->n_removed += value_json_bytes(&taken);
    value_release(&taken);
}

/* Takes out what the node's children pick at and below `here`, which nobody else holds. Elements that were taken out of
 * a list before shift the others. */
static int pick_below(struct applying *applying, const struct json1_node *node, struct value *here, size_t depth)
{
    int64_t n_taken = 0;
    size_t i;

    for (const struct json1_node *child = node->first; child; child = child->next) {
        struct value *inner, taken;
        int r;

        if (!(child->flags & JSON1_PICKS_BELOW))
            continue;
        if (!json1_find(here, &child->key, -n_taken, &i))
            return not_applied(applying, child, "there is nothing to pick or to remove");
        inner = child->first ? value_own(here, i) : NULL;
        if (child->first && !inner)
            return -ENOMEM;
        r = child->first ? pick_below(applying, child, inner, depth + 1) : 0;
        if (!r && (child->flags & JSON1_ANY_PICK))
            r = value_remove(here, i, &taken);
        if (r)
            return r;
        if (child->flags & JSON1_ANY_PICK) {
            n_taken += here->kind == VALUE_LIST;
            keep(applying, child, taken, depth + 1);
        }
    }
    return 0;
}

static int pick_all(struct applying *applying, const struct json1_node *root)
{
    int r;

    if (!(root->flags & JSON1_PICKS_BELOW))
        return 0;
    if (applying->root->kind == VALUE_NONE)
        return not_applied(applying, root, "there is nothing to pick or to remove");
    r = pick_below(applying, root, applying->root, 0);
    if (!r && (root->flags & JSON1_ANY_PICK))
        keep(applying, root, value_move(applying->root), 0);
    return r;
}

/* ---- drops ------------------------------------------------------------------------------------------------------- */

static int check_depth(const struct applying *applying, const struct json1_node *node, const struct value *value,
                       size_t depth)
{
    char place[JSON1_PLACE_BYTES];

    if (depth + value_depth(value) <= applying->max_depth)
        return 0;
    return ot_fail(applying->error, OT_LIMIT, "at %s: nested too deeply", json1_place(node, place));
}

/* What the node drops or inserts. A value that moves up can't become too deep. */
static int take_dropped(struct applying *applying, const struct json1_node *node, size_t depth, struct value *out)
{
    struct slot *slot;
    int r;

    if (node->flags & JSON1_INSERT) {
        r = check_depth(applying, node, &node->inserted, depth);
        if (r)
            return r;
        applying->n_added += value_json_bytes(&node->inserted) + key_bytes(node);
        *out = value_share(&node->inserted);
        return 0;
    }
    slot = &applying->slots[node->drop_slot];
    r = depth > slot->depth ? check_depth(applying, node, &slot->value, depth) : 0;
    if (r)
        return r;
    applying->n_added += key_bytes(node);
    *out = value_move(&slot->value);
    return 0;
}

static int drop_into_list(const struct applying *applying, const struct json1_node *node, struct value *list,
                          struct value dropped, size_t *i)
{
    if (node->key.number > (double)value_count(list))
        return not_applied(applying, node, "a drop past the end of the list");
    *i = (size_t)node->key.number;
    return value_insert(list, *i, dropped);
}

static int drop_into_object(const struct applying *applying, const struct json1_node *node, struct value *object,
                            struct value dropped, size_t *i)
{
    struct value key;
    int r;

    if (value_find(object, &node->key, i))
        return not_applied(applying, node, "a drop onto something that is there");
    key = value_share(&node->key);
    r = value_set(object, key, dropped);
    if (r)
        value_release(&key);
    else
        (void)value_find(object, &node->key, i);
    return r;
}

/* Puts what the node drops at its key of `container`, where it is then at *i. */
static int drop_at(struct applying *applying, const struct json1_node *node, struct value *container, size_t depth,
                   size_t *i)
{
    struct value dropped;
    int r;

    if (!takes_key(container, &node->key))
        return not_applied(applying, node, "a drop where there is no such container");
    r = take_dropped(applying, node, depth, &dropped);
    if (r)
        return r;
    if (container->kind == VALUE_LIST)
        r = drop_into_list(applying, node, container, dropped, i);
    else
        r = drop_into_object(applying, node, container, dropped, i);
    if (r)
        value_release(&dropped);
    return r;
}

static int edit_at(struct applying *applying, const struct json1_node *node, struct value *here)
{
    size_t n_before = value_is_text(here) || node->edit.op ? value_json_bytes(here) : 0, n_after;
    struct ot_error error;
    int r = json1_edit_apply(&node->edit, here, applying->limits, &error);

    if (r > 0) {
        char place[JSON1_PLACE_BYTES];

        return ot_fail(applying->error, r, "at %s: %s", json1_place(node, place), error.message);
    }
    if (r || !node->edit.op)
        return r;
    n_after = value_json_bytes(here);
    applying->n_added += n_after > n_before ? n_after - n_before : 0;
    applying->n_removed += n_before > n_after ? n_before - n_after : 0;
    return 0;
}

static int drop_below(struct applying *applying, const struct json1_node *node, struct value *here, size_t depth);

/* Edits what is here, and drops into it. */
static int drop_in(struct applying *applying, const struct json1_node *node, struct value *here, size_t depth)
{
    int r = node->flags & JSON1_EDIT ? edit_at(applying, node, here) : 0;

    return r || !node->first ? r : drop_below(applying, node, here, depth);
}

static int drop_below(struct applying *applying, const struct json1_node *node, struct value *here, size_t depth)
{
    int r = 0;

    for (const struct json1_node *child = node->first; !r && child; child = child->next) {
        struct value *inner;
        size_t i = 0;

        if (!(child->flags & JSON1_DROPS_BELOW))
            continue;
        if (child->flags & JSON1_ANY_DROP)
            r = drop_at(applying, child, here, depth + 1, &i);
        else if (!json1_find(here, &child->key, 0, &i))
            r = not_applied(applying, child, "there is nothing to edit or to drop into");
        if (r || (!child->first && !(child->flags & JSON1_EDIT)))
            continue;
        inner = value_own(here, i);
        r = inner ? drop_in(applying, child, inner, depth + 1) : -ENOMEM;
    }
    return r;
}

static int drop_all(struct applying *applying, const struct json1_node *root)
{
    int r;

    if (root->flags & JSON1_ANY_DROP) {
        if (applying->root->kind != VALUE_NONE)
            return not_applied(applying, root, "a drop onto something that is there");
        r = take_dropped(applying, root, 0, applying->root);
        if (r)
            return r;
    }
    if (!(root->flags & JSON1_DROPS_BELOW))
        return 0;
    if (applying->root->kind == VALUE_NONE)
        return not_applied(applying, root, "there is nothing to edit or to drop into");
    return drop_in(applying, root, applying->root, 0);
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static int check_result(const struct applying *applying, size_t n_bytes)
{
    if (applying->root->kind == VALUE_NONE)
        return ot_fail(applying->error, OT_NOT_APPLIED, "the operation leaves no document");
    if (applying->n_added > applying->n_removed &&
        n_bytes + applying->n_added - applying->n_removed > applying->limits->max_document_bytes)
        return ot_fail(applying->error, OT_LIMIT, "a document of more than %zu bytes",
                       applying->limits->max_document_bytes);
    return 0;
}

static int run(struct applying *applying, const struct json1_op *op)
{
    int r = pick_all(applying, op->nodes);

    return r ? r : drop_all(applying, op->nodes);
}

int json1_apply(const struct json1_op *op, struct value *root, size_t *n_bytes, const struct ot_limits *limits,
                struct ot_error *error)
{
    struct slot first_slots[8], *slots = first_slots;
    struct applying applying = { .root = root, .limits = limits, .error = error };
    int r;

    if (!op->n_nodes)
        return 0;
    if (op->n_slots > sizeof(first_slots) / sizeof(first_slots[0]))
        slots = malloc(op->n_slots * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < op->n_slots; i++)
        slots[i] = (struct slot){ value_of_kind(VALUE_NONE), 0 };
    applying.slots = slots;
    applying.max_depth = limits->max_depth < OT_DEPTH_CEILING ? limits->max_depth : OT_DEPTH_CEILING;
    r = run(&applying, op);
    if (!r)
        r = check_result(&applying, *n_bytes);
    if (!r)
        *n_bytes = *n_bytes + applying.n_added - applying.n_removed;
    for (size_t i = 0; i < op->n_slots; i++)
        value_release(&slots[i].value);
    if (slots != first_slots)
        free(slots);
    return r;
}
