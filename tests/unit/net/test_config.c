/* Settings: where they come from, which place wins, and what is said when they are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static struct config config;
static char why[512], file[] = "/tmp/pilcrow-config-XXXXXX";

/* Reads the settings with these flags, up to a NULL; the result is config_read's. */
static int settings(const char *first, ...)
{
    union {
        const char *read;
        char *write;
    } words[16] = { { "pilcrowd" } };
    char *argv[16];
    int argc = 1;
    va_list more;

    va_start(more, first);
    for (const char *word = first; word; word = va_arg(more, const char *))
        words[argc++].read = word;
    va_end(more);
    for (int i = 0; i < argc; i++)
        argv[i] = words[i].write;
    config_finish(&config);
    why[0] = '\0';
    return config_read(argc, argv, &config, why, sizeof(why));
}

static void file_says(const char *text)
{
    FILE *to = fopen(file, "w");

    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
}

static void defaults_are_a_server_for_this_machine(void **state)
{
    assert_int_equal(settings(NULL), 0);
    assert_string_equal(config.data, "./pilcrow-data");
    assert_int_equal(config.listen.n, 1);
    assert_string_equal(config.listen.items[0], "127.0.0.1:8080");
    assert_false(config.open_to_everyone);
    assert_null(config.tokens);
    assert_int_equal(config.max_message, 16 << 20);
}

static void flags_take_both_forms(void **state)
{
    assert_int_equal(settings("--data", "/a", "--log-level=debug", "--open-to-everyone", "--log-format", "json", NULL),
                     0);
    assert_string_equal(config.data, "/a");
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_true(config.log_as_json);
    assert_true(config.open_to_everyone);
}

static void a_repeated_list_grows_and_replaces_the_default(void **state)
{
    assert_int_equal(settings("--listen", "127.0.0.1:1", "--listen", "unix:/a,127.0.0.1:2", NULL), 0);
    assert_int_equal(config.listen.n, 3);
    assert_string_equal(config.listen.items[1], "unix:/a");
}

static void flags_before_environment_before_file(void **state)
{
    file_says("{\"data\": \"/file\", \"log-level\": \"error\", \"max-message\": 1000, \"listen\": [\"127.0.0.1:1\", "
              "\"127.0.0.1:2\"]}");
    (void)setenv("PILCROW_DATA", "/environment", 1);
    (void)setenv("PILCROW_LOG_LEVEL", "warning", 1);
    assert_int_equal(settings("--config", file, "--data", "/flag", NULL), 0);
    assert_string_equal(config.data, "/flag");
    assert_int_equal(config.log_level, LOG_WARNING);
    assert_int_equal(config.max_message, 1000);
    assert_int_equal(config.listen.n, 2);
    assert_int_equal(settings("--config", file, "--listen", "127.0.0.1:3", NULL), 0);
    assert_string_equal(config.data, "/environment");
    assert_int_equal(config.listen.n, 1);
    (void)unsetenv("PILCROW_DATA");
    (void)unsetenv("PILCROW_LOG_LEVEL");
}

static void the_environment_can_name_the_file(void **state)
{
    file_says("{\"data\": \"/file\", \"open-to-everyone\": true}");
    (void)setenv("PILCROW_CONFIG", file, 1);
    assert_int_equal(settings(NULL), 0);
    assert_string_equal(config.data, "/file");
    assert_true(config.open_to_everyone);
    (void)unsetenv("PILCROW_CONFIG");
}

static void sizes_have_units(void **state)
{
    assert_int_equal(settings("--max-message", "64k", "--max-document", "2M", "--max-store", "3T", NULL), 0);
    assert_int_equal(config.max_message, 65536);
    assert_int_equal(config.max_document, 2 << 20);
    assert_int_equal(config.max_store, 3ull << 40);
}

static void retention_has_a_rule_for_each_collection(void **state)
{
    (void)setenv("PILCROW_RETENTION", "notes=30,drafts=365", 1);
    assert_int_equal(settings(NULL), 0);
    assert_int_equal(config.retention.n, 2);
    assert_string_equal(config.retention.items[1], "drafts=365");
    assert_int_equal(settings("--retention", "letters=90", NULL), 0);
    assert_int_equal(config.retention.n, 1);
    (void)unsetenv("PILCROW_RETENTION");
    file_says("{\"retention\": [\"notes=30\", \"drafts=60\"]}");
    assert_int_equal(settings("--config", file, NULL), 0);
    assert_int_equal(config.retention.n, 2);
}

