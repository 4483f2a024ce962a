#include "tests/unit/storage/store_contract.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct contract_subject *subject;

struct fixture {
    struct store_loop loop;
    void *place;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    loop_init(&f->loop);
    f->place = subject->create();
    f->loop.store = subject->open(f->place, &f->loop);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->loop.store);
    subject->destroy(f->place);
    loop_finish(&f->loop);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    store_close(f->loop.store);
    f->loop.store = subject->open(f->place, &f->loop);
}

static struct store_log *open_log(struct fixture *f, const char *id)
{
    return loop_open_log(&f->loop, "notes", id, NULL);
}

/* Appends records of source "s" until the head is n; each says its version. */
static void fill(struct fixture *f, struct store_log *log, uint64_t from, uint64_t to)
{
    char body[32];

    for (uint64_t v = from; v < to; v++) {
        (void)snprintf(body, sizeof(body), "body %u", (unsigned)v);
        assert_int_equal(loop_append(&f->loop, log, v, body), 0);
        assert_int_equal(f->loop.head, v + 1);
    }
}

static void check_bytes(struct bytes bytes, const char *text)
{
    assert_int_equal(bytes.n_bytes, strlen(text));
    if (bytes.n_bytes)
        assert_memory_equal(bytes.at, text, bytes.n_bytes);
}

static void check_records(struct fixture *f, struct store_log *log, uint64_t from, uint64_t to)
{
    char body[32];

    assert_int_equal(loop_read(&f->loop, log, from, to, 1 << 20), 0);
    assert_int_equal(f->loop.version, from);
    assert_int_equal(f->loop.n_records, to - from);
    for (uint64_t v = from; v < to; v++) {
        const struct record *record = &f->loop.records[v - from];

        (void)snprintf(body, sizeof(body), "body %u", (unsigned)v);
        check_bytes(record->body, body);
        check_bytes(record->id.src, "s");
        check_bytes(record->author, "someone");
        assert_int_equal(record->id.seq, v + 1);
        assert_int_equal(record->time_ms, v);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void unwritten_log_is_empty(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    assert_int_equal(f->loop.info.head, 0);
    assert_false(f->loop.info.state.exists);
    assert_int_equal(loop_read(&f->loop, log, 0, STORE_NEWEST, 1000), 0);
    assert_int_equal(f->loop.n_records, 0);
    assert_int_equal(loop_snapshot_get(&f->loop, log, STORE_NEWEST), 0);
    assert_int_equal(f->loop.version, 0);
    store_log_close(log);
    assert_int_equal(loop_collections(&f->loop), 0);
    assert_int_equal(f->loop.n_collections, 0);
}

static void one_handle_a_name(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a"), *other;
    int r;

    assert_null(loop_open_log(&f->loop, "notes", "a", &r));
    assert_int_equal(r, -EBUSY);
    other = loop_open_log(&f->loop, "other", "a", NULL);
    store_log_close(other);
    store_log_close(log);
    store_log_close(open_log(f, "a"));
}

static void names_are_bytes(void **state)
{
    struct fixture *f = *state;
    char longest[128];
    struct store_name names[] = { { bytes_of("a\0b", 3), bytes_of("\0", 1) },
                                  { bytes_of("a", 1), bytes_of("b\0\0", 3) },
                                  { bytes_of("a\0", 2), bytes_of("b", 1) },
                                  { bytes_of(longest, 128), bytes_of(longest, 128) } };

    memset(longest, 0, sizeof(longest));
    for (size_t i = 0; i < 4; i++) {
        struct store_log *log = loop_open_name(&f->loop, names[i], NULL);

        assert_int_equal(f->loop.info.head, 0);
        fill(f, log, 0, i + 1);
        store_log_close(log);
    }
    reopen(f);
    for (size_t i = 0; i < 4; i++) {
        store_log_close(loop_open_name(&f->loop, names[i], NULL));
        assert_int_equal(f->loop.info.head, i + 1);
    }
    assert_int_equal(loop_list(&f->loop, &(struct store_list_query){ .collection = bytes_of("a", 1), .limit = 10 }), 0);
    assert_int_equal(f->loop.n_entries, 1);
    assert_int_equal(loop_collections(&f->loop), 0);
    assert_int_equal(f->loop.n_collections, 4);
}

/* ---- appending and reading --------------------------------------------------------------------------------------- */

static void what_was_appended_is_read(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    fill(f, log, 0, 50);
    check_records(f, log, 0, 50);
    check_records(f, log, 17, 23);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 50);
    assert_true(f->loop.info.state.exists);
    check_bytes(f->loop.info.state.type, "text");
    assert_int_equal(f->loop.info.state.n_bytes, 49);
    check_records(f, log, 0, 50);
    fill(f, log, 50, 60);
    check_records(f, log, 40, 60);
    store_log_close(log);
}

static void several_records_are_one_append(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record records[3] = {
        { { bytes_of_string("x"), 7 }, 100, bytes_of_string("ink"), bytes_of_string("") },
        { { bytes_of_string("y"), UINT64_MAX }, 100, bytes_of_string(""), bytes_of("\0\xff", 2) },
        { { bytes_of_string("x"), 3 }, UINT64_MAX / 2, bytes_of_string("ink"), bytes_of_string("last") },
    };
    struct store_state after = { true, bytes_of_string(""), 12 };

    assert_int_equal(loop_append_records(&f->loop, log, 0, records, 3, &after), 0);
    assert_int_equal(f->loop.head, 3);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(loop_read(&f->loop, log, 0, 3, 1000), 0);
        assert_int_equal(f->loop.n_records, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_true(bytes_equal(f->loop.records[i].id.src, records[i].id.src));
            assert_true(f->loop.records[i].id.seq == records[i].id.seq);
            assert_true(f->loop.records[i].time_ms == records[i].time_ms);
            assert_true(bytes_equal(f->loop.records[i].author, records[i].author));
            assert_true(bytes_equal(f->loop.records[i].body, records[i].body));
        }
        store_log_close(log);
        reopen(f);
        log = open_log(f, "a");
        assert_int_equal(f->loop.info.created_ms, 100);
        assert_true(f->loop.info.modified_ms == UINT64_MAX / 2);
    }
    store_log_close(log);
}

