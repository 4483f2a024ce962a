/* A submission's way into the log.
 *
 *     begin -> identify -> not known here: ask the store, then identify again
 *                       -> known: a repetition, waits for the version of the first
 *                       -> new: from far behind? read and transform a slice (behind.c), then identify again
 *                               else transform over what memory holds, apply, append, wait
 *
 * Whatever takes time of its own comes back to `identify`, since meanwhile the same operation may have come another
 * way. */
#include <assert.h>
#include <errno.h>

#include "doc/inside.h"

static struct submission *submission_of(struct waiter *waiter)
{
    return LIST_ENTRY(waiter, struct submission, waiter);
}

struct submission *document_pending(const struct document *document, struct list *node)
{
    for (; node != &document->waiters; node = node->next) {
        struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

        if (waiter->begin == submission_begin && submission_of(waiter)->op)
            return submission_of(waiter);
    }
    return NULL;
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

/* The step has become another than the helper wrote. */
void submission_forget_ready(struct submission *submission)
{
    committed_op_unref(submission->ready);
    submission->ready = NULL;
}

static void submission_unread(struct submission *submission)
{
    step_finish(&submission->step);
    submission_forget_ready(submission);
    submission->was_aside = false;
    submission->misfit = 0;
}

/* Everything that was derived is forgotten; what the caller gave stays. */
static void submission_reset(struct submission *submission)
{
    submission->waiter.r = 0;
    submission_unread(submission);
    committed_op_unref(submission->op);
    submission->op = NULL;
    submission->at = submission->given = submission->version;
    submission->was_looked_up = submission->is_duplicate = false;
}

/* A version above the head was a guess at what others, still pending, would make; after a conflict it means something
 * else. */
static bool submission_retreat(struct waiter *waiter)
{
    struct submission *submission = submission_of(waiter);

    submission_reset(submission);
    return submission->version == DOCUMENT_NOW || submission->version <= submission->document->head;
}

static void give_missed(struct submission *submission)
{
    const struct recent *recent = &submission->document->recent;

    if (!submission->on_missed || submission->given < recent->first)
        return;
    for (; submission->given < submission->at; submission->given++)
        submission->on_missed(submission, recent_at(recent, submission->given)->op);
}

static void submission_release(struct waiter *waiter)
{
    struct submission *submission = submission_of(waiter);
    struct document *document = submission->document;
    uint64_t at = submission->at;
    int r = waiter->r;

    if (!r && submission->given < at)
        give_missed(submission);
    if (r > 0)
        document->hub->figures.n_refused += r != DOCUMENT_IS_NEW && r != DOCUMENT_AS_WANTED;
    submission->was_repeated = submission->is_duplicate;
    submission_reset(submission);
    submission->on_done(submission, r, at);
    document_unref(document);
}

/* Its place in the queue is certain. From on_accepted on it may be answered, and gone. */
static void submission_accepted(struct submission *submission)
{
    struct document *document = submission->document;
    void (*on_accepted)(struct submission *) = submission->was_accepted ? NULL : submission->on_accepted;

    submission->was_accepted = true;
    (void)document_ref(document);
    if (on_accepted)
        on_accepted(submission);
    document_settle(document);
    document_unref(document);
}

static void submission_wait(struct submission *submission, uint64_t version)
{
    submission->waiter.version = version;
    document_place(submission->document, &submission->waiter);
    submission_accepted(submission);
}

void submission_refuse(struct submission *submission, int r)
{
    submission->waiter.r = r;
    submission->given = UINT64_MAX; /* needs no operations kept */
    submission_wait(submission, submission->document->tip);
}

/* ---- asking the store ---------------------------------------------------------------------------------------------
 */

static void submission_on_lookup(void *arg, int r, uint64_t version, const struct store_source *source)
{
    struct submission *submission = arg;
    struct document *document = submission->document;

    (void)document_ref(document);
    document->n_lookups--;
    submission->was_looked_up = true;
    submission->lookup = r;
    submission->lookup_version = version;
    submission->is_first = !source;
    if (document->state == DOCUMENT_OPEN && r >= 0)
        identity_learn(submission, source);
    submission_move(submission, r < 0 ? r : 0);
    document_call_done(document);
    document_unref(document);
}

static void submission_look_up(struct submission *submission)
{
    struct document *document = submission->document;
    int r;

    submission->lookup_head = document->head;
    r = store_find(document->log, submission->id, submission_on_lookup, submission);
    if (r) {
        submission_refuse(submission, r);
        return;
    }
    document->n_calls++;
    document->n_lookups++;
}

/* ---- appending --------------------------------------------------------------------------------------------------- */

static void submission_committed(struct submission *submission)
{
    struct document *document = submission->document;
    const struct ot_type *type = submission->step.kind == STEP_EDIT ? submission->step.type : NULL;
    struct committed_op *op = submission->op;

    assert(submission->at == document->head);
    submission->op = NULL; /* not pending any more */
    document->tail_bytes += op->body.n_bytes;
    document->hub->figures.n_committed++;
    histogram_add(&document->hub->figures.commit_time,
                  world_monotonic_us(document->hub->config.world) - submission->append_us);
    document->hub->figures.n_pending--;
    document_advance(document, op, type, &submission->step);
    document_settle(document); /* the submission is gone */
    document_tell_watchers(document, op);
    committed_op_unref(op);
    document_keep_if_due(document);
    document_follow_news(document);
}

static void submission_on_append(void *arg, int r, uint64_t head)
{
    struct submission *submission = arg;
    struct document *document = submission->document;

    (void)document_ref(document);
    if (!r && document->state == DOCUMENT_OPEN) {
        submission_committed(submission);
    } else {
        document->hub->figures.n_pending--;
        document_reload(document, r);
    }
    document_call_done(document);
    document_unref(document);
}

static int make_op(struct submission *submission)
{
    struct record record = { .id = submission->id, .author = submission->author };
    struct buffer *body = &submission->document->hub->scratch;
    int r;

    if (submission->ready) {
        submission->op = submission->ready;
        submission->ready = NULL;
        return 0;
    }
    r = step_write(&submission->step, body);
    if (!r) {
        record.body = buffer_bytes(body);
        submission->op = committed_op_create(submission->at, &record);
        r = submission->op ? 0 : -ENOMEM;
    }
    if (body->capacity > HUB_SCRATCH_BYTES)
        buffer_finish(body);
    buffer_reset(body);
    return r == -E2BIG ? DOCUMENT_LIMIT : r;
}

static int make_record(struct submission *submission)
{
    struct document *document = submission->document;
    uint64_t now = world_now_ms(document->hub->config.world);
    int r = make_op(submission);

    if (r)
        return r;
    submission->op->version = submission->at;
    submission->op->time_ms = now > document->last_ms ? now : document->last_ms;
    submission->record = (struct record){ .id = { submission->op->src, submission->id.seq },
                                          .time_ms = submission->op->time_ms,
                                          .author = submission->op->author,
                                          .body = submission->op->body };
    return 0;
}

/* The value holds the operation already: from here on a failure means reading it again. */
static void submission_append(struct submission *submission)
{
    struct document *document = submission->document;
    struct store_state after = { .exists = document->type != NULL };
    int r;

    if (document->type) {
        after.type = bytes_of_string(ot_type_uri(document->type));
        after.n_bytes = ot_snapshot_size(document->value);
    }
    document->last_ms = submission->record.time_ms;
    document->tip++;
    identity_note(submission);
    document->n_calls++;
    document->hub->figures.n_pending++;
    submission->waiter.version = document->tip;
    document_place(document, &submission->waiter);
    submission->append_us = world_monotonic_us(document->hub->config.world);
    r = store_append(document->log, submission->at, &submission->record, 1, &after, submission_on_append, submission);
    if (!r) {
        submission_accepted(submission);
        return;
    }
    document->hub->figures.n_pending--;
    document_reload(document, r);
    document_call_done(document);
}

static int submission_clarify(struct submission *submission)
{
    const struct ot_op *before = submission->step.op;
    int r = document_clarify(submission->document, &submission->step, &submission->error);

    if (submission->step.op != before)
        submission_forget_ready(submission);
    return r;
}

static void submission_finish(struct submission *submission)
{
    struct document *document = submission->document;
    int r = submission_derive(submission);

    if (r == -EINPROGRESS) {
        submission_catch_up(submission, document->head);
        return;
    }
    if (!r)
        r = submission_clarify(submission);
    if (!r)
        r = make_record(submission);
    if (!r)
        r = document_apply(document, &submission->step, submission->record.time_ms, &submission->error);
    if (!r) {
        submission_append(submission);
        return;
    }
    committed_op_unref(submission->op);
    submission->op = NULL;
    submission_refuse(submission, r);
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

static void submission_repeat(struct submission *submission, uint64_t version)
{
    struct document *document = submission->document;

    submission->is_duplicate = true;
    if (submission->on_missed && submission->at < version && submission->at < document->recent.first) {
        submission_catch_up(submission, version < document->recent.first ? version : document->recent.first);
        return;
    }
    document->hub->figures.n_duplicates++;
    submission->at = version;
    submission_wait(submission, version + 1);
}

/* What time it took may have made of the document another one, of another type; the step is read again for that. */
static void submission_begin_now(struct submission *submission)
{
    const struct document *document = submission->document;

    if (submission->step.kind == STEP_EDIT && submission->step.type != document->type)
        submission_unread(submission);
    submission->at = submission->given = document->tip;
}

static int submission_make(struct submission *submission)
{
    const struct document *document = submission->document;
    const struct document_view tip = { .version = document->tip,
                                       .type = document->type,
                                       .snapshot = document->value,
                                       .created_ms = document->created_ms,
                                       .modified_ms = document->modified_ms };

    assert(submission->at == document->tip);
    submission_unread(submission);
    return submission->make(submission, &tip);
}

static void submission_place(struct submission *submission)
{
    int r;

    struct document *document = submission->document;

    if (submission->version == DOCUMENT_NOW)
        submission_begin_now(submission);
    if (submission->at > document->tip)
        submission_refuse(submission, DOCUMENT_VERSION_AHEAD);
    else if (submission->only_now && submission->at != document->tip)
        submission_refuse(submission, DOCUMENT_CHANGED);
    else if (submission->at < document->recent.first)
        submission_catch_up(submission, document->recent.first);
    else if (submission->make && (r = submission_make(submission)))
        submission_refuse(submission, r);
    else if (!submission_is_aside(submission))
        submission_finish(submission);
}

static void submission_new(struct submission *submission)
{
    if (submission->only_repeated)
        submission_refuse(submission, DOCUMENT_IS_NEW);
    else
        submission_place(submission);
}

static void submission_proceed(struct submission *submission)
{
    uint64_t version;

    switch (submission_identify(submission, &version)) {
    case IDENTITY_NEW: submission_new(submission); break;
    case IDENTITY_KNOWN: submission_repeat(submission, version); break;
    case IDENTITY_REUSED: submission_refuse(submission, DOCUMENT_ID_REUSED); break;
    case IDENTITY_TOO_OLD: submission_refuse(submission, DOCUMENT_SEQ_TOO_OLD); break;
    case IDENTITY_UNCLEAR: submission_look_up(submission); break;
    }
}

void submission_move(struct submission *submission, int r)
{
    struct document *document = submission->document;

    if (document->state != DOCUMENT_OPEN) {
        submission_reset(submission);
        document_arrive(document, &submission->waiter);
    } else if (r) {
        submission_refuse(submission, r);
    } else {
        submission_proceed(submission);
    }
}

void submission_begin(struct waiter *waiter)
{
    submission_proceed(submission_of(waiter));
}

void document_submit(struct document *document, struct submission *submission)
{
    submission->document = document_ref(document);
    submission->waiter =
        (struct waiter){ .begin = submission_begin, .retreat = submission_retreat, .release = submission_release };
    list_init(&submission->waiter.link);
    submission->step = (struct step){ .kind = STEP_NOTHING };
    submission->op = NULL;
    submission->work = 0;
    submission->ready = NULL;
    submission->was_accepted = submission->was_far_behind = submission->is_held = submission->is_standing = false;
    submission->error.message[0] = '\0';
    submission_reset(submission);
    document_arrive(document, &submission->waiter);
}
