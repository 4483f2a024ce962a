/* The ground floor: buffers with ceilings, lists that may change while they are walked, names, frames. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/frame.h"
#include "base/frame_queue.h"
#include "base/list.h"
#include "base/mapped.h"
#include "base/name.h"
#include "base/pool.h"
#include "base/world.h"

static void buffer_grows_and_keeps(void **state)
{
    struct buffer buffer;

    buffer_init(&buffer, 1 << 20);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buffer_printf(&buffer, "%d,", i), 0);
    assert_int_equal(buffer.n_bytes, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(buffer.at + buffer.n_bytes - 8, "998,999,", 8);
    buffer_finish(&buffer);
}

static void buffer_beyond_its_ceiling_is_empty_and_stays_failed(void **state)
{
    struct buffer buffer;

    buffer_init(&buffer, 10);
    assert_int_equal(buffer_append(&buffer, "0123456789", 10), 0);
    assert_int_equal(buffer_append_string(&buffer, "x"), -E2BIG);
    assert_int_equal(buffer.n_bytes, 0);
    assert_null(buffer.at);
    assert_int_equal(buffer_append_string(&buffer, "y"), -E2BIG);
    buffer_reset(&buffer);
    assert_int_equal(buffer_append_u64(&buffer, 42), 0);
    assert_memory_equal(buffer.at, "42", 2);
    buffer_finish(&buffer);
}

static void buffer_begins_in_memory_that_is_lent(void **state)
{
    char first[4];
    struct buffer buffer;

    buffer_init_in(&buffer, 8, first, sizeof(first));
    assert_int_equal(buffer_append(&buffer, "0123", 4), 0);
    assert_ptr_equal(buffer.at, first);
    assert_int_equal(buffer_append(&buffer, "4", 1), 0);
    assert_ptr_not_equal(buffer.at, first);
    assert_memory_equal(buffer.at, "01234", 5);
    assert_int_equal(buffer_append(&buffer, "5678", 4), -E2BIG);
    assert_null(buffer.at);
    buffer_init_in(&buffer, 2, first, sizeof(first));
    assert_int_equal(buffer_append(&buffer, "012", 3), -E2BIG);
    buffer_finish(&buffer);
}

static void a_mapped_buffer_is_as_any_other(void **state)
{
    struct buffer buffer;
    char *room;

    (void)state;
    buffer_init_mapped(&buffer, 1000000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buffer_printf(&buffer, "%05d,", i), 0);
    assert_memory_equal(buffer.at, "00000,00001,", 12);
    assert_memory_equal(buffer.at + buffer.n_bytes - 12, "99998,99999,", 12);
    room = buffer_room(&buffer, 400000); /* to its last byte, which is not that of a page */
    assert_non_null(room);
    memset(room, 'x', 400000);
    buffer_grew(&buffer, 400000);
    assert_int_equal(buffer_append_string(&buffer, "y"), -E2BIG);
    assert_null(buffer.at);
    buffer_reset(&buffer);
    assert_int_equal(buffer_append_string(&buffer, "again"), 0);
    assert_memory_equal(buffer.at, "again", 5);
    buffer_finish(&buffer);
    assert_null(buffer.at);
    assert_int_equal(buffer_append_string(&buffer, "and again"), 0);
    buffer_finish(&buffer);
}

static void what_is_mapped_stays_while_there_is_more_of_it(void **state)
{
    struct mapped mapped = { 0 };
    const char *before;

    (void)state;
    assert_int_equal(mapped_reserve(&mapped, 1), 0);
    assert_int_equal(mapped.n_bytes, MAPPED_LEAST_BYTES);
    memset(mapped.at, 'x', mapped.n_bytes);
    assert_int_equal(mapped_reserve(&mapped, MAPPED_LEAST_BYTES + 1), 0);
    assert_int_equal(mapped.n_bytes, 2 * MAPPED_LEAST_BYTES);
    before = mapped.at;
    assert_true(before[0] == 'x' && before[MAPPED_LEAST_BYTES - 1] == 'x');
    assert_int_equal(mapped_reserve(&mapped, 10), 0);
    assert_ptr_equal(mapped.at, before);
    assert_int_equal(mapped_reserve(&mapped, SIZE_MAX), -ENOMEM);
    assert_ptr_equal(mapped.at, before);
    mapped_finish(&mapped);
    assert_null(mapped.at);
    mapped_finish(&mapped);
}

