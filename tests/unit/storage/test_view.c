/* What lies in rows and segments and what lies in the inbox are one, and what the worker has at hand is never older
 * than what is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/storage/place.h"

#define N_LOGS  500
#define A_PAGE  7
#define ID_SIZE 16

struct fixture {
    struct place *place;
    struct store_loop loop;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->place = place_create();
    loop_init(&f->loop);
    f->loop.store = place_open(f->place, &f->loop, &store_lmdb_tuning_default);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->loop.store);
    place_destroy(f->place);
    loop_finish(&f->loop);
    free(f);
    return 0;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static void id_of(size_t i, char into[ID_SIZE])
{
    (void)snprintf(into, ID_SIZE, "%05u", (unsigned)i);
}

/* Some are packed, some are not, some both; every seventh is removed. */
static void log_put(struct fixture *f, size_t i, bool removes)
{
    struct store_log *log;
    char id[ID_SIZE];

    id_of(i, id);
    log = loop_open_log(&f->loop, "notes", id, NULL);
    assert_int_equal(loop_append(&f->loop, log, f->loop.info.head, "text"), 0);
    if (removes)
        assert_int_equal(loop_remove(&f->loop, log), 0);
    store_log_close(log);
}

static void logs_put(struct fixture *f)
{
    for (size_t i = 0; i < N_LOGS; i++)
        if (i % 3 < 2)
            log_put(f, i, false);
    log_put(f, N_LOGS, false);
    assert_int_equal(loop_pack(&f->loop), 0);
    for (size_t i = 0; i < N_LOGS; i++)
        if (i % 3 > 0)
            log_put(f, i, i % 7 == 0);
    for (size_t i = 0; i < N_LOGS; i++)
        if (i % 7 == 0 && i % 3 == 0)
            log_put(f, i, true);
}

/* Pages behind whatever place, there or not. */
static void pages_come_from_rows_and_inbox(void **state)
{
    struct fixture *f = *state;
    char after[ID_SIZE], id[ID_SIZE];

    logs_put(f);
    for (size_t i = 0; i < N_LOGS; i++) {
        struct store_list_query query = { .collection = bytes_of_string("notes"), .limit = A_PAGE };
        size_t next = i + 1;

        id_of(i, after);
        query.after = bytes_of_string(after);
        assert_int_equal(loop_list(&f->loop, &query), 0);
        for (size_t k = 0; k < f->loop.n_entries; k++, next++) {
            next += next % 7 == 0 && next < N_LOGS;
            id_of(next, id);
            assert_true(bytes_equal(f->loop.entries[k].id, bytes_of_string(id)));
            assert_int_equal(f->loop.entries[k].info.head, next < N_LOGS && next % 3 == 1 ? 2 : 1);
        }
        assert_int_equal(f->loop.more, next <= N_LOGS);
        assert_true(f->loop.n_entries == A_PAGE || next == N_LOGS + 1);
    }
}

/* ---- a segment at hand ------------------------------------------------------------------------------------------- */

static void check_body(struct fixture *f, struct store_log *log, uint64_t version, const char *body)
{
    assert_int_equal(loop_read(&f->loop, log, version, version + 1, 1), 0);
    assert_int_equal(f->loop.n_records, 1);
    assert_true(bytes_equal(f->loop.records[0].body, bytes_of_string(body)));
}

static struct store_log *two_records(struct fixture *f)
{
    struct store_log *log = loop_open_log(&f->loop, "notes", "a", NULL);

    assert_int_equal(loop_append(&f->loop, log, 0, "zero"), 0);
    assert_int_equal(loop_append(&f->loop, log, 1, "one"), 0);
    assert_int_equal(loop_pack(&f->loop), 0);
    check_body(f, log, 0, "zero");
    check_body(f, log, 1, "one");
    return log;
}

static void what_a_fold_adds_to_it_is_seen(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = two_records(f);

    assert_int_equal(loop_append(&f->loop, log, 2, "two"), 0);
    check_body(f, log, 1, "one");
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_segments, 1);
    check_body(f, log, 2, "two");
    check_body(f, log, 0, "zero");
    store_log_close(log);
}

/* In place of bytes that are as many. */
static void what_a_merge_puts_there_is_seen(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = two_records(f);
    struct record other = { .id = { bytes_of_string("s"), 1 }, .time_ms = 1, .body = bytes_of_string("two") };

    assert_int_equal(loop_merge(&f->loop, log, 1, &other, 1), 0);
    check_body(f, log, 1, "two");
    other = (struct record){ .id = { bytes_of_string("s"), 1 }, .n_merged = 1, .body = bytes_of_string("both") };
    assert_int_equal(loop_merge(&f->loop, log, 0, &other, 1), 0);
    check_body(f, log, 0, "both");
    assert_int_equal(loop_read(&f->loop, log, 1, 2, 1), STORE_TOO_OLD);
    store_log_close(log);
}

static void one_of_another_file_is_seen(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = two_records(f);

    assert_int_equal(loop_compact(&f->loop), 0);
    check_body(f, log, 1, "one");
    assert_int_equal(loop_remove(&f->loop, log), 0);
    assert_int_equal(loop_append(&f->loop, log, 2, "new"), 0);
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_read(&f->loop, log, 1, 2, 1), STORE_TOO_OLD);
    check_body(f, log, 2, "new");
    store_log_close(log);
}

/* ---- open segments ----------------------------------------------------------------------------------------------- */

#define LARGE_BYTES 8000
#define N_SMALL     20

/* Hardly to be packed. */
static void random_body(char into[LARGE_BYTES + 1])
{
    uint32_t random = 1;

    for (size_t i = 0; i < LARGE_BYTES; i++) {
        random = random * 1664525 + 1013904223;
        into[i] = (char)('0' + (random >> 26));
    }
    into[LARGE_BYTES] = 0;
}

static void append_and_pack(struct fixture *f, struct store_log *log, uint64_t version, const char *body,
                            uint64_t n_segments)
{
    assert_int_equal(loop_append(&f->loop, log, version, body), 0);
    assert_int_equal(loop_pack(&f->loop), 0);
    assert_int_equal(loop_sizes(&f->loop), 0);
    assert_int_equal(f->loop.sizes.n_segments, n_segments);
}

static void a_segment_is_written_anew_with_as_much_as_it_holds(void **state)
{
    struct fixture *f = *state;
    struct store_log *log = loop_open_log(&f->loop, "notes", "a", NULL);
    char large[LARGE_BYTES + 1];

    random_body(large);
    append_and_pack(f, log, 0, large, 1);
    for (uint64_t version = 1; version <= N_SMALL; version++)
        append_and_pack(f, log, version, "small", 2);
    append_and_pack(f, log, N_SMALL + 1, large, 1);
    check_body(f, log, 0, large);
    for (uint64_t version = 1; version <= N_SMALL; version++)
        check_body(f, log, version, "small");
    check_body(f, log, N_SMALL + 1, large);
    store_log_close(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_come_from_rows_and_inbox),
        TEST(what_a_fold_adds_to_it_is_seen),
        TEST(what_a_merge_puts_there_is_seen),
        TEST(one_of_another_file_is_seen),
        TEST(a_segment_is_written_anew_with_as_much_as_it_holds),
    };

    return cmocka_run_group_tests_name("views", tests, NULL, NULL);
}
