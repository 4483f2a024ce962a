#include "tests/unit/ot/harness.h"

#include "ot/json/utf8.h"
#include "ot/structures/rope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rope against the same text kept flat. */

static void assert_reads(const struct rope *rope, const char *text, size_t n_bytes)
{
    struct rope_cursor cursor;
    size_t n, n_read = 0;
    const char *at;

    assert_int_equal(rope->sums.n_bytes, n_bytes);
    assert_int_equal(rope->sums.n_cps, utf8_count(text, n_bytes));
    assert_int_equal(rope->sums.n_astral, utf8_count_astral(text, n_bytes));
    rope_cursor_init(&cursor, rope, 0);
    while ((n = rope_cursor_read(&cursor, SIZE_MAX, &at)) > 0) {
        assert_in_range(n, 1, n_bytes - n_read);
        assert_memory_equal(at, text + n_read, n);
        assert_true(utf8_is_valid(at, n));
        n_read += n;
    }
    assert_int_equal(n_read, n_bytes);
}

static void flat_insert(struct text *flat, size_t at, const char *utf8, size_t n_bytes)
{
    assert_int_equal(text_write(flat, utf8, n_bytes), 0);
    memmove(flat->at + at + n_bytes, flat->at + at, flat->n_bytes - n_bytes - at);
    memcpy(flat->at + at, utf8, n_bytes);
}

static void flat_delete(struct text *flat, size_t from, size_t to)
{
    memmove(flat->at + from, flat->at + to, flat->n_bytes - to);
    flat->n_bytes -= to - from;
}

/* UTF-16 positions, there and back; the one inside a surrogate pair is none. */
static void assert_positions(const struct rope *rope, size_t at_cp, const struct text *flat, size_t at)
{
    size_t at_unit = at_cp + (at ? utf8_count_astral(flat->at, at) : 0), back;

    assert_int_equal(rope_utf16_at(rope, at_cp), at_unit);
    assert_true(rope_cp_at_utf16(rope, at_unit, &back));
    assert_int_equal(back, at_cp);
    if (at < flat->n_bytes && (unsigned char)flat->at[at] >= 0xf0)
        assert_false(rope_cp_at_utf16(rope, at_unit + 1, &back));
}

/* Both of them, in one random edit; it tends to insert while the text is shorter than wanted. */
static void edit(struct sim_random *random, struct rope *rope, struct text *flat, size_t wanted_cps)
{
    size_t n_cps = rope->sums.n_cps, at_cp = sim_random_below(random, n_cps + 1),
           at = utf8_offset(flat->at, flat->n_bytes, at_cp);

    assert_int_equal(rope_byte_at(rope, at_cp), at);
    assert_positions(rope, at_cp, flat, at);
    if (n_cps == 0 || sim_random_below(random, 2 * wanted_cps) > n_cps) {
        struct text inserted = { 0 };

        random_text(random, sim_random_chance(random, 50) ? 2000 : 8, &inserted);
        assert_int_equal(rope_insert(rope, at_cp, inserted.at, inserted.n_bytes), 0);
        flat_insert(flat, at, inserted.at, inserted.n_bytes);
        text_free(&inserted);
    } else {
        size_t most = sim_random_chance(random, 50) ? n_cps - at_cp : 12,
               n = sim_random_below(random, (most < n_cps - at_cp ? most : n_cps - at_cp) + 1);

        assert_int_equal(rope_delete(rope, at_cp, at_cp + n), 0);
        flat_delete(flat, at, utf8_offset(flat->at, flat->n_bytes, at_cp + n));
    }
}

static void edits_like_a_flat_text(size_t wanted_cps, int n_edits, int check_every)
{
    struct sim_random random = { wanted_cps };
    struct rope rope;
    struct text flat = { 0 };

    rope_init(&rope);
    text_add(&flat, "");
    for (int i = 0; i < n_edits; i++) {
        edit(&random, &rope, &flat, wanted_cps);
        if (i % check_every == 0)
            assert_reads(&rope, flat.at, flat.n_bytes);
    }
    assert_reads(&rope, flat.at, flat.n_bytes);
    rope_finish(&rope);
    text_free(&flat);
}

static void a_short_text_is_edited(void **state)
{
    (void)state;
    edits_like_a_flat_text(100, 10000, 1);
}

static void a_text_of_some_leaves_is_edited(void **state)
{
    (void)state;
    edits_like_a_flat_text(3000, 10000, 5);
}

static void a_long_text_is_edited(void **state)
{
    (void)state;
    edits_like_a_flat_text(200000, 4000, 200);
}