static void large_record(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    size_t n_bytes = 5 << 20;
    char *body = malloc(n_bytes);
    struct store_state after = { true, bytes_of_string("text"), n_bytes };
    struct record record = { { bytes_of_string("big"), 1 }, 2, bytes_of_string("ink"), bytes_of(body, n_bytes) };

    assert_non_null(body);
    for (size_t i = 0; i < n_bytes; i++)
        body[i] = (char)(i * i >> 7);
    fill(f, log, 0, 2);
    assert_int_equal(loop_append_records(&f->loop, log, 2, &record, 1, &after), 0);
    fill(f, log, 3, 5);
    assert_int_equal(loop_read(&f->loop, log, 2, 3, 10), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_true(bytes_equal(f->loop.records[0].body, record.body));
    check_records(f, log, 3, 5);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    fill(f, log, 5, 20);
    assert_int_equal(loop_read(&f->loop, log, 2, 3, 10), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_true(bytes_equal(f->loop.records[0].body, record.body));
    check_records(f, log, 3, 20);
    store_log_close(log);
    free(body);
}

static void read_is_sliced(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    uint64_t at = 0;

    fill(f, log, 0, 100);
    while (at < 100) {
        assert_int_equal(loop_read(&f->loop, log, at, STORE_NEWEST, 300), 0);
        assert_true(f->loop.n_records > 0 && f->loop.n_records < 40);
        at += f->loop.n_records;
    }
    assert_int_equal(at, 100);
    assert_int_equal(loop_read(&f->loop, log, 5, 50, 0), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_int_equal(loop_read(&f->loop, log, 100, 200, 300), 0);
    assert_int_equal(f->loop.n_records, 0);
    assert_int_equal(loop_read(&f->loop, log, 1000, STORE_NEWEST, 300), 0);
    assert_int_equal(f->loop.n_records, 0);
    store_log_close(log);
}

static void wrong_version_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    fill(f, log, 0, 3);
    assert_int_equal(loop_append(&f->loop, log, 2, "late"), STORE_CONFLICT);
    assert_int_equal(f->loop.head, 3);
    assert_int_equal(loop_append(&f->loop, log, 3, "right, but behind a failure"), STORE_CONFLICT);
    store_log_close(log);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 3);
    assert_int_equal(loop_append(&f->loop, log, 0, "create"), STORE_CONFLICT);
    store_log_close(log);
    log = open_log(f, "a");
    fill(f, log, 3, 4);
    check_records(f, log, 0, 4);
    store_log_close(log);
}

struct queued {
    struct fixture *f;
    size_t n_pending, number, *next;
    uint64_t expected_head;
    int expected_r;
    char body[32];
    struct record record;
};

static void on_queued(void *arg, int r, uint64_t head)
{
    struct queued *queued = arg;

    assert_int_equal(queued->number, *queued->next);
    assert_int_equal(r, queued->expected_r);
    if (!r)
        assert_true(head >= queued->expected_head);
    ++*queued->next;
    --*(&queued->f->loop.n_answers);
}

/* body: empty, one that says the version. */
static void queue_body(struct fixture *f, struct store_log *log, struct queued *queued, size_t number,
                       uint64_t expected, struct bytes body)
{
    struct store_state after = { true, bytes_of_string("text"), 1 };

    (void)snprintf(queued->body, sizeof(queued->body), "body %zu", (size_t)expected);
    queued->f = f;
    queued->number = number;
    queued->expected_head = expected + 1;
    queued->record = (struct record){
        { bytes_of_string("s"), expected + 1 }, expected, bytes_of_string("someone"), bytes_of_string(queued->body)
    };
    if (body.n_bytes)
        queued->record.body = body;
    assert_int_equal(store_append(log, expected, &queued->record, 1, &after, on_queued, queued), 0);
    f->loop.n_answers++;
}

static void queue(struct fixture *f, struct store_log *log, struct queued *queued, size_t number, uint64_t expected)
{
    queue_body(f, log, queued, number, expected, bytes_of(NULL, 0));
}

static void queued_appends_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    size_t next = 0, n = 500;
    struct queued *queued = calloc(n, sizeof(*queued));

    assert_non_null(queued);
    f->loop.n_answers = 0;
    for (size_t i = 0; i < n; i++) {
        queued[i].next = &next;
        queue(f, log, &queued[i], i, i);
    }
    assert_int_equal(next, 0);
    loop_until_none(&f->loop, &f->loop.n_answers);
    assert_int_equal(next, n);
    check_records(f, log, 0, n);
    store_log_close(log);
    free(queued);
}

/* Every tenth is large: whatever an engine does with those, the order of answers stays. */
static void large_appends_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    size_t next[2] = { 0 }, n_bytes = 400000;
    struct store_log *logs[2] = { open_log(f, "a"), open_log(f, "b") };
    struct queued *queued = calloc(60, sizeof(*queued));
    char *body = malloc(n_bytes);

    assert_non_null(queued);
    assert_non_null(body);
    for (size_t i = 0; i < n_bytes; i++)
        body[i] = (char)(i * i >> 7);
    f->loop.n_answers = 0;
    for (size_t i = 0; i < 60; i++) {
        queued[i].next = &next[i % 2];
        queue_body(f, logs[i % 2], &queued[i], i / 2, i / 2,
                   i / 2 % 10 == 5 ? bytes_of(body, n_bytes) : bytes_of(NULL, 0));
    }
    loop_until_none(&f->loop, &f->loop.n_answers);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(next[i], 30);
        assert_int_equal(loop_read(&f->loop, logs[i], 0, 30, 10 << 20), 0);
        assert_int_equal(f->loop.n_records, 30);
        for (size_t v = 0; v < 30; v++)
            assert_true(bytes_equal(f->loop.records[v].body, queued[2 * v + i].record.body));
        store_log_close(logs[i]);
    }
    free(body);
    free(queued);
}

static void a_failed_append_fails_those_behind_it(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct queued queued[6] = { 0 };
    uint64_t expected[6] = { 0, 1, 1, 2, 3, 2 };
    size_t next = 0;

    f->loop.n_answers = 0;
    for (size_t i = 0; i < 6; i++) {
        queued[i].next = &next;
        queued[i].expected_r = i < 2 ? 0 : STORE_CONFLICT;
        if (i != 4)
            queue(f, log, &queued[i], i - (i > 4), expected[i]);
    }
    loop_until_none(&f->loop, &f->loop.n_answers);
    assert_int_equal(next, 5);
    store_log_close(log);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 2);
    check_records(f, log, 0, 2);
    store_log_close(log);
}

static void closing_answers_everything(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct queued queued[100] = { 0 };
    size_t next = 0;

    f->loop.n_answers = 0;
    for (size_t i = 0; i < 100; i++) {
        queued[i].next = &next;
        queue(f, log, &queued[i], i, i);
    }
    loop_until_none(&f->loop, &f->loop.n_answers);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    check_records(f, log, 0, 100);
    store_log_close(log);
}

