/* Two texts beside each other, for people and for patch(1): the unified format, by lines, with three of context.
 *
 *     --- notes/diary@7
 *     +++ notes/diary@9
 *     @@ -1,3 +1,3 @@
 *      Dear diary,
 *     -helo
 *     +hello
 *     \ No newline at end of file */
#ifndef API_UNIFIED_H
#define API_UNIFIED_H

#include "base/buffer.h"

struct unified_text {
    struct bytes name, text; /* name: no control characters */
};

/* Nothing when they are equal. Where more than some hundred lines changed, all from the first to the last of them are
 * taken out and put in. A failure stays in the buffer. */
void unified_write(const struct unified_text *before, const struct unified_text *after, struct buffer *into);

#endif
