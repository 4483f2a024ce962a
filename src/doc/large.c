/* A submission of megabytes: it is read, and written for the log, beside the loop. What is left for the loop is to
 * apply it. */
#include "doc/inside.h"

static struct submission *submission_of(struct errand *errand)
{
    return LIST_ENTRY(errand, struct submission, errand);
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
        r = step_write(step, &submission->body);
    if (r < 0)
        buffer_finish(&submission->body); /* the loop tries again, and finds out why */
    submission->body_of = step->op;
    submission->errand_r = r > 0 ? r : 0;
}

static void done(struct errand *errand)
{
    struct submission *submission = submission_of(errand);
    struct document *document = submission->document;

    (void)document_ref(document);
    submission_move(submission, submission->errand_r);
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
    submission->errand.work = work;
    submission->errand.done = done;
    document->n_calls++;
    helper_do(document->hub->config.helper, &submission->errand);
    return true;
}
