#include "tests/faults/powercut_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/view.h"
#include "tests/lib/store_loop.h"

#define MAP_BYTES ((uint64_t)1 << 30)

void expectation_mark(struct expectation *expectation, const struct mark *mark)
{
    switch (mark->kind) {
    case MARK_APPENDED: expectation->logs[mark->log].head = mark->version; break;
    case MARK_REMOVING: expectation->logs[mark->log].removing = mark->version; break;
    case MARK_REMOVED:
        expectation->logs[mark->log].base = mark->version;
        expectation->logs[mark->log].snapshot = 0;
        break;
    case MARK_SNAPSHOT: expectation->logs[mark->log].snapshot = mark->version; break;
    case MARK_META: expectation->meta = mark->version; break;
    default: abort();
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

static int check_record(uint32_t log, uint64_t version, const struct record *is)
{
    static char body[CONTENT_MAX_BYTES];
    struct record want = content_record(log, version, body);

    if (bytes_equal(is->body, want.body) && bytes_equal(is->author, want.author) &&
        bytes_equal(is->id.src, want.id.src) && is->id.seq == want.id.seq && is->time_ms == want.time_ms)
        return 0;
    return wrong("log %u: the record of version %" PRIu64 " is not what was written", log, version);
}

/* A removal that was asked for may have taken place, or not. */
static int find_base(struct store_loop *loop, const struct expectation *expectation, uint32_t number,
                     struct store_log *log, uint64_t *out)
{
    uint64_t base = expectation->logs[number].base, removing = expectation->logs[number].removing;
    int r = loop_read(loop, log, base, base + 1, 1);

    if (r == STORE_TOO_OLD && removing > base) {
        base = removing;
        r = loop_read(loop, log, base, base + 1, 1);
    }
    if (r)
        return wrong("log %u: reading from %" PRIu64 ": %d", number, base, r);
    *out = base;
    return 0;
}

static int check_records(struct store_loop *loop, uint32_t number, struct store_log *log, uint64_t base, uint64_t head,
                         struct coverage *coverage)
{
    for (uint64_t v = base; v < head; v += loop->n_records) {
        int r = loop_read(loop, log, v, STORE_NEWEST, 5000);

        if (r || loop->n_records == 0 || v + loop->n_records > head)
            return wrong("log %u: reading from %" PRIu64 " of %" PRIu64 ": %d, %zu records", number, v, head, r,
                         loop->n_records);
        for (size_t i = 0; i < loop->n_records; i++)
            if (check_record(number, v + i, &loop->records[i]))
                return 1;
        coverage->n_records += loop->n_records;
    }
    return 0;
}

static int check_snapshot(struct store_loop *loop, const struct expectation *expectation, uint32_t number,
                          struct store_log *log, uint64_t base, uint64_t head)
{
    static char content[4 * CONTENT_MAX_BYTES];
    int r = loop_snapshot_get(loop, log, STORE_NEWEST);
    uint64_t least = expectation->logs[number].snapshot;

    if (r || (loop->version < least && base < least) || loop->version > head)
        return wrong("log %u: %d, snapshot %" PRIu64 ", acknowledged was %" PRIu64, number, r, loop->version, least);
    if (loop->version > 0 && !bytes_equal(buffer_bytes(&loop->bytes), content_snapshot(number, loop->version, content)))
        return wrong("log %u: the snapshot of %" PRIu64 " is not what was written", number, loop->version);
    return 0;
}

static int check_newest_id(struct store_loop *loop, uint32_t number, struct store_log *log, uint64_t head)
{
    int r = loop_find(loop, log, (head - 1) % 3 ? "one" : "other", head);

    if (r || loop->version != head - 1)
        return wrong("log %u: the operation of version %" PRIu64 " is found at %" PRIu64 ": %d", number, head - 1,
                     loop->version, r);
    return 0;
}

static int check_log(struct store_loop *loop, struct expectation *expectation, uint32_t number, enum check_mode mode,
                     struct coverage *coverage)
{
    struct content_name name = content_name_of(number);
    struct store_log *log;
    uint64_t head, base = 0;
    int r;

    log = loop_open_name(loop, content_store_name(&name), &r);
    if (r)
        return wrong("log %u: opening: %d", number, r);
    head = loop->info.head;
    if (head < expectation->logs[number].head)
        r = wrong("log %u: its head is %" PRIu64 ", acknowledged was %" PRIu64, number, head,
                  expectation->logs[number].head);
    if (!r)
        r = find_base(loop, expectation, number, log, &base);
    if (!r)
        r = check_records(loop, number, log, base, head, coverage);
    if (!r)
        r = check_snapshot(loop, expectation, number, log, base, head);
    if (!r && head > base)
        r = check_newest_id(loop, number, log, head);
    if (!r && mode == CHECK_GO_ON) {
        static char body[CONTENT_MAX_BYTES];
        struct record record = content_record(number, head, body);
        struct store_state after = { true, bytes_of_string("text"), head };

        r = loop_append_records(loop, log, head, &record, 1, &after);
        if (r)
            r = wrong("log %u: going on at %" PRIu64 ": %d", number, head, r);
        expectation->logs[number].head = head + 1;
    }
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
    struct store_lmdb_config config = { directory, mode == CHECK_READ_ONLY ? STORE_READ_ONLY : STORE_READ_WRITE,
                                        MAP_BYTES, loop_wake, &loop };
    char why[256] = "";
    int r;

    loop_init(&loop);
    r = store_lmdb_open_tuned(&config, &content_tuning, &loop.store, why, sizeof(why));
    if (r) {
        bool nothing = expectation->meta == 0;

        for (size_t i = 0; i < CONTENT_LOGS; i++)
            nothing = nothing && expectation->logs[i].head == 0;
        return nothing && mode == CHECK_READ_ONLY ? 0 : wrong("it does not open: %s", why);
    }
    r = check_meta(&loop, expectation->meta);
    for (uint32_t i = 0; !r && i < CONTENT_LOGS; i++)
        r = check_log(&loop, expectation, i, mode, coverage);
    store_close(loop.store);
    loop_finish(&loop);
    return r;
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
        view_end(&view);
    }
    view_finish(&view);
    environment_close(&environment);
}

int check_store(const char *directory, struct expectation *expectation, enum check_mode mode, struct coverage *coverage)
{
    int r;

    cover(directory, coverage);
    r = check_opened(directory, expectation, mode, coverage);
    if (!r && mode == CHECK_GO_ON)
        r = check_opened(directory, expectation, CHECK_READ_ONLY, coverage);
    return r;
}
