/* Percent-encoding of names in addresses; RFC 3986. */
#ifndef API_PERCENT_H
#define API_PERCENT_H

#include "base/buffer.h"

/* Into `into`, of which *out bytes are used then. -EINVAL: a "%" without two hex digits; -E2BIG: longer than capacity.
 */
__attribute__((warn_unused_result)) int percent_decode(struct bytes from, char *into, size_t capacity, size_t *out);

/* The same for a value of a query, where "+" is a space. */
__attribute__((warn_unused_result)) int percent_decode_query(struct bytes from, char *into, size_t capacity,
                                                             size_t *out);

/* Leaves letters, digits and "-._~". A failure stays in the buffer. */
void percent_encode(struct bytes from, struct buffer *into);

#endif
