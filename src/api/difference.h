/* The edit that makes one content of another. What stays as it was is not touched, so that what others write there at
 * the same time survives, and carets stay where they are. */
#ifndef API_DIFFERENCE_H
#define API_DIFFERENCE_H

#include "base/buffer.h"
#include "ot/ot.h"

/* Appends the text-unicode operation, as JSON: by words where few of them changed, else by lines, else as one piece.
 * Both texts are UTF-8. A failure stays in the buffer. */
void difference_of_texts(struct bytes before, struct bytes after, struct buffer *into);

/* The operation of json0 or json1: members and elements that are equal stay; a string that differs is replaced whole.
 * 0; -ENOMEM; the enum ot_code of what the type does not allow, such as some names. */
OT_MUST_CHECK int difference_of_values(const struct ot_type *type, const struct ot_json *before,
                                       const struct ot_json *after, struct ot_op **out, struct ot_error *error);

/* Appends the rich-text operation, as JSON: texts by words as above, attributes where they differ. Both are documents
 * of that type. 0, -ENOMEM, -E2BIG. */
OT_MUST_CHECK int difference_of_deltas(const struct ot_json *before, const struct ot_json *after, struct buffer *into);

#endif
