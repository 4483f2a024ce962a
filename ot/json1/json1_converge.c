#include "ot/error.h"
#include "ot/json1/json1.h"
#include "ot/text/text_op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether two resolutions of one conflict lead to one document. The reference's don't always, and has no way to know;
 * without a document it can be told by what both ways round do, as operations written in one way. */

/* Of what stands between two skips, the parts of one kind; of deletes, how much. */
static void copy_kind(struct text_builder *builder, struct text_cursor cursor, enum text_kind kind)
{
    struct text_piece piece;

    while (!text_cursor_at(&cursor, TEXT_SKIP) && text_cursor_next(&cursor, &piece)) {
        if (piece.kind == TEXT_DELETE)
            piece.n_bytes = 0;
        if (piece.kind == kind)
            text_builder_add(builder, &piece);
    }
}

/* The order of what is inserted and deleted at one place makes no difference to the text. */
static int order_text(const struct text_op *op, struct ot_op **out)
{
    struct text_builder builder;
    struct text_cursor cursor;
    struct text_piece piece;

    text_builder_init(&builder, SIZE_MAX);
    text_cursor_init(&cursor, op);
    for (bool is_at_skip = true; is_at_skip;) {
        copy_kind(&builder, cursor, TEXT_INSERT);
        copy_kind(&builder, cursor, TEXT_DELETE);
        while (!text_cursor_at(&cursor, TEXT_SKIP) && text_cursor_next(&cursor, &piece))
            ;
        is_at_skip = text_cursor_next(&cursor, &piece);
        if (is_at_skip)
            text_builder_add(&builder, &piece);
    }
    return text_builder_finish(&builder, out, NULL);
}

static void copy_edit(struct json1_builder *builder, const struct json1_edit *edit, struct json1_node *out)
{
    struct json1_edit ordered = *edit;
    int r;

    if (!edit->op || ot_op_type(edit->op) != &text_unicode) {
        json1_write_edit(builder, out, edit);
        return;
    }
    r = order_text(text_op_of(edit->op), &ordered.op);
    if (r) {
        builder->r = builder->r ? builder->r : r;
        return;
    }
    json1_write_edit(builder, out, &ordered);
    ot_op_unref(ordered.op);
}

/* A copy that says once what is removed: nothing below, and nothing of the content. */
static void copy_plainly(struct json1_builder *builder, const struct json1_node *node, bool is_removed,
                         struct json1_node *out)
{
    static const struct value truth = { .kind = VALUE_TRUE };

    if ((node->flags & JSON1_REMOVE) && !is_removed)
        json1_write_remove(builder, out, &truth);
    if (node->flags & JSON1_PICK)
        json1_write_pick(builder, out, node->pick_slot);
    if (node->flags & JSON1_DROP)
        json1_write_drop(builder, out, node->drop_slot);
    if (node->flags & JSON1_INSERT)
        json1_write_insert(builder, out, &node->inserted);
    if (node->flags & JSON1_EDIT)
        copy_edit(builder, &node->edit, out);
    is_removed = (node->flags & JSON1_REMOVE) || (is_removed && !(node->flags & JSON1_PICK));
    for (const struct json1_node *child = node->first; child; child = child->next)
        copy_plainly(builder, child, is_removed, json1_down(builder, out, &child->key));
}

static int plain(const struct ot_op *op, struct ot_op **out, struct ot_error *error)
{
    struct json1_builder builder;
    struct json1_node *root;
    struct ot_op *copy = NULL;
    int r;

    json1_builder_init(&builder);
    root = json1_new_tree(&builder);
    if (root && json1_root(json1_op_of(op)))
        copy_plainly(&builder, json1_root(json1_op_of(op)), false, root);
    r = json1_finish(&builder, root, NULL, &copy, error);
    if (!r)
        r = json1_normalized(copy, out, error);
    ot_op_unref(copy);
    return r;
}

struct text {
    char *at;
    size_t n_bytes;
};

static int gather(void *arg, const char *at, size_t n_bytes)
{
    struct text *text = arg;
    char *grown = realloc(text->at, text->n_bytes + n_bytes);

    if (!grown)
        return -ENOMEM;
    memcpy(grown + text->n_bytes, at, n_bytes);
    text->at = grown;
    text->n_bytes += n_bytes;
    return 0;
}

/* What first and then second do, as text. */
static int write_both(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                      struct text *out, struct ot_error *error)
{
    struct ot_op *both = NULL, *plainly = NULL;
    int r = json1_compose(first, second, limits, &both, error);

    if (!r)
        r = plain(both, &plainly, error);
    if (!r)
        r = json1_write(plainly, gather, out);
    ot_op_unref(both);
    ot_op_unref(plainly);
    return r;
}

int json1_check_convergence(const struct ot_op *op, const struct ot_op *op_after, const struct ot_op *other,
                            const struct ot_op *other_after, const struct ot_limits *limits, struct ot_error *error)
{
    struct text by_op = { NULL, 0 }, by_other = { NULL, 0 };
    int r = write_both(op, other_after, limits, &by_op, error);

    if (!r)
        r = write_both(other, op_after, limits, &by_other, error);
    if (!r && (by_op.n_bytes != by_other.n_bytes || memcmp(by_op.at, by_other.at, by_op.n_bytes) != 0))
        r = ot_fail(error, OT_CONFLICT, "a conflict whose two resolutions lead to different documents");
    free(by_op.at);
    free(by_other.at);
    return r;
}