/* ---- find -------------------------------------------------------------------------------------------------------- */

static int append_of(struct fixture *f, struct store_log *log, uint64_t version, const char *src, uint64_t seq)
{
    struct record record = { { bytes_of_string(src), seq }, version, bytes_of_string("ink"), bytes_of_string("b") };
    struct store_state after = { true, bytes_of_string("text"), 1 };

    return loop_append_records(&f->loop, log, version, &record, 1, &after);
}

static void operations_are_found_by_id(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    assert_int_equal(loop_find(&f->loop, log, "x", 1), STORE_NOT_FOUND);
    assert_false(f->loop.has_source);
    assert_int_equal(append_of(f, log, 0, "x", 5), 0);
    assert_int_equal(append_of(f, log, 1, "y", 1), 0);
    assert_int_equal(append_of(f, log, 2, "x", 9), 0);
    assert_int_equal(append_of(f, log, 3, "x", 7), 0);

    assert_int_equal(loop_find(&f->loop, log, "x", 9), 0);
    assert_int_equal(f->loop.version, 2);
    assert_true(f->loop.has_source);
    assert_int_equal(f->loop.source.highest_seq, 9);
    assert_int_equal(f->loop.source.highest_version, 2);
    assert_int_equal(f->loop.source.newest_version, 3);
    assert_int_equal(loop_find(&f->loop, log, "x", 7), 0);
    assert_int_equal(f->loop.version, 3);
    assert_int_equal(loop_find(&f->loop, log, "x", 5), 0);
    assert_int_equal(f->loop.version, 0);
    assert_int_equal(loop_find(&f->loop, log, "x", 10), STORE_NOT_FOUND);
    assert_true(f->loop.has_source);
    assert_int_equal(loop_find(&f->loop, log, "x", 6), STORE_NOT_FOUND);
    assert_true(f->loop.has_source);
    assert_int_equal(loop_find(&f->loop, log, "xx", 5), STORE_NOT_FOUND);
    assert_false(f->loop.has_source);
    store_log_close(log);
}

/* "x" at 0 and 1; then STORE_SEQ_WINDOW - 1 of "y", in appends of many; then "x" again, so that its first is just
 * outside of the window and its second just inside. */
static void old_operations_are_too_old(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct store_state after = { true, bytes_of_string("text"), 1 };
    struct record records[99];
    uint64_t v = 2;

    assert_int_equal(append_of(f, log, 0, "x", 10), 0);
    assert_int_equal(append_of(f, log, 1, "x", 20), 0);
    while (v < STORE_SEQ_WINDOW) {
        size_t n = STORE_SEQ_WINDOW - v < 99 ? (size_t)(STORE_SEQ_WINDOW - v) : 99;

        for (size_t i = 0; i < n; i++)
            records[i] =
                (struct record){ { bytes_of_string("y"), v + i }, v + i, bytes_of_string(""), bytes_of_string("") };
        assert_int_equal(loop_append_records(&f->loop, log, v, records, n, &after), 0);
        v += n;
    }
    assert_int_equal(append_of(f, log, v, "x", 30), 0);
    assert_int_equal(v + 1 - STORE_SEQ_WINDOW, 1);

    for (int round = 0; round < 2; round++) {
        assert_int_equal(loop_find(&f->loop, log, "x", 20), 0);
        assert_int_equal(f->loop.version, 1);
        assert_int_equal(loop_find(&f->loop, log, "x", 10), STORE_TOO_OLD);
        assert_true(f->loop.has_source);
        assert_int_equal(loop_find(&f->loop, log, "x", 30), 0);
        assert_int_equal(f->loop.version, STORE_SEQ_WINDOW);
        assert_int_equal(loop_find(&f->loop, log, "y", 1), STORE_NOT_FOUND);
        store_log_close(log);
        reopen(f);
        log = open_log(f, "a");
    }
    store_log_close(log);
}

/* ---- by time, snapshots ------------------------------------------------------------------------------------------ */

static void versions_by_time(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    uint64_t times[] = { 10, 20, 20, 30 };
    struct store_state after = { true, bytes_of_string("text"), 1 };

    assert_int_equal(loop_version_at(&f->loop, log, 100), 0);
    assert_int_equal(f->loop.version, 0);
    for (uint64_t v = 0; v < 4; v++) {
        struct record record = { { bytes_of_string("s"), v }, times[v], bytes_of_string(""), bytes_of_string("") };

        assert_int_equal(loop_append_records(&f->loop, log, v, &record, 1, &after), 0);
    }
    for (uint64_t ms = 0; ms < 40; ms++) {
        assert_int_equal(loop_version_at(&f->loop, log, ms), 0);
        assert_int_equal(f->loop.version, ms < 10 ? 0 : ms < 20 ? 1 : ms < 30 ? 3 : 4);
    }
    store_log_close(log);
}

static void check_snapshot(struct fixture *f, struct store_log *log, uint64_t at_most, uint64_t version,
                           struct bytes content)
{
    assert_int_equal(loop_snapshot_get(&f->loop, log, at_most), 0);
    assert_int_equal(f->loop.version, version);
    assert_true(bytes_equal(buffer_bytes(&f->loop.bytes), content));
}

static void snapshots_are_kept(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    size_t n_bytes = 1000003;
    char *large = malloc(n_bytes);

    assert_non_null(large);
    for (size_t i = 0; i < n_bytes; i++)
        large[i] = (char)(i * 31 >> 3);
    fill(f, log, 0, 10);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 4, bytes_of_string("at four")), 0);
    check_snapshot(f, log, STORE_NEWEST, 4, bytes_of_string("at four"));
    check_snapshot(f, log, 4, 4, bytes_of_string("at four"));
    check_snapshot(f, log, 3, 0, bytes_of_string(""));
    assert_int_equal(loop_snapshot_put(&f->loop, log, 9, bytes_of(large, n_bytes)), 0);
    for (int round = 0; round < 2; round++) {
        check_snapshot(f, log, STORE_NEWEST, 9, bytes_of(large, n_bytes));
        check_snapshot(f, log, 9, 9, bytes_of(large, n_bytes));
        store_log_close(log);
        reopen(f);
        log = open_log(f, "a");
        assert_int_equal(f->loop.info.snapshot_version, 9);
    }
    assert_int_equal(loop_snapshot_put(&f->loop, log, 10, bytes_of_string("")), 0);
    check_snapshot(f, log, STORE_NEWEST, 10, bytes_of_string(""));
    check_snapshot(f, log, 9, 9, bytes_of(large, n_bytes));
    check_snapshot(f, log, 8, 4, bytes_of_string("at four"));
    store_log_close(log);
    free(large);
}

