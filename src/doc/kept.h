/* A snapshot as documents keep it in the store; for whoever brings logs into one, or looks at them, without opening
 * documents. */
#ifndef DOC_KEPT_H
#define DOC_KEPT_H

#include "doc/past.h"

/* Reads the value only, so another thread may call it. The version is the store's to know. 0 or -errno. */
STORE_MUST_CHECK int kept_write(const struct past *kept, struct buffer *into);

/* out, zeroed or finished, is taken all but the version. 0, -ENOMEM, -EBADMSG. */
STORE_MUST_CHECK int kept_read(struct bytes kept, const struct ot_limits *limits, struct past *out);

#endif
