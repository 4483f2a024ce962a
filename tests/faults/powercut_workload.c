/* The workload whose power is cut: writers on many logs, each with several appends on their way, snapshots, merges and
 * removals, and backups, packing and compactions of the whole; a mark for everything that was acknowledged.
 *
 *     powercut_workload DIRECTORY SEED APPENDS */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/lmdb/repack.h"
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
    bool is_beginning, is_snapshotting, is_merging;
    uint64_t beginning, snapshot, merged_from; /* versions */
    struct record merged;
    char merged_body[CONTENT_MAX_BYTES];
};

static struct writer writers[CONTENT_LOGS];
static size_t n_pending, n_appends;
static struct sim_random chance;

static void mark_several(enum mark_kind kind, uint32_t log, uint64_t version, uint64_t n)
{
    struct mark mark = { kind, log, version, n };

    if (powercut_mark)
        powercut_mark(&mark, sizeof(mark));
}

static void mark(enum mark_kind kind, uint32_t log, uint64_t version)
{
    mark_several(kind, log, version, 0);
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

/* STORE_NOT_FOUND: the log was removed meanwhile, or that version is within what was merged. */
static void on_snapshot(void *arg, int r)
{
    struct writer *writer = arg;

    if (r != STORE_NOT_FOUND)
        must(r, "snapshot");
    if (!r)
        mark(MARK_SNAPSHOT, writer->log_number, writer->snapshot);
    writer->is_snapshotting = false;
    n_pending--;
}

static void keep_snapshot(struct writer *writer)
{
    if (writer->is_snapshotting || writer->head <= writer->base)
        return;
    writer->is_snapshotting = true;
    writer->snapshot = writer->head;
    must(store_snapshot_put(writer->log, writer->snapshot, produce, on_snapshot, writer), "snapshot");
    n_pending++;
}

static void on_begun(void *arg, int r)
{
    struct writer *writer = arg;

    must(r, "remove or begin");
    writer->base = writer->beginning;
    if (writer->head < writer->base)
        writer->head = writer->base;
    writer->is_beginning = false;
    mark(MARK_BEGUN, writer->log_number, writer->base);
    n_pending--;
}

/* At its tip, by a removal; a log that holds nothing, further up. */
static void begin_again(struct writer *writer)
{
    bool is_empty = writer->tip == writer->base;

    if (writer->is_beginning)
        return;
    writer->is_beginning = true;
    if (is_empty)
        writer->tip += 1 + sim_random_below(&chance, 20);
    writer->beginning = writer->tip;
    mark(MARK_BEGINNING, writer->log_number, writer->beginning);
    must(is_empty ? store_begin_at(writer->log, writer->beginning, on_begun, writer)
                  : store_remove(writer->log, on_begun, writer),
         "remove or begin");
    n_pending++;
}

/* STORE_CONFLICT: removed meanwhile, or merged already. */
static void on_merged(void *arg, int r)
{
    struct writer *writer = arg;

    if (r != STORE_CONFLICT)
        must(r, "merge");
    if (!r)
        mark_several(MARK_MERGED, writer->log_number, writer->merged_from, writer->merged.n_merged + 1);
    writer->is_merging = false;
    n_pending--;
}

static void merge(struct writer *writer)
{
    uint64_t n = content_merges[sim_random_below(&chance, 2)], lowest = (writer->base + n - 1) / n,
             end = writer->head / n;

    if (writer->is_merging || end <= lowest)
        return;
    writer->is_merging = true;
    writer->merged_from = (lowest + sim_random_below(&chance, end - lowest)) * n;
    writer->merged = content_merged(writer->log_number, writer->merged_from, n, writer->merged_body);
    mark_several(MARK_MERGING, writer->log_number, writer->merged_from, n);
    must(store_merge(writer->log, writer->merged_from, &writer->merged, 1, on_merged, writer), "merge");
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

/* ---- the whole store, beside everything that is on its way ------------------------------------------------------- */

static bool is_compacting, is_repacking;

static struct {
    char path[PATH_MAX];
    int fd;
    bool is_running;
} backup;

/* -EBUSY: a backup is being written. */
static void on_compacted(void *arg, int r)
{
    if (r != -EBUSY)
        must(r, "compact");
    is_compacting = false;
    n_pending--;
}

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

/* -EBUSY: a compaction does it. */
static void on_repacked(void *arg, int r)
{
    if (r != -EBUSY)
        must(r, "repack");
    is_repacking = false;
    n_pending--;
}

static void repack(struct store *store)
{
    if (is_repacking)
        return;
    is_repacking = true;
    must(lmdb_repack(store, on_repacked, NULL), "repack");
    n_pending++;
}

static void on_backed_up(void *arg, int r)
{
    must(r, "backup");
    must(fsync(backup.fd) || close(backup.fd) ? -errno : 0, "backup");
    backup.is_running = false;
    mark(MARK_BACKED_UP, 0, 0);
    n_pending--;
}

static void back_up(struct store *store)
{
    if (backup.is_running)
        return;
    backup.is_running = true;
    mark(MARK_BACKING_UP, 0, 0);
    backup.fd = open(backup.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    must(backup.fd < 0 || ftruncate(backup.fd, 0) ? -errno : 0, "backup");
    must(store_backup(store, backup.fd, on_backed_up, NULL), "backup");
    n_pending++;
}

static void step(struct store *store)
{
    struct writer *writer = &writers[sim_random_below(&chance, CONTENT_LOGS)];
    struct writer *favourite = &writers[writer->log_number % 6]; /* so that some have many, and among one another */
    size_t what = sim_random_below(&chance, 1000);

    if (what < 20)
        keep_snapshot(favourite);
    else if (what < 30)
        merge(favourite);
    else if (what < 45)
        merge(writer);
    else if (what < 50)
        begin_again(writer);
    else if (what < 55)
        put_meta(store);
    else if (what < 57)
        pack(store);
    else if (what < 60)
        repack(store);
    else
        append(writer);
}

/* What there must be some of in every run, however short. */
static void step_of_the_whole(struct store *store)
{
    static size_t n;

    if (n_appends < (n + 1) * 150)
        return;
    if (n++ % 3 == 2)
        back_up(store);
    else
        compact(store);
}

int main(int argc, char **argv)
{
    struct store_loop loop;
    struct store_lmdb_config config = { argc > 1 ? argv[1] : "", STORE_READ_WRITE, 1 << 30, loop_wake, &loop };
    size_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000;
    char why[256];

    if (snprintf(backup.path, sizeof(backup.path), "%s/backup.mdb", config.path) >= PATH_MAX)
        return 1;
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
        step_of_the_whole(loop.store);
        for (size_t n_before = n_pending; n_pending > 0 && n_pending >= n_before;) /* until something is answered */
            (void)loop_turn(&loop, 60000);
    }
    loop_until_none(&loop, &n_pending);
    for (uint32_t i = 0; i < CONTENT_LOGS; i++)
        store_log_close(writers[i].log);
    store_close(loop.store);
    loop_finish(&loop);
    return 0;
}
