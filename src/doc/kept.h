/* A snapshot as documents keep it in the store; for whoever brings logs into one, or looks at them, without opening
 * documents. */
#ifndef DOC_KEPT_H
#define DOC_KEPT_H

#include "doc/past.h"

/* Reads the value only, so another thread may call it. The version is the store's to know. 0 or -errno. */
STORE_MUST_CHECK int kept_write(const struct past *kept, struct buffer *into);

/* Whether one is worth its bytes, now that so many of operations have come since the last. value NULL: no document. */
bool kept_is_due(size_t tail_bytes, const struct ot_snapshot *value, size_t least_bytes);

/* out, zeroed or finished, is taken all but the version. 0, -ENOMEM, -EBADMSG. */
STORE_MUST_CHECK int kept_read(struct bytes kept, const struct ot_limits *limits, struct past *out);

#endif
