#include "doc/retain_log.h"

#include <errno.h>
#include <stdlib.h>

#include "doc/inside.h"

#define SNAPSHOTS_MAX (1u << 20) /* of one log; operations may reach across more */

static void forget_slice(struct retain_log *log)
{
    while (log->n_ops)
        committed_op_unref(log->ops[--log->n_ops]);
    merge_take(&log->merge);
    log->n_stored = 0;
}

static void finish(struct retain_log *log, int r)
{
    struct document *document = log->document;

    forget_slice(log);
    free(log->ops);
    free(log->snapshots);
    free(log->records);
    log->n_wrong = log->merge.n_wrong;
    merge_finish(&log->merge);
    log->on_done(log, r);
    document_unref(document);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void then(struct retain_log *log, void (*next)(struct retain_log *log));

static void on_open(struct fetch *fetch, int r, const struct document_view *view)
{
    struct retain_log *log = LIST_ENTRY(fetch, struct retain_log, fetch);

    (void)view;
    if (r)
        finish(log, r > 0 ? -EAGAIN : r);
    else
        then(log, log->next);
}

/* The document may be reloaded at any time; its log can be asked when that is over. */
static void then(struct retain_log *log, void (*next)(struct retain_log *log))
{
    if (log->is_stopped) {
        finish(log, -ECANCELED);
    } else if (log->document->state == DOCUMENT_OPEN) {
        next(log);
    } else {
        log->next = next;
        log->fetch = (struct fetch){ .what = FETCH_BARRIER, .on_done = on_open };
        document_fetch(log->document, &log->fetch);
    }
}

/* r: what a call of the store's has said. */
static void asked(struct retain_log *log, int r)
{
    if (r)
        finish(log, r);
    else
        log->document->n_calls++;
}

/* r: what it has answered; next NULL: finish. */
static void answered(struct retain_log *log, int r, void (*next)(struct retain_log *log))
{
    struct document *document = document_ref(log->document);

    if (r || !next)
        finish(log, r > 0 ? -EAGAIN : r);
    else
        then(log, next);
    document_call_done(document);
    document_unref(document);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void read_slice(struct retain_log *log);
static void store_next(struct retain_log *log);

static void slice_end(struct retain_log *log)
{
    forget_slice(log);
    if (log->at >= log->end) {
        finish(log, 0);
    } else if (log->on_pause) {
        log->is_paused = true;
        log->on_pause(log);
    } else {
        then(log, read_slice);
    }
}

void retain_log_go_on(struct retain_log *log)
{
    if (!log->is_paused)
        return;
    log->is_paused = false;
    then(log, read_slice);
}

void retain_log_stop(struct retain_log *log)
{
    log->is_stopped = true;
    retain_log_go_on(log);
}

/* Of what came out, from n_stored on: the next that are to take the place of others, one behind the other. Between two
 * of these may lie some that are as they were. *first: where they begin. */
static size_t next_run(const struct retain_log *log, size_t *first)
{
    const struct merge_out *out = log->merge.out;
    size_t i = log->n_stored, n_out = log->merge.n_out, n = 0;

    while (i < n_out && !out[i].n_gone)
        i++;
    *first = i;
    for (; i < n_out && (i == *first || out[i].op->version == committed_op_end(out[i - 1].op)); i++)
        if (out[i].n_gone)
            n = i + 1 - *first;
    return n;
}

static struct record record_of(const struct committed_op *op)
{
    return (struct record){ .id = { op->src, op->seq },
                            .time_ms = op->time_ms,
                            .author = op->author,
                            .body = op->body,
                            .n_merged = op->n_merged };
}

/* What memory holds one by one the log does not any more. */
static void on_merged(void *arg, int r)
{
    struct retain_log *log = arg;

    for (size_t i = 0; !r && i < log->n_records; i++) {
        const struct merge_out *out = &log->merge.out[log->n_stored + i];

        log->n_merged += out->n_gone;
        log->hub->figures.n_merged += out->n_gone;
        document_forget(log->document, committed_op_end(out->op));
    }
    log->n_stored += log->n_records;
    answered(log, r, store_next);
}

static void store_next(struct retain_log *log)
{
    size_t first, n = next_run(log, &first);
    struct record *records = n ? reallocarray(log->records, n, sizeof(*records)) : NULL;

    if (!n) {
        slice_end(log);
        return;
    }
    if (!records) {
        finish(log, -ENOMEM);
        return;
    }
    for (size_t i = 0; i < n; i++)
        records[i] = record_of(log->merge.out[first + i].op);
    log->records = records;
    log->n_records = n;
    log->n_stored = first;
    asked(log, store_merge(log->document->log, log->merge.out[first].op->version, records, n, on_merged, log));
}

/* ---- a slice, beside the loop ------------------------------------------------------------------------------------ */

static int compose(struct retain_log *log)
{
    int r = 0;

    for (size_t i = 0; !r && i < log->n_ops; i++) {
        while (log->n_snapshots && log->snapshots[log->n_snapshots - 1] < log->ops[i]->version)
            log->n_snapshots--;
        if (log->n_snapshots && log->snapshots[log->n_snapshots - 1] == log->ops[i]->version)
            r = merge_cut(&log->merge);
        if (!r)
            r = merge_add(&log->merge, log->ops[i]);
    }
    return !r && log->at >= log->end ? merge_cut(&log->merge) : r;
}

static void work(struct errand *errand)
{
    struct retain_log *log = LIST_ENTRY(errand, struct retain_log, errand);

    log->errand_r = compose(log);
}

static void on_composed(struct errand *errand)
{
    struct retain_log *log = LIST_ENTRY(errand, struct retain_log, errand);

    if (log->errand_r)
        finish(log, log->errand_r);
    else
        then(log, store_next);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void on_op(struct fetch *fetch, struct committed_op *op)
{
    struct retain_log *log = LIST_ENTRY(fetch, struct retain_log, fetch);
    size_t capacity = log->ops_capacity ? log->ops_capacity * 2 : 64;

    if (log->n_ops == log->ops_capacity) {
        struct committed_op **grown = reallocarray(log->ops, capacity, sizeof(struct committed_op *));

        if (!grown) {
            fetch_stop(fetch);
            return;
        }
        log->ops = grown;
        log->ops_capacity = capacity;
    }
    log->ops[log->n_ops++] = committed_op_ref(op);
    log->at = committed_op_end(op);
}

/* OPS_GONE: it was removed meanwhile. */
static void on_slice(struct fetch *fetch, int r, const struct document_view *view)
{
    struct retain_log *log = LIST_ENTRY(fetch, struct retain_log, fetch);

    (void)view;
    if (r) {
        finish(log, r == -ECANCELED ? -ENOMEM : r > 0 ? -EAGAIN : r);
        return;
    }
    log->errand.work = work;
    log->errand.done = on_composed;
    helper_do(log->hub->config.helper, &log->errand);
}

static void read_slice(struct retain_log *log)
{
    log->fetch = (struct fetch){ .what = FETCH_OPS,
                                 .from = log->at,
                                 .to = log->end,
                                 .max_bytes = log->hub->config.slice_bytes,
                                 .takes_merged = true,
                                 .on_op = on_op,
                                 .on_done = on_slice };
    document_fetch(log->document, &log->fetch);
}

/* ---- where to begin and end -------------------------------------------------------------------------------------- */

static void ask_snapshot(struct retain_log *log);

static int note_snapshot(struct retain_log *log, uint64_t version)
{
    size_t capacity = log->snapshots_capacity ? log->snapshots_capacity * 2 : 16;
    uint64_t *grown;

    if (log->n_snapshots == SNAPSHOTS_MAX)
        return 0;
    if (log->n_snapshots == log->snapshots_capacity) {
        grown = reallocarray(log->snapshots, capacity, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        log->snapshots = grown;
        log->snapshots_capacity = capacity;
    }
    log->snapshots[log->n_snapshots++] = version;
    return 0;
}

static void on_kept(void *arg, int r, const struct past *found)
{
    struct retain_log *log = arg;

    if (!r) {
        merge_begin(&log->merge, found->type, found->value);
        log->at = found->version > log->document->load.first ? found->version : log->document->load.first;
    }
    answered(log, r, log->at < log->end ? read_slice : NULL);
}

/* It counts among the document's calls by itself. */
static void ask_kept(struct retain_log *log)
{
    int r = kept_find(log->document, log->at, on_kept, log);

    if (r)
        finish(log, r);
}

/* From the newest down to the one that it begins at. */
static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    struct retain_log *log = arg;
    bool is_start = version <= log->first;

    (void)snapshot;
    log->at = version;
    if (!r && !is_start)
        r = note_snapshot(log, version);
    answered(log, r, is_start ? ask_kept : ask_snapshot);
}

static void ask_snapshot(struct retain_log *log)
{
    asked(log, store_snapshot_get(log->document->log, log->at - 1, on_snapshot, log));
}

/* Where an earlier run has ended its last group may be continued; so the one before that end is looked for. */
static void on_first(void *arg, int r, uint64_t version)
{
    struct retain_log *log = arg;

    log->first = version ? version - 1 : 0;
    answered(log, r, !r && version < log->end ? ask_snapshot : NULL);
}

static void ask_first(struct retain_log *log)
{
    if (log->since_ms)
        asked(log, store_version_at(log->document->log, log->since_ms - 1, on_first, log));
    else
        ask_snapshot(log);
}

static void on_end(void *arg, int r, uint64_t version)
{
    struct retain_log *log = arg;

    log->at = log->end = version < log->document->head ? version : log->document->head;
    answered(log, r, log->end > 0 ? ask_first : NULL);
}

static void ask_end(struct retain_log *log)
{
    asked(log, store_version_at(log->document->log, log->before_ms - 1, on_end, log));
}

int retain_log_begin(struct retain_log *log)
{
    int r = hub_document(log->hub, log->name, &log->document);

    if (r)
        return r;
    log->n_merged = log->n_wrong = 0;
    log->is_stopped = log->is_paused = false;
    log->first = log->at = log->end = 0;
    log->snapshots = NULL;
    log->ops = NULL;
    log->records = NULL;
    log->n_snapshots = log->snapshots_capacity = log->n_ops = log->ops_capacity = log->n_stored = log->n_records = 0;
    merge_init(&log->merge, document_limits(log->document), log->pause_ms);
    then(log, ask_end);
    return 0;
}
