#include "tests/sim/sim_disk.h"

#include <inttypes.h>
#include <stdlib.h>

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
                            .body = sim_copy(record->body) };
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
    for (size_t i = 0; i < 2; i++) {
        free(log->snapshots[i].at);
        log->snapshots[i] = (struct sim_snapshot){ 0 };
    }
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

const struct record *sim_log_record(const struct sim_log *log, uint64_t version)
{
    if (!log || version < log->base || version - log->base >= log->n)
        return NULL;
    return &log->records[version - log->base];
}

const struct sim_snapshot *sim_log_snapshot(const struct sim_log *log, uint64_t at_most)
{
    for (size_t i = 0; log && i < 2; i++)
        if (log->snapshots[i].version && log->snapshots[i].version <= at_most)
            return &log->snapshots[i];
    return NULL;
}

struct store_info sim_log_info(const struct sim_log *log)
{
    if (!log)
        return (struct store_info){ 0 };
    return (struct store_info){ .first = log->base,
                                .head = log->base + log->n,
                                .created_ms = log->created_ms,
                                .modified_ms = log->modified_ms,
                                .snapshot_version = log->snapshots[0].version,
                                .state = log->state };
}

static void check_record(const struct sim_disk *disk, const struct sim_log *log, const struct record *record)
{
    const struct record *last = log->n ? &log->records[log->n - 1] : NULL;

    if (last && record->time_ms < last->time_ms)
        sim_violation("times ascend", "a record of %" PRIu64 " behind one of %" PRIu64, record->time_ms, last->time_ms);
    for (size_t i = 0; !disk->may_repeat_ids && i < log->n; i++)
        if (log->records[i].id.seq == record->id.seq && bytes_equal(log->records[i].id.src, record->id.src))
            sim_violation("exactly once", "operation %.*s/%" PRIu64 " of version %" PRIu64 " appended again",
                          (int)record->id.src.n_bytes, (const char *)record->id.src.at, record->id.seq, log->base + i);
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

void sim_disk_keep_snapshot(struct sim_disk *disk, struct store_name name, uint64_t version, struct bytes snapshot)
{
    struct sim_log *log = sim_disk_find(disk, name);

    if (!log || version > log->base + log->n)
        sim_violation("snapshots are of durable versions", "one of version %" PRIu64 ", the head is %" PRIu64, version,
                      sim_log_info(log).head);
    if (version <= log->snapshots[0].version || version <= log->base)
        return;
    free(log->snapshots[1].at);
    log->snapshots[1] = log->snapshots[0];
    log->snapshots[0] = (struct sim_snapshot){ version, sim_alloc(snapshot.n_bytes), snapshot.n_bytes };
    if (snapshot.n_bytes)
        memcpy(log->snapshots[0].at, snapshot.at, snapshot.n_bytes);
    disk->n_snapshots_put++;
}

void sim_disk_remove(struct sim_disk *disk, struct store_name name)
{
    struct sim_log *log = sim_disk_find(disk, name);

    if (!log)
        return;
    log->base += log->n;
    free_records(log);
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

static bool source_of(const struct sim_log *log, struct bytes src, struct store_source *source)
{
    bool found = false;

    for (size_t i = 0; log && i < log->n; i++) {
        const struct record *record = &log->records[i];

        if (!bytes_equal(record->id.src, src))
            continue;
        source->newest_version = log->base + i;
        if (!found || record->id.seq > source->highest_seq) {
            source->highest_seq = record->id.seq;
            source->highest_version = log->base + i;
        }
        found = true;
    }
    return found;
}

int sim_log_find(const struct sim_log *log, struct op_id id, uint64_t *version, struct store_source *source,
                 bool *has_source)
{
    uint64_t v;
    size_t n_looked = 0;

    *has_source = source_of(log, id.src, source);
    if (!*has_source || id.seq > source->highest_seq)
        return STORE_NOT_FOUND;
    if (id.seq == source->highest_seq) {
        *version = source->highest_version;
        return 0;
    }
    for (v = source->newest_version + 1; v > log->base && n_looked < STORE_SEQ_WINDOW; n_looked++) {
        const struct record *record = sim_log_record(log, --v);

        if (record->id.seq == id.seq && bytes_equal(record->id.src, id.src)) {
            *version = v;
            return 0;
        }
    }
    return v > 0 ? STORE_TOO_OLD : STORE_NOT_FOUND;
}

uint64_t sim_log_version_at(const struct sim_log *log, uint64_t time_ms)
{
    uint64_t version = 0;

    for (size_t i = 0; log && i < log->n && log->records[i].time_ms <= time_ms; i++)
        version = log->base + i + 1;
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
