#include "tests/faults/powercut_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/verify.h"
#include "storage/lmdb/view.h"
#include "tests/lib/store_loop.h"

#define MAP_BYTES ((uint64_t)1 << 30)

static struct expected_version *version_of(struct expectation *expectation, uint32_t log, uint64_t version)
{
    if (version >= CONTENT_MAX_VERSIONS)
        abort();
    return &expectation->logs[log].versions[version];
}

static uint8_t largest(uint8_t a, uint64_t b)
{
    return a > b ? a : (uint8_t)b;
}

void expectation_mark(struct expectation *expectation, const struct mark *mark)
{
    struct expected_version *version = version_of(expectation, mark->log, mark->kind == MARK_META ? 0 : mark->version);

    switch (mark->kind) {
    case MARK_APPENDED: expectation->logs[mark->log].head = mark->version; break;
    case MARK_BEGINNING: version->may_begin = true; break;
    case MARK_BEGUN: expectation->logs[mark->log].base = mark->version; break;
    case MARK_SNAPSHOT: version->has_snapshot = true; break;
    case MARK_MERGING:
        for (uint64_t i = 0; i < mark->n; i++)
            version[i].mergeable = largest(version[i].mergeable, mark->n);
        break;
    case MARK_MERGED:
        for (uint64_t i = 0; i < mark->n; i++)
            version[i].merged = largest(version[i].merged, mark->n);
        break;
    case MARK_META: expectation->meta = mark->version; break;
    case MARK_BACKING_UP:
    case MARK_BACKED_UP: break;
    default: abort();
    }
}

void expectation_allow(struct expectation *expectation, const struct expectation *later)
{
    for (uint32_t log = 0; log < CONTENT_LOGS; log++)
        for (uint64_t v = 0; v < CONTENT_MAX_VERSIONS; v++) {
            expectation->logs[log].versions[v].may_begin = later->logs[log].versions[v].may_begin;
            expectation->logs[log].versions[v].mergeable = later->logs[log].versions[v].mergeable;
        }
}

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return 1;
}

/* ---- one log ----------------------------------------------------------------------------------------------------- */

static int check_record(struct expectation *expectation, uint32_t log, uint64_t version, const struct record *is)
{
    static char body[CONTENT_MAX_BYTES];
    uint64_t n = record_end(version, is) - version;
    struct record want;

    for (uint64_t v = version; v < version + n; v++) {
        const struct expected_version *expected = version_of(expectation, log, v);

        if (n < expected->merged || (n > 1 && n > expected->mergeable) || version % n != 0)
            return wrong("log %u: the record of version %" PRIu64 " stands for %" PRIu64, log, version, n);
    }
    want = n > 1 ? content_merged(log, version, n, body) : content_record(log, version, body);
    if (bytes_equal(is->body, want.body) && bytes_equal(is->author, want.author) &&
        bytes_equal(is->id.src, want.id.src) && is->id.seq == want.id.seq && is->time_ms == want.time_ms)
        return 0;
    return wrong("log %u: the record of version %" PRIu64 " is not what was written", log, version);
}

/* A removal that was asked for may have taken place, or not. */
static int check_base(struct store_loop *loop, struct expectation *expectation, uint32_t number, struct store_log *log,
                      uint64_t base)
{
    uint64_t acknowledged = expectation->logs[number].base;
    int r = base ? loop_read(loop, log, base - 1, base, 1) : STORE_TOO_OLD;

    if (r == STORE_TOO_OLD &&
        (base == acknowledged || (base > acknowledged && version_of(expectation, number, base)->may_begin)))
        return 0;
    return wrong("log %u: it begins at %" PRIu64 ", acknowledged was %" PRIu64 ": %d", number, base, acknowledged, r);
}

static int check_records(struct store_loop *loop, struct expectation *expectation, uint32_t number,
                         struct store_log *log, uint64_t base, uint64_t head, struct coverage *coverage)
{
    for (uint64_t v = base; v < head;) {
        int r = loop_read(loop, log, v, STORE_NEWEST, 5000);

        if (r || loop->n_records == 0)
            return wrong("log %u: reading from %" PRIu64 " of %" PRIu64 ": %d, %zu records", number, v, head, r,
                         loop->n_records);
        for (size_t i = 0; i < loop->n_records; v = record_end(v, &loop->records[i++])) {
            if (check_record(expectation, number, v, &loop->records[i]))
                return 1;
            coverage->n_merged += loop->records[i].n_merged > 0;
        }
        if (v > head)
            return wrong("log %u: it goes on to %" PRIu64 ", and its head is %" PRIu64, number, v, head);
        coverage->n_records += loop->n_records;
    }
    return 0;
}

