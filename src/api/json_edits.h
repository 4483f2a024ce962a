/* An operation of json0 or json1, put together edit by edit, each for the value that those before it have made:
 *
 *     leaves    what is at the path goes              json0 od, ld     json1 r
 *     enters    something comes to be there           json0 oi, li     json1 i
 *     both      one in place of the other
 *     moves     within a list, or in json1 anywhere   json0 lm         json1 p, d */
#ifndef API_JSON_EDITS_H
#define API_JSON_EDITS_H

#include "base/buffer.h"
#include "ot/ot.h"

#define JSON_PATH_MAX    256 /* of what ot/ reads: 200 */
#define JSON_STEP_IS_KEY SIZE_MAX
#define JSON_EDITS_SIZES 64

/* One step into a value: a key, or a position in a list. */
struct json_step {
    struct bytes key;
    size_t index; /* JSON_STEP_IS_KEY: it is a key */
};

struct json_edits {
    const struct ot_type *type;
    bool is_json1;
    /* NULL; or what every edit is applied to at once, and so found out to fit. The caller's. */
    struct ot_snapshot *value;
    const struct ot_limits *limits; /* of the value */
    struct ot_error *error;         /* says more, when a result is positive */

    struct buffer text;                  /* of json0's operation */
    struct ot_op *ops[JSON_EDITS_SIZES]; /* json1's, of 1, 2, 4, 8... edits; the largest are the first. Composed one
                                          * after the other, each would copy all before it */
};

/* type: json0 or json1. value may be NULL. */
void json_edits_init(struct json_edits *edits, const struct ot_type *type, struct ot_snapshot *value,
                     const struct ot_limits *limits, struct ot_error *error);
void json_edits_finish(struct json_edits *edits);

/* All: 0, -ENOMEM, -E2BIG, or the enum ot_code of what the type does not allow, or the value. */

/* leaves or enters may be NULL, but not both; json1 asks only whether something leaves. */
OT_MUST_CHECK int json_edits_note(struct json_edits *edits, const struct json_step *path, size_t n,
                                  const struct ot_json *leaves, const struct ot_json *enters);
/* What lies at `from` is taken out, and then put in so that it lies at `to`, before the element there, or as a member
 * that there is not. json0: both are positions of one list. */
OT_MUST_CHECK int json_edits_move(struct json_edits *edits, const struct json_step *from, size_t n_from,
                                  const struct json_step *to, size_t n_to);
/* All of them; one that does nothing when there are none. */
OT_MUST_CHECK int json_edits_operation(struct json_edits *edits, struct ot_op **out);

#endif
