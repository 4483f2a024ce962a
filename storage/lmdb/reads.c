/* Reading one log: records, operations by their id, versions by time. */
#include <errno.h>
#include <stdlib.h>

#include "storage/lmdb/inside.h"

/* A call about one log, as the worker sees it. */
struct log_request {
    struct request request; /* first */
    struct lmdb_log *log;
    struct view_log found;
    void *arg;
};

static int log_request_create(struct store_log *log, size_t n_bytes, void (*answer)(struct request *request), void *arg,
                              struct log_request **out)
{
    struct lmdb_store *store = lmdb_log_store(log);
    struct log_request *request;
    int r = lmdb_accepts_reads(store);

    if (r)
        return r;
    request = lmdb_request_create(store, n_bytes, answer);
    if (!request)
        return -ENOMEM;
    request->log = lmdb_log_of(log);
    request->arg = arg;
    *out = request;
    return 0;
}

/* ---- read -------------------------------------------------------------------------------------------------------- */

#define READING_MAX_BYTES ((size_t)64 << 20)

struct reading {
    struct log_request base; /* first */
    uint64_t from, to;
    size_t max_bytes;
    store_read_fn *done;

    struct view *view;   /* while it is served */
    struct buffer bytes; /* what the records say, in order: src, author, body */
    struct record *records;
    size_t n, capacity;
};

static void reading_answer(struct request *request)
{
    struct reading *reading = (struct reading *)request;

    if (request->r)
        reading->n = 0;
    reading->done(reading->base.arg, request->r, reading->from, reading->records, reading->n);
    buffer_finish(&reading->bytes);
    free(reading->records);
    free(reading);
}

