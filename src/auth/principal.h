/* Who is asking, and what he may do. A principal is an account, not the token that proved it: the ids of clients
 * (client_id.h) and the authors of operations go with his name.
 *
 * Rights are a set. What lies in a later one lies in it by itself: `write` brings `read`, `admin` brings both. */
#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include <stdint.h>

#include "base/bytes.h"

#define PRINCIPAL_NAME_MAX_BYTES 64

enum right {
    RIGHT_NONE = 0, /* open to those, too, who don't say who they are */
    RIGHT_READ = 1, /* documents, their history, the carets of others; and to show one's own */
    RIGHT_WRITE = 2,
    RIGHT_ADMIN = 4,
};

/* A plain value: copied freely, owned by whoever has it. */
struct principal {
    char name[PRINCIPAL_NAME_MAX_BYTES];
    uint8_t n_name;
    uint8_t rights;  /* of enum right; none: nobody, who has not proven anything */
    bool is_account; /* of the token file: then nobody labels his operations otherwise */
};

extern const struct principal principal_nobody;
extern const struct principal principal_anyone; /* where there is no token file; may do everything */

static inline struct bytes principal_name(const struct principal *principal)
{
    return bytes_of(principal->name, principal->n_name);
}

static inline bool principal_may(const struct principal *principal, enum right right)
{
    return (principal->rights & right) == (unsigned)right;
}

/* "read", "write" or "admin". */
const char *right_name(enum right right);

/* The right of that name with all that it brings along; RIGHT_NONE: there is none. */
unsigned right_of_name(struct bytes name);

/* Each right, one after the other: for (right = RIGHT_READ; right <= RIGHT_ADMIN; right = right_next(right)). */
static inline enum right right_next(enum right right)
{
    return (enum right)(right << 1);
}

#endif
