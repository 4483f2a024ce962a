/* The workload whose power is cut: writers on many logs, each with several appends on their way, snapshots and
 * removals; a mark for everything that was acknowledged.
 *
 *     powercut_workload DIRECTORY SEED APPENDS */
#include <stdlib.h>

#include "storage/lmdb/tuning.h"
#include "tests/faults/powercut_content.h"
#include "tests/faults/powercut_log.h"
#include "tests/lib/store_loop.h"

#define IN_FLIGHT_MAX 5

struct writer;

struct flight {
    struct writer *writer;
    struct record record;
    char body[CONTENT_MAX_BYTES];
    bool is_used;
};

struct writer {
    uint32_t log_number;
    struct store_log *log;
    uint64_t tip, head, base; /* asked for; acknowledged; removed below */
    struct flight flights[IN_FLIGHT_MAX];
    bool is_removing, is_snapshotting;
    uint64_t removing, snapshot; /* versions */
};

static struct writer writers[CONTENT_LOGS];
static size_t n_pending, n_appends;
static struct sim_random chance;

static void mark(enum mark_kind kind, uint32_t log, uint64_t version)
{
    struct mark mark = { kind, log, version };

    if (powercut_mark)
        powercut_mark(&mark, sizeof(mark));
}

static void must(int r, const char *what)
{
    if (r) {
        (void)fprintf(stderr, "%s: %d\n", what, r);
        abort();
    }
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct writer *writer = arg;

    must(r, "open");
    writer->log = log;
    writer->tip = writer->head = info->head;
    n_pending--;
}

static void on_append(void *arg, int r, uint64_t head)
{
    struct flight *flight = arg;

    must(r, "append");
    flight->is_used = false;
    flight->writer->head++;
    if (head < flight->writer->head)
        must(-1, "a head below what was acknowledged");
    mark(MARK_APPENDED, flight->writer->log_number, flight->writer->head);
    n_pending--;
}

static void append(struct writer *writer)
{
    struct store_state after = { true, bytes_of_string("text"), writer->tip };

    for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
        struct flight *flight = &writer->flights[i];

        if (flight->is_used)
            continue;
        flight->is_used = true;
        flight->writer = writer;
        flight->record = content_record(writer->log_number, writer->tip, flight->body);
        must(store_append(writer->log, writer->tip, &flight->record, 1, &after, on_append, flight), "append");
        writer->tip++;
        n_pending++;
        n_appends++;
        return;
    }
}

static int produce(void *arg, struct buffer *into)
{
    const struct writer *writer = arg;
    char content[4 * CONTENT_MAX_BYTES];
    struct bytes bytes = content_snapshot(writer->log_number, writer->snapshot, content);

    return buffer_append(into, bytes.at, bytes.n_bytes);
}

/* STORE_NOT_FOUND: the log was removed meanwhile. */
static void on_snapshot(void *arg, int r)
{
    struct writer *writer = arg;

    if (r != STORE_NOT_FOUND)
        must(r, "snapshot");
    if (!r && writer->snapshot > writer->base)
        mark(MARK_SNAPSHOT, writer->log_number, writer->snapshot);
    writer->is_snapshotting = false;
    n_pending--;
}

static void keep_snapshot(struct writer *writer)
{
    if (writer->is_snapshotting || writer->is_removing || writer->head <= writer->base)
        return;
    writer->is_snapshotting = true;
    writer->snapshot = writer->head;
    must(store_snapshot_put(writer->log, writer->snapshot, produce, on_snapshot, writer), "snapshot");
    n_pending++;
}

static void on_remove(void *arg, int r)
{
    struct writer *writer = arg;

    must(r, "remove");
    writer->base = writer->removing;
    writer->is_removing = false;
    mark(MARK_REMOVED, writer->log_number, writer->base);
    n_pending--;
}

static void remove_log(struct writer *writer)
{
    if (writer->is_removing || writer->is_snapshotting || writer->tip == writer->base)
        return;
    writer->is_removing = true;
    writer->removing = writer->tip;
    mark(MARK_REMOVING, writer->log_number, writer->removing);
    must(store_remove(writer->log, on_remove, writer), "remove");
    n_pending++;
}

static struct {
    uint64_t value;
    bool is_putting;
} meta;

static void on_meta(void *arg, int r)
{
    must(r, "meta");
    mark(MARK_META, 0, meta.value);
    meta.is_putting = false;
    n_pending--;
}

static void put_meta(struct store *store)
{
    if (meta.is_putting)
        return;
    meta.is_putting = true;
    meta.value++;
    must(store_meta_put(store, bytes_of_string("value"), bytes_of(&meta.value, sizeof(meta.value)), on_meta, NULL),
         "meta");
    n_pending++;
}

static bool is_compacting;

static void on_compacted(void *arg, int r)
{
    must(r, "compact");
    is_compacting = false;
    n_pending--;
}

/* Beside everything that is on its way. */
static void compact(struct store *store)
{
    if (is_compacting)
        return;
    is_compacting = true;
    must(store_compact(store, NULL, on_compacted, NULL), "compact");
    n_pending++;
}

static void on_packed(void *arg, int r)
{
    must(r, "pack");
    n_pending--;
}

static void pack(struct store *store)
{
    must(store_pack(store, on_packed, NULL), "pack");
    n_pending++;
}

static void step(struct store *store)
{
    struct writer *writer = &writers[sim_random_below(&chance, CONTENT_LOGS)];
    size_t what = sim_random_below(&chance, 1000);

    if (what < 10)
        keep_snapshot(writer);
    else if (what < 13)
        remove_log(writer);
    else if (what < 18)
        put_meta(store);
    else if (what < 20)
        compact(store);
    else if (what < 22)
        pack(store);
    else
        append(writer);
}

int main(int argc, char **argv)
{
    struct store_loop loop;
    struct store_lmdb_config config = { argc > 1 ? argv[1] : "", STORE_READ_WRITE, 1 << 30, loop_wake, &loop };
    size_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000;
    char why[256];

    chance.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    loop_init(&loop);
    if (store_lmdb_open_tuned(&config, &content_tuning, &loop.store, why, sizeof(why))) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (uint32_t i = 0; i < CONTENT_LOGS; i++) {
        struct content_name name = content_name_of(i);

        writers[i].log_number = i;
        n_pending++;
        must(store_log_open(loop.store, content_store_name(&name), NULL, on_open, &writers[i]), "open");
        loop_until_none(&loop, &n_pending);
    }
    while (n_appends < n) {
        for (size_t i = 1 + sim_random_below(&chance, 30); i > 0; i--)
            step(loop.store);
        if (n_pending > 0)
            (void)loop_turn(&loop, 60000);
    }
    loop_until_none(&loop, &n_pending);
    for (uint32_t i = 0; i < CONTENT_LOGS; i++)
        store_log_close(writers[i].log);
    store_close(loop.store);
    loop_finish(&loop);
    return 0;
}