static int reading_grow(struct reading *reading)
{
    size_t capacity = reading->capacity ? reading->capacity * 2 : 16;
    struct record *grown = realloc(reading->records, capacity * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    reading->records = grown;
    reading->capacity = capacity;
    return 0;
}

#define READING_IS_FULL 1
#define RECORD_COST     16 /* bytes that a record counts beside what it says, lest empty ones be without number */

static int reading_record(void *arg, uint64_t version, const struct record *record)
{
    struct reading *reading = arg;
    size_t n_bytes = record->id.src.n_bytes + record->author.n_bytes + record->body.n_bytes;
    int r = 0;

    if (version < reading->from)
        return STORE_TOO_OLD;
    if (reading->n > 0 && reading->bytes.n_bytes + n_bytes + (reading->n + 1) * RECORD_COST > reading->max_bytes)
        return READING_IS_FULL;
    if (reading->n == reading->capacity)
        r = reading_grow(reading);
    if (r)
        return r;
    reading->records[reading->n++] = *record;
    (void)buffer_append(&reading->bytes, record->id.src.at, record->id.src.n_bytes);
    (void)buffer_append(&reading->bytes, record->author.at, record->author.n_bytes);
    return view_body(reading->view, reading->base.found.row.number, version, record->body, &reading->bytes);
}

/* The records leave the view: from here on they borrow from the request. */
static void reading_settle(struct reading *reading)
{
    const char *at = reading->bytes.at ? reading->bytes.at : "";

    for (size_t i = 0; i < reading->n; i++) {
        struct record *record = &reading->records[i];

        record->id.src.at = at;
        at += record->id.src.n_bytes;
        record->author.at = at;
        at += record->author.n_bytes;
        record->body.at = at;
        at += record->body.n_bytes;
    }
}

static enum served reading_serve(struct request *request, struct view *view)
{
    struct reading *reading = (struct reading *)request;
    struct view_log *found = &reading->base.found;
    uint64_t to = reading->to;
    int r = view_find_log(view, reading->base.log->name, found);

    reading->view = view;
    if (to > found->row.head)
        to = found->row.head;
    if (!r && reading->from < to)
        r = reading->from < found->row.base ? STORE_TOO_OLD
                                            : view_walk(view, found, reading->from, to, reading_record, reading);
    if (r == READING_IS_FULL)
        r = 0;
    if (!r)
        reading_settle(reading);
    request->r = r;
    return SERVED;
}

int lmdb_read(struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes, store_read_fn *done, void *arg)
{
    struct log_request *request;
    struct reading *reading;
    int r = log_request_create(log, sizeof(*reading), reading_answer, arg, &request);

    if (r)
        return r;
    reading = (struct reading *)request;
    reading->from = from;
    reading->to = to;
    reading->max_bytes = max_bytes;
    reading->done = done;
    if (reading->max_bytes > READING_MAX_BYTES)
        reading->max_bytes = READING_MAX_BYTES;
    buffer_init(&reading->bytes, READING_MAX_BYTES + 2 * (size_t)STORE_RECORD_MAX_BYTES);
    lmdb_request_serve(&request->request, reading_serve);
    return 0;
}

/* ---- find -------------------------------------------------------------------------------------------------------- */

struct finding {
    struct log_request base; /* first */
    struct op_id id;
    store_find_fn *done;
    uint64_t version;
    struct store_source source;
    bool has_source, saw_merged;
};

static void finding_answer(struct request *request)
{
    struct finding *finding = (struct finding *)request;

    finding->done(finding->base.arg, request->r, finding->version, finding->has_source ? &finding->source : NULL);
    free(finding);
}

#define FINDING_FOUND 1

static int finding_record(void *arg, uint64_t version, const struct record *record)
{
    struct finding *finding = arg;

    finding->saw_merged |= record->n_merged > 0;
    if (record->id.seq != finding->id.seq || !bytes_equal(record->id.src, finding->id.src))
        return 0;
    finding->version = version;
    return FINDING_FOUND;
}

/* A seq below the source's highest: among the last ones up to its newest, or further back than is looked. */
static int finding_search(struct view *view, struct finding *finding)
{
    const struct view_log *found = &finding->base.found;
    uint64_t to = finding->source.newest_version + 1, from = to > STORE_SEQ_WINDOW ? to - STORE_SEQ_WINDOW : 0;
    int r;

    if (from < found->row.base)
        from = found->row.base;
    r = view_walk(view, found, from, to, finding_record, finding);
    if (r == FINDING_FOUND)
        return 0;
    return r ? r : from > 0 || finding->saw_merged ? STORE_TOO_OLD : STORE_NOT_FOUND;
}

static enum served finding_serve(struct request *request, struct view *view)
{
    struct finding *finding = (struct finding *)request;
    const struct store_source *source = &finding->source;
    int r = view_find_log(view, finding->base.log->name, &finding->base.found);

    if (!r)
        r = view_source(view, &finding->base.found, finding->id.src, &finding->source);
    finding->has_source = !r;
    if (r == -ENOENT || (!r && finding->id.seq > source->highest_seq))
        r = STORE_NOT_FOUND;
    else if (!r && finding->id.seq == source->highest_seq)
        finding->version = source->highest_version;
    else if (!r)
        r = finding_search(view, finding);
    request->r = r;
    return SERVED;
}

int lmdb_find(struct store_log *log, struct op_id id, store_find_fn *done, void *arg)
{
    struct log_request *request;
    struct finding *finding;
    int r = log_request_create(log, sizeof(*finding), finding_answer, arg, &request);

    if (r)
        return r;
    finding = (struct finding *)request;
    finding->id = id;
    finding->done = done;
    lmdb_request_serve(&request->request, finding_serve);
    return 0;
}

/* ---- version_at -------------------------------------------------------------------------------------------------- */

struct dating {
    struct log_request base; /* first */
    uint64_t time_ms, version;
    store_version_fn *done;
    uint64_t at, end; /* of the record looked at last */
    bool is_behind;
};

static void dating_answer(struct request *request)
{
    struct dating *dating = (struct dating *)request;

    dating->done(dating->base.arg, request->r, dating->version);
    free(dating);
}

static int dating_record(void *arg, uint64_t version, const struct record *record)
{
    struct dating *dating = arg;

    dating->is_behind = record->time_ms > dating->time_ms;
    dating->at = version;
    dating->end = record_end(version, record);
    return 0;
}

/* Times ascend, so half of what is left falls away with each record that is looked at; those that lie in one segment
 * cost nothing, it stays unpacked. */
static enum served dating_serve(struct request *request, struct view *view)
{
    struct dating *dating = (struct dating *)request;
    const struct view_log *found = &dating->base.found;
    int r = view_find_log(view, dating->base.log->name, &dating->base.found);
    uint64_t low = found->row.base, high = found->row.head;

    while (!r && low < high) {
        uint64_t middle = low + (high - low) / 2;

        r = view_walk(view, found, middle, middle + 1, dating_record, dating);
        if (dating->is_behind)
            high = dating->at;
        else
            low = dating->end;
    }
    dating->version = r || low == found->row.base ? 0 : low;
    request->r = r;
    return SERVED;
}

int lmdb_version_at(struct store_log *log, uint64_t time_ms, store_version_fn *done, void *arg)
{
    struct log_request *request;
    struct dating *dating;
    int r = log_request_create(log, sizeof(*dating), dating_answer, arg, &request);

    if (r)
        return r;
    dating = (struct dating *)request;
    dating->time_ms = time_ms;
    dating->done = done;
    lmdb_request_serve(&request->request, dating_serve);
    return 0;
}
