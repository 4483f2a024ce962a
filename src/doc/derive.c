/* What a submission becomes when others were first: read for the type that the document has, and transformed over each
 * of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "doc/inside.h"

/* What meets what; docs/protocol.md has it as a table. Edits over edits are left to the type. */
static int meet_kind(enum step_kind mine, enum step_kind theirs)
{
    if (theirs == STEP_CREATE)
        return DOCUMENT_EXISTS;
    if (theirs == STEP_DELETE && mine != STEP_DELETE)
        return DOCUMENT_WAS_DELETED;
    if (theirs == STEP_EDIT && mine == STEP_CREATE)
        return DOCUMENT_EXISTS;
    return 0;
}

static int transform_over(struct submission *submission, const struct step *theirs)
{
    struct step *mine = &submission->step;
    struct ot_op *transformed;
    int r;

    if (mine->kind != STEP_EDIT || theirs->kind != STEP_EDIT)
        return meet_kind(mine->kind, theirs->kind);
    submission->work += ot_op_size(mine->op) + ot_op_size(theirs->op);
    if (submission->work > submission->document->hub->config.work_max_bytes) {
        (void)snprintf(submission->error.message, sizeof(submission->error.message),
                       "Too much has been done to the document since version %" PRIu64, submission->version);
        return DOCUMENT_LIMIT;
    }
    /* The later arrival is the left one. */
    r = ot_op_transform(mine->op, theirs->op, OT_LEFT, document_limits(submission->document), &transformed,
                        &submission->error);
    if (r)
        return document_error_of(r);
    ot_op_unref(mine->op);
    mine->op = transformed;
    submission_forget_ready(submission);
    return 0;
}

static bool is_off(const struct hub_config *config, const struct ot_type *type)
{
    for (size_t i = 0; i < HUB_TYPES_OFF_MAX && config->types_off[i]; i++) {
        if (config->types_off[i] == type)
            return true;
    }
    return false;
}

/* Reads what was received as a step for the type that the document has now. */
int submission_understand(struct submission *submission)
{
    struct document *document = submission->document;
    struct step *step = &submission->step;
    int r = submission->data ? ot_json_flaw(submission->data) : 0;

    if (r)
        return document_error_of(r);
    step->kind = submission->kind;
    if (step->kind == STEP_EDIT) {
        if (step->op)
            return 0;
        if (!document->type)
            return submission->at < document->tip ? DOCUMENT_WAS_DELETED : DOCUMENT_MISSING;
        step->type = document->type;
        return document_error_of(
            ot_op_parse(document->type, submission->data, document_limits(document), &step->op, &submission->error));
    }
    if (step->kind == STEP_DELETE && document->tip == 0)
        return DOCUMENT_MISSING; /* deleting what is deleted already is a step; deleting what never was is none */
    if (step->kind == STEP_CREATE && !step->type) {
        const struct ot_type *type = ot_type_find(submission->type.at, submission->type.n_bytes);

        if (!type || is_off(&document->hub->config, type))
            return DOCUMENT_TYPE_UNKNOWN;
        step->type = type;
        step->data = submission->data ? ot_json_ref(submission->data) : NULL;
    }
    return 0;
}

/* Whether there is anything between that nobody can be transformed over. Looked at first: after a delete and another
 * create the operation could not even be read. */
static int meet_kinds(const struct submission *submission)
{
    const struct document *document = submission->document;
    int r = 0;

    for (uint64_t v = submission->at; !r && v < document->head; v++)
        r = meet_kind(submission->kind, step_kind_of(recent_at(&document->recent, v)->op->body));
    FOR_EACH_PENDING(pending, document)
    {
        if (!r && pending->at >= submission->at)
            r = meet_kind(submission->kind, pending->step.kind);
    }
    return r;
}

/* About what it takes to transform it over what is durable; the pending ones are few. */
static bool is_more_than_a_turn(const struct submission *submission)
{
    const struct document *document = submission->document;
    uint64_t n = submission->at < document->head ? document->head - submission->at : 0;

    return submission->step.kind == STEP_EDIT && n > 1 &&
           n * ot_op_size(submission->step.op) > document->hub->config.slice_work_bytes;
}

static int pass_over_memory(struct submission *submission)
{
    struct document *document = submission->document;
    int r = is_more_than_a_turn(submission) ? -EINPROGRESS : 0;

    for (; !r && submission->at < document->head; submission->at++) {
        struct recent_entry *entry = recent_at(&document->recent, submission->at);

        r = recent_understand(entry, document_limits(document));
        if (!r)
            r = transform_over(submission, &entry->step);
    }
    FOR_EACH_PENDING(pending, document)
    {
        if (r)
            break;
        if (pending->at < submission->at)
            continue;
        r = transform_over(submission, &pending->step);
        submission->at++;
    }
    return r;
}

/* From version `at`, which memory reaches back to, up to the tip: mostly there is nothing between. */
int submission_derive(struct submission *submission)
{
    bool is_behind = submission->at < submission->document->tip;
    int r = is_behind ? meet_kinds(submission) : 0;

    if (!r)
        r = submission->misfit;
    if (!r)
        r = submission_understand(submission);
    return r || !is_behind ? r : pass_over_memory(submission);
}

/* What was made for a document that is gone cannot be read as the type of the next one, nor can the operations of that
 * time. Whether it is gone only the rest of the log tells. */
int submission_misfits(struct submission *submission, int r)
{
    if (r == -ENOMEM)
        return r;
    submission->misfit = r;
    return 0;
}

static int pass_over_edit(struct submission *submission, const struct record *record)
{
    struct step theirs = { .kind = STEP_NOTHING };
    int r = step_parse(record->body, submission->step.type, document_limits(submission->document), &theirs);

    if (!r)
        r = transform_over(submission, &theirs);
    step_finish(&theirs);
    return r;
}

/* Over one operation of the log, from before memory begins. A repetition only gives it to its author. */
int submission_pass(struct submission *submission, const struct record *record)
{
    struct committed_op *op = committed_op_create(submission->at, record);
    int r = op ? 0 : -ENOMEM;

    if (!r && submission->on_missed)
        submission->on_missed(submission, op);
    if (!r && !submission->is_duplicate) {
        r = meet_kind(submission->kind, step_kind_of(record->body));
        if (!r && submission->kind == STEP_EDIT && !submission->misfit)
            r = submission_misfits(submission, pass_over_edit(submission, record));
    }
    if (!r)
        submission->given = ++submission->at;
    committed_op_unref(op);
    return r;
}
