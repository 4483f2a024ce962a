/* Parameters of a URL: "name=value&...", what stands behind its "?". */
#ifndef API_PARAMETER_H
#define API_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* The parameter, still encoded; at NULL: it is not there. */
struct bytes parameter_raw(struct bytes query, const char *key);

/* Decoded into `into`; empty when it is not there. -EINVAL, -E2BIG. */
__attribute__((warn_unused_result)) int parameter_text(struct bytes query, const char *key, char *into, size_t capacity,
                                                       struct bytes *out);

/* *out stays what it was when it is not there. -EINVAL: no number from 0 to 2^53 - 1. */
__attribute__((warn_unused_result)) int parameter_number(struct bytes query, const char *key, uint64_t *out);

/* The same for the number itself. */
__attribute__((warn_unused_result)) int number_parse(struct bytes text, uint64_t *out);

/* true or false; false when it is not there. -EINVAL: neither. */
__attribute__((warn_unused_result)) int parameter_flag(struct bytes query, const char *key, bool *out);

/* The same for a point in time, RFC 3339, in milliseconds since 1970. "+" is no space in one, encoded or not. */
__attribute__((warn_unused_result)) int parameter_time(struct bytes query, const char *key, uint64_t *out_ms);

#endif