#define N_SNAPSHOTS   50
#define PER_SNAPSHOT  3
#define CONTENT_BYTES 3000

/* A text that grows and changes here and there. */
static struct bytes content_of(size_t i, char into[CONTENT_BYTES])
{
    size_t n_bytes = 200 + i * 50;

    for (size_t k = 0; k < n_bytes; k++)
        into[k] = (char)('a' + (k * k / 7 + k / 90) % 26);
    for (size_t k = 0; k < i; k++)
        into[(k * 131) % n_bytes] = (char)('A' + k % 26);
    return bytes_of(into, n_bytes);
}

static void check_many_snapshots(struct fixture *f, struct store_log *log)
{
    char content[CONTENT_BYTES];

    for (uint64_t at_most = 0; at_most <= (uint64_t)N_SNAPSHOTS * PER_SNAPSHOT + 1; at_most++) {
        uint64_t i = at_most / PER_SNAPSHOT;

        if (i > N_SNAPSHOTS)
            i = N_SNAPSHOTS;
        check_snapshot(f, log, at_most, i * PER_SNAPSHOT, i ? content_of(i, content) : bytes_of_string(""));
    }
}

static void every_snapshot_stays(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    char content[CONTENT_BYTES];

    fill(f, log, 0, N_SNAPSHOTS * PER_SNAPSHOT);
    for (size_t i = 1; i <= N_SNAPSHOTS; i++)
        assert_int_equal(loop_snapshot_put(&f->loop, log, i * PER_SNAPSHOT, content_of(i, content)), 0);
    check_many_snapshots(f, log);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 5, bytes_of_string("late")), 0);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 6, bytes_of_string("again")), 0);
    check_many_snapshots(f, log); /* neither was needed */
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.snapshot_version, N_SNAPSHOTS * PER_SNAPSHOT);
    check_many_snapshots(f, log);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    check_snapshot(f, log, STORE_NEWEST, 0, bytes_of_string(""));
    store_log_close(log);
}

static int produce_nothing(void *arg, struct buffer *into)
{
    (void)arg;
    (void)buffer_append_string(into, "half");
    return -EIO;
}

struct plain {
    size_t n_pending;
    int r;
};

static void on_plain(void *arg, int r)
{
    struct plain *plain = arg;

    plain->n_pending--;
    plain->r = r;
}

static void what_cannot_be_produced_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct plain plain = { 1, 0 };

    fill(f, log, 0, 2);
    assert_int_equal(store_snapshot_put(log, 1, produce_nothing, on_plain, &plain), 0);
    loop_until_none(&f->loop, &plain.n_pending);
    assert_int_equal(plain.r, -EIO);
    check_snapshot(f, log, STORE_NEWEST, 0, bytes_of_string(""));
    assert_int_equal(loop_snapshot_put(&f->loop, log, 2, bytes_of_string("well")), 0);
    check_snapshot(f, log, STORE_NEWEST, 2, bytes_of_string("well"));
    store_log_close(log);
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

static void check_removed(struct fixture *f, struct store_log *log, uint64_t head)
{
    assert_int_equal(loop_read(&f->loop, log, head, STORE_NEWEST, 1000), 0);
    assert_int_equal(f->loop.n_records, 0);
    assert_int_equal(loop_read(&f->loop, log, 0, 1, 1000), STORE_TOO_OLD);
    assert_int_equal(loop_find(&f->loop, log, "s", 1), STORE_NOT_FOUND);
    assert_false(f->loop.has_source);
    check_snapshot(f, log, STORE_NEWEST, 0, bytes_of_string(""));
    assert_int_equal(
        loop_list(&f->loop, &(struct store_list_query){ .collection = bytes_of_string("notes"), .limit = 10 }), 0);
    assert_int_equal(f->loop.n_entries, 0);
    assert_int_equal(loop_collections(&f->loop), 0);
    assert_int_equal(f->loop.n_collections, 0);
}

static void what_was_removed_is_gone_for_good(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    assert_int_equal(loop_remove(&f->loop, log), 0); /* nothing there */
    fill(f, log, 0, 20);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 15, bytes_of_string("at 15")), 0);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    check_removed(f, log, 20);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 20);
    assert_int_equal(f->loop.info.first, 20);
    assert_false(f->loop.info.state.exists);
    assert_int_equal(f->loop.info.snapshot_version, 0);
    check_removed(f, log, 20);
    store_log_close(log);
}

static void a_name_goes_on_above_what_was_removed(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    fill(f, log, 0, 5);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    assert_int_equal(loop_append(&f->loop, log, 0, "as if new"), STORE_CONFLICT);
    store_log_close(log);
    log = open_log(f, "a");
    fill(f, log, 5, 30);
    for (int round = 0; round < 3; round++) {
        check_records(f, log, 5, 30);
        assert_int_equal(loop_read(&f->loop, log, 4, 30, 1000), STORE_TOO_OLD);
        assert_int_equal(loop_find(&f->loop, log, "s", 6), 0);
        assert_int_equal(f->loop.version, 5);
        assert_int_equal(loop_find(&f->loop, log, "s", 3), STORE_TOO_OLD);
        assert_int_equal(loop_version_at(&f->loop, log, 4), 0);
        assert_int_equal(f->loop.version, 0);
        assert_int_equal(loop_version_at(&f->loop, log, 7), 0);
        assert_int_equal(f->loop.version, 8);
        store_log_close(log);
        if (round < 2)
            reopen(f);
        log = open_log(f, "a");
        assert_int_equal(f->loop.info.head, 30);
        assert_int_equal(f->loop.info.created_ms, 5);
    }
    assert_int_equal(loop_remove(&f->loop, log), 0);
    check_removed(f, log, 30);
    fill(f, log, 30, 31);
    check_records(f, log, 30, 31);
    store_log_close(log);
}

/* ---- records that stand for several ------------------------------------------------------------------------------ */

static struct record merged_record(uint64_t version, uint64_t n_merged, const char *body)
{
    return (struct record){ .id = { bytes_of_string("s"), version + n_merged + 1 },
                            .time_ms = version + n_merged,
                            .author = bytes_of_string("someone"),
                            .body = bytes_of_string(body),
                            .n_merged = n_merged };
}

