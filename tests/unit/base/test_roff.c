/* Text as a manual page: nothing in it is taken for roff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/roff.h"

static char *written;
static size_t n_written;

static FILE *begin(void)
{
    FILE *to = open_memstream(&written, &n_written);

    assert_non_null(to);
    return to;
}

static void check(FILE *to, const char *expected)
{
    assert_int_equal(fclose(to), 0);
    assert_string_equal(written, expected);
    free(written);
}

static void characters_mean_themselves(void **state)
{
    FILE *to = begin();

    roff_text(to, "--a 'b' \"c\" `d` e\\n ^f ~g");
    check(to, "\\-\\-a \\(aqb\\(aq \\(dqc\\(dq \\(gad\\(ga e\\en \\(haf \\(tig");
    to = begin();
    roff_item(to, ".x", NULL, ".so /etc/passwd");
    check(to, ".TP\n\\fB\\&.x\\fR\n\\&.so /etc/passwd\n");
    to = begin();
    roff_item(to, "--type", "TYPE", "'tis");
    check(to, ".TP\n\\fB\\-\\-type\\fR \\fITYPE\\fR\n\\(aqtis\n");
}

static void paragraphs_and_examples_take_turns(void **state)
{
    static const char text[] = "one\nand more\n\ntwo:\n    code\n\n    .more code\nthree\n";
    FILE *to = begin();

    roff_paragraphs(to, text, strlen(text));
    check(to, "one\nand more\n.PP\ntwo:\n.PP\n.RS 4\n.EX\ncode\n\\&.more code\n.EE\n.RE\n.PP\nthree\n");
    to = begin();
    roff_paragraphs(to, "    only code", 13);
    check(to, ".RS 4\n.EX\nonly code\n.EE\n.RE\n");
    to = begin();
    roff_paragraphs(to, "", 0);
    check(to, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_mean_themselves),
        cmocka_unit_test(paragraphs_and_examples_take_turns),
    };

    return cmocka_run_group_tests_name("roff", tests, NULL, NULL);
}
