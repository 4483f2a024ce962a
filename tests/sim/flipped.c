/* The test of the test: with -Wl,--wrap=ot_op_transform the server, and only the server, transforms with the sides
 * exchanged. */
#include "ot/ot.h"

int __real_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int __wrap_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

int __wrap_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    /* The model clients pass the library's own limits, the server those of its hub. */
    if (limits != &ot_limits_default)
        side = side == OT_LEFT ? OT_RIGHT : OT_LEFT;
    return __real_ot_op_transform(op, other, side, limits, out, error);
}