/* The record of `version`, and nothing else. */
static void check_merged(struct fixture *f, struct store_log *log, uint64_t version, uint64_t n_merged,
                         const char *body)
{
    assert_int_equal(loop_read(&f->loop, log, version, version + 1, 1000), 0);
    assert_int_equal(f->loop.version, version);
    assert_int_equal(f->loop.n_records, 1);
    assert_int_equal(f->loop.records[0].n_merged, n_merged);
    assert_int_equal(f->loop.records[0].time_ms, version + n_merged);
    assert_int_equal(f->loop.records[0].id.seq, version + n_merged + 1);
    check_bytes(f->loop.records[0].id.src, "s");
    check_bytes(f->loop.records[0].author, "someone");
    check_bytes(f->loop.records[0].body, body);
}

/* The log is closed and opened, and its store with it. */
static struct store_log *reopen_log(struct fixture *f, struct store_log *log)
{
    store_log_close(log);
    reopen(f);
    return open_log(f, "a");
}

static void a_record_may_stand_for_several(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record records[] = { merged_record(2, 3, "2 to 6"), merged_record(6, 0, "body 6"),
                                merged_record(7, 1, "7 to 9") };
    struct store_state after = { true, bytes_of_string("text"), 1 };

    fill(f, log, 0, 2);
    assert_int_equal(loop_append_records(&f->loop, log, 2, records, 3, &after), 0);
    assert_int_equal(f->loop.head, 9);
    assert_int_equal(loop_append(&f->loop, log, 5, "too low"), STORE_CONFLICT);
    log = reopen_log(f, log);
    assert_int_equal(f->loop.info.head, 9);
    fill(f, log, 9, 40);
    for (int round = 0; round < 3; round++) {
        check_merged(f, log, 2, 3, "2 to 6");
        check_merged(f, log, 7, 1, "7 to 9");
        check_records(f, log, 0, 2);
        check_records(f, log, 6, 7);
        check_records(f, log, 9, 40);
        for (uint64_t v = 3; v < 6; v++)
            assert_int_equal(loop_read(&f->loop, log, v, STORE_NEWEST, 1000), STORE_TOO_OLD);
        assert_int_equal(loop_read(&f->loop, log, 8, 9, 1000), STORE_TOO_OLD);
        assert_int_equal(loop_read(&f->loop, log, 0, 7, 1000), 0);
        assert_int_equal(f->loop.n_records, 4);
        assert_int_equal(loop_read(&f->loop, log, 0, 8, 1000), 0);
        assert_int_equal(f->loop.n_records, 5);
        log = reopen_log(f, log);
        fill(f, log, 40 + (uint64_t)round, 41 + (uint64_t)round);
    }
    store_log_close(log);
}

static void a_log_may_begin_with_one_that_stands_for_several(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record record = merged_record(0, 9, "0 to 10");
    struct store_state after = { true, bytes_of_string("text"), 1 };

    assert_int_equal(loop_append_records(&f->loop, log, 0, &record, 1, &after), 0);
    assert_int_equal(f->loop.head, 10);
    fill(f, log, 10, 30);
    for (int round = 0; round < 2; round++) {
        check_merged(f, log, 0, 9, "0 to 10");
        check_records(f, log, 10, 30);
        log = reopen_log(f, log);
        assert_int_equal(f->loop.info.head, 30);
        assert_int_equal(f->loop.info.created_ms, 9);
    }
    store_log_close(log);
}

static void merging_replaces_records(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record records[] = { merged_record(5, 9, "5 to 15"), merged_record(15, 0, "body 15"),
                                merged_record(16, 3, "16 to 20") };
    struct record wider = merged_record(3, 11, "3 to 15");

    fill(f, log, 0, 50);
    assert_int_equal(loop_merge(&f->loop, log, 5, records, 3), 0);
    for (int round = 0; round < 2; round++) {
        check_records(f, log, 0, 5);
        check_merged(f, log, 5, 9, "5 to 15");
        check_records(f, log, 15, 16);
        check_merged(f, log, 16, 3, "16 to 20");
        check_records(f, log, 20, 50);
        assert_int_equal(loop_read(&f->loop, log, 6, 50, 1000), STORE_TOO_OLD);
        assert_int_equal(loop_read(&f->loop, log, 19, 50, 1000), STORE_TOO_OLD);
        log = reopen_log(f, log);
        assert_int_equal(f->loop.info.head, 50);
        assert_int_equal(f->loop.info.first, 0);
        assert_int_equal(f->loop.info.created_ms, 0);
        assert_int_equal(f->loop.info.modified_ms, 49);
    }
    assert_int_equal(loop_merge(&f->loop, log, 3, &wider, 1), 0);
    check_records(f, log, 0, 3);
    check_merged(f, log, 3, 11, "3 to 15");
    check_merged(f, log, 16, 3, "16 to 20");
    fill(f, log, 50, 60);
    check_records(f, log, 20, 60);
    store_log_close(log);
}

static void everything_may_be_merged(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record record = merged_record(0, 99, "0 to 100");

    fill(f, log, 0, 100);
    assert_int_equal(loop_merge(&f->loop, log, 0, &record, 1), 0);
    check_merged(f, log, 0, 99, "0 to 100");
    fill(f, log, 100, 110);
    log = reopen_log(f, log);
    check_merged(f, log, 0, 99, "0 to 100");
    check_records(f, log, 100, 110);
    store_log_close(log);
}

static void merging_within_a_record_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record middle = merged_record(5, 4, "5 to 10"), left = merged_record(2, 4, "2 to 7"),
                  right = merged_record(7, 5, "7 to 13"), beyond = merged_record(15, 5, "15 to 21");

    assert_int_equal(loop_merge(&f->loop, log, 5, &middle, 1), STORE_CONFLICT);
    fill(f, log, 0, 20);
    assert_int_equal(loop_merge(&f->loop, log, 5, &middle, 1), 0);
    assert_int_equal(loop_merge(&f->loop, log, 2, &left, 1), STORE_CONFLICT);
    assert_int_equal(loop_merge(&f->loop, log, 7, &right, 1), STORE_CONFLICT);
    assert_int_equal(loop_merge(&f->loop, log, 15, &beyond, 1), STORE_CONFLICT);
    assert_int_equal(loop_merge(&f->loop, log, 20, &middle, 1), STORE_CONFLICT);
    check_records(f, log, 0, 5);
    check_merged(f, log, 5, 4, "5 to 10");
    check_records(f, log, 10, 20);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    assert_int_equal(loop_merge(&f->loop, log, 10, &middle, 1), STORE_CONFLICT);
    store_log_close(log);
    log = open_log(f, "a");
    fill(f, log, 20, 30);
    assert_int_equal(loop_merge(&f->loop, log, 15, &beyond, 1), STORE_CONFLICT);
    check_records(f, log, 20, 30);
    store_log_close(log);
}

