/* JSON for people: a member or an element a line, two blanks a level. */
#ifndef CLI_PRETTY_H
#define CLI_PRETTY_H

#include "base/buffer.h"

/* compact: JSON without white space between its parts, as ot/ writes it. A newline ends it. A failure stays in the
 * buffer. */
void pretty_write(struct bytes compact, struct buffer *into);

#endif
