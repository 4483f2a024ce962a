#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/intake_inside.h"
#include "doc/kept.h"
#include "storage/lmdb/store_lmdb.h"

#define SLICE_BYTES ((size_t)1 << 20)

const struct ot_limits intake_limits = { .max_depth = OT_DEPTH_CEILING,
                                         .max_components = SIZE_MAX,
                                         .max_document_bytes = SIZE_MAX };

__attribute__((format(printf, 3, 4))) static int refuse(struct intake *intake, int r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(intake->why, sizeof(intake->why), format, arguments);
    va_end(arguments);
    return r;
}

void intake_wait(struct intake *intake, const bool *is_pending)
{
    while (*is_pending) {
        (void)waker_wait(&intake->waker, -1);
        store_dispatch(intake->store);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int intake_open(const char *path, bool writes, struct intake **out, char *why, size_t n_why)
{
    struct intake *intake = calloc(1, sizeof(*intake));
    struct store_lmdb_config config = { .path = path, .mode = writes ? STORE_READ_WRITE : STORE_READ_ONLY };
    int r;

    if (!intake)
        return -ENOMEM;
    r = waker_init(&intake->waker);
    config.wake = waker_wake;
    config.arg = &intake->waker;
    intake->writes = writes;
    intake->filling = &intake->batches[0];
    records_init(&intake->stored);
    for (size_t i = 0; i < 2; i++) {
        intake->batches[i].intake = intake;
        records_init(&intake->batches[i].records);
    }
    if (!r)
        r = store_lmdb_open(&config, &intake->store, why, n_why);
    if (r && !(r == -ENOENT && !writes)) {
        intake_close(intake);
        return r;
    }
    *out = intake;
    return 0;
}

void intake_close(struct intake *intake)
{
    if (!intake)
        return;
    store_close(intake->store);
    for (size_t i = 0; i < 2; i++)
        records_finish(&intake->batches[i].records);
    records_finish(&intake->stored);
    waker_finish(&intake->waker);
    free(intake);
}

const char *intake_why(const struct intake *intake)
{
    return intake->why;
}

uint64_t intake_at(const struct intake *intake)
{
    return intake->at;
}

uint64_t intake_n_new(const struct intake *intake)
{
    return intake->n_new;
}

bool intake_value(const struct intake *intake, const struct ot_type **type, const struct ot_snapshot **value)
{
    *type = intake->past.type;
    *value = intake->past.value;
    return intake->past.type != NULL;
}

/* ---- asking the store -------------------------------------------------------------------------------------------- */

struct asking {
    struct intake *intake;
    bool is_pending;
    int r;
    uint64_t version;
    bool more;
    intake_entry_fn *each;
    void *arg;
};

static struct asking asking_of(struct intake *intake)
{
    return (struct asking){ .intake = intake, .is_pending = true };
}

/* r: what the call returned. */
static int answer_of(struct asking *asking, int r)
{
    if (r)
        return r;
    intake_wait(asking->intake, &asking->is_pending);
    return asking->r;
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct asking *asking = arg;
    struct intake *intake = asking->intake;

    asking->is_pending = false;
    asking->r = r;
    if (r)
        return;
    intake->log = log;
    intake->info = *info;
    if (info->state.type.n_bytes)
        memcpy(intake->type_label, info->state.type.at, info->state.type.n_bytes);
    intake->info.state.type.at = intake->type_label;
}

static void on_plain(void *arg, int r)
{
    struct asking *asking = arg;

    asking->is_pending = false;
    asking->r = r;
}

static void on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct asking *asking = arg;
    struct intake *intake = asking->intake;

    asking->is_pending = false;
    records_clear(&intake->stored);
    intake->next_stored = 0;
    intake->stored_at = from;
    for (size_t i = 0; !r && i < n; i++)
        r = records_add(&intake->stored, &records[i]);
    records_settle(&intake->stored);
    asking->r = !r && n == 0 ? -EBADMSG : r;
}

/* STORE_TOO_OLD: no record begins there. */
static int read_stored(struct intake *intake, uint64_t from)
{
    struct asking asking = asking_of(intake);

    return answer_of(&asking, store_read(intake->log, from, intake->info.head, SLICE_BYTES, on_records, &asking));
}

static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    struct asking *asking = arg;
    struct intake *intake = asking->intake;

    asking->is_pending = false;
    asking->r = r;
    asking->version = version;
    if (!r && version)
        asking->r = kept_read(snapshot, &intake_limits, &intake->past);
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct asking *asking = arg;

    asking->is_pending = false;
    asking->more = more;
    for (size_t i = 0; !r && i < n; i++)
        r = asking->each(asking->arg, &entries[i]);
    asking->r = r;
}

