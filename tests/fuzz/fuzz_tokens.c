/* Any bytes as a token file: they are taken, or refused with a sentence on one line; and however they are taken, nobody
 * is let in without a right, or as `anyone`. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/tokens.h"

/* SHA-256 of "one", "two", "three"; the corpus uses them. */
static const char *const secrets[] = { "one", "two", "three", "" };

static void check(const struct tokens *tokens)
{
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        struct principal principal;
        struct token_hash hash;

        token_hash_make(bytes_of_string(secrets[i]), &hash);
        if (!tokens_find(tokens, &hash, &principal))
            continue;
        FUZZ_REQUIRE(principal_may(&principal, RIGHT_READ));
        FUZZ_REQUIRE(principal.is_account && token_name_is_allowed(principal_name(&principal)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char why[TOKENS_WHY_MAX_BYTES] = "";
    struct tokens *tokens = NULL;
    int r = tokens_parse(bytes_of(data, n_bytes), &tokens, why, sizeof(why));

    FUZZ_REQUIRE(r == 0 || r == TOKENS_WRONG);
    if (r == 0)
        check(tokens);
    else
        FUZZ_REQUIRE(!tokens && *why && !strchr(why, '\n'));
    tokens_destroy(tokens);
    return 0;
}
