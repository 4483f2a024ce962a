/* Runs pages of conversations (conversation.h): each section "== name" is a test of that name, on a server of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/api/conversation.h"

#define TESTS_MAX 200

static void talk(void **state)
{
    const char *script = *state;
    void *made;

    assert_int_equal(conversation_setup(&made), 0);
    converse(made, script);
    (void)conversation_teardown(&made);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n_bytes = 0;
    ssize_t n;

    if (!file)
        return NULL;
    n = getdelim(&text, &n_bytes, '\0', file);
    (void)fclose(file);
    if (n < 0) {
        free(text);
        return NULL;
    }
    return text;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[TESTS_MAX];
    size_t n = 0;
    char *text = argc == 2 ? read_whole(argv[1]) : NULL;
    int failed;

    if (!text) {
        (void)fprintf(stderr, "usage: test_talks PAGE\n");
        return 2;
    }
    for (char *at = strstr(text, "\n== "); at && n < TESTS_MAX; n++) {
        char *name = at + 4, *script = strchr(name, '\n');

        *at = '\0';
        if (!script)
            break;
        *script++ = '\0';
        tests[n] = (struct CMUnitTest){ .name = name, .test_func = talk, .initial_state = script };
        at = strstr(script, "\n== ");
    }
    failed = _cmocka_run_group_tests(argv[1], tests, n, NULL, NULL);
    free(text);
    return failed;
}