static void buffer_writes_the_largest_number(void **state)
{
    struct buffer buffer;

    buffer_init(&buffer, 64);
    assert_int_equal(buffer_append_u64(&buffer, UINT64_MAX), 0);
    assert_int_equal(buffer_append_u64(&buffer, 0), 0);
    assert_memory_equal(buffer.at, "184467440737095516150", 21);
    buffer_finish(&buffer);
}

struct listener {
    struct list link;
    struct listener *evicts;
    int n_told;
};

static void lists_are_joined(void **state)
{
    struct list head, other, nodes[3];

    (void)state;
    list_init(&head);
    list_init(&other);
    list_append_all(&head, &other);
    assert_true(list_is_empty(&head));
    list_append(&other, &nodes[0]);
    list_append_all(&head, &other);
    assert_true(list_is_empty(&other));
    list_append(&other, &nodes[1]);
    list_append(&other, &nodes[2]);
    list_append_all(&head, &other);
    assert_true(list_is_empty(&other));
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(list_pop(&head), &nodes[i]);
    assert_null(list_pop(&head));
}

/* The walk that list.h describes. */
static void tell_all(struct list *listeners)
{
    struct list waiting;
    struct list *node;

    list_take(listeners, &waiting);
    while ((node = list_pop(&waiting))) {
        struct listener *listener = LIST_ENTRY(node, struct listener, link);

        list_append(listeners, node);
        listener->n_told++;
        if (listener->evicts)
            list_remove(&listener->evicts->link);
    }
}

static void the_second_listener_removes_the_third(void **state)
{
    struct listener a = { .n_told = 0 }, b = { .evicts = NULL }, c = { .n_told = 0 };
    struct list listeners;

    list_init(&listeners);
    list_append(&listeners, &a.link);
    list_append(&listeners, &b.link);
    list_append(&listeners, &c.link);
    b.evicts = &c;
    tell_all(&listeners);
    assert_int_equal(a.n_told + b.n_told, 2);
    assert_int_equal(c.n_told, 0);
    b.evicts = &b;
    tell_all(&listeners);
    assert_ptr_equal(listeners.next, &a.link);
    assert_ptr_equal(listeners.previous, &a.link);
}

static void frames_live_as_long_as_a_reference(void **state)
{
    struct frame *frame = frame_create(bytes_of_string("hello"));

    assert_ptr_equal(frame_ref(frame), frame);
    frame_unref(frame);
    assert_int_equal(frame->n_bytes, 5);
    assert_memory_equal(frame->content, "hello", 5);
    frame_unref(frame);
    frame_unref(NULL);
}

static const struct row {
    const char *title;
    struct bytes name;
    bool is_allowed;
} names[] = {
#define ROW(title, literal, allowed)                                                                                   \
    {                                                                                                                  \
        title, { literal, sizeof(literal) - 1 }, allowed                                                               \
    }
    ROW("a plain word", "notes", true),
    ROW("a slash, a dot and a space", "a/b.c d", true),
    ROW("beyond the BMP", "\xf0\x9f\x98\x80", true),
    ROW("128 bytes",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        true),
    ROW("129 bytes",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX",
        false),
    ROW("empty", "", false),
    ROW("a zero byte", "a\0b", false),
    ROW("a tabulator", "a\tb", false),
    ROW("delete", "a\x7f", false),
    ROW("an overlong slash", "\xc0\xaf", false),
    ROW("a surrogate", "\xed\xa0\x80", false),
    ROW("past U+10FFFF", "\xf4\x90\x80\x80", false),
    ROW("cut short", "\xf0\x9f\x98", false),
    ROW("__proto__", "__proto__", false),
    ROW("constructor", "constructor", false),
    ROW("toString", "toString", false),
    ROW("longer than a refused name", "toString2", true),
};

