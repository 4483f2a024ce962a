/* The token file: what is read from it, what is wrong with it and where, and whose a secret is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/gate.h"
#include "base/buffer.h"
#include "tests/lib/alloc_fault.h"

/* SHA-256 of "one", "two", "three". */
#define ONE   "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
#define TWO   "sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
#define THREE "sha256:8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f"

#define TWO_PRINCIPALS                                                                                                 \
    "{\"principals\": [\n"                                                                                             \
    "  {\"name\": \"ink\", \"rights\": [\"read\", \"write\"], \"secrets\": [\"" ONE "\", \"" TWO "\"]},\n"             \
    "  {\"name\": \"paper\", \"rights\": [\"read\"], \"secrets\": [\"" THREE "\"]}\n"                                  \
    "]}\n"

static char why[TOKENS_WHY_MAX_BYTES];

static int parse(const char *text, struct tokens **out)
{
    why[0] = '\0';
    return tokens_parse(bytes_of_string(text), out, why, sizeof(why));
}

static struct tokens *parsed(const char *text)
{
    struct tokens *tokens = NULL;

    if (parse(text, &tokens))
        fail_msg("%s", why);
    return tokens;
}

/* Its name, or "" for nobody; *rights, if not NULL, are his. */
static const char *whose(const struct tokens *tokens, const char *secret, unsigned *rights)
{
    static char name[PRINCIPAL_NAME_MAX_BYTES + 1];
    struct principal principal = principal_nobody;
    struct token_hash hash;

    token_hash_make(bytes_of_string(secret), &hash);
    if (tokens_find(tokens, &hash, &principal) != (principal.n_name > 0))
        fail_msg("found, and nobody");
    (void)snprintf(name, sizeof(name), "%.*s", (int)principal.n_name, principal.name);
    if (rights)
        *rights = principal.rights;
    return name;
}

static void a_secret_is_its_principals(void **state)
{
    struct tokens *tokens = parsed(TWO_PRINCIPALS);
    unsigned rights;

    assert_string_equal(whose(tokens, "one", &rights), "ink");
    assert_int_equal(rights, RIGHT_READ | RIGHT_WRITE);
    assert_string_equal(whose(tokens, "two", NULL), "ink");
    assert_string_equal(whose(tokens, "three", &rights), "paper");
    assert_int_equal(rights, RIGHT_READ);
    tokens_destroy(tokens);
}

static void another_secret_is_nobodys(void **state)
{
    static const char *const secrets[] = { "", "One", "one ", "onetwo", ONE, "ink" };
    struct tokens *tokens = parsed(TWO_PRINCIPALS), *none = parsed("{\"principals\": []}");

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        assert_string_equal(whose(tokens, secrets[i], NULL), "");
        assert_string_equal(whose(none, secrets[i], NULL), "");
    }
    tokens_destroy(tokens);
    tokens_destroy(none);
}