static void what_is_too_much_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct store_state after = { true, bytes_of_string("text"), 1 };
    char *body = calloc(1, STORE_MERGE_MAX_BYTES + 1);
    struct record large = merged_record(1, 1, ""),
                  endless[] = { merged_record(5, 0, "five"), merged_record(6, 0, "six") };

    assert_non_null(body);
    large.body = bytes_of(body, STORE_MERGE_MAX_BYTES + 1);
    endless[0].n_merged = UINT64_MAX - 20;
    endless[1].n_merged = 30;
    fill(f, log, 0, 5);
    assert_int_equal(loop_append_records(&f->loop, log, 5, endless, 2, &after), -EOVERFLOW);
    assert_int_equal(loop_merge(&f->loop, log, 0, endless, 2), -EOVERFLOW);
    assert_int_equal(loop_merge(&f->loop, log, 1, &large, 1), -E2BIG);
    large.body.n_bytes--;
    assert_int_equal(loop_merge(&f->loop, log, 1, &large, 1), 0);
    assert_int_equal(loop_read(&f->loop, log, 1, 2, 10), 0);
    assert_true(bytes_equal(f->loop.records[0].body, large.body));
    fill(f, log, 5, 6);
    check_records(f, log, 3, 6);
    store_log_close(log);
    free(body);
}

/* "x" at 0, 1 and 3; what stays of 1 to 4 has the id of the last. */
static void sources_stay_known_after_a_merge(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record record = { .id = { bytes_of_string("x"), 7 },
                             .time_ms = 3,
                             .author = bytes_of_string("ink"),
                             .body = bytes_of_string("b"),
                             .n_merged = 2 };

    assert_int_equal(append_of(f, log, 0, "x", 5), 0);
    assert_int_equal(append_of(f, log, 1, "x", 9), 0);
    assert_int_equal(append_of(f, log, 2, "y", 1), 0);
    assert_int_equal(append_of(f, log, 3, "x", 7), 0);
    assert_int_equal(loop_merge(&f->loop, log, 1, &record, 1), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(loop_find(&f->loop, log, "x", 9), 0);
        assert_int_equal(f->loop.version, 1);
        assert_int_equal(f->loop.source.highest_seq, 9);
        assert_int_equal(f->loop.source.newest_version, 3);
        assert_int_equal(loop_find(&f->loop, log, "y", 1), 0);
        assert_int_equal(f->loop.version, 2);
        assert_int_equal(loop_find(&f->loop, log, "x", 5), 0);
        assert_int_equal(f->loop.version, 0);
        assert_int_equal(loop_find(&f->loop, log, "x", 7), 0);
        assert_int_equal(f->loop.version, 1);
        assert_int_equal(loop_find(&f->loop, log, "x", 8), STORE_TOO_OLD);
        assert_int_equal(loop_find(&f->loop, log, "x", 10), STORE_NOT_FOUND);
        assert_int_equal(loop_find(&f->loop, log, "z", 1), STORE_NOT_FOUND);
        assert_false(f->loop.has_source);
        log = reopen_log(f, log);
    }
    store_log_close(log);
}

static void versions_by_time_skip_what_was_merged(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record records[] = { merged_record(4, 5, "4 to 10"), merged_record(10, 1, "10 to 12") };

    fill(f, log, 0, 20);
    assert_int_equal(loop_merge(&f->loop, log, 4, records, 2), 0);
    for (int round = 0; round < 2; round++) {
        for (uint64_t ms = 0; ms < 25; ms++) {
            uint64_t want = ms < 4 ? ms + 1 : ms < 9 ? 4 : ms < 11 ? 10 : ms < 20 ? ms + 1 : 20;

            assert_int_equal(loop_version_at(&f->loop, log, ms), 0);
            assert_int_equal(f->loop.version, want);
        }
        log = reopen_log(f, log);
    }
    store_log_close(log);
}

static void snapshots_within_merged_records_go(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");
    struct record records[] = { merged_record(4, 5, "4 to 10"), merged_record(10, 9, "10 to 20") };

    fill(f, log, 0, 30);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 10, bytes_of_string("at 10")), 0);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 15, bytes_of_string("at 15")), 0);
    assert_int_equal(loop_merge(&f->loop, log, 4, records, 1), 0);
    check_snapshot(f, log, 15, 15, bytes_of_string("at 15"));
    assert_int_equal(loop_merge(&f->loop, log, 4, records, 2), 0);
    for (int round = 0; round < 2; round++) {
        for (uint64_t v = 11; v < 30; v++) {
            assert_int_equal(loop_snapshot_get(&f->loop, log, v), 0);
            assert_in_range(f->loop.version, 0, 10);
        }
        log = reopen_log(f, log);
        assert_in_range(f->loop.info.snapshot_version, 0, 10);
    }
    assert_int_equal(loop_snapshot_put(&f->loop, log, 20, bytes_of_string("at 20")), 0);
    check_snapshot(f, log, STORE_NEWEST, 20, bytes_of_string("at 20"));
    store_log_close(log);
}

/* ---- beginning at a version -------------------------------------------------------------------------------------- */

static void a_log_begins_at_a_version(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    assert_int_equal(loop_begin_at(&f->loop, log, 7), 0);
    check_removed(f, log, 7);
    for (int round = 0; round < 2; round++) {
        store_log_close(log);
        reopen(f);
        log = open_log(f, "a");
        assert_int_equal(f->loop.info.first, 7);
        assert_int_equal(f->loop.info.head, 7);
        assert_false(f->loop.info.state.exists);
    }
    assert_int_equal(loop_begin_at(&f->loop, log, 7), 0); /* as it is */
    fill(f, log, 7, 20);
    check_records(f, log, 7, 20);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.first, 7);
    fill(f, log, 20, 40);
    check_records(f, log, 7, 40);
    assert_int_equal(loop_read(&f->loop, log, 6, 8, 1000), STORE_TOO_OLD);
    store_log_close(log);
}

