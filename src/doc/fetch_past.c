/* Reading the value as it was.
 *
 *     begin -> wait for the tip of now -> (which version was that?) -> the snapshot at or below -> operations, in
 * slices
 *
 * Snapshots are never further apart than keep.c says, so that takes about the same whatever the version. */
#include <errno.h>

#include "doc/inside.h"

/* Its document may have been reloaded while the store was reading. */
static void past_move(struct fetch *fetch)
{
    if (fetch->document->state == DOCUMENT_OPEN)
        past_go_on(fetch);
    else
        document_arrive(fetch->document, &fetch->waiter);
}

/* What the store has read is of use also after a reloading: versions that are durable stay what they are. */
static void past_answered(struct fetch *fetch, int r)
{
    struct document *document = document_ref(fetch->document);

    if (!r && fetch->is_stopped)
        r = -ECANCELED;
    if (r)
        fetch_finish(fetch, r);
    else
        past_move(fetch);
    document_call_done(document);
    document_unref(document);
}

/* ---- by time ----------------------------------------------------------------------------------------------------- */

static void on_version(void *arg, int r, uint64_t version)
{
    struct fetch *fetch = arg;

    fetch->to = version;
    fetch->is_dated = true;
    past_answered(fetch, r > 0 ? -EIO : r);
}

/* ---- replay ------------------------------------------------------------------------------------------------------ */

/* What was kept before there were times in it tells too little: then from one further back. */
static void on_kept(void *arg, int r, const struct past *found)
{
    struct fetch *fetch = arg;

    if (!r && found->type && !found->created_ms) {
        ot_snapshot_destroy(found->value);
        fetch->at = found->version - 1;
    } else if (!r) {
        fetch->past = *found;
        fetch->is_based = true;
        if (fetch->past.version < fetch->document->load.first)
            fetch->past.version = fetch->document->load.first; /* it was removed: nothing is left but its version */
    }
    past_answered(fetch, r);
}

/* It may have been merged since the snapshot was read, which then has gone with it. */
static bool begins_anew(struct fetch *fetch)
{
    if (fetch->is_based_anew)
        return false;
    past_finish(&fetch->past);
    fetch->is_based = false;
    fetch->is_based_anew = true;
    return true;
}

static void on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct fetch *fetch = arg;
    struct past *past = &fetch->past;

    if (r == STORE_TOO_OLD)
        r = begins_anew(fetch) ? 0 : DOCUMENT_OPS_GONE;
    else if (!r && (!n || from != past->version))
        r = -EBADMSG;
    for (size_t i = 0; !r && i < n && past->version < fetch->to; i++)
        r = record_end(past->version, &records[i]) > fetch->to
                ? DOCUMENT_OPS_GONE
                : past_record(past, &records[i], document_limits(fetch->document));
    past_answered(fetch, r);
}

/* ---- its way ----------------------------------------------------------------------------------------------------- */

static int past_read(struct fetch *fetch)
{
    struct document *document = fetch->document;

    return store_read(document->log, fetch->past.version, fetch->to, document->hub->config.slice_bytes, on_records,
                      fetch);
}

static int past_date(struct fetch *fetch)
{
    return store_version_at(fetch->document->log, fetch->until_ms, on_version, fetch);
}

static void past_ask(struct fetch *fetch, int (*ask)(struct fetch *fetch))
{
    struct document *document = fetch->document;
    int r;

    document->n_calls++;
    r = ask(fetch);
    if (r) {
        document->n_calls--;
        fetch_finish(fetch, r);
    }
}

static void past_find_base(struct fetch *fetch)
{
    int r = kept_find(fetch->document, fetch->at < fetch->to ? fetch->at : fetch->to, on_kept, fetch);

    if (r)
        fetch_finish(fetch, r);
}

static void past_show(struct fetch *fetch)
{
    struct past *past = &fetch->past;

    fetch->snapshot = past->value;
    fetch->view = (struct document_view){ .version = past->version,
                                          .type = past->type,
                                          .snapshot = past->value,
                                          .created_ms = past->created_ms,
                                          .modified_ms = past->modified_ms };
    past->value = NULL;
    fetch_finish(fetch, 0);
}

/* What the tip answers needs no more than waiting for it. */
int past_begin(struct fetch *fetch)
{
    const struct document *document = fetch->document;
    bool is_tip = fetch->until_ms ? fetch->until_ms >= document->last_ms
                                  : fetch->to == DOCUMENT_NOW || fetch->to == document->tip;

    fetch->at = DOCUMENT_NOW;
    if (!is_tip)
        return 0;
    past_finish(&fetch->past);
    fetch->has_value = true;
    return fetch_take_value(fetch);
}

void past_go_on(struct fetch *fetch)
{
    const struct document *document = fetch->document;

    if (fetch->is_dated && fetch->to > document->head)
        fetch->to = document->head; /* the store knows it is durable, and will say so in a moment */
    if (fetch->has_value)
        fetch_finish(fetch, 0);
    else if (fetch->until_ms && !fetch->is_dated)
        past_ask(fetch, past_date);
    else if (fetch->to > document->head)
        fetch_finish(fetch, DOCUMENT_VERSION_AHEAD);
    else if (fetch->to < document->load.first)
        fetch_finish(fetch, DOCUMENT_OPS_GONE);
    else if (!fetch->is_based)
        past_find_base(fetch);
    else if (fetch->past.version < fetch->to)
        past_ask(fetch, past_read);
    else
        past_show(fetch);
}
