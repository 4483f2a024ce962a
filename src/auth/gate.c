#include "auth/gate.h"

#include <inttypes.h>
#include <strings.h>

#include "base/log.h"

#define LOG_EVERY_MS 1000

static const char scheme[] = "Bearer ";

/* The secret in the header's value; empty: it is of another scheme. */
static struct bytes bearer_of(struct bytes authorization)
{
    const char *at = authorization.at, *end = at + authorization.n_bytes;

    if (authorization.n_bytes < sizeof(scheme) || strncasecmp(at, scheme, sizeof(scheme) - 1) != 0)
        return bytes_of(NULL, 0);
    at += sizeof(scheme) - 1;
    while (at < end && *at == ' ')
        at++;
    return bytes_of(at, (size_t)(end - at));
}

/* Whoever guesses must not fill the log. */
static void count_refused(struct gate *gate)
{
    uint64_t now = world_now_ms(gate->world);

    gate->n_refused++;
    if (now - gate->logged_ms < LOG_EVERY_MS)
        return;
    log_warning("auth", "refused tokens that are nobody's: %" PRIu64, gate->n_refused - gate->n_logged);
    gate->logged_ms = now;
    gate->n_logged = gate->n_refused;
}

void gate_check(struct gate *gate, struct bytes authorization, struct bytes access_token, struct caller *out)
{
    struct bytes secret = bearer_of(authorization);

    *out = (struct caller){ .principal = principal_anyone };
    if (!gate->tokens)
        return;
    if (!secret.n_bytes)
        secret = access_token;
    out->principal = principal_nobody;
    out->has_token = secret.n_bytes > 0;
    if (!out->has_token)
        return;
    token_hash_make(secret, &out->token);
    if (!tokens_find(gate->tokens, &out->token, &out->principal))
        count_refused(gate);
}

bool gate_holds(const struct gate *gate, const struct caller *caller)
{
    const struct principal *was = &caller->principal;
    struct principal is;

    if (!gate->tokens)
        return true;
    return tokens_find(gate->tokens, &caller->token, &is) && is.rights == was->rights &&
           bytes_equal(principal_name(&is), principal_name(was));
}

void gate_replace(struct gate *gate, struct tokens *tokens)
{
    tokens_destroy(gate->tokens);
    gate->tokens = tokens;
}
