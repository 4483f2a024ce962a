/* Long answers: no faster than the client reads, and of what is far behind one at a time. */
#include "api/session_inside.h"

bool part_is_to_wait(struct part *part)
{
    struct session *session = part->request->session;

    if (!session->peer || !peer_is_full(session->peer))
        return false;
    if (list_is_empty(&part->link))
        list_append(&session->held, &part->link);
    return true;
}

/* The first of them may fill the line again, and is then the last: so all have their turn. */
void session_go_on(struct session *session)
{
    struct list held, *node;

    list_take(&session->held, &held);
    while ((!session->peer || !peer_is_full(session->peer)) && (node = list_pop(&held))) {
        struct part *part = LIST_ENTRY(node, struct part, link);

        part->request->action->resume(part);
    }
    while ((node = list_pop(&held)))
        list_append(&session->held, node);
    if (!session->peer || !peer_is_full(session->peer))
        queries_go_on(session);
}

void session_on_drained(struct session *session)
{
    session_go_on(session);
}

/* ---- far behind -------------------------------------------------------------------------------------------------- */

void part_is_behind(struct part *part)
{
    struct session *session = part->request->session;

    if (!session->behind) {
        session->behind = part;
        return;
    }
    submission_hold(&part->submission);
    list_append(&session->behind_it, &part->link);
}

void part_is_behind_no_more(struct part *part)
{
    struct session *session = part->request->session;
    struct list *node;

    list_remove(&part->link); /* it may have gone before its turn: submission_hold says when */
    if (session->behind != part)
        return;
    node = list_pop(&session->behind_it);
    session->behind = node ? LIST_ENTRY(node, struct part, link) : NULL;
    if (session->behind)
        submission_go_on(&session->behind->submission);
}