static void only_an_empty_log_begins_at_a_version(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    fill(f, log, 0, 3);
    assert_int_equal(loop_begin_at(&f->loop, log, 9), STORE_CONFLICT);
    fill(f, log, 3, 5); /* goes on as before */
    assert_int_equal(loop_remove(&f->loop, log), 0);
    assert_int_equal(loop_begin_at(&f->loop, log, 4), STORE_CONFLICT); /* a removed one had these versions */
    assert_int_equal(loop_begin_at(&f->loop, log, 6), 0);
    assert_int_equal(loop_begin_at(&f->loop, log, 9), 0);
    store_log_close(log);
    reopen(f);
    log = open_log(f, "a");
    assert_int_equal(f->loop.info.head, 9);
    assert_int_equal(loop_begin_at(&f->loop, log, 8), STORE_CONFLICT);
    fill(f, log, 9, 12);
    check_records(f, log, 9, 12);
    store_log_close(log);
}

/* A version that is none: STORE_NEWEST. */
static void nothing_begins_behind_the_last_version(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a"), *other = open_log(f, "b");
    struct record record = merged_record(0, 0, "x");
    struct store_state after = { true, bytes_of_string("text"), 1 };

    assert_int_equal(loop_begin_at(&f->loop, log, STORE_NEWEST), -EOVERFLOW);
    assert_int_equal(loop_begin_at(&f->loop, log, STORE_NEWEST - 1), 0);
    assert_int_equal(loop_append_records(&f->loop, log, STORE_NEWEST - 1, &record, 1, &after), -EOVERFLOW);
    assert_int_equal(loop_append_records(&f->loop, log, STORE_NEWEST, &record, 1, &after), -EOVERFLOW);
    assert_int_equal(loop_merge(&f->loop, log, STORE_NEWEST, &record, 1), -EOVERFLOW);
    fill(f, other, 0, 5);
    store_log_close(log);
    store_log_close(other);
    reopen(f);
    other = open_log(f, "b");
    fill(f, other, 5, 20);
    check_records(f, other, 0, 20);
    store_log_close(other);
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */

static void check_list(struct fixture *f, const char *prefix, const char *after, const char *type, size_t limit,
                       const char *ids, bool more)
{
    struct buffer found;

    buffer_init(&found, 10000);
    assert_int_equal(
        loop_list(&f->loop, &(struct store_list_query){ bytes_of_string("notes"), bytes_of_string(prefix),
                                                        bytes_of_string(after), bytes_of_string(type), limit }),
        0);
    for (size_t i = 0; i < f->loop.n_entries; i++) {
        (void)buffer_append(&found, f->loop.entries[i].id.at, f->loop.entries[i].id.n_bytes);
        (void)buffer_append(&found, " ", 1);
    }
    assert_int_equal(buffer_append(&found, "", 1), 0);
    assert_string_equal(found.at, ids);
    assert_int_equal(f->loop.more, more);
    buffer_finish(&found);
}

static void put_log(struct fixture *f, const char *collection, const char *id, const char *type, bool exists)
{
    struct store_log *log = loop_open_log(&f->loop, collection, id, NULL);
    uint64_t head = f->loop.info.head;
    struct record record = { { bytes_of_string("s"), head }, head + 1, bytes_of_string(""), bytes_of_string("x") };
    struct store_state after = { exists, bytes_of_string(type), head };

    assert_int_equal(loop_append_records(&f->loop, log, head, &record, 1, &after), 0);
    store_log_close(log);
}

static void lists_are_in_order(void **state)
{
    struct fixture *f = *state;
    const char *ids[] = { "b", "a", "ab", "c", "abc", "aa", "b/1", "\xc3\xa9" };

    for (size_t i = 0; i < 8; i++)
        put_log(f, "notes", ids[i], i % 2 ? "json" : "text", true);
    put_log(f, "note", "x", "text", true);
    put_log(f, "notes2", "x", "text", true);
    put_log(f, "notes", "aa", "", false);

    for (int round = 0; round < 2; round++) {
        check_list(f, "", "", "", 100, "a ab abc b b/1 c \xc3\xa9 ", false);
        check_list(f, "", "", "", 7, "a ab abc b b/1 c \xc3\xa9 ", false);
        check_list(f, "", "", "", 3, "a ab abc ", true);
        check_list(f, "", "abc", "", 3, "b b/1 c ", true);
        check_list(f, "", "abb", "", 3, "abc b b/1 ", true);
        check_list(f, "ab", "", "", 3, "ab abc ", false);
        check_list(f, "ab", "ab", "", 3, "abc ", false);
        check_list(f, "ab", "zz", "", 3, "", false);
        check_list(f, "ab", "a", "", 1, "ab ", true);
        check_list(f, "", "", "text", 10, "ab abc b b/1 ", false);
        check_list(f, "", "", "json", 2, "a c ", true);
        check_list(f, "b", "", "json", 2, "", false);
        reopen(f);
    }
    put_log(f, "notes", "aa", "text", true);
    check_list(f, "", "", "", 2, "a aa ", true);
}

/* Every log, three at a time. */
static void check_all(struct fixture *f, bool deleted, const char *names)
{
    struct store_list_query query = { .limit = 3, .deleted = deleted, .all = true };
    char collection[128], id[128];
    struct buffer found;

    buffer_init(&found, 10000);
    do {
        assert_int_equal(loop_list(&f->loop, &query), 0);
        for (size_t i = 0; i < f->loop.n_entries; i++) {
            query.collection = bytes_of(collection, f->loop.entries[i].collection.n_bytes);
            query.after = bytes_of(id, f->loop.entries[i].id.n_bytes);
            memcpy(collection, f->loop.entries[i].collection.at, query.collection.n_bytes);
            memcpy(id, f->loop.entries[i].id.at, query.after.n_bytes);
            (void)buffer_printf(&found, "%.*s/%.*s ", (int)query.collection.n_bytes, collection,
                                (int)query.after.n_bytes, id);
        }
    } while (f->loop.more);
    assert_int_equal(buffer_append(&found, "", 1), 0);
    assert_string_equal(found.at, names);
    buffer_finish(&found);
}

static void all_logs_are_listed_in_order_of_their_names(void **state)
{
    struct fixture *f = *state;
    struct store_log *log;

    check_all(f, true, "");
    put_log(f, "b", "2", "text", true);
    put_log(f, "b", "1", "text", true);
    put_log(f, "ba", "0", "json", true);
    put_log(f, "a", "z", "text", true);
    put_log(f, "b", "3", "", false);
    put_log(f, "a", "gone", "text", true);
    put_log(f, "c", "only", "", false);
    log = loop_open_log(&f->loop, "a", "gone", NULL);
    assert_int_equal(loop_remove(&f->loop, log), 0);
    store_log_close(log);
    log = loop_open_log(&f->loop, "b", "0", NULL);
    assert_int_equal(loop_begin_at(&f->loop, log, 5), 0);
    store_log_close(log);
    for (int round = 0; round < 2; round++) {
        check_all(f, true, "a/z b/1 b/2 b/3 ba/0 c/only ");
        check_all(f, false, "a/z b/1 b/2 ba/0 ");
        reopen(f);
    }
}

static void deleted_logs_are_listed_when_asked_for(void **state)
{
    struct fixture *f = *state;
    struct store_list_query query = { .collection = bytes_of_string("notes"), .limit = 9, .deleted = true };

    put_log(f, "notes", "a", "text", true);
    put_log(f, "notes", "b", "", false);
    put_log(f, "other", "c", "", false);
    assert_int_equal(loop_list(&f->loop, &query), 0);
    assert_int_equal(f->loop.n_entries, 2);
    check_bytes(f->loop.entries[1].collection, "notes");
    check_bytes(f->loop.entries[1].id, "b");
    assert_false(f->loop.entries[1].info.state.exists);
    assert_int_equal(f->loop.entries[1].info.head, 1);
    query.type = bytes_of_string("text");
    assert_int_equal(loop_list(&f->loop, &query), 0);
    assert_int_equal(f->loop.n_entries, 1);
}

static void lists_tell_of_each_log(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = open_log(f, "a");

    fill(f, log, 0, 8);
    assert_int_equal(loop_snapshot_put(&f->loop, log, 6, bytes_of_string("six")), 0);
    store_log_close(log);
    check_list(f, "", "", "", 2, "a ", false);
    assert_int_equal(f->loop.entries[0].info.head, 8);
    assert_int_equal(f->loop.entries[0].info.created_ms, 0);
    assert_int_equal(f->loop.entries[0].info.modified_ms, 7);
    assert_int_equal(f->loop.entries[0].info.snapshot_version, 6);
    assert_int_equal(f->loop.entries[0].info.state.n_bytes, 7);
    check_bytes(f->loop.entries[0].info.state.type, "text");
}

static void created_is_since_it_last_came_to_exist(void **state)
{
    struct fixture *f = *state;
    bool exists[] = { true, true, false, false, true, true };
    uint64_t created[] = { 1, 1, 1, 1, 5, 5 };

    for (size_t i = 0; i < 6; i++) {
        put_log(f, "notes", "a", "text", exists[i]);
        store_log_close(open_log(f, "a"));
        assert_int_equal(f->loop.info.created_ms, created[i]);
        assert_int_equal(f->loop.info.modified_ms, i + 1);
        assert_int_equal(f->loop.info.state.exists, exists[i]);
        check_list(f, "", "", "", 10, exists[i] ? "a " : "", false);
    }
}

static void collections_count_what_exists(void **state)
{
    struct fixture *f = *state;

    put_log(f, "b", "1", "text", true);
    put_log(f, "a", "1", "text", true);
    put_log(f, "b", "2", "text", true);
    put_log(f, "c", "1", "text", false);
    put_log(f, "b", "3", "text", true);
    put_log(f, "b", "2", "", false);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(loop_collections(&f->loop), 0);
        assert_int_equal(f->loop.n_collections, 2);
        check_bytes(f->loop.collections[0].name, "a");
        assert_int_equal(f->loop.collections[0].n_documents, 1);
        check_bytes(f->loop.collections[1].name, "b");
        assert_int_equal(f->loop.collections[1].n_documents, 2);
        reopen(f);
    }
}

