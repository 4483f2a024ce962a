/* Whether an operation is new. (src, seq) is its identity within a document: what was committed once is never committed
 * again, however often and over whichever line it is sent.
 *
 *     a source's seq grows    above the highest: new    the highest: known    below: looked for
 *     one that is alone       the same: known           any other: reused
 *
 * The highest of whoever wrote lately is remembered (writers.h); for others the store is asked. */
#include "doc/inside.h"

/* What there is of the operation's source. */
enum sight { SIGHT_NOTHING, SIGHT_SAME, SIGHT_OTHER /* one of another seq, for what is to be alone */ };

static enum sight look_at(const struct committed_op *op, uint64_t at, const struct submission *submission,
                          uint64_t *version)
{
    if (!bytes_equal(op->src, submission->id.src))
        return SIGHT_NOTHING;
    *version = at;
    if (op->seq == submission->id.seq)
        return SIGHT_SAME;
    return submission->is_sole ? SIGHT_OTHER : SIGHT_NOTHING;
}

/* Among the operations in memory; those before `since` have been looked for already. */
static enum sight in_memory(const struct submission *submission, uint64_t since, uint64_t *version)
{
    const struct document *document = submission->document;
    uint64_t first = since > document->recent.first ? since : document->recent.first;
    enum sight sight = SIGHT_NOTHING;

    for (uint64_t v = document->head; !sight && v > first; v--)
        sight = look_at(recent_at(&document->recent, v - 1)->op, v - 1, submission, version);
    FOR_EACH_PENDING(pending, document)
    {
        if (!sight)
            sight = look_at(pending->op, pending->at, submission, version);
    }
    return sight;
}

/* What the store said when it was asked. */
static enum identity looked_up(const struct submission *submission, uint64_t *version)
{
    *version = submission->lookup_version;
    if (submission->lookup == 0)
        return IDENTITY_KNOWN;
    if (submission->is_sole && !submission->is_first)
        return IDENTITY_REUSED;
    return submission->lookup == STORE_NOT_FOUND ? IDENTITY_NEW : IDENTITY_TOO_OLD;
}

/* The store's answer is as old as the question. What it did not find may have been committed since; as long as memory
 * reaches back to the question that is seen, else the store is asked again. */
static bool has_answer(const struct submission *submission)
{
    return submission->was_looked_up &&
           (submission->lookup == 0 || submission->lookup_head >= submission->document->recent.first);
}

enum identity submission_identify(struct submission *submission, uint64_t *version)
{
    struct document *document = submission->document;
    const struct op_id *id = &submission->id;
    struct writer *writer = writers_find(&document->writers, id->src);
    bool is_answered = has_answer(submission);
    enum sight sight;

    if (!is_answered && (!writer || document->n_lookups))
        return IDENTITY_UNCLEAR;
    if (writer && id->seq == writer->known.highest_seq) {
        *version = writer->known.highest_version;
        return IDENTITY_KNOWN;
    }
    if (writer && (submission->is_sole || id->seq > writer->known.highest_seq))
        return submission->is_sole ? IDENTITY_REUSED : IDENTITY_NEW;
    sight = in_memory(submission, is_answered ? submission->lookup_head : 0, version);
    if (sight)
        return sight == SIGHT_SAME ? IDENTITY_KNOWN : IDENTITY_REUSED;
    return is_answered ? looked_up(submission, version) : IDENTITY_UNCLEAR;
}

/* The store answered from how the log was when it was asked; what has come since is in memory. */
static void note_since(struct writer *writer, const struct document *document, struct bytes src, uint64_t since)
{
    uint64_t v = since > document->recent.first ? since : document->recent.first;

    for (; v < document->head; v++) {
        const struct committed_op *op = recent_at(&document->recent, v)->op;

        if (bytes_equal(op->src, src))
            writer_note(writer, op->seq, v);
    }
    FOR_EACH_PENDING(pending, document)
    {
        if (bytes_equal(pending->op->src, src))
            writer_note(writer, pending->op->seq, pending->at);
    }
}

void identity_learn(struct submission *submission, const struct store_source *source)
{
    struct document *document = submission->document;
    struct bytes src = submission->id.src;
    struct writer *writer;

    if (!source || submission->lookup_head < document->recent.first || writers_find(&document->writers, src))
        return;
    writer = writers_add(&document->writers, src, source); /* without memory it is asked for again, later */
    if (writer)
        note_since(writer, document, src, submission->lookup_head);
}

void identity_note(struct submission *submission)
{
    struct document *document = submission->document;
    struct writer *writer = writers_find(&document->writers, submission->id.src);
    struct store_source first = { submission->id.seq, submission->at, submission->at };

    if (!writer && submission->was_looked_up && submission->is_first) {
        writer = writers_add(&document->writers, submission->id.src, &first);
        if (writer) /* without memory the store is asked again, later */
            note_since(writer, document, submission->id.src, submission->lookup_head);
    }
    if (writer)
        writer_note(writer, submission->id.seq, submission->at);
}
