/* The list of a query, alone: order, ceilings, and the difference to any other list, played back as a client does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/query_list.h"
#include "tests/lib/alloc_fault.h"

static struct query_entry *add(struct query_list *list, const char *id)
{
    struct query_entry *entry = NULL;
    size_t at;

    assert_null(query_list_find(list, bytes_of_string(id), &at));
    assert_int_equal(query_list_add(list, bytes_of_string(id), at, &entry), 0);
    entry->exists = true;
    return entry;
}

static void expect(const struct query_list *list, const char *ids)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        struct bytes id = query_entry_id(list->entries[i]);

        assert_true(bytes_equal(id, bytes_of(ids + n, id.n_bytes)));
        n += id.n_bytes;
    }
    assert_int_equal(strlen(ids), n);
}

static void ids_stand_in_bytewise_order(void **state)
{
    struct query_list list;
    size_t at;

    query_list_init(&list, 100);
    for (const char *c = "m\0c\0z\0\xc3\xa9\0a\0B\0mm\0"; *c; c += strlen(c) + 1)
        (void)add(&list, c);
    expect(&list, "Bacmmmz\xc3\xa9");
    assert_non_null(query_list_find(&list, bytes_of_string("mm"), &at));
    assert_int_equal(at, 4);
    query_list_remove(&list, at);
    assert_null(query_list_find(&list, bytes_of_string("mm"), &at));
    query_list_find(&list, bytes_of_string("a"), &at)->exists = false;
    query_list_purge(&list);
    expect(&list, "Bcmz\xc3\xa9");
    query_list_finish(&list);
}

static void a_full_list_takes_no_more(void **state)
{
    struct query_list list;
    struct query_entry *entry;

    query_list_init(&list, 2);
    (void)add(&list, "a");
    (void)add(&list, "b");
    assert_int_equal(query_list_add(&list, bytes_of_string("c"), 2, &entry), -E2BIG);
    query_list_remove(&list, 0);
    (void)add(&list, "c");
    expect(&list, "bc");
    query_list_finish(&list);
}

static void without_memory_the_list_is_as_it_was(void **state)
{
    struct query_list list;
    struct query_entry *entry;
    size_t n = 0;
    int r;

    query_list_init(&list, 100);
    do {
        alloc_fault_arm(n++, ALLOC_FAULT_ONCE);
        r = query_list_add(&list, bytes_of_string("a"), 0, &entry);
    } while (alloc_fault_disarm() && (assert_int_equal(r, -ENOMEM), assert_int_equal(list.n, 0), true));
    assert_int_equal(r, 0);
    assert_true(n > 2);
    query_list_finish(&list);
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

static void write_id(const struct query_entry *entry, struct buffer *into)
{
    (void)buffer_printf(into, "\"%.*s\"", (int)entry->n_id, entry->id);
}

/* Both as words of one letter. The client's list may hold what is gone, and in any order. */
static void expect_difference(const char *known, const char *present, const char *difference)
{
    struct query_entry *in_order[26] = { NULL };
    struct query_list list;
    struct buffer text;
    char last = 0;

    query_list_init(&list, 26);
    for (const char *c = present; *c; c++)
        (void)add(&list, (char[]){ *c, '\0' });
    for (size_t i = 0; known[i]; i++) {
        size_t at;
        struct query_entry *entry = query_list_find(&list, bytes_of(&known[i], 1), &at);

        if (!entry) {
            entry = add(&list, (char[]){ known[i], '\0' });
            entry->exists = false;
        }
        if (known[i] <= last)
            continue;
        last = known[i];
        entry->stays = true;
        in_order[i] = entry;
    }
    buffer_init(&text, 10000);
    query_list_difference(&list, in_order, strlen(known), write_id, &text);
    assert_int_equal(text.error, 0);
    assert_int_equal(buffer_append(&text, "", 1), 0);
    assert_string_equal(text.at, difference);
    buffer_finish(&text);
    query_list_finish(&list);
}

static void differences_between_lists(void **state)
{
    expect_difference("", "", "");
    expect_difference("abc", "abc", "");
    expect_difference("", "ab", "[{\"type\":\"insert\",\"index\":0,\"values\":[\"a\",\"b\"]}]");
    expect_difference("ab", "", "[{\"type\":\"remove\",\"index\":0,\"howMany\":2}]");
    expect_difference("acd", "abd",
                      "[{\"type\":\"remove\",\"index\":1,\"howMany\":1},"
                      "{\"type\":\"insert\",\"index\":1,\"values\":[\"b\"]}]");
    expect_difference(
        "bcef", "acdfgh",
        "[{\"type\":\"remove\",\"index\":0,\"howMany\":1},{\"type\":\"remove\",\"index\":1,\"howMany\":1},"
        "{\"type\":\"insert\",\"index\":0,\"values\":[\"a\"]},"
        "{\"type\":\"insert\",\"index\":2,\"values\":[\"d\"]},"
        "{\"type\":\"insert\",\"index\":4,\"values\":[\"g\",\"h\"]}]");
    expect_difference("cab", "abc",
                      "[{\"type\":\"remove\",\"index\":1,\"howMany\":2},"
                      "{\"type\":\"insert\",\"index\":0,\"values\":[\"a\",\"b\"]}]");
    expect_difference("aab", "ab", "[{\"type\":\"remove\",\"index\":1,\"howMany\":1}]");
}

static void a_difference_without_memory_keeps_its_error(void **state)
{
    struct query_list list;
    struct buffer text;

    query_list_init(&list, 26);
    (void)add(&list, "a");
    buffer_init(&text, 10000);
    alloc_fault_arm(0, ALLOC_FAULT_FROM_THEN_ON);
    query_list_difference(&list, NULL, 0, write_id, &text);
    assert_true(alloc_fault_disarm());
    assert_int_equal(text.error, -ENOMEM);
    buffer_finish(&text);
    query_list_finish(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_stand_in_bytewise_order),
        cmocka_unit_test(a_full_list_takes_no_more),
        cmocka_unit_test(without_memory_the_list_is_as_it_was),
        cmocka_unit_test(differences_between_lists),
        cmocka_unit_test(a_difference_without_memory_keeps_its_error),
    };

    return cmocka_run_group_tests_name("query list", tests, NULL, NULL);
}
