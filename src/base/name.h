/* Names that clients give: collections, documents, sources, channels.
 * Source: "Names and limits" in docs/protocol.md. */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include "base/bytes.h"

#define NAME_MAX_BYTES 128 /* a collection or a document id */

/* Well-formed UTF-8 (no overlong forms, no surrogates, nothing past U+10FFFF). */
bool bytes_are_utf8(struct bytes text);

/* UTF-8, 1 to max_bytes bytes, no control characters, and none of the names that JavaScript clients would trip over
 * when they use it as the key of an object (__proto__, constructor, toString, ...). */
bool name_is_allowed(struct bytes name, size_t max_bytes);

#endif
