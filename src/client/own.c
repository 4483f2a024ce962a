#include <errno.h>
#include <stdlib.h>

#include "client/inside.h"

void change_finish(struct change *change)
{
    ot_op_unref(change->op);
    ot_json_unref(change->data);
    *change = (struct change){ .kind = CHANGE_NOTHING };
}

int own_create(const struct change *change, struct own_op **out)
{
    struct own_op *own = calloc(1, sizeof(*own));

    if (!own)
        return -ENOMEM;
    list_init(&own->link);
    own->change = *change;
    *out = own;
    return 0;
}

void own_destroy(struct own_op *own)
{
    if (!own)
        return;
    list_remove(&own->link);
    change_finish(&own->change);
    ot_op_unref(own->next);
    free(own);
}

/* ---- others' operations over ours -------------------------------------------------------------------------------- */

static int transform_both(struct own_op *own, struct change *change)
{
    struct ot_op *theirs = NULL;
    int r = ot_op_transform(own->change.op, change->op, OT_LEFT, &ot_limits_default, &own->next, NULL);

    if (!r)
        r = ot_op_transform(change->op, own->change.op, OT_RIGHT, &ot_limits_default, &theirs, NULL);
    if (r)
        return r < 0 ? r : OVER_CONFLICT;
    ot_op_unref(change->op);
    change->op = theirs;
    return 0;
}

/* The order of the questions matters: our deletion settles whatever they did. */
static int over(struct own_op *own, struct change *change)
{
    if (own->change.kind == CHANGE_DELETE)
        change_finish(change);
    if (change->kind == CHANGE_NOTHING)
        return 0;
    if (change->kind == CHANGE_DELETE)
        return OVER_DELETED;
    if (change->kind == CHANGE_CREATE || own->change.kind == CHANGE_CREATE)
        return OVER_CREATED;
    return transform_both(own, change);
}

int own_over(struct client_doc *doc, struct change *change)
{
    int r = 0;

    for (struct list *node = doc->own.next; node != &doc->own && !r; node = node->next)
        r = over(LIST_ENTRY(node, struct own_op, link), change);
    return r;
}

void own_settle(struct client_doc *doc, bool is_applied)
{
    LIST_FOR_EACH (node, &doc->own) {
        struct own_op *own = LIST_ENTRY(node, struct own_op, link);

        if (is_applied && own->next) {
            ot_op_unref(own->change.op);
            own->change.op = own->next;
        } else {
            ot_op_unref(own->next);
        }
        own->next = NULL;
    }
}
