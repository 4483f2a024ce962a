/* Who watches a collection hears every committed operation of it once, whatever becomes of the documents. */
#include <errno.h>
#include <inttypes.h>

#include "doc/collection.h"
#include "tests/lib/alloc_fault.h"
#include "tests/unit/doc/fixture.h"

struct listener {
    struct watcher watcher;
    struct fixture *f;
    const char *who;
    struct listener *victim; /* leaves when this one is told something */
};

static void on_news(struct watcher *watcher, struct news *news)
{
    struct listener *listener = LIST_ENTRY(watcher, struct listener, watcher);
    struct bytes id = document_name(news->document).id;

    assert_true(document_head(news->document) > news->op->version);
    (void)buffer_printf(&listener->f->journal, "%s hears %.*s %" PRIu64 "\n", listener->who, (int)id.n_bytes,
                        (const char *)id.at, news->op->version);
    if (listener->victim)
        watcher_leave(&listener->victim->watcher);
}

static void watch(struct fixture *f, struct listener *listener, const char *who, const char *collection)
{
    *listener = (struct listener){ .f = f, .who = who };
    watcher_init(&listener->watcher, on_news);
    assert_int_equal(hub_watch(f->hub, bytes_of_string(collection), &listener->watcher), 0);
}

static void write(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body)
{
    submit(f, document, id, version, body);
    settle(f);
}

static void fail_append(struct fixture *f, enum sim_fault_kind kind, int r)
{
    store_sim_fault(f->store, &(struct sim_fault){ .calls = SIM_APPEND, .n_strikes = 1, .kind = kind, .r = r });
}

static void every_document_of_the_collection_is_heard_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct listener w, other;

    watch(f, &w, "w", "c");
    watch(f, &other, "other", "d");
    write(f, "n", "a/1", 0, TEXT);
    write(f, "m", "a/2", 0, TEXT);
    write(f, "n", "a/3", 1, "{\"op\":[\"x\"]}");
    write(f, "n", "a/4", 2, "{\"del\":true}");
    expect(f, "a/1 accepted\na/1 done at 0\nw hears n 0\na/2 accepted\na/2 done at 0\nw hears m 0\n"
              "a/3 accepted\na/3 done at 1\nw hears n 1\na/4 accepted\na/4 done at 2\nw hears n 2\n");
    watcher_leave(&w.watcher);
    watcher_leave(&other.watcher);
    write(f, "n", "a/5", 3, TEXT);
    expect(f, "a/5 accepted\na/5 done at 3\n");
}

static void what_is_not_durable_is_no_news(void **state)
{
    struct fixture *f = *state;
    struct listener w;

    watch(f, &w, "w", "c");
    store_sim_hold(f->store, SIM_APPEND);
    write(f, "n", "a/1", 0, TEXT);
    expect(f, "a/1 accepted\n");
    store_sim_hold(f->store, 0);
    settle(f);
    expect(f, "a/1 done at 0\nw hears n 0\n");
    watcher_leave(&w.watcher);
}

static void loading_a_document_is_no_news(void **state)
{
    struct fixture *f = *state;
    struct listener w;

    f->is_quiet = true;
    write(f, "n", "a/1", 0, TEXT);
    write(f, "n", "a/2", 1, "{\"op\":[\"x\"]}");
    fixture_restart(f);
    watch(f, &w, "w", "c");
    read_snapshot(f, "n", "r");
    settle(f);
    f->is_quiet = false;
    write(f, "n", "a/3", 2, "{\"op\":[\"x\"]}");
    expect(f, "a/3 accepted\na/3 done at 2\nw hears n 2\n");
    watcher_leave(&w.watcher);
}

static void reading_again_after_a_failure_repeats_nothing(void **state)
{
    struct fixture *f = *state;
    struct listener w;

    watch(f, &w, "w", "c");
    write(f, "n", "a/1", 0, TEXT);
    fail_append(f, SIM_FAILS, -EIO);
    write(f, "n", "a/2", 1, "{\"op\":[\"x\"]}");
    write(f, "n", "a/2", 1, "{\"op\":[\"x\"]}");
    expect(f, "a/1 accepted\na/1 done at 0\nw hears n 0\na/2 accepted\na/2 failed EIO\n"
              "a/2 accepted\na/2 done at 1\nw hears n 1\n");
    assert_int_equal(figures(f).n_reloads, 1);
    watcher_leave(&w.watcher);
}