static struct row {
    const char *flag, *value, *says;
} wrong_flags[] = {
    { "--colour", "blue", "--colour" },
    { "surplus", NULL, "surplus" },
    { "--data", NULL, "--data" },
    { "--data", "", "data" },
    { "--listen", "", "listen" },
    { "--log-level", "loud", "loud" },
    { "--log-format", "xml", "xml" },
    { "--max-message", "0", "max-message" },
    { "--max-message", "-1", "-1" },
    { "--max-message", "1Z", "1Z" },
    { "--max-message", "99999999T", "99999999T" },
    { "--ping-seconds", "1000", "1000" },
    { "--handshake-seconds", "0", "handshake-seconds" },
    { "--idle-seconds", "121", "121" },
    { "--max-unanswered", "0", "max-unanswered" },
    { "--max-unanswered", "-1", "-1" },
    { "--max-bulk", "1K", "1K" },
    { "--max-subscriptions", "1000001", "1000001" },
    { "--max-transform", "0", "max-transform" },
    { "--allow-origin", "example.org", "example.org" },
    { "--allow-origin", "https://a/b", "https://a/b" },
    { "--disable-type", "json2", "json2" },
    { "--retention", "notes", "'notes' does not begin" },
    { "--retention", "notes=29", "'notes=29' names fewer than 30 days" },
    { "--retention", "notes=90,a/b=soon", "'a/b=soon' does not end" },
    { "--max-depth", "1001", "1001" },
    { "--open-to-everyone=maybe", NULL, "maybe" },
    { "--config", "/nonexistent/file", "/nonexistent/file" },
    { "--", NULL, "--" },
};

static void a_base_path_can_be_written_in_one_way_only(void **state)
{
    const char *wrong[] = { "/",    "p",    "p/",     "/p/",  "//p",       "/p//q", "/p/..",
                            "/./p", "/p q", "/p%20q", "/p?q", "/\xc3\xa9", "" };
    char longest[202] = "/";

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(settings("--base-path", wrong[i], NULL), CONFIG_WRONG);
        assert_non_null(strstr(why, "base-path"));
    }
    assert_int_equal(settings("--base-path", "/a-b_c~1.x/.well", NULL), 0);
    assert_string_equal(config.base_path, "/a-b_c~1.x/.well");
    memset(longest + 1, 'p', 199);
    assert_int_equal(settings("--base-path", longest, NULL), 0);
    longest[200] = 'p';
    assert_int_equal(settings("--base-path", longest, NULL), CONFIG_WRONG);
}

static void wrong_flags_are_named(void **state)
{
    for (size_t i = 0; i < sizeof(wrong_flags) / sizeof(wrong_flags[0]); i++) {
        assert_int_equal(settings(wrong_flags[i].flag, wrong_flags[i].value, NULL), CONFIG_WRONG);
        assert_non_null(strstr(why, wrong_flags[i].says));
        assert_null(strchr(why, '\n'));
    }
}

static void wrong_files_are_named(void **state)
{
    static const char *const texts[] = { "",
                                         "[]",
                                         "{",
                                         "{\"colour\": 1}",
                                         "{\"data\": 1.5}",
                                         "{\"data\": null}",
                                         "{\"data\": [\"a\"]}",
                                         "{\"listen\": [1]}",
                                         "{\"config\": \"a\"}",
                                         "{\"help\": true}",
                                         "{\"data\":\"a\",\"data\":\"b\"}",
                                         "{\"max-message\": -5}" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        file_says(texts[i]);
        assert_int_equal(settings("--config", file, NULL), CONFIG_WRONG);
        assert_non_null(strstr(why, file));
    }
}

static int begin(void **state)
{
    int fd = mkstemp(file);

    return fd < 0 ? -1 : close(fd);
}

static int end(void **state)
{
    config_finish(&config);
    return unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_a_server_for_this_machine),
        cmocka_unit_test(flags_take_both_forms),
        cmocka_unit_test(a_repeated_list_grows_and_replaces_the_default),
        cmocka_unit_test(flags_before_environment_before_file),
        cmocka_unit_test(the_environment_can_name_the_file),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(retention_has_a_rule_for_each_collection),
        cmocka_unit_test(a_base_path_can_be_written_in_one_way_only),
        cmocka_unit_test(wrong_flags_are_named),
        cmocka_unit_test(wrong_files_are_named),
    };

    return cmocka_run_group_tests_name("config", tests, begin, end);
}