/* Whether there is no record that leads to it, or perhaps none. */
static bool is_perhaps_within(const struct expectation *expectation, uint32_t log, uint64_t version)
{
    uint64_t n = expectation->logs[log].versions[version].mergeable;

    return n > 1 && version % n != 0;
}

/* Each that is there, from the newest down, and none is missing. */
static int check_snapshots(struct store_loop *loop, struct expectation *expectation, uint32_t number,
                           struct store_log *log, uint64_t base, uint64_t head, struct coverage *coverage)
{
    static char content[4 * CONTENT_MAX_BYTES];

    for (uint64_t at = head;;) {
        int r = loop_snapshot_get(loop, log, at);
        uint64_t found = loop->version;

        if (r || found > at || (found > 0 && found < base))
            return wrong("log %u: the snapshot at or below %" PRIu64 ": %d, %" PRIu64, number, at, r, found);
        for (uint64_t v = found + 1; v <= at; v++)
            if (v > base && version_of(expectation, number, v)->has_snapshot &&
                !is_perhaps_within(expectation, number, v))
                return wrong("log %u: the snapshot of %" PRIu64 " is missing", number, v);
        if (found == 0)
            return 0;
        if (!bytes_equal(buffer_bytes(&loop->bytes), content_snapshot(number, found, content)))
            return wrong("log %u: the snapshot of %" PRIu64 " is not what was written", number, found);
        coverage->n_snapshots++;
        at = found - 1;
    }
}

static int check_newest_id(struct store_loop *loop, uint32_t number, struct store_log *log, uint64_t head)
{
    int r = loop_find(loop, log, (head - 1) % 3 ? "one" : "other", head);

    if (r || loop->version != head - 1)
        return wrong("log %u: the operation of version %" PRIu64 " is found at %" PRIu64 ": %d", number, head - 1,
                     loop->version, r);
    return 0;
}

static int go_on(struct store_loop *loop, struct expectation *expectation, uint32_t number, struct store_log *log,
                 uint64_t head)
{
    static char body[CONTENT_MAX_BYTES];
    struct record record = content_record(number, head, body);
    struct store_state after = { true, bytes_of_string("text"), head };
    int r = loop_append_records(loop, log, head, &record, 1, &after);

    if (r)
        return wrong("log %u: going on at %" PRIu64 ": %d", number, head, r);
    expectation->logs[number].head = head + 1;
    return 0;
}

static int check_log(struct store_loop *loop, struct expectation *expectation, uint32_t number, enum check_mode mode,
                     struct coverage *coverage)
{
    struct content_name name = content_name_of(number);
    uint64_t head, base, acknowledged = expectation->logs[number].head;
    struct store_log *log;
    int r;

    log = loop_open_name(loop, content_store_name(&name), &r);
    if (r)
        return wrong("log %u: opening: %d", number, r);
    head = loop->info.head;
    base = loop->info.first;
    if (head < acknowledged)
        r = wrong("log %u: its head is %" PRIu64 ", acknowledged was %" PRIu64, number, head, acknowledged);
    if (!r)
        r = check_base(loop, expectation, number, log, base);
    if (!r)
        r = check_records(loop, expectation, number, log, base, head, coverage);
    if (!r)
        r = check_snapshots(loop, expectation, number, log, base, head, coverage);
    if (!r && head > base)
        r = check_newest_id(loop, number, log, head);
    if (!r && mode == CHECK_GO_ON)
        r = go_on(loop, expectation, number, log, head);
    store_log_close(log);
    return r;
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static int check_meta(struct store_loop *loop, uint64_t acknowledged)
{
    uint64_t value = 0;
    int r = loop_meta_get(loop, "value");

    if (r != STORE_NOT_FOUND && (r || loop->bytes.n_bytes != sizeof(value)))
        return wrong("the small value: %d", r);
    if (!r)
        memcpy(&value, loop->bytes.at, sizeof(value));
    return value < acknowledged ? wrong("the small value is an old one") : 0;
}

static int check_opened(const char *directory, struct expectation *expectation, enum check_mode mode,
                        struct coverage *coverage)
{
    struct store_loop loop;
    struct store_lmdb_config config = { directory, mode == CHECK_GO_ON ? STORE_READ_WRITE : STORE_READ_ONLY, MAP_BYTES,
                                        loop_wake, &loop };
    char why[256] = "";
    int r;