static void what_had_been_committed_after_all_is_heard_once(void **state)
{
    static const int answers[] = { STORE_UNKNOWN, -EIO };
    struct fixture *f = *state;
    struct listener w;

    watch(f, &w, "w", "c");
    write(f, "n", "a/0", 0, TEXT);
    buffer_reset(&f->journal);
    f->is_quiet = true;
    for (size_t i = 0; i < 2; i++) {
        fail_append(f, SIM_DONE_ANYWAY, answers[i]);
        write(f, "n", i ? "a/2" : "a/1", 1 + i, "{\"op\":[\"x\"]}");
        read_snapshot(f, "n", "r");
        settle(f);
    }
    write(f, "n", "a/2", 2, "{\"op\":[\"x\"]}");
    f->is_quiet = false;
    expect(f, "w hears n 1\nw hears n 2\n");
    expect_log(f, "n", 3, "\"xx\"");
    watcher_leave(&w.watcher);
}

static void what_somebody_else_did_to_an_open_document_is_heard(void **state)
{
    const struct store_state after = { true, bytes_of_string("http://sharejs.org/types/text-unicode"), 6 };
    struct fixture *f = *state;
    const struct record record = { .id = { bytes_of_string("z"), 1 },
                                   .time_ms = f->now_ms,
                                   .author = bytes_of_string("z"),
                                   .body = bytes_of_string("{\"op\":[\"z\"]}") };
    struct listener w;

    watch(f, &w, "w", "c");
    write(f, "n", "a/1", 0, TEXT);
    store_sim_append_foreign(f->store, fixture_name("n"), &record, &after, true);
    settle(f);
    expect(f, "a/1 accepted\na/1 done at 0\nw hears n 0\nw hears n 1\n");
    watcher_leave(&w.watcher);
}

static void a_watcher_may_leave_and_make_others_leave_from_inside(void **state)
{
    struct fixture *f = *state;
    struct listener w, x, y;

    watch(f, &w, "w", "c");
    watch(f, &x, "x", "c");
    watch(f, &y, "y", "c");
    w.victim = &x;
    y.victim = &y;
    write(f, "n", "a/1", 0, TEXT);
    w.victim = &w;
    write(f, "n", "a/2", 1, "{\"op\":[\"x\"]}");
    write(f, "n", "a/3", 2, "{\"op\":[\"x\"]}");
    expect(f, "a/1 accepted\na/1 done at 0\nw hears n 0\ny hears n 0\n"
              "a/2 accepted\na/2 done at 1\nw hears n 1\na/3 accepted\na/3 done at 2\n");
}

static void watching_does_not_keep_documents_loaded(void **state)
{
    struct fixture *f = *state;
    struct listener w;

    f->config.n_idle_max = 0;
    fixture_restart(f);
    watch(f, &w, "w", "c");
    write(f, "n", "a/1", 0, TEXT);
    assert_int_equal(figures(f).n_documents, 0);
    write(f, "n", "a/2", 1, "{\"op\":[\"x\"]}");
    expect(f, "a/1 accepted\na/1 done at 0\nw hears n 0\na/2 accepted\na/2 done at 1\nw hears n 1\n");
    watcher_leave(&w.watcher);
}

static void without_memory_nothing_is_watched(void **state)
{
    struct fixture *f = *state;
    struct listener w = { .f = f };

    watcher_init(&w.watcher, on_news);
    alloc_fault_arm(0, ALLOC_FAULT_ONCE);
    assert_int_equal(hub_watch(f->hub, bytes_of_string("c"), &w.watcher), -ENOMEM);
    assert_true(alloc_fault_disarm());
    watcher_leave(&w.watcher);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_document_of_the_collection_is_heard_and_no_other),
        TEST(what_is_not_durable_is_no_news),
        TEST(loading_a_document_is_no_news),
        TEST(reading_again_after_a_failure_repeats_nothing),
        TEST(what_had_been_committed_after_all_is_heard_once),
        TEST(what_somebody_else_did_to_an_open_document_is_heard),
        TEST(a_watcher_may_leave_and_make_others_leave_from_inside),
        TEST(watching_does_not_keep_documents_loaded),
        TEST(without_memory_nothing_is_watched),
    };

    return cmocka_run_group_tests_name("doc collection", tests, NULL, NULL);
}
