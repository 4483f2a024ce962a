/* The newest operations in memory, and what they are counted as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "doc/recent.h"

#define MAX_BYTES ((size_t)64 << 10)
#define MANY      20000

static void push(struct recent *recent, uint64_t version)
{
    struct record record = { { bytes_of_string("someone"), version },
                             version,
                             bytes_of_string("somebody"),
                             bytes_of_string("{\"op\":[12,\"a piece of text\"]}") };
    struct committed_op *op = committed_op_create(version, &record);

    assert_non_null(op);
    assert_int_equal(recent_push(recent, op, NULL, NULL), 0);
    committed_op_unref(op);
}

/* As a subscriber is told of it: after it was counted. */
static void give_frame(struct recent *recent, uint64_t version)
{
    static const char content[200];
    struct committed_op *op = recent_at(recent, version)->op;

    op->frame = frame_create(bytes_of(content, sizeof(content)));
    assert_non_null(op->frame);
}

static size_t held(const struct recent *recent)
{
    size_t n_bytes = recent->capacity * sizeof(struct recent_entry);

    for (uint64_t v = recent->first; v < recent->first + recent->n; v++)
        n_bytes += committed_op_size(recent_at(recent, v)->op);
    return n_bytes;
}

static void a_ceiling_holds_for_ever(void **state)
{
    struct recent recent = { 0 };

    (void)state;
    for (uint64_t v = 0; v < MANY; v++) {
        push(&recent, v);
        give_frame(&recent, v);
        while (recent.n_bytes > MAX_BYTES)
            recent_drop_first(&recent);
        assert_true(held(&recent) <= MAX_BYTES + MAX_BYTES / 2);
    }
    assert_true(held(&recent) > MAX_BYTES / 2);
    recent_clear(&recent, MANY);
    assert_int_equal(recent.n_bytes, 0);
    recent_finish(&recent);
}

static void what_is_trimmed_gives_its_room_back(void **state)
{
    struct recent recent = { 0 };

    (void)state;
    for (uint64_t v = 0; v < MANY; v++)
        push(&recent, v);
    recent_trim(&recent, MAX_BYTES);
    assert_true(recent.n > 0 && held(&recent) <= MAX_BYTES);
    assert_int_equal(recent.first + recent.n, MANY);
    for (uint64_t v = recent.first; v < MANY; v++)
        assert_int_equal(recent_at(&recent, v)->op->version, v);
    push(&recent, MANY);
    recent_trim(&recent, 0);
    assert_int_equal(recent.n, 0);
    assert_true(held(&recent) < 1000);
    push(&recent, MANY + 1);
    assert_int_equal(recent_at(&recent, MANY + 1)->op->version, MANY + 1);
    recent_finish(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ceiling_holds_for_ever),
        cmocka_unit_test(what_is_trimmed_gives_its_room_back),
    };

    return cmocka_run_group_tests_name("recent operations", tests, NULL, NULL);
}
