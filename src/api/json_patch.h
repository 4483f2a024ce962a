/* Patches of JSON documents, as operations of json0 or json1.
 *
 *     [{"op":"add","path":"/items/0","value":1}]      RFC 6902, JSON Patch, with the pointers of RFC 6901
 *     {"title":"new","draft":null}                    RFC 7396, JSON Merge Patch
 *
 * What is patched becomes an edit for each thing that it changes (json_edits.h), not a new content, so that what others
 * do beside it, or within what is moved, is kept. What is as the patch wants it is left alone.
 *
 *     add, replace, copy, remove    oi, od, li, ld          i, r
 *     move                          lm within a list, else  p, d; remove and add where something is replaced
 *                                   remove and add
 *
 * Pure. Work is counted in bytes: the patch, and what it reads, copies and takes away. */
#ifndef API_JSON_PATCH_H
#define API_JSON_PATCH_H

#include "ot/ot.h"

/* It is done on the loop, where the document is. */
#define PATCH_MAX_OPERATIONS 1000
#define PATCH_MAX_BYTES      ((size_t)1 << 20)

enum patch_error {
    PATCH_MALFORMED = 1, /* it is no patch */
    PATCH_NOT_APPLIED,   /* it does not fit the document */
    PATCH_TEST_FAILED,   /* the document is not as it wants it */
    PATCH_LIMIT,         /* over a ceiling */
};

/* before: of json0 or json1; it is not changed. patch: of n_bytes, and sound. Returns 0, -ENOMEM or an enum
 * patch_error, which `error` puts into words: with the number of the patch's operation, the first being 0, and nothing
 * of the content. */
typedef int patch_fn(const struct ot_snapshot *before, const struct ot_json *patch, size_t n_bytes,
                     const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

OT_MUST_CHECK int json_patch(const struct ot_snapshot *before, const struct ot_json *patch, size_t n_bytes,
                             const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
OT_MUST_CHECK int merge_patch(const struct ot_snapshot *before, const struct ot_json *patch, size_t n_bytes,
                              const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

#endif
