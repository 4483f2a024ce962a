#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/rich/delta.h"

#include <string.h>

/* Both functions walk two operations side by side, as far at a time as the shorter of the two pieces under way;
 * docs/ot.md has the cases as a table. */

static uint64_t shorter(const struct delta_cursor *a, const struct delta_cursor *b)
{
    return a->n_left < b->n_left ? a->n_left : b->n_left;
}

/* ---- transform --------------------------------------------------------------------------------------------------- */

/* Mine keeps what theirs keeps, too: with what is left of its attributes. */
static void transform_retain(struct delta_builder *builder, const struct delta_piece *mine,
                             const struct delta_piece *theirs, bool theirs_wins)
{
    struct value attributes = delta_none;

    if (!builder->r)
        builder->r = delta_attributes_transform(mine->attributes, theirs->attributes, theirs_wins, &attributes);
    delta_builder_retain(builder, mine->n_units, &attributes);
    delta_release(&attributes);
}

/* The next piece of both; neither is an insert. */
static void transform_piece(struct delta_builder *builder, struct delta_cursor *mine, struct delta_cursor *theirs,
                            bool theirs_wins)
{
    uint64_t n_units = shorter(mine, theirs);
    struct delta_piece of_mine, of_theirs;

    (void)delta_cursor_take(mine, n_units, &of_mine);
    (void)delta_cursor_take(theirs, n_units, &of_theirs);
    if (of_theirs.kind == DELTA_DELETE)
        return;
    if (of_mine.kind == DELTA_DELETE)
        delta_builder_delete(builder, n_units);
    else
        transform_retain(builder, &of_mine, &of_theirs, theirs_wins);
}

/* Left stands behind what the other has inserted, and gives way to its attributes: the reverse of the other types. What
 * the other has behind the end of mine makes plain retains, which end nothing. */
int delta_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                       const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    bool theirs_wins = side == OT_LEFT;
    struct delta_builder builder;
    struct delta_cursor mine, theirs;
    struct delta_piece piece;

    delta_builder_init(&builder, limits->max_components);
    delta_cursor_init(&mine, delta_op_of(op));
    delta_cursor_init(&theirs, delta_op_of(other));
    while (!delta_cursor_is_at_end(&mine) && !builder.r) {
        bool mine_inserts = delta_is_insert(delta_cursor_kind(&mine));

        if (delta_is_insert(delta_cursor_kind(&theirs)) && (theirs_wins || !mine_inserts)) {
            (void)delta_cursor_next(&theirs, &piece);
            delta_builder_retain(&builder, piece.n_units, &delta_none);
        } else if (mine_inserts) {
            (void)delta_cursor_next(&mine, &piece);
            (void)delta_builder_push(&builder, &piece);
        } else {
            transform_piece(&builder, &mine, &theirs, theirs_wins);
        }
    }
    return delta_builder_finish(&builder, out, error);
}

/* ---- compose ----------------------------------------------------------------------------------------------------- */

/* The second keeps a piece of what the first leaves behind, or formats it. True when it is a component of its own. */
static bool compose_retain(struct delta_builder *builder, const struct delta_piece *first,
                           const struct delta_piece *second)
{
    struct delta_piece piece = *first;
    struct value attributes = delta_none;
    bool is_own;

    if (!builder->r)
        builder->r =
            delta_attributes_compose(first->attributes, second->attributes, first->kind == DELTA_RETAIN, &attributes);
    piece.attributes = &attributes;
    is_own = delta_builder_push(builder, &piece);
    delta_release(&attributes);
    return is_own;
}

/* What the first has left when the second has nothing more to say; the order of inserts and deletes in it is kept. */
static void add_rest(struct delta_builder *builder, struct delta_cursor *cursor)
{
    struct delta_piece piece;

    if (delta_cursor_next(cursor, &piece))
        (void)delta_builder_push(builder, &piece);
    while (delta_cursor_next(cursor, &piece))
        (void)delta_builder_append(builder, &piece);
}

