#include <errno.h>

#include "cli/intake_inside.h"
#include "doc/hub.h"
#include "doc/kept.h"

#define BATCH_BYTES   ((size_t)1 << 20)
#define BATCH_RECORDS 8192

static void batch_is_done(struct batch *batch)
{
    past_finish(&batch->kept);
    batch->keeps = batch->is_pending = false;
    records_clear(&batch->records);
}

/* On the worker's thread. */
static int produce(void *arg, struct buffer *into)
{
    const struct batch *batch = arg;

    return kept_write(&batch->kept, into);
}

/* Without it opening takes longer, no more. */
static void on_kept(void *arg, int r)
{
    (void)r;
    batch_is_done(arg);
}

static void on_append(void *arg, int r, uint64_t head)
{
    struct batch *batch = arg;

    (void)head;
    if (r && !batch->intake->failed)
        batch->intake->failed = r < 0 ? r : -EIO; /* nobody else writes here */
    if (r || !batch->keeps || store_snapshot_put(batch->intake->log, batch->end, produce, on_kept, batch))
        batch_is_done(batch);
}

static bool snapshot_is_due(const struct intake *intake)
{
    return kept_is_due(intake->tail_bytes, intake->past.value, hub_defaults.snapshot_min_bytes);
}

static void keep_if_due(struct intake *intake, struct batch *batch)
{
    struct past *kept = &batch->kept;

    if (!snapshot_is_due(intake) || (intake->past.value && ot_snapshot_share(intake->past.value, &kept->value)))
        return;
    batch->keeps = true;
    batch->end = intake->at;
    kept->type = intake->past.type;
    kept->created_ms = intake->past.created_ms;
    kept->modified_ms = intake->past.modified_ms;
    intake->tail_bytes = 0;
}

static int batch_send(struct intake *intake)
{
    struct batch *batch = intake->filling;
    struct store_state after = { .exists = intake->past.type != NULL };
    int r;

    if (batch->records.n == 0 || intake->failed)
        return intake->failed;
    if (intake->past.type) {
        after.type = bytes_of_string(ot_type_uri(intake->past.type));
        after.n_bytes = ot_snapshot_size(intake->past.value);
    }
    records_settle(&batch->records);
    keep_if_due(intake, batch);
    batch->is_pending = true;
    r = store_append(intake->log, batch->from, batch->records.at, batch->records.n, &after, on_append, batch);
    if (r) {
        batch_is_done(batch);
        return intake->failed = r;
    }
    intake->filling = batch == &intake->batches[0] ? &intake->batches[1] : &intake->batches[0];
    intake_wait(intake, &intake->filling->is_pending);
    return intake->failed;
}

/* When a document came to exist, the store learns from appends that begin with it; so they end before that, and before
 * it is deleted again. */
static bool begins_batch(const struct intake *intake, const struct record *record)
{
    enum step_kind kind = step_kind_of(record->body);

    return kind == STEP_CREATE || (kind == STEP_DELETE && intake->past.type);
}

int intake_make_room(struct intake *intake, const struct record *record)
{
    const struct records *records = &intake->filling->records;
    bool is_full = records->bytes.n_bytes + record->body.n_bytes > STORE_RECORD_MAX_BYTES;

    return records->n && (is_full || begins_batch(intake, record)) ? batch_send(intake) : 0;
}

int intake_append(struct intake *intake, uint64_t version, const struct record *record)
{
    struct records *records = &intake->filling->records;
    int r;

    if (records->n == 0)
        intake->filling->from = version;
    r = records_add(records, record);
    if (r)
        return r;
    intake->tail_bytes += record->body.n_bytes;
    intake->n_new++;
    if (records->bytes.n_bytes < BATCH_BYTES && records->n < BATCH_RECORDS && !snapshot_is_due(intake))
        return 0;
    return batch_send(intake);
}

int intake_flush(struct intake *intake)
{
    int r = batch_send(intake);

    for (size_t i = 0; i < 2; i++)
        intake_wait(intake, &intake->batches[i].is_pending);
    return r ? r : intake->failed;
}
