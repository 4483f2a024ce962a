/* What a type of document must know: one row of the table in types.c. Internal to ot/.
 *
 * Operations and snapshots of a type begin with the structures below. The functions of a row get values of their own
 * type only; which may be NULL is said here, and what is NULL answers OT_UNSUPPORTED. Limits are never NULL. */
#ifndef OT_TYPE_H
#define OT_TYPE_H

#include "ot/ot.h"

struct ot_op {
    const struct ot_type *type;
    uint32_t n_references;
};

struct ot_snapshot {
    const struct ot_type *type;
};

enum op_form {
    OP_STRICT,  /* as clients must send it; adjacent parts are merged all the same */
    OP_LENIENT, /* what the reference's normalize takes */
};

struct ot_type {
    const char *name, *uri;

    int (*op_parse)(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                    struct ot_error *error); /* json is sound */
    void (*op_destroy)(struct ot_op *op);
    bool (*op_is_noop)(const struct ot_op *op);
    size_t (*op_size)(const struct ot_op *op);
    struct ot_amount (*op_amount)(const struct ot_op *op);
    int (*op_write)(const struct ot_op *op, ot_write_fn *write, void *arg);
    int (*op_transform)(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                        const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
    int (*op_compose)(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                      struct ot_op **out, struct ot_error *error);
    /* May be NULL: */
    int (*op_invert)(const struct ot_op *op, struct ot_op **out, struct ot_error *error);
    int (*op_invert_with)(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                          struct ot_error *error);
    int (*op_make_invertible)(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                              struct ot_error *error);
    int (*op_settle)(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                     struct ot_error *error); /* NULL: it stays what it is */
    int (*op_transform_position)(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                                 struct ot_error *error);
    int (*op_transform_presence)(const struct ot_op *op, const struct ot_json *range, bool is_own, struct ot_json **out,
                                 struct ot_error *error); /* range is sound */
    int (*op_transform_resolving)(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                                  const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

    int (*snapshot_create)(const struct ot_json *data, const struct ot_limits *limits, struct ot_snapshot **out,
                           struct ot_error *error); /* data is sound, or NULL */
    int (*snapshot_share)(const struct ot_snapshot *snapshot, struct ot_snapshot **out);
    void (*snapshot_destroy)(struct ot_snapshot *snapshot);
    size_t (*snapshot_size)(const struct ot_snapshot *snapshot);
    uint64_t (*snapshot_length)(const struct ot_snapshot *snapshot); /* NULL: it counts as one value */
    int (*snapshot_apply)(struct ot_snapshot *snapshot, const struct ot_op *op, const struct ot_limits *limits,
                          struct ot_error *error);
    int (*snapshot_write_json)(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg);
    /* May be NULL: */
    int (*snapshot_write_text)(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg);
};

extern const struct ot_type text_unicode;
extern const struct ot_type rich_text;
extern const struct ot_type json0;
extern const struct ot_type json1;

#endif
