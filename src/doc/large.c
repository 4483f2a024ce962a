/* A submission of megabytes: it is read, and written for the log, beside the loop, and what a create makes is made
 * there. What is left for the loop is to apply an edit. */
#include "doc/inside.h"

static struct submission *submission_of(struct errand *errand)
{
    return LIST_ENTRY(errand, struct submission, errand);
}

/* Without memory nothing is ready: the loop tries again, and finds out why. */
static void make_ready(struct submission *submission)
{
    struct record record = { .id = submission->id, .author = submission->author };
    struct buffer body;

    buffer_init(&body, STORE_RECORD_MAX_BYTES);
    if (!step_write(&submission->step, &body)) {
        record.body = buffer_bytes(&body);
        submission->ready = committed_op_create(0, &record);
    }
    buffer_finish(&body);
}

static void work(struct errand *errand)
{
    struct submission *submission = submission_of(errand);
    struct step *step = &submission->step;
    int r = 0;

    if (submission->kind == STEP_EDIT)
        r = document_error_of(ot_op_parse(step->type, submission->data, document_limits(submission->document),
                                          &step->op, &submission->error));
    if (!r)
        make_ready(submission);
    submission->errand_r = r > 0 ? r : 0;
}

/* Content that makes no document makes none on the loop either, which finds out why. */
static void work_on_create(struct errand *errand)
{
    struct submission *submission = submission_of(errand);
    struct step *step = &submission->step;

    make_ready(submission);
    if (ot_snapshot_create(step->type, step->data, document_limits(submission->document), &step->value, NULL))
        step->value = NULL;
}

static void done(struct errand *errand)
{
    struct submission *submission = submission_of(errand);
    struct document *document = submission->document;

    (void)document_ref(document);
    submission->misfit = submission->errand_r;
    submission_move(submission, 0);
    document_call_done(document);
    document_unref(document);
}

bool submission_is_aside(struct submission *submission)
{
    struct document *document = submission->document;
    struct step *step = &submission->step;

    if (!submission->is_large || submission->was_aside || submission->kind == STEP_DELETE || step->op)
        return false;
    if (submission->kind == STEP_EDIT) {
        if (!document->type || ot_json_flaw(submission->data))
            return false; /* refused in no time */
        step->kind = STEP_EDIT;
        step->type = document->type;
    } else if (submission_understand(submission)) {
        return false;
    }
    submission->was_aside = true;
    submission->errand.work = submission->kind == STEP_CREATE && !document->type ? work_on_create : work;
    submission->errand.done = done;
    document->n_calls++;
    helper_do(document->hub->config.helper, &submission->errand);
    return true;
}
