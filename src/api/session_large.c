/* Messages of megabytes are read beside the loop; what comes behind one on the same line waits for it. */
#include <errno.h>
#include <stdlib.h>

#include "api/session_inside.h"

struct reading {
    struct errand errand;
    struct session *session;
    const struct ot_limits *limits;
    struct buffer text;
    size_t n_bytes;
    struct ot_json *frame;
    int r;
};

/* A message that came meanwhile. Reading pauses at once, so there are not many. */
struct later {
    struct list link;
    size_t n_bytes;
    char text[];
};

static void work(struct errand *errand)
{
    struct reading *reading = LIST_ENTRY(errand, struct reading, errand);

    reading->r = ot_json_parse(reading->text.at, reading->text.n_bytes, reading->limits, &reading->frame, NULL);
    buffer_finish(&reading->text);
}

static void forget_later(struct session *session)
{
    struct list *node;

    while ((node = list_pop(&session->later)))
        free(LIST_ENTRY(node, struct later, link));
}

static void take_up_later(struct session *session)
{
    struct list *node;

    while (!session->is_reading && (node = list_pop(&session->later))) {
        struct later *later = LIST_ENTRY(node, struct later, link);

        session_on_frame(session, later->text, later->n_bytes);
        free(later);
    }
}

static void done(struct errand *errand)
{
    struct reading *reading = LIST_ENTRY(errand, struct reading, errand);
    struct session *session = reading->session;

    session->is_reading = false;
    session->is_large = true;
    session->n_message_bytes = reading->n_bytes;
    session_on_parsed(session, reading->r, reading->frame);
    session->is_large = false;
    free(reading);
    if (session->peer)
        take_up_later(session);
    if (!session->is_reading)
        forget_later(session);
    session_pause_if_due(session);
    session_free_if_over(session);
}

void session_on_large(struct session *session, struct buffer *message)
{
    struct reading *reading = session->peer ? calloc(1, sizeof(*reading)) : NULL;

    if (!reading || session->is_reading) { /* a second one does not fit behind the first in what was read of the line */
        buffer_finish(message);
        free(reading);
        session_trouble(session, -ENOMEM);
        return;
    }
    session->context->n_frames_in++;
    session->is_reading = true;
    session_pause_if_due(session);
    reading->session = session;
    reading->limits = hub_limits(session->context->hub);
    reading->text = *message;
    reading->n_bytes = message->n_bytes;
    buffer_init(message, message->max_bytes);
    reading->errand.work = work;
    reading->errand.done = done;
    helper_do(hub_helper(session->context->hub), &reading->errand);
}

void session_keep_for_later(struct session *session, const char *text, size_t n_bytes)
{
    struct later *later = malloc(sizeof(*later) + n_bytes);

    if (!later) {
        session_trouble(session, -ENOMEM);
        return;
    }
    later->n_bytes = n_bytes;
    if (n_bytes)
        memcpy(later->text, text, n_bytes);
    list_append(&session->later, &later->link);
}
