#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "client/inside.h"

#define OWN_MAX 100 /* that can't be composed: edits in turn with creates and deletes */

/* ---- the value --------------------------------------------------------------------------------------------------- */

int value_apply(struct client_doc *doc, const struct change *change)
{
    struct ot_snapshot *made = NULL;
    int r;

    if (change->kind == CHANGE_NOTHING)
        return 0;
    if (change->kind == CHANGE_EDIT)
        return !doc->value || ot_snapshot_type(doc->value) != ot_op_type(change->op)
                   ? OT_NOT_APPLIED
                   : ot_snapshot_apply(doc->value, change->op, &ot_limits_default, NULL);
    if (change->kind == CHANGE_CREATE && doc->value)
        return OT_NOT_APPLIED;
    if (change->kind == CHANGE_CREATE) {
        r = ot_snapshot_create(change->type, change->data, &ot_limits_default, &made, NULL);
        if (r)
            return r;
    }
    ot_snapshot_destroy(doc->value);
    doc->value = made;
    return 0;
}

/* ---- one on its way, the others wait ----------------------------------------------------------------------------- */

int doc_flush(struct client_doc *doc)
{
    struct client *client = doc->client;
    struct own_op *own;
    int r;

    if (!client->is_connected || !doc->has_version || doc->is_in_flight || list_is_empty(&doc->own))
        return 0;
    own = LIST_ENTRY(doc->own.next, struct own_op, link);
    if (!own->was_sent) {
        own->seq = client->next_seq++;
        (void)snprintf(own->src, sizeof(own->src), "%s", client->id);
    }
    r = say_op(doc, own);
    if (r)
        return r;
    own->was_sent = doc->is_in_flight = true;
    return 0;
}

void doc_forget(struct client_doc *doc)
{
    while (!list_is_empty(&doc->own))
        own_destroy(LIST_ENTRY(doc->own.next, struct own_op, link));
    doc->n_own = 0;
    doc->is_in_flight = false;
    ot_snapshot_destroy(doc->value);
    doc->value = NULL;
    doc->type = NULL;
    doc->has_version = false;
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

/* The last that waits and was never sent, if an edit may be composed into it; else NULL. */
static struct own_op *composable(struct client_doc *doc)
{
    struct own_op *last;

    if (list_is_empty(&doc->own))
        return NULL;
    last = LIST_ENTRY(doc->own.previous, struct own_op, link);
    return last->was_sent || last->change.kind != CHANGE_EDIT ? NULL : last;
}

/* Takes the change when it returns 0. */
static int enqueue(struct client_doc *doc, const struct change *change)
{
    struct own_op *last = change->kind == CHANGE_EDIT ? composable(doc) : NULL, *own = NULL;
    struct ot_op *composed = NULL;
    int r = last ? ot_op_compose(last->change.op, change->op, &ot_limits_default, &composed, NULL) : OT_LIMIT;

    if (r > 0)
        r = doc->n_own == OWN_MAX ? CLIENT_FULL : own_create(change, &own);
    if (r)
        return r;
    r = value_apply(doc, change);
    if (r) {
        if (own)
            own->change = (struct change){ .kind = CHANGE_NOTHING }; /* still the caller's */
        own_destroy(own);
        ot_op_unref(composed);
        return r < 0 ? r : CLIENT_NOT_APPLIED;
    }
    if (own) {
        list_append(&doc->own, &own->link);
        doc->n_own++;
    } else if (last) {
        ot_op_unref(last->change.op);
        ot_op_unref(change->op);
        last->change.op = composed;
    }
    return 0;
}

/* What is queued is submitted: when it can't be sent for want of memory, the next line sends it. */
static int submit(struct client_doc *doc, struct change *change)
{
    int r = CLIENT_NOT_LOADED;

    assert(doc->has_value);
    if (doc->has_version)
        r = enqueue(doc, change);
    if (r)
        change_finish(change);
    else if (doc_flush(doc))
        doc->client->line->cut(doc->client->line, "out of memory");
    return r;
}

int client_submit(struct client_doc *doc, struct ot_op *op)
{
    struct change change = { .kind = CHANGE_EDIT, .op = ot_op_ref(op) };

    return submit(doc, &change);
}

int client_submit_create(struct client_doc *doc, const struct ot_type *type, struct ot_json *data)
{
    struct change change = { .kind = CHANGE_CREATE, .type = type, .data = data ? ot_json_ref(data) : NULL };

    return submit(doc, &change);
}

int client_submit_delete(struct client_doc *doc)
{
    struct change change = { .kind = CHANGE_DELETE };

    if (doc->has_version && !doc->value)
        return CLIENT_NOT_APPLIED;
    return submit(doc, &change);
}
