#include "auth/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/base64url.h"
#include "base/name.h"

#define SECRET_BYTES (TOKEN_CHARS / 4 * 3)

static const char hash_prefix[] = "sha256:";

struct token {
    struct token_hash hash;
    struct principal principal;
};

struct tokens {
    size_t n;
    struct token sorted[]; /* by hash */
};

struct reading {
    struct tokens *tokens;
    json_t *names; /* an object with a key for every name so far */
    char *why;
    size_t n_why;
    size_t entry; /* its number for people: from 1 on; 0: none */
};

/* Values are not quoted: one could be a secret that was put into the wrong place, and this goes to the log. */
__attribute__((format(printf, 2, 3))) static int complain(const struct reading *reading, const char *format, ...)
{
    va_list arguments;
    int n = reading->entry ? snprintf(reading->why, reading->n_why, "principal %zu: ", reading->entry) : 0;

    va_start(arguments, format);
    if (n >= 0 && (size_t)n < reading->n_why)
        (void)vsnprintf(reading->why + n, reading->n_why - (size_t)n, format, arguments);
    va_end(arguments);
    return TOKENS_WRONG;
}

/* ---- one principal ----------------------------------------------------------------------------------------------- */

bool token_name_is_allowed(struct bytes name)
{
    return name_is_allowed(name, PRINCIPAL_NAME_MAX_BYTES) && !bytes_equal(name, principal_name(&principal_anyone));
}

static int read_name(struct reading *reading, const json_t *value, struct principal *out)
{
    struct bytes name = bytes_of(json_string_value(value), json_string_length(value));

    if (!json_is_string(value) || !token_name_is_allowed(name))
        return complain(reading, "name must be 1 to %d bytes without control characters, and not 'anyone'",
                        PRINCIPAL_NAME_MAX_BYTES);
    if (json_object_get(reading->names, name.at))
        return complain(reading, "another one has this name already");
    memcpy(out->name, name.at, name.n_bytes);
    out->n_name = (uint8_t)name.n_bytes;
    out->is_account = true;
    return json_object_set_new(reading->names, name.at, json_true()) ? -ENOMEM : 0;
}

static int read_rights(const struct reading *reading, const json_t *value, struct principal *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        unsigned right = right_of_name(bytes_of(json_string_value(item), json_string_length(item)));

        if (!right)
            return complain(reading, "rights may be 'read', 'write' and 'admin'");
        out->rights = (uint8_t)(out->rights | right);
    }
    return out->rights ? 0 : complain(reading, "rights must be a list of at least one of 'read', 'write' and 'admin'");
}

static int value_of_hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool hash_read(const json_t *value, struct token_hash *out)
{
    const char *at = json_string_value(value);

    if (json_string_length(value) != sizeof(hash_prefix) - 1 + 2 * (size_t)TOKEN_HASH_BYTES ||
        memcmp(at, hash_prefix, sizeof(hash_prefix) - 1) != 0)
        return false;
    at += sizeof(hash_prefix) - 1;
    for (size_t i = 0; i < TOKEN_HASH_BYTES; i++) {
        int high = value_of_hex(at[2 * i]), low = value_of_hex(at[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static int read_secrets(const struct reading *reading, const json_t *value, const struct principal *principal)
{
    struct tokens *tokens = reading->tokens;

    if (!json_is_array(value))
        return complain(reading, "secrets must be a list");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct token *token = &tokens->sorted[tokens->n];

        if (!hash_read(json_array_get(value, i), &token->hash))
            return complain(reading, "secret %zu must be 'sha256:' and 64 hexadecimal digits", i + 1);
        if (++tokens->n > TOKENS_MAX)
            return complain(reading, "more than %d secrets", TOKENS_MAX);
        token->principal = *principal;
    }
    return 0;
}

static int read_principal(struct reading *reading, json_t *entry)
{
    struct principal principal = { .n_name = 0 };
    const char *key;
    json_t *value;
    int r;

    if (!json_is_object(entry))
        return complain(reading, "it must be an object");
    json_object_foreach(entry, key, value)
    {
        if (strcmp(key, "name") != 0 && strcmp(key, "rights") != 0 && strcmp(key, "secrets") != 0)
            return complain(reading, "only name, rights and secrets are known");
    }
    r = read_name(reading, json_object_get(entry, "name"), &principal);
    if (!r)
        r = read_rights(reading, json_object_get(entry, "rights"), &principal);
    if (!r)
        r = read_secrets(reading, json_object_get(entry, "secrets"), &principal);
    return r;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct token *)a)->hash.bytes, ((const struct token *)b)->hash.bytes, TOKEN_HASH_BYTES);
}

static int sort(struct reading *reading)
{
    struct tokens *tokens = reading->tokens;

    reading->entry = 0;
    qsort(tokens->sorted, tokens->n, sizeof(tokens->sorted[0]), compare);
    for (size_t i = 1; i < tokens->n; i++) {
        const struct token *a = &tokens->sorted[i - 1], *b = &tokens->sorted[i];

        if (compare(a, b) == 0)
            return complain(reading, "'%.*s' and '%.*s' have the same secret, or one has it twice",
                            (int)a->principal.n_name, a->principal.name, (int)b->principal.n_name, b->principal.name);
    }
    return 0;
}