/* The next piece of both: the second's is no insert, the first's no delete. */
static int compose_piece(struct delta_builder *builder, struct delta_cursor *first, struct delta_cursor *second)
{
    uint64_t n_units = shorter(first, second);
    struct delta_piece of_first, of_second;

    if (!delta_cursor_take(first, n_units, &of_first))
        return OT_NOT_APPLIED;
    (void)delta_cursor_take(second, n_units, &of_second);
    if (of_second.kind == DELTA_DELETE) {
        if (of_first.kind == DELTA_RETAIN)
            delta_builder_delete(builder, n_units);
    } else if (compose_retain(builder, &of_first, &of_second) && delta_cursor_is_at_end(second)) {
        add_rest(builder, first);
    }
    return 0;
}

int delta_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                     struct ot_op **out, struct ot_error *error)
{
    struct delta_builder builder;
    struct delta_cursor mine, theirs;
    struct delta_piece piece;
    int r = 0;

    delta_builder_init(&builder, limits->max_components);
    delta_cursor_init(&mine, delta_op_of(first));
    delta_cursor_init(&theirs, delta_op_of(second));
    while (!r && !builder.r && !(delta_cursor_is_at_end(&mine) && delta_cursor_is_at_end(&theirs))) {
        bool they_insert = delta_is_insert(delta_cursor_kind(&theirs));

        if (they_insert || delta_cursor_kind(&mine) == DELTA_DELETE) {
            (void)delta_cursor_next(they_insert ? &theirs : &mine, &piece);
            (void)delta_builder_push(&builder, &piece);
        } else {
            r = compose_piece(&builder, &mine, &theirs);
        }
    }
    if (r) {
        delta_builder_discard(&builder);
        return ot_fail(error, r, "the second operation divides a surrogate pair that the first inserts");
    }
    return delta_builder_finish(&builder, out, error);
}

/* ---- presence ---------------------------------------------------------------------------------------------------- */

static uint64_t move(const struct delta_op *op, uint64_t index, bool is_own)
{
    struct delta_cursor cursor;
    struct delta_piece piece;
    uint64_t at = 0;

    delta_cursor_init(&cursor, op);
    while (at <= index && delta_cursor_next(&cursor, &piece)) {
        if (piece.kind == DELTA_DELETE) {
            index -= piece.n_units < index - at ? piece.n_units : index - at;
            continue;
        }
        if (delta_is_insert(piece.kind) && (at < index || is_own))
            index += piece.n_units;
        at += piece.n_units;
    }
    return index;
}

static int set_number(struct value *object, const char *name, uint64_t number)
{
    struct value key;
    int r = value_text(name, strlen(name), &key);

    if (!r)
        r = value_set(object, key, value_number((double)number));
    return r;
}

/* The range with another index and length, and whatever else the client put there. */
static int give_range(const struct ot_json *range, uint64_t from, uint64_t to, struct ot_json **out,
                      struct ot_error *error)
{
    struct ot_json *moved = NULL;
    struct value object = delta_none;
    int r = value_from_json(range, &object);

    if (!r)
        r = set_number(&object, "index", from);
    if (!r)
        r = set_number(&object, "length", to - from);
    if (!r)
        r = value_to_json(&object, &moved);
    delta_release(&object);
    if (r)
        return r;
    if (ot_json_flaw(moved)) {
        ot_json_unref(moved);
        return ot_fail(error, OT_LIMIT, "a range that is nested too deeply");
    }
    *out = moved;
    return 0;
}

int delta_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                                struct ot_error *error)
{
    const struct ot_json *index, *length;
    uint64_t from, n_units;

    if (ot_json_kind(range) == OT_JSON_NULL)
        return value_to_json(&(struct value){ .kind = VALUE_NULL }, out);
    if (ot_json_kind(range) != OT_JSON_OBJECT)
        return ot_fail(error, OT_BAD_OP, "a range must be an object or null");
    index = ot_json_get(range, "index", 5);
    length = ot_json_get(range, "length", 6);
    if (!index || !length || !ot_json_integer(index, &from) || !ot_json_integer(length, &n_units) ||
        from + n_units > (uint64_t)NUMBER_MAX_INTEGER)
        return ot_fail(error, OT_BAD_OP, "a range needs an index and a length, integers from 0 to 2^53-1 together");
    return give_range(range, move(delta_op_of(op), from, is_own), move(delta_op_of(op), from + n_units, is_own), out,
                      error);
}
