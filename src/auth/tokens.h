/* The token file: who there is, and by which secrets they are known. Source: docs/http.md, "Who may".
 *
 *     {"principals": [
 *         {"name": "ink", "rights": ["read", "write"], "secrets": ["sha256:<64 hexadecimal digits>", ...]},
 *         ...
 *     ]}
 *
 * A token is a secret of 264 random bits that we have made (token_make). The file holds only its SHA-256, so whoever
 * reads the file can't log in. A fast hash without salt is enough, since there is nothing to guess: slow, salted hashes
 * protect passwords, which people choose.
 *
 * A principal may have several secrets, also none; so a new one is handed out before the old one goes, and his name,
 * his operations and the ids of his clients stay. */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include "auth/principal.h"
#include "base/world.h"

#define TOKEN_CHARS          44
#define TOKEN_HASH_BYTES     32
#define TOKENS_FILE_MAX      (4 * 1024 * 1024) /* bytes */
#define TOKENS_MAX           10000             /* secrets in a file, and principals */
#define TOKENS_WHY_MAX_BYTES 300

struct token_hash {
    unsigned char bytes[TOKEN_HASH_BYTES];
};

struct tokens;

enum tokens_error {
    TOKENS_WRONG = 1, /* the file is at fault */
};

/* Returns 0, TOKENS_WRONG with one sentence in why[0..n_why) that names the place, or -ENOMEM. */
__attribute__((warn_unused_result)) int tokens_parse(struct bytes text, struct tokens **out, char *why, size_t n_why);

/* The same for a file, which must not be writable by everybody: also what can't be opened is TOKENS_WRONG. */
__attribute__((warn_unused_result)) int tokens_read(const char *path, struct tokens **out, char *why, size_t n_why);
void tokens_destroy(struct tokens *tokens); /* NULL is fine */

void token_hash_make(struct bytes secret, struct token_hash *out);

/* Whose token that is. False: nobody's. */
bool tokens_find(const struct tokens *tokens, const struct token_hash *hash, struct principal *out);

/* A fresh secret and its hash, as the file has it ("sha256:..."). */
#define TOKEN_HASH_TEXT_BYTES (7 + 2 * TOKEN_HASH_BYTES + 1)
void token_make(const struct world *world, char out_secret[TOKEN_CHARS + 1], char out_hash[TOKEN_HASH_TEXT_BYTES]);

/* What a principal may be called. */
bool token_name_is_allowed(struct bytes name);

#endif
