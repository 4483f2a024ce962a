#include "ot/json0/json0.h"

/* One list of components (or of parts of text) over another. Items are done one after the other, each on what the ones
 * before it left, so to carry one item r of the right list past the left list, it and each l of the left are
 * transformed over each other in turn:
 *
 *          l1      l2      l3
 *        o----->o----->o----->o
 *      r |      | r'   | r"   | r"'        the row below, l1' l2' l3', is the left list for the next r
 *        v      v      v      v
 *        o----->o----->o----->o
 *          l1'     l2'     l3'
 *
 * An r that comes out in several pieces is a right list of its own, for the rest of the row: a smaller square, that is
 * done first. Such squares are kept in memory of the work, so that nothing recurses. */

struct square {
    struct square *outer, *inner; /* inner: kept for the next time */
    struct json0_list left, right;
    struct json0_list below; /* the left list of the next row, as far as it is */
    struct json0_list done;  /* what has come out on the right */
    struct json0_list pieces[2];
    const void *item; /* of right, as it is before left's item j */
    uint32_t i, j;
    uint32_t which; /* of pieces does not hold item */
};

static const void *item_at(const struct json0_scheme *scheme, const struct json0_list *list, uint32_t i)
{
    return (const char *)list->items + scheme->item_bytes * i;
}

static void append_from(struct json0_work *work, const struct json0_scheme *scheme, struct json0_list *list,
                        const struct json0_list *items, uint32_t i)
{
    for (; i < items->n; i++)
        scheme->append(work, list, item_at(scheme, items, i));
}

static void begin_row(const struct json0_scheme *scheme, struct square *square)
{
    square->j = 0;
    square->below.n = 0;
    square->item = square->i < square->right.n ? item_at(scheme, &square->right, square->i) : NULL;
}

static void end_row(const struct json0_scheme *scheme, struct square *square)
{
    struct json0_list left = square->left;

    square->left = square->below;
    square->below = left;
    square->i++;
    begin_row(scheme, square);
}

static void begin(const struct json0_scheme *scheme, struct square *square, struct json0_list left,
                  struct json0_list right)
{
    square->left = left;
    square->right = right;
    square->left.capacity = square->right.capacity = 0;
    square->done.n = 0;
    square->i = square->which = 0;
    begin_row(scheme, square);
}

static struct square *square_new(struct json0_work *work, struct square *outer)
{
    struct square *square = json0_take(work, sizeof(*square));

    if (square)
        *square = (struct square){ .outer = outer };
    return square;
}

/* The rest of the row against the pieces. */
static struct square *enter(struct json0_work *work, const struct json0_scheme *scheme, struct square *square,
                            struct json0_list pieces)
{
    struct json0_list rest = { .items = (char *)square->left.items + scheme->item_bytes * square->j,
                               .n = square->left.n - square->j };

    if (!square->inner)
        square->inner = square_new(work, square);
    if (!square->inner)
        return NULL;
    begin(scheme, square->inner, rest, pieces);
    return square->inner;
}

static struct square *leave(struct json0_work *work, const struct json0_scheme *scheme, struct square *square)
{
    struct square *outer = square->outer;

    if (outer) {
        append_from(work, scheme, &outer->below, &square->left, 0);
        append_from(work, scheme, &outer->done, &square->done, 0);
        end_row(scheme, outer);
    }
    return outer;
}

/* The two items at hand over each other, both as they were. */
static struct square *meet(struct json0_work *work, const struct json0_scheme *scheme, struct square *square)
{
    const void *left = item_at(scheme, &square->left, square->j++);
    struct json0_list *pieces = &square->pieces[square->which];

    pieces->n = 0;
    scheme->transform(work, &square->below, left, square->item, OT_LEFT);
    scheme->transform(work, pieces, square->item, left, OT_RIGHT);
    square->which = !square->which;
    square->item = pieces->items;
    if (pieces->n > 1)
        return enter(work, scheme, square, *pieces);
    if (pieces->n == 0) {
        append_from(work, scheme, &square->below, &square->left, square->j);
        end_row(scheme, square);
    }
    return square;
}

/* Both lists over each other: first->left and first->done. */
static void cross(struct json0_work *work, const struct json0_scheme *scheme, struct square *first)
{
    struct square *square = first;

    while (square && !work->r) {
        if (!square->item) {
            square = leave(work, scheme, square);
        } else if (square->j < square->left.n) {
            square = meet(work, scheme, square);
        } else {
            scheme->append(work, &square->done, square->item);
            end_row(scheme, square);
        }
    }
}

void json0_transform_lists(struct json0_work *work, const struct json0_scheme *scheme, const struct json0_list *op,
                           const struct json0_list *other, enum ot_side side, struct json0_list *out)
{
    struct square square = { .outer = NULL };

    if (!other->n) {
        *out = *op;
        out->capacity = 0;
    } else if (op->n == 1 && other->n == 1) {
        scheme->transform(work, out, op->items, other->items, side);
    } else if (side == OT_LEFT) {
        begin(scheme, &square, *op, *other);
        cross(work, scheme, &square);
        *out = square.left;
    } else {
        begin(scheme, &square, *other, *op);
        cross(work, scheme, &square);
        *out = square.done;
    }
}
