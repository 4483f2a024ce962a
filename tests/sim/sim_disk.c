#include "tests/sim/sim_disk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "storage/engine.h"
#include "tests/sim/violation.h"

/* Defined when tests/lib/alloc_fault is linked in. */
__attribute__((weak)) void alloc_fault_pause(void);
__attribute__((weak)) void alloc_fault_resume(void);

struct sim_meta {
    struct list link;
    struct bytes key, value;
};

void *sim_alloc(size_t n_bytes)
{
    void *at;

    if (alloc_fault_pause)
        alloc_fault_pause();
    at = calloc(1, n_bytes ? n_bytes : 1);
    if (alloc_fault_resume)
        alloc_fault_resume();
    if (!at)
        abort();
    return at;
}

struct bytes sim_copy(struct bytes bytes)
{
    char *at = sim_alloc(bytes.n_bytes);

    if (bytes.n_bytes)
        memcpy(at, bytes.at, bytes.n_bytes);
    return bytes_of(at, bytes.n_bytes);
}

void sim_free(struct bytes bytes)
{
    union {
        const void *constant;
        void *at;
    } owned = { bytes.at };

    free(owned.at);
}

struct record record_copy(const struct record *record)
{
    return (struct record){ .id = { sim_copy(record->id.src), record->id.seq },
                            .time_ms = record->time_ms,
                            .author = sim_copy(record->author),
                            .body = sim_copy(record->body),
                            .n_merged = record->n_merged };
}

void records_free(struct record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sim_free(records[i].id.src);
        sim_free(records[i].author);
        sim_free(records[i].body);
    }
    free(records);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct sim_disk *sim_disk_create(void)
{
    struct sim_disk *disk = sim_alloc(sizeof(*disk));

    list_init(&disk->logs);
    list_init(&disk->metas);
    return disk;
}

static void free_records(struct sim_log *log)
{
    records_free(log->records, log->n);
    log->records = NULL;
    log->n = log->capacity = 0;
    for (size_t i = 0; i < log->n_sources; i++)
        sim_free(log->sources[i].src);
    free(log->sources);
    log->sources = NULL;
    log->n_sources = 0;
    for (size_t i = 0; i < log->n_snapshots; i++)
        free(log->snapshots[i].at);
    free(log->snapshots);
    log->snapshots = NULL;
    log->n_snapshots = 0;
    sim_free(log->state.type);
    log->state = (struct store_state){ 0 };
    log->created_ms = log->modified_ms = 0;
}

static void free_meta(struct sim_meta *meta)
{
    list_remove(&meta->link);
    sim_free(meta->key);
    sim_free(meta->value);
    free(meta);
}

