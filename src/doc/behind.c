/* A submission that many others were before: the operations between come from the log in slices, and it is transformed
 * over each; in between everybody else has his turn. */
#include <errno.h>

#include "doc/inside.h"

/* Whoever had a place before a conflict goes on all the same: others wait for him to have it again. */
static bool stands(struct submission *submission)
{
    submission->is_standing = submission->is_held && !submission->waiter.had_place;
    return submission->is_standing;
}

static void on_slice(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct submission *submission = arg;
    struct document *document = submission->document;
    size_t until = submission->work + document->hub->config.slice_work_bytes;

    (void)document_ref(document);
    if (r == STORE_TOO_OLD)
        r = DOCUMENT_OPS_GONE;
    else if (!r && (!n || from != submission->at))
        r = -EBADMSG;
    for (size_t i = 0; !r && i < n && submission->work < until; i++)
        r = records[i].n_merged ? DOCUMENT_OPS_GONE : submission_pass(submission, &records[i]);

    if (r || document->state != DOCUMENT_OPEN || !stands(submission))
        submission_move(submission, r);
    document_call_done(document);
    document_unref(document);
}

static int read_slice(struct submission *submission, uint64_t end)
{
    struct document *document = submission->document;
    int r;

    document->n_calls++;
    r = store_read(document->log, submission->at, end, document->hub->config.slice_bytes, on_slice, submission);
    if (r)
        document->n_calls--;
    return r;
}

void submission_catch_up(struct submission *submission, uint64_t end)
{
    bool is_news = !submission->was_far_behind && !submission->was_accepted;
    int r = 0;

    submission->was_far_behind = true;
    if (is_news && submission->on_far_behind)
        submission->on_far_behind(submission);
    if (stands(submission))
        return;
    if (!submission->is_duplicate && !submission->misfit)
        r = submission_misfits(submission, submission_understand(submission));
    if (!r)
        r = read_slice(submission, end);
    if (r)
        submission_refuse(submission, r);
}

void submission_hold(struct submission *submission)
{
    submission->is_held = true;
}

void submission_go_on(struct submission *submission)
{
    bool was_standing = submission->is_standing;

    submission->is_held = submission->is_standing = false;
    if (was_standing)
        submission_move(submission, 0);
}
