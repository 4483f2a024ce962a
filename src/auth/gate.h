/* Whom a server lets in: what a request says of who sends it becomes a principal. RFC 6750.
 *
 *     Authorization: Bearer SECRET          --hash--> token file --> principal, or nobody
 *     ?access_token=SECRET, a WebSocket's        no token file   --> anyone
 *
 * Secrets are neither kept nor logged. */
#ifndef AUTH_GATE_H
#define AUTH_GATE_H

#include "auth/tokens.h"

struct gate {
    struct tokens *tokens; /* NULL: there is no token file, and everybody is `anyone` */
    const struct world *world;
    uint64_t n_refused; /* tokens that are nobody's: a figure for /metrics */

    uint64_t logged_ms; /* when that was last said; n_refused was this then: */
    uint64_t n_logged;
};

/* Who asks, as of now. */
struct caller {
    struct principal principal; /* principal_nobody: he has not said it, or his token is nobody's */
    struct token_hash token;    /* what he showed; zeroes: nothing */
    bool has_token;
};

/* authorization: the header's value; access_token: decoded. Both may be empty; the header goes first. */
void gate_check(struct gate *gate, struct bytes authorization, struct bytes access_token, struct caller *out);

/* Whether the caller's token is still his, with the same rights. */
bool gate_holds(const struct gate *gate, const struct caller *caller);

/* Puts another table in place of the one there was, which is destroyed. */
void gate_replace(struct gate *gate, struct tokens *tokens);

#endif