static void rights_bring_along_what_lies_in_them(void **state)
{
    static const struct {
        const char *listed;
        unsigned rights;
    } rows[] = {
        { "\"read\"", RIGHT_READ },
        { "\"write\"", RIGHT_READ | RIGHT_WRITE },
        { "\"admin\"", RIGHT_READ | RIGHT_WRITE | RIGHT_ADMIN },
        { "\"write\",\"read\",\"read\"", RIGHT_READ | RIGHT_WRITE },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[300];
        struct tokens *tokens;
        unsigned rights;

        (void)snprintf(text, sizeof(text), "{\"principals\":[{\"name\":\"ink\",\"rights\":[%s],\"secrets\":[\"%s\"]}]}",
                       rows[i].listed, ONE);
        tokens = parsed(text);
        assert_string_equal(whose(tokens, "one", &rights), "ink");
        assert_int_equal(rights, rows[i].rights);
        tokens_destroy(tokens);
    }
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
#define ENTRY(name, rights, secrets) "{\"name\":" name ",\"rights\":[" rights "],\"secrets\":[" secrets "]}"
#define LIST(entries)                "{\"principals\":[" entries "]}"
    static const struct {
        const char *text, *complaint;
    } rows[] = {
        { "", "line 1" },
        { "{\n\n\"principals\": [}", "line 3" },
        { "{\"principals\":[],\n\"principals\":[]}", "line 2: a key stands twice" },
        { "[]", "a list 'principals'" },
        { "{}", "a list 'principals'" },
        { "{\"principals\":{}}", "a list 'principals'" },
        { "{\"principals\":[],\"more\":1}", "nothing else" },
        { LIST("7"), "principal 1: it must be an object" },
        { LIST(ENTRY("\"a\"", "\"read\"", "") ",{}"), "principal 2: name" },
        { LIST(ENTRY("7", "\"read\"", "")), "principal 1: name" },
        { LIST(ENTRY("\"\"", "\"read\"", "")), "principal 1: name" },
        { LIST(ENTRY("\"anyone\"", "\"read\"", "")), "not 'anyone'" },
        { LIST(ENTRY("\"__proto__\"", "\"read\"", "")), "principal 1: name" },
        { LIST(ENTRY("\"a\\nb\"", "\"read\"", "")), "principal 1: name" },
        { LIST(ENTRY("\"0123456789012345678901234567890123456789012345678901234567890123x\"", "\"read\"", "")),
          "1 to 64 bytes" },
        { LIST(ENTRY("\"a\"", "\"read\"", "") "," ENTRY("\"a\"", "\"read\"", "")), "principal 2: another one" },
        { LIST(ENTRY("\"a\"", "\"rule\"", "")), "principal 1: rights may be" },
        { LIST(ENTRY("\"a\"", "\"\"", "")), "principal 1: rights may be" },
        { LIST(ENTRY("\"a\"", "7", "")), "principal 1: rights may be" },
        { LIST(ENTRY("\"a\"", "", "")), "at least one" },
        { LIST("{\"name\":\"a\",\"rights\":\"read\",\"secrets\":[]}"), "at least one" },
        { LIST("{\"name\":\"a\",\"rights\":[\"read\"]}"), "principal 1: secrets must be a list" },
        { LIST("{\"name\":\"a\",\"rights\":[\"read\"],\"secrets\":[],\"until\":7}"), "only name, rights and secrets" },
        { LIST(ENTRY("\"a\"", "\"read\"", "\"" ONE "\",\"one\"")), "secret 2 must be" },
        { LIST(ENTRY("\"a\"", "\"read\"", "\"" ONE "0\"")), "secret 1 must be" },
        { LIST(ENTRY("\"a\"", "\"read\"",
                     "\"sha256:g692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\"")),
          "secret 1 must be" },
        { LIST(ENTRY("\"a\"", "\"read\"", "7")), "secret 1 must be" },
        { LIST(ENTRY("\"a\"", "\"read\"", "\"" ONE "\"") "," ENTRY("\"b\"", "\"read\"", "\"" ONE "\"")),
          "'a' and 'b' have the same secret" },
        { LIST(ENTRY("\"a\"", "\"read\"", "\"" ONE "\",\"" ONE "\"")), "has it twice" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tokens *tokens = NULL;

        if (parse(rows[i].text, &tokens) != TOKENS_WRONG)
            fail_msg("taken: %s", rows[i].text);
        if (!strstr(why, rows[i].complaint))
            fail_msg("%s: '%s' does not say '%s'", rows[i].text, why, rows[i].complaint);
        if (strchr(why, '\n'))
            fail_msg("more than a sentence: %s", why);
    }
}

/* Somebody has put a secret itself where its hash belongs. */
static void no_complaint_quotes_the_file(void **state)
{
    static const char *const texts[] = {
        LIST(ENTRY("\"a\"", "\"read\"", "\"hush-hush\"")), LIST(ENTRY("\"hush-hush\\u0001\"", "\"read\"", "")),
        LIST(ENTRY("\"a\"", "\"hush-hush\"", "")),         "{\"principals\":[{\"hush-hush\":7}]}",
        "{\"principals\":\"hush-hush\" \"hush-hush\"}",    "{\"hush-hush\":1,\"hush-hush\":1}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct tokens *tokens = NULL;

        assert_int_equal(parse(texts[i], &tokens), TOKENS_WRONG);
        assert_null(strstr(why, "hush"));
    }
}

static void there_are_ceilings(void **state)
{
    struct tokens *tokens = NULL;
    struct buffer text;

    buffer_init(&text, 2 * TOKENS_FILE_MAX);
    (void)buffer_append_string(&text, "{\"principals\":[");
    for (int i = 0; i <= TOKENS_MAX; i++)
        (void)buffer_printf(&text, "%s{\"name\":\"%d\",\"rights\":[\"read\"],\"secrets\":[]}", i ? "," : "", i);
    (void)buffer_append_string(&text, "]}");
    assert_int_equal(text.error, 0);
    assert_int_equal(tokens_parse(buffer_bytes(&text), &tokens, why, sizeof(why)), TOKENS_WRONG);
    assert_non_null(strstr(why, "more than 10000 principals"));

    buffer_reset(&text);
    (void)buffer_append_string(&text, "{\"principals\":[{\"name\":\"a\",\"rights\":[\"read\"],\"secrets\":[");
    for (int i = 0; i <= TOKENS_MAX; i++)
        (void)buffer_printf(&text, "%s\"sha256:%064x\"", i ? "," : "", (unsigned)i);
    (void)buffer_append_string(&text, "]}]}");
    assert_int_equal(tokens_parse(buffer_bytes(&text), &tokens, why, sizeof(why)), TOKENS_WRONG);
    assert_non_null(strstr(why, "more than 10000 secrets"));
    buffer_finish(&text);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static char path[] = "/tmp/pilcrow-tokens-XXXXXX";

static int make_file(void **state)
{
    return mkstemp(path) < 0;
}

static int remove_file(void **state)
{
    return unlink(path);
}

static void file_says(const char *text, mode_t mode)
{
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_file_is_read(void **state)
{
    struct tokens *tokens = NULL;

    file_says(TWO_PRINCIPALS, 0644);
    assert_int_equal(tokens_read(path, &tokens, why, sizeof(why)), 0);
    assert_string_equal(whose(tokens, "three", NULL), "paper");
    tokens_destroy(tokens);
}

static void assert_not_read(const char *from, const char *complaint)
{
    struct tokens *tokens = NULL;

    assert_int_equal(tokens_read(from, &tokens, why, sizeof(why)), TOKENS_WRONG);
    if (!strstr(why, complaint) || !strstr(why, from))
        fail_msg("'%s' does not say '%s'", why, complaint);
}

static void a_file_that_cannot_be_trusted_is_not_read(void **state)
{
    char *large = calloc(1, TOKENS_FILE_MAX + 2);

    file_says(TWO_PRINCIPALS, 0646);
    assert_not_read(path, "everybody may write");
    file_says("{\n7", 0600);
    assert_not_read(path, "line 2");
    memset(large, ' ', TOKENS_FILE_MAX + 1);
    file_says(large, 0600);
    assert_not_read(path, "larger than 4 MiB");
    assert_not_read("/nowhere/tokens", "No such file");
    assert_not_read("/", "no file");
    free(large);
}

/* ---- secrets that we make ---------------------------------------------------------------------------------------- */

static void a_made_secret_is_known_by_its_hash(void **state)
{
    char secret[TOKEN_CHARS + 1], hash[TOKEN_HASH_TEXT_BYTES], other[TOKEN_CHARS + 1], text[300];
    struct tokens *tokens;

    token_make(&world_real, secret, hash);
    assert_int_equal(strlen(secret), TOKEN_CHARS);
    assert_int_equal(strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), TOKEN_CHARS);
    (void)snprintf(text, sizeof(text), LIST(ENTRY("\"ink\"", "\"read\"", "\"%s\"")), hash);
    tokens = parsed(text);
    assert_string_equal(whose(tokens, secret, NULL), "ink");
    token_make(&world_real, other, hash);
    assert_string_not_equal(other, secret);
    assert_string_equal(whose(tokens, other, NULL), "");
    tokens_destroy(tokens);
}

/* ---- the gate ---------------------------------------------------------------------------------------------------- */

static void without_a_file_everybody_is_anyone(void **state)
{
    struct gate gate = { .tokens = NULL, .world = &world_real };
    struct caller caller;

    gate_check(&gate, bytes_of_string("Bearer one"), bytes_of(NULL, 0), &caller);
    assert_true(bytes_equal(principal_name(&caller.principal), bytes_of_string("anyone")));
    assert_true(principal_may(&caller.principal, RIGHT_ADMIN));
    assert_false(caller.principal.is_account);
    assert_true(gate_holds(&gate, &caller));
}

static void the_gate_takes_header_and_parameter(void **state)
{
    static const struct {
        const char *authorization, *access_token, *name;
        bool has_token;
    } rows[] = {
        { "Bearer one", "", "ink", true },
        { "bearer  one", "", "ink", true },
        { "", "three", "paper", true },
        { "Bearer one", "three", "ink", true },
        { "Basic b25l", "three", "paper", true },
        { "Bearer nobody's", "three", "", true },
        { "", "", "", false },
        { "Bearer ", "", "", false },
        { "Bearer", "", "", false },
        { "Basic b25l", "", "", false },
        { "Bearerone", "", "", false },
        { "one", "", "", false },
    };
    struct gate gate = { .tokens = parsed(TWO_PRINCIPALS), .world = &world_real };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct caller caller;

        gate_check(&gate, bytes_of_string(rows[i].authorization), bytes_of_string(rows[i].access_token), &caller);
        if (!bytes_equal(principal_name(&caller.principal), bytes_of_string(rows[i].name)))
            fail_msg("'%s' '%s' is %.*s", rows[i].authorization, rows[i].access_token, caller.principal.n_name,
                     caller.principal.name);
        assert_int_equal(caller.has_token, rows[i].has_token);
        assert_int_equal(principal_may(&caller.principal, RIGHT_READ), caller.principal.n_name > 0);
        assert_int_equal(caller.principal.is_account, caller.principal.n_name > 0);
    }
    assert_int_equal(gate.n_refused, 1);
    gate_replace(&gate, NULL);
}

static void a_new_file_decides_about_who_is_there_already(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        { LIST(ENTRY("\"ink\"", "\"write\"", "\"" ONE "\"")), true },
        { LIST(ENTRY("\"ink\"", "\"read\"", "\"" ONE "\"")), false },
        { LIST(ENTRY("\"ink\"", "\"admin\"", "\"" ONE "\"")), false },
        { LIST(ENTRY("\"ink\"", "\"write\"", "\"" TWO "\"")), false },
        { LIST(ENTRY("\"pen\"", "\"write\"", "\"" ONE "\"")), false },
        { LIST(""), false },
    };
    struct gate gate = { .tokens = parsed(TWO_PRINCIPALS), .world = &world_real };
    struct caller caller;

    gate_check(&gate, bytes_of_string("Bearer one"), bytes_of(NULL, 0), &caller);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gate_replace(&gate, parsed(rows[i].text));
        assert_int_equal(gate_holds(&gate, &caller), rows[i].holds);
    }
    gate_replace(&gate, NULL);
}

static void memory_may_fail_at_any_point(void **state)
{
    bool met = true;

    file_says(TWO_PRINCIPALS, 0600);
    for (size_t n = 0; met; n++) {
        struct tokens *tokens = NULL;
        int r;

        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        r = tokens_read(path, &tokens, why, sizeof(why));
        met = alloc_fault_disarm();
        assert_int_equal(r, met ? -ENOMEM : 0);
        assert_true(met || tokens);
        tokens_destroy(tokens);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_its_principals),
        cmocka_unit_test(another_secret_is_nobodys),
        cmocka_unit_test(rights_bring_along_what_lies_in_them),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(no_complaint_quotes_the_file),
        cmocka_unit_test(there_are_ceilings),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(a_file_that_cannot_be_trusted_is_not_read),
        cmocka_unit_test(a_made_secret_is_known_by_its_hash),
        cmocka_unit_test(without_a_file_everybody_is_anyone),
        cmocka_unit_test(the_gate_takes_header_and_parameter),
        cmocka_unit_test(a_new_file_decides_about_who_is_there_already),
        cmocka_unit_test(memory_may_fail_at_any_point),
    };

    return cmocka_run_group_tests_name("tokens", tests, make_file, remove_file);
}