void sim_disk_destroy(struct sim_disk *disk)
{
    struct list *node;

    if (!disk)
        return;
    while ((node = list_pop(&disk->logs))) {
        struct sim_log *log = LIST_ENTRY(node, struct sim_log, link);

        free_records(log);
        sim_free(log->name.collection);
        sim_free(log->name.id);
        free(log);
    }
    while (!list_is_empty(&disk->metas))
        free_meta(LIST_ENTRY(disk->metas.next, struct sim_meta, link));
    free(disk);
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

struct sim_log *sim_disk_find(const struct sim_disk *disk, struct store_name name)
{
    LIST_FOR_EACH (node, &disk->logs) {
        struct sim_log *log = LIST_ENTRY(node, struct sim_log, link);

        if (bytes_equal(log->name.collection, name.collection) && bytes_equal(log->name.id, name.id))
            return log;
    }
    return NULL;
}

uint64_t sim_disk_head(const struct sim_disk *disk, struct store_name name)
{
    return sim_log_info(sim_disk_find(disk, name)).head;
}

/* How many records lie below the version; *at: where the next one begins, which is the version unless that lies within
 * the last of them. */
static size_t n_below(const struct sim_log *log, uint64_t version, uint64_t *at)
{
    size_t i = 0;

    if (log->head - log->base == log->n && version >= log->base && version <= log->head) {
        *at = version;
        return version - log->base;
    }
    for (*at = log->base; i < log->n && *at < version; i++)
        *at = record_end(*at, &log->records[i]);
    return i;
}

const struct record *sim_log_record(const struct sim_log *log, uint64_t version)
{
    uint64_t at;
    size_t i;

    if (!log || version < log->base || version >= log->head)
        return NULL;
    i = n_below(log, version, &at);
    return at == version ? &log->records[i] : NULL;
}

const struct sim_snapshot *sim_log_snapshot(const struct sim_log *log, uint64_t at_most)
{
    for (size_t i = log ? log->n_snapshots : 0; i > 0; i--)
        if (log->snapshots[i - 1].version <= at_most)
            return &log->snapshots[i - 1];
    return NULL;
}

static uint64_t newest_snapshot(const struct sim_log *log)
{
    return log->n_snapshots ? log->snapshots[log->n_snapshots - 1].version : 0;
}

struct store_info sim_log_info(const struct sim_log *log)
{
    if (!log)
        return (struct store_info){ 0 };
    return (struct store_info){ .first = log->base,
                                .head = log->head,
                                .created_ms = log->created_ms,
                                .modified_ms = log->modified_ms,
                                .snapshot_version = newest_snapshot(log),
                                .state = log->state };
}

static void check_record(const struct sim_disk *disk, const struct sim_log *log, const struct record *record)
{
    const struct record *last = log->n ? &log->records[log->n - 1] : NULL;

    if (last && record->time_ms < last->time_ms)
        sim_violation("times ascend", "a record of %" PRIu64 " behind one of %" PRIu64, record->time_ms, last->time_ms);
    for (size_t i = 0; last && !disk->may_repeat_ids && i < log->n; i++)
        if (log->records[i].id.seq == record->id.seq && bytes_equal(log->records[i].id.src, record->id.src))
            sim_violation("exactly once", "operation %.*s/%" PRIu64 " of version %" PRIu64 " appended again",
                          (int)record->id.src.n_bytes, (const char *)record->id.src.at, record->id.seq,
                          records_end(log->base, log->records, i));
}

static struct sim_source *source_of(const struct sim_log *log, struct bytes src)
{
    for (size_t i = 0; log && i < log->n_sources; i++)
        if (bytes_equal(log->sources[i].src, src))
            return &log->sources[i];
    return NULL;
}

static void note_source(struct sim_log *log, struct op_id id, uint64_t version)
{
    struct sim_source *source = source_of(log, id.src), *grown;

    if (!source) {
        grown = sim_alloc((log->n_sources + 1) * sizeof(*grown));
        if (log->n_sources)
            memcpy(grown, log->sources, log->n_sources * sizeof(*grown));
        free(log->sources);
        log->sources = grown;
        source = &log->sources[log->n_sources++];
        *source = (struct sim_source){ sim_copy(id.src), { id.seq, version, version } };
    }
    source->source.newest_version = version;
    if (id.seq > source->source.highest_seq) {
        source->source.highest_seq = id.seq;
        source->source.highest_version = version;
    }
}

static void append_record(struct sim_log *log, const struct record *record)
{
    if (log->n == log->capacity) {
        struct record *grown = sim_alloc((log->capacity * 2 + 8) * sizeof(*grown));

        if (log->n)
            memcpy(grown, log->records, log->n * sizeof(*grown));
        free(log->records);
        log->records = grown;
        log->capacity = log->capacity * 2 + 8;
    }
    log->records[log->n++] = record_copy(record);
    note_source(log, record->id, log->head);
    log->head = record_end(log->head, record);
}

static struct sim_log *log_create(struct sim_disk *disk, struct store_name name)
{
    struct sim_log *log = sim_alloc(sizeof(*log));

    log->name = (struct store_name){ sim_copy(name.collection), sim_copy(name.id) };
    list_append(&disk->logs, &log->link);
    return log;
}

void sim_disk_append(struct sim_disk *disk, struct store_name name, const struct record *records, size_t n,
                     const struct store_state *after)
{
    struct sim_log *log = sim_disk_find(disk, name);
    struct bytes type = sim_copy(after->type);

    if (!log)
        log = log_create(disk, name);
    for (size_t i = 0; i < n; i++) {
        check_record(disk, log, &records[i]);
        append_record(log, &records[i]);
    }
    if (after->exists && !log->state.exists)
        log->created_ms = records[0].time_ms;
    log->modified_ms = records[n - 1].time_ms;
    sim_free(log->state.type);
    log->state = *after;
    log->state.type = type;
}

static void add_snapshot(struct sim_log *log, struct sim_snapshot snapshot)
{
    struct sim_snapshot *grown = sim_alloc((log->n_snapshots + 1) * sizeof(*grown));

    if (log->n_snapshots)
        memcpy(grown, log->snapshots, log->n_snapshots * sizeof(*grown));
    free(log->snapshots);
    log->snapshots = grown;
    log->snapshots[log->n_snapshots++] = snapshot;
}

void sim_disk_keep_snapshot(struct sim_disk *disk, struct store_name name, uint64_t version, struct bytes snapshot)
{
    struct sim_log *log = sim_disk_find(disk, name);
    uint64_t at;

    if (!log || version > log->head)
        sim_violation("snapshots are of durable versions", "one of version %" PRIu64 ", the head is %" PRIu64, version,
                      sim_log_info(log).head);
    (void)n_below(log, version, &at);
    if (version <= newest_snapshot(log) || version <= log->base || at != version)
        return;
    add_snapshot(log, (struct sim_snapshot){ version, sim_alloc(snapshot.n_bytes), snapshot.n_bytes, false });
    if (snapshot.n_bytes)
        memcpy(log->snapshots[log->n_snapshots - 1].at, snapshot.at, snapshot.n_bytes);
    disk->n_snapshots_put++;
}

void sim_disk_remove(struct sim_disk *disk, struct store_name name)
{
    struct sim_log *log = sim_disk_find(disk, name);

    if (!log)
        return;
    log->base = log->head;
    free_records(log);
}

int sim_disk_begin_at(struct sim_disk *disk, struct store_name name, uint64_t version)
{
    struct sim_log *log = sim_disk_find(disk, name);

    if (log && (log->n || log->head > version))
        return STORE_CONFLICT;
    if (!log)
        log = log_create(disk, name);
    log->base = log->head = version;
    return 0;
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

static void drop_snapshots_within(struct sim_log *log, uint64_t from, uint64_t to)
{
    size_t n = 0;

    for (size_t i = 0; i < log->n_snapshots; i++) {
        if (log->snapshots[i].version > from && log->snapshots[i].version < to)
            free(log->snapshots[i].at);
        else
            log->snapshots[n++] = log->snapshots[i];
    }
    log->n_snapshots = n;
}

/* The times of records[0..n), put in the place of those from the i-th up to the k-th. */
static void check_merged(const struct sim_log *log, size_t i, size_t k, const struct record *records, size_t n)
{
    uint64_t least = i > 0 ? log->records[i - 1].time_ms : 0;

    for (size_t at = 0; at < n; at++) {
        if (records[at].time_ms < least)
            sim_violation("times ascend", "a merged record of %" PRIu64 " behind one of %" PRIu64, records[at].time_ms,
                          least);
        least = records[at].time_ms;
    }
    if (k < log->n && log->records[k].time_ms < least)
        sim_violation("times ascend", "a merged record of %" PRIu64 " in front of one of %" PRIu64, least,
                      log->records[k].time_ms);
}

static void replace_records(struct sim_log *log, size_t i, size_t k, const struct record *records, size_t n)
{
    size_t n_left = log->n - (k - i);
    struct record *merged = sim_alloc((n_left + n) * sizeof(*merged)), *replaced = sim_alloc((k - i) * sizeof(*merged));

    memcpy(replaced, &log->records[i], (k - i) * sizeof(*merged));
    memcpy(merged, log->records, i * sizeof(*merged));
    for (size_t at = 0; at < n; at++)
        merged[i + at] = record_copy(&records[at]);
    memcpy(&merged[i + n], &log->records[k], (log->n - k) * sizeof(*merged));
    free(log->records);
    log->records = merged;
    log->n = log->capacity = n_left + n;
    records_free(replaced, k - i);
}

int sim_disk_merge(struct sim_disk *disk, struct store_name name, uint64_t from, const struct record *records, size_t n)
{
    struct sim_log *log = sim_disk_find(disk, name);
    uint64_t to = records_end(from, records, n), first, last;
    size_t i, k;

    if (!log || from < log->base || to > log->head)
        return STORE_CONFLICT;
    i = n_below(log, from, &first);
    k = n_below(log, to, &last);
    if (first != from || last != to)
        return STORE_CONFLICT;
    check_merged(log, i, k, records, n);
    replace_records(log, i, k, records, n);
    for (size_t at = 0; at < n; at++) {
        drop_snapshots_within(log, from, record_end(from, &records[at]));
        from = record_end(from, &records[at]);
    }
    return 0;
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

int sim_log_find(const struct sim_log *log, struct op_id id, uint64_t *version, struct store_source *source,
                 bool *has_source)
{
    const struct sim_source *known = source_of(log, id.src);
    bool lost_some = false;
    uint64_t at, least;
    size_t i;

    *has_source = known != NULL;
    if (known)
        *source = known->source;
    if (!known || id.seq > source->highest_seq)
        return STORE_NOT_FOUND;
    if (id.seq == source->highest_seq) {
        *version = source->highest_version;
        return 0;
    }
    least = source->newest_version + 1 > STORE_SEQ_WINDOW ? source->newest_version + 1 - STORE_SEQ_WINDOW : 0;
    for (i = 0, at = log->base; i < log->n && at <= source->newest_version; i++) {
        const struct record *record = &log->records[i];

        if (record_end(at, record) > least) {
            lost_some |= record->n_merged > 0;
            if (record->id.seq == id.seq && bytes_equal(record->id.src, id.src)) {
                *version = at;
                return 0;
            }
        }
        at = record_end(at, record);
    }
    return lost_some || least > 0 || log->base > 0 ? STORE_TOO_OLD : STORE_NOT_FOUND;
}

uint64_t sim_log_version_at(const struct sim_log *log, uint64_t time_ms)
{
    uint64_t version = 0, at = log ? log->base : 0;

    for (size_t i = 0; log && i < log->n && log->records[i].time_ms <= time_ms; i++)
        version = at = record_end(at, &log->records[i]);
    return version;
}

/* ---- small values ------------------------------------------------------------------------------------------------ */

static struct sim_meta *find_meta(const struct sim_disk *disk, struct bytes key)
{
    LIST_FOR_EACH (node, &disk->metas) {
        struct sim_meta *meta = LIST_ENTRY(node, struct sim_meta, link);

        if (bytes_equal(meta->key, key))
            return meta;
    }
    return NULL;
}

struct bytes sim_disk_meta(const struct sim_disk *disk, struct bytes key)
{
    const struct sim_meta *meta = find_meta(disk, key);

    return meta ? meta->value : bytes_of(NULL, 0);
}

void sim_disk_put_meta(struct sim_disk *disk, struct bytes key, struct bytes value)
{
    struct sim_meta *meta = find_meta(disk, key);

    if (meta)
        free_meta(meta);
    meta = sim_alloc(sizeof(*meta));
    meta->key = sim_copy(key);
    meta->value = sim_copy(value);
    list_append(&disk->metas, &meta->link);
}