int intake_list(struct intake *intake, const struct store_list_query *query, intake_entry_fn *each, void *arg,
                bool *more)
{
    struct asking asking = asking_of(intake);
    int r;

    *more = false;
    if (!intake->store)
        return 0;
    asking.each = each;
    asking.arg = arg;
    r = answer_of(&asking, store_list(intake->store, query, on_list, &asking));
    *more = asking.more;
    return r;
}

/* ---- what a record does ------------------------------------------------------------------------------------------ */

static void forget_value(struct intake *intake)
{
    past_finish(&intake->past);
}

static int perform(struct intake *intake, const struct step *step, uint64_t time_ms, struct ot_error *error)
{
    int r = 0;

    switch (step->kind) {
    case STEP_CREATE:
        r = ot_snapshot_create(step->type, step->data, &intake_limits, &intake->past.value, error);
        intake->past.type = r ? NULL : step->type;
        intake->past.created_ms = time_ms;
        break;
    case STEP_EDIT: r = ot_snapshot_apply(intake->past.value, step->op, &intake_limits, error); break;
    case STEP_DELETE: forget_value(intake); break;
    case STEP_NOTHING: return 0;
    }
    intake->past.modified_ms = time_ms;
    return r;
}

static int apply(struct intake *intake, const struct record *record)
{
    enum step_kind kind = step_kind_of(record->body);
    struct ot_error error = { "" };
    struct step step = { .kind = STEP_NOTHING };
    int r;

    if (kind == STEP_EDIT && !intake->past.type)
        return refuse(intake, INTAKE_BAD, "it edits a document that does not exist");
    if (kind == STEP_CREATE && intake->past.type)
        return refuse(intake, INTAKE_BAD, "it creates a document that exists");
    r = step_parse(record->body, intake->past.type, &intake_limits, &step);
    if (r == -EBADMSG)
        return refuse(intake, INTAKE_BAD,
                      kind == STEP_EDIT ? "it is no operation of type %s"
                                        : "its content is not JSON, or of no type that is known here",
                      intake->past.type ? ot_type_name(intake->past.type) : "");
    if (r)
        return r;
    r = perform(intake, &step, record->time_ms, &error);
    step_finish(&step);
    return r > 0 ? refuse(intake, INTAKE_BAD, "it does not apply: %s", error.message) : r;
}

/* ---- a log ------------------------------------------------------------------------------------------------------- */

static void keep_name(struct intake *intake, struct store_name name)
{
    memcpy(intake->names, name.collection.at, name.collection.n_bytes);
    memcpy(intake->names + name.collection.n_bytes, name.id.at, name.id.n_bytes);
    intake->name = (struct store_name){ bytes_of(intake->names, name.collection.n_bytes),
                                        bytes_of(intake->names + name.collection.n_bytes, name.id.n_bytes) };
}

int intake_begin(struct intake *intake, struct store_name name, struct store_info *out)
{
    struct asking asking = asking_of(intake);
    int r = 0;

    keep_name(intake, name);
    intake->is_begun = true;
    intake->info = (struct store_info){ 0 };
    intake->at = intake->n_new = intake->last_ms = intake->stored_at = 0;
    records_clear(&intake->stored);
    intake->next_stored = 0;
    intake->tail_bytes = 0;
    intake->failed = 0;
    if (intake->store)
        r = answer_of(&asking, store_log_open(intake->store, intake->name, NULL, on_open, &asking));
    if (!r)
        *out = intake->info;
    return r;
}

/* Nothing is there: the log begins anew. */
static int begin_at(struct intake *intake, uint64_t first)
{
    struct asking asking = asking_of(intake);
    int r;

    if (!intake->writes || first == intake->info.head)
        return 0;
    r = answer_of(&asking, store_begin_at(intake->log, first, on_plain, &asking));
    return r > 0 ? -EIO : r;
}

