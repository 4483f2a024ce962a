#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/structures/value.h"
#include "ot/text/text_op.h"

#include <string.h>

/* Carets and selections on plain text: a number, a list of numbers, or an object with an index and a length. The
 * reference has none of this; editors that register a type of their own use one of the three. */

static int not_a_range(struct ot_error *error)
{
    return ot_fail(error, OT_BAD_OP,
                   "a caret is an integer from 0 to 2^53-1, a selection two, or an index with or without a length");
}

struct move {
    const struct text_op *op;
    bool is_own;
};

static int move_number(const struct move *move, struct value *number, struct ot_error *error)
{
    double at = number->number;

    if (number->kind != VALUE_NUMBER || !(at >= 0 && at <= NUMBER_MAX_INTEGER) || at != (double)(uint64_t)at)
        return not_a_range(error);
    *number = value_number((double)text_op_move_position(move->op, (uint64_t)at, move->is_own));
    return 0;
}

static int move_list(const struct move *move, struct value *list, struct ot_error *error)
{
    int r = 0;

    for (size_t i = 0; !r && i < value_count(list); i++)
        r = move_number(move, value_own(list, i), error); /* nobody else holds it: nothing is copied */
    return r;
}

static struct value *member(struct value *object, const char *name)
{
    struct value key;
    size_t i;

    return value_text(name, strlen(name), &key) == 0 && value_find(object, &key, &i) ? value_own(object, i) : NULL;
}

static int move_object(const struct move *move, struct value *object, struct ot_error *error)
{
    struct value *index = member(object, "index"), *length = member(object, "length"), end;
    int r;

    if (index && !length)
        return move_number(move, index, error);
    if (!index || index->kind != VALUE_NUMBER || length->kind != VALUE_NUMBER || length->number < 0)
        return not_a_range(error);
    end = value_number(index->number + length->number);
    r = move_number(move, &end, error);
    if (!r)
        r = move_number(move, index, error);
    if (!r)
        *length = value_number(end.number - index->number);
    return r;
}

static int move_range(const struct move *move, struct value *range, struct ot_error *error)
{
    switch ((enum value_kind)range->kind) {
    case VALUE_NULL: return 0;
    case VALUE_NUMBER: return move_number(move, range, error);
    case VALUE_LIST: return move_list(move, range, error);
    case VALUE_OBJECT: return move_object(move, range, error);
    default: return not_a_range(error);
    }
}

int text_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                               struct ot_error *error)
{
    const struct move move = { text_op_of(op), is_own };
    struct value moved;
    int r = value_from_json(range, &moved);

    if (r)
        return r;
    r = move_range(&move, &moved, error);
    if (!r)
        r = value_to_json(&moved, out);
    value_release(&moved);
    return r;
}
