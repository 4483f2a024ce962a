/* Ids that only their owner can present. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/client_id.h"

static const struct client_id_key key = { "0123456789abcdef0123456789abcde" };
static const struct client_id_key other_key = { "0123456789abcdef0123456789abcdf" };

static struct bytes text_of(const struct client_id *id)
{
    return bytes_of_string(id->text);
}

static struct client_id make(const char *principal)
{
    struct client_id id;

    client_id_make(&key, &world_real, bytes_of_string(principal), &id);
    return id;
}

static void is_36_characters_that_need_no_escaping(void **state)
{
    struct client_id id = make("anyone");

    assert_int_equal(strlen(id.text), CLIENT_ID_CHARS);
    assert_int_equal(strspn(id.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     CLIENT_ID_CHARS);
}

static void belongs_to_its_principal_also_after_a_restart(void **state)
{
    struct client_id id = make("anyone");
    struct client_id_key read_again = key;

    assert_true(client_id_belongs(&read_again, text_of(&id), bytes_of_string("anyone")));
}

static void belongs_to_nobody_else(void **state)
{
    struct client_id id = make("anyone");

    assert_false(client_id_belongs(&key, text_of(&id), bytes_of_string("someone")));
    assert_false(client_id_belongs(&key, text_of(&id), bytes_of_string("")));
    assert_false(client_id_belongs(&key, text_of(&id), bytes_of_string("anyone ")));
}

static void another_server_did_not_give_it(void **state)
{
    struct client_id id = make("anyone");

    assert_false(client_id_belongs(&other_key, text_of(&id), bytes_of_string("anyone")));
}

static void every_changed_character_is_noticed(void **state)
{
    struct client_id id = make("anyone");

    for (size_t i = 0; i < CLIENT_ID_CHARS; i++) {
        struct client_id changed = id;

        changed.text[i] = id.text[i] == 'A' ? 'B' : 'A';
        assert_false(client_id_belongs(&key, text_of(&changed), bytes_of_string("anyone")));
    }
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const rows[] = { "",
                                        "x",
                                        "5f0c",
                                        "                                    ",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+/" };
    char zeroes[CLIENT_ID_CHARS] = { 0 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(client_id_belongs(&key, bytes_of_string(rows[i]), bytes_of_string("anyone")));
    assert_false(client_id_belongs(&key, bytes_of(zeroes, sizeof(zeroes)), bytes_of_string("anyone")));
    assert_false(client_id_belongs(&key, bytes_of(NULL, 0), bytes_of_string("anyone")));
}

static void no_two_are_the_same(void **state)
{
    struct client_id first = make("anyone"), second = make("anyone");

    assert_string_not_equal(first.text, second.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_36_characters_that_need_no_escaping),
        cmocka_unit_test(belongs_to_its_principal_also_after_a_restart),
        cmocka_unit_test(belongs_to_nobody_else),
        cmocka_unit_test(another_server_did_not_give_it),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(no_two_are_the_same),
    };

    return cmocka_run_group_tests_name("client ids", tests, NULL, NULL);
}