int intake_from(struct intake *intake, uint64_t first)
{
    const struct store_info *info = &intake->info;
    int r = 0;

    if (info->first == info->head && info->head > first)
        return refuse(intake, INTAKE_DIFFERS, "what had its name was removed at version %" PRIu64, info->head);
    if (info->first != info->head && info->first != first)
        return refuse(intake, INTAKE_DIFFERS, "its history begins at version %" PRIu64 " here", info->first);
    if (info->first == info->head) {
        r = begin_at(intake, first);
        intake->info.first = intake->info.head = first;
    }
    intake->at = first;
    return r;
}

static int load_operations(struct intake *intake)
{
    int r = 0;

    while (!r && intake->at < intake->info.head) {
        r = read_stored(intake, intake->at);
        for (size_t i = 0; !r && i < intake->stored.n; i++) {
            r = apply(intake, &intake->stored.at[i]);
            intake->at = record_end(intake->at, &intake->stored.at[i]);
            intake->tail_bytes += intake->stored.at[i].body.n_bytes;
        }
    }
    return r > 0 ? -EBADMSG : r; /* it is the store that is wrong, then */
}

int intake_load(struct intake *intake)
{
    struct asking asking = asking_of(intake);
    int r = 0;

    if (intake->info.first < intake->info.head)
        r = answer_of(&asking, store_snapshot_get(intake->log, STORE_NEWEST, on_snapshot, &asking));
    intake->at = asking.version > intake->info.first ? asking.version : intake->info.first;
    intake->last_ms = intake->info.modified_ms;
    return r ? r : load_operations(intake);
}

static bool is_same(const struct record *a, const struct record *b)
{
    return a->id.seq == b->id.seq && a->time_ms == b->time_ms && a->n_merged == b->n_merged &&
           bytes_equal(a->id.src, b->id.src) && bytes_equal(a->author, b->author) && bytes_equal(a->body, b->body);
}

static int compare(struct intake *intake, const struct record *record)
{
    const struct records *stored = &intake->stored;
    int r = 0;

    if (intake->next_stored == stored->n || intake->stored_at != intake->at)
        r = read_stored(intake, intake->at);
    if (r == STORE_TOO_OLD || (!r && !is_same(&stored->at[intake->next_stored], record)))
        return refuse(intake, INTAKE_DIFFERS, "another history is there from version %" PRIu64 " on", intake->at);
    if (!r)
        intake->stored_at = record_end(intake->stored_at, &stored->at[intake->next_stored++]);
    return r;
}

int intake_record(struct intake *intake, uint64_t version, const struct record *record)
{
    bool is_new = version >= intake->info.head;
    uint64_t end;
    int r = 0;

    if (version != intake->at)
        return refuse(intake, INTAKE_BAD, "version %" PRIu64 " should come here", intake->at);
    if (__builtin_add_overflow(version, 1, &end) || __builtin_add_overflow(end, record->n_merged, &end))
        return refuse(intake, INTAKE_BAD, "it leads to no version");
    if (record->time_ms < intake->last_ms)
        return refuse(intake, INTAKE_BAD, "its time is before that of the one in front of it");
    if (!is_new)
        r = compare(intake, record);
    else if (intake->writes)
        r = intake_make_room(intake, record);
    if (!r)
        r = apply(intake, record);
    if (r)
        return r;
    intake->at = end;
    intake->last_ms = record->time_ms;
    if (is_new && intake->writes)
        return intake_append(intake, version, record);
    intake->n_new += is_new;
    return 0;
}

int intake_remove(struct intake *intake)
{
    struct asking asking = asking_of(intake);
    int r = 0;

    if (intake->writes)
        r = answer_of(&asking, store_remove(intake->log, on_plain, &asking));
    intake->info.first = intake->info.head;
    forget_value(intake);
    return r;
}

int intake_last(struct intake *intake, struct record *out, bool *found)
{
    int r = read_stored(intake, intake->info.head - 1);

    *found = !r;
    if (!r)
        *out = intake->stored.at[0];
    return r == STORE_TOO_OLD ? 0 : r;
}

int intake_end(struct intake *intake)
{
    int r = intake->is_begun && intake->writes ? intake_flush(intake) : 0;

    for (size_t i = 0; i < 2; i++)
        records_clear(&intake->batches[i].records);
    forget_value(intake);
    store_log_close(intake->log);
    intake->log = NULL;
    intake->is_begun = false;
    return r;
}