static void a_share_keeps_the_old_text(void **state)
{
    struct sim_random random = { 5 };
    struct rope rope, shares[8];
    struct text flat = { 0 }, old[8] = { { 0 } };

    (void)state;
    rope_init(&rope);
    text_add(&flat, "");
    for (int i = 0; i < 8; i++)
        rope_init(&shares[i]);
    for (int i = 0; i < 4000; i++) {
        size_t which = sim_random_below(&random, 8);

        edit(&random, &rope, &flat, 4000);
        if (!sim_random_chance(&random, 100))
            continue;
        assert_reads(&shares[which], old[which].at, old[which].n_bytes);
        rope_finish(&shares[which]);
        text_free(&old[which]);
        rope_share(&rope, &shares[which]);
        assert_int_equal(text_write(&old[which], flat.at, flat.n_bytes), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_reads(&shares[i], old[i].at, old[i].n_bytes);
        rope_finish(&shares[i]);
        text_free(&old[i]);
    }
    assert_reads(&rope, flat.at, flat.n_bytes);
    rope_finish(&rope);
    text_free(&flat);
}

static void two_shares_go_different_ways(void **state)
{
    struct rope one, other;

    (void)state;
    rope_init(&one);
    assert_int_equal(rope_insert(&one, 0, "abc", 3), 0);
    rope_share(&one, &other);
    assert_int_equal(rope_insert(&one, 3, "one", 3), 0);
    assert_int_equal(rope_delete(&other, 0, 1), 0);
    assert_reads(&one, "abcone", 6);
    rope_finish(&one);
    assert_reads(&other, "bc", 2);
    rope_finish(&other);
}

static void a_cursor_starts_anywhere(void **state)
{
    struct sim_random random = { 6 };
    struct text text = { 0 };
    struct rope rope;

    (void)state;
    while (text.n_bytes < 5000)
        random_text(&random, 100, &text);
    rope_init(&rope);
    assert_int_equal(rope_insert(&rope, 0, text.at, text.n_bytes), 0);
    for (size_t at_cp = 0; at_cp <= rope.sums.n_cps; at_cp++) {
        size_t byte = utf8_offset(text.at, text.n_bytes, at_cp), n;
        struct rope_cursor cursor;
        const char *at;

        rope_cursor_init(&cursor, &rope, at_cp);
        n = rope_cursor_read(&cursor, 10, &at);
        assert_int_equal(n == 0, byte == text.n_bytes);
        assert_memory_equal(at, text.at + byte, n);
    }
    rope_finish(&rope);
    text_free(&text);
}

static void everything_can_be_deleted(void **state)
{
    struct rope rope;
    char text[3000];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = 1; n < sizeof(text); n += 97) {
        rope_init(&rope);
        assert_int_equal(rope_insert(&rope, 0, text, n), 0);
        assert_int_equal(rope_delete(&rope, 0, n), 0);
        assert_reads(&rope, "", 0);
        assert_null(rope.root);
        assert_int_equal(rope_insert(&rope, 0, "y", 1), 0);
        assert_reads(&rope, "y", 1);
        rope_finish(&rope);
    }
}

/* Writing on fills leaves; deleting all but every hundredth character must not leave one leaf for each. */
static size_t count_leaves(const struct rope *rope)
{
    struct rope_cursor cursor;
    const char *at;
    size_t n = 0;

    rope_cursor_init(&cursor, rope, 0);
    while (rope_cursor_read(&cursor, SIZE_MAX, &at))
        n++;
    return n;
}

static void leaves_stay_well_filled(void **state)
{
    struct rope rope;

    (void)state;
    rope_init(&rope);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(rope_insert(&rope, i, "x", 1), 0);
    assert_in_range(count_leaves(&rope), 1, 100000 / 480);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(rope_delete(&rope, i, i + 99), 0);
    assert_int_equal(rope.sums.n_bytes, 1000);
    assert_in_range(count_leaves(&rope), 1, 20);
    rope_finish(&rope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_text_is_edited),       cmocka_unit_test(a_text_of_some_leaves_is_edited),
        cmocka_unit_test(a_long_text_is_edited),        cmocka_unit_test(a_share_keeps_the_old_text),
        cmocka_unit_test(two_shares_go_different_ways), cmocka_unit_test(a_cursor_starts_anywhere),
        cmocka_unit_test(everything_can_be_deleted),    cmocka_unit_test(leaves_stay_well_filled),
    };

    return cmocka_run_group_tests_name("rope", tests, NULL, NULL);
}