static int read_all(struct reading *reading, json_t *json)
{
    json_t *entries = json_object_get(json, "principals");
    int r = 0;

    if (!json_is_array(entries) || json_object_size(json) != 1)
        return complain(reading, "it must be an object with a list 'principals', and nothing else");
    if (json_array_size(entries) > TOKENS_MAX)
        return complain(reading, "more than %d principals", TOKENS_MAX);
    for (size_t i = 0; !r && i < json_array_size(entries); i++) {
        reading->entry = i + 1;
        r = read_principal(reading, json_array_get(entries, i));
    }
    return r ? r : sort(reading);
}

int tokens_parse(struct bytes text, struct tokens **out, char *why, size_t n_why)
{
    /* No more secrets than fit into the text, each with its quotes. */
    size_t n_max = text.n_bytes / (TOKEN_HASH_TEXT_BYTES + 1) + 1;
    struct tokens *tokens = calloc(1, sizeof(*tokens) + n_max * sizeof(tokens->sorted[0]));
    struct reading reading = { .tokens = tokens, .names = json_object(), .why = why, .n_why = n_why };
    json_error_t error;
    json_t *json = NULL;
    int r = -ENOMEM;

    if (!tokens || !reading.names)
        goto out;
    json = json_loadb(text.n_bytes ? text.at : "", text.n_bytes, JSON_REJECT_DUPLICATES, &error);
    if (json)
        r = read_all(&reading, json);
    else if (json_error_code(&error) != json_error_out_of_memory)
        r = complain(&reading, "line %d: %s", error.line,
                     json_error_code(&error) == json_error_duplicate_key ? "a key stands twice" : "this is no JSON");
    if (r)
        goto out;

    *out = tokens;
    tokens = NULL;
out:
    json_decref(json);
    json_decref(reading.names);
    tokens_destroy(tokens);
    return r;
}

void tokens_destroy(struct tokens *tokens)
{
    free(tokens);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* Into a buffer of n bytes. Returns how many, or -errno. */
static ssize_t read_up_to(int fd, char *into, size_t n)
{
    size_t n_read = 0;

    while (n_read < n) {
        ssize_t more = read(fd, into + n_read, n - n_read);

        if (more < 0)
            return -errno;
        if (more == 0)
            break;
        n_read += (size_t)more;
    }
    return (ssize_t)n_read;
}

/* What forbids to trust the file; NULL: nothing. */
static const char *file_flaw(int fd, size_t *out_n_bytes)
{
    struct stat about;

    if (fd < 0 || fstat(fd, &about))
        return strerror(errno);
    if (!S_ISREG(about.st_mode))
        return "this is no file";
    if (about.st_mode & S_IWOTH)
        return "everybody may write to it; chmod o-w";
    if (about.st_size > TOKENS_FILE_MAX)
        return "it is larger than 4 MiB";
    *out_n_bytes = (size_t)about.st_size;
    return NULL;
}

int tokens_read(const char *path, struct tokens **out, char *why, size_t n_why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = TOKENS_WRONG;
    size_t n_bytes = 0;
    const char *flaw = file_flaw(fd, &n_bytes);
    char *text = NULL, inner[TOKENS_WHY_MAX_BYTES] = "out of memory";
    ssize_t n;

    if (flaw) {
        (void)snprintf(why, n_why, "%s: %s", path, flaw);
        goto out;
    }
    text = malloc(n_bytes + 1); /* an empty file, too, is no shortage of memory */
    n = text ? read_up_to(fd, text, n_bytes) : -ENOMEM;
    r = n < 0 ? (int)n : tokens_parse(bytes_of(text, (size_t)n), out, inner, sizeof(inner));
    if (r && r != -ENOMEM) {
        (void)snprintf(why, n_why, "%s: %s", path, r == TOKENS_WRONG ? inner : strerror(-r));
        r = TOKENS_WRONG;
    }
out:
    free(text);
    if (fd >= 0)
        (void)close(fd);
    return r;
}

/* ---- secrets ----------------------------------------------------------------------------------------------------- */

void token_hash_make(struct bytes secret, struct token_hash *out)
{
    (void)SHA256(secret.at, secret.n_bytes, out->bytes);
}

/* The search tells by its time how much of the hash agrees with one in the file. Nobody can choose a secret by the hash
 * that it shall have, so he learns nothing; the verdict itself takes the same time for all. */
bool tokens_find(const struct tokens *tokens, const struct token_hash *hash, struct principal *out)
{
    size_t low = 0, high = tokens->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(tokens->sorted[middle].hash.bytes, hash->bytes, TOKEN_HASH_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == tokens->n || CRYPTO_memcmp(tokens->sorted[low].hash.bytes, hash->bytes, TOKEN_HASH_BYTES) != 0)
        return false;
    *out = tokens->sorted[low].principal;
    return true;
}

void token_make(const struct world *world, char out_secret[TOKEN_CHARS + 1], char out_hash[TOKEN_HASH_TEXT_BYTES])
{
    unsigned char random[SECRET_BYTES];
    struct token_hash hash;

    world_random(world, random, sizeof(random));
    base64url_write(random, sizeof(random), out_secret);
    token_hash_make(bytes_of(out_secret, TOKEN_CHARS), &hash);
    memcpy(out_hash, hash_prefix, sizeof(hash_prefix));
    for (size_t i = 0; i < TOKEN_HASH_BYTES; i++)
        (void)snprintf(out_hash + sizeof(hash_prefix) - 1 + 2 * i, 3, "%02x", hash.bytes[i]);
}