static void name_is_judged(void **state)
{
    const struct row *row = *state;
    char *exact = malloc(row->name.n_bytes + 1); /* the sanitizer sees one byte too many */

    memcpy(exact + 1, row->name.at, row->name.n_bytes);
    assert_int_equal(name_is_allowed(bytes_of(exact + 1, row->name.n_bytes), NAME_MAX_BYTES), row->is_allowed);
    free(exact);
}

static void a_pool_keeps_no_more_than_its_ceiling(void **state)
{
    struct pool pool = { .n_block_bytes = 64, .n_max = 2 };
    void *blocks[3];

    for (size_t i = 0; i < 3; i++) {
        blocks[i] = pool_take(&pool);
        assert_non_null(blocks[i]);
        memset(blocks[i], 'x', 64);
    }
    for (size_t i = 0; i < 3; i++)
        pool_give(&pool, blocks[i]);
    assert_int_equal(pool.n, POOL_IS_WATCHED ? 0 : 2);
    for (size_t i = 0; i < 3; i++)
        blocks[i] = pool_take(&pool);
    assert_int_equal(pool.n, 0);
    for (size_t i = 0; i < 3; i++)
        free(blocks[i]);
}

static void a_queue_of_frames_gives_their_bytes_in_any_pieces(void **state)
{
    struct frame *frames[] = { frame_create(bytes_of_string("one,")), frame_create(bytes_of_string("")),
                               frame_create(bytes_of_string("three")) };
    struct frame_queue queue = { 0 };

    for (size_t n_room = 1; n_room < 40; n_room++) {
        char taken[64] = { 0 };
        size_t n = 0, n_now;

        for (int i = 0; i < 9; i++)
            assert_int_equal(frame_queue_push(&queue, frames[i % 3]), 0);
        assert_int_equal(queue.n_bytes, 27);
        while ((n_now = frame_queue_take(&queue, taken + n, n_room)) > 0) {
            assert_true(n_now <= n_room);
            n += n_now;
            assert_int_equal(queue.n_bytes, 27 - n);
        }
        assert_string_equal(taken, "one,threeone,threeone,three");
        assert_null(queue.ring);
    }
    assert_int_equal(frame_queue_push(&queue, frames[0]), 0);
    assert_int_equal(frames[0]->n_references, 2);
    frame_queue_finish(&queue);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(frames[i]->n_references, 1);
        frame_unref(frames[i]);
    }
}

static void the_real_world_goes_on(void **state)
{
    unsigned char a[16] = { 0 }, b[16] = { 0 };

    assert_true(world_now_ms(&world_real) > 1600000000000);
    world_random(&world_real, a, sizeof(a));
    world_random(&world_real, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static const struct CMUnitTest fixed[] = {
    cmocka_unit_test(buffer_grows_and_keeps),
    cmocka_unit_test(buffer_beyond_its_ceiling_is_empty_and_stays_failed),
    cmocka_unit_test(a_mapped_buffer_is_as_any_other),
    cmocka_unit_test(what_is_mapped_stays_while_there_is_more_of_it),
    cmocka_unit_test(buffer_writes_the_largest_number),
    cmocka_unit_test(the_second_listener_removes_the_third),
    cmocka_unit_test(lists_are_joined),
    cmocka_unit_test(frames_live_as_long_as_a_reference),
    cmocka_unit_test(a_queue_of_frames_gives_their_bytes_in_any_pieces),
    cmocka_unit_test(a_pool_keeps_no_more_than_its_ceiling),
    cmocka_unit_test(buffer_begins_in_memory_that_is_lent),
    cmocka_unit_test(the_real_world_goes_on),
};

#define N_FIXED (sizeof(fixed) / sizeof(fixed[0]))
#define N_NAMES (sizeof(names) / sizeof(names[0]))

int main(void)
{
    struct CMUnitTest tests[N_FIXED + N_NAMES];

    memcpy(tests, fixed, sizeof(fixed));
    for (size_t i = 0; i < N_NAMES; i++)
        tests[N_FIXED + i] = (struct CMUnitTest){ .name = names[i].title,
                                                  .test_func = name_is_judged,
                                                  .initial_state = (void *)(uintptr_t)&names[i] };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