static void small_values_are_kept(void **state)
{
    struct fixture *f = *state;
    char value[4096];

    memset(value, 'v', sizeof(value));
    assert_int_equal(loop_meta_get(&f->loop, "key"), STORE_NOT_FOUND);
    assert_int_equal(loop_meta_put(&f->loop, "key", bytes_of(value, 10)), 0);
    assert_int_equal(loop_meta_put(&f->loop, "kez", bytes_of_string("")), 0);
    assert_int_equal(loop_meta_put(&f->loop, "key", bytes_of(value, sizeof(value))), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(loop_meta_get(&f->loop, "key"), 0);
        assert_true(bytes_equal(buffer_bytes(&f->loop.bytes), bytes_of(value, sizeof(value))));
        assert_int_equal(loop_meta_get(&f->loop, "kez"), 0);
        assert_int_equal(f->loop.bytes.n_bytes, 0);
        assert_int_equal(loop_meta_get(&f->loop, "ke"), STORE_NOT_FOUND);
        reopen(f);
    }
}

static void a_new_store_is_healthy(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store_health(f->loop.store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int store_contract_run(const struct contract_subject *given)
{
    const struct CMUnitTest contract[] = {
        TEST(unwritten_log_is_empty),
        TEST(one_handle_a_name),
        TEST(names_are_bytes),
        TEST(what_was_appended_is_read),
        TEST(several_records_are_one_append),
        TEST(large_record),
        TEST(read_is_sliced),
        TEST(wrong_version_is_a_conflict),
        TEST(queued_appends_are_answered_in_order),
        TEST(large_appends_are_answered_in_order),
        TEST(a_failed_append_fails_those_behind_it),
        TEST(closing_answers_everything),
        TEST(operations_are_found_by_id),
        TEST(old_operations_are_too_old),
        TEST(versions_by_time),
        TEST(snapshots_are_kept),
        TEST(every_snapshot_stays),
        TEST(what_cannot_be_produced_is_not_kept),
        TEST(what_was_removed_is_gone_for_good),
        TEST(a_name_goes_on_above_what_was_removed),
        TEST(a_record_may_stand_for_several),
        TEST(a_log_may_begin_with_one_that_stands_for_several),
        TEST(merging_replaces_records),
        TEST(everything_may_be_merged),
        TEST(merging_within_a_record_is_a_conflict),
        TEST(what_is_too_much_is_refused),
        TEST(sources_stay_known_after_a_merge),
        TEST(versions_by_time_skip_what_was_merged),
        TEST(snapshots_within_merged_records_go),
        TEST(a_log_begins_at_a_version),
        TEST(only_an_empty_log_begins_at_a_version),
        TEST(nothing_begins_behind_the_last_version),
        TEST(lists_are_in_order),
        TEST(all_logs_are_listed_in_order_of_their_names),
        TEST(deleted_logs_are_listed_when_asked_for),
        TEST(lists_tell_of_each_log),
        TEST(created_is_since_it_last_came_to_exist),
        TEST(collections_count_what_exists),
        TEST(small_values_are_kept),
        TEST(a_new_store_is_healthy),
    };

    subject = given;
    return cmocka_run_group_tests_name(given->name, contract, NULL, NULL);
}
