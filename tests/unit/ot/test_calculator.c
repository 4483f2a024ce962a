#include "tests/unit/ot/harness.h"

#include <errno.h>
#include <string.h>

static void assert_answer(const char *request, const char *want)
{
    struct text answer = { 0 };

    assert_int_equal(ot_calculate_line(request, strlen(request), text_write, &answer), 0);
    assert_non_null(strstr(answer.at, want));
    assert_int_equal(answer.at[answer.n_bytes - 1], '\n');
    assert_null(memchr(answer.at, '\n', answer.n_bytes - 1));
    text_free(&answer);
}

static void a_line_that_is_no_json(void **state)
{
    (void)state;
    assert_answer("", "\"code\":\"bad_json\"");
    assert_answer("{", "\"code\":\"bad_json\"");
    assert_answer("\"\xff\"", "\"code\":\"bad_json\"");
}

static void a_line_that_is_no_request(void **state)
{
    (void)state;
    assert_answer("[]", "\"code\":\"bad_request\"");
    assert_answer("{}", "\"code\":\"bad_request\"");
    assert_answer("{\"fn\":\"apply\"}", "\"code\":\"bad_request\"");
    assert_answer("{\"type\":1,\"fn\":\"apply\",\"args\":[]}", "\"code\":\"bad_request\"");
    assert_answer("{\"type\":\"text-unicode\",\"fn\":1,\"args\":[]}", "\"code\":\"bad_request\"");
}

static void an_unknown_type(void **state)
{
    (void)state;
    assert_answer("{\"type\":\"text\",\"fn\":\"create\",\"args\":[\"\"]}", "\"code\":\"unsupported\"");
}

static void a_type_by_uri(void **state)
{
    (void)state;
    assert_answer("{\"type\":\"http://sharejs.org/types/text-unicode\",\"fn\":\"create\",\"args\":[\"x\"]}",
                  "{\"ok\":\"x\"}\n");
}

static int refuse(void *arg, const char *at, size_t n_bytes)
{
    (void)arg;
    (void)at;
    (void)n_bytes;
    return -EPIPE;
}

static void what_the_writer_answers_is_passed_up(void **state)
{
    const char *good = "{\"type\":\"text-unicode\",\"fn\":\"create\",\"args\":[\"\"]}";

    (void)state;
    assert_int_equal(ot_calculate_line(good, strlen(good), refuse, NULL), -EPIPE);
    assert_int_equal(ot_calculate_line("{", 1, refuse, NULL), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_is_no_json),
        cmocka_unit_test(a_line_that_is_no_request),
        cmocka_unit_test(an_unknown_type),
        cmocka_unit_test(a_type_by_uri),
        cmocka_unit_test(what_the_writer_answers_is_passed_up),
    };

    return cmocka_run_group_tests_name("calculator", tests, NULL, NULL);
}