    loop_init(&loop);
    r = store_lmdb_open_tuned(&config, &content_tuning, &loop.store, why, sizeof(why));
    if (r) {
        bool nothing = expectation->meta == 0;

        for (size_t i = 0; i < CONTENT_LOGS; i++)
            nothing = nothing && expectation->logs[i].head == 0;
        return nothing && mode != CHECK_GO_ON ? 0 : wrong("it does not open: %s", why);
    }
    r = check_meta(&loop, expectation->meta);
    for (uint32_t i = 0; !r && i < CONTENT_LOGS; i++)
        r = check_log(&loop, expectation, i, mode, coverage);
    store_close(loop.store);
    loop_finish(&loop);
    return r;
}

static void count_snapshots(struct view *view, struct coverage *coverage)
{
    MDB_cursor *cursor;
    MDB_val key, value;

    if (mdb_cursor_open(view->txn, view->environment->dbs[DB_SNAPSHOTS], &cursor))
        return;
    while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        struct manifest manifest;
        struct bytes content;

        if (unseal(DB_SNAPSHOTS, bytes_of_val(key), bytes_of_val(value), &content) ||
            manifest_decode(content, &manifest))
            continue;
        coverage->n_differences += manifest.base > 0;
        coverage->n_hidden += manifest.is_hidden;
    }
    mdb_cursor_close(cursor);
}

/* What state the cut has left, seen from inside. */
static void look_inside(struct view *view, struct coverage *coverage)
{
    struct bytes note;
    bool half_folded = false;
    MDB_cursor *cursor;
    MDB_val key, value;

    LIST_FOR_EACH (node, &view->overlay.logs) {
        struct overlay_log *log = LIST_ENTRY(node, struct overlay_log, link);
        struct row row;

        if (!view_folded_row(view, log->key, log->row.number, &row))
            half_folded |= log->spans[log->first_span].from < row.head;
    }
    coverage->n_half_folded += half_folded;
    coverage->n_half_staged +=
        !environment_get(view->environment, view->txn, DB_META, bytes_of_string(STAGED_KEY), &note);
    if (mdb_cursor_open(view->txn, view->environment->dbs[DB_CHUNKS], &cursor))
        return;
    while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        uint64_t number = get_be64(key.mv_data), version = get_be64((const char *)key.mv_data + 8), whole = 0;
        struct manifest manifest;

        if (view_manifest(view, number, version, &whole, &manifest) || whole < version) {
            coverage->n_half_snapshots++;
            break;
        }
    }
    mdb_cursor_close(cursor);
}

static void cover(const char *directory, struct coverage *coverage)
{
    struct store_lmdb_config config = { .path = directory, .mode = STORE_READ_ONLY, .max_bytes = MAP_BYTES };
    struct environment environment;
    pthread_rwlock_t in_use = PTHREAD_RWLOCK_INITIALIZER;
    struct view view;
    char why[256];

    if (environment_open(&config, &environment, why, sizeof(why)))
        return;
    if (!view_init(&view, &environment, &in_use) && !view_begin(&view)) {
        look_inside(&view, coverage);
        count_snapshots(&view, coverage);
        view_end(&view);
    }
    view_finish(&view);
    environment_close(&environment);
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
    bool *is_damaged = arg;

    if (finding->severity != VERIFY_DAMAGE)
        return;
    *is_damaged = true;
    (void)wrong("%s, log %" PRIu64 ", %" PRIu64 " to %" PRIu64 ": %s", finding->database, finding->number,
                finding->from, finding->to, finding->what);
}

static int check_pages(const char *directory, struct coverage *coverage)
{
    bool is_damaged = false;
    struct verify_config config = { .path = directory, .on_finding = on_finding, .arg = &is_damaged };
    char why[256] = "";
    int r = verify_store(&config, why, sizeof(why));

    coverage->n_verified++;
    if (r && r != -ENOENT)
        return wrong("it can't be looked at: %s", why);
    return is_damaged;
}

int check_store(const char *directory, struct expectation *expectation, enum check_mode mode, struct coverage *coverage)
{
    int r;

    cover(directory, coverage);
    r = check_opened(directory, expectation, mode, coverage);
    if (!r && mode == CHECK_GO_ON)
        r = check_opened(directory, expectation, CHECK_READ_ONLY, coverage);
    if (!r && mode == CHECK_VERIFY)
        r = check_pages(directory, coverage);
    return r;
}
