#include "ot/json1/json1.h"

#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/text/text_op.h"

#include <errno.h>
#include <stdlib.h>

/* Where a path leads after an operation: first through the picks, then through the drops. */

struct moving {
    struct value *keys; /* of the path: texts and indexes, which move */
    size_t n_keys;
    const struct json1_node *pick; /* the innermost on the way; NULL: none */
    size_t picked_at;              /* keys above it */
    bool is_removed;
};

static void shift(struct value *key, double by)
{
    if (json1_is_index(key))
        key->number = key->number + by > 0 ? key->number + by : 0;
}

/* Takes the path to the middle. */
static void pass_picks(struct moving *moving, const struct json1_node *node)
{
    for (size_t i = 0; node; i++) {
        struct json1_follower picks = json1_follow(node, FOLLOW_RAW_PICKS);

        if (node->flags & JSON1_REMOVE)
            moving->is_removed = true;
        if (node->flags & JSON1_PICK) {
            moving->is_removed = false;
            moving->pick = node;
            moving->picked_at = i;
        }
        if (i == moving->n_keys)
            return;
        node = json1_follow_key(&picks, &moving->keys[i]);
        shift(&moving->keys[i], -(double)picks.n_passed);
    }
}

/* The rest of a path that leads into a text is a position in it. */
static void pass_edit(const struct json1_edit *edit, struct value *key)
{
    if (edit->op && ot_op_type(edit->op) == &text_unicode && json1_is_index(key))
        *key = value_number((double)text_op_move_position(text_op_of(edit->op), (uint64_t)key->number, false));
}

/* Takes the keys from `from` on, which lie below the node, from the middle to after. */
static void pass_drops(const struct moving *moving, size_t from, const struct json1_node *node)
{
    for (size_t i = from; node && i < moving->n_keys; i++) {
        struct json1_follower drops = json1_follow(node, FOLLOW_MIDDLE_DROPS);

        if (node->flags & JSON1_EDIT) {
            pass_edit(&node->edit, &moving->keys[i]);
            return;
        }
        node = json1_follow_key(&drops, &moving->keys[i]);
        shift(&moving->keys[i], (double)drops.n_passed);
    }
}

static const struct json1_node *drop_of(const struct json1_op *op, uint32_t slot)
{
    for (size_t i = 0; i < op->n_nodes; i++) {
        if ((op->nodes[i].flags & JSON1_DROP) && op->nodes[i].drop_slot == slot)
            return &op->nodes[i];
    }
    return NULL;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static int check_path(const struct ot_json *position, struct ot_error *error)
{
    uint64_t index;

    if (ot_json_kind(position) != OT_JSON_ARRAY || ot_json_flaw(position))
        return ot_fail(error, OT_BAD_OP, "a position must be a list of keys");
    for (size_t i = 0; i < ot_json_count(position); i++) {
        const struct ot_json *key = ot_json_at(position, i);

        if (ot_json_kind(key) != OT_JSON_STRING && !ot_json_integer(key, &index))
            return ot_fail(error, OT_BAD_OP, "key %zu of the position is neither a string nor an index", i);
    }
    return 0;
}

static int read_path(const struct ot_json *position, struct moving *moving)
{
    int r = 0;

    moving->keys = calloc(ot_json_count(position) + 1, sizeof(*moving->keys));
    if (!moving->keys)
        return -ENOMEM;
    for (; !r && moving->n_keys < ot_json_count(position); moving->n_keys += !r)
        r = value_from_json(ot_json_at(position, moving->n_keys), &moving->keys[moving->n_keys]);
    return r;
}

static int add_key(struct value *path, const struct value *key)
{
    struct value share = value_share(key);
    int r = value_append(path, share);

    if (r)
        value_release(&share);
    return r;
}

/* Recurses as deep as the operation is. */
static int add_place(struct value *path, const struct json1_node *node)
{
    int r = 0;

    if (!node->parent)
        return 0;
    r = add_place(path, node->parent);
    return r ? r : add_key(path, &node->key);
}

/* The path from the root: to where the innermost pick was dropped, if there was one, and on from there. */
static int write_path(const struct moving *moving, const struct json1_node *drop, struct ot_json **out)
{
    struct value path = value_of_kind(VALUE_LIST);
    int r = drop ? add_place(&path, drop) : 0;

    for (size_t i = drop ? moving->picked_at : 0; !r && i < moving->n_keys; i++)
        r = add_key(&path, &moving->keys[i]);
    if (!r)
        r = value_to_json(&path, out);
    value_release(&path);
    return r;
}

static int move(struct moving *moving, const struct json1_op *op, struct ot_json **out)
{
    struct value none = value_of_kind(VALUE_NULL);
    const struct json1_node *drop;

    pass_picks(moving, json1_root(op));
    if (moving->is_removed)
        return value_to_json(&none, out);
    drop = moving->pick ? drop_of(op, moving->pick->pick_slot) : NULL;
    pass_drops(moving, moving->picked_at, drop ? drop : json1_root(op));
    return write_path(moving, drop, out);
}

int json1_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                             struct ot_error *error)
{
    struct moving moving = { .keys = NULL };
    int r = check_path(position, error);

    if (!r)
        r = read_path(position, &moving);
    if (!r)
        r = move(&moving, json1_op_of(op), out);
    for (size_t i = 0; i < moving.n_keys; i++)
        value_release(&moving.keys[i]);
    free(moving.keys);
    return r;
}
